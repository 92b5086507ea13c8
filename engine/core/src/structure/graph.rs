//! Which pairs move together: edges that come, stay and go.
//!
//! An edge appears when its score passes one threshold and vanishes below a lower one, so that a score that hovers
//! about either does not make it flicker. Each coming and going is one `EdgeChange` in a bounded list; what does not fit
//! any more is counted, and the edges themselves remain right.

use alloc::{vec, vec::Vec};

use super::{
    found::{Edge, EdgeChange},
    lead_lag::LagPeak,
    persist::{load_float, load_index},
};
use crate::snapshot::{Decoder, Sink, SnapshotError};

/// Most changes that wait to be taken.
pub const CHANGES_MAX: usize = 1_024;

/// When edges come and go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EdgeRules {
    /// Score at which an edge appears.
    pub appear_score: f64,
    /// Score below which it vanishes; lower.
    pub vanish_score: f64,
    /// Size of the correlation at which it appears.
    pub appear_correlation: f64,
    /// Size below which it vanishes; lower.
    pub vanish_correlation: f64,
    /// Time between two lags, ns.
    pub lag_step_ns: i64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    is_edge: bool,
    /// Steps that the first is ahead.
    lag: i32,
    correlation: f64,
}

/// All pairs of up to 128 instruments.
#[derive(Clone, Debug)]
pub struct Graph {
    rules: EdgeRules,
    count: usize,
    /// Row after row: (0, 1), (0, 2), ... (1, 2), ...
    slots: Vec<Slot>,
    changes: Vec<EdgeChange>,
    dropped_count: u64,
    edge_count: usize,
}

impl Graph {
    /// No edge yet.
    pub fn new(count: usize, rules: EdgeRules) -> Self {
        Self {
            rules,
            count,
            slots: vec![Slot::default(); count * count.saturating_sub(1) / 2],
            changes: Vec::with_capacity(CHANGES_MAX),
            dropped_count: 0,
            edge_count: 0,
        }
    }

    const fn slot_index(&self, first: usize, second: usize) -> usize {
        first * (2 * self.count - first - 1) / 2 + second - first - 1
    }

    /// Takes what is known now of a pair, `first` below `second`; none counts as no relation at all.
    pub fn observe(&mut self, first: usize, second: usize, peak: Option<LagPeak>) {
        let rules = self.rules;
        let index = self.slot_index(first, second);
        let slot = &mut self.slots[index];
        let peak = peak.unwrap_or_default();
        let size = libm::fabs(peak.total);
        let was_edge = slot.is_edge;
        let is_edge = if was_edge {
            peak.score >= rules.vanish_score && size >= rules.vanish_correlation
        } else {
            peak.score >= rules.appear_score && size >= rules.appear_correlation
        };
        slot.is_edge = is_edge;
        // An edge that goes is told as it was: its last lag is not noise yet.
        let told = *slot;
        if is_edge {
            slot.lag = peak.lag;
            slot.correlation = peak.total;
        } else {
            slot.lag = 0;
            slot.correlation = 0.0;
        }
        if is_edge == was_edge {
            return;
        }
        let slot = if is_edge { *slot } else { told };
        if is_edge {
            self.edge_count += 1;
        } else {
            self.edge_count -= 1;
        }
        if self.changes.len() == CHANGES_MAX {
            self.dropped_count += 1;
            return;
        }
        self.changes.push(EdgeChange {
            edge: edge_of(first, second, slot, rules.lag_step_ns),
            appeared: is_edge,
        });
    }

    /// The edge of a pair, in either order; the lag is that of `first` ahead of `second`.
    pub fn edge(&self, first: usize, second: usize) -> Option<Edge> {
        if first == second || first >= self.count || second >= self.count {
            return None;
        }
        let (low, high) = (first.min(second), first.max(second));
        let slot = self.slots[self.slot_index(low, high)];
        let mut edge = edge_of(low, high, slot, self.rules.lag_step_ns);
        if first > second {
            edge = Edge {
                first,
                second,
                lag_ns: -edge.lag_ns,
                ..edge
            };
        }
        slot.is_edge.then_some(edge)
    }

    /// All edges, by their first and then their second instrument.
    pub fn edges(&self) -> impl Iterator<Item = Edge> {
        let pairs = (0..self.count)
            .flat_map(|first| (first + 1..self.count).map(move |second| (first, second)));
        let step_ns = self.rules.lag_step_ns;
        self.slots
            .iter()
            .zip(pairs)
            .filter(|(slot, _)| slot.is_edge)
            .map(move |(slot, (first, second))| edge_of(first, second, *slot, step_ns))
    }

    /// How many edges there are.
    pub const fn edge_count(&self) -> usize {
        self.edge_count
    }

    /// The edge in which someone leads this instrument most strongly, as seen from the leader; the first among equals.
    pub fn leader_edge(&self, follower: usize) -> Option<Edge> {
        let mut best: Option<Edge> = None;
        for leader in 0..self.count {
            let Some(edge) = self.edge(leader, follower) else {
                continue;
            };
            let record = best.map_or(0.0, |edge| libm::fabs(edge.correlation));
            if edge.lag_ns > 0 && libm::fabs(edge.correlation) > record {
                best = Some(edge);
            }
        }
        best
    }

    /// The changes since the last call, oldest first.
    pub fn take_changes(&mut self) -> impl Iterator<Item = EdgeChange> {
        self.changes.drain(..)
    }

    /// Changes that nobody took in time.
    pub const fn dropped_count(&self) -> u64 {
        self.dropped_count
    }

    /// Writes the exact state; the rules are parameters.
    pub fn write(&self, out: &mut impl Sink) {
        for slot in &self.slots {
            out.bool(slot.is_edge);
            if slot.is_edge {
                out.u32(slot.lag.cast_unsigned());
                out.f64(slot.correlation);
            }
        }
        out.length(self.changes.len());
        for change in &self.changes {
            out.u32(change.edge.first as u32);
            out.u32(change.edge.second as u32);
            out.f64(change.edge.correlation);
            out.i64(change.edge.lag_ns);
            out.bool(change.appeared);
        }
        out.u64(self.dropped_count);
    }

    /// Reads what one of as many instruments wrote.
    ///
    /// # Errors
    /// The bytes end, or a value cannot be.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.edge_count = 0;
        for slot in &mut self.slots {
            *slot = Slot::default();
            slot.is_edge = from.bool()?;
            if slot.is_edge {
                slot.lag = from.u32()?.cast_signed();
                let is_lag = slot.lag.unsigned_abs() <= super::config::LAG_COUNT_MAX as u32;
                from.expect(is_lag, "a lag within its bound")?;
                slot.correlation = load_float(from)?;
                self.edge_count += 1;
            }
        }
        self.changes.clear();
        for _ in 0..from.length(CHANGES_MAX, 25)? {
            let edge = Edge {
                first: load_index(from, self.count)?,
                second: load_index(from, self.count)?,
                correlation: load_float(from)?,
                lag_ns: from.i64()?,
            };
            let is_pair = edge.first < edge.second && edge.second < self.count;
            from.expect(is_pair, "two instruments in their order")?;
            let appeared = from.bool()?;
            self.changes.push(EdgeChange { edge, appeared });
        }
        self.dropped_count = from.count()?;
        Ok(())
    }
}

const fn edge_of(first: usize, second: usize, slot: Slot, step_ns: i64) -> Edge {
    Edge {
        first,
        second,
        correlation: slot.correlation,
        lag_ns: slot.lag as i64 * step_ns,
    }
}
