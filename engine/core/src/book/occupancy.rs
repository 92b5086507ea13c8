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
        let (page, word) = (slot / PAGE_TICKS % PAGES, 1 << (slot % PAGE_TICKS));
        let word = self.words[page] & (word - 1);
        if word != 0 {
            return Some(page * PAGE_TICKS + top_bit(word));
        }
        let (page, word) = self.page_below(page)?;
        Some(page * PAGE_TICKS + top_bit(word))
    }

    /// The highest occupied slot.
    #[inline]
    pub(super) fn highest(&self) -> Option<usize> {
        let (page, word) = self.highest_page()?;
        Some(page * PAGE_TICKS + top_bit(word))
    }

    /// All occupied slots from `slot` down to the lowest, then from the highest down, without end unless none is occupied.
    #[inline]
    pub(super) fn down_from(&self, slot: usize) -> Down<'_, PAGES> {
        let (page, bit) = (slot / PAGE_TICKS % PAGES, slot % PAGE_TICKS);
        let word = self.words[page] & (u64::MAX >> (PAGE_TICKS - 1 - bit));
        Down {
            occupancy: self,
            page,
            word,
        }
    }

    /// The next occupied page below this one, and its bits.
    #[inline]
    fn page_below(&self, page: usize) -> Option<(usize, u64)> {
        let group = page / GROUP_PAGES % GROUPS_MAX;
        let pages = self.summary[group] & ((1 << (page % GROUP_PAGES)) - 1);
        self.highest_in(group, pages)
    }

    #[inline]
    fn highest_page(&self) -> Option<(usize, u64)> {
        let group = Self::GROUPS - 1;
        self.highest_in(group, self.summary[group])
    }

    /// The highest of the given pages of a group, or of all of a lower group, and its bits.
    #[inline]
    fn highest_in(&self, group: usize, pages: u64) -> Option<(usize, u64)> {
        let (mut group, mut pages) = (group, pages);
        while pages == 0 {
            group = group.checked_sub(1)?;
            pages = self.summary[group];
        }
        let page = group * GROUP_PAGES + top_bit(pages);
        Some((page, self.words[page]))
    }
}

/// A walk down the occupied slots, round the ring.
pub(super) struct Down<'a, const PAGES: usize> {
    occupancy: &'a Occupancy<PAGES>,
    page: usize,
    /// Bits of the page that are still to come.
    word: u64,
}

impl<const PAGES: usize> Iterator for Down<'_, PAGES> {
    /// Page and place on it.
    type Item = (usize, usize);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.word == 0 {
            let occupancy = self.occupancy;
            let lower = occupancy.page_below(self.page);
            (self.page, self.word) = lower.or_else(|| occupancy.highest_page())?;
        }
        let bit = top_bit(self.word);
        self.word ^= 1 << bit;
        Some((self.page, bit))
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
