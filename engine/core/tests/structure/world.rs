//! A simulated market with a planted structure: groups that follow a factor of their own, each instrument with its own
//! lag behind it, quoted at random times.

use acth_core::structure::{Structure, StructureConfig};

use crate::random::Random;

pub(crate) const NS_PER_MS: i64 = 1_000_000;
const FACTOR_STEP_MS: usize = 10;
/// Deviation of a factor in a second, of the log price.
const DEVIATION: f64 = 2e-4;

/// How one instrument is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planted {
    /// Its group; none moves alone.
    pub(crate) group: Option<usize>,
    pub(crate) lag_ms: i64,
    /// Correlation with its factor.
    pub(crate) loading: f64,
    /// Mean time between two quotes.
    pub(crate) quote_ms: f64,
    /// Deviation of a second's return in deviations of the factor.
    pub(crate) scale: f64,
}

/// The world's other properties.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    /// Bounce of each quote about the price, in deviations of a second's return.
    pub(crate) bounce: f64,
    /// Whether everything moves three times as much in every third second.
    pub(crate) is_bursting: bool,
}

/// The world on its way.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) planted: Vec<Planted>,
    weather: Weather,
    random: Random,
    factors: Vec<Vec<f64>>,
    own: Vec<f64>,
    last_ms: Vec<f64>,
    next_ms: Vec<f64>,
    timer_ms: i64,
}

fn scale_at(weather: Weather, ms: f64) -> f64 {
    let is_burst = weather.is_bursting && (ms / 1_000.0) as i64 % 3 == 0;
    if is_burst { 3.0 } else { 1.0 }
}

impl World {
    pub(crate) fn new(seed: u64, planted: Vec<Planted>, weather: Weather, seconds: usize) -> Self {
        let mut random = Random::new(seed);
        let groups = planted.iter().filter_map(|one| one.group).max();
        let steps = seconds * 1_000 / FACTOR_STEP_MS + 200;
        let step_deviation = DEVIATION * (FACTOR_STEP_MS as f64 / 1_000.0).sqrt();
        let mut factor = || {
            let mut level = 0.0;
            let step = |index: usize| {
                let ms = (index * FACTOR_STEP_MS) as f64 - 1_000.0;
                level += random.normal() * step_deviation * scale_at(weather, ms);
                level
            };
            (0..steps).map(step).collect::<Vec<f64>>()
        };
        let factors = (0..groups.map_or(0, |last| last + 1))
            .map(|_| factor())
            .collect();
        let next_ms = planted
            .iter()
            .map(|one| random.exponential(one.quote_ms))
            .collect();
        Self {
            weather,
            factors,
            own: vec![0.0; planted.len()],
            last_ms: vec![0.0; planted.len()],
            next_ms,
            timer_ms: 100,
            random,
            planted,
        }
    }

    /// Log price of an instrument's quote now.
    fn quote(&mut self, index: usize, now_ms: f64) -> f64 {
        let planted = self.planted[index];
        let elapsed = (now_ms - self.last_ms[index]) / 1_000.0;
        self.last_ms[index] = now_ms;
        let loading = planted.group.map_or(0.0, |_| planted.loading);
        let own_deviation = DEVIATION * (elapsed * (1.0 - loading * loading)).sqrt();
        let burst = scale_at(self.weather, now_ms);
        self.own[index] += self.random.normal() * own_deviation * burst;
        let factor = planted.group.map_or(0.0, |group| {
            let ago_ms = now_ms - planted.lag_ms as f64 + 1_000.0;
            self.factors[group][(ago_ms / FACTOR_STEP_MS as f64) as usize]
        });
        let bounce = self.random.normal() * self.weather.bounce * DEVIATION;
        4.0 + planted.scale * (loading * factor + self.own[index] + bounce)
    }

    /// Lets the structure see everything up to this time.
    pub(crate) fn run(&mut self, structure: &mut Structure, until_ms: i64) {
        self.run_and_tell(structure, until_ms, |_, _, _| {});
    }

    /// The same, and tells index, time (ns) and log price of each quote.
    pub(crate) fn run_and_tell(
        &mut self,
        structure: &mut Structure,
        until_ms: i64,
        mut tell: impl FnMut(usize, i64, f64),
    ) {
        loop {
            let mut index = 0;
            for other in 1..self.next_ms.len() {
                if self.next_ms[other] < self.next_ms[index] {
                    index = other;
                }
            }
            let now_ms = self.next_ms[index];
            while self.timer_ms as f64 <= now_ms.min(until_ms as f64) {
                structure.on_timer(self.timer_ms * NS_PER_MS);
                self.timer_ms += 100;
            }
            if now_ms > until_ms as f64 {
                return;
            }
            let price = self.quote(index, now_ms);
            let now_ns = (now_ms * NS_PER_MS as f64) as i64;
            structure.on_price(index, now_ns, price);
            tell(index, now_ns, price);
            self.next_ms[index] += self.random.exponential(self.planted[index].quote_ms);
        }
    }
}

/// 32 instruments: groups of 9, 7, 6 and 4 that follow their factors with lags up to half a second, and six alone.
pub(crate) fn planted_world(seed: u64) -> Vec<Planted> {
    let mut random = Random::new(seed ^ 0x9e37);
    let sizes = [9, 7, 6, 4];
    let mut planted = Vec::new();
    for (group, size) in sizes.into_iter().enumerate() {
        for place in 0..size {
            // The first three move at once, the others follow.
            let lag_ms = if place < 3 {
                0
            } else {
                100 + 50 * random.below(9) as i64
            };
            planted.push(Planted {
                group: Some(group),
                lag_ms,
                loading: 0.65 + 0.25 * random.uniform(),
                quote_ms: 50.0 + 50.0 * random.uniform(),
                scale: 0.5 + random.uniform(),
            });
        }
    }
    while planted.len() < 32 {
        planted.push(alone(50.0 + 50.0 * random.uniform()));
    }
    planted
}

pub(crate) const fn alone(quote_ms: f64) -> Planted {
    Planted {
        group: None,
        lag_ms: 0,
        loading: 0.0,
        quote_ms,
        scale: 1.0,
    }
}

pub(crate) fn structure(count: usize) -> Structure {
    Structure::new(&StructureConfig::default(), count).expect("sound")
}
