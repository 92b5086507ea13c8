//! Several sources as one: each poll goes to the next of them in turn.
//!
//! Invariant: a source that ended or failed is not polled again; the group ends when all of them have.

use acth_core::port::{EventSink, EventSource, PortError, Progress};

/// Sources of one type, polled in turn.
#[derive(Debug)]
pub struct MultiSource<S> {
    sources: Vec<S>,
    has_ended: Vec<bool>,
    next: usize,
}

impl<S> MultiSource<S> {
    /// Polls `sources` in the given order, over and over.
    pub fn new(sources: Vec<S>) -> Self {
        Self {
            has_ended: vec![false; sources.len()],
            sources,
            next: 0,
        }
    }

    /// The sources, in order.
    pub fn sources(&self) -> &[S] {
        &self.sources
    }
}

impl<S: EventSource> MultiSource<S> {
    /// One duty cycle is one turn of one source that has something to do: idle ones are passed over at once.
    fn turn<K: EventSink>(
        &mut self,
        sink: &mut K,
        step: impl Fn(&mut S, &mut K) -> Result<Progress, PortError>,
    ) -> Result<Progress, PortError> {
        let count = self.sources.len();
        let mut total = Progress::Ended;
        for _ in 0..count {
            let index = self.next;
            self.next = (self.next + 1) % count;
            if self.has_ended[index] {
                continue;
            }
            match step(&mut self.sources[index], sink) {
                Ok(Progress::Busy) => return Ok(Progress::Busy),
                Ok(Progress::Idle) => total = Progress::Idle,
                Ok(Progress::Ended) => self.has_ended[index] = true,
                Err(error) => {
                    self.has_ended[index] = true;
                    return Err(error);
                }
            }
        }
        Ok(total)
    }
}

impl<S: EventSource> EventSource for MultiSource<S> {
    fn poll(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        self.turn(sink, |source, sink| source.poll(sink))
    }

    fn drain(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        // Draining asks every source, also those that have nothing more to read.
        let mut total = Progress::Ended;
        for source in &mut self.sources {
            match source.drain(sink)? {
                Progress::Busy => total = Progress::Busy,
                Progress::Idle if total == Progress::Ended => total = Progress::Idle,
                Progress::Idle | Progress::Ended => {}
            }
        }
        Ok(total)
    }
}

/// Two sources of different types, polled in turn.
#[derive(Debug)]
pub struct PairSource<A, B> {
    first: A,
    other: B,
    first_has_ended: bool,
    other_has_ended: bool,
    is_other_next: bool,
}

impl<A, B> PairSource<A, B> {
    /// Polls `first` and `other` in turn.
    pub const fn new(first: A, other: B) -> Self {
        Self {
            first,
            other,
            first_has_ended: false,
            other_has_ended: false,
            is_other_next: false,
        }
    }

    /// The two sources.
    pub const fn parts(&self) -> (&A, &B) {
        (&self.first, &self.other)
    }
}

impl<A: EventSource, B: EventSource> PairSource<A, B> {
    fn step(&mut self, is_other: bool, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        let has_ended = if is_other {
            &mut self.other_has_ended
        } else {
            &mut self.first_has_ended
        };
        if *has_ended {
            return Ok(Progress::Ended);
        }
        // Set before the call, so that a source that fails is not polled again.
        *has_ended = true;
        let progress = if is_other {
            self.other.poll(sink)?
        } else {
            self.first.poll(sink)?
        };
        let has_ended = if is_other {
            &mut self.other_has_ended
        } else {
            &mut self.first_has_ended
        };
        *has_ended = progress == Progress::Ended;
        Ok(progress)
    }
}

impl<A: EventSource, B: EventSource> EventSource for PairSource<A, B> {
    fn poll(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        let is_other = self.is_other_next;
        self.is_other_next = !is_other;
        let here = self.step(is_other, sink)?;
        if here == Progress::Busy {
            return Ok(here);
        }
        self.is_other_next = is_other;
        match (here, self.step(!is_other, sink)?) {
            (_, Progress::Busy) => Ok(Progress::Busy),
            (Progress::Ended, Progress::Ended) => Ok(Progress::Ended),
            _ => Ok(Progress::Idle),
        }
    }

    fn drain(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        match (self.first.drain(sink)?, self.other.drain(sink)?) {
            (Progress::Busy, _) | (_, Progress::Busy) => Ok(Progress::Busy),
            (Progress::Ended, Progress::Ended) => Ok(Progress::Ended),
            _ => Ok(Progress::Idle),
        }
    }
}
