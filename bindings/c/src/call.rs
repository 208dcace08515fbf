//! The one way from C into the library.

use comptoir_host::{Fault, guard};

use crate::error::{Status, set_last};

/// Runs `work` and gives its status; a fault, and a panic as the fault `INTERNAL`, becomes the last error of the thread.
#[inline]
pub fn call(work: impl FnOnce() -> Result<(), Fault>) -> Status {
    match guard(work) {
        Ok(()) => Status::Ok,
        Err(fault) => set_last(&fault),
    }
}

/// Where a result is written to.
///
/// # Errors
/// `HOST_ARGUMENT` for a pointer that is null or misaligned; `name` is the parameter.
///
/// # Safety
/// A pointer that is neither may be written for as long as the result is used.
#[inline]
pub unsafe fn out<'o, T>(name: &str, pointer: *mut T) -> Result<&'o mut std::mem::MaybeUninit<T>, Fault> {
    check(name, pointer)?;
    // SAFETY: it is aligned and not null, and the caller vouches for the rest.
    Ok(unsafe { &mut *pointer.cast() })
}

/// Elements that the caller lends.
///
/// # Errors
/// As [`out`]; none may be null.
///
/// # Safety
/// A pointer that is neither has `count` initialised elements for as long as the result is used.
#[inline]
pub unsafe fn elements<'e, T>(name: &str, pointer: *const T, count: usize) -> Result<&'e [T], Fault> {
    if count == 0 {
        return Ok(&[]);
    }
    check(name, pointer)?;
    if count.checked_mul(size_of::<T>()).is_none_or(|bytes| bytes > isize::MAX.unsigned_abs()) {
        return Err(too_many(name, count));
    }
    // SAFETY: it is aligned, not null and not too long, and the caller vouches for the rest.
    Ok(unsafe { std::slice::from_raw_parts(pointer, count) })
}

#[inline]
fn check<T>(name: &str, pointer: *const T) -> Result<(), Fault> {
    if pointer.is_null() || !pointer.is_aligned() {
        return Err(unusable(name, pointer.is_null()));
    }
    Ok(())
}

#[cold]
fn unusable(name: &str, is_null: bool) -> Fault {
    Fault::argument(if is_null { format!("`{name}` is null") } else { format!("`{name}` is not aligned") })
}

#[cold]
fn too_many(name: &str, count: usize) -> Fault {
    Fault::argument(format!("`{name}`: {count} elements do not fit into memory"))
}
