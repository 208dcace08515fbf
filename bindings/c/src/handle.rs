//! Handles: what C holds instead of objects of ours.
//!
//! A handle points to a block that says what kind of object it leads to. Blocks are never given back to the allocator, so
//! that looking at one is sound even after the handle was freed: freeing twice, using a freed handle and taking one
//! handle for another are errors instead of undefined behaviour. Blocks are used again, the oldest first and never
//! before [`QUARANTINE`] others were freed; a handle that is used so long after it was freed may lead to another object
//! of the same kind. A pointer that never was a handle cannot be told from one.

use std::collections::VecDeque;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use comptoir::types::ErrorKind;
use comptoir_host::Fault;

/// Freed blocks that wait before one is used again; each has 64 bytes.
const QUARANTINE: usize = 1 << 14;

/// The tag of a block that was freed.
const FREED: usize = 0xdead;

/// An opaque type of the header, and what is behind it.
pub trait Opaque {
    /// What is behind it.
    type Value: Send + Sync;
    /// Its tag, different for each kind.
    const TAG: usize;
    /// Its name in messages.
    const NAME: &'static str;
}

/// What a handle points to.
#[repr(align(64))]
struct Block {
    tag: AtomicUsize,
    object: AtomicPtr<()>,
}

static FREE: Mutex<VecDeque<&'static Block>> = Mutex::new(VecDeque::new());

/// A handle of an object, which it owns.
pub fn make<H: Opaque>(value: H::Value) -> *mut H {
    let block = take_block();
    block.object.store(Box::into_raw(Box::new(value)).cast(), Ordering::Relaxed);
    block.tag.store(H::TAG, Ordering::Release);
    std::ptr::from_ref(block).cast_mut().cast()
}

/// The object behind a handle.
///
/// # Errors
/// `HOST_HANDLE` for a handle that is null, misaligned, of another kind, or freed.
///
/// # Safety
/// The pointer is null, misaligned, or a handle of this library; nobody frees it while the object is used.
#[inline]
pub unsafe fn get<'h, H: Opaque>(handle: *const H) -> Result<&'h H::Value, Fault> {
    let pointer = handle.cast::<Block>();
    if pointer.is_null() || !pointer.is_aligned() {
        return Err(unusable::<H>(if pointer.is_null() { "it is null" } else { "it is misaligned" }));
    }
    // SAFETY: blocks live as long as the process, and the caller vouches that it is one.
    let block = unsafe { &*pointer };
    if block.tag.load(Ordering::Acquire) != H::TAG {
        return Err(wrong::<H>(block));
    }
    // SAFETY: under this tag the block holds an object of this type, which nobody frees meanwhile.
    Ok(unsafe { &*block.object.load(Ordering::Relaxed).cast::<H::Value>() })
}

/// Frees a handle and drops its object; null is nothing to free.
///
/// # Errors
/// As [`get`], but for null.
///
/// # Safety
/// The pointer is null, misaligned, or a handle of this library, whose object nobody uses any more.
pub unsafe fn free<H: Opaque>(handle: *mut H) -> Result<(), Fault> {
    if handle.is_null() {
        return Ok(());
    }
    let pointer = handle.cast::<Block>();
    if !pointer.is_aligned() {
        return Err(unusable::<H>("it is misaligned"));
    }
    // SAFETY: blocks live as long as the process, and the caller vouches that it is one.
    let block: &'static Block = unsafe { &*pointer };
    // Of two threads that free the same handle one sees that it is freed.
    if block.tag.compare_exchange(H::TAG, FREED, Ordering::AcqRel, Ordering::Acquire).is_err() {
        return Err(wrong::<H>(block));
    }
    let object = block.object.swap(null_mut(), Ordering::AcqRel);
    FREE.lock().unwrap_or_else(PoisonError::into_inner).push_back(block);
    // SAFETY: `make` made it of a box of this type, and the tag was ours to take.
    drop(unsafe { Box::from_raw(object.cast::<H::Value>()) });
    Ok(())
}

fn take_block() -> &'static Block {
    let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    if free.len() > QUARANTINE
        && let Some(block) = free.pop_front()
    {
        return block;
    }
    drop(free);
    Box::leak(Box::new(Block { tag: AtomicUsize::new(FREED), object: AtomicPtr::new(null_mut()) }))
}

#[cold]
fn wrong<H: Opaque>(block: &Block) -> Fault {
    match block.tag.load(Ordering::Acquire) {
        FREED => unusable::<H>("it was freed"),
        _ => unusable::<H>("it is a handle of another kind"),
    }
}

#[cold]
fn unusable<H: Opaque>(problem: &str) -> Fault {
    let message = format!("the handle of a {} cannot be used: {problem}", H::NAME);
    Fault::new(ErrorKind::Unavailable, "HOST_HANDLE", message)
}

/// Says what is behind an opaque type. The type itself and the function that frees it stand in the source as they are, since
/// the header is made from it.
macro_rules! opaque {
    ($name:ident, $tag:literal, $text:literal, $value:ty) => {
        impl crate::handle::Opaque for $name {
            type Value = $value;
            const TAG: usize = $tag;
            const NAME: &'static str = $text;
        }
    };
}
pub(crate) use opaque;

#[cfg(test)]
mod tests {
    use super::*;

    struct Cup;
    struct Jug;

    impl Opaque for Cup {
        type Value = u32;
        const TAG: usize = 9_001;
        const NAME: &'static str = "cup";
    }

    impl Opaque for Jug {
        type Value = String;
        const TAG: usize = 9_002;
        const NAME: &'static str = "jug";
    }

    fn problem<T: std::fmt::Debug>(outcome: Result<T, Fault>) -> String {
        let fault = outcome.unwrap_err();
        assert_eq!(fault.code, "HOST_HANDLE");
        fault.message
    }

    #[test]
    fn handles_lead_to_their_objects_until_they_are_freed() {
        let cup: *mut Cup = make(7);
        // SAFETY: all pointers are handles, null or misaligned.
        unsafe {
            assert_eq!(get(cup), Ok(&7));
            assert!(problem(get(cup.cast::<Jug>())).ends_with("of another kind"));
            assert!(problem(free(cup.cast::<Jug>())).ends_with("of another kind"));
            assert_eq!(free(cup), Ok(()));
            assert!(problem(get(cup)).ends_with("was freed"));
            assert!(problem(free(cup)).ends_with("was freed"));
            assert!(problem(get::<Cup>(null_mut())).ends_with("is null"));
            assert!(problem(get::<Cup>(cup.wrapping_byte_add(1))).ends_with("misaligned"));
            assert_eq!(free::<Cup>(null_mut()), Ok(()));
        }
    }

    #[test]
    fn of_many_threads_that_free_a_handle_one_does() {
        for _ in 0..200 {
            let jug = make::<Jug>("water".to_owned()) as usize;
            let freed = std::thread::scope(|scope| {
                let threads: Vec<_> =
                    // SAFETY: it is a handle that nobody uses.
                    (0..4).map(|_| scope.spawn(move || unsafe { free(jug as *mut Jug) }.is_ok())).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).filter(|done| *done).count()
            });
            assert_eq!(freed, 1);
        }
    }
}
