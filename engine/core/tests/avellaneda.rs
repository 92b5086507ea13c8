//! The quotes of Avellaneda and Stoikov in their own world, against the figures known for it; and the measurement of how
//! fills fall with distance.

#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a broken assumption of a test fails the test; the figures are worth seeing"
)]

use acth_core::{
    agents::{
        intensity::{Intensity, IntensityConfig, IntensityError},
        quotes::{QuoteModel, QuotePair, half_spread, half_spreads_stationary, reservation},
    },
    snapshot::{Decoder, Encoder},
};
use proptest::{collection::vec, prelude::*};

const GAMMA: f64 = 0.1;
const SIGMA: f64 = 2.0;
const SIGMA2: f64 = SIGMA * SIGMA;
const K: f64 = 1.5;
const ARRIVAL_RATE: f64 = 140.0;
const STEPS: usize = 200;
const STEP_S: f64 = 0.005;
const START: f64 = 100.0;
const PATHS: usize = 60_000;

/// Small generator (xorshift*).
struct Uniform(u64);

impl Uniform {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Results of many paths.
struct World {
    mean: f64,
    deviation: f64,
    inventory_deviation: f64,
    certainty_equivalent: f64,
    standard_error: f64,
}

/// One path: at every step each side is filled at most once, with probability `A exp(-k distance) dt`; then the mid moves
/// up or down by `sigma sqrt(dt)`. Returns final wealth and inventory.
fn path(uniform: &mut Uniform, quotes: impl Fn(f64, f64, f64) -> QuotePair) -> (f64, f64) {
    let (mut mid, mut cash, mut inventory) = (START, 0.0, 0.0);
    let move_size = SIGMA * STEP_S.sqrt();
    for step in 0..STEPS {
        let time_left = 1.0 - step as f64 * STEP_S;
        let pair = quotes(mid, inventory, time_left);
        let chance = |distance: f64| ARRIVAL_RATE * (-K * distance).exp() * STEP_S;
        let is_bought = uniform.next() < chance(mid - pair.bid);
        let is_sold = uniform.next() < chance(pair.ask - mid);
        if is_bought {
            inventory += 1.0;
            cash -= pair.bid;
        }
        if is_sold {
            inventory -= 1.0;
            cash += pair.ask;
        }
        mid += if uniform.next() < 0.5 {
            move_size
        } else {
            -move_size
        };
    }
    (cash + inventory * mid, inventory)
}

fn simulate(seed: u64, quotes: impl Fn(f64, f64, f64) -> QuotePair) -> World {
    let mut uniform = Uniform(seed);
    let count = PATHS as f64;
    let (mut wealth, mut squares, mut inventories) = (0.0, 0.0, 0.0);
    let (mut losses, mut loss_squares) = (0.0, 0.0);
    for _ in 0..PATHS {
        let (final_wealth, inventory) = path(&mut uniform, &quotes);
        wealth += final_wealth;
        squares += final_wealth * final_wealth;
        inventories += inventory * inventory;
        let loss = (-GAMMA * final_wealth).exp();
        losses += loss;
        loss_squares += loss * loss;
    }
    let (mean, mean_loss) = (wealth / count, losses / count);
    let loss_variance = loss_squares / count - mean_loss * mean_loss;
    World {
        mean,
        deviation: (squares / count - mean * mean).sqrt(),
        inventory_deviation: (inventories / count).sqrt(),
        certainty_equivalent: -mean_loss.ln() / GAMMA,
        // By the delta method.
        standard_error: (loss_variance / count).sqrt() / (GAMMA * mean_loss),
    }
}

fn around(center: f64, half_spread: f64) -> QuotePair {
    QuotePair {
        bid: center - half_spread,
        ask: center + half_spread,
    }
}

fn report(name: &str, world: &World) {
    println!(
        "{name}: wealth {:.2}, deviation {:.2}, inventory {:.2}, certainty equivalent {:.2} +- {:.2}",
        world.mean,
        world.deviation,
        world.inventory_deviation,
        world.certainty_equivalent,
        world.standard_error
    );
}

/// The certainty equivalent without chance: the expected loss of utility from every inventory on, backwards in time. It
/// needs only distances from the mid, because wealth at the mid changes by what fills earn and by what the inventory
/// gains when the mid moves.
fn exact_certainty_equivalent(quotes: impl Fn(f64, f64, f64) -> QuotePair) -> f64 {
    const CENTER: usize = STEPS + 1;
    let move_size = SIGMA * STEP_S.sqrt();
    let inventory = |place: usize| place as f64 - CENTER as f64;
    let mut expected = vec![1.0; 2 * CENTER + 1];
    for step in (0..STEPS).rev() {
        let moved: Vec<f64> = (0..expected.len())
            .map(|place| expected[place] * (GAMMA * inventory(place) * move_size).cosh())
            .collect();
        let time_left = 1.0 - step as f64 * STEP_S;
        // After so many steps nobody holds more than one a step.
        for place in CENTER - step..=CENTER + step {
            let pair = quotes(0.0, inventory(place), time_left);
            let side = |distance: f64| {
                let chance = (ARRIVAL_RATE * (-K * distance).exp() * STEP_S).min(1.0);
                (chance, chance * (-GAMMA * distance).exp())
            };
            let ((bid_chance, bid), (ask_chance, ask)) = (side(-pair.bid), side(pair.ask));
            expected[place] = moved[place] * ((1.0 - bid_chance) * (1.0 - ask_chance) + bid * ask)
                + moved[place + 1] * bid * (1.0 - ask_chance)
                + moved[place - 1] * ask * (1.0 - bid_chance);
        }
    }
    -expected[CENTER].ln() / GAMMA
}

fn near(found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() < tolerance,
        "{found}, expected {expected}"
    );
}

/// Known from 20,000 paths: wealth 64.90, deviation 6.55, deviation of the inventory 2.92, certainty equivalent 62.79.
#[test]
fn quotes_around_the_reservation_are_worth_what_is_known_of_them() {
    let quotes = |mid, inventory, time_left| {
        let center = reservation(mid, inventory, GAMMA, SIGMA2, time_left);
        around(center, half_spread(GAMMA, K, SIGMA2, time_left))
    };
    let world = simulate(0x1234_5678_9abc_def1, quotes);
    report("around the reservation", &world);
    near(world.mean, 64.90, 0.2);
    near(world.deviation, 6.55, 0.12);
    near(world.inventory_deviation, 2.92, 0.05);
    let exact = exact_certainty_equivalent(quotes);
    println!("exact certainty equivalent {exact:.4}");
    near(exact, 62.79, 0.005);
    near(
        world.certainty_equivalent,
        exact,
        4.0 * world.standard_error,
    );
}

/// The same spread, on average, around the mid. Known from 20,000 paths: 68.35, 13.44, 8.42, certainty equivalent 55.50.
/// The last is no property of the strategy: it hangs on paths with an inventory so rare that hardly a simulation meets
/// one. Exactly it is far lower, and a simulation's standard error, which has not met them either, does not say so.
#[test]
fn quotes_around_the_mid_earn_more_and_are_worth_less() {
    let quotes = |mid, _, _| around(mid, half_spread(GAMMA, K, SIGMA2, 0.5));
    let world = simulate(0x0fed_cba9_8765_4321, quotes);
    report("around the mid", &world);
    near(world.mean, 68.35, 0.35);
    near(world.deviation, 13.44, 0.25);
    near(world.inventory_deviation, 8.42, 0.12);
    let exact = exact_certainty_equivalent(quotes);
    println!("exact certainty equivalent {exact:.4}");
    near(exact, 39.737, 0.005);
    assert!((exact..60.0).contains(&world.certainty_equivalent));
}

/// With an end far enough away, a second here, the exact solution (matrix exponential, |q| <= 30) is near its limit.
#[test]
fn the_stationary_quotes_are_near_the_exact_ones() {
    let at = |inventory| half_spreads_stationary(inventory, GAMMA, K, ARRIVAL_RATE, SIGMA2);
    for (found, exact) in [
        (at(0.0).ask, 0.6716),
        (at(3.0).ask, 0.5144),
        (at(3.0).bid, 0.8285),
    ] {
        assert!((found - exact).abs() < 0.003, "{found}, exact {exact}");
    }
    assert!((at(0.0).ask - at(0.0).bid).abs() < 1e-12);
    assert!((at(-3.0).bid - at(3.0).ask).abs() < 1e-12);
}

#[test]
fn known_quotes_and_their_limits() {
    // 0.1 x 4 / 2 + 10 ln(1.0666..).
    let found = half_spread(GAMMA, K, SIGMA2, 1.0);
    assert!(
        (found - (0.2 + 0.645_385_211_375_711_6)).abs() < 1e-12,
        "{found}"
    );
    assert!((reservation(100.0, 3.0, GAMMA, SIGMA2, 0.5) - 99.4).abs() < 1e-12);
    // Who does not mind risk quotes 1 / k around the mid.
    assert!((half_spread(1e-12, K, SIGMA2, 1.0) - 1.0 / K).abs() < 1e-9);
    let model = QuoteModel::new(GAMMA, K, 1.0).expect("parameters");
    let pair = model.quotes(100.0, 3.0, SIGMA2).expect("quotes");
    assert!((pair.bid - (98.8 - found)).abs() < 1e-12 && (pair.ask - (98.8 + found)).abs() < 1e-12);
    for (mid, inventory, sigma2) in [
        (0.0, 0.0, 1.0),
        (f64::NAN, 0.0, 1.0),
        (100.0, f64::INFINITY, 1.0),
        (100.0, 0.0, -1.0),
        (100.0, 0.0, f64::NAN),
        (100.0, 0.0, f64::INFINITY),
    ] {
        assert_eq!(model.quotes(mid, inventory, sigma2), None);
    }
    let refusal = QuoteModel::new(0.0, K, 1.0)
        .expect_err("a refusal")
        .to_string();
    assert_eq!(refusal, "quotes: gamma must be positive and finite, not 0");
    assert!(QuoteModel::new(GAMMA, f64::NAN, 1.0).is_err());
    assert!(QuoteModel::new(GAMMA, K, f64::INFINITY).is_err());
    let mut model = model;
    assert!(!model.set_k(f64::NAN) && !model.set_k(0.0) && model.set_k(2.0));
    assert!((model.k() - 2.0).abs() < 1e-15);
}

const CONFIG: IntensityConfig = IntensityConfig {
    bucket_width: 0.2,
    half_life_s: 60.0,
    k_min: 0.01,
    k_max: 100.0,
    arrival_rate_max: 1e6,
};

/// Trades of both sides at `rate` a second each, at exponential distances, for `seconds`.
fn trade(
    intensity: &mut Intensity,
    uniform: &mut Uniform,
    start_ns: i64,
    seconds: f64,
    rate: f64,
    k: f64,
) -> i64 {
    let mut elapsed_s = 0.0;
    loop {
        elapsed_s += -(1.0 - uniform.next()).ln() / (2.0 * rate);
        if elapsed_s > seconds {
            return start_ns + (seconds * 1e9) as i64;
        }
        let distance = -(1.0 - uniform.next()).ln() / k;
        intensity.on_trade(start_ns + (elapsed_s * 1e9) as i64, distance);
    }
}

#[test]
fn decay_and_rate_are_measured_and_followed() {
    let mut uniform = Uniform(77);
    let mut intensity = Intensity::new(&CONFIG).expect("parameters");
    assert_eq!(intensity.fit(), None);
    // Half a half-life is enough for the rate: the beginning is not taken for silence.
    let start_ns = 1_700_000_000_000_000_000;
    let now_ns = trade(
        &mut intensity,
        &mut uniform,
        start_ns,
        30.0,
        ARRIVAL_RATE,
        K,
    );
    let check = |intensity: &Intensity, rate: f64, k: f64| {
        let fit = intensity.fit().expect("a fit");
        println!(
            "rate {:.1} of {rate}, k {:.3} of {k}",
            fit.arrival_rate, fit.k
        );
        assert!((fit.k / k - 1.0).abs() < 0.06, "{fit:?}");
        assert!((fit.arrival_rate / rate - 1.0).abs() < 0.06, "{fit:?}");
    };
    check(&intensity, ARRIVAL_RATE, K);
    // Ten half-lives later the first market is forgotten.
    trade(&mut intensity, &mut uniform, now_ns, 600.0, 50.0, 3.0);
    check(&intensity, 50.0, 3.0);
}

/// Counts that fall by exactly the same factor from bucket to bucket give exactly that slope.
#[test]
fn an_exact_line_is_found_exactly() {
    let mut intensity = Intensity::new(&CONFIG).expect("parameters");
    let start_ns = 1_000_000_000;
    for bucket in 0..6 {
        for _ in 0..(64 * 8) >> bucket {
            intensity.on_trade(start_ns, 0.1 + 0.2 * f64::from(bucket));
        }
    }
    let fit = intensity.fit().expect("a fit");
    // Halved every 0.2: k = ln 2 / 0.2. In the one second that counts, 512 = 2 A (1 - 1/2).
    assert!((fit.k - 2f64.ln() / 0.2).abs() < 1e-9, "{fit:?}");
    assert!((fit.arrival_rate - 512.0).abs() < 1e-6, "{fit:?}");
}

#[test]
fn what_is_fitted_is_bounded_and_what_is_bad_is_counted() {
    let config = IntensityConfig {
        arrival_rate_max: 30.0,
        ..CONFIG
    };
    let mut intensity = Intensity::new(&config).expect("parameters");
    for _ in 0..100 {
        // More trades far away than near: no decay at all.
        intensity.on_trade(1_000_000_000, -1.0);
        intensity.on_trade(1_000_000_000, 0.5);
        intensity.on_trade(1_000_000_000, 0.5);
    }
    let fit = intensity.fit().expect("a fit");
    assert!((fit.k - config.k_min).abs() < 1e-15 && (fit.arrival_rate - 30.0).abs() < 1e-12);
    intensity.on_trade(1_000_000_000, f64::NAN);
    intensity.on_trade(1_000_000_000, f64::INFINITY);
    intensity.on_trade(1_000_000_000, 3.3);
    assert_eq!(
        (intensity.refused_count(), intensity.beyond_count()),
        (1, 2)
    );
    // All is forgotten in a day.
    intensity.fade_to(86_400_000_000_000);
    assert_eq!(intensity.fit(), None);
    let refusal = |config: IntensityConfig| Intensity::new(&config).expect_err("a refusal");
    assert!(matches!(
        refusal(IntensityConfig {
            k_min: 200.0,
            ..CONFIG
        }),
        IntensityError::Bounds { .. }
    ));
    let text = refusal(IntensityConfig {
        bucket_width: 0.0,
        ..CONFIG
    })
    .to_string();
    assert_eq!(
        text,
        "intensity: bucket_width must be positive and finite, not 0"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
    /// Counts against sums over the whole past, saving and reading in the middle.
    #[test]
    fn the_fit_is_that_of_the_faded_past(
        trades in vec((0i64..3_000_000_000, 0.0..1.2f64), 20..200),
        cut in 0usize..20,
    ) {
        let mut intensity = Intensity::new(&CONFIG).expect("parameters");
        let mut now_ns = 1_000_000_000;
        let mut times = Vec::new();
        for (place, (elapsed_ns, distance)) in trades.iter().enumerate() {
            now_ns += elapsed_ns;
            times.push(now_ns);
            intensity.on_trade(now_ns, *distance);
            if place == cut {
                let mut out = Encoder::default();
                intensity.write(&mut out);
                let bytes = out.into_bytes();
                let mut again = Intensity::new(&CONFIG).expect("parameters");
                again.load(&mut Decoder::over(&bytes)).expect("its own bytes");
                prop_assert_eq!(again, intensity);
                intensity = again;
            }
        }
        let weight = |then_ns: i64| ((then_ns - now_ns) as f64 / 1e9 / 60.0).exp2();
        let mut counts = [0.0; 16];
        for ((_, distance), then_ns) in trades.iter().zip(&times) {
            counts[(distance / 0.2) as usize] += weight(*then_ns);
        }
        let observed_s = ((1.0 - weight(times[0])) * 60.0 / 2f64.ln()).max(1.0);
        let points: Vec<(f64, f64, f64)> = counts.iter().enumerate()
            .filter(|(_, count)| **count >= 5.0)
            .map(|(index, count)| (index as f64 * 0.2, (count / observed_s).ln(), *count))
            .collect();
        let Some(fit) = intensity.fit() else {
            prop_assert!(points.len() < 2);
            return Ok(());
        };
        // Normal equations of the weighted line.
        let sum = |part: &dyn Fn(&(f64, f64, f64)) -> f64| points.iter().map(part).sum::<f64>();
        let (weights, x, y) = (sum(&|p| p.2), sum(&|p| p.2 * p.0), sum(&|p| p.2 * p.1));
        let (xx, xy) = (sum(&|p| p.2 * p.0 * p.0), sum(&|p| p.2 * p.0 * p.1));
        let slope = (weights * xy - x * y) / (weights * xx - x * x);
        let k = (-slope).clamp(0.01, 100.0);
        prop_assert!((fit.k - k).abs() < 1e-6, "{} {k}", fit.k);
        let rate = ((y + k * x) / weights).exp() / (1.0 - (-k * 0.2).exp()) / 2.0;
        prop_assert!((fit.arrival_rate / rate - 1.0).abs() < 1e-6, "{} {rate}", fit.arrival_rate);
    }
}
