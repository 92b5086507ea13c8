//! The paper venue as a source of events: the inner source with the venue's reports woven in.

use acth_core::{
    event::Event,
    port::{EventSink, EventSource, PortError, Progress, Stopped},
};

use super::{PaperState, exchange::Delivery};

/// A source of market data that also executes orders.
#[derive(Debug)]
pub struct PaperVenue<S> {
    inner: S,
    state: PaperState,
}

impl<S: EventSource> PaperVenue<S> {
    /// Joins a source of market data with the state that `channel` made.
    pub const fn new(inner: S, state: PaperState) -> Self {
        Self { inner, state }
    }

    /// The state of the venue.
    pub const fn state(&self) -> &PaperState {
        &self.state
    }

    /// The source of market data.
    pub const fn inner(&self) -> &S {
        &self.inner
    }

    /// The source of market data, to steer it.
    pub const fn inner_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    fn interposed<'a, K: EventSink>(
        &'a mut self,
        outer: &'a mut K,
    ) -> (&'a mut S, Interposed<'a, K>) {
        let interposed = Interposed {
            outer,
            state: &mut self.state,
        };
        (&mut self.inner, interposed)
    }
}

impl<S: EventSource> EventSource for PaperVenue<S> {
    fn poll(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        let (inner, mut interposed) = self.interposed(sink);
        let progress = inner.poll(&mut interposed)?;
        if progress != Progress::Idle {
            return Ok(progress);
        }
        let now_ns = sink.now_ns();
        match self.state.advance(now_ns, Delivery::Now(now_ns), sink) {
            Ok(false) => Ok(Progress::Idle),
            Ok(true) => Ok(Progress::Busy),
            Err(Stopped) => Ok(Progress::Ended),
        }
    }

    /// Executes every command that was submitted and delivers every report, whenever they would have been due.
    fn drain(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        let (inner, mut interposed) = self.interposed(sink);
        let progress = inner.drain(&mut interposed)?;
        match self.state.advance(i64::MAX, Delivery::WhenDue, sink) {
            Ok(true) => Ok(Progress::Busy),
            Ok(false) => Ok(progress),
            Err(Stopped) => Ok(Progress::Ended),
        }
    }
}

/// Stands between the inner source and the run: the venue acts before each event and learns from it after.
struct Interposed<'a, K> {
    outer: &'a mut K,
    state: &'a mut PaperState,
}

impl<K: EventSink> EventSink for Interposed<'_, K> {
    fn emit_with(&mut self, fill: impl FnOnce(&mut Event)) -> Result<(), Stopped> {
        let mut event = Event::EMPTY;
        fill(&mut event);
        self.state
            .advance(event.ts_ingress_ns, Delivery::WhenDue, self.outer)?;
        self.outer.emit(&event)?;
        self.state.observe(&event);
        Ok(())
    }

    fn now_ns(&self) -> i64 {
        self.outer.now_ns()
    }

    fn stamp_ns(&self) -> Option<i64> {
        self.outer.stamp_ns()
    }
}
