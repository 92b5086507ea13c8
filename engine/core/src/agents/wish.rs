//! What an agent wants of one instrument: a position, or quotes on both sides.

use crate::snapshot::{Decoder, Sink, SnapshotError};

/// Quotes that an agent wants to stand in the book, as its own orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quotes {
    /// Price of its bid, mantissa; 0 = none.
    pub bid_price: i64,
    /// Price of its ask, mantissa; 0 = none.
    pub ask_price: i64,
}

/// What an agent wants of one instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Wish {
    /// Position as a share of the agent's capital, -1 to 1; negative = short.
    pub target_share: f64,
    /// The log return that it expects from it, not negative: what execution may spend to get there.
    pub edge: f64,
    /// True when waiting costs more than crossing the spread, whatever the edge: a stop, or a leg without its pair.
    pub is_urgent: bool,
    /// True for the position that it has, whatever that is: `target_share` says nothing then.
    pub is_holding: bool,
    /// Quotes, for an agent that makes markets; its position then is what they bring.
    pub quotes: Quotes,
    /// Size of each quote as a share of the agent's capital.
    pub quote_share: f64,
}

impl Wish {
    /// Flat, without hurry.
    pub const NONE: Self = Self {
        target_share: 0.0,
        edge: 0.0,
        is_urgent: false,
        is_holding: false,
        quotes: Quotes {
            bid_price: 0,
            ask_price: 0,
        },
        quote_share: 0.0,
    };

    /// The position that it has, neither more nor less.
    pub const HOLD: Self = Self {
        is_holding: true,
        ..Self::NONE
    };

    /// A position of this share of capital for this edge; both are brought into their bounds.
    pub fn position(target_share: f64, edge: f64) -> Self {
        Self {
            target_share: finite(target_share).clamp(-1.0, 1.0),
            edge: finite(edge).clamp(0.0, 1.0),
            ..Self::NONE
        }
    }

    /// The same without patience.
    #[must_use]
    pub const fn urgent(mut self) -> Self {
        self.is_urgent = true;
        self
    }

    /// True when it wants another position than the one it has, or none: not for a maker, nor for one that holds.
    pub fn has_target(&self) -> bool {
        !self.is_holding && self.quotes == Quotes::default()
    }

    /// Writes all.
    pub fn write(&self, out: &mut impl Sink) {
        out.f64(self.target_share);
        out.f64(self.edge);
        out.bool(self.is_urgent);
        out.bool(self.is_holding);
        out.i64(self.quotes.bid_price);
        out.i64(self.quotes.ask_price);
        out.f64(self.quote_share);
    }

    /// Reads what `write` wrote.
    ///
    /// # Errors
    /// The bytes end, or hold what no agent can have wished.
    pub fn load(from: &mut Decoder<'_>) -> Result<Self, SnapshotError> {
        let wish = Self {
            target_share: from.f64()?,
            edge: from.f64()?,
            is_urgent: from.bool()?,
            is_holding: from.bool()?,
            quotes: Quotes {
                bid_price: from.i64()?,
                ask_price: from.i64()?,
            },
            quote_share: from.f64()?,
        };
        let is_possible = (-1.0..=1.0).contains(&wish.target_share)
            && (0.0..=1.0).contains(&wish.edge)
            && (0.0..=1.0).contains(&wish.quote_share);
        from.expect(is_possible, "a wish within its bounds")?;
        Ok(wish)
    }
}

/// The value, or 0 for what is not finite.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}
