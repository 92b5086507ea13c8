//! Cross-asset structure, found without being told which assets belong together.
//!
//! ```text
//!                 ┌ HayashiYoshida ── Cleaning ─────────── correlation(a, b)
//!   prices ───────┤      (every price, one row)  (slices: fill, solve, clip, publish)
//!                 └ ReturnGrid ── CrossLags ── Graph ───── edges, changes, leader_of
//!                        (every 50 ms, one row)  (slices: leaders, rows of pairs)
//!   timers ───────┬ PairScan (a row of prices a second, a few pairs a slice) ── pairs
//!                 └ Mood (once a second) ───────────────── regime, change_alarm
//! ```
//!
//! A price costs one pass over a row of floats, and every `lag_step_ms` another row. All that is heavier is done on
//! timers, one bounded slice each, in an order that depends on nothing but the timers so far.
//!
//! Invariant: the same inputs in the same order give the same bits; no allocation after construction; nothing infinite or
//! NaN is stored or returned.

pub mod change;
mod cleaning;
pub mod clipping;
pub mod cointegration;
mod config;
pub mod eigen;
mod found;
mod graph;
mod grid;
mod hayashi_yoshida;
pub mod hedge;
mod kernel;
mod lead_lag;
mod mood;
pub mod normal;
mod persist;
pub mod regime;
mod scan;
pub mod shrinkage;

pub use config::{
    ADF_LAGS_MAX, LAG_COUNT_MAX, SCAN_ROWS_MAX, SCAN_ROWS_MIN, STATES_MAX, StructureConfig,
    StructureError,
};
pub use found::{Edge, EdgeChange, Lead, Pair, Regime};
pub use graph::{CHANGES_MAX, EdgeRules, Graph};
pub use hayashi_yoshida::{HayashiYoshida, LOG_PRICE_MAX};
pub use lead_lag::{BATCH_ROWS, CrossLags, LagPeak};
pub use mood::CHANGE_RUN_SHORT;
pub use scan::PAIRS_MAX;

use alloc::{vec, vec::Vec};

use self::{
    cleaning::Cleaning,
    grid::ReturnGrid,
    mood::Mood,
    normal::{chance_of_each, two_sided_score},
    persist::{load_float, load_index},
    scan::PairScan,
};
use crate::{
    snapshot::{Decoder, Sink, SnapshotError},
    stats::share_of_half_life,
};

const NS_PER_MS: i64 = 1_000_000;
/// Effective rows of returns before an edge may appear: below, a correlation is not yet about normal.
const EDGE_ROWS_MIN: f64 = 400.0;

/// Who moves with whom, who leads whom, which prices stay together, and how the market as a whole is.
#[derive(Clone, Debug)]
pub struct Structure {
    config: StructureConfig,
    count: usize,
    now_ns: i64,
    timers: u64,
    ticks: HayashiYoshida,
    grid: ReturnGrid,
    lags: CrossLags,
    graph: Graph,
    /// The instrument whose pairs are looked at next.
    graph_row: usize,
    leads: Vec<Option<Lead>>,
    cleaning: Cleaning,
    scan: PairScan,
    mood: Mood,
    /// Numbers of the steps of `PairScan` and `Mood` at hand; negative before the first timer.
    scan_step: i64,
    regime_step: i64,
}

impl Structure {
    /// For `count` instruments; nothing is known yet.
    ///
    /// # Errors
    /// A parameter makes no sense, or there are no instruments or more than 128.
    pub fn new(config: &StructureConfig, count: usize) -> Result<Self, StructureError> {
        config.check(count)?;
        let rows = |half_life_ms: i64| half_life_ms as f64 / config.lag_step_ms as f64;
        let volatility_share = share_of_half_life(rows(config.volatility_half_life_ms))?;
        let covariance_ns = (config.covariance_half_life_ms * NS_PER_MS) as f64;
        let step_ns = config.lag_step_ms * NS_PER_MS;
        let lead_lag_rows = rows(config.lead_lag_half_life_ms);
        let pairs = (count * count.saturating_sub(1) / 2) as f64;
        let mood = Mood::new(
            count,
            config.regime_step_ms * NS_PER_MS,
            config.regime_half_life_ms * NS_PER_MS,
            (config.regime_states, config.regime_stay),
            (config.change_run, config.change_probability),
        )?;
        let Some(mood) = mood else {
            return Err(StructureError::Parameter {
                name: "regime_states",
                value: config.regime_states as f64,
                expected: "a regime and changes that can be told",
            });
        };
        Ok(Self {
            config: *config,
            count,
            now_ns: 0,
            timers: 0,
            ticks: HayashiYoshida::new(count, covariance_ns)?,
            grid: ReturnGrid::new(count, step_ns, volatility_share),
            lags: CrossLags::new(count, config.lag_count, lead_lag_rows)?,
            graph: Graph::new(count, edge_rules(config, pairs)),
            graph_row: 0,
            leads: vec![None; count],
            cleaning: Cleaning::new(count, config.slice_rotations),
            scan: PairScan::new(
                count,
                config.scan_rows,
                config.adf_lags,
                chance_of_each(config.pair_significance, pairs),
                config.hedge_drift,
            ),
            mood,
            scan_step: -1,
            regime_step: -1,
        })
    }

    /// Takes a changed price, as its natural logarithm. Time never goes back; an unusable price, or one of an instrument
    /// that does not exist, is refused and counted.
    #[inline]
    pub fn on_price(&mut self, index: usize, now_ns: i64, log_price: f64) {
        self.pass_time(now_ns);
        let before_ns = self.ticks.ts_ns(index);
        let is_taken = self.ticks.update(index, self.now_ns, log_price);
        if is_taken
            && before_ns.is_some_and(|ts_ns| self.now_ns - ts_ns > self.config.stale_ms * NS_PER_MS)
        {
            self.grid.begin_anew(index, log_price);
        }
    }

    #[inline]
    fn pass_time(&mut self, now_ns: i64) {
        self.now_ns = self.now_ns.max(now_ns);
        if self.now_ns >= self.grid.end_ns() {
            self.grid.advance(self.now_ns, &self.ticks, &mut self.lags);
        }
    }

    /// Lets time pass and does one bounded slice of the work that is too heavy for a price.
    pub fn on_timer(&mut self, now_ns: i64) {
        self.pass_time(now_ns);
        self.timers += 1;
        self.lags.fold(self.leaders_a_timer());
        self.look_at_pairs();
        self.cleaning.work(&self.ticks, self.now_ns);
        self.scan.work(self.config.slice_pairs);
        let regime_step = self.now_ns / (self.config.regime_step_ms * NS_PER_MS);
        if regime_step > self.regime_step {
            self.regime_step = regime_step;
            self.mood.observe(&self.ticks);
        }
        let scan_step = self.now_ns / (self.config.scan_step_ms * NS_PER_MS);
        if scan_step > self.scan_step {
            self.scan_step = scan_step;
            self.scan.push(&self.ticks);
        }
    }

    /// Leaders whose sums are brought up to date by one timer, so that a batch is done before the next is full.
    const fn leaders_a_timer(&self) -> usize {
        let batch_ms = BATCH_ROWS as i64 * self.config.lag_step_ms;
        let timers = batch_ms / self.config.timer_ms;
        if timers <= 1 {
            self.count
        } else {
            self.count.div_ceil(timers as usize)
        }
    }

    /// Looks at one instrument's pairs with all behind it, then at who leads it.
    fn look_at_pairs(&mut self) {
        if self.lags.effective_rows() < EDGE_ROWS_MIN {
            return;
        }
        let first = self.graph_row;
        for second in first + 1..self.count {
            let peak = self.lags.peak(first, second, self.config.peak_lags);
            self.graph.observe(first, second, peak);
        }
        let lead = self.graph.leader_edge(first).map(|edge| Lead {
            leader: edge.first,
            lag_ns: edge.lag_ns,
            correlation: edge.correlation,
            beta: edge.correlation * self.deviation_ratio(edge.second, edge.first),
        });
        self.leads[first] = lead;
        self.graph_row = (first + 1) % self.count;
    }

    /// Deviation of one instrument's returns in deviations of another's; 0 while unknown.
    fn deviation_ratio(&self, index: usize, base: usize) -> f64 {
        let own = self.ticks.covariance(index, index, self.now_ns);
        let other = self.ticks.covariance(base, base, self.now_ns);
        if other > f64::MIN_POSITIVE {
            libm::sqrt(own / other)
        } else {
            0.0
        }
    }

    /// Correlation of two instruments' returns at the same time, cleaned of noise, -1 to 1; 0 while unknown.
    pub fn correlation(&self, first: usize, second: usize) -> f64 {
        self.cleaning.correlation(first, second)
    }

    /// The same as the returns show it, noise included.
    pub fn raw_correlation(&self, first: usize, second: usize) -> f64 {
        self.ticks.correlation(first, second, self.now_ns)
    }

    /// Share of all variance in the strongest common factor, 0 to 1, and how many factors stand out from noise.
    pub const fn factors(&self) -> (f64, usize) {
        (self.cleaning.first_share(), self.cleaning.factor_count())
    }

    /// How often the clean correlations were renewed.
    pub const fn cleaned_count(&self) -> u64 {
        self.cleaning.published_count()
    }

    /// Who leads this instrument best, if anyone does.
    pub fn leader_of(&self, follower: usize) -> Option<Lead> {
        self.leads.get(follower).copied().flatten()
    }

    /// All edges, by their first and then their second instrument.
    pub fn edges(&self) -> impl Iterator<Item = Edge> {
        self.graph.edges()
    }

    /// The edges and their changes.
    pub const fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The correlations at all lags.
    pub const fn lags(&self) -> &CrossLags {
        &self.lags
    }

    /// The edges that came and went since the last call, oldest first. Those beyond `CHANGES_MAX` are lost and counted.
    pub fn take_changes(&mut self) -> impl Iterator<Item = EdgeChange> {
        self.graph.take_changes()
    }

    /// The pairs whose prices stay together best, the surest first; at most `PAIRS_MAX`.
    pub fn pairs(&self) -> &[Pair] {
        self.scan.pairs()
    }

    /// The market's regime.
    pub fn regime(&self) -> Regime {
        self.mood.regime()
    }

    /// Whether the market has just changed how much it moves.
    pub const fn change_alarm(&self) -> bool {
        self.mood.is_alarm()
    }

    /// Changes announced so far.
    pub const fn change_count(&self) -> u64 {
        self.mood.change_count()
    }

    /// How often the market as a whole was found to drift.
    pub const fn drift_count(&self) -> u64 {
        self.mood.drift_count()
    }

    /// How many instruments.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Prices refused.
    pub const fn refused_count(&self) -> u64 {
        self.ticks.refused_count()
    }

    /// Writes the exact state; parameters and count are the reader's.
    pub fn write(&self, out: &mut impl Sink) {
        self.write_brief(out);
        out.u32(self.graph_row as u32);
        out.i64(self.scan_step);
        out.i64(self.regime_step);
        self.ticks.write(out);
        self.grid.write(out);
        self.lags.write(out);
        self.graph.write(out);
        self.cleaning.write(out);
        self.scan.write(out);
        self.mood.write(out);
    }

    /// Writes what a few hundred bytes can say of the state: enough for a hash that is folded often, because it follows
    /// from all inputs so far. It cannot be read back.
    pub fn write_brief(&self, out: &mut impl Sink) {
        out.i64(self.now_ns);
        out.u64(self.timers);
        for lead in &self.leads {
            out.bool(lead.is_some());
            if let Some(lead) = lead {
                out.u32(lead.leader as u32);
                out.i64(lead.lag_ns);
                out.f64(lead.correlation);
                out.f64(lead.beta);
            }
        }
    }

    /// Reads what one of the same configuration and count wrote.
    ///
    /// # Errors
    /// The bytes end, or a value cannot be.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.now_ns = from.time_ns()?;
        self.timers = from.count()?;
        for lead in &mut self.leads {
            *lead = if from.bool()? {
                Some(Lead {
                    leader: load_index(from, self.count - 1)?,
                    lag_ns: from.i64()?,
                    correlation: load_float(from)?,
                    beta: load_float(from)?,
                })
            } else {
                None
            };
        }
        self.graph_row = load_index(from, self.count - 1)?;
        self.scan_step = from.i64()?;
        self.regime_step = from.i64()?;
        self.ticks.load(from)?;
        self.grid.load(from)?;
        self.lags.load(from)?;
        self.graph.load(from)?;
        self.cleaning.load(from)?;
        self.scan.load(from)?;
        self.mood.load(from)
    }
}

/// The thresholds for `pairs` pairs at all lags to both sides.
fn edge_rules(config: &StructureConfig, pairs: f64) -> EdgeRules {
    let trials = pairs * (2 * config.lag_count + 1) as f64;
    let appear_score = two_sided_score(chance_of_each(config.significance, trials));
    EdgeRules {
        appear_score,
        vanish_score: appear_score * config.vanish_ratio,
        appear_correlation: config.correlation_min,
        vanish_correlation: config.correlation_min * config.vanish_ratio,
        lag_step_ns: config.lag_step_ms * NS_PER_MS,
    }
}
