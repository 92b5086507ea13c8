//! The two ports of the core: where events come from and where commands go.
//!
//! Venues and simulators implement these traits; the runtime sees nothing else of them.

use alloc::string::String;

use crate::{decision::Outbound, event::Event};

/// The pipeline no longer takes events: stop reading and return.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pipeline has stopped")]
pub struct Stopped;

/// Why a source or sink cannot go on: where it happened and what was wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {cause}")]
pub struct PortError {
    /// File and line, address, or stream.
    pub place: String,
    /// What was found and what was expected, in one sentence without the place.
    pub cause: String,
}

impl PortError {
    /// An error at `place`.
    pub fn new(place: impl Into<String>, cause: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            cause: cause.into(),
        }
    }
}

/// Where a source puts its events: a ring slot, or the core itself in the single-thread mode.
pub trait EventSink {
    /// Makes one event in place. `fill` gets a slot whose old content is undefined and must set every field.
    /// Waits while the sink is full.
    ///
    /// # Errors
    /// `Stopped` when the run is ending; the event was not taken.
    fn emit_with(&mut self, fill: impl FnOnce(&mut Event)) -> Result<(), Stopped>;

    /// Puts a finished event.
    ///
    /// # Errors
    /// As `emit_with`.
    fn emit(&mut self, event: &Event) -> Result<(), Stopped> {
        self.emit_with(|slot| *slot = *event)
    }

    /// The present time in ns since the Unix epoch, by the clock of the run.
    fn now_ns(&self) -> i64;

    /// The present for a stamp that only measures, ns since the Unix epoch. `None` where the run's time is not real time: nothing
    /// that a real clock says may enter the journal there.
    fn stamp_ns(&self) -> Option<i64> {
        None
    }
}

/// What one poll of a source achieved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing to do just now.
    Idle,
    /// At least one event was emitted or one message was handled.
    Busy,
    /// There will be no more events.
    Ended,
}

/// A source of events, polled by the ingress thread. One poll is one short duty cycle; it never blocks.
pub trait EventSource {
    /// Reads what is there, up to a bound of the source's own choosing, and emits it.
    ///
    /// # Errors
    /// When the source cannot go on at all. A gap or a bad message is not an error but an event.
    fn poll(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError>;

    /// The run is about to end: emit what is still owed (reports of the paper venue) without reading further.
    /// Returns `Ended` when nothing is owed any more.
    ///
    /// # Errors
    /// As `poll`.
    fn drain(&mut self, _sink: &mut impl EventSink) -> Result<Progress, PortError> {
        Ok(Progress::Ended)
    }
}

/// A sink of commands, called by the egress thread.
pub trait CommandSink {
    /// Takes one command. It has left when the next `flush` returns, at the latest: a sink may put what comes together into one write.
    ///
    /// # Errors
    /// When the command was certainly not sent and never will be.
    fn submit(&mut self, outbound: &Outbound) -> Result<(), PortError>;

    /// Sends what was taken and has not left yet. Called soon after every `submit`: when there is no further command just now, or after
    /// a bounded number of them. A sink that sends at once has nothing to do here.
    ///
    /// # Errors
    /// When it is not known how much of it left: all of it counts as sent.
    fn flush(&mut self) -> Result<(), PortError> {
        Ok(())
    }

    /// Asks the venue itself to cancel everything of ours and to take no new order: for the kill flag, without the core. What the
    /// venue reports of it comes in as ever. A sink whose venue cannot do this does nothing; the core's own cancels remain.
    ///
    /// # Errors
    /// When the request was certainly not sent.
    fn cancel_all(&mut self) -> Result<(), PortError> {
        Ok(())
    }
}

/// A borrowed source is a source: the lender can look at its counters afterwards.
impl<S: EventSource> EventSource for &mut S {
    fn poll(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        (**self).poll(sink)
    }

    fn drain(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        (**self).drain(sink)
    }
}

/// A borrowed sink is a sink.
impl<S: CommandSink> CommandSink for &mut S {
    fn submit(&mut self, outbound: &Outbound) -> Result<(), PortError> {
        (**self).submit(outbound)
    }

    fn flush(&mut self) -> Result<(), PortError> {
        (**self).flush()
    }

    fn cancel_all(&mut self) -> Result<(), PortError> {
        (**self).cancel_all()
    }
}
