//! Takes what a leader has moved and its follower has yet to move.
//!
//! For a follower with leader, lag and slope found by the structure, the expected return is
//! `slope x (leader now - leader a lag ago)`: what the leader did before that the follower has already done. When this pays
//! for crossing the spread in and out the agent enters. How much of its expectations comes true is measured, and only
//! that much is believed. It leaves in patience when the lag has passed twice, in haste when the expectation has turned
//! against it.

use alloc::{vec, vec::Vec};

use serde::{Deserialize, Serialize};

use super::super::{Agent, AgentError, Cause, Seen, Trust, Wish, seen::refuse};
use crate::{
    instrument::{INSTRUMENTS_MAX, Instruments},
    snapshot::{Decoder, Sink, SnapshotError},
};

/// Parameters of `LeadLagTaker`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LeadLagConfig {
    /// Least correlation with the leader's earlier returns.
    pub correlation_min: f64,
    /// What the expectation must promise beyond the costs of both ways, parts per million of the price.
    pub edge_ppm_min: f64,
    /// Size of one position as a share of the agent's capital.
    pub position_share: f64,
    /// Longest time a position is held, milliseconds; twice the lag if that is less.
    pub hold_ms_max: i64,
}

impl Default for LeadLagConfig {
    fn default() -> Self {
        Self {
            correlation_min: 0.1,
            edge_ppm_min: 3.0,
            position_share: 0.5,
            hold_ms_max: 3_000,
        }
    }
}

/// Prices kept of each instrument, one a `SAMPLE_NS`.
const PAST: usize = 128;
/// Time between two of them: the longest lag is 1.28 s.
const SAMPLE_NS: i64 = 10_000_000;

/// The last prices of one instrument.
#[derive(Clone, Debug)]
struct Past {
    log_prices: [f64; PAST],
    times_ns: [i64; PAST],
    newest: usize,
}

impl Past {
    const EMPTY: Self = Self {
        log_prices: [0.0; PAST],
        times_ns: [0; PAST],
        newest: 0,
    };

    fn push(&mut self, now_ns: i64, log_price: f64) {
        if self.times_ns[self.newest] != 0 && now_ns - self.times_ns[self.newest] < SAMPLE_NS {
            return;
        }
        self.newest = (self.newest + 1) % PAST;
        self.times_ns[self.newest] = now_ns;
        self.log_prices[self.newest] = log_price;
    }

    /// The price that stood at this time; None when that is longer ago than is remembered.
    fn at(&self, time_ns: i64) -> Option<f64> {
        for back in 0..PAST {
            let place = (self.newest + PAST - back) % PAST;
            match self.times_ns[place] {
                0 => return None,
                sampled_ns if sampled_ns <= time_ns => return Some(self.log_prices[place]),
                _ => {}
            }
        }
        None
    }
}

/// What it holds of one follower.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    /// +1 long, -1 short, 0 flat.
    direction: i8,
    ts_entered_ns: i64,
    hold_ns: i64,
}

/// What an expectation that is waited for was, and when it should have come true.
#[derive(Clone, Copy, Debug, Default)]
struct Waiting {
    expected: f64,
    log_mid: f64,
    /// 0 = nothing is waited for.
    ts_due_ns: i64,
}

/// What is left of trust after an outcome: half after 17.
const TRUST_KEPT: f64 = 0.96;
/// Share of the costs of both ways from which on an expectation is followed to its outcome.
const FOLLOWED_COSTS: f64 = 0.5;

/// The agent; see the module.
#[derive(Debug)]
pub struct LeadLagTaker {
    config: LeadLagConfig,
    past: Vec<Past>,
    held: Vec<Held>,
    waiting: Vec<Waiting>,
    trust: Vec<Trust>,
    /// Followers of each instrument as bits, renewed with every timer.
    followers: Vec<u128>,
}

const _: () = assert!(INSTRUMENTS_MAX <= u128::BITS as usize);

impl LeadLagTaker {
    /// Learns from the expectation that was waited for, and waits for the next one that is worth it.
    fn follow_up(&mut self, seen: &Seen<'_>, index: usize, costs: f64) {
        let Some(quote) = seen.quote(index) else {
            return;
        };
        let waiting = &mut self.waiting[index];
        if waiting.ts_due_ns != 0 && seen.now_ns < waiting.ts_due_ns {
            return;
        }
        let log_mid = libm::log(quote.mid_doubled() as f64);
        if waiting.ts_due_ns != 0 {
            self.trust[index].learn(waiting.expected, log_mid - waiting.log_mid);
            waiting.ts_due_ns = 0;
        }
        // Before trust: a leader that is not believed any more can win it back.
        let expected = self.expected(seen, index);
        if libm::fabs(expected) > FOLLOWED_COSTS * costs {
            let lag_ns = seen
                .structure
                .leader_of(index)
                .map_or(0, |lead| lead.lag_ns);
            self.waiting[index] = Waiting {
                expected,
                log_mid,
                ts_due_ns: seen.now_ns + lag_ns.max(SAMPLE_NS),
            };
        }
    }

    /// The expected log return of a follower; 0 without a leader, or while its past is unknown.
    fn expected(&self, seen: &Seen<'_>, index: usize) -> f64 {
        let Some(lead) = seen.structure.leader_of(index) else {
            return 0.0;
        };
        if libm::fabs(lead.correlation) < self.config.correlation_min
            || seen.quote(lead.leader).is_none()
        {
            return 0.0;
        }
        let before = self.past[lead.leader].at(seen.now_ns - lead.lag_ns.max(0));
        before.map_or(0.0, |before| {
            lead.beta * (seen.features.row(lead.leader).log_price() - before)
        })
    }
}

impl Agent for LeadLagTaker {
    type Config = LeadLagConfig;
    const NAME: &'static str = "lead-lag";

    fn new(config: &Self::Config, instruments: &Instruments) -> Result<Self, AgentError> {
        if !(config.position_share > 0.0 && config.position_share <= 1.0) {
            return Err(refuse(
                Self::NAME,
                "position_share",
                "above 0 and at most 1",
            ));
        }
        if config.hold_ms_max <= 0 {
            return Err(refuse(Self::NAME, "hold_ms_max", "positive"));
        }
        let count = instruments.count();
        Ok(Self {
            config: *config,
            past: vec![Past::EMPTY; count],
            held: vec![Held::default(); count],
            waiting: vec![Waiting::default(); count],
            trust: vec![Trust::new(TRUST_KEPT); count],
            followers: vec![0; count],
        })
    }

    fn observe(&mut self, seen: &Seen<'_>, cause: Cause) {
        match cause {
            Cause::Quote(id) => {
                let log_price = seen.features.row(id.index()).log_price();
                self.past[id.index()].push(seen.now_ns, log_price);
            }
            Cause::Trade(..) => {}
            Cause::Timer => {
                self.followers.fill(0);
                for follower in 0..seen.count() {
                    if let Some(lead) = seen.structure.leader_of(follower) {
                        self.followers[lead.leader] |= 1 << follower;
                    }
                }
            }
        }
    }

    fn signal(&self, seen: &Seen<'_>, index: usize) -> f64 {
        self.expected(seen, index) * self.trust[index].share()
    }

    fn act(&mut self, seen: &Seen<'_>, index: usize) -> Wish {
        let expected = seen.signals.of(seen.agent, index);
        let Some(cost) = seen.cost_to_cross(index) else {
            return Wish::NONE;
        };
        let edge = libm::fabs(expected);
        let direction: i8 = if expected > 0.0 { 1 } else { -1 };
        let needed = 2.0 * cost + self.config.edge_ppm_min * 1e-6;
        self.follow_up(seen, index, 2.0 * cost);
        let held = &mut self.held[index];
        if edge > needed {
            let lag_ns = seen
                .structure
                .leader_of(index)
                .map_or(0, |lead| lead.lag_ns);
            *held = Held {
                direction,
                ts_entered_ns: seen.now_ns,
                hold_ns: (2 * lag_ns).clamp(200_000_000, self.config.hold_ms_max * 1_000_000),
            };
        }
        let is_turned = held.direction == -direction && edge > cost;
        let age_ns = seen.now_ns - held.ts_entered_ns;
        if held.direction != 0 && (is_turned || age_ns > held.hold_ns) {
            let is_late = age_ns > 4 * held.hold_ns;
            held.direction = 0;
            let leave = Wish::position(0.0, if is_turned { edge } else { 0.0 });
            return if is_late { leave.urgent() } else { leave };
        }
        if held.direction == 0 {
            return Wish::NONE;
        }
        if edge > needed {
            return Wish::position(f64::from(held.direction) * self.config.position_share, edge);
        }
        // What could not be had while it paid is not run after.
        Wish::HOLD
    }

    fn followers(&self, _seen: &Seen<'_>, index: usize) -> u128 {
        self.followers[index]
    }

    fn write(&self, out: &mut impl Sink) {
        for past in &self.past {
            for back in (0..PAST).rev() {
                let place = (past.newest + PAST - back) % PAST;
                out.i64(past.times_ns[place]);
                out.f64(past.log_prices[place]);
            }
        }
        for held in &self.held {
            out.u8(held.direction.cast_unsigned());
            out.i64(held.ts_entered_ns);
            out.i64(held.hold_ns);
        }
        for waiting in &self.waiting {
            out.f64(waiting.expected);
            out.f64(waiting.log_mid);
            out.i64(waiting.ts_due_ns);
        }
        self.trust.iter().for_each(|trust| trust.write(out));
        for followers in &self.followers {
            out.i128(followers.cast_signed());
        }
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        for past in &mut self.past {
            past.newest = PAST - 1;
            for place in 0..PAST {
                past.times_ns[place] = from.time_ns()?;
                past.log_prices[place] = from.f64()?;
            }
        }
        for held in &mut self.held {
            held.direction = from.u8()?.cast_signed();
            from.expect((-1..=1).contains(&held.direction), "a direction")?;
            held.ts_entered_ns = from.time_ns()?;
            held.hold_ns = from.time_ns()?;
        }
        for waiting in &mut self.waiting {
            waiting.expected = from.finite()?;
            waiting.log_mid = from.finite()?;
            waiting.ts_due_ns = from.time_ns()?;
        }
        self.trust
            .iter_mut()
            .try_for_each(|trust| trust.load(from))?;
        let count = self.past.len();
        for followers in &mut self.followers {
            *followers = from.i128()?.cast_unsigned();
            let is_known = count == 128 || *followers >> count == 0;
            from.expect(is_known, "followers of the table")?;
        }
        Ok(())
    }
}
