//! The windows of a scenario, interleaved: idle, floor, measured, and again. Between two windows lies nothing but a look at where the
//! host has put the cores, so that none of them begins on cores that were idle.

use std::collections::{BTreeMap, btree_map::Entry};

use acth_engine::clock::WallClock;

use crate::{
    Failure,
    args::{Args, Load, Scenario, Threads},
    arrivals::Arrivals,
    class::Class,
    floor::{self, Stand, hop, line},
    hiccup::Hiccups,
    machine::Machine,
    pace::Window,
    pipeline::{self, KeptJournal},
    placement::Cores,
    record::Record,
    report::{Bar, Report},
};

/// One idle window for every so many parts of a measured one.
const IDLE_PART: i64 = 4;
/// The pipeline with its journal may take this many times as long as the hop.
const PIPELINE_RATIO_MAX: f64 = 1.25;
/// The journal may add this much at the median, in ns.
const JOURNAL_NS_MAX: f64 = 40.0;

/// How events arrive in all windows of one figure.
#[derive(Debug)]
pub(crate) enum Arriving {
    /// So many a second, evenly.
    Even(u64),
    /// As recorded, so many times as fast.
    Burst(&'static Arrivals, u32),
}

impl Arriving {
    fn window(&self, round: u32, length_ns: i64) -> Window {
        match self {
            Self::Even(rate) => Window::even(*rate, length_ns),
            Self::Burst(arrivals, speed) => arrivals.window(round, length_ns, *speed),
        }
    }

    const fn rate_per_second(&self) -> u64 {
        match self {
            Self::Even(rate) => *rate,
            Self::Burst(..) => 0,
        }
    }
}

/// What the arguments ask for, one after the other.
///
/// # Errors
/// When a recording cannot be read.
pub(crate) fn loads(args: &Args) -> Result<Vec<Arriving>, Failure> {
    match args.arrivals {
        Load::Even => Ok(args.rates().into_iter().map(Arriving::Even).collect()),
        Load::Burst => {
            // Read once, needed to the end.
            let arrivals: &_ = Box::leak(Box::new(Arrivals::find(&args.data())?));
            let speeds = args.speed.iter();
            Ok(speeds
                .map(|speed| Arriving::Burst(arrivals, *speed))
                .collect())
        }
    }
}

/// Measures one load; one report for each variant of the scenario and each class of windows that came about.
///
/// # Errors
/// When a window cannot be run.
pub(crate) fn measure(
    args: &Args,
    load: &Arriving,
    machine: &Machine,
) -> Result<Vec<Report>, Failure> {
    let plan = Plan::new(args);
    let mut journal = plan.journal()?;
    let mut taken = BTreeMap::new();
    let mut window = Record::new()?;
    let mut hiccups = Hiccups::new()?;
    for round in 0..args.rounds {
        let stand = plan.stand(load.window(round, plan.length_ns));
        hiccups.watch(&plan.clock, plan.length_ns / IDLE_PART);
        let mut before = Class::probe(stand)?;
        for index in plan.order(round) {
            plan.run(index, stand, journal.as_mut(), &mut window)?;
            let after = Class::probe(stand)?;
            let all = match taken.entry(before.through(after)) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => entry.insert(plan.records()?),
            };
            all[index].merge(&window)?;
            window.clear();
            before = after;
        }
    }
    if !plan.is_comparable(&taken) {
        taken = BTreeMap::from([(Class::Moved, plan.merged(&taken)?)]);
    }
    let left_out = plan.left_out(&taken);
    let mut reports = Vec::new();
    for class in Class::ALL {
        if let Some(records) = taken.get(&class) {
            let is_only = taken.len() == 1;
            reports.extend(plan.reports(load, class, records, is_only, &hiccups, machine)?);
        }
    }
    for report in &mut reports {
        let notes = left_out.iter().filter(|(name, _)| *name == report.scenario);
        report.warnings.extend(notes.map(|(_, note)| note.clone()));
    }
    Ok(reports)
}

/// Whether the core appends to a journal on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Journaling {
    On,
    /// Numbers are given, nothing is kept.
    Off,
}

/// One thing that is measured beside the floor.
#[derive(Clone, Copy)]
enum Variant {
    Hop,
    Pipeline(Threads, Journaling),
}

impl Variant {
    const fn name(&self) -> &'static str {
        match self {
            Self::Hop => "hop",
            Self::Pipeline(Threads::Multi | Threads::Dual, Journaling::On) => "pipeline",
            Self::Pipeline(Threads::Multi | Threads::Dual, Journaling::Off) => {
                "pipeline-unjournaled"
            }
            Self::Pipeline(Threads::Single, Journaling::On) => "single",
            Self::Pipeline(Threads::Single, Journaling::Off) => "single-unjournaled",
        }
    }

    fn bars(&self, report: &Report, class: Class) -> Vec<Bar> {
        match self {
            Self::Pipeline(_, Journaling::On) if class.is_steady() => vec![
                Bar::at_most(
                    "p50 at most 1.25 times the hop",
                    report.ratio_p50,
                    PIPELINE_RATIO_MAX,
                ),
                Bar::at_most(
                    "p90 at most 1.25 times the hop",
                    report.ratio_p90,
                    PIPELINE_RATIO_MAX,
                ),
                Bar::at_most("no allocation", report.allocations as f64, 0.0),
            ],
            _ => Vec::new(),
        }
    }

    fn run(
        &self,
        stand: Stand<'_>,
        journal: Option<&mut KeptJournal>,
        record: &mut Record,
    ) -> Result<(), Failure> {
        match self {
            Self::Hop => hop::run(stand, record),
            Self::Pipeline(threads, journaling) => {
                let journal = journal.filter(|_| *journaling == Journaling::On);
                pipeline::run(stand, threads.mode(), journal, record)
            }
        }
    }
}

/// How a scenario is run.
struct Plan<'a> {
    args: &'a Args,
    clock: WallClock,
    cores: Cores,
    length_ns: i64,
    busy_threads: usize,
    variants: Vec<Variant>,
}

impl<'a> Plan<'a> {
    fn new(args: &'a Args) -> Self {
        let cores = Cores::new(args.pin);
        let (busy_threads, variants) = if args.scenario == Scenario::Pipeline {
            let threads = args.threads(cores.count());
            // The floor needs its own threads whatever the engine does.
            let busy_threads = pipeline::busy_threads(threads.mode()).max(floor::THREADS);
            let variants = vec![
                Variant::Pipeline(threads, Journaling::On),
                Variant::Pipeline(threads, Journaling::Off),
            ];
            (busy_threads, variants)
        } else {
            (floor::THREADS, vec![Variant::Hop])
        };
        // Idle windows take a quarter of one of the others; floor and each variant take one each.
        let parts = 1.0 / IDLE_PART as f64 + 1.0 + variants.len() as f64;
        let length_seconds = args.duration / f64::from(args.rounds) / parts;
        Self {
            args,
            clock: WallClock::start(),
            cores,
            length_ns: ((length_seconds * 1e9) as i64).max(1),
            busy_threads,
            variants,
        }
    }

    /// Floor and measured wait in the same way, else their ratio would compare strategies.
    const fn stand(&self, window: Window) -> Stand<'_> {
        Stand {
            clock: &self.clock,
            cores: &self.cores,
            wait: self
                .args
                .wait
                .resolve(self.cores.count(), self.busy_threads),
            window,
        }
    }

    /// The journal of the variants that have one.
    fn journal(&self) -> Result<Option<KeptJournal>, Failure> {
        let is_pipeline = self.args.scenario == Scenario::Pipeline;
        let folder = self.args.journal_dir.as_deref();
        is_pipeline.then(|| KeptJournal::new(folder)).transpose()
    }

    /// The windows of a round: 0 is the floor, those behind it are the variants. Every other round goes backwards, so that none is always
    /// first.
    fn order(&self, round: u32) -> Vec<usize> {
        let mut order: Vec<_> = (0..=self.variants.len()).collect();
        if !round.is_multiple_of(2) {
            order.reverse();
        }
        order
    }

    /// An empty record for each window of a round.
    fn records(&self) -> Result<Vec<Record>, Failure> {
        (0..=self.variants.len()).map(|_| Record::new()).collect()
    }

    /// Whether each variant can be compared with a floor of some class: in a short run the host may have moved a core between the two.
    fn is_comparable(&self, taken: &BTreeMap<Class, Vec<Record>>) -> bool {
        (1..=self.variants.len()).all(|index| {
            let mut classes = taken.values();
            classes.any(|records| records[0].count() > 0 && records[index].count() > 0)
        })
    }

    /// What stands in no report, by variant: windows of a class with nothing beside them to compare. No stall is lost without a word.
    fn left_out(&self, taken: &BTreeMap<Class, Vec<Record>>) -> Vec<(&'static str, String)> {
        let mut notes = Vec::new();
        for (class, records) in taken.iter().filter(|_| taken.len() > 1) {
            for (variant, measured) in self.variants.iter().zip(&records[1..]) {
                let is_reported = records[0].count() > 0 && measured.count() > 0;
                if is_reported || measured.count() + measured.missing_count == 0 {
                    continue;
                }
                notes.push((
                    variant.name(),
                    format!(
                        "{class} windows had nothing beside them: {} samples left out, max {:.0} ns, {} events never came through",
                        measured.count(),
                        measured.numbers().max,
                        measured.missing_count
                    ),
                ));
            }
        }
        notes
    }

    /// The windows of all classes together.
    fn merged(&self, taken: &BTreeMap<Class, Vec<Record>>) -> Result<Vec<Record>, Failure> {
        let mut merged = self.records()?;
        for records in taken.values() {
            for (all, record) in merged.iter_mut().zip(records) {
                all.merge(record)?;
            }
        }
        Ok(merged)
    }

    fn run(
        &self,
        index: usize,
        stand: Stand<'_>,
        journal: Option<&mut KeptJournal>,
        record: &mut Record,
    ) -> Result<(), Failure> {
        match index.checked_sub(1) {
            Some(index) => self.variants[index].run(stand, journal, record),
            None if self.args.scenario == Scenario::Pipeline => hop::run(stand, record),
            None => {
                line::run(stand, record);
                Ok(())
            }
        }
    }

    fn reports(
        &self,
        load: &Arriving,
        class: Class,
        taken: &[Record],
        is_only: bool,
        hiccups: &Hiccups,
        machine: &Machine,
    ) -> Result<Vec<Report>, Failure> {
        let mut reports = Vec::new();
        let Some((floor, measured)) = taken.split_first() else {
            return Ok(reports);
        };
        for (variant, measured) in self.variants.iter().zip(measured) {
            if !is_only && (floor.count() == 0 || measured.count() == 0) {
                // Nothing to compare in this class; another one has something.
                continue;
            }
            let rate = load.rate_per_second();
            let mut report = Report::new(variant.name(), rate, floor, measured, machine)?
                .with_hiccups(hiccups)?;
            if let Arriving::Burst(arrivals, speed) = load {
                report.arrivals = format!("{} {speed}x", arrivals.name);
            }
            report.placement = class;
            report.wait = self.wait_name();
            report.bars = variant.bars(&report, class);
            report.warnings.extend(self.warnings());
            report.warnings.extend(machine.warning());
            reports.push(report);
        }
        if class.is_steady() {
            self.compare_journaling(&mut reports);
        }
        Ok(reports)
    }

    /// What the journal adds, by the medians of both pipelines.
    fn compare_journaling(&self, reports: &mut [Report]) {
        if self.args.scenario == Scenario::Pipeline
            && let [journaled, bare] = reports
        {
            let cost_ns = journaled.measured_ns.p50 - bare.measured_ns.p50;
            journaled.bars.push(Bar::at_most(
                "the journal adds at most 40 ns at p50",
                cost_ns,
                JOURNAL_NS_MAX,
            ));
        }
    }

    const fn wait_name(&self) -> &'static str {
        self.args
            .wait
            .resolve(self.cores.count(), self.busy_threads)
            .name()
    }

    fn warnings(&self) -> Option<String> {
        let (cores, threads) = (self.cores.count(), self.busy_threads);
        (cores < threads).then(|| {
            format!(
                "{threads} busy threads on {cores} cores: they take turns, so these figures show the scheduler, not \
                 the code"
            )
        })
    }
}
