//! The verbs, one file each, and what the trading verbs share.

mod account;
pub mod backtest;
pub mod doctor;
mod heartbeat;
pub mod journal;
mod keeper;
pub mod kill;
pub mod latency;
pub mod model;
mod paper;
pub mod prior;
pub mod replay;
pub mod report;
pub mod run;
pub mod snapshot;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use acth_core::{core::Core, event::Event, strategy::Strategy};
use acth_engine::{
    clock::Clock,
    config::{EngineConfig, ThreadMode},
    latency::Latency,
    manifest::RunManifest,
    models,
    monitor::Monitor,
    pipeline::RunOutcome,
    placement::Pin,
    wait::{WaitChoice, WaitStrategy},
};
use acth_journal::{JournalError, SyncMode, Writer};

use crate::{
    args::{Threads, TradeArgs},
    config::{Config, Journal, Purpose},
    exit::Failure,
    logging,
    output::{print, print_json},
    progress::Moment,
    registry::Recipe,
    summary::{self, Percentiles, StorageFacts, Summary, grouped, hex},
};

/// The configuration of a trading verb: files and environment, then its flags. Starts the log.
///
/// # Errors
/// One sentence that names the place and what was expected.
pub fn settle(args: &TradeArgs) -> Result<Config, Failure> {
    let mut config = Config::load(args.config.as_deref())?;
    config.seed = args.seed.unwrap_or(config.seed);
    if let Some(name) = &args.world {
        config.choose_world(name)?;
    }
    if let Some(name) = &args.strategy {
        config.strategy.clone_from(name);
    }
    logging::start(&config.log_level)?;
    Ok(config)
}

/// The journal of a new run.
struct NewJournal {
    path: PathBuf,
    writer: Writer,
}

/// Where the flags or the configuration put the journal.
fn journal_path(args: &TradeArgs, config: &Config) -> PathBuf {
    match &args.journal {
        Some(path) => path.clone(),
        None => Path::new(&config.journal.directory).join(new_run_name()),
    }
}

/// The journal of a run that has no run before it: a new one, or one that a process began that was killed before its first frame.
fn begin_journal(path: PathBuf, config: &Config) -> Result<NewJournal, Failure> {
    let options = config.journal.options(Purpose::Run, None)?;
    let not_empty = match Writer::create(&path, &options) {
        Ok(writer) => return Ok(NewJournal { path, writer }),
        Err(error @ JournalError::NotEmpty { .. }) => error,
        Err(error) => return Err(Failure::could_not(format!("journal: {error}"))),
    };
    let (writer, recovery) = match Writer::open(&path, &options) {
        Ok(opened) => opened,
        Err(JournalError::NotFound { .. }) => {
            return Err(Failure::could_not(format!("journal: {not_empty}")));
        }
        Err(error) => return Err(journal::failure(&path, &error)),
    };
    if recovery.last_sequence > 0 {
        return Err(prior::written_meanwhile(&path));
    }
    Ok(NewJournal { path, writer })
}

/// Creates the journal where the flags or the configuration say.
fn create_journal(path: PathBuf, config: &Config, purpose: Purpose) -> Result<NewJournal, Failure> {
    let options = config.journal.options(purpose, None)?;
    let writer = Writer::create(&path, &options)
        .map_err(|error| Failure::could_not(format!("journal: {error}")))?;
    Ok(NewJournal { path, writer })
}

/// A name that sorts by time and that no other run has.
fn new_run_name() -> String {
    format!("run-{:013}-{}", now_ns() / 1_000_000, std::process::id())
}

/// ns since the Unix epoch.
fn now_ns() -> i64 {
    let age = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    i64::try_from(age.as_nanos()).unwrap_or(i64::MAX)
}

fn thread_mode(choice: Option<Threads>, default: Threads) -> ThreadMode {
    match choice.unwrap_or(default) {
        Threads::Single => ThreadMode::Single,
        Threads::Dual => ThreadMode::Dual,
        Threads::Multi => ThreadMode::Multi,
    }
}

/// What the engine is asked to do.
fn engine_config<S: Strategy>(
    config: &Config,
    recipe: &Recipe<S>,
    threads: ThreadMode,
    clock: Clock,
) -> Result<EngineConfig, Failure> {
    let mut manifest = RunManifest::new(config.hub_id, threads, clock, S::NAME);
    manifest.seed = config.seed;
    manifest.core = recipe.to_value()?;
    let mut engine = EngineConfig::new(threads, clock, manifest);
    engine.timer_interval_ns = config.timer_interval_ns()?;
    engine.ring_slots = config.engine.ring_slots;
    engine.wait = wait_choice(&config.engine.wait)?;
    if clock == Clock::Wall {
        engine.placement.scheduling = config.engine.scheduling()?;
        engine.placement.lock_memory = config.engine.privileged;
    }
    if clock == Clock::Wall && !config.engine.cores.is_empty() {
        engine.placement.pin = Pin::Cores(config.engine.cores.clone());
    }
    Ok(engine)
}

/// The inputs that bring the configured models into use in this core.
fn model_inputs<S: Strategy>(
    config: &Config,
    core: &Core<S>,
    now_ns: i64,
) -> Result<Vec<Event>, Failure> {
    let models = config.models.load()?;
    let inputs = models
        .iter()
        .flat_map(|(slot, model)| models::model_inputs(*slot, model, core.models(), now_ns));
    Ok(inputs.collect())
}

fn wait_choice(name: &str) -> Result<WaitChoice, Failure> {
    match name {
        "auto" => Ok(WaitChoice::Auto),
        "spin" => Ok(WaitChoice::Fixed(WaitStrategy::Spin)),
        "yield" => Ok(WaitChoice::Fixed(WaitStrategy::Yield)),
        "park" => Ok(WaitChoice::Fixed(WaitStrategy::Park)),
        _ => Err(Failure::could_not(format!(
            "engine.wait: `{name}` is none of auto, spin, yield, park"
        ))),
    }
}

/// The counters of a run in words.
fn words(monitor: &Monitor) -> String {
    let progress = monitor.progress();
    format!(
        "{} events, {} orders, {} fills, {} denied",
        grouped(progress.events),
        grouped(progress.orders),
        grouped(progress.fills),
        grouped(progress.denials)
    )
}

/// How far a run of fixed length is.
fn moment_of_time(start: Instant, duration_ns: i64, monitor: &Monitor) -> Moment {
    Moment {
        done: start.elapsed().as_millis() as u64,
        total: (duration_ns / 1_000_000).cast_unsigned(),
        words: words(monitor),
    }
}

/// The percentiles of every stage that was measured.
fn percentiles(latency: &Latency) -> std::collections::BTreeMap<&'static str, Percentiles> {
    let measured = latency
        .stages()
        .into_iter()
        .filter(|(_, stage)| stage.summary().count > 0);
    let numbers = measured.map(|(name, stage)| {
        let at = |quantile| stage.histogram().value_at_quantile(quantile);
        let numbers = Percentiles {
            count: stage.summary().count,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: stage.histogram().max(),
        };
        (name, numbers)
    });
    numbers.collect()
}

/// The summary of a run that ended well.
fn summarise<S: Strategy>(
    verb: &'static str,
    outcome: &RunOutcome<Core<S>>,
    journal: &Path,
    sync: SyncMode,
    elapsed: Duration,
) -> Summary {
    let mut summary = summary::of_core(verb, &outcome.machine, elapsed.as_secs_f64());
    summary.decisions = outcome.decisions;
    summary.decision_hash = hex(outcome.decision_hash);
    summary.journal = journal.display().to_string();
    summary.latency_ns = percentiles(&outcome.latency);
    summary.stop_reason = Some(format!("{:?}", outcome.stop_reason));
    summary.topology = outcome
        .topology
        .to_string()
        .lines()
        .map(str::to_owned)
        .collect();
    summary.warnings.clone_from(&outcome.warnings);
    let end = &outcome.journal;
    summary.storage = Some(StorageFacts {
        durability: Journal::mode_name(sync),
        durable_sequence: end.durable_sequence,
        lag_frames_max: end.flush.lag_frames_max,
        lag_ns_max: end.flush.lag_ns_max,
        syncs: end.flush.syncs,
        sync_ns_max: end.flush.sync_ns_max,
        roll_stalls: end.roll_stalls,
        snapshots: 0,
    });
    summary
}

/// Prints a summary as asked.
fn show(summary: &Summary, is_json: bool) -> Result<(), Failure> {
    if is_json {
        print_json(summary)
    } else {
        print(&summary.to_text())
    }
}
