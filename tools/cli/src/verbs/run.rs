//! `acth run`: the embedded simulated venue on loopback, live sessions to it over real sockets, paper fills.
//!
//! The venue runs on a thread of its own and speaks Binance's WebSocket and REST formats; from its socket on,
//! everything is what a live run would be.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use acth_core::{
    core::Core,
    currency::Rate,
    instrument::{Instrument, InstrumentId, Instruments},
    money::Money,
    strategy::Strategy,
};
use acth_engine::{
    clock::Clock,
    config::EngineConfig,
    control::Control,
    monitor::Monitor,
    pipeline::{self, RunOutcome},
    placement::allowed_cores,
    reconcile::{CashDifference, cash_differences, differences, spot_cash},
    resume::{Rearm, was_sent},
};
use acth_journal::{Place, Writer};
use acth_sim::{
    paper::{PaperState, PaperVenue},
    server::SimVenue,
};
use acth_venues::{
    binance::{
        catalogue::Listing,
        feed::FeedStats,
        session::{Session, SessionConfig},
        venue_name,
    },
    kernel_delay::KernelDelay,
    multi::MultiSource,
};
use acth_wire::binance::Market;

use super::{
    NewJournal,
    account::VenueAccount,
    begin_journal, doctor, engine_config,
    heartbeat::Heartbeat,
    journal_path,
    keeper::Keeper,
    kill::KillWatch,
    model_inputs, moment_of_time, now_ns,
    paper::PaperSetup,
    prior::{self, Prior},
    show, summarise, thread_mode,
};
use crate::{
    args::{RunArgs, Threads},
    config::{Config, Purpose},
    exit::Failure,
    notify::{self, Notifier},
    progress::with_display,
    registry::Recipe,
    summary::{Decode, Percentiles, RecoveryFacts, Summary},
};

/// The two markets of the embedded venue, with the path under which each is served.
pub(super) const MARKETS: [(Market, &str); 2] = [(Market::Spot, "spot"), (Market::UsdM, "usdm")];

/// Cores from which `run` gives ingress, core and egress a thread each unless it is told otherwise.
const MULTI_CORES_MIN: usize = 4;
/// Longest wait for the venue's listing.
const LISTING_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs the verb.
///
/// # Errors
/// As documented for the exit codes.
pub fn run<S: Strategy + Send + 'static>(args: &RunArgs, config: &Config) -> Result<(), Failure> {
    let path = journal_path(&args.trade, config);
    let threads = args.trade.threads.unwrap_or_else(default_threads);
    let host_notes = doctor::admit(config, threads, path.clone(), args.check.as_deref())?;
    let prior = if prior::is_there(&path) {
        Prior::<S>::find(&path)?
    } else {
        None
    };
    if let Some(prior) = &prior {
        prior.expect_wall_time()?;
    }
    let mut session = HubRun::prepare(args, config, path, prior)?;
    session.notes.extend(host_notes);
    session.run(args, config)
}

/// Everything that a run needs, ready to begin.
struct HubRun<S: Strategy> {
    path: PathBuf,
    venue: SimVenue,
    instruments: Instruments,
    engine: EngineConfig,
    core: Core<S>,
    paper: PaperSetup,
    writer: Writer,
    recovery: Option<RecoveryFacts>,
    notes: Vec<String>,
}

impl<S: Strategy + Send + 'static> HubRun<S> {
    fn prepare(
        args: &RunArgs,
        config: &Config,
        path: PathBuf,
        prior: Option<Prior<S>>,
    ) -> Result<Self, Failure> {
        let started_ns = now_ns();
        // The simulated market goes on while the hub is away, as a real one does.
        let world_ns = prior.as_ref().map_or(started_ns, |prior| {
            prior.recovered.manifest.started_ns.min(started_ns)
        });
        let venue = SimVenue::go_on(config.world.clone(), config.seed, world_ns, started_ns)
            .map_err(Failure::could_not)?;
        let recipe = Recipe::<S>::from_config(config, &list_instruments(&venue, config)?)?;
        let threads = thread_mode(args.trade.threads, default_threads());
        let mut engine = engine_config(config, &recipe, threads, Clock::Wall)?;
        engine.duration_ns = (args.duration > 0).then_some(args.duration);
        engine.manifest.started_ns = started_ns;
        let instruments = recipe.core.instruments.clone();
        let paper = PaperSetup::read(config, &instruments)?;
        engine.manifest.paper = paper.to_value()?;
        let Some(prior) = prior else {
            let core = recipe.build()?;
            engine.resume.inputs = model_inputs(config, &core, started_ns)?;
            let NewJournal { path, writer } = begin_journal(path, config)?;
            return Ok(Self {
                path,
                venue,
                instruments,
                engine,
                core,
                paper,
                writer,
                recovery: None,
                notes: Vec::new(),
            });
        };
        prior.expect_same(&engine.manifest)?;
        // Before the journal is opened: a file that is wrong changes nothing.
        let models = model_inputs(config, &prior.recovered.machine, started_ns)?;
        let recovered = &prior.recovered;
        let options = config
            .journal
            .options(Purpose::Run, recovered.snapshot_sequence)?;
        let writer = prior.open(&options)?;
        engine.manifest.parent_sequence = Some(recovered.last_sequence);
        let rearm = if args.rearm {
            Rearm::Always
        } else {
            Rearm::AfterOrderlyEnd
        };
        engine.resume = prior.resume(now_ns(), rearm);
        engine.resume.inputs.extend(models);
        let recovery = Some(prior.facts(writer.run_id()));
        Ok(Self {
            path,
            venue,
            instruments,
            engine,
            paper,
            writer,
            recovery,
            notes: prior.notes(rearm),
            core: prior.recovered.machine,
        })
    }

    /// A person re-arms only a hub that believes what its venue says. Cash that differs within the tolerance, or without one,
    /// is returned in sentences for the summary.
    fn expect_reconciled(
        &self,
        state: &PaperState,
        account: &VenueAccount,
        tolerance: Option<Money>,
    ) -> Result<Vec<String>, Failure> {
        let venue = account.books(state, &self.instruments)?;
        let found = differences(&self.core, &venue);
        let mut found: Vec<String> = found.iter().map(ToString::to_string).collect();
        let mut notes = Vec::new();
        for difference in cash_differences(&self.core, &venue) {
            if tolerance.is_some_and(|most| self.is_beyond(&difference, most)) {
                found.push(difference.to_string());
            } else {
                notes.push(format!("--rearm: {difference}"));
            }
        }
        if found.is_empty() {
            return Ok(notes);
        }
        Err(Failure::could_not(format!(
            "--rearm: the venue and this journal differ: {}; run once without --rearm until they agree",
            found.join("; ")
        )))
    }

    /// True when a difference in cash is worth more than `most` in the account's currency, or nobody knows what it is worth.
    fn is_beyond(&self, difference: &CashDifference, most: Money) -> bool {
        let mut names = self.core.groups().currencies().iter();
        let place = names.position(|name| *name == difference.currency);
        let rate = place.map_or(Rate::UNKNOWN, |place| {
            self.core.portfolio().rates().get(place)
        });
        let size = (difference.ours - difference.theirs).abs();
        !rate.is_known() || rate.convert(size).is_none_or(|worth| worth > most)
    }

    /// The account at the venue: what the hub holds by its journal, and what else the configuration says is there.
    fn open_account(&self) -> Result<VenueAccount, Failure> {
        let portfolio = self.core.portfolio();
        let ids = self.instruments.iter().map(|(id, _)| id);
        let held = ids.zip(&self.paper.holdings).map(|(id, elsewhere)| {
            let own = portfolio.position(id).quantity;
            own.saturating_add(*elsewhere)
        });
        let held: Vec<i64> = held.collect();
        VenueAccount::open(
            &self.venue,
            &self.instruments,
            &held,
            &spot_cash(&self.core),
        )
    }

    fn run(mut self, args: &RunArgs, config: &Config) -> Result<(), Failure> {
        let mut sessions = MultiSource::new(open_sessions(&self.venue, &self.instruments, config)?);
        let (paper, mut state) = self.paper.open(&self.instruments)?;
        let account = self.open_account()?;
        state = state.with_account(Arc::clone(&account.account));
        if self.recovery.is_some() {
            let at_the_venue = self.core.open_orders().filter(|order| was_sent(order));
            state.restore(at_the_venue, self.writer.run_id(), now_ns());
        }
        if args.rearm {
            let tolerance = config.cash_tolerance()?;
            let notes = self.expect_reconciled(&state, &account, tolerance)?;
            self.notes.extend(notes);
        }
        let sink = account.sink(paper, &self.instruments)?;
        let mut source = PaperVenue::new(&mut sessions, state);
        let control = Arc::new(Control::with_signals().map_err(Failure::could_not)?);
        let monitor = Arc::new(Monitor::new());
        // Before anything may be sent: a flag that nobody took down still stands.
        let watch = KillWatch::start(&self.path, args.rearm, &control)?;
        let sync = self.writer.sync();
        let place = Place::from(&self.path);
        let keeper = Keeper::start::<S>(&place, config, &control)?;
        let timer = Duration::from_nanos(config.timer_interval_ns()?.unsigned_abs());
        let environment = notify::Environment::of_process();
        let notifier = Notifier::start(&environment, Arc::clone(&monitor), timer);
        let notifier = notifier.unwrap_or_else(|sentence| {
            self.notes.push(sentence);
            None
        });
        let heartbeat = Heartbeat::start(Arc::clone(&monitor), config.heartbeat_interval_ns()?);
        let start = Instant::now();
        let ran: Result<RunOutcome<Core<S>>, _> = with_display(
            args.trade.json,
            || moment_of_time(start, args.duration, &monitor),
            || {
                pipeline::run(
                    &self.engine,
                    self.core,
                    &mut source,
                    sink,
                    self.writer,
                    &control,
                    &monitor,
                )
            },
        );
        let elapsed = start.elapsed();
        if let Some(notifier) = notifier {
            notifier.stop();
        }
        heartbeat.stop();
        watch.stop();
        self.venue.stop();
        let kept = keeper.stop();
        let outcome = ran.map_err(|error| {
            Failure::could_not(format!(
                "{error}; what was decided before is in {}",
                self.path.display()
            ))
        })?;
        let mut summary = summarise("run", &outcome, &self.path, sync, elapsed);
        summary.recovery = self.recovery;
        summary.warnings.extend(self.notes);
        summary.warnings.extend(self.paper.notes);
        kept.finish(&place, config, &outcome, &mut summary)?;
        add_sessions(&mut summary, sessions.sources());
        show(&summary, args.trade.json)
    }
}

/// The instruments with the rules that the venue itself states. What no venue states (asset class, our fees) comes
/// from the configuration of the world.
fn list_instruments(venue: &SimVenue, config: &Config) -> Result<Instruments, Failure> {
    let address = venue.address();
    let mut rows = Vec::with_capacity(config.world.instruments.len());
    for (market, prefix) in MARKETS {
        let own = config.world.instruments.iter().map(|row| &row.instrument);
        let wanted: Vec<&Instrument> = own.filter(|row| row.venue == venue_name(market)).collect();
        if wanted.is_empty() {
            continue;
        }
        let rest_url = format!("http://{address}/{prefix}");
        let listing =
            Listing::fetch(market, &rest_url, LISTING_TIMEOUT).map_err(Failure::could_not)?;
        for row in wanted {
            let found = listing.find(&row.symbol).ok_or_else(|| {
                Failure::could_not(format!("{rest_url}: {} is not listed", row.symbol))
            })?;
            rows.push(Instrument {
                asset_class: row.asset_class,
                maker_fee_ppm: row.maker_fee_ppm,
                taker_fee_ppm: row.taker_fee_ppm,
                ..found
            });
        }
    }
    Instruments::new(rows).map_err(Failure::could_not)
}

/// A thread each where there are cores for them and for the venue beside them, else one loop.
pub(super) fn default_threads() -> Threads {
    if allowed_cores().len() >= MULTI_CORES_MIN {
        Threads::Multi
    } else {
        Threads::Single
    }
}

/// One session a market that has instruments.
fn open_sessions(
    venue: &SimVenue,
    instruments: &Instruments,
    config: &Config,
) -> Result<Vec<Session>, Failure> {
    let address = venue.address();
    let options = config.engine.socket_options();
    let mut sessions = Vec::with_capacity(MARKETS.len());
    for (market, prefix) in MARKETS {
        let listed = |row: &str| row == venue_name(market);
        let of_market = instruments.iter().filter(|(_, row)| listed(&row.venue));
        let ids: Vec<InstrumentId> = of_market.map(|(id, _)| id).collect();
        if ids.is_empty() {
            continue;
        }
        let config = SessionConfig {
            name: format!("sim-{prefix}"),
            market,
            ws_url: format!("ws://{address}/{prefix}"),
            rest_url: format!("http://{address}/{prefix}"),
            instruments: ids,
        };
        let number = sessions.len() as u16 + 1;
        let session = Session::new(&config, instruments, number).map_err(Failure::could_not)?;
        sessions.push(session.with_socket_options(options));
    }
    Ok(sessions)
}

fn add_sessions(summary: &mut Summary, sessions: &[Session]) {
    let mut feeds = FeedStats::default();
    let mut delay = KernelDelay::new();
    for session in sessions {
        let stats = session.stats();
        feeds.add(&stats.feed);
        delay.add(session.kernel_delay());
        if stats.disconnects > 0 {
            let lost = stats.disconnects;
            summary
                .warnings
                .push(format!("a session was lost {lost} times and opened again"));
        }
    }
    // One sentence for all sessions: they ask for the same and are refused the same.
    if let Some(refusals) = sessions
        .iter()
        .map(Session::refusals)
        .find(|all| !all.is_empty())
    {
        let sentence = format!("market-data sockets: {}", refusals.join("; "));
        summary.warnings.push(sentence);
    }
    if delay.count() > 0 {
        let numbers = Percentiles {
            count: delay.count(),
            p50: delay.at_quantile_ns(0.5),
            p90: delay.at_quantile_ns(0.9),
            p99: delay.at_quantile_ns(0.99),
            p999: delay.at_quantile_ns(0.999),
            max: delay.max_ns(),
        };
        summary.latency_ns.insert("kernel_to_read", numbers);
    }
    summary.decode = Some(Decode {
        frames: feeds.frames,
        fallbacks: feeds.fallbacks,
        unknown: feeds.unknown,
        errors: feeds.errors,
        gaps: feeds.gaps,
    });
}
