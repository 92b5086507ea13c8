//! What happens to an account without a trade: funding of positions, announced and charged, and rates between currencies.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Decimal places of `FundingSettled::rate` and `MarkFunding::rate`.
pub const FUNDING_RATE_EXPONENT: u32 = 12;

/// Body of `EventKind::FundingSettled`: the venue has charged every position of the event's instrument.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct FundingSettled {
    /// Share of a position's notional that longs pay to shorts, in units of 10^-12; negative = shorts pay.
    pub rate: i64,
    /// Price mantissa that the venue reckoned with; 0 = unknown, then our own mark is taken.
    pub price: i64,
    /// Zero.
    pub reserved: [u64; 3],
}

/// Body of `EventKind::RateChanged`: what one unit of a currency is worth in the account's.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct RateChanged {
    /// Mantissa of the rate; never negative, 0 = the rate is no longer known.
    pub mantissa: i64,
    /// Index of the currency in the hub's table of currencies.
    pub currency: u32,
    /// Decimal places of the mantissa; at most 18.
    pub exponent: u32,
    /// Zero.
    pub reserved: [u64; 3],
}

/// Body of `EventKind::MarkFunding`: what a venue says of a perpetual about once a second.
///
/// Venues print mark and index with more decimal places than the instrument's prices have. They are rounded to the nearest
/// mantissa, halves up: they value and explain, no order is priced from them.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct MarkFunding {
    /// Price mantissa that the venue values positions with; never negative, 0 = unknown.
    pub mark_price: i64,
    /// Price mantissa of what the perpetual stands for; never negative, 0 = unknown.
    pub index_price: i64,
    /// Share of a position's notional that longs will pay to shorts, in units of 10^-12, as announced now; negative =
    /// shorts will pay.
    pub rate: i64,
    /// When that is due, ns since the Unix epoch; never negative, 0 = unknown.
    pub ts_next_ns: i64,
    /// Zero.
    pub reserved: u64,
}

const _: () = assert!(size_of::<FundingSettled>() == 40);
const _: () = assert!(size_of::<MarkFunding>() == 40);
const _: () = assert!(core::mem::offset_of!(MarkFunding, rate) == 16);
const _: () = assert!(core::mem::offset_of!(MarkFunding, ts_next_ns) == 24);
const _: () = assert!(core::mem::offset_of!(MarkFunding, reserved) == 32);
const _: () = assert!(size_of::<RateChanged>() == 40);
const _: () = assert!(core::mem::offset_of!(RateChanged, currency) == 8);
