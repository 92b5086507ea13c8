//! The displayed book of one instrument, built from the market events that pass by.
//!
//! Best-bid-and-offer messages run ahead of depth changes: the newest of them trims both sides, also after an older
//! depth change has been applied.

use acth_core::event::{Bbo, BookDelta, BookState, Event, Side, flags};

use super::ladder::Ladder;

/// Both sides and how far they can be trusted.
#[derive(Clone, Debug)]
pub(super) struct DisplayedBook {
    bids: Ladder,
    asks: Ladder,
    state: BookState,
    /// The last best bid and offer, while it is newer than the depth.
    ahead: Option<Bbo>,
}

impl DisplayedBook {
    pub(super) fn new(levels_max: usize) -> Self {
        Self {
            bids: Ladder::new(Side::Bid, levels_max),
            asks: Ladder::new(Side::Ask, levels_max),
            state: BookState::Syncing,
            ahead: None,
        }
    }

    pub(super) fn is_live(&self) -> bool {
        self.state == BookState::Live
    }

    pub(super) const fn set_state(&mut self, state: BookState) {
        self.state = state;
    }

    pub(super) const fn side(&self, side: Side) -> &Ladder {
        match side {
            Side::Bid => &self.bids,
            Side::Ask => &self.asks,
        }
    }

    pub(super) const fn side_mut(&mut self, side: Side) -> &mut Ladder {
        match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        }
    }

    /// Applies the one or two levels of a depth event.
    pub(super) fn apply_delta(&mut self, event: &Event, delta: &BookDelta) {
        if event.has(flags::CLEAR) {
            self.bids.clear();
            self.asks.clear();
        }
        for (index, level) in delta.levels.iter().enumerate().take(event.level_count()) {
            self.side_mut(event.level_side(index)).set(*level);
        }
        if !event.has(flags::LAST) {
            return;
        }
        match self.ahead {
            Some(bbo) if bbo.update_id > delta.update_id => self.trim(&bbo),
            _ => self.ahead = None,
        }
    }

    pub(super) fn apply_bbo(&mut self, bbo: &Bbo) {
        self.trim(bbo);
        self.ahead = Some(*bbo);
    }

    fn trim(&mut self, bbo: &Bbo) {
        self.bids.set_best(bbo.bid);
        self.asks.set_best(bbo.ask);
    }
}
