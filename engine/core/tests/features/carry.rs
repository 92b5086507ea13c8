//! What compares instruments: carry and the market's return.

use acth_core::{
    config::CoreConfig,
    core::{Core, Input},
    decision::Decisions,
    event::{BookState, BookStateChanged, BookStateReason, Event, EventKind, Level, Side, flags},
    features::{FEATURE_COUNT, FEATURES, Feature, Features, index_of},
    instrument::{AssetClass, Contract, Instrument, InstrumentId, Instruments},
    money::Money,
    prelude::*,
    risk::Limits,
    snapshot::{Decoder, Encoder},
};

use super::stream::{START_NS, TICK_NS};

fn instrument(symbol: &str, base: &str, contract: Contract, price_exponent: u8) -> Instrument {
    Instrument {
        venue: "venue".into(),
        symbol: symbol.into(),
        base: base.into(),
        quote: "USDT".into(),
        asset_class: AssetClass::Crypto,
        contract,
        price_exponent,
        quantity_exponent: 3,
        tick: 1,
        lot: 1,
        quantity_min: 1,
        maker_fee_ppm: 0,
        taker_fee_ppm: 0,
    }
}

fn instruments() -> Instruments {
    let rows = vec![
        instrument("BTC-SPOT", "BTC", Contract::Spot, 2),
        instrument("ETH-SPOT", "ETH", Contract::Spot, 2),
        instrument("BTC-FUTURE", "BTC", Contract::Future, 1),
        instrument("BTC-PERP", "BTC", Contract::Perpetual, 1),
    ];
    Instruments::new(rows).expect("a table")
}

fn get(features: &Features, index: usize, feature: Feature) -> f64 {
    let mut out = [f32::NAN; FEATURE_COUNT];
    features.vector(index, START_NS, &mut out);
    f64::from(out[feature as usize])
}

/// A strategy that keeps features of all that it sees.
struct Probe {
    features: Features,
}

impl Strategy for Probe {
    type Config = NoConfig;
    const NAME: &'static str = "probe";

    fn new(_: &NoConfig, instruments: &Instruments) -> Result<Self, StrategyError> {
        let features = Features::new(instruments);
        Ok(Self { features })
    }

    fn on_book(&mut self, ctx: &mut Context<'_>, id: InstrumentId) {
        let now_ns = ctx.now_ns();
        self.features.on_quote(id.index(), now_ns, ctx.market(id));
    }

    fn on_timer(&mut self, ctx: &mut Context<'_>) {
        self.features.on_timer(ctx.now_ns());
    }
}

struct Hub {
    core: Core<Probe>,
    decisions: Decisions,
    sequence: u64,
    now_ns: i64,
}

impl Hub {
    fn new() -> Self {
        let config = CoreConfig {
            hub_id: 1,
            cash: Money::from_units(1_000),
            instruments: instruments(),
            limits: Limits::default(),
            correlation_half_life_samples: 100.0,
            account: acth_core::config::AccountConfig::default(),
        };
        let probe = Probe::new(&NoConfig {}, &instruments()).expect("a probe");
        Self {
            core: Core::new(&config, probe).expect("a core"),
            decisions: Decisions::new(),
            sequence: 0,
            now_ns: START_NS,
        }
    }

    fn apply(&mut self, event: Event) {
        self.sequence += 1;
        let input = Input {
            sequence: self.sequence,
            ts_core_ns: self.now_ns,
            event: &event.at(self.now_ns, self.now_ns),
        };
        self.core.apply(input, &mut self.decisions);
    }

    /// Makes the book live, if it is not, and sets six levels of 1 to 6 units below `bid` and 10 to 60 from `ask` up.
    fn book(&mut self, index: u16, bid: i64, ask: i64) {
        let id = InstrumentId(index);
        for level in 0..6 {
            let flags = match level {
                0 => flags::CLEAR,
                5 => flags::LAST,
                _ => 0,
            };
            let side = |price, quantity| Level { price, quantity };
            let levels = [
                (Side::Bid, side(bid - level, level + 1)),
                (Side::Ask, side(ask + level, 10 * (level + 1))),
            ];
            self.sequence += 1;
            let event = Event::book_delta(id, self.sequence, &levels);
            self.apply(event.with_flags(flags));
            if level == 4 {
                self.apply(
                    Event::new(EventKind::BookStateChanged, id)
                        .with_detail(BookState::Live as u8)
                        .with_body(&BookStateChanged {
                            reason: BookStateReason::Synced as u64,
                            expected_id: 0,
                            received_id: 0,
                            reserved: [0; 2],
                        }),
                );
            }
        }
    }

    fn timer(&mut self) {
        self.now_ns += TICK_NS;
        self.apply(Event::new(EventKind::TimerFired, InstrumentId(0)));
    }

    fn features(&self) -> &Features {
        &self.core.strategy().features
    }

    fn get(&self, index: usize, feature: Feature) -> f64 {
        get(self.features(), index, feature)
    }
}

#[test]
fn carry_is_the_log_distance_from_spot_whatever_the_exponents() {
    let mut hub = Hub::new();
    // Spot at 10 / 11 of the way to the ask: sizes 1 and 10. The perpetual is dearer by one part in a thousand.
    hub.book(0, 9_999_900, 10_000_000);
    assert_eq!(hub.get(0, Feature::Carry), 0.0);
    hub.book(3, 1_000_989, 1_001_000);
    let spot = (9_999_900.0 * 10.0 + 10_000_000.0) / 11.0 / 100.0;
    let perpetual = (1_000_989.0 * 10.0 + 1_001_000.0) / 11.0 / 10.0;
    let expected = f64::ln(perpetual / spot) * 1e6;
    for index in [0, 3] {
        let found = hub.get(index, Feature::Carry);
        assert!(
            (found - expected).abs() < 1e-3,
            "{found}, expected {expected}"
        );
    }
    assert_eq!(hub.get(1, Feature::Carry), 0.0, "no partner");
    assert_eq!(hub.get(2, Feature::Carry), 0.0, "the future has no quote");
    // Five levels: 1 + .. + 5 against ten times as much.
    let five = hub.get(0, Feature::ImbalanceFive);
    assert!((five + 9.0 / 11.0).abs() < 1e-6, "{five}");
}

#[test]
fn the_market_return_is_the_mean_in_deviations_times_the_own_deviation() {
    let mut hub = Hub::new();
    // BTC goes up and down by a unit of its price, then up; ETH twice as wildly.
    for tick in 0..60 {
        let step = if tick < 50 { tick % 2 } else { tick - 48 };
        hub.book(0, 1_000_000 + 100 * step, 1_000_010 + 100 * step);
        hub.book(1, 100_000 + 20 * step, 100_001 + 20 * step);
        hub.timer();
    }
    let features = hub.features();
    let score = |index: usize| {
        let row = features.row(index);
        row.return_over(10) / row.volatility_per_root_second()
    };
    let mean = (score(0) + score(1)) / 2.0;
    assert!(mean > 0.1, "{mean}");
    for index in [0, 1] {
        let own = features.row(index).volatility_per_root_second();
        let found = hub.get(index, Feature::MarketReturn1s);
        assert!(
            (found - mean * own * 1e6).abs() < 1e-3 * found.abs(),
            "{found}"
        );
    }
    assert_eq!(hub.get(2, Feature::MarketReturn1s), 0.0);
}

#[test]
fn outside_values_are_stored_or_refused() {
    let mut features = Features::new(&instruments());
    features.set_funding(0, 100.0);
    features.set_leader_move(0, -3.0);
    features.set_pair_z(0, 2.5);
    features.set_regime_busy(0, 0.75);
    let read = |features: &Features| {
        [
            Feature::Funding,
            Feature::LeaderMove,
            Feature::PairZ,
            Feature::RegimeBusy,
        ]
        .map(|feature| get(features, 0, feature))
    };
    assert_eq!(read(&features), [100.0, -3.0, 2.5, 0.75]);
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        features.set_funding(0, bad);
        features.set_leader_move(0, bad);
        features.set_pair_z(0, bad);
        features.set_regime_busy(0, bad);
    }
    assert_eq!(read(&features), [100.0, -3.0, 2.5, 0.75]);
    assert_eq!(features.refused_count(), 12);
    assert_eq!(get(&features, 1, Feature::Funding), 0.0);
}

/// The whole table saved and read: the market's score and what was refused come back too.
#[test]
fn all_instruments_are_saved_and_read() {
    let mut hub = Hub::new();
    for tick in 0..20 {
        hub.book(0, 1_000_000 + 100 * (tick % 2), 1_000_110 + 100 * tick);
        hub.book(3, 100_000 + 7 * (tick % 3), 100_021);
        hub.timer();
    }
    let mut features = hub.features().clone();
    features.set_pair_z(3, 1.5);
    features.set_funding(3, f64::NAN);
    let bytes = |features: &Features| {
        let mut out = Encoder::default();
        features.write(&mut out);
        out.into_bytes()
    };
    let written = bytes(&features);
    let mut again = Features::new(&instruments());
    again
        .load(&mut Decoder::over(&written))
        .expect("its own bytes");
    assert_eq!(bytes(&again), written);
    assert_eq!(again.refused_count(), 1);
    for index in 0..features.count() {
        for row in &FEATURES {
            let feature = |features: &Features| {
                let mut out = [f32::NAN; FEATURE_COUNT];
                features.vector(index, hub.now_ns + 1, &mut out);
                out[index_of(row.name).expect("a name of the table")]
            };
            assert_eq!(
                feature(&again),
                feature(&features),
                "{} of {index}",
                row.name
            );
        }
    }
    assert!(get(&again, 0, Feature::MarketReturn1s).abs() > 1e-3);
    let fewer = Instruments::new(instruments().rows()[..3].to_vec()).expect("a table");
    assert!(
        Features::new(&fewer)
            .load(&mut Decoder::over(&written))
            .is_err()
    );
}
