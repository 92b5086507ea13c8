//! When funding is due at the paper venue, and at what rate.
//!
//! What the market data announce of a perpetual (`MarkFunding`) holds: it is charged once at the announced time, at the last
//! rate and mark price announced before it. A perpetual of which nothing was ever announced is charged the configured rate at
//! whole multiples of the configured interval.
//!
//! Invariant: every funding time between the first moment and the present is taken once, in its order; a time that had passed
//! when it was announced is never taken.

use acth_core::{
    event::MarkFunding,
    instrument::{Contract, InstrumentId, Instruments},
};

use super::PaperConfig;

/// A time that does not come.
const NEVER_NS: i64 = i64::MAX;

/// What is charged to the positions of one instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Charge {
    pub(super) instrument: InstrumentId,
    /// In units of 10^-12.
    pub(super) rate: i64,
    /// Price mantissa; 0 = the hub's own mark, which is as good as any price of this venue.
    pub(super) price: i64,
}

/// One perpetual.
#[derive(Clone, Copy, Debug)]
struct Perpetual {
    instrument: InstrumentId,
    /// True once the market data announced anything: the configured rate is for the others.
    is_announced: bool,
    announced: MarkFunding,
    /// `NEVER_NS` where nothing is due.
    ts_due_ns: i64,
    /// The last funding time that was charged.
    ts_charged_ns: i64,
}

/// The next funding times.
#[derive(Clone, Debug)]
pub(super) struct Funding {
    perpetuals: Vec<Perpetual>,
    /// The earliest of what is due by announcement.
    ts_announced_ns: i64,
    /// Of those without announcements; 0 = they are charged nothing.
    interval_ns: i64,
    rate: i64,
    /// Not known before the first moment.
    ts_next_ns: Option<i64>,
}

impl Funding {
    pub(super) fn new(config: &PaperConfig, instruments: &Instruments) -> Self {
        let is_on = config.funding_rate != 0 && config.funding_interval_ns > 0;
        let rows = instruments.iter();
        let perpetuals = rows.filter(|(_, row)| row.contract == Contract::Perpetual);
        let perpetual = |(instrument, _)| Perpetual {
            instrument,
            is_announced: false,
            announced: MarkFunding::default(),
            ts_due_ns: NEVER_NS,
            ts_charged_ns: i64::MIN,
        };
        Self {
            perpetuals: perpetuals.map(perpetual).collect(),
            ts_announced_ns: NEVER_NS,
            interval_ns: if is_on { config.funding_interval_ns } else { 0 },
            rate: config.funding_rate,
            ts_next_ns: None,
        }
    }

    /// Takes what the market data announced at `ts_now_ns`. A venue that names another time means it; one that goes on naming a
    /// time that was charged already does not mean it twice.
    pub(super) fn announce(&mut self, id: InstrumentId, announced: &MarkFunding, ts_now_ns: i64) {
        let mut rows = self.perpetuals.iter_mut();
        let Some(row) = rows.find(|row| row.instrument == id) else {
            return;
        };
        row.is_announced = true;
        row.announced = *announced;
        let is_ahead = announced.ts_next_ns > ts_now_ns.max(row.ts_charged_ns);
        row.ts_due_ns = if is_ahead {
            announced.ts_next_ns
        } else {
            NEVER_NS
        };
        self.look();
    }

    /// The next funding time, if it has come by `ts_now_ns` and nothing else (`ts_other_ns`) comes before it, with what is then
    /// charged handed to `charge`. The end of time, to which a venue is drained, is no moment at which anything is charged.
    pub(super) fn take_due(
        &mut self,
        ts_now_ns: i64,
        ts_other_ns: i64,
        mut charge: impl FnMut(i64, Charge),
    ) -> Option<i64> {
        if ts_now_ns == i64::MAX {
            return None;
        }
        let due_ns = self.ts_announced_ns.min(self.fallback_ns(ts_now_ns));
        if due_ns > ts_now_ns || due_ns > ts_other_ns {
            return None;
        }
        let is_fallback = self.ts_next_ns == Some(due_ns);
        for row in &mut self.perpetuals {
            let (rate, price) = if row.ts_due_ns == due_ns {
                row.ts_due_ns = NEVER_NS;
                row.ts_charged_ns = due_ns;
                (row.announced.rate, row.announced.mark_price)
            } else if is_fallback && !row.is_announced {
                (self.rate, 0)
            } else {
                continue;
            };
            let instrument = row.instrument;
            charge(
                due_ns,
                Charge {
                    instrument,
                    rate,
                    price,
                },
            );
        }
        if is_fallback {
            self.ts_next_ns = Some(due_ns.saturating_add(self.interval_ns));
        }
        self.look();
        Some(due_ns)
    }

    /// The next time at which the configured rate is charged.
    fn fallback_ns(&mut self, ts_now_ns: i64) -> i64 {
        if self.interval_ns == 0 {
            return NEVER_NS;
        }
        let interval_ns = self.interval_ns;
        *self.ts_next_ns.get_or_insert_with(|| {
            let passed_ns = ts_now_ns.rem_euclid(interval_ns);
            ts_now_ns.saturating_add(interval_ns - passed_ns)
        })
    }

    fn look(&mut self) {
        let times = self.perpetuals.iter().map(|row| row.ts_due_ns);
        self.ts_announced_ns = times.min().unwrap_or(NEVER_NS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::WorldConfig;

    /// Of the default world: three perpetuals, 5 to 7.
    const FIRST: InstrumentId = InstrumentId(5);
    const SECOND: InstrumentId = InstrumentId(6);
    const THIRD: InstrumentId = InstrumentId(7);

    fn funding(rate: i64, interval_ns: i64) -> Funding {
        let config = PaperConfig {
            funding_rate: rate,
            funding_interval_ns: interval_ns,
            ..PaperConfig::default()
        };
        let rows = WorldConfig::default().instruments.into_iter();
        let rows = rows.map(|row| row.instrument).collect();
        Funding::new(&config, &Instruments::new(rows).unwrap())
    }

    fn announced(rate: i64, mark_price: i64, ts_next_ns: i64) -> MarkFunding {
        MarkFunding {
            mark_price,
            rate,
            ts_next_ns,
            ..MarkFunding::default()
        }
    }

    /// Everything that is due by a moment, in its order: time, instrument, rate, price.
    fn taken(due: &mut Funding, ts_now_ns: i64) -> Vec<(i64, u16, i64, i64)> {
        let mut charged = Vec::new();
        let mut note = |ts_ns, charge: Charge| {
            charged.push((ts_ns, charge.instrument.0, charge.rate, charge.price));
        };
        while due.take_due(ts_now_ns, i64::MAX, &mut note).is_some() {}
        charged
    }

    fn is_due(due: &mut Funding, ts_now_ns: i64, ts_other_ns: i64) -> Option<i64> {
        due.take_due(ts_now_ns, ts_other_ns, |_, _| ())
    }

    #[test]
    fn each_time_comes_once_and_after_what_was_before_it() {
        let mut due = funding(1, 100);
        // A venue that opens at a funding time has missed it.
        assert_eq!(is_due(&mut due, 300, i64::MAX), None);
        assert_eq!(is_due(&mut due, 399, i64::MAX), None);
        let early = is_due(&mut due, 650, 380);
        assert_eq!(early, None, "what is due before it comes first");
        assert_eq!(is_due(&mut due, 650, 400), Some(400));
        assert_eq!(is_due(&mut due, 650, i64::MAX), Some(500));
        assert_eq!(is_due(&mut due, 650, i64::MAX), Some(600));
        assert_eq!(is_due(&mut due, 650, i64::MAX), None);
        assert_eq!(is_due(&mut due, i64::MAX, i64::MAX), None);
        assert_eq!(is_due(&mut due, 700, i64::MAX), Some(700));
    }

    #[test]
    fn without_a_rate_or_an_interval_nothing_is_ever_due() {
        for mut none in [funding(0, 100), funding(1, 0), funding(1, -5)] {
            for ts_ns in [1, 100, 1_000] {
                assert_eq!(is_due(&mut none, ts_ns, i64::MAX), None);
            }
        }
    }

    #[test]
    fn the_last_announcement_before_a_time_is_charged_then_and_once() {
        let mut due = funding(0, 0);
        due.announce(FIRST, &announced(7, 70, 1_000), 100);
        due.announce(FIRST, &announced(8, 80, 1_000), 200);
        assert_eq!(taken(&mut due, 999), []);
        assert_eq!(taken(&mut due, 1_000), [(1_000, 5, 8, 80)]);
        assert_eq!(taken(&mut due, 5_000), [], "no other time is known");
        // Named again late, and once more with what comes next.
        due.announce(FIRST, &announced(9, 90, 1_000), 900);
        assert_eq!(taken(&mut due, 5_000), []);
        due.announce(FIRST, &announced(9, 90, 6_000), 5_000);
        assert_eq!(taken(&mut due, 7_000), [(6_000, 5, 9, 90)]);
        assert_eq!(is_due(&mut due, i64::MAX, i64::MAX), None);
    }

    #[test]
    fn a_time_that_had_passed_when_it_was_announced_is_not_made_up_for() {
        let mut due = funding(0, 0);
        due.announce(FIRST, &announced(7, 70, 1_000), 1_000);
        due.announce(SECOND, &announced(7, 70, 0), 1_000);
        assert_eq!(taken(&mut due, 9_000), []);
        // A funding that is put off, and one that is called off.
        due.announce(FIRST, &announced(7, 70, 10_000), 9_000);
        due.announce(FIRST, &announced(7, 70, 11_000), 9_500);
        due.announce(SECOND, &announced(7, 70, 10_500), 9_500);
        due.announce(SECOND, &announced(7, 70, 0), 9_600);
        assert_eq!(taken(&mut due, 10_999), []);
        assert_eq!(taken(&mut due, 11_000), [(11_000, 5, 7, 70)]);
    }

    #[test]
    fn the_configured_rate_is_for_those_of_which_nothing_was_announced() {
        let mut due = funding(3, 100);
        assert_eq!(taken(&mut due, 150), []);
        let all = |ts_ns| [5, 6, 7].map(|id| (ts_ns, id, 3, 0));
        assert_eq!(taken(&mut due, 200), all(200));
        due.announce(SECOND, &announced(8, 80, 350), 250);
        due.announce(THIRD, &announced(-9, 90, 300), 250);
        let expected = [(300, 5, 3, 0), (300, 7, -9, 90), (350, 6, 8, 80)];
        assert_eq!(taken(&mut due, 399), expected);
        assert_eq!(taken(&mut due, 400), [(400, 5, 3, 0)]);
        // A spot instrument is never charged, whatever is said of it.
        due.announce(InstrumentId(0), &announced(1, 1, 450), 400);
        assert_eq!(taken(&mut due, 499), []);
    }
}
