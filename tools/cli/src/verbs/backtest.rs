//! `acth backtest`: recorded captures, or the simulated world in process, with paper fills, in event time.
//!
//! The clock is the recording's own, so the journal of a backtest is the same, byte for byte, every time.

use std::time::Instant;

use acth_core::{config::CoreConfig, core::Core, port::EventSource, strategy::Strategy};
use acth_engine::{
    clock::Clock,
    control::Control,
    monitor::Monitor,
    pipeline::{self, RunOutcome},
};
use acth_sim::{
    paper::PaperVenue,
    source::{WorldSource, WorldSourceConfig},
    world::World,
};
use acth_venues::{
    binance::catalogue::{self, Listing},
    capture::{CaptureSource, CaptureSpec, Pace, lean::LeanStats},
};

use super::{
    NewJournal, create_journal, engine_config, journal_path, model_inputs, paper::PaperSetup, show,
    summarise, thread_mode, words,
};
use crate::{
    args::{BacktestArgs, Threads},
    config::{Config, Fees, Purpose},
    exit::Failure,
    progress::{Moment, with_display},
    registry::Recipe,
    summary::{Decode, Summary},
};

/// Fees of the captured venue where the configuration says nothing: Binance's VIP 9 tier, the tier of whom this
/// software is for. (maker, taker) in parts per million.
const CAPTURE_FEES: [(&str, i64, i64); 2] = [("binance-spot", 110, 230), ("binance-usdm", 0, 170)];

/// Runs the verb.
///
/// # Errors
/// As documented for the exit codes.
pub fn run<S: Strategy + Send>(args: &BacktestArgs, config: &Config) -> Result<(), Failure> {
    if args.data.is_empty() {
        simulated::<S>(args, config)
    } else {
        recorded::<S>(args, config)
    }
}

fn recorded<S: Strategy + Send>(args: &BacktestArgs, config: &Config) -> Result<(), Failure> {
    let specs: Vec<CaptureSpec> = args
        .data
        .iter()
        .map(|text| CaptureSpec::parse(text))
        .collect();
    let listings = args
        .exchange_info
        .iter()
        .map(|text| Listing::read(&CaptureSpec::parse(text)).map_err(Failure::could_not));
    let listings: Vec<Listing> = listings.collect::<Result<_, _>>()?;
    let known = catalogue::for_captures(&specs, &listings).map_err(Failure::could_not)?;
    let recipe = Recipe::<S>::from_config(&with_capture_fees(config), &known.instruments)?;
    let instruments = recipe.core.instruments.clone();
    let pace = read_pace(&args.pace)?;
    let mut source =
        CaptureSource::open(&specs, &instruments, pace, 1).map_err(Failure::could_not)?;
    let progress = source.progress();
    let look = |monitor: &Monitor| Moment {
        done: progress.bytes_read(),
        total: progress.bytes_total(),
        words: words(monitor),
    };
    let mut summary = trade(args, config, &recipe, &mut source, None, look)?;
    let feeds = source.stats().feeds;
    summary.decode = Some(Decode {
        frames: feeds.frames,
        fallbacks: feeds.fallbacks,
        unknown: feeds.unknown,
        errors: feeds.errors,
        gaps: feeds.gaps,
    });
    summary.warnings.extend(known.notes);
    summary
        .warnings
        .extend(old_bars(&recipe.core, &known.bars_ns));
    summary.warnings.extend(passed_over(&source));
    show(&summary, args.trade.json)
}

fn simulated<S: Strategy + Send>(args: &BacktestArgs, config: &Config) -> Result<(), Failure> {
    let world = World::new(config.world.clone(), config.seed).map_err(Failure::could_not)?;
    let recipe = Recipe::<S>::from_config(config, world.instruments())?;
    let mut source = WorldSource::new(world, WorldSourceConfig::lasting(args.duration));
    let look = |monitor: &Monitor| Moment {
        done: 0,
        total: 0,
        words: words(monitor),
    };
    let duration_ns = Some(args.duration);
    let summary = trade(args, config, &recipe, &mut source, duration_ns, look)?;
    show(&summary, args.trade.json)
}

/// Runs the engine over a source with the paper venue around it.
fn trade<S: Strategy + Send, Src: EventSource + Send>(
    args: &BacktestArgs,
    config: &Config,
    recipe: &Recipe<S>,
    source: &mut Src,
    duration_ns: Option<i64>,
    look: impl Fn(&Monitor) -> Moment + Send + Sync,
) -> Result<Summary, Failure> {
    let core = recipe.build()?;
    let threads = thread_mode(args.trade.threads, Threads::Single);
    let mut engine = engine_config(config, recipe, threads, Clock::Event)?;
    engine.duration_ns = duration_ns;
    // In event time nothing has happened yet.
    engine.resume.inputs = model_inputs(config, &core, 0)?;
    let setup = PaperSetup::read(config, &recipe.core.instruments)?;
    engine.manifest.paper = setup.to_value()?;
    let path = journal_path(&args.trade, config);
    let NewJournal { path, writer } = create_journal(path, config, Purpose::Backtest)?;
    let sync = writer.sync();
    let (sink, state) = setup.open(&recipe.core.instruments)?;
    let mut venue = PaperVenue::new(source, state);
    let control = Control::with_signals().map_err(Failure::could_not)?;
    let monitor = Monitor::new();
    let start = Instant::now();
    let ran: Result<RunOutcome<Core<S>>, _> = with_display(
        args.trade.json,
        || look(&monitor),
        || pipeline::run(&engine, core, &mut venue, sink, writer, &control, &monitor),
    );
    let outcome = ran.map_err(|error| {
        Failure::could_not(format!(
            "{error}; what was decided before is in {}",
            path.display()
        ))
    })?;
    let mut summary = summarise("backtest", &outcome, &path, sync, start.elapsed());
    summary.warnings.extend(setup.notes);
    Ok(summary)
}

/// Sentences about bars that last longer than a quote may be old: nothing is traded for most of each then.
fn old_bars<'a>(
    core: &'a CoreConfig,
    bars_ns: &'a [(String, i64)],
) -> impl Iterator<Item = String> + 'a {
    bars_ns.iter().filter_map(|(name, period_ns)| {
        let mut own = core.account.instrument_limits.iter();
        let limits = own
            .find(|own| own.instrument == *name)
            .map_or(&core.limits, |own| &own.limits);
        (limits.stale_after_ns < *period_ns).then(|| {
            format!(
                "{name} is of bars of {} s, but a quote may be {} s old: it is not traded for most of the time; set \
                 stale_after = \"{}s\" in [limits.instrument.\"{name}\"]",
                seconds(*period_ns),
                seconds(limits.stale_after_ns),
                seconds(period_ns.saturating_mul(2)),
            )
        })
    })
}

fn seconds(ns: i64) -> f64 {
    ns as f64 / 1e9
}

/// A sentence about rows of the Lean format that made no market.
fn passed_over(source: &CaptureSource) -> Option<String> {
    let mut total = LeanStats::default();
    source.lean_stats().for_each(|stats| total.add(&stats));
    let LeanStats {
        quotes,
        untradable,
        trades,
        suspicious,
        sizeless,
    } = total;
    (untradable + suspicious + sizeless > 0).then(|| {
        format!(
            "of the rows, {quotes} are quotes and {trades} trades; {untradable} quotes have equal or crossed sides and \
             count as no quote; passed over: {suspicious} that the source calls doubtful, {sizeless} trades without a size"
        )
    })
}

fn with_capture_fees(config: &Config) -> Config {
    let mut config = config.clone();
    for (venue, maker_ppm, taker_ppm) in CAPTURE_FEES {
        let fees = Fees {
            maker_ppm,
            taker_ppm,
            tiers: Vec::new(),
        };
        config.fees.entry(String::from(venue)).or_insert(fees);
    }
    config
}

fn read_pace(text: &str) -> Result<Pace, Failure> {
    let refuse = || {
        Failure::could_not(format!(
            "--pace: `{text}` is neither `flat` nor `recorded` nor a positive factor such as 10"
        ))
    };
    match text {
        "flat" => Ok(Pace::FlatOut),
        "recorded" => Ok(Pace::AsRecorded),
        _ => match text.parse::<f64>() {
            Ok(factor) if factor.is_finite() && factor > 0.0 => Ok(Pace::Times(factor)),
            _ => Err(refuse()),
        },
    }
}
