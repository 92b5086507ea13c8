//! When a session may try again: connections after failures, and snapshots within the venue's budget.
//!
//! Invariant: never more than one snapshot request of an instrument at a time, never more than the budget in all.

use std::time::Duration;

use acth_core::instrument::InstrumentId;

/// The times a session keeps. The defaults fit the venue's published limits: 300 connections and some hundred deep
/// snapshots in five minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTiming {
    /// Longest wait for a connection and its handshake.
    pub connect_timeout: Duration,
    /// Longest wait for the first message; an unknown stream is accepted and stays silent.
    pub first_message_timeout: Duration,
    /// Longest silence of an open connection.
    pub silence_timeout: Duration,
    /// First wait after a lost connection; doubles with every loss.
    pub reconnect_min: Duration,
    /// Longest wait after a lost connection.
    pub reconnect_max: Duration,
    /// A connection that lasted so long starts again with the first wait.
    pub stable_after: Duration,
    /// Longest wait for a snapshot.
    pub snapshot_timeout: Duration,
    /// First wait between two snapshots of one instrument; doubles until its book is live.
    pub snapshot_retry_min: Duration,
    /// Longest wait between two snapshots of one instrument, and the pause after a refusal for asking too often.
    pub snapshot_retry_max: Duration,
    /// So many snapshots may be asked for at once.
    pub snapshot_burst_count: u32,
    /// After a burst, one more is allowed each time this has passed.
    pub snapshot_refill: Duration,
}

impl Default for SessionTiming {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            first_message_timeout: Duration::from_secs(10),
            silence_timeout: Duration::from_secs(30),
            reconnect_min: Duration::from_millis(250),
            reconnect_max: Duration::from_secs(30),
            stable_after: Duration::from_secs(60),
            snapshot_timeout: Duration::from_secs(5),
            snapshot_retry_min: Duration::from_secs(1),
            snapshot_retry_max: Duration::from_secs(60),
            snapshot_burst_count: 16,
            snapshot_refill: Duration::from_secs(3),
        }
    }
}

/// A duration as i64 nanoseconds; longer ones than fit are as good as for ever.
pub(super) fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// Capped exponential back-off.
#[derive(Debug)]
pub(super) struct Backoff {
    min_ns: i64,
    max_ns: i64,
    next_ns: i64,
}

impl Backoff {
    pub(super) fn new(min: Duration, max: Duration) -> Self {
        let min_ns = nanoseconds(min);
        Self {
            min_ns,
            max_ns: nanoseconds(max).max(min_ns),
            next_ns: min_ns,
        }
    }

    /// The wait after this failure; the next one is twice as long, up to the cap.
    pub(super) fn fail(&mut self) -> i64 {
        let wait_ns = self.next_ns;
        self.next_ns = wait_ns.saturating_mul(2).min(self.max_ns);
        wait_ns
    }

    /// Back to the first wait.
    pub(super) const fn reset(&mut self) {
        self.next_ns = self.min_ns;
    }
}

#[derive(Debug)]
struct Row {
    instrument: InstrumentId,
    is_wanted: bool,
    is_in_flight: bool,
    ts_allowed_ns: i64,
    backoff: Backoff,
}

/// Which snapshot may be asked for when.
#[derive(Debug)]
pub(super) struct SnapshotPlan {
    rows: Vec<Row>,
    wanted_count: usize,
    burst_count: i64,
    refill_ns: i64,
    /// When the whole burst is available again: each request moves it on by one refill.
    ts_refilled_ns: i64,
    /// Nothing before this time: the venue said that we ask too often.
    ts_pardoned_ns: i64,
    retry_max_ns: i64,
}

impl SnapshotPlan {
    pub(super) fn new(instruments: &[InstrumentId], timing: &SessionTiming) -> Self {
        let row = |&instrument| Row {
            instrument,
            is_wanted: false,
            is_in_flight: false,
            ts_allowed_ns: i64::MIN,
            backoff: Backoff::new(timing.snapshot_retry_min, timing.snapshot_retry_max),
        };
        Self {
            rows: instruments.iter().map(row).collect(),
            wanted_count: 0,
            burst_count: i64::from(timing.snapshot_burst_count.max(1)),
            refill_ns: nanoseconds(timing.snapshot_refill),
            ts_refilled_ns: i64::MIN,
            ts_pardoned_ns: i64::MIN,
            retry_max_ns: nanoseconds(timing.snapshot_retry_max),
        }
    }

    fn row(&mut self, instrument: InstrumentId) -> Option<&mut Row> {
        let mut rows = self.rows.iter_mut();
        rows.find(|row| row.instrument == instrument)
    }

    /// `instrument` needs a snapshot.
    pub(super) fn want(&mut self, instrument: InstrumentId) {
        if let Some(row) = self.row(instrument)
            && !row.is_wanted
        {
            row.is_wanted = true;
            self.wanted_count += 1;
        }
    }

    /// The next instrument to ask for now; it counts as asked for until `answered`.
    pub(super) fn next_due(&mut self, now_ns: i64) -> Option<InstrumentId> {
        if self.wanted_count == 0 || now_ns < self.ts_pardoned_ns {
            return None;
        }
        let spent_ns = self.ts_refilled_ns.saturating_sub(now_ns);
        if spent_ns > (self.burst_count - 1).saturating_mul(self.refill_ns) {
            return None;
        }
        let mut rows = self.rows.iter_mut();
        let row =
            rows.find(|row| row.is_wanted && !row.is_in_flight && now_ns >= row.ts_allowed_ns)?;
        row.is_wanted = false;
        row.is_in_flight = true;
        row.ts_allowed_ns = now_ns.saturating_add(row.backoff.fail());
        self.wanted_count -= 1;
        self.ts_refilled_ns = self
            .ts_refilled_ns
            .max(now_ns)
            .saturating_add(self.refill_ns);
        Some(row.instrument)
    }

    /// The request of `instrument` is over, well or not.
    pub(super) fn answered(&mut self, instrument: InstrumentId) {
        if let Some(row) = self.row(instrument) {
            row.is_in_flight = false;
        }
    }

    /// The book of `instrument` is live: its next snapshot may come after the first wait again.
    pub(super) fn settled(&mut self, instrument: InstrumentId) {
        if let Some(row) = self.row(instrument) {
            row.backoff.reset();
        }
    }

    /// The venue says that we ask too often: nothing more for as long as it says, else for the longest wait.
    pub(super) fn pause(&mut self, now_ns: i64, retry_after: Option<Duration>) {
        let wait_ns = retry_after.map_or(self.retry_max_ns, nanoseconds);
        self.ts_pardoned_ns = now_ns.saturating_add(wait_ns);
    }

    /// The connection is gone, and with it every wish.
    pub(super) fn forget_wishes(&mut self) {
        for row in &mut self.rows {
            row.is_wanted = false;
        }
        self.wanted_count = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(burst_count: u32) -> SnapshotPlan {
        let timing = SessionTiming {
            snapshot_retry_min: Duration::from_nanos(10),
            snapshot_retry_max: Duration::from_nanos(40),
            snapshot_burst_count: burst_count,
            snapshot_refill: Duration::from_nanos(100),
            ..SessionTiming::default()
        };
        let ids: Vec<InstrumentId> = (0..3).map(InstrumentId).collect();
        SnapshotPlan::new(&ids, &timing)
    }

    #[test]
    fn one_at_a_time_and_ever_slower_until_settled() {
        let mut plan = plan(100);
        let id = InstrumentId(1);
        let ask = |plan: &mut SnapshotPlan, now_ns| {
            plan.want(id);
            plan.next_due(now_ns)
        };
        assert_eq!(ask(&mut plan, 0), Some(id));
        assert_eq!(ask(&mut plan, 1_000), None, "one is in flight");
        plan.answered(id);
        assert_eq!(ask(&mut plan, 9), None, "too soon");
        assert_eq!(ask(&mut plan, 10), Some(id));
        plan.answered(id);
        assert_eq!(ask(&mut plan, 29), None, "the wait has doubled");
        assert_eq!(ask(&mut plan, 30), Some(id));
        plan.answered(id);
        plan.settled(id);
        assert_eq!(ask(&mut plan, 70), Some(id));
        plan.answered(id);
        assert_eq!(ask(&mut plan, 80), Some(id), "the wait is the first again");
    }

    #[test]
    fn the_budget_is_shared() {
        let mut plan = plan(2);
        (0..3).for_each(|id| plan.want(InstrumentId(id)));
        assert!(plan.next_due(0).is_some() && plan.next_due(0).is_some());
        assert_eq!(plan.next_due(99), None, "the burst is used up");
        assert_eq!(plan.next_due(100), Some(InstrumentId(2)));
        plan.answered(InstrumentId(0));
        plan.want(InstrumentId(0));
        plan.pause(1_000, None);
        assert_eq!(plan.next_due(1_039), None, "the venue asked for a pause");
        assert_eq!(plan.next_due(1_040), Some(InstrumentId(0)));
        plan.want(InstrumentId(1));
        plan.answered(InstrumentId(1));
        plan.pause(2_000, Some(Duration::from_nanos(500)));
        assert_eq!(plan.next_due(2_499), None, "and said how long");
        assert_eq!(plan.next_due(2_500), Some(InstrumentId(1)));
    }
}
