//! Which slots of the window hold a level: one bit a slot in words, one bit a word in a summary.

use alloc::{boxed::Box, vec};

use super::PAGE_TICKS;

/// Pages that one word of the summary covers.
const GROUP_PAGES: usize = 64;
/// Words of the summary.
const GROUPS_MAX: usize = 16;

/// The bits of a window of `PAGES` pages of 64 slots.
///
/// Invariant: a bit of the summary is set exactly when its page's word is not zero.
#[derive(Clone, Debug)]
pub(super) struct Occupancy<const PAGES: usize> {
    words: Box<[u64; PAGES]>,
    summary: [u64; GROUPS_MAX],
}

impl<const PAGES: usize> Occupancy<PAGES> {
    const CHECKED: () = assert!(PAGES.is_power_of_two() && PAGES <= GROUP_PAGES * GROUPS_MAX);
    const GROUPS: usize = PAGES.div_ceil(GROUP_PAGES);

    pub(super) fn new() -> Self {
        let () = Self::CHECKED;
        Self {
            words: boxed_array(0),
            summary: [0; GROUPS_MAX],
        }
    }

    /// Sets or clears the bit of a slot; returns what it was. Without a branch: whether a level comes or goes cannot
    /// be predicted.
    #[inline]
    pub(super) fn put(&mut self, slot: usize, is_occupied: bool) -> bool {
        let (page, bit) = (slot / PAGE_TICKS % PAGES, slot % PAGE_TICKS);
        let before = self.words[page];
        let after = before & !(1 << bit) | u64::from(is_occupied) << bit;
        self.words[page] = after;
        let (group, page_bit) = (page / GROUP_PAGES % GROUPS_MAX, page % GROUP_PAGES);
        self.summary[group] =
            self.summary[group] & !(1 << page_bit) | u64::from(after != 0) << page_bit;
        before >> bit & 1 == 1
    }

    /// The highest occupied slot below `slot`.
    #[inline]
    pub(super) fn below(&self, slot: usize) -> Option<usize> {
        let (page, bit) = (slot / PAGE_TICKS % PAGES, slot % PAGE_TICKS);
        let word = self.words[page] & ((1 << bit) - 1);
        if word != 0 {
            return Some(page * PAGE_TICKS + top_bit(word));
        }
        let group = page / GROUP_PAGES % GROUPS_MAX;
        let pages = self.summary[group] & ((1 << (page % GROUP_PAGES)) - 1);
        self.highest_in(group, pages)
    }

    /// The highest occupied slot.
    #[inline]
    pub(super) fn highest(&self) -> Option<usize> {
        let group = Self::GROUPS - 1;
        self.highest_in(group, self.summary[group])
    }

    /// The highest occupied slot on the given pages of a group or in a lower group.
    #[inline]
    fn highest_in(&self, group: usize, pages: u64) -> Option<usize> {
        let (mut group, mut pages) = (group, pages);
        while pages == 0 {
            group = group.checked_sub(1)?;
            pages = self.summary[group];
        }
        let page = group * GROUP_PAGES + top_bit(pages);
        Some(page * PAGE_TICKS + top_bit(self.words[page]))
    }
}

/// Position of the highest set bit of a word that is not zero.
#[inline]
const fn top_bit(word: u64) -> usize {
    (u64::BITS - 1 - word.leading_zeros()) as usize
}

/// An array on the heap that never stood on the stack.
pub(super) fn boxed_array<T: Clone, const COUNT: usize>(value: T) -> Box<[T; COUNT]> {
    match vec![value; COUNT].into_boxed_slice().try_into() {
        Ok(array) => array,
        Err(_) => unreachable!("a slice of COUNT items is an array of COUNT items"),
    }
}
