//! A scripted source and a sink that answers like a venue: accepts every order, cancels what is asked for.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use acth_core::{
    decision::{DecisionKind, Outbound},
    event::{Event, EventKind, OrderReport, ReportReason},
    port::{CommandSink, EventSink, EventSource, PortError, Progress},
};

/// What the source does besides its script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceFault {
    None,
    Panic,
    Error,
    BadEvent,
    /// Never ends by itself.
    Endless,
    /// Gives what it owes only after it was asked many times.
    OwesLate,
    /// Never ends by itself, and always owes one more report.
    OwesForEver,
}

/// What the sink does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SinkFault {
    None,
    Panic,
    Error,
    Slow,
}

type Reports = Arc<Mutex<VecDeque<Event>>>;

pub(crate) struct Source {
    script: VecDeque<Event>,
    reports: Reports,
    pub(crate) fault: SourceFault,
    pub(crate) per_poll: usize,
    drain_count: u64,
}

pub(crate) struct Sink {
    reports: Reports,
    pub(crate) sent: Arc<Mutex<Vec<Outbound>>>,
    pub(crate) fault: SinkFault,
}

/// Both ends of a venue.
pub(crate) fn venue(script: Vec<Event>) -> (Source, Sink) {
    let reports = Reports::default();
    let source = Source {
        script: script.into(),
        reports: Arc::clone(&reports),
        fault: SourceFault::None,
        per_poll: 7,
        drain_count: 0,
    };
    let sink = Sink {
        reports,
        sent: Arc::default(),
        fault: SinkFault::None,
    };
    (source, sink)
}

impl Source {
    fn owed(&self) -> Option<Event> {
        self.reports.lock().unwrap().pop_front()
    }
}

impl EventSource for Source {
    fn poll(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        for _ in 0..self.per_poll {
            if let Some(report) = self.owed() {
                if sink.emit(&report).is_err() {
                    return Ok(Progress::Ended);
                }
                continue;
            }
            let Some(event) = self.script.pop_front() else {
                return match self.fault {
                    SourceFault::None | SourceFault::OwesLate => Ok(Progress::Ended),
                    SourceFault::Panic => panic!("planted in the source"),
                    SourceFault::Error => Err(PortError::new("file 3", "planted error")),
                    SourceFault::BadEvent => {
                        let _ = sink.emit_with(|slot| *slot = Event::EMPTY);
                        Ok(Progress::Idle)
                    }
                    SourceFault::Endless | SourceFault::OwesForEver => Ok(Progress::Idle),
                };
            };
            if sink.emit(&event).is_err() {
                return Ok(Progress::Ended);
            }
        }
        Ok(Progress::Busy)
    }

    fn drain(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        self.drain_count += 1;
        if self.fault == SourceFault::OwesLate && self.drain_count < 2000 {
            return Ok(Progress::Idle);
        }
        match self.owed() {
            Some(report) => {
                let _ = sink.emit(&report);
                Ok(Progress::Busy)
            }
            None if self.fault == SourceFault::OwesForEver => Ok(Progress::Idle),
            None => Ok(Progress::Ended),
        }
    }
}

impl CommandSink for Sink {
    fn submit(&mut self, outbound: &Outbound) -> Result<(), PortError> {
        match self.fault {
            SinkFault::None => {}
            SinkFault::Panic => panic!("planted in the sink"),
            SinkFault::Error => return Err(PortError::new("session 1", "planted refusal")),
            SinkFault::Slow => std::thread::sleep(Duration::from_millis(20)),
        }
        self.sent.lock().unwrap().push(*outbound);
        let (kind, reason) = match outbound.decision.kind() {
            Some(DecisionKind::CancelOrder) => (EventKind::OrderCancelled, ReportReason::Requested),
            _ => (EventKind::OrderAccepted, ReportReason::None),
        };
        let body = OrderReport {
            client_order_id: outbound.decision.client_order_id,
            venue_order_id: outbound.sequence,
            reserved: [0; 3],
        };
        let ts_ns = outbound.ts_decided_ns + 1000;
        let report = Event::new(kind, outbound.decision.instrument_id())
            .at(ts_ns, ts_ns)
            .with_detail(reason as u8)
            .with_body(&body);
        self.reports.lock().unwrap().push_back(report);
        Ok(())
    }
}
