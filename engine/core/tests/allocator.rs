//! The allocator: the regret's bound against every adversary, tracking, and shares within floor and cap.

#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a broken assumption of a test fails the test; the figures are worth seeing"
)]

use acth_core::{
    allocator::{Allocator, AllocatorConfig, AllocatorError, Hedge, HedgeError},
    snapshot::{Decoder, Encoder},
};
use proptest::{collection::vec, prelude::*};

/// Small generator (xorshift*), enough for coins.
struct Coins(u64);

impl Coins {
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1u64 << 53) as f64
    }
}

const EXPERTS: usize = 8;
const UPDATES: u64 = 10_000;

fn hedge_for(updates: u64) -> Hedge {
    Hedge::new(EXPERTS, Hedge::eta_for(EXPERTS, updates), 0.0).expect("parameters")
}

/// Plays all rounds; the bound is asserted after every one.
fn play(mut next: impl FnMut(u64, &Hedge) -> [f64; EXPERTS]) -> Hedge {
    let mut hedge = hedge_for(UPDATES);
    for round in 0..UPDATES {
        let losses = next(round, &hedge);
        assert!(hedge.update(&losses));
        assert!(
            hedge.is_within_bound(),
            "round {round}: {} > {}",
            hedge.regret(),
            hedge.bound()
        );
    }
    assert!((hedge.bound() - 101.966).abs() < 1e-3, "{}", hedge.bound());
    hedge
}

fn coins(probabilities: [f64; EXPERTS], seed: u64) -> f64 {
    let mut coins = Coins(seed);
    play(|_, _| probabilities.map(|probability| f64::from(u8::from(coins.uniform() < probability))))
        .regret()
}

fn mean_over_seeds(probabilities: [f64; EXPERTS]) -> f64 {
    let seeds = 1..=20u64;
    let regrets = seeds.map(|seed| coins(probabilities, seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    regrets.sum::<f64>() / 20.0
}

#[test]
fn four_adversaries_stay_within_the_bound() {
    let fair = mean_over_seeds([0.5; EXPERTS]);
    let mut gap = [0.5; EXPERTS];
    gap[3] = 0.45;
    let gap = mean_over_seeds(gap);
    let one = |index: usize| {
        let mut losses = [0.0; EXPERTS];
        losses[index] = 1.0;
        losses
    };
    let rotating = play(|round, _| one(round as usize % EXPERTS)).regret();
    let adaptive = play(|_, hedge| {
        let weights = hedge.weights();
        let heaviest = (0..EXPERTS).fold(0, |best, index| {
            if weights[index] > weights[best] {
                index
            } else {
                best
            }
        });
        one(heaviest)
    })
    .regret();
    println!(
        "bound 101.97: fair coins {fair:.1}, gap .05 {gap:.1}, rotating {rotating:.1}, adaptive {adaptive:.1}"
    );
    assert!((50.0..95.0).contains(&fair), "{fair}");
    assert!((45.0..75.0).contains(&gap), "{gap}");
    assert!((22.0..23.0).contains(&rotating), "{rotating}");
    assert!((22.0..23.0).contains(&adaptive), "{adaptive}");
}

/// The recursion in three lines, without floors or clamps.
fn naive(losses: &[Vec<f64>], eta: f64, switch_share: f64) -> (Vec<f64>, f64) {
    let count = losses[0].len();
    let mut weights = vec![1.0 / count as f64; count];
    let mut mixture_loss = 0.0;
    for row in losses {
        mixture_loss += weights
            .iter()
            .zip(row)
            .map(|(weight, loss)| weight * loss)
            .sum::<f64>();
        for (weight, loss) in weights.iter_mut().zip(row) {
            *weight *= (-eta * loss).exp();
        }
        let sum: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight = (1.0 - switch_share) * *weight / sum + switch_share / count as f64;
        }
    }
    (weights, mixture_loss)
}

fn loss_rows() -> impl Strategy<Value = Vec<Vec<f64>>> {
    let loss = prop_oneof![Just(0.0), Just(1.0), 0.0..=1.0f64];
    (1usize..=16).prop_flat_map(move |count| vec(vec(loss.clone(), count), 1..200))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_bound_holds_for_any_losses(
        rows in loss_rows(),
        eta in prop_oneof![0.001..0.1f64, 0.1..3.0f64],
        switch_share in prop_oneof![Just(0.0), 0.0..0.3f64],
    ) {
        let count = rows[0].len();
        let mut hedge = Hedge::new(count, eta, switch_share).expect("parameters");
        for row in &rows {
            prop_assert!(hedge.update(row));
            prop_assert!(hedge.is_within_bound(), "{} > {}", hedge.regret(), hedge.bound());
        }
        let (weights, mixture_loss) = naive(&rows, eta, switch_share);
        for (found, expected) in hedge.weights().iter().zip(&weights) {
            prop_assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
        let total = |expert: usize| rows.iter().map(|row| row[expert]).sum::<f64>();
        let best = (0..count).map(total).fold(f64::INFINITY, f64::min);
        prop_assert!((hedge.mixture_loss() - mixture_loss).abs() < 1e-9);
        prop_assert!((hedge.regret() - (mixture_loss - best)).abs() < 1e-9);
    }

    /// Piecewise-stationary losses with k switches: the regret against the best expert of every piece is within
    /// ((k + 1) ln N + k ln(1 / alpha) + (T - k - 1) ln(1 / (1 - alpha))) / eta + eta T / 8 (theorem 5.2).
    #[test]
    fn fixed_share_tracks_the_best_of_every_piece(
        pieces in vec((0usize..EXPERTS, 50usize..400), 1..8),
        seed in 1u64..u64::MAX,
    ) {
        let updates: usize = pieces.iter().map(|piece| piece.1).sum();
        let switches = pieces.len() as f64 - 1.0;
        let alpha = (switches / updates as f64).max(1e-4);
        let information = (switches + 1.0) * (EXPERTS as f64).ln() - switches * alpha.ln()
            - (updates as f64 - switches - 1.0) * (1.0 - alpha).ln();
        let eta = (8.0 * information / updates as f64).sqrt();
        let mut hedge = Hedge::new(EXPERTS, eta, alpha).expect("parameters");
        let mut coins = Coins(seed);
        let mut tracked_loss = 0.0;
        for (best, length) in &pieces {
            let mut totals = [0.0; EXPERTS];
            for _ in 0..*length {
                let losses: [f64; EXPERTS] = std::array::from_fn(|index| {
                    let mean = if index == *best { 0.2 } else { 0.6 };
                    f64::from(u8::from(coins.uniform() < mean))
                });
                hedge.update(&losses);
                totals.iter_mut().zip(&losses).for_each(|(total, loss)| *total += loss);
            }
            tracked_loss += totals.iter().copied().fold(f64::INFINITY, f64::min);
        }
        let regret = hedge.mixture_loss() - tracked_loss;
        let bound = information / eta + eta * updates as f64 / 8.0;
        prop_assert!(regret <= bound, "{regret} > {bound}, {switches} switches");
    }

    #[test]
    fn shares_keep_floor_cap_and_sum(
        agent_count in 1usize..=15,
        floor in 0.0..=1.0f64,
        cap in 0.0..=1.0f64,
        eta in 0.001..2.0f64,
        rows in vec(vec(prop_oneof![Just(0.0), -1e-4..1e-4f64, -1e6..1e6f64], 15), 1..60),
    ) {
        let share_min = floor / agent_count as f64;
        let share_max = share_min + cap * (1.0 - share_min);
        prop_assume!(share_max > 0.0);
        let config = AllocatorConfig { eta, share_min, share_max, ..AllocatorConfig::default() };
        let mut allocator = Allocator::new(&config, agent_count).expect("parameters");
        for row in &rows {
            prop_assert!(allocator.on_period(&row[..agent_count]));
            let shares = allocator.shares();
            for share in shares {
                prop_assert!(*share >= share_min - 1e-12 && *share <= share_max + 1e-12, "{shares:?}");
            }
            let sum: f64 = shares.iter().sum();
            prop_assert!(sum <= 1.0 + 1e-12 && (sum + allocator.cash_share() - 1.0).abs() < 1e-12);
            prop_assert_eq!(allocator.violations(), 0);
            prop_assert!(allocator.regret() <= allocator.bound() + 1e-6);
            // Who has more weight never has less capital.
            let weights = &allocator.hedge().weights()[1..];
            for first in 0..agent_count {
                for second in 0..agent_count {
                    if weights[first] > weights[second] {
                        prop_assert!(shares[first] >= shares[second] - 1e-12);
                    }
                }
            }
        }
    }

    #[test]
    fn saved_and_read_it_goes_on_alike(
        before in vec(vec(-1e-3..1e-3f64, 3), 0..50),
        after in vec(vec(-1e-2..1e-2f64, 3), 0..50),
    ) {
        let config = AllocatorConfig::default();
        let mut allocator = Allocator::new(&config, 3).expect("parameters");
        before.iter().for_each(|row| assert!(allocator.on_period(row)));
        let written = written(&allocator);
        let mut again = Allocator::new(&config, 3).expect("parameters");
        again.load(&mut Decoder::over(&written)).expect("its own bytes");
        prop_assert_eq!(&again, &allocator);
        for row in &after {
            prop_assert!(allocator.on_period(row) && again.on_period(row));
        }
        prop_assert_eq!(&again, &allocator);
        let mut other = Allocator::new(&config, 2).expect("parameters");
        prop_assert!(other.load(&mut Decoder::over(&written)).is_err());
    }
}

fn written(allocator: &Allocator) -> Vec<u8> {
    let mut out = Encoder::default();
    allocator.write(&mut out);
    out.into_bytes()
}

/// The worst for the weights: one expert is right five million times, then the other. Without its floor the second would be
/// at 0 for ever.
#[test]
fn ten_million_updates_leave_no_weight_at_zero() {
    // Below ln 2 the smallest number times exp(-eta) still rounds to itself.
    let mut hedge = Hedge::new(2, 0.8, 0.0).expect("parameters");
    let play = |hedge: &mut Hedge, losses: [f64; 2]| {
        for _ in 0..5_000_000 {
            hedge.update(&losses);
            assert!(hedge.is_within_bound());
        }
        hedge.weights().iter().sum::<f64>()
    };
    let sum = play(&mut hedge, [0.0, 1.0]);
    assert!((sum - 1.0).abs() < 1e-12);
    assert!(hedge.weights()[1] > 0.0 && hedge.weights()[1] < 1e-200);
    let sum = play(&mut hedge, [1.0, 0.0]);
    assert!((sum - 1.0).abs() < 1e-12);
    assert!(hedge.weights()[1] > 0.999, "{:?}", hedge.weights());
}

#[test]
fn bad_losses_and_earnings_are_refused_and_counted() {
    let mut hedge = Hedge::new(2, 0.5, 0.0).expect("parameters");
    for losses in [&[0.0][..], &[0.0, f64::NAN], &[0.0; 3]] {
        assert!(!hedge.update(losses));
    }
    assert!(hedge.update(&[-1.0, f64::INFINITY]));
    assert_eq!((hedge.refused_count(), hedge.updates()), (5, 1));
    let mut clamped = Hedge::new(2, 0.5, 0.0).expect("parameters");
    clamped.update(&[0.0, 1.0]);
    assert_eq!(hedge.weights(), clamped.weights());

    let mut allocator = Allocator::new(&AllocatorConfig::default(), 2).expect("parameters");
    let before = allocator.shares().to_vec();
    for earnings in [
        &[0.0][..],
        &[0.0, f64::NAN],
        &[f64::INFINITY, 0.0],
        &[0.0, -1e101],
    ] {
        assert!(!allocator.on_period(earnings));
    }
    assert_eq!(allocator.refused_count(), 4);
    assert_eq!(allocator.shares(), before);
}

/// Slow and cautious, with round numbers.
fn slow() -> AllocatorConfig {
    AllocatorConfig {
        eta: 0.05,
        switch_share: 0.001,
        share_min: 0.02,
        share_max: 0.6,
        ..AllocatorConfig::default()
    }
}

/// Two earn, one loses: capital follows, with the floor for the loser and the cap for the best.
#[test]
fn capital_follows_earnings() {
    let config = slow();
    let mut allocator = Allocator::new(&config, 3).expect("parameters");
    // Four equal weights: floor 0.02, then a quarter of the 0.94 left.
    assert!(
        (allocator.share(1) - 0.255).abs() < 1e-12
            && (allocator.cash_share() - 0.235).abs() < 1e-12
    );
    for _ in 0..2_000 {
        allocator.on_period(&[2e-5, 1e-5, -1e-5]);
    }
    assert!((allocator.share(0) - config.share_max).abs() < 1e-12);
    assert!(allocator.share(1) > allocator.share(2));
    assert!(allocator.share(2) >= config.share_min && allocator.share(2) < 0.03);
    assert_eq!(allocator.share(3).to_bits(), 0);
    assert!((allocator.scale() - 2e-5).abs() < 1e-18);
    // Everybody loses: cash takes what the floors leave.
    for _ in 0..2_000 {
        allocator.on_period(&[-2e-5, -1e-5, -1e-5]);
    }
    assert!(allocator.cash_share() > 0.85, "{}", allocator.cash_share());
    assert_eq!(allocator.violations(), 0);
}

/// One wild period is clipped: the scale doubles at most, and falls back by its half-life.
#[test]
fn the_scale_changes_slowly() {
    let config = AllocatorConfig {
        scale_half_life_periods: 10.0,
        ..AllocatorConfig::default()
    };
    let mut allocator = Allocator::new(&config, 1).expect("parameters");
    allocator.on_period(&[1e-4]);
    allocator.on_period(&[1.0]);
    assert!((allocator.scale() / 2e-4 - 1.0).abs() < 1e-12);
    (0..10).for_each(|_| assert!(allocator.on_period(&[0.0])));
    assert!((allocator.scale() / 1e-4 - 1.0).abs() < 1e-12);
    (0..1_000).for_each(|_| assert!(allocator.on_period(&[0.0])));
    assert!((allocator.scale() / 1e-7 - 1.0).abs() < 1e-12, "its floor");
}

#[test]
fn parameters_that_cannot_be_meant_are_named() {
    assert_eq!(Hedge::new(0, 0.1, 0.0), Err(HedgeError::ExpertCount(0)));
    assert_eq!(Hedge::new(17, 0.1, 0.0), Err(HedgeError::ExpertCount(17)));
    assert_eq!(Hedge::new(2, 0.0, 0.0), Err(HedgeError::Eta(0.0)));
    assert!(Hedge::new(2, f64::NAN, 0.0).is_err() && Hedge::new(2, 101.0, 0.0).is_err());
    assert_eq!(Hedge::new(2, 0.1, 1.0), Err(HedgeError::SwitchShare(1.0)));
    let refusal = |agent_count: usize, change: fn(&mut AllocatorConfig)| {
        let mut config = slow();
        change(&mut config);
        let error: AllocatorError = Allocator::new(&config, agent_count).expect_err("a refusal");
        error.to_string()
    };
    assert!(refusal(0, |_| ()).contains("0 agents, expected 1 to 15"));
    assert!(refusal(16, |_| ()).contains("16 agents"));
    assert!(
        refusal(4, |config| config.share_min = 0.3)
            .contains("share_min must be at least 0 and at most 1 / 4")
    );
    assert!(refusal(4, |config| config.share_min = f64::NAN).contains("share_min"));
    assert!(
        refusal(4, |config| config.share_max = 0.01)
            .contains("share_max must be from share_min (0.02)")
    );
    assert!(refusal(4, |config| config.share_max = 1.1).contains("share_max"));
    assert!(refusal(4, |config| config.period_ms = 0).contains("period_ms must be from 1"));
    assert!(refusal(4, |config| config.scale_half_life_periods = 0.0).contains("scale_half_life"));
    assert!(refusal(4, |config| config.eta = -1.0).contains("eta must be positive"));
    assert!(refusal(4, |config| config.switch_share = 1.0).contains("switch_share"));
    let unknown = serde_json::from_str::<AllocatorConfig>(r#"{"etta": 1.0}"#);
    assert!(unknown.is_err());
    let partial: AllocatorConfig =
        serde_json::from_str(r#"{"eta": 0.2}"#).expect("a configuration");
    assert_eq!(
        partial,
        AllocatorConfig {
            eta: 0.2,
            ..AllocatorConfig::default()
        }
    );
}
