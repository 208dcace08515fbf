//! Memory for columns: large blocks on huge pages.
//!
//! A call over 10^7 movements touches a gigabyte of fresh memory. On 4 kB pages the kernel spends more time on page faults than the
//! valuation takes; on pages of 2 MB they cost a few milliseconds.

#![expect(unsafe_code, reason = "an allocator is unsafe by its nature")]

use std::alloc::{GlobalAlloc, Layout, System};

/// The system allocator, with blocks from [`LARGE`] on aligned to huge pages and advised to use them.
pub struct Memory;

/// Size of a huge page on x86-64 and most AArch64 systems.
const HUGE_PAGE: usize = 2 << 20;

/// Blocks from this size on are worth whole huge pages.
const LARGE: usize = 2 * HUGE_PAGE;

impl Memory {
    /// The layout with which a block is really allocated; the same on allocation and release, since it depends on nothing else.
    fn layout(layout: Layout) -> Layout {
        if layout.size() < LARGE || layout.align() > HUGE_PAGE {
            return layout;
        }
        layout.align_to(HUGE_PAGE).unwrap_or(layout)
    }

    fn advise(block: *mut u8, size: usize) {
        #[cfg(target_os = "linux")]
        if !block.is_null() {
            // SAFETY: the range is the block just allocated, page-aligned; the advice changes no content, and failing is harmless.
            unsafe { libc::madvise(block.cast(), size, libc::MADV_HUGEPAGE) };
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (block, size);
    }
}

// SAFETY: every call is passed to the system allocator with a layout that is a function of the caller's layout alone, of the same
// size and at least the same alignment, so that release matches allocation.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's guarantees hold for the stricter layout too.
        let block = unsafe { System.alloc(Self::layout(layout)) };
        if layout.size() >= LARGE {
            Self::advise(block, layout.size());
        }
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the block is as large as the layout says, and zeroed whole.
        unsafe {
            if layout.size() < LARGE {
                return System.alloc_zeroed(layout);
            }
            let block = self.alloc(layout);
            if !block.is_null() {
                block.write_bytes(0, layout.size());
            }
            block
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block was allocated with this layout.
        unsafe { System.dealloc(block, Self::layout(layout)) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let Ok(new) = Layout::from_size_align(new_size, layout.align()) else {
            return std::ptr::null_mut();
        };
        if layout.size() < LARGE && new_size < LARGE {
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
