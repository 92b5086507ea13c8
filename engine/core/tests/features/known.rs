//! Known answers, worked out by hand.

use acth_core::{
    event::Side,
    features::{Depth, Feature, InstrumentFeatures, is_weekend, order_flow, time_of_day},
};

use super::stream::{PRICE_EXPONENT, START_NS, TICK_NS, quote, vector};

const DEPTH: Depth = Depth { bid: 30, ask: 10 };

fn get(features: &InstrumentFeatures, now_ns: i64, feature: Feature) -> f64 {
    f64::from(vector(features, now_ns)[feature as usize])
}

fn near(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() <= 1e-5 * expected.abs().max(1e-3),
        "{found}, expected {expected}"
    );
}

#[test]
fn a_single_quote() {
    let mut features = InstrumentFeatures::new(PRICE_EXPONENT);
    features.on_quote(START_NS, &quote((9_999, 3), (10_001, 1)), DEPTH);
    // Microprice (99.99 x 1 + 100.01 x 3) / 4 = 100.005.
    near(features.log_price(), 100.005f64.ln());
    near(features.microprice_f64(), 10_000.5);
    near(get(&features, START_NS, Feature::MicropriceOffset), 50.0);
    near(get(&features, START_NS, Feature::Spread), 200.0);
    near(get(&features, START_NS, Feature::ImbalanceTop), 0.5);
    near(get(&features, START_NS, Feature::ImbalanceFive), 0.5);
    near(get(&features, START_NS, Feature::QuoteRate1s), 2f64.ln());
    // One second later half of it is left; reading changed nothing.
    near(
        get(&features, START_NS + 1_000_000_000, Feature::QuoteRate1s),
        2f64.ln() / 2.0,
    );
    near(get(&features, START_NS, Feature::QuoteRate1s), 2f64.ln());
}

#[test]
fn order_flow_counts_what_the_paper_counts() {
    let base = quote((100, 10), (101, 20));
    assert_eq!(order_flow(&base, &quote((100, 13), (101, 20))), 3.0);
    assert_eq!(order_flow(&base, &quote((100, 10), (101, 26))), -6.0);
    assert_eq!(order_flow(&base, &quote((99, 50), (101, 20))), -10.0);
    assert_eq!(order_flow(&base, &quote((100, 10), (102, 70))), 20.0);
    let wide = quote((100, 10), (103, 20));
    assert_eq!(order_flow(&wide, &quote((101, 7), (103, 20))), 7.0);
    assert_eq!(order_flow(&wide, &quote((100, 10), (102, 7))), -7.0);
    let mut features = InstrumentFeatures::new(PRICE_EXPONENT);
    features.on_quote(START_NS, &base, DEPTH);
    features.on_quote(START_NS, &quote((100, 13), (101, 20)), DEPTH);
    // Flow 3; mean top depth (15 + 16.5) / 2.
    near(get(&features, START_NS, Feature::OrderFlow1s), 3.0 / 15.75);
    let later_ns = START_NS + 10_000_000_000;
    near(get(&features, later_ns, Feature::OrderFlow10s), 1.5 / 15.75);
}

#[test]
fn trades() {
    let mut features = InstrumentFeatures::new(PRICE_EXPONENT);
    features.on_trade(START_NS, Side::Bid, 10_000, 3_000);
    features.on_trade(START_NS, Side::Ask, 10_000, 1_000);
    near(
        get(&features, START_NS, Feature::TradeSign1s),
        2_000.0 / 4_001.0,
    );
    near(
        get(&features, START_NS, Feature::TradeRate1s),
        2.0 * 2f64.ln(),
    );
    near(
        features.trade_rate(START_NS + 10_000_000_000),
        2f64.ln() / 10.0,
    );
    // In long silence the sign fades too.
    assert!(get(&features, START_NS + 60_000_000_000, Feature::TradeSign1s).abs() < 1e-9);
    assert_eq!(get(&features, START_NS, Feature::Spread), 0.0);
}

/// 250 units in even trades every 50 ms are 5,000 a second, soon after the beginning and later.
#[test]
fn volume_per_second_is_right_from_the_beginning() {
    let mut features = InstrumentFeatures::new(PRICE_EXPONENT);
    for trade in 0..4_000 {
        features.on_trade(START_NS + trade * 50_000_000, Side::Bid, 10_000, 250);
        let seconds = trade as f64 / 20.0;
        if seconds >= 5.0 {
            let found = features.volume_per_second();
            assert!(
                (found / 5_000.0 - 1.0).abs() < 0.02,
                "{found} after {seconds} s"
            );
        }
    }
}

/// A price that goes up and down by 100 ppm each 100 ms moves 100 ppm x root 10 in a root second.
#[test]
fn volatility_on_three_clocks() {
    let mut features = InstrumentFeatures::new(PRICE_EXPONENT);
    let mut now_ns = START_NS;
    for tick in 0..400 {
        let bid = if tick % 2 == 0 { 999_950 } else { 1_000_050 };
        features.on_quote(now_ns, &quote((bid, 5), (bid + 100, 5)), DEPTH);
        features.on_timer(now_ns);
        features.on_trade(now_ns, Side::Bid, bid, 100);
        now_ns += TICK_NS;
    }
    near(
        features.volatility_per_root_second(),
        1.0001f64.ln() * 10f64.sqrt(),
    );
    near(
        get(&features, now_ns, Feature::VolatilityEvent),
        1.0001f64.ln() * 1e6,
    );
    // Ten trades of 100 fill a bucket of a second: the price is back where it was after an even number of ticks.
    let by_volume = get(&features, now_ns, Feature::VolatilityVolume);
    assert!((0.0..100.0).contains(&by_volume), "{by_volume}");
}

#[test]
fn returns_look_back_whole_ticks_and_never_over_a_gap() {
    let mut features = InstrumentFeatures::new(PRICE_EXPONENT);
    let at = |tick: i64| START_NS + tick * TICK_NS;
    for tick in 0..=150 {
        let bid = 100_000 + tick;
        features.on_quote(at(tick), &quote((bid, 5), (bid + 2, 5)), DEPTH);
        features.on_timer(at(tick));
    }
    let log = |price: f64| price.ln();
    for (ticks, feature) in [
        (1, Feature::Return100ms),
        (10, Feature::Return1s),
        (100, Feature::Return10s),
    ] {
        let expected = log(100_151.0) - log(100_151.0 - f64::from(ticks));
        near(features.return_over(ticks as usize), expected);
        near(get(&features, at(150), feature), expected * 1e6);
    }
    assert_eq!(features.return_over(101), 0.0);
    features.on_quote_lost();
    assert!(!features.is_live());
    assert_eq!(features.return_over(1), 0.0);
    let before = features.volatility_per_root_second();
    features.on_quote(at(151), &quote((200_000, 5), (200_002, 5)), DEPTH);
    features.on_timer(at(151));
    assert_eq!(features.return_over(1), 0.0);
    assert_eq!(features.volatility_per_root_second(), before);
    let by_event = get(&features, at(151), Feature::VolatilityEvent);
    assert!(
        by_event < 11.0,
        "the jump over the gap is no return: {by_event}"
    );
}

#[test]
fn the_clock() {
    const HOUR_NS: i64 = 3_600_000_000_000;
    let close = |found: [f64; 2], expected: [f64; 2]| {
        assert!(
            found
                .iter()
                .zip(&expected)
                .all(|(found, expected)| (found - expected).abs() < 1e-12)
        );
    };
    // 2024-08-08 00:00 UTC, a Thursday.
    let day_ns = 1_723_075_200_000_000_000;
    close(time_of_day(day_ns), [0.0, 1.0]);
    close(time_of_day(day_ns + 6 * HOUR_NS), [1.0, 0.0]);
    close(time_of_day(day_ns + 12 * HOUR_NS), [0.0, -1.0]);
    close(
        time_of_day(day_ns + 15 * HOUR_NS),
        [-0.5f64.sqrt(), -0.5f64.sqrt()],
    );
    let weekend: Vec<bool> = (0..7)
        .map(|day| is_weekend(day_ns + day * 24 * HOUR_NS))
        .collect();
    assert_eq!(weekend, [false, false, true, true, false, false, false]);
    assert!(is_weekend(day_ns + 2 * 24 * HOUR_NS) && !is_weekend(day_ns + 2 * 24 * HOUR_NS - 1));
    assert!(is_weekend(day_ns + 4 * 24 * HOUR_NS - 1));
}
