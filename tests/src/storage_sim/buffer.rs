//! Memory that stands for the page cache of one file: what every process sees, through calls and through mappings alike.
//!
//! Invariant: the address never changes while a buffer lives, and nobody makes a reference into it: all access copies.
#![allow(unsafe_code, reason = "a mapping is memory that several hold at once")]

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};

/// Bytes of a page of the simulated machine.
pub const PAGE_BYTES: usize = 4096;

/// One page's content.
pub(super) type Page = [u8; PAGE_BYTES];

/// Whole pages, zero at first.
#[derive(Debug)]
pub(super) struct PageBuffer {
    base: *mut u8,
    layout: Layout,
}

// SAFETY: the memory belongs to the buffer alone and is bound to no thread; the simulation runs on one thread, and whoever runs
// threads over it orders them as for a mapping of a file (the journal's commit words do).
unsafe impl Send for PageBuffer {}
// SAFETY: as above.
unsafe impl Sync for PageBuffer {}

impl PageBuffer {
    /// Room for at least `bytes`.
    pub(super) fn new(bytes: usize) -> Self {
        let capacity = bytes.max(1).next_multiple_of(PAGE_BYTES);
        let Ok(layout) = Layout::from_size_align(capacity, PAGE_BYTES) else {
            panic!("a simulated file of {bytes} bytes");
        };
        // SAFETY: the layout is not of size zero.
        let base = unsafe { alloc_zeroed(layout) };
        if base.is_null() {
            handle_alloc_error(layout);
        }
        Self { base, layout }
    }

    pub(super) fn base(&self) -> *mut u8 {
        self.base
    }

    pub(super) fn capacity(&self) -> usize {
        self.layout.size()
    }

    pub(super) fn read(&self, offset: usize, bytes: &mut [u8]) {
        assert!(offset + bytes.len() <= self.capacity());
        // SAFETY: inside the buffer (asserted); the target is a reference of the caller's, so it does not overlap.
        unsafe {
            std::ptr::copy_nonoverlapping(self.base.add(offset), bytes.as_mut_ptr(), bytes.len());
        }
    }

    pub(super) fn write(&self, offset: usize, bytes: &[u8]) {
        assert!(offset + bytes.len() <= self.capacity());
        // SAFETY: inside the buffer (asserted); the source is a reference of the caller's, so it does not overlap.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.base.add(offset), bytes.len()) }
    }

    pub(super) fn clear(&self, from: usize, to: usize) {
        assert!(from <= to && to <= self.capacity());
        // SAFETY: inside the buffer (asserted).
        unsafe { self.base.add(from).write_bytes(0, to - from) }
    }

    /// Whether a page holds this.
    pub(super) fn page_is(&self, index: usize, page: &Page) -> bool {
        let from = index * PAGE_BYTES;
        assert!(from + PAGE_BYTES <= self.capacity());
        // SAFETY: inside the buffer (asserted); the shared view ends within this call, during which nobody stores (one
        // thread), so it is only compared.
        let found = unsafe { std::slice::from_raw_parts(self.base.add(from), PAGE_BYTES) };
        found == page
    }

    pub(super) fn page(&self, index: usize) -> Page {
        let mut page = [0; PAGE_BYTES];
        self.read(index * PAGE_BYTES, &mut page);
        page
    }
}

impl Drop for PageBuffer {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout in `new`, and never given away.
        unsafe { dealloc(self.base, self.layout) }
    }
}
