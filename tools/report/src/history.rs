//! What came and went: edges of the correlation graph, trading states.

use std::collections::BTreeMap;

use acth_core::{
    decision::{Decision, DecisionKind},
    risk::{StateReason, TradingState},
};

/// Most trading states listed; later ones are counted.
pub const CHANGES_MAX: usize = 200;
/// Most stays of edges kept, of all pairs together; later ones are counted.
pub const SPANS_MAX: usize = 4_000;

/// A trading state that began.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StateChange {
    pub(crate) sequence: u64,
    pub(crate) ts_ns: i64,
    pub(crate) state: Option<TradingState>,
    pub(crate) reason: Option<StateReason>,
}

/// A stay of an edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span {
    pub(crate) ts_start_ns: i64,
    /// When it went; `None` = it is still there.
    pub(crate) ts_final_ns: Option<i64>,
    pub(crate) correlation: f64,
    /// How far the first is ahead, ns.
    pub(crate) lag_ns: i64,
}

/// Both, over the whole journal.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) states: Vec<StateChange>,
    /// Trading states beyond those listed.
    pub(crate) states_left_out: u64,
    pub(crate) edges: BTreeMap<(u16, u16), Vec<Span>>,
    /// Edges that came, and that went.
    pub(crate) edges_came: u64,
    pub(crate) edges_went: u64,
    spans: usize,
    /// Stays beyond those kept.
    pub(crate) spans_left_out: u64,
}

impl History {
    /// Takes a decision in that was made at this time.
    pub(crate) fn take(&mut self, sequence: u64, ts_ns: i64, decision: &Decision) {
        match decision.kind() {
            Some(DecisionKind::TradingStateChanged) => {
                let change = StateChange {
                    sequence,
                    ts_ns,
                    state: TradingState::from_code(decision.state),
                    reason: StateReason::from_code(decision.reason),
                };
                if self.states.len() < CHANGES_MAX {
                    self.states.push(change);
                } else {
                    self.states_left_out += 1;
                }
            }
            Some(DecisionKind::EdgeChanged) => self.take_edge(ts_ns, decision),
            _ => {}
        }
    }

    fn take_edge(&mut self, ts_ns: i64, decision: &Decision) {
        let pair = (decision.instrument, decision.agent);
        if decision.state == 0 {
            self.edges_went += 1;
            let last = self.edges.get_mut(&pair).and_then(|spans| spans.last_mut());
            if let Some(span) = last.filter(|span| span.ts_final_ns.is_none()) {
                span.ts_final_ns = Some(ts_ns);
            }
            return;
        }
        self.edges_came += 1;
        if self.spans == SPANS_MAX {
            self.spans_left_out += 1;
            return;
        }
        self.spans += 1;
        self.edges.entry(pair).or_default().push(Span {
            ts_start_ns: ts_ns,
            ts_final_ns: None,
            correlation: f64::from_bits(decision.signal_bits),
            lag_ns: decision.price,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(is_there: bool) -> Decision {
        Decision {
            kind: DecisionKind::EdgeChanged as u8,
            instrument: 1,
            agent: 4,
            state: u8::from(is_there),
            price: 50,
            signal_bits: 0.5_f64.to_bits(),
            ..Decision::default()
        }
    }

    #[test]
    fn an_edge_stays_from_when_it_came_until_it_went() {
        let mut history = History::default();
        for (ts_ns, is_there) in [(10, true), (20, false), (30, true)] {
            history.take(1, ts_ns, &edge(is_there));
        }
        let spans = &history.edges[&(1, 4)];
        let times: Vec<_> = spans
            .iter()
            .map(|span| (span.ts_start_ns, span.ts_final_ns))
            .collect();
        assert_eq!(times, [(10, Some(20)), (30, None)]);
        assert_eq!((history.edges_came, history.edges_went), (2, 1));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut history = History::default();
        for ts_ns in 0..(SPANS_MAX as i64 + 7) {
            history.take(1, ts_ns, &edge(true));
        }
        assert_eq!(history.edges[&(1, 4)].len(), SPANS_MAX);
        assert_eq!(history.spans_left_out, 7);
    }
}
