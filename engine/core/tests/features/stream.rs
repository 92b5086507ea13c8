//! Random streams of quotes, trades and timers for one instrument.

use acth_core::{
    event::{Level, Side},
    features::{Depth, FEATURE_COUNT, InstrumentFeatures},
    market::Quote,
};
use proptest::{collection::vec, prelude::*};

/// Decimal places of the prices of these tests.
pub(crate) const PRICE_EXPONENT: u8 = 2;
pub(crate) const START_NS: i64 = 1_700_000_000_000_000_000;
pub(crate) const TICK_NS: i64 = 100_000_000;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Quote(Quote, Depth),
    Lost,
    Trade(Side, i64, i64),
    Timer,
}

pub(crate) fn quote(bid: (i64, i64), ask: (i64, i64)) -> Quote {
    let level = |(price, quantity)| Level { price, quantity };
    Quote {
        bid: level(bid),
        ask: level(ask),
    }
}

/// Steps with the time that passes before each: quotes that often repeat, so that an unchanged top is met too.
pub(crate) fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let size = prop_oneof![0i64..4, 1i64..2_000];
    let top =
        (9_990i64..10_010, 1i64..3, size.clone(), size).prop_map(|(bid, spread, first, second)| {
            let depth = Depth {
                bid: first * 3 + 1,
                ask: second * 2,
            };
            Step::Quote(quote((bid, first), (bid + spread, second)), depth)
        });
    let side = prop_oneof![Just(Side::Bid), Just(Side::Ask)];
    let trade = (side, 9_900i64..10_100, 1i64..3_000)
        .prop_map(|(side, price, quantity)| Step::Trade(side, price, quantity));
    let step = prop_oneof![
        8 => top,
        4 => trade,
        8 => Just(Step::Timer),
        1 => Just(Step::Lost),
    ];
    let elapsed = prop_oneof![4 => Just(0i64), 8 => 0i64..200_000_000, 1 => 0i64..20_000_000_000];
    vec((elapsed, step), 1..260)
}

pub(crate) fn apply(features: &mut InstrumentFeatures, now_ns: i64, step: &Step) {
    match step {
        Step::Quote(quote, depth) => features.on_quote(now_ns, quote, *depth),
        Step::Lost => features.on_quote_lost(),
        Step::Trade(side, price, quantity) => features.on_trade(now_ns, *side, *price, *quantity),
        Step::Timer => features.on_timer(now_ns),
    }
}

pub(crate) fn vector(features: &InstrumentFeatures, now_ns: i64) -> [f32; FEATURE_COUNT] {
    let mut out = [f32::NAN; FEATURE_COUNT];
    features.vector(now_ns, &mut out);
    out
}
