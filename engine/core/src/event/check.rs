//! Whether an event is one that this version can have written.

use super::{
    BookState, DECODE_CODE_NONE, Event, EventKind, EventView, Level, MODEL_PART_BYTES,
    OperatorAction, ReportReason, Side, delta_detail, flags,
};
use crate::currency::RATE_EXPONENT_MAX;

/// What `Event::check` found wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// The kind code has no meaning.
    #[error("unknown event kind {0}")]
    Kind(u8),
    /// A flag bit without meaning is set.
    #[error("unknown event flags {0:#04x}")]
    Flags(u8),
    /// `detail` has no meaning for this kind.
    #[error("event kind {kind} with unknown detail {detail}")]
    Detail {
        /// Kind code.
        kind: u8,
        /// The offending detail.
        detail: u8,
    },
    /// A reserved byte is not zero.
    #[error("event kind {0} with a reserved byte that is not zero")]
    Reserved(u8),
    /// A quantity, a price or a time to come is negative.
    #[error("event kind {0} with a negative quantity, price or time")]
    Quantity(u8),
    /// The reason of an operator's command has no meaning.
    #[error("operator command with unknown reason {0}")]
    Reason(u64),
    /// A rate is negative, or has more decimal places than fit.
    #[error("a rate that is negative, or with more than 18 decimal places")]
    Rate,
}

impl Event {
    /// Refuses an event that this version cannot have written: for everything that comes from outside the process.
    ///
    /// # Errors
    /// The first thing found wrong.
    #[inline]
    pub fn check(&self) -> Result<(), EventError> {
        if self.is_sound_delta() || self.is_sound_tick() {
            return Ok(());
        }
        self.check_any()
    }

    /// Whether this is a change of a book with nothing wrong: nearly every event is, so it is asked first.
    #[inline]
    pub fn is_sound_delta(&self) -> bool {
        let [_, _, quantity_first, price_second, quantity_second] = self.body;
        let is_padded = match self.level_count() {
            1 => price_second | quantity_second == 0,
            2 => true,
            _ => false,
        };
        let are_quantities = (quantity_first | quantity_second).cast_signed() >= 0;
        let has_known_bits = self.flags & !flags::ALL == 0 && self.detail & !delta_detail::ALL == 0;
        self.kind == EventKind::BookDelta as u8 && has_known_bits && is_padded && are_quantities
    }

    /// Whether this is a quote or a trade with nothing wrong: asked next, since the tables of `check_any` cost as much as an append.
    #[inline]
    fn is_sound_tick(&self) -> bool {
        let [_, quantity_first, _, quantity_second, last] = self.body;
        let is_whole = if self.kind == EventKind::Trade as u8 {
            Side::from_code(self.detail).is_some() && last == 0 && quantity_first.cast_signed() >= 0
        } else {
            self.kind == EventKind::Bbo as u8
                && self.detail == 0
                && (quantity_first | quantity_second).cast_signed() >= 0
        };
        is_whole && self.flags & !flags::ALL == 0
    }

    #[inline(never)]
    fn check_any(&self) -> Result<(), EventError> {
        if self.flags & !flags::ALL != 0 {
            return Err(EventError::Flags(self.flags));
        }
        if self.decode_code != DECODE_CODE_NONE && !self.is_market_data() {
            return Err(EventError::Reserved(self.kind));
        }
        let detail_known = match EventKind::from_code(self.kind) {
            None => return Err(EventError::Kind(self.kind)),
            Some(EventKind::BookDelta) => {
                matches!(self.level_count(), 1 | 2) && self.detail & !delta_detail::ALL == 0
            }
            Some(EventKind::Trade) => Side::from_code(self.detail).is_some(),
            Some(EventKind::BookStateChanged) => BookState::from_code(self.detail).is_some(),
            Some(EventKind::OperatorCommanded) => OperatorAction::from_code(self.detail).is_some(),
            Some(EventKind::ConnectionChanged) => self.detail <= 1,
            Some(EventKind::ModelPart) => {
                (1..=MODEL_PART_BYTES).contains(&usize::from(self.detail))
            }
            Some(
                EventKind::OrderAccepted
                | EventKind::OrderRejected
                | EventKind::OrderCancelled
                | EventKind::CancelRejected,
            ) => ReportReason::from_code(self.detail).is_some(),
            Some(
                EventKind::Bbo
                | EventKind::OrderFilled
                | EventKind::CommandSent
                | EventKind::TimerFired
                | EventKind::ModelPromoted
                | EventKind::FundingSettled
                | EventKind::RateChanged
                | EventKind::MarkFunding,
            ) => self.detail == 0,
        };
        if !detail_known {
            return Err(EventError::Detail {
                kind: self.kind,
                detail: self.detail,
            });
        }
        self.check_body()
    }

    fn check_body(&self) -> Result<(), EventError> {
        let (reserved_is_zero, quantities_fit) = match self.view() {
            EventView::BookDelta(delta) => {
                let padding = self.level_count() == 2 || delta.levels[1] == Level::default();
                (
                    padding,
                    delta.levels.iter().all(|level| level.quantity >= 0),
                )
            }
            EventView::Bbo(bbo) => (true, bbo.bid.quantity >= 0 && bbo.ask.quantity >= 0),
            EventView::Trade(trade) => (trade.reserved == 0, trade.quantity >= 0),
            EventView::BookStateChanged(change) => (change.reserved == [0; 2], true),
            EventView::OrderAccepted(report)
            | EventView::OrderRejected(report)
            | EventView::OrderCancelled(report)
            | EventView::CancelRejected(report) => (report.reserved == [0; 3], true),
            EventView::OrderFilled(fill) => (true, fill.quantity >= 0),
            EventView::TimerFired(timer) => (timer.reserved == [0; 2], true),
            EventView::OperatorCommanded { reason: None, .. } => {
                return Err(EventError::Reason(self.body[0]));
            }
            EventView::OperatorCommanded { .. } => (self.body[1..] == [0; 4], true),
            EventView::ConnectionChanged(_) => (self.body == [0; 5], true),
            EventView::ModelPart(part) => (part.is_padded(usize::from(self.detail)), true),
            EventView::ModelPromoted(promoted) => (promoted.reserved == [0; 3], true),
            EventView::FundingSettled(settled) => (settled.reserved == [0; 3], settled.price >= 0),
            EventView::RateChanged(changed) => {
                if changed.mantissa < 0 || changed.exponent > RATE_EXPONENT_MAX {
                    return Err(EventError::Rate);
                }
                (changed.reserved == [0; 3], true)
            }
            EventView::MarkFunding(announced) => (
                announced.reserved == 0,
                (announced.mark_price | announced.index_price | announced.ts_next_ns) >= 0,
            ),
            EventView::CommandSent(_) | EventView::Unknown(_) => (true, true),
        };
        if !reserved_is_zero {
            return Err(EventError::Reserved(self.kind));
        }
        if !quantities_fit {
            return Err(EventError::Quantity(self.kind));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Bbo, Trade};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn the_short_way_agrees_with_the_long_one(
            kind in 0u8..6,
            flags in 0u8..64,
            detail in 0u8..32,
            decode_code in prop_oneof![8 => Just(0u8), 1 => any::<u8>()],
            body in prop::array::uniform5(prop_oneof![Just(0u64), Just(7), Just(u64::MAX)]),
        ) {
            let event = Event { kind, flags, detail, decode_code, body, ..Event::EMPTY };
            prop_assert_eq!(event.check(), event.check_any());
        }
    }

    #[test]
    fn a_usual_change_goes_the_short_way() {
        let level = Level {
            price: 5,
            quantity: 0,
        };
        let levels = [(Side::Bid, level), (Side::Ask, level)];
        for count in [1, 2] {
            let event = Event::book_delta(crate::instrument::InstrumentId(1), 3, &levels[..count]);
            assert!(event.is_sound_delta());
        }
        let quote = Bbo {
            bid: level,
            ask: level,
            update_id: u64::MAX,
        };
        let trade = Trade {
            price: -5,
            quantity: 0,
            trade_id: u64::MAX,
            trade_id_final: u64::MAX,
            reserved: 0,
        };
        let event = |kind| Event::new(kind, crate::instrument::InstrumentId(1));
        assert!(event(EventKind::Bbo).with_body(&quote).is_sound_tick());
        let trade = event(EventKind::Trade).with_body(&trade);
        assert!(trade.with_detail(Side::Ask as u8).is_sound_tick());
    }
}
