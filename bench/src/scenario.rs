//! The windows of a scenario, interleaved: idle, floor, measured, and again.

use acth_engine::clock::WallClock;

use crate::{
    Failure,
    args::{Args, Scenario, Threads},
    floor::{self, Stand, hop, line},
    hiccup::Hiccups,
    machine::Machine,
    pace::Window,
    pipeline::{self, Journaling},
    placement::Cores,
    record::Record,
    report::Report,
};

/// One idle window for every so many parts of a measured one.
const IDLE_PART: i64 = 4;

/// Measures one rate; one report a variant of the scenario.
///
/// # Errors
/// When a window cannot be run.
pub(crate) fn measure(args: &Args, rate: u64, machine: &Machine) -> Result<Vec<Report>, Failure> {
    let plan = Plan::new(args, rate);
    let mut taken = Taken::new(plan.variants.len())?;
    for _ in 0..args.rounds {
        taken
            .hiccups
            .watch(&plan.clock, plan.window.length_ns / IDLE_PART);
        plan.run_floor(&mut taken.floor)?;
        for (variant, record) in plan.variants.iter().zip(&mut taken.measured) {
            variant.run(plan.stand(), record)?;
        }
    }
    let hiccup_ns = taken.hiccups.numbers();
    let reports = plan.variants.iter().zip(&taken.measured);
    Ok(reports
        .map(|(variant, measured)| {
            let mut report = Report::new(variant.name(), rate, &taken.floor, measured, machine);
            report.hiccup_ns = hiccup_ns;
            report.wait = plan.stand().wait.name();
            report.warnings.extend(plan.warnings());
            report.warnings.extend(machine.warning());
            report
        })
        .collect())
}

/// What was measured over all rounds.
struct Taken {
    hiccups: Hiccups,
    floor: Record,
    measured: Vec<Record>,
}

impl Taken {
    fn new(variant_count: usize) -> Result<Self, Failure> {
        let measured = (0..variant_count).map(|_| Record::new());
        Ok(Self {
            hiccups: Hiccups::default(),
            floor: Record::new()?,
            measured: measured.collect::<Result<_, _>>()?,
        })
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
            Self::Pipeline(Threads::Multi, Journaling::On(_)) => "pipeline",
            Self::Pipeline(Threads::Multi, Journaling::Off) => "pipeline-unjournaled",
            Self::Pipeline(Threads::Single, Journaling::On(_)) => "single",
            Self::Pipeline(Threads::Single, Journaling::Off) => "single-unjournaled",
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
    window: Window,
    busy_threads: usize,
    variants: Vec<Variant<'a>>,
}

impl<'a> Plan<'a> {
    fn new(args: &'a Args, rate_per_second: u64) -> Self {
        let (busy_threads, variants) = match args.scenario {
            // Journal and replay have no windows of this kind and never come here.
            Scenario::Hop | Scenario::Journal | Scenario::Replay => {
                (floor::THREADS, vec![Variant::Hop])
            }
            Scenario::Pipeline => (
                // The floor needs its own threads whatever the engine does.
                pipeline::busy_threads(args.threads.mode()).max(floor::THREADS),
                vec![
                    Variant::Pipeline(args.threads, Journaling::On(args.journal_dir.as_deref())),
                    Variant::Pipeline(args.threads, Journaling::Off),
                ],
            ),
        };
        // Idle windows take a quarter of one of the others; floor and each variant take one each.
        let parts = 1.0 / IDLE_PART as f64 + 1.0 + variants.len() as f64;
        let length_seconds = args.duration / f64::from(args.rounds) / parts;
        Self {
            args,
            clock: WallClock::start(),
            cores: Cores::new(args.pin),
            window: Window {
                rate_per_second,
                length_ns: ((length_seconds * 1e9) as i64).max(1),
            },
            busy_threads,
            variants,
        }
    }

    /// Floor and measured wait in the same way, else their ratio would compare strategies.
    const fn stand(&self) -> Stand<'_> {
        Stand {
            clock: &self.clock,
            cores: &self.cores,
            wait: self
                .args
                .wait
                .resolve(self.cores.count(), self.busy_threads),
            window: self.window,
        }
    }

    fn run_floor(&self, record: &mut Record) -> Result<(), Failure> {
        match self.args.scenario {
            Scenario::Hop | Scenario::Journal | Scenario::Replay => {
                line::run(self.stand(), record);
                Ok(())
            }
            Scenario::Pipeline => hop::run(self.stand(), record),
        }
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
