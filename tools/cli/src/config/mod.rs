//! The configuration: defaults, then the TOML file, then `.env`, then the environment, then flags.
//!
//! Shares are decimals (`0.10` = 10 %), money is a decimal in the account currency, times are text such as `250ms`.

mod account;
mod engine;
mod environment;
pub(crate) mod file;
mod journal;
mod models;
mod nearest;
pub(crate) mod worlds;

use std::{collections::BTreeMap, path::Path};

use acth_core::{
    config::CoreConfig,
    instrument::{Instrument, Instruments},
    money::Money,
    risk::Limits,
};
use acth_sim::world::WorldConfig;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use self::{
    account::{Account, Fees, LimitTables, Margin, OwnLimits, Tier},
    journal::Purpose,
    models::Models,
};
use crate::exit::Failure;

/// Everything that can be set.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Number of this hub; part of every client order id.
    pub hub_id: u16,
    /// Seed of the simulated world.
    pub seed: u64,
    /// Name of the simulated world: default, wide, seasons, walks, venues or currencies; `[world]` changes single fields of it.
    pub world_preset: String,
    /// Name of the strategy.
    pub strategy: String,
    /// Least severe log message shown on standard error: error, warn, info, debug or trace.
    pub log_level: String,
    /// The account.
    pub account: Account,
    /// Limits of the risk gate.
    pub risk: Risk,
    /// Limits that differ from those, by instrument.
    pub limits: LimitTables,
    /// Initial margin by contract.
    pub margin: Margin,
    /// Periods.
    pub intervals: Intervals,
    /// Threads and rings.
    pub engine: Engine,
    /// What the host must be like.
    pub host: Host,
    /// The journal.
    pub journal: Journal,
    /// The paper venue.
    pub paper: Paper,
    /// Models that are brought into use at the start.
    pub models: Models,
    /// Fees by venue; what is not listed keeps the instrument's own.
    pub fees: BTreeMap<String, Fees>,
    /// Parameters of the strategy; its own defaults where absent.
    pub parameters: toml::Table,
    /// The simulated world.
    pub world: WorldConfig,
    /// What the file says about the world, as opposed to what the preset does.
    #[serde(skip)]
    world_changes: toml::Table,
}

/// Limits of the risk gate.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Risk {
    /// Largest position of one instrument as a share of equity (MAX_POSITION_SIZE).
    pub max_position_size: Decimal,
    /// Largest loss of one trade at its stop as a share of equity (RISK_PER_TRADE).
    pub risk_per_trade: Decimal,
    /// Distance of the stop that the risk per trade is reckoned with, as a share of the price.
    pub stop_distance: Decimal,
    /// Largest correlation of a new position with the rest of the book (MAX_CORRELATION_THRESHOLD).
    pub max_correlation_threshold: Decimal,
    /// Least quote volume of 24 hours for an instrument to be traded (MIN_VOLUME_THRESHOLD).
    pub min_volume_threshold: Decimal,
    /// Largest value of one order.
    pub max_order_notional: Decimal,
    /// Largest distance of an order's price from the mid, as a share of it.
    pub price_collar: Decimal,
    /// Most orders in any second.
    pub orders_per_second: u32,
    /// Most open orders.
    pub open_orders: u32,
    /// Age from which a quote is too old to trade on.
    pub stale_after: String,
    /// Largest sum of all positions' sizes as a share of equity.
    pub gross_exposure: Decimal,
    /// Loss from the highest equity at which trading halts, as a share of it.
    pub drawdown: Decimal,
    /// Largest sum of all positions netted, either way, as a share of equity.
    pub net_exposure: Decimal,
    /// Largest sum of all positions' sizes at one venue as a share of equity.
    pub venue_exposure: Decimal,
    /// Largest sum of all positions' sizes of one agent as a share of equity.
    pub agent_exposure: Decimal,
    /// Largest position in one base asset, netted over all venues and contracts, as a share of equity.
    pub concentration: Decimal,
    /// Loss since the UTC day began at which only reducing orders are let through, as a share of equity then.
    pub daily_loss: Decimal,
    /// Loss of one agent since the UTC day began at which it may only reduce, as a share of equity then.
    pub agent_loss: Decimal,
    /// Most orders and cancels of the hub in any second; cancels count but are never held back.
    pub messages_per_second: u32,
    /// Most orders and cancels to one venue in any second.
    pub venue_messages_per_second: u32,
}

/// Periods.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Intervals {
    /// Period of the core's timer, at which returns are sampled and limits are looked at (DATA_UPDATE_INTERVAL).
    pub data_update: String,
    /// Period of the heartbeat line in the log (HEARTBEAT_INTERVAL).
    pub heartbeat: String,
}

/// Threads and rings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Engine {
    /// How idle threads wait: auto, spin, yield or park.
    pub wait: String,
    /// Cores to pin ingress, core and egress to, in this order; empty = chosen by the engine.
    pub cores: Vec<usize>,
    /// Slots of each ring, a power of two.
    pub ring_slots: usize,
    /// Ask for priority and locked memory where permitted.
    pub privileged: bool,
    /// How busy threads are scheduled: nice (-20), normal, or fifo (real time; see `acth doctor --explain rt-throttling`).
    pub scheduling: String,
    /// Priority for fifo, from 1 to 99.
    pub fifo_priority: u8,
    /// How long a read of a market-data socket polls the network card itself, us; 0 = off.
    pub busy_poll_us: u32,
    /// Have the kernel stamp market data, so that the time until our read is counted (`kernel_to_read`).
    pub kernel_stamps: bool,
}

/// The host.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Host {
    /// Ids of checks (`acth doctor --list`) that must pass before `run` goes live.
    pub required: Vec<String>,
    /// Network interface of the market data, for the checks; empty = every one that is up.
    pub interface: String,
}

/// The journal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Journal {
    /// Where journals of runs without `--journal` go.
    pub directory: String,
    /// Size of one segment.
    pub segment_mib: u64,
    /// When frames become durable: `process` (whole segments, when full), `interval` (within the bounds below), `gated` (an order
    /// leaves only when its decision is durable), or `auto` (`interval` for `run`, `process` for `backtest`).
    pub durability: String,
    /// Longest time between a frame and its durability, for `interval` and `gated`.
    pub durability_time: String,
    /// Most frames that are not durable, for `interval`.
    pub durability_frames: u64,
    /// Free space below which only orders that reduce risk are let through; 0 = eight segments.
    pub space_low_mib: u64,
    /// Free space below which trading halts; 0 = two segments.
    pub space_out_mib: u64,
    /// How much of an existing journal is read before it is gone on with: `all`, or `tail` (from the newest snapshot on).
    pub validate: String,
    /// Longest time between two snapshots of a run; `0` = only at its end.
    pub snapshot_interval: String,
    /// Most frames between two snapshots of a run.
    pub snapshot_frames: u64,
    /// Segments that a new snapshot covers are taken away until the journal takes at most this much; 0 = none ever.
    pub retain_mib: u64,
}

/// The paper venue.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Paper {
    /// Time from decision to the venue's book.
    pub order_latency: String,
    /// Time from the venue's book back to us.
    pub report_latency: String,
    /// File with a model that `acth latency fit` wrote: both times are then drawn from it, and the two above are not used. Empty = none.
    pub latency_model: String,
    /// Share of a perpetual's notional that longs pay to shorts at each funding time; negative = shorts pay. Only for perpetuals of
    /// which the market data announce no rate of their own; those that they do are charged as announced.
    pub funding_rate: Decimal,
    /// Time between two funding times of the same ones, whole multiples of it since 1970.
    pub funding_interval: String,
    /// What the account at the embedded venue holds beyond this hub's own trades, by instrument, as if a person had traded
    /// there by hand: `run --rearm` then finds the difference.
    pub holdings: BTreeMap<String, Decimal>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hub_id: 1,
            seed: 7,
            world_preset: String::from(worlds::DEFAULT),
            strategy: String::from("agent-network"),
            log_level: String::from("warn"),
            account: Account::default(),
            risk: Risk::default(),
            limits: LimitTables::default(),
            margin: Margin::default(),
            intervals: Intervals::default(),
            engine: Engine::default(),
            host: Host::default(),
            journal: Journal::default(),
            paper: Paper::default(),
            models: Models::default(),
            fees: BTreeMap::new(),
            parameters: toml::Table::new(),
            world: WorldConfig::default(),
            world_changes: toml::Table::new(),
        }
    }
}

impl Default for Risk {
    fn default() -> Self {
        Self {
            max_position_size: Decimal::new(10, 2),
            risk_per_trade: Decimal::new(1, 2),
            stop_distance: Decimal::new(2, 2),
            max_correlation_threshold: Decimal::new(95, 2),
            min_volume_threshold: Decimal::ZERO,
            max_order_notional: Decimal::from(250_000),
            price_collar: Decimal::new(1, 2),
            orders_per_second: 100,
            open_orders: 64,
            stale_after: String::from("5s"),
            gross_exposure: Decimal::from(2),
            drawdown: Decimal::new(20, 2),
            net_exposure: Decimal::from(2),
            venue_exposure: Decimal::from(2),
            agent_exposure: Decimal::from(2),
            concentration: Decimal::from(1),
            daily_loss: Decimal::new(10, 2),
            agent_loss: Decimal::new(10, 2),
            messages_per_second: 400,
            venue_messages_per_second: 400,
        }
    }
}

impl Default for Intervals {
    fn default() -> Self {
        Self {
            data_update: String::from("100ms"),
            heartbeat: String::from("5s"),
        }
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            wait: String::from("auto"),
            cores: Vec::new(),
            ring_slots: 4096,
            privileged: true,
            scheduling: String::from("nice"),
            fifo_priority: 1,
            busy_poll_us: 0,
            kernel_stamps: true,
        }
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            directory: String::from("journal-data"),
            segment_mib: 64,
            durability: String::from("auto"),
            durability_time: String::from("10ms"),
            durability_frames: 1024,
            space_low_mib: 0,
            space_out_mib: 0,
            validate: String::from("all"),
            snapshot_interval: String::from("60s"),
            snapshot_frames: 10_000_000,
            retain_mib: 0,
        }
    }
}

impl Default for Paper {
    fn default() -> Self {
        Self {
            order_latency: String::from("250us"),
            report_latency: String::from("250us"),
            latency_model: String::new(),
            funding_rate: Decimal::ZERO,
            funding_interval: String::from("8h"),
            holdings: BTreeMap::new(),
        }
    }
}

impl Config {
    /// The configuration in force: defaults, file, `.env` beside the working directory, environment.
    ///
    /// # Errors
    /// One sentence that names the place and what was expected.
    pub fn load(path: Option<&Path>) -> Result<Self, Failure> {
        let mut config = match path {
            Some(path) => file::read(path)?,
            None => Self::default(),
        };
        config.world = worlds::build(&config.world_preset, &config.world_changes)?;
        environment::apply(&mut config)?;
        config.check()?;
        Ok(config)
    }

    /// Takes the world with this name instead of the configured one.
    ///
    /// # Errors
    /// When the file changes fields of another world: whose they would become is not for the command to guess.
    pub fn choose_world(&mut self, name: &str) -> Result<(), Failure> {
        if name == self.world_preset {
            return Ok(());
        }
        if !self.world_changes.is_empty() {
            return Err(Failure::could_not(format!(
                "--world {name}: the file's [world] changes the world `{}`; set world_preset = \"{name}\" in the file, or \
                 take [world] out of it",
                self.world_preset
            )));
        }
        self.world = worlds::build(name, &self.world_changes)?;
        name.clone_into(&mut self.world_preset);
        Ok(())
    }

    /// Checks every value that has a bound, whichever verb will use it: a mistake is told before anything is begun.
    fn check(&self) -> Result<(), Failure> {
        self.limits()?;
        account::check(self)?;
        self.timer_interval_ns()?;
        self.heartbeat_interval_ns()?;
        money("account.cash", self.account.cash)?;
        self.cash_tolerance()?;
        duration_ns("paper.order_latency", &self.paper.order_latency)?;
        duration_ns("paper.report_latency", &self.paper.report_latency)?;
        funding(&self.paper)?;
        self.journal.check()?;
        self.host.check()?;
        self.engine.check()
    }

    /// The whole configuration as TOML.
    ///
    /// # Errors
    /// When a value has no TOML form.
    pub fn to_toml(&self) -> Result<String, Failure> {
        toml::to_string_pretty(self).map_err(Failure::could_not)
    }

    /// What the core is built from, for these instruments.
    ///
    /// # Errors
    /// When a value is out of its range.
    pub fn core(&self, instruments: Vec<Instrument>) -> Result<CoreConfig, Failure> {
        let rows = instruments.into_iter().map(|mut row| {
            if let Some(fees) = self.fees.get(&row.venue) {
                row.maker_fee_ppm = fees.maker_ppm;
                row.taker_fee_ppm = fees.taker_ppm;
            }
            row
        });
        let rows: Vec<Instrument> = rows.collect();
        let account = account::read(self, &rows)?;
        Ok(CoreConfig {
            hub_id: self.hub_id,
            cash: money("account.cash", self.account.cash)?,
            instruments: Instruments::new(rows).map_err(Failure::could_not)?,
            limits: self.limits()?,
            correlation_half_life_samples: 600.0,
            account,
        })
    }

    /// The risk gate's limits.
    ///
    /// # Errors
    /// When a value is out of its range.
    pub fn limits(&self) -> Result<Limits, Failure> {
        let risk = &self.risk;
        Ok(Limits {
            position_share_ppm: ppm("risk.max_position_size", risk.max_position_size, 100)?,
            order_share_ppm: 1_000_000,
            risk_per_trade_ppm: ppm("risk.risk_per_trade", risk.risk_per_trade, 1)?,
            stop_distance_ppm: ppm("risk.stop_distance", risk.stop_distance, 1)?,
            correlation_ppm: ppm(
                "risk.max_correlation_threshold",
                risk.max_correlation_threshold,
                1,
            )?,
            volume_24h_min: money("risk.min_volume_threshold", risk.min_volume_threshold)?,
            order_notional_max: money("risk.max_order_notional", risk.max_order_notional)?,
            collar_ppm: ppm("risk.price_collar", risk.price_collar, 1)?,
            orders_per_second: risk.orders_per_second,
            open_orders: risk.open_orders,
            stale_after_ns: duration_ns("risk.stale_after", &risk.stale_after)?,
            gross_exposure_ppm: ppm("risk.gross_exposure", risk.gross_exposure, 100)?,
            drawdown_ppm: ppm("risk.drawdown", risk.drawdown, 1)?,
            net_exposure_ppm: ppm("risk.net_exposure", risk.net_exposure, 100)?,
            venue_exposure_ppm: ppm("risk.venue_exposure", risk.venue_exposure, 100)?,
            agent_exposure_ppm: ppm("risk.agent_exposure", risk.agent_exposure, 100)?,
            concentration_ppm: ppm("risk.concentration", risk.concentration, 100)?,
            daily_loss_ppm: ppm("risk.daily_loss", risk.daily_loss, 1)?,
            agent_loss_ppm: ppm("risk.agent_loss", risk.agent_loss, 1)?,
            messages_per_second: risk.messages_per_second,
            venue_messages_per_second: risk.venue_messages_per_second,
            ..Limits::default()
        })
    }

    /// By how much cash may differ when the hub is re-armed; `None` = by any amount.
    ///
    /// # Errors
    /// When it is no amount.
    pub fn cash_tolerance(&self) -> Result<Option<Money>, Failure> {
        let given = self.account.cash_tolerance;
        given
            .map(|amount| money("account.cash_tolerance", amount))
            .transpose()
    }

    /// Period of the core's timer.
    ///
    /// # Errors
    /// When the text is no duration, or zero.
    pub fn timer_interval_ns(&self) -> Result<i64, Failure> {
        positive_ns("intervals.data_update", &self.intervals.data_update)
    }

    /// Period of the heartbeat line.
    ///
    /// # Errors
    /// When the text is no duration, or zero.
    pub fn heartbeat_interval_ns(&self) -> Result<i64, Failure> {
        positive_ns("intervals.heartbeat", &self.intervals.heartbeat)
    }
}

/// A share between 0 and `share_max` as parts per million.
fn ppm(name: &str, share: Decimal, share_max: i64) -> Result<u32, Failure> {
    if share.is_sign_negative() || share > Decimal::from(share_max) {
        return Err(Failure::could_not(format!(
            "{name}: {share} is not a share between 0 and {share_max} (0.10 means 10 %)"
        )));
    }
    let scaled = (share * Decimal::from(1_000_000)).trunc();
    scaled
        .try_into()
        .map_err(|_| Failure::could_not(format!("{name}: {share} is out of range")))
}

/// The funding rate of the paper venue in the units of its event, and the time between two fundings.
///
/// # Errors
/// When one of them makes no sense, or there is a rate and no time at which it is due.
pub(crate) fn funding(paper: &Paper) -> Result<(i64, i64), Failure> {
    let rate = funding_rate(paper)?;
    let interval_ns = duration_ns("paper.funding_interval", &paper.funding_interval)?;
    if rate != 0 && interval_ns == 0 {
        return Err(Failure::could_not(format!(
            "paper.funding_interval: `{}` with paper.funding_rate {} would never charge it; write a time such as \"8h\", or a \
             rate of \"0\"",
            paper.funding_interval, paper.funding_rate
        )));
    }
    Ok((rate, interval_ns))
}

/// The funding rate of the paper venue in the units of its event.
///
/// # Errors
/// When it is no share between -1 and 1, or finer than an event can tell.
fn funding_rate(paper: &Paper) -> Result<i64, Failure> {
    let rate = paper.funding_rate;
    let one = Decimal::from(10i64.pow(acth_core::event::FUNDING_RATE_EXPONENT));
    let scaled = rate.checked_mul(one).filter(Decimal::is_integer);
    let mantissa = scaled.and_then(|scaled| i64::try_from(scaled).ok());
    mantissa.filter(|_| rate.abs() <= Decimal::ONE).ok_or_else(|| {
        Failure::could_not(format!(
            "paper.funding_rate: {rate} is not a share between -1 and 1 of at most 12 decimal places (0.0001 means 0.01 %)"
        ))
    })
}

/// A decimal amount as exact money.
fn money(name: &str, amount: Decimal) -> Result<Money, Failure> {
    let parsed = amount.normalize().to_string().parse::<Money>();
    let amount = parsed.map_err(|cause| Failure::could_not(format!("{name}: {cause}")))?;
    if amount < Money::ZERO {
        return Err(Failure::could_not(format!("{name}: {amount} is negative")));
    }
    Ok(amount)
}

/// A duration of the configuration.
///
/// # Errors
/// When the text is no duration.
pub fn duration_ns(name: &str, text: &str) -> Result<i64, Failure> {
    crate::args::parse_duration_ns(text)
        .map_err(|cause| Failure::could_not(format!("{name}: {cause}")))
}

fn positive_ns(name: &str, text: &str) -> Result<i64, Failure> {
    match duration_ns(name, text)? {
        0 => Err(Failure::could_not(format!(
            "{name}: must be longer than nothing"
        ))),
        ns => Ok(ns),
    }
}
