//! Trades the distance of two instruments that belong together back to its mean.
//!
//! The structure finds the pairs and keeps hedge ratio and spread of each. Far from the mean the agent sells the dear leg and
//! buys the cheap one, money against money in the hedge ratio; near the mean it leaves. A position of which one leg is
//! missing for too long is unwound: half a pair is a bet that nobody wanted.

use alloc::{vec, vec::Vec};

use serde::{Deserialize, Serialize};

use super::super::{Agent, AgentError, Cause, Seen, Wish, seen::refuse};
use crate::{
    instrument::Instruments,
    snapshot::{Decoder, Sink, SnapshotError},
    structure::Pair,
};

/// Parameters of `CointegrationSpread`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CointegrationConfig {
    /// Distance from the mean at which a pair is entered, standard deviations.
    pub enter_z: f64,
    /// Distance at which it is left.
    pub leave_z: f64,
    /// Distance at which the relation is taken for broken.
    pub stop_z: f64,
    /// Size of each leg as a share of the agent's capital.
    pub position_share: f64,
    /// Longest time one leg may be without the other, milliseconds.
    pub leg_ms_max: i64,
    /// What the way back to the mean must promise beyond the costs of all four trades, parts per million.
    pub edge_ppm_min: f64,
}

impl Default for CointegrationConfig {
    fn default() -> Self {
        Self {
            enter_z: 2.0,
            leave_z: 0.5,
            stop_z: 6.0,
            position_share: 0.25,
            leg_ms_max: 2_000,
            edge_ppm_min: 5.0,
        }
    }
}

/// Pairs held at a time.
const PAIRS_MAX: usize = 16;
/// How long a pair that was stopped or lost a leg is left alone, in holding times of a leg.
const REST_LEGS: i64 = 10;
/// Share of the wished size below which a leg counts as missing.
const LEG_PRESENT: f64 = 0.25;

/// One pair that it watches or holds.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    first: u16,
    second: u16,
    /// +1: long the spread (first bought); -1: short; 0: flat.
    direction: i8,
    /// Size of the second leg per size of the first, signed.
    ratio: f64,
    /// Expected log return of the spread when it was entered.
    edge: f64,
    /// Since when exactly one leg is there; 0 = both or none.
    ts_alone_ns: i64,
    /// Until when it is left alone.
    ts_rest_ns: i64,
}

/// The agent; see the module.
#[derive(Debug)]
pub struct CointegrationSpread {
    config: CointegrationConfig,
    entries: Vec<Entry>,
    count: usize,
    /// What it wants of each instrument, the sum over pairs.
    wishes: Vec<Wish>,
}

impl CointegrationSpread {
    fn entry_of(&mut self, pair: &Pair) -> Option<&mut Entry> {
        let (first, second) = (pair.first as u16, pair.second as u16);
        let is_same = |entry: &Entry| (entry.first, entry.second) == (first, second);
        if let Some(place) = self.entries[..self.count].iter().position(is_same) {
            return Some(&mut self.entries[place]);
        }
        // A pair that is not held may make room.
        let place = if self.count < PAIRS_MAX {
            self.count += 1;
            self.count - 1
        } else {
            self.entries.iter().position(|entry| entry.direction == 0)?
        };
        self.entries[place] = Entry {
            first,
            second,
            ..Entry::default()
        };
        Some(&mut self.entries[place])
    }

    /// Enters, keeps or leaves one pair.
    fn judge(&mut self, seen: &Seen<'_>, pair: &Pair) {
        let config = self.config;
        let costs = [pair.first, pair.second].map(|index| seen.cost_to_cross(index));
        let [Some(first_cost), Some(second_cost)] = costs else {
            return;
        };
        let now_ns = seen.now_ns;
        let Some(entry) = self.entry_of(pair) else {
            return;
        };
        let distance = libm::fabs(pair.z);
        if entry.direction != 0 {
            let is_back = distance < config.leave_z || pair.z * f64::from(entry.direction) > 0.0;
            let is_broken = distance > config.stop_z;
            if is_broken {
                entry.ts_rest_ns = now_ns + REST_LEGS * config.leg_ms_max * 1_000_000;
            }
            if is_back || is_broken {
                entry.direction = 0;
            }
            return;
        }
        let ratio = pair.slope;
        let is_sane = libm::fabs(ratio) > 0.05 && libm::fabs(ratio) < 20.0;
        // Two legs, each in and out; passive fills make it cheaper, which is not counted on.
        let cost = 2.0 * (first_cost + libm::fabs(ratio) * second_cost);
        let way = distance * pair.deviation;
        let pays = way > cost + config.edge_ppm_min * 1e-6;
        let is_far = distance > config.enter_z && distance < config.stop_z;
        if is_sane && is_far && pays && now_ns >= entry.ts_rest_ns {
            entry.direction = if pair.z > 0.0 { -1 } else { 1 };
            entry.ratio = ratio;
            entry.edge = way / 2.0;
            entry.ts_alone_ns = 0;
        }
    }

    /// Unwinds pairs of which one leg has been missing for too long.
    fn mind_legs(&mut self, seen: &Seen<'_>) {
        let leg_ns = self.config.leg_ms_max * 1_000_000;
        let share = self.config.position_share;
        for entry in &mut self.entries[..self.count] {
            if entry.direction == 0 {
                continue;
            }
            let (first, second) = (usize::from(entry.first), usize::from(entry.second));
            let [one, other] = leg_shares(share, entry.ratio);
            let is_there = |index: usize, wanted: f64| {
                libm::fabs(seen.held_share(index)) >= LEG_PRESENT * libm::fabs(wanted)
            };
            let is_alone = is_there(first, one) != is_there(second, other);
            if !is_alone {
                entry.ts_alone_ns = 0;
            } else if entry.ts_alone_ns == 0 {
                entry.ts_alone_ns = seen.now_ns;
            } else if seen.now_ns - entry.ts_alone_ns > leg_ns {
                entry.direction = 0;
                entry.ts_alone_ns = 0;
                entry.ts_rest_ns = seen.now_ns + REST_LEGS * leg_ns;
            }
        }
    }

    /// Leaves pairs that do not belong together any more: nobody would say when they are back.
    fn let_go(&mut self, seen: &Seen<'_>) {
        for entry in &mut self.entries[..self.count] {
            let legs = (usize::from(entry.first), usize::from(entry.second));
            let is_found = |pair: &Pair| (pair.first, pair.second) == legs;
            if entry.direction != 0 && !seen.structure.pairs().iter().any(is_found) {
                entry.direction = 0;
                entry.ts_alone_ns = 0;
            }
        }
    }

    /// Adds up what the pairs want of each instrument.
    fn add_up(&mut self, seen: &Seen<'_>) {
        self.wishes.fill(Wish::NONE);
        for entry in &self.entries[..self.count] {
            if entry.direction == 0 {
                continue;
            }
            let [one, other] = leg_shares(self.config.position_share, entry.ratio);
            let direction = f64::from(entry.direction);
            let is_waiting = entry.ts_alone_ns != 0;
            for (index, share) in [(entry.first, one), (entry.second, other)] {
                let index = usize::from(index);
                let target = self.wishes[index].target_share + direction * share;
                let mut wish = Wish::position(target, entry.edge);
                // Who waits for the other leg pays for it.
                wish.is_urgent = is_waiting && libm::fabs(seen.held_share(index)) < 1e-9;
                self.wishes[index] = wish;
            }
        }
    }
}

/// Sizes of both legs of a long spread as shares of capital; the larger one has the size asked for.
fn leg_shares(share: f64, ratio: f64) -> [f64; 2] {
    let size = libm::fabs(ratio);
    let scale = if size > 1.0 { share / size } else { share };
    [scale, -ratio * scale]
}

impl Agent for CointegrationSpread {
    type Config = CointegrationConfig;
    const NAME: &'static str = "cointegration";

    fn new(config: &Self::Config, instruments: &Instruments) -> Result<Self, AgentError> {
        if !(config.position_share > 0.0 && config.position_share <= 1.0) {
            return Err(refuse(
                Self::NAME,
                "position_share",
                "above 0 and at most 1",
            ));
        }
        let is_ordered = config.leave_z >= 0.0
            && config.leave_z < config.enter_z
            && config.enter_z < config.stop_z;
        if !is_ordered {
            return Err(refuse(Self::NAME, "enter_z", "between leave_z and stop_z"));
        }
        if config.leg_ms_max <= 0 {
            return Err(refuse(Self::NAME, "leg_ms_max", "positive"));
        }
        Ok(Self {
            config: *config,
            entries: vec![Entry::default(); PAIRS_MAX],
            count: 0,
            wishes: vec![Wish::NONE; instruments.count()],
        })
    }

    fn observe(&mut self, seen: &Seen<'_>, cause: Cause) {
        match cause {
            Cause::Quote(id) => {
                let index = id.index();
                let mut is_touched = false;
                for pair in seen.structure.pairs() {
                    if pair.first == index || pair.second == index {
                        self.judge(seen, pair);
                        is_touched = true;
                    }
                }
                if is_touched {
                    self.add_up(seen);
                }
            }
            Cause::Trade(..) => {}
            Cause::Timer => {
                self.let_go(seen);
                self.mind_legs(seen);
                self.add_up(seen);
            }
        }
    }

    fn signal(&self, seen: &Seen<'_>, index: usize) -> f64 {
        let mut expected = 0.0;
        for pair in seen.structure.pairs() {
            // A spread above its mean pulls the first leg down and the second one, by the sign of the slope, up.
            let way = pair.z * pair.deviation / 2.0;
            if pair.first == index {
                expected -= way;
            } else if pair.second == index && libm::fabs(pair.slope) > 0.05 {
                expected += way / pair.slope;
            }
        }
        expected
    }

    fn act(&mut self, _seen: &Seen<'_>, index: usize) -> Wish {
        self.wishes[index]
    }

    fn followers(&self, seen: &Seen<'_>, index: usize) -> u128 {
        let others = seen.structure.pairs().iter().map(|pair| {
            if pair.first == index {
                1 << pair.second
            } else if pair.second == index {
                1 << pair.first
            } else {
                0
            }
        });
        others.fold(0, |all, one: u128| all | one)
    }

    fn write(&self, out: &mut impl Sink) {
        out.length(self.count);
        for entry in &self.entries[..self.count] {
            out.u32(u32::from(entry.first));
            out.u32(u32::from(entry.second));
            out.u8(entry.direction.cast_unsigned());
            out.f64(entry.ratio);
            out.f64(entry.edge);
            out.i64(entry.ts_alone_ns);
            out.i64(entry.ts_rest_ns);
        }
        self.wishes.iter().for_each(|wish| wish.write(out));
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.count = from.length(PAIRS_MAX, 41)?;
        let instruments = self.wishes.len();
        for entry in &mut self.entries[..self.count] {
            let mut index = || -> Result<u16, SnapshotError> {
                let index = from.u32()?;
                from.expect((index as usize) < instruments, "an instrument of the table")?;
                Ok(index as u16)
            };
            entry.first = index()?;
            entry.second = index()?;
            entry.direction = from.u8()?.cast_signed();
            from.expect((-1..=1).contains(&entry.direction), "a direction")?;
            entry.ratio = from.finite()?;
            entry.edge = from.finite()?;
            entry.ts_alone_ns = from.time_ns()?;
            entry.ts_rest_ns = from.time_ns()?;
        }
        for wish in &mut self.wishes {
            *wish = Wish::load(from)?;
        }
        Ok(())
    }
}
