//! Memory for columns: large blocks on huge pages.
//!
//! A call over 10^7 movements touches a gigabyte of fresh memory. On 4 kB pages the kernel spends more time on page faults than the
//! valuation takes; on pages of 2 MB they cost a fifth of it. Large blocks come from the system one by one, so that zeroed memory, which
//! fresh pages are, costs nothing until it is touched, by whichever thread does.

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

    use super::HUGE_PAGE;

    /// Bytes mapped for a block: whole small pages, so that the end of a block wastes little.
    const fn length(layout: Layout) -> usize {
        layout.size().next_multiple_of(4096)
    }

    /// A fresh block of zeros, aligned to a huge page, or null.
    pub(super) fn allocate(layout: Layout) -> *mut u8 {
        let length = length(layout);
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

    /// Gives a block back.
    ///
    /// # Safety
    /// The block came from [`allocate`] with the same layout, and is not used any more.
    pub(super) unsafe fn release(block: *mut u8, layout: Layout) {
        // SAFETY: the range is exactly what `allocate` left mapped.
        unsafe { libc::munmap(block.cast(), length(layout)) };
    }
}

#[cfg(not(target_os = "linux"))]
mod mapped {
    use std::alloc::Layout;

    pub(super) fn allocate(_: Layout) -> *mut u8 {
        std::ptr::null_mut()
    }

    pub(super) unsafe fn release(_: *mut u8, _: Layout) {}
}

// SAFETY: a block is mapped or from the system allocator by its layout alone, which release is given again; both give memory of at
// least the size and alignment asked for, and `mapped` gives zeros.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_mapped(layout) {
            return mapped::allocate(layout);
        }
        // SAFETY: the caller's guarantees hold.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_mapped(layout) {
            return mapped::allocate(layout);
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
