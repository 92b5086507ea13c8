//! A core that is looked at while it is replayed. What it decides is what it decides alone.

use acth_core::{
    core::{Core, Input},
    decision::{Decision, Decisions},
    event::{Event, EventKind},
    strategy::Strategy,
};
use acth_engine::machine::Machine;

use crate::{
    history::History,
    orders::{Cause, Orders},
    sampling::{Sampler, drawdown},
};

/// What was seen.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) sampler: Sampler,
    pub(crate) orders: Orders,
    pub(crate) history: History,
    /// Core time of the first and last input.
    pub(crate) span_ns: Option<(i64, i64)>,
    /// Deepest fall of equity below its highest, as a share of that, after any input.
    pub(crate) drawdown_max: f64,
    /// Largest gross exposure after any input, in account currency.
    pub(crate) gross_max: f64,
}

impl Seen {
    pub(crate) fn new(sampler: Sampler) -> Self {
        Self {
            sampler,
            orders: Orders::new(),
            history: History::default(),
            span_ns: None,
            drawdown_max: 0.0,
            gross_max: 0.0,
        }
    }
}

/// The core, and what was seen of it.
#[derive(Debug)]
pub(crate) struct Observed<S> {
    pub(crate) core: Core<S>,
    pub(crate) seen: Seen,
}

impl<S: Strategy + 'static> Observed<S> {
    fn look(&mut self, sequence: u64, event: &Event, decisions: &[Decision]) {
        let (core, seen) = (&self.core, &mut self.seen);
        let now_ns = core.now_ns();
        let start_ns = seen.span_ns.map_or(now_ns, |(start_ns, _)| start_ns);
        seen.span_ns = Some((start_ns, now_ns));
        seen.drawdown_max = seen.drawdown_max.max(drawdown(core));
        let gross = core.portfolio().gross_exposure().to_f64();
        seen.gross_max = seen.gross_max.max(gross);
        seen.orders.report(event);
        let cause = Cause {
            sequence,
            kind: EventKind::from_code(event.kind),
            instrument: event.instrument,
        };
        for (index, decision) in decisions.iter().enumerate() {
            let sequence = sequence + 1 + index as u64;
            seen.orders.take(sequence, now_ns, cause, decision);
            seen.history.take(sequence, now_ns, decision);
        }
    }
}

impl<S: Strategy + 'static> Machine for Observed<S> {
    fn apply(&mut self, sequence: u64, ts_core_ns: i64, event: &Event, decisions: &mut Decisions) {
        let ts_ns = ts_core_ns.max(self.core.now_ns());
        self.seen.sampler.before(&self.core, ts_ns);
        self.core.apply(
            Input {
                sequence,
                ts_core_ns,
                event,
            },
            decisions,
        );
        self.look(sequence, event, decisions.as_slice());
    }

    fn state_hash(&self) -> u64 {
        self.core.state_hash()
    }
}
