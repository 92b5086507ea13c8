//! The windows of a scenario, interleaved: idle, floor, measured, and again.

use std::collections::BTreeMap;

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
    pipeline::{self, Journaling},
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
    let mut taken = BTreeMap::new();
    let mut round_taken = Taken::new(plan.variants.len())?;
    let mut hiccups = Hiccups::new()?;
    for round in 0..args.rounds {
        let stand = plan.stand(load.window(round, plan.length_ns));
        let before = Class::probe(stand)?;
        hiccups.watch(&plan.clock, plan.length_ns / IDLE_PART);
        plan.run_floor(stand, &mut round_taken.floor)?;
        for (variant, record) in plan.variants.iter().zip(&mut round_taken.measured) {
            variant.run(stand, record)?;
        }
        let class = before.through(Class::probe(stand)?);
        let all = match taken.entry(class) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(Taken::new(plan.variants.len())?)
            }
        };
        all.take(&mut round_taken)?;
    }
    let mut reports = Vec::new();
    for class in Class::ALL {
        if let Some(taken) = taken.get(&class) {
            reports.extend(plan.reports(load, class, taken, &hiccups, machine)?);
        }
    }
    Ok(reports)
}

/// What was measured over some rounds.
struct Taken {
    floor: Record,
    measured: Vec<Record>,
}

impl Taken {
    fn new(variant_count: usize) -> Result<Self, Failure> {
        let measured = (0..variant_count).map(|_| Record::new());
        Ok(Self {
            floor: Record::new()?,
            measured: measured.collect::<Result<_, _>>()?,
        })
    }

    /// Takes what another one holds over and leaves it empty.
    fn take(&mut self, other: &mut Self) -> Result<(), Failure> {
        self.floor.merge(&other.floor)?;
        other.floor.clear();
        for (ours, theirs) in self.measured.iter_mut().zip(&mut other.measured) {
            ours.merge(theirs)?;
            theirs.clear();
        }
        Ok(())
    }
}

/// One thing that is measured beside the floor.
#[derive(Clone, Copy)]
enum Variant<'a> {
    Hop,
    Pipeline(Threads, Journaling<'a>),
}

impl Variant<'_> {
    const fn name(&self) -> &'static str {
        match self {
            Self::Hop => "hop",
            Self::Pipeline(Threads::Multi | Threads::Dual, Journaling::On(_)) => "pipeline",
            Self::Pipeline(Threads::Multi | Threads::Dual, Journaling::Off) => {
                "pipeline-unjournaled"
            }
            Self::Pipeline(Threads::Single, Journaling::On(_)) => "single",
            Self::Pipeline(Threads::Single, Journaling::Off) => "single-unjournaled",
        }
    }

    fn bars(&self, report: &Report, class: Class) -> Vec<Bar> {
        let is_classed = matches!(class, Class::Near | Class::Far);
        match self {
            Self::Pipeline(_, Journaling::On(_)) if is_classed => vec![
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

    fn run(&self, stand: Stand<'_>, record: &mut Record) -> Result<(), Failure> {
        match self {
            Self::Hop => hop::run(stand, record),
            Self::Pipeline(threads, journaling) => {
                pipeline::run(stand, threads.mode(), *journaling, record)
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
    variants: Vec<Variant<'a>>,
}

impl<'a> Plan<'a> {
    fn new(args: &'a Args) -> Self {
        let cores = Cores::new(args.pin);
        let (busy_threads, variants) = if args.scenario == Scenario::Pipeline {
            let threads = args.threads(cores.count());
            // The floor needs its own threads whatever the engine does.
            let busy_threads = pipeline::busy_threads(threads.mode()).max(floor::THREADS);
            let journaling = Journaling::On(args.journal_dir.as_deref());
            let variants = vec![
                Variant::Pipeline(threads, journaling),
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

    fn run_floor(&self, stand: Stand<'_>, record: &mut Record) -> Result<(), Failure> {
        if self.args.scenario == Scenario::Pipeline {
            return hop::run(stand, record);
        }
        line::run(stand, record);
        Ok(())
    }

    fn reports(
        &self,
        load: &Arriving,
        class: Class,
        taken: &Taken,
        hiccups: &Hiccups,
        machine: &Machine,
    ) -> Result<Vec<Report>, Failure> {
        let mut reports = Vec::new();
        for (variant, measured) in self.variants.iter().zip(&taken.measured) {
            let rate = load.rate_per_second();
            let mut report = Report::new(variant.name(), rate, &taken.floor, measured, machine)?
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
        self.compare_journaling(&mut reports);
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
