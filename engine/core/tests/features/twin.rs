//! The same features as sums over the whole past, straight from their definitions.

use acth_core::{
    event::Side,
    features::{Depth, FEATURE_COUNT, FEATURES, Feature, InstrumentFeatures, RETURN_TICKS},
    market::Quote,
};
use proptest::prelude::*;

use super::stream::{PRICE_EXPONENT, START_NS, Step, apply, steps, vector};

/// Everything that happened.
#[derive(Default)]
struct History {
    /// Changes of the top: time, quote before (without a gap), quote.
    tops: Vec<(i64, Option<Quote>, Quote)>,
    /// Time, signed quantity.
    trades: Vec<(i64, f64)>,
    /// Samples since the last gap: time, log price.
    samples: Vec<(i64, f64)>,
    /// Returns between samples without a gap, all of them: time, seconds passed, return.
    sampled: Vec<(i64, f64, f64)>,
    /// Returns of the volume clock: buckets passed, return.
    buckets: Vec<(f64, f64)>,
    bucket: Option<(f64, f64)>,
    quote: Option<(Quote, Depth)>,
    ts_first_ns: Option<i64>,
}

fn fade(now_ns: i64, then_ns: i64, half_life_s: f64) -> f64 {
    ((then_ns - now_ns) as f64 / 1e9 / half_life_s).exp2()
}

fn price(quote: &Quote) -> f64 {
    let (bid, ask) = (quote.bid.quantity as f64, quote.ask.quantity as f64);
    let (bid_price, ask_price) = (quote.bid.price as f64, quote.ask.price as f64);
    if bid + ask == 0.0 {
        return (bid_price + ask_price) / 2.0 / 100.0;
    }
    (bid_price * ask + ask_price * bid) / (bid + ask) / 100.0
}

/// Cont, Kukanov and Stoikov, side by side: the change of a side's size where its price stayed, the whole size where it moved.
fn flow(before: &Quote, quote: &Quote) -> f64 {
    let side = |before: i64, now: i64, better: std::cmp::Ordering| match better {
        std::cmp::Ordering::Equal => (now - before) as f64,
        std::cmp::Ordering::Greater => now as f64,
        std::cmp::Ordering::Less => -(before as f64),
    };
    let bid = quote.bid.price.cmp(&before.bid.price);
    let ask = before.ask.price.cmp(&quote.ask.price);
    side(before.bid.quantity, quote.bid.quantity, bid)
        - side(before.ask.quantity, quote.ask.quantity, ask)
}

fn ratio(above: f64, below: f64) -> f64 {
    if below > 0.0 { above / below } else { 0.0 }
}

impl History {
    fn apply(&mut self, now_ns: i64, step: &Step) {
        match step {
            Step::Quote(quote, depth) => self.quote(now_ns, quote, *depth),
            Step::Lost => {
                self.quote = None;
                self.samples.clear();
            }
            Step::Trade(side, _, quantity) => self.trade(now_ns, *side, *quantity as f64),
            Step::Timer => self.timer(now_ns),
        }
    }

    fn quote(&mut self, now_ns: i64, quote: &Quote, depth: Depth) {
        let before = self.quote.map(|(quote, _)| quote);
        if before.is_none() {
            self.bucket = None;
        }
        if before != Some(*quote) {
            self.ts_first_ns.get_or_insert(now_ns);
            self.tops.push((now_ns, before, *quote));
        }
        self.quote = Some((*quote, depth));
    }

    fn trade(&mut self, now_ns: i64, side: Side, quantity: f64) {
        self.ts_first_ns.get_or_insert(now_ns);
        self.trades.push((now_ns, quantity * side.sign() as f64));
        let Some((quote, _)) = self.quote else { return };
        let log_price = price(&quote).ln();
        match &mut self.bucket {
            None => self.bucket = Some((0.0, log_price)),
            Some((volume, then)) => {
                *volume += quantity;
                let (volume, change) = (*volume, log_price - *then);
                let bucket = self.volume_per_second(now_ns).max(1.0);
                if volume >= bucket {
                    self.buckets.push((volume / bucket, change));
                    self.bucket = Some((0.0, log_price));
                }
            }
        }
    }

    fn timer(&mut self, now_ns: i64) {
        let Some((quote, _)) = self.quote else { return };
        let log_price = price(&quote).ln();
        if let Some((then_ns, then)) = self.samples.last()
            && now_ns > *then_ns
        {
            let seconds = (now_ns - then_ns) as f64 / 1e9;
            self.sampled.push((now_ns, seconds, log_price - then));
        }
        self.samples.push((now_ns, log_price));
    }

    fn volume_per_second(&self, now_ns: i64) -> f64 {
        let Some(first_ns) = self.ts_first_ns else {
            return 0.0;
        };
        let faded = |(then_ns, signed): &(i64, f64)| signed.abs() * fade(now_ns, *then_ns, 40.0);
        let volume: f64 = self.trades.iter().map(faded).sum();
        let age_ns = (now_ns - first_ns).max(1_000_000_000);
        volume * 2f64.ln() / 40.0 / (1.0 - fade(age_ns, 0, 40.0))
    }

    fn volatilities(&self) -> [f64; 3] {
        let newest_ns = self.sampled.last().map_or(0, |sample| sample.0);
        let (mut squares, mut passed) = (0.0, 0.0);
        for (then_ns, seconds, change) in &self.sampled {
            // Only sampled time counts: gaps between samples fade nothing.
            let faded_ns = (newest_ns - then_ns).min(self.sampled_since(*then_ns));
            let weight = fade(faded_ns, 0, 30.0);
            squares += weight * change * change;
            passed += weight * seconds;
        }
        let by_time = ratio(squares, passed).sqrt();
        let changes = self.tops.iter().filter_map(|(_, before, quote)| {
            Some((1.0, (price(quote) / price(before.as_ref()?)).ln()))
        });
        let by_event = by_count(&changes.collect::<Vec<_>>(), 200.0);
        [by_time, by_event, by_count(&self.buckets, 50.0)]
    }

    fn sampled_since(&self, then_ns: i64) -> i64 {
        let later = self.sampled.iter().filter(|sample| sample.0 > then_ns);
        later.map(|sample| (sample.1 * 1e9) as i64).sum()
    }

    fn return_over(&self, ticks: usize) -> f64 {
        let (Some((quote, _)), count) = (self.quote, self.samples.len()) else {
            return 0.0;
        };
        if count <= ticks {
            return 0.0;
        }
        price(&quote).ln() - self.samples[count - 1 - ticks].1
    }

    /// Order flow, trade sign, trade rate of one half-life.
    fn flows(&self, now_ns: i64, half_life_s: f64) -> [f64; 3] {
        let weighted = |weigh: &dyn Fn(f64) -> f64| -> f64 {
            let one = |(then_ns, signed): &(i64, f64)| {
                fade(now_ns, *then_ns, half_life_s) * weigh(*signed)
            };
            self.trades.iter().map(one).sum()
        };
        let (mut order_flow, mut depth, mut weight) = (0.0, 0.0, 0.0);
        for (then_ns, before, quote) in &self.tops {
            if let Some(before) = before {
                order_flow += fade(now_ns, *then_ns, half_life_s) * flow(before, quote);
            }
            let faded = fade(now_ns, *then_ns, 10.0);
            depth += faded * (quote.bid.quantity + quote.ask.quantity) as f64 / 2.0;
            weight += faded;
        }
        let sign = weighted(&|signed| signed) / (weighted(&f64::abs) + 1.0);
        let rate = weighted(&|_| 1.0) * 2f64.ln() / half_life_s;
        [ratio(order_flow, ratio(depth, weight)), sign, rate]
    }

    fn vector(&self, now_ns: i64) -> [f64; FEATURE_COUNT] {
        let mut out = [0.0; FEATURE_COUNT];
        let mut set = |feature: Feature, value: f64| out[feature as usize] = value;
        if let Some((quote, depth)) = self.quote {
            let mid = (quote.bid.price + quote.ask.price) as f64 / 200.0;
            set(Feature::MicropriceOffset, (price(&quote) / mid - 1.0) * 1e6);
            set(
                Feature::Spread,
                (quote.ask.price - quote.bid.price) as f64 / 100.0 / mid * 1e6,
            );
            let share = |bid: i64, ask: i64| ratio((bid - ask) as f64, (bid + ask) as f64);
            set(
                Feature::ImbalanceTop,
                share(quote.bid.quantity, quote.ask.quantity),
            );
            set(Feature::ImbalanceFive, share(depth.bid, depth.ask));
        }
        set(
            Feature::Return100ms,
            self.return_over(RETURN_TICKS[0]) * 1e6,
        );
        set(Feature::Return1s, self.return_over(RETURN_TICKS[1]) * 1e6);
        set(Feature::Return10s, self.return_over(RETURN_TICKS[2]) * 1e6);
        let [order_flow, sign, rate] = self.flows(now_ns, 1.0);
        set(Feature::OrderFlow1s, order_flow);
        set(Feature::TradeSign1s, sign);
        set(Feature::TradeRate1s, rate);
        let [order_flow, sign, rate] = self.flows(now_ns, 10.0);
        set(Feature::OrderFlow10s, order_flow);
        set(Feature::TradeSign10s, sign);
        set(Feature::TradeRate10s, rate);
        let quotes = self.tops.iter().map(|top| fade(now_ns, top.0, 1.0));
        set(Feature::QuoteRate1s, quotes.sum::<f64>() * 2f64.ln());
        let [by_time, by_event, by_volume] = self.volatilities();
        set(Feature::VolatilityTime, by_time * 1e6);
        set(Feature::VolatilityEvent, by_event * 1e6);
        set(Feature::VolatilityVolume, by_volume * 1e6);
        out
    }
}

fn by_count(returns: &[(f64, f64)], half_life: f64) -> f64 {
    let (mut squares, mut passed) = (0.0, 0.0);
    for (index, (steps, change)) in returns.iter().enumerate() {
        let weight = ((index as f64 + 1.0 - returns.len() as f64) / half_life).exp2();
        squares += weight * change * change;
        passed += weight * steps;
    }
    ratio(squares, passed).sqrt()
}

/// What the twin does not compute: the clock's features and what comes from outside; known answers stand elsewhere.
const ELSEWHERE: [Feature; 9] = [
    Feature::Carry,
    Feature::Funding,
    Feature::SessionSine,
    Feature::SessionCosine,
    Feature::Weekend,
    Feature::LeaderMove,
    Feature::PairZ,
    Feature::RegimeBusy,
    Feature::MarketReturn1s,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_feature_is_the_sum_over_the_whole_past(
        steps in steps(),
        later_ns in prop_oneof![Just(0i64), 0i64..5_000_000_000],
    ) {
        let mut features = InstrumentFeatures::new(PRICE_EXPONENT);
        let mut history = History::default();
        let mut now_ns = START_NS;
        for (place, (elapsed_ns, step)) in steps.iter().enumerate() {
            now_ns += elapsed_ns;
            apply(&mut features, now_ns, step);
            history.apply(now_ns, step);
            let is_last = place + 1 == steps.len();
            if !is_last && place % 16 != 0 {
                continue;
            }
            let read_ns = now_ns + later_ns;
            let (found, expected) = (vector(&features, read_ns), history.vector(read_ns));
            for (index, row) in FEATURES.iter().enumerate() {
                if ELSEWHERE.iter().any(|feature| *feature as usize == index) {
                    continue;
                }
                let (found, expected) = (f64::from(found[index]), expected[index]);
                let tolerance = 1e-6 * expected.abs() + 1e-6;
                prop_assert!(
                    (found - expected).abs() <= tolerance,
                    "{}: {found}, expected {expected}, step {place}", row.name
                );
            }
        }
    }
}
