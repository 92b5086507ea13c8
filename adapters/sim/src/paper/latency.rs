//! Latencies of the paper venue: two fixed times, or draws from a fitted model.
//!
//! A `LatencyModel` has for each venue the distribution of the way there (order sent until the venue acted) and of the way back (the
//! venue acted until its report was read), each as a table of quantiles. A draw is uniform on the whole scale and linear between two
//! quantiles, in whole numbers: the same seed gives the same latencies on any machine.
//!
//! Invariant: on one way to or from one venue nothing overtakes: what was sent later arrives later or at the same time, as on one
//! connection.

use std::collections::BTreeMap;

use acth_core::instrument::{InstrumentId, Instruments};
use serde::{Deserialize, Serialize};

use crate::rng::Random;

/// Version of the model's file; a reader refuses any other.
pub const LATENCY_MODEL_FORMAT: u32 = 1;
/// Longest latency of a model, ns: one minute.
const LATENCY_NS_MAX: i64 = 60_000_000_000;
/// Most quantiles of a table.
const QUANTILES_MAX: usize = 1_000;
/// The whole scale of shares.
const SHARE_PPM_MAX: u32 = 1_000_000;
/// Bits of a draw below one millionth.
const DRAW_BITS: u32 = 32;
/// Random streams of the venue; the world's own have small numbers.
const STREAM_FIRST: u64 = 1 << 48;

/// How long orders and reports take, by venue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatencyModel {
    /// `LATENCY_MODEL_FORMAT`.
    pub format: u32,
    /// The shares, in per cent, at which every table gives a quantile: from 0 to 100, rising.
    pub percent: Vec<f64>,
    /// What it was fitted from, for people; nothing depends on it.
    #[serde(default)]
    pub fitted_from: FittedFrom,
    /// By name of the venue.
    pub venues: BTreeMap<String, VenueLatency>,
}

/// The journal that a model was fitted from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedFrom {
    /// Its folder's name.
    pub journal: String,
    /// Number of its last run.
    pub run: u64,
    /// Configuration of its last run.
    pub config_hash: String,
    /// First frame read.
    pub first_sequence: u64,
    /// Last frame read.
    pub last_sequence: u64,
    /// Checksum to which the frame behind it chains, hexadecimal: it stands for everything before.
    pub chain: String,
}

/// How the time from sending to acknowledgement was split into its two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// By the venue's own time of the acknowledgement, which fits ours.
    Measured,
    /// In halves: the venue gave no time, or its clock does not fit ours.
    Halves,
}

/// The latencies of one venue; every table has one entry for each of `LatencyModel::percent`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VenueLatency {
    /// How many acknowledged orders it was fitted from.
    pub samples: u64,
    /// Where the two ways come from.
    pub split: Split,
    /// From sending a command until the venue acts on it, ns.
    pub order_ns: Vec<i64>,
    /// From the venue's acting until its report is read, ns.
    pub report_ns: Vec<i64>,
    /// How many messages of market data `feed_ns` was fitted from.
    #[serde(default)]
    pub feed_samples: u64,
    /// From the venue's time of market data until it is read, ns; empty = unknown. For people: recorded and simulated data carry
    /// times of reading of their own, so the paper venue does not use it.
    #[serde(default)]
    pub feed_ns: Vec<i64>,
}

/// What is wrong with a model: the key and one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {cause}")]
pub struct LatencyModelError {
    /// Which key, dotted.
    pub key: String,
    /// What was found and what was expected.
    pub cause: String,
}

fn refuse(key: impl Into<String>, cause: impl Into<String>) -> LatencyModelError {
    LatencyModelError {
        key: key.into(),
        cause: cause.into(),
    }
}

impl LatencyModel {
    /// Checks everything that a paper venue relies on.
    ///
    /// # Errors
    /// The first thing found wrong.
    pub fn check(&self) -> Result<(), LatencyModelError> {
        if self.format != LATENCY_MODEL_FORMAT {
            let cause = format!(
                "{} is not the format that this program reads, {LATENCY_MODEL_FORMAT}",
                self.format
            );
            return Err(refuse("format", cause));
        }
        let shares = self.shares_ppm()?;
        for (name, venue) in &self.venues {
            let tables = [
                ("order_ns", &venue.order_ns),
                ("report_ns", &venue.report_ns),
                ("feed_ns", &venue.feed_ns),
            ];
            for (table, quantiles_ns) in tables {
                // Only what is for people may be missing.
                if table != "feed_ns" || !quantiles_ns.is_empty() {
                    check_table(
                        &format!("venues.{name}.{table}"),
                        quantiles_ns,
                        shares.len(),
                    )?;
                }
            }
        }
        Ok(())
    }

    fn shares_ppm(&self) -> Result<Vec<u32>, LatencyModelError> {
        let refuse = |cause: String| Err(refuse("percent", cause));
        let count = self.percent.len();
        if !(2..=QUANTILES_MAX).contains(&count) {
            return refuse(format!(
                "{count} values; expected from 2 to {QUANTILES_MAX}"
            ));
        }
        let mut shares = Vec::with_capacity(count);
        for percent in &self.percent {
            if !(0.0..=100.0).contains(percent) {
                return refuse(format!("{percent} is not between 0 and 100"));
            }
            // At most 10^6, by the bound above.
            shares.push((percent * 10_000.0).round() as u32);
        }
        if shares[0] != 0 || shares[count - 1] != SHARE_PPM_MAX {
            return refuse(String::from("expected to begin with 0 and to end with 100"));
        }
        if let Some(at) = shares.windows(2).position(|pair| pair[0] >= pair[1]) {
            let (before, after) = (self.percent[at], self.percent[at + 1]);
            return refuse(format!("{after} after {before}; expected rising values"));
        }
        Ok(shares)
    }
}

fn check_table(key: &str, quantiles_ns: &[i64], count: usize) -> Result<(), LatencyModelError> {
    let found = quantiles_ns.len();
    if found != count {
        let cause = format!("{found} values; expected {count}, one for each of `percent`");
        return Err(refuse(key, cause));
    }
    for (index, value_ns) in quantiles_ns.iter().enumerate() {
        if !(0..=LATENCY_NS_MAX).contains(value_ns) {
            let cause = format!("{value_ns} ns is not between 0 and one minute");
            return Err(refuse(key, cause));
        }
        if index > 0 && quantiles_ns[index - 1] > *value_ns {
            let cause = format!(
                "{value_ns} after {}; quantiles never fall",
                quantiles_ns[index - 1]
            );
            return Err(refuse(key, cause));
        }
    }
    Ok(())
}

/// One direction of travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// To the venue.
    Order,
    /// Back to us.
    Report,
}

/// One way to, or back from, every venue.
#[derive(Debug)]
pub(super) struct Legs {
    way: Way,
    shares_ppm: Vec<u32>,
    /// One per venue of the model; a single one where the latency is fixed.
    legs: Vec<Leg>,
    /// Leg of each instrument.
    leg_of: Vec<usize>,
    seed: u64,
    random: Random,
}

#[derive(Debug)]
struct Leg {
    quantiles_ns: Vec<i64>,
    /// When the last one that took this way arrives.
    ts_last_ns: i64,
}

impl Legs {
    /// The same time for everything.
    pub(super) fn fixed(way: Way, latency_ns: i64) -> Self {
        let leg = Leg {
            quantiles_ns: vec![latency_ns],
            ts_last_ns: i64::MIN,
        };
        Self::new(way, vec![0], vec![leg], Vec::new(), 0)
    }

    /// Draws from a model that was checked.
    pub(super) fn drawn(
        way: Way,
        model: &LatencyModel,
        instruments: &Instruments,
        seed: u64,
    ) -> Result<Self, LatencyModelError> {
        model.check()?;
        let legs = model.venues.values().map(|venue| Leg {
            quantiles_ns: match way {
                Way::Order => venue.order_ns.clone(),
                Way::Report => venue.report_ns.clone(),
            },
            ts_last_ns: i64::MIN,
        });
        let names: Vec<&str> = model.venues.keys().map(String::as_str).collect();
        let leg_of = instruments.iter().map(|(_, row)| {
            names.binary_search(&&*row.venue).map_err(|_| {
                let known = names.join(", ");
                let cause = format!(
                    "there is no {}, which is traded; there is: {known}",
                    row.venue
                );
                refuse("venues", cause)
            })
        });
        let leg_of = leg_of.collect::<Result<Vec<_>, _>>()?;
        Ok(Self::new(
            way,
            model.shares_ppm()?,
            legs.collect(),
            leg_of,
            seed,
        ))
    }

    fn new(way: Way, shares_ppm: Vec<u32>, legs: Vec<Leg>, leg_of: Vec<usize>, seed: u64) -> Self {
        let mut made = Self {
            way,
            shares_ppm,
            legs,
            leg_of,
            seed,
            random: Random::new(seed, 0),
        };
        made.begin_life(0);
        made
    }

    /// Draws of this life of the venue are others than those of the lives before.
    pub(super) fn begin_life(&mut self, life: u64) {
        let stream = STREAM_FIRST + life.wrapping_mul(2) + self.way as u64;
        self.random = Random::new(self.seed, stream);
    }

    /// When what starts now arrives.
    pub(super) fn arrival_ns(&mut self, instrument: InstrumentId, ts_start_ns: i64) -> i64 {
        let leg = self.leg_of.get(instrument.index()).copied().unwrap_or(0);
        let leg = &mut self.legs[leg];
        let latency_ns = match leg.quantiles_ns[..] {
            [only_ns] => only_ns,
            _ => {
                let draw = self.random.below(u64::from(SHARE_PPM_MAX) << DRAW_BITS);
                quantile_ns(&self.shares_ppm, &leg.quantiles_ns, draw)
            }
        };
        leg.ts_last_ns = leg.ts_last_ns.max(ts_start_ns.saturating_add(latency_ns));
        leg.ts_last_ns
    }
}

/// The quantile at `draw`, in units of 2^-32 millionths: linear between the two that stand in the table, towards the lower one.
fn quantile_ns(shares_ppm: &[u32], quantiles_ns: &[i64], draw: u64) -> i64 {
    let share_ppm = (draw >> DRAW_BITS) as u32;
    // The first share is 0 and the last above every draw, so there is one on both sides.
    let above = shares_ppm.partition_point(|share| *share <= share_ppm);
    let (low_ppm, high_ppm) = (shares_ppm[above - 1], shares_ppm[above]);
    let (low_ns, high_ns) = (quantiles_ns[above - 1], quantiles_ns[above]);
    let width = u128::from(high_ppm - low_ppm) << DRAW_BITS;
    let offset = u128::from(draw - (u64::from(low_ppm) << DRAW_BITS));
    // Both differences are at most a minute in ns and a scale of 52 bits; tables never fall.
    let rise_ns = u128::from((high_ns - low_ns).unsigned_abs()) * offset / width;
    low_ns + rise_ns as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_lie_on_the_straight_lines_between_quantiles() {
        let (shares, table) = ([0, 500_000, 1_000_000], [100, 200, 1_200]);
        let at = |ppm: u64| quantile_ns(&shares, &table, ppm << DRAW_BITS);
        assert_eq!(at(0), 100);
        assert_eq!(at(250_000), 150);
        assert_eq!(at(500_000), 200);
        assert_eq!(at(750_000), 700);
        let last = (u64::from(SHARE_PPM_MAX) << DRAW_BITS) - 1;
        assert_eq!(quantile_ns(&shares, &table, last), 1_199);
    }

    #[test]
    fn nothing_overtakes_on_one_way() {
        let leg = Leg {
            quantiles_ns: vec![0, 1_000_000],
            ts_last_ns: i64::MIN,
        };
        let shares = vec![0, SHARE_PPM_MAX];
        let mut legs = Legs::new(Way::Order, shares, vec![leg], vec![0], 7);
        let mut last_ns = 0;
        let mut drawn = 0;
        for start_ns in 0..1_000 {
            let arrival_ns = legs.arrival_ns(InstrumentId(0), start_ns);
            assert!(arrival_ns >= last_ns.max(start_ns));
            drawn += u64::from(arrival_ns > last_ns);
            last_ns = arrival_ns;
        }
        assert!(drawn > 3, "the latency must vary");
    }

    #[test]
    fn lives_and_ways_draw_differently_and_repeat() {
        let draw = |way, life| {
            let leg = Leg {
                quantiles_ns: vec![0, LATENCY_NS_MAX],
                ts_last_ns: i64::MIN,
            };
            let shares = vec![0, SHARE_PPM_MAX];
            let mut legs = Legs::new(way, shares, vec![leg], vec![0], 7);
            legs.begin_life(life);
            legs.arrival_ns(InstrumentId(0), 0)
        };
        assert_eq!(draw(Way::Order, 3), draw(Way::Order, 3));
        assert_ne!(draw(Way::Order, 3), draw(Way::Order, 4));
        assert_ne!(draw(Way::Order, 3), draw(Way::Report, 3));
    }
}
