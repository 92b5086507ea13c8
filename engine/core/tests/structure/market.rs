//! What the structure as a whole says of prices that stay together, and of a market that changes.

use acth_core::structure::Structure;

use crate::{
    random::Random,
    world::{NS_PER_MS, structure},
};

const STEP_MS: i64 = 50;

/// Six walks, of which the fifth is 0.8 of the second and a constant and a spread that halves every 3.5 s.
struct Bound {
    random: Random,
    prices: [f64; 6],
    spread: f64,
    now_ms: i64,
}

impl Bound {
    const fn new(random: Random) -> Self {
        Self {
            random,
            prices: [4.0; 6],
            spread: 0.0,
            now_ms: 0,
        }
    }

    fn run(&mut self, structure: &mut Structure, until_ms: i64, scale: f64) {
        while self.now_ms < until_ms {
            self.now_ms += STEP_MS;
            let now_ns = self.now_ms * NS_PER_MS;
            for index in 0..6 {
                self.prices[index] += 5e-5 * scale * self.random.normal();
                if index == 4 {
                    self.spread = 0.99 * self.spread + 1e-5 * scale * self.random.normal();
                    self.prices[4] = 0.6 + 0.8 * self.prices[1] + self.spread;
                }
                structure.on_price(index, now_ns, self.prices[index]);
            }
            if self.now_ms % 100 == 0 {
                structure.on_timer(now_ns);
            }
        }
    }
}

#[test]
fn prices_that_stay_together_are_found_and_followed() {
    for seed in 0..3 {
        let mut structure = structure(6);
        let mut market = Bound::new(Random::new(seed));
        // Once with a window that is not full yet, once with one that has turned.
        market.run(
            &mut structure,
            if seed == 0 { 420_000 } else { 700_000 },
            1.0,
        );
        let pairs = structure.pairs();
        assert_eq!(pairs.len(), 1, "{pairs:?}");
        let pair = pairs[0];
        assert_eq!((pair.first, pair.second), (1, 4));
        assert!((pair.slope - 1.0 / 0.8).abs() < 0.06, "{pair:?}");
        let rest = market.prices[1] - pair.intercept - pair.slope * market.prices[4];
        assert!(rest.abs() < 4e-4, "{rest}: {pair:?}");
        assert!(pair.statistic < -5.0 && pair.p_value < 1e-4, "{pair:?}");
        // Now the first rises alone by ten of the spread's deviations: the pair must say so at the next row.
        let up = market.prices[1] + 10.0 * 7e-5 / 0.8;
        structure.on_price(1, (market.now_ms + 10) * NS_PER_MS, up);
        structure.on_timer((market.now_ms + 1_000) * NS_PER_MS);
        let z = structure.pairs()[0].z;
        assert!(z > 5.0, "{z}");
    }
}

#[test]
fn a_broken_pair_is_dropped() {
    let mut structure = structure(6);
    let mut market = Bound::new(Random::new(9));
    market.run(&mut structure, 700_000, 1.0);
    assert_eq!(structure.pairs().len(), 1);
    let start_ns = market.now_ms * NS_PER_MS;
    let mut prices = market.prices;
    for step in 0..14_000 {
        let now_ns = start_ns + step * STEP_MS * NS_PER_MS;
        for (index, price) in prices.iter_mut().enumerate() {
            *price += 5e-5 * market.random.normal();
            structure.on_price(index, now_ns, *price);
        }
        if step % 2 == 0 {
            structure.on_timer(now_ns);
        }
    }
    assert_eq!(structure.pairs(), []);
}

#[test]
fn a_market_that_wakes_up_changes_its_regime_and_rings_once() {
    for seed in 0..5 {
        let mut structure = structure(6);
        let mut market = Bound::new(Random::new(seed));
        market.run(&mut structure, 400_000, 1.0);
        let calm_changes = structure.change_count();
        assert!(
            calm_changes <= 2,
            "seed {seed}: {calm_changes} false alarms"
        );
        let mut is_ringing = false;
        for second in 0..15 {
            market.run(&mut structure, 400_000 + second * 1_000, 4.0);
            is_ringing |= structure.change_alarm();
        }
        assert!(is_ringing, "seed {seed}");
        assert_eq!(structure.change_count(), calm_changes + 1, "seed {seed}");
        let regime = structure.regime();
        assert_eq!(regime.state, 1, "seed {seed}: {regime:?}");
        assert!(regime.probabilities[1] > 0.95, "seed {seed}: {regime:?}");
        market.run(&mut structure, 460_000, 4.0);
        market.run(&mut structure, 500_000, 0.25);
        assert_eq!(structure.regime().state, 0, "seed {seed}");
        assert!(!structure.change_alarm(), "seed {seed}");
    }
}

#[test]
fn a_market_that_runs_away_is_a_drift() {
    let mut structure = structure(6);
    let mut market = Bound::new(Random::new(21));
    market.run(&mut structure, 300_000, 1.0);
    let before = structure.drift_count();
    assert!(before <= 1, "{before} false alarms");
    for _ in 0..20 {
        for price in &mut market.prices {
            *price += 4e-4;
        }
        let until_ms = market.now_ms + 1_000;
        market.run(&mut structure, until_ms, 1.0);
    }
    assert!(structure.drift_count() > before);
}

/// Two that move alone while they are quoted, and jump together whenever they were silent for long: what they moved
/// meanwhile happened at no known time, so it relates them to nobody.
#[test]
fn what_happens_in_a_silence_is_no_return() {
    let mut structure = structure(2);
    let mut random = Random::new(22);
    let mut prices = [4.0; 2];
    let mut now_ms = 0;
    for _ in 0..120 {
        let jump = 1e-2 * random.normal();
        prices[0] += jump;
        prices[1] += jump;
        for step in 0..60 {
            now_ms += STEP_MS;
            for (index, price) in prices.iter_mut().enumerate() {
                *price += 1e-4 * random.normal();
                structure.on_price(index, now_ms * NS_PER_MS, *price);
            }
            if step % 2 == 0 {
                structure.on_timer(now_ms * NS_PER_MS);
            }
        }
        now_ms += 12_000;
    }
    assert!(structure.lags().effective_rows() > 1_000.0);
    let came: Vec<_> = structure.take_changes().collect();
    assert!(came.is_empty(), "{came:?}");
}
