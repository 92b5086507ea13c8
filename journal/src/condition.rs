//! What a journal that goes on is short of.

use crate::words::ConditionWord;

/// What a journal that goes on is short of. Nothing, in ordinary running; what was raised once stays raised for the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    bits: u8,
}

impl Condition {
    #[inline]
    pub(crate) const fn of(bits: u8) -> Self {
        let mask = ConditionWord::SPACE_LOW | ConditionWord::SPACE_OUT | ConditionWord::BEHIND;
        Self { bits: bits & mask }
    }

    /// Nothing is short.
    #[inline]
    pub const fn is_good(self) -> bool {
        self.bits == 0
    }

    /// Free space is below the low mark: reduce risk.
    pub const fn is_space_low(self) -> bool {
        self.bits & ConditionWord::SPACE_LOW != 0
    }

    /// Free space is below the hard mark: stop; what stopping takes still fits.
    pub const fn is_space_out(self) -> bool {
        self.bits & ConditionWord::SPACE_OUT != 0
    }

    /// Durability is far behind its bound: reduce risk.
    pub const fn is_behind(self) -> bool {
        self.bits & ConditionWord::BEHIND != 0
    }
}
