//! Memory for columns: large blocks on huge pages.
//!
//! A call over 10^7 movements touches a gigabyte of fresh memory. On 4 kB pages the kernel spends more time on page faults than the
//! valuation takes; on pages of 2 MB they cost a fifth of it. Large blocks come from the system one by one, so that zeroed memory, which
//! fresh pages are, costs nothing until it is touched, by whichever thread does.
//!
//! Blocks that are given back are kept for the next call, up to [`kept::BYTES`], since clearing fresh pages is most of their cost. The
//! system may take the pages of a kept block at any time, and then gives zeros for them.

#![expect(unsafe_code, reason = "an allocator is unsafe by its nature")]

use std::alloc::{GlobalAlloc, Layout, System};

/// The system allocator, with blocks from [`LARGE`] on mapped by themselves, on huge pages.
pub struct Memory;

/// Size of a huge page on x86-64 and most AArch64 systems.
const HUGE_PAGE: usize = 2 << 20;

/// Blocks from this size on are mapped by themselves.
const LARGE: usize = HUGE_PAGE;

/// Whether a block is mapped by itself; a function of its layout alone, so that release matches allocation.
const fn is_mapped(layout: Layout) -> bool {
    cfg!(target_os = "linux") && layout.size() >= LARGE && layout.align() <= HUGE_PAGE
}

#[cfg(target_os = "linux")]
mod mapped {
    use std::alloc::Layout;
    use std::ptr;

    use super::{HUGE_PAGE, kept};

    /// Bytes mapped for a block: whole small pages, so that the end of a block wastes little.
    pub(super) const fn length(layout: Layout) -> usize {
        layout.size().next_multiple_of(4096)
    }

    /// A fresh block of zeros, aligned to a huge page, or null.
    fn fresh(length: usize) -> *mut u8 {
        let Some(wanted) = length.checked_add(HUGE_PAGE) else {
            return ptr::null_mut();
        };
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new anonymous mapping touches no other memory.
        let base =
            unsafe { libc::mmap(ptr::null_mut(), wanted, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return ptr::null_mut();
        }
        let base = base.cast::<u8>();
        let before = base.align_offset(HUGE_PAGE);
        // SAFETY: `before` is at most a huge page less one byte, and `wanted` a huge page longer than the block: block and rests lie
        // inside the mapping, whose rests nobody uses. The advice changes no content, and failing is harmless.
        unsafe {
            let block = base.add(before);
            if before > 0 {
                libc::munmap(base.cast(), before);
            }
            if before < HUGE_PAGE {
                libc::munmap(block.add(length).cast(), HUGE_PAGE - before);
            }
            libc::madvise(block.cast(), length, libc::MADV_HUGEPAGE);
            block
        }
    }

    /// A block, kept or fresh, or null.
    pub(super) fn allocate(layout: Layout, is_zeroed: bool) -> *mut u8 {
        let length = length(layout);
        let Some(block) = kept::take(length) else {
            return fresh(length);
        };
        if is_zeroed {
            // SAFETY: the block is ours alone and as long as this. Fresh pages instead would be cleared too, and mapped.
            unsafe { block.write_bytes(0, length) };
        }
        block
    }

    /// Gives a block back.
    ///
    /// # Safety
    /// The block came from [`allocate`] with the same layout, and is not used any more.
    pub(super) unsafe fn release(block: *mut u8, layout: Layout) {
        let length = length(layout);
        // SAFETY: the range is a mapping of its own that nobody uses. The system may drop what it holds.
        unsafe { libc::madvise(block.cast(), length, libc::MADV_FREE) };
        for (block, length) in kept::put(block, length).into_iter().flatten() {
            // SAFETY: kept ranges are whole mappings or parts of such, page by page, and this one is kept no longer.
            unsafe { libc::munmap(block.cast(), length) };
        }
    }
}

/// Blocks that were given back, and wait for another of their size.
#[cfg(target_os = "linux")]
mod kept {
    use std::sync::Mutex;

    use super::HUGE_PAGE;

    /// Bytes kept at most: the results of a call over 10^7 movements, about.
    pub(super) const BYTES: usize = 5 << 28;

    /// Blocks kept at most.
    const BLOCKS: usize = 1024;

    /// Address and length of a block.
    type Block = (*mut u8, usize);

    /// The oldest first.
    struct Kept {
        blocks: [Block; BLOCKS],
        count: usize,
        bytes: usize,
    }

    // SAFETY: the addresses are of memory that belongs to no thread.
    unsafe impl Send for Kept {}

    static KEPT: Mutex<Kept> =
        Mutex::new(Kept { blocks: [(std::ptr::null_mut(), 0); BLOCKS], count: 0, bytes: 0 });

    /// A kept block of this length, if there is one, or the front of a longer one.
    pub(super) fn take(length: usize) -> Option<*mut u8> {
        // Never waits: in a forked process the lock may be held by a thread that is not there.
        let mut kept = KEPT.try_lock().ok()?;
        let count = kept.count;
        let blocks = kept.blocks.get_mut(..count)?;
        let same = blocks.iter().rposition(|block| block.1 == length);
        // What is left of a longer block is to begin on a huge page too.
        let longer = || blocks.iter().position(|block| block.1 > length && length.is_multiple_of(HUGE_PAGE));
        let place = same.or_else(longer)?;
        let block = blocks.get_mut(place)?;
        let start = block.0;
        if block.1 == length {
            blocks.copy_within(place + 1.., place);
            kept.count -= 1;
        } else {
            *block = (start.wrapping_add(length), block.1 - length);
        }
        kept.bytes -= length;
        Some(start)
    }

    /// Keeps a block; gives those that are kept no longer.
    pub(super) fn put(block: *mut u8, length: usize) -> [Option<Block>; 2] {
        let Ok(mut kept) = KEPT.try_lock() else {
            return [Some((block, length)), None];
        };
        let mut gone = None;
        if kept.count == BLOCKS || kept.bytes + length > BYTES {
            gone = kept.drop_oldest();
        }
        if kept.bytes + length > BYTES {
            return [Some((block, length)), gone];
        }
        let count = kept.count;
        kept.blocks.get_mut(count).into_iter().for_each(|slot| *slot = (block, length));
        kept.count += 1;
        kept.bytes += length;
        [None, gone]
    }

    impl Kept {
        fn drop_oldest(&mut self) -> Option<Block> {
            let oldest = *self.blocks.first().filter(|_| self.count > 0)?;
            self.blocks.copy_within(1..self.count, 0);
            self.count -= 1;
            self.bytes -= oldest.1;
            Some(oldest)
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod mapped {
    use std::alloc::Layout;

    pub(super) fn allocate(_: Layout, _: bool) -> *mut u8 {
        std::ptr::null_mut()
    }

    pub(super) unsafe fn release(_: *mut u8, _: Layout) {}
}

// SAFETY: a block is mapped or from the system allocator by its layout alone, which release is given again; both give memory of at
// least the size and alignment asked for, and `mapped` gives zeros where they are asked for.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_mapped(layout) {
            return mapped::allocate(layout, false);
        }
        // SAFETY: the caller's guarantees hold.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_mapped(layout) {
            return mapped::allocate(layout, true);
        }
        // SAFETY: the caller's guarantees hold.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block was allocated with this layout, so it came from where its layout says.
        unsafe {
            if is_mapped(layout) {
                mapped::release(block, layout);
            } else {
                System.dealloc(block, layout);
            }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let Ok(new) = Layout::from_size_align(new_size, layout.align()) else {
            return std::ptr::null_mut();
        };
        if !is_mapped(layout) && !is_mapped(new) {
            // SAFETY: both layouts are the caller's own.
            return unsafe { System.realloc(block, layout, new_size) };
        }
        // SAFETY: `new` is valid; the old block holds at least the smaller of both sizes, and the new one does not overlap it.
        unsafe {
            let moved = self.alloc(new);
            if !moved.is_null() {
                std::ptr::copy_nonoverlapping(block, moved, layout.size().min(new_size));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}
