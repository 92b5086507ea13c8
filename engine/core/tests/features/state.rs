//! A state that is saved and read goes on as if nothing had happened; and no stream whatever leaves a number that is none.

use acth_core::{
    event::{Level, Side},
    features::{Depth, FEATURE_MAX, InstrumentFeatures},
    hash::StateHasher,
    market::Quote,
    snapshot::{Decoder, Encoder},
};
use proptest::{collection::vec, prelude::*};

use super::stream::{PRICE_EXPONENT, START_NS, Step, apply, steps, vector};

fn bytes(features: &InstrumentFeatures) -> Vec<u8> {
    let mut out = Encoder::default();
    features.write(&mut out);
    out.into_bytes()
}

fn hash(features: &InstrumentFeatures) -> u64 {
    let mut out = StateHasher::new();
    features.write(&mut out);
    out.finish()
}

/// Any numbers at all, the extremes among them.
fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just(i64::MAX),
        Just(i64::MIN),
        Just(0),
        Just(1),
        -3i64..3,
        any::<i64>()
    ]
}

fn hostile() -> impl Strategy<Value = (i64, Step)> {
    let level = || (number(), number()).prop_map(|(price, quantity)| Level { price, quantity });
    let quote = (level(), level(), number(), number()).prop_map(|(bid, ask, first, second)| {
        let depth = Depth {
            bid: first,
            ask: second,
        };
        Step::Quote(Quote { bid, ask }, depth)
    });
    let positive =
        (1i64..=i64::MAX / 2, 0i64..=i64::MAX, 0i64..=i64::MAX).prop_map(|(bid, first, second)| {
            let bid = Level {
                price: bid,
                quantity: first,
            };
            let ask = Level {
                price: i64::MAX,
                quantity: second,
            };
            let depth = Depth {
                bid: i64::MAX,
                ask: second,
            };
            Step::Quote(Quote { bid, ask }, depth)
        });
    let trade = (any::<bool>(), number(), number()).prop_map(|(is_bid, price, quantity)| {
        Step::Trade(if is_bid { Side::Bid } else { Side::Ask }, price, quantity)
    });
    let step = prop_oneof![quote, positive, trade, Just(Step::Timer), Just(Step::Lost)];
    (number(), step)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn saved_and_read_it_goes_on_alike(before in steps(), after in steps()) {
        let mut features = InstrumentFeatures::new(PRICE_EXPONENT);
        let mut now_ns = START_NS;
        for (elapsed_ns, step) in &before {
            now_ns += elapsed_ns;
            apply(&mut features, now_ns, step);
        }
        let written = bytes(&features);
        let mut again = InstrumentFeatures::new(PRICE_EXPONENT);
        again.load(&mut Decoder::over(&written)).expect("its own bytes");
        prop_assert_eq!(&bytes(&again), &written);
        for (elapsed_ns, step) in &after {
            now_ns += elapsed_ns;
            apply(&mut features, now_ns, step);
            apply(&mut again, now_ns, step);
            prop_assert_eq!(vector(&again, now_ns), vector(&features, now_ns));
        }
        prop_assert_eq!(hash(&again), hash(&features));
        for cut in [0, written.len() / 2, written.len() - 1] {
            prop_assert!(again.load(&mut Decoder::over(&written[..cut])).is_err());
        }
    }

    #[test]
    fn no_stream_leaves_a_number_that_is_none(steps in vec(hostile(), 1..120)) {
        let mut features = InstrumentFeatures::new(PRICE_EXPONENT);
        for (now_ns, step) in &steps {
            // The core's time is never negative; it may stand still or be anything else.
            let now_ns = now_ns.checked_abs().unwrap_or(i64::MAX);
            apply(&mut features, now_ns, step);
            for value in vector(&features, now_ns) {
                prop_assert!(value.is_finite() && f64::from(value.abs()) <= FEATURE_MAX);
            }
            prop_assert!(features.log_price().is_finite() && features.microprice_f64().is_finite());
            prop_assert!(features.volume_per_second().is_finite());
            prop_assert!(features.volatility_per_root_second().is_finite());
        }
        // Whatever is kept can be read again, and reading refuses what is not finite.
        let mut again = InstrumentFeatures::new(PRICE_EXPONENT);
        prop_assert!(again.load(&mut Decoder::over(&bytes(&features))).is_ok());
    }

    /// Whatever eight bytes of a state are overwritten with: it is refused, or what follows is finite.
    #[test]
    fn a_damaged_state_is_refused_or_gives_numbers(
        before in steps(),
        after in steps(),
        place in 0usize..10_000,
        value in prop_oneof![
            any::<f64>(), Just(f64::NAN), Just(f64::INFINITY), Just(1e100), Just(-1e100),
            Just(5e-324), Just(f64::MAX),
        ],
    ) {
        let mut features = InstrumentFeatures::new(PRICE_EXPONENT);
        let mut now_ns = START_NS;
        for (elapsed_ns, step) in &before {
            now_ns += elapsed_ns;
            apply(&mut features, now_ns, step);
        }
        let mut written = bytes(&features);
        let place = place % (written.len() - 7);
        written[place..place + 8].copy_from_slice(&value.to_le_bytes());
        let mut again = InstrumentFeatures::new(PRICE_EXPONENT);
        if again.load(&mut Decoder::over(&written)).is_err() {
            return Ok(());
        }
        for (elapsed_ns, step) in &after {
            for value in vector(&again, now_ns) {
                prop_assert!(value.is_finite(), "{place} {:?}", vector(&again, now_ns));
            }
            now_ns += elapsed_ns;
            apply(&mut again, now_ns, step);
        }
    }

    #[test]
    fn no_bytes_make_reading_panic(written in vec(any::<u8>(), 0..1_200)) {
        let mut features = InstrumentFeatures::new(PRICE_EXPONENT);
        let _ = features.load(&mut Decoder::over(&written));
        let _ = vector(&features, START_NS);
    }
}

#[test]
fn what_is_refused_is_counted() {
    let level = |price, quantity| Level { price, quantity };
    let mut features = InstrumentFeatures::new(PRICE_EXPONENT);
    let good = Quote {
        bid: level(10, 1),
        ask: level(11, 1),
    };
    features.on_quote(START_NS, &good, Depth::default());
    assert!(features.is_live() && features.refused_count() == 0);
    for bad in [
        Quote {
            bid: level(0, 1),
            ask: level(11, 1),
        },
        Quote {
            bid: level(11, 1),
            ask: level(11, 1),
        },
        Quote {
            bid: level(10, -1),
            ask: level(11, 1),
        },
        Quote {
            bid: level(10, 1),
            ask: level(11, -1),
        },
    ] {
        features.on_quote(START_NS, &bad, Depth::default());
        assert!(!features.is_live());
    }
    features.on_trade(START_NS, Side::Bid, 0, 1);
    features.on_trade(START_NS, Side::Bid, 1, 0);
    assert_eq!(features.refused_count(), 6);
}
