//! Everything that the page shows, gathered.

use acth_core::{
    core::Core,
    currency::{Rate, RateSource},
    findings::Findings,
    instrument::{Instrument, InstrumentId, Instruments},
    money::Money,
    portfolio::CurrencyBooks,
    risk::{Denial, StateReason, TradingState},
    state::CoreStats,
    strategy::Strategy,
};
use acth_engine::{manifest::RunManifest, replay::ReplayOutcome};
use acth_latency::Measured;

use crate::{
    observed::Seen,
    page,
    sampling::{correlation, pairs, strongest},
    svg::Times,
};

/// Most letters of a name in a drawing.
const NAME_LETTERS_MAX: usize = 28;

/// The first decision that differs, in words.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    pub(crate) sequence: u64,
    pub(crate) cause: u64,
    pub(crate) expected: String,
    pub(crate) came: String,
}

/// The account at the end, in its own currency.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Account {
    pub(crate) currency: String,
    pub(crate) equity_start: Money,
    pub(crate) equity: Money,
    /// What fills, marks, fees and funding did to it, each at the rate of its moment.
    pub(crate) earned: Money,
    /// What changes of rates did to it.
    pub(crate) revaluation: Money,
    pub(crate) realised: Money,
    pub(crate) unrealised: Money,
    pub(crate) fees: Money,
    /// Received; negative when more was paid.
    pub(crate) funding: Money,
    pub(crate) turnover: Money,
    pub(crate) currencies: Vec<CurrencyRow>,
}

/// One currency at the end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CurrencyRow {
    pub(crate) name: String,
    pub(crate) books: CurrencyBooks,
    pub(crate) rate: Rate,
    pub(crate) source: RateSource,
    /// The instrument whose market may give the rate.
    pub(crate) link: Option<String>,
}

/// One instrument at the end; prices and quantities are mantissas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct InstrumentRow {
    pub(crate) quote: Option<(i64, i64)>,
    pub(crate) position: i64,
    pub(crate) fees: Money,
    pub(crate) volume: Money,
    pub(crate) profit: Money,
}

/// A journal, seen through: see `to_html`.
#[derive(Debug)]
pub struct Report {
    pub(crate) journal: String,
    pub(crate) manifest: RunManifest,
    pub(crate) strategy: &'static str,
    pub(crate) runs: u64,
    pub(crate) stats: CoreStats,
    pub(crate) decisions: u64,
    pub(crate) unfinished: u64,
    pub(crate) last_sequence: u64,
    pub(crate) hash_journaled: u64,
    pub(crate) hash_recomputed: u64,
    pub(crate) state_hash: u64,
    pub(crate) snapshot_sequence: Option<u64>,
    pub(crate) difference: Option<Difference>,
    pub(crate) damage: Option<String>,
    pub(crate) trading_state: TradingState,
    pub(crate) trading_state_reason: StateReason,
    pub(crate) denials: Vec<(Denial, u64)>,
    pub(crate) account: Account,
    pub(crate) instruments: Instruments,
    pub(crate) instrument_rows: Vec<InstrumentRow>,
    /// Of all pairs, at the same time.
    pub(crate) correlations: Vec<f64>,
    /// Of all pairs, as `sampling::strongest` has them.
    pub(crate) strongest: Vec<f64>,
    pub(crate) findings: Findings,
    pub(crate) seen: Seen,
    pub(crate) measured: Result<Measured, String>,
}

impl Report {
    pub(crate) fn new<S: Strategy + 'static>(
        outcome: &ReplayOutcome<Core<S>>,
        seen: Seen,
        measured: Result<Measured, String>,
    ) -> Self {
        let core = &outcome.machine;
        let count = core.instruments().count();
        Self {
            journal: String::new(),
            manifest: outcome.manifest.clone(),
            strategy: S::NAME,
            runs: outcome.runs,
            stats: core.stats(),
            decisions: outcome.decisions,
            unfinished: outcome.unfinished_decisions,
            last_sequence: outcome.last_sequence,
            hash_journaled: outcome.decision_hash_journaled,
            hash_recomputed: outcome.decision_hash_recomputed,
            state_hash: outcome.state_hash,
            snapshot_sequence: None,
            difference: None,
            damage: None,
            trading_state: core.trading_state(),
            trading_state_reason: core.trading_state_reason(),
            denials: core.denials(),
            account: account(core),
            instruments: core.instruments().clone(),
            instrument_rows: (0..count).map(|index| instrument(core, index)).collect(),
            correlations: pairs(count)
                .map(|(first, second)| correlation(core, first, second))
                .collect(),
            strongest: strongest(core),
            findings: core.findings(),
            seen,
            measured,
        }
    }

    /// The page: one HTML file that needs nothing else.
    pub fn to_html(&self) -> String {
        page::write(self)
    }

    /// True when every decision came out the same and the journal could be read to its end.
    pub const fn is_identical(&self) -> bool {
        self.difference.is_none() && self.damage.is_none()
    }

    /// The snapshot that the replay began with; `None` = the first frame.
    pub const fn snapshot_sequence(&self) -> Option<u64> {
        self.snapshot_sequence
    }

    /// Samples on the page.
    pub fn point_count(&self) -> usize {
        self.seen.sampler.samples().len()
    }

    /// Time between two of them, ns.
    pub const fn step_ns(&self) -> i64 {
        self.seen.sampler.step_ns()
    }

    /// Names for drawings: the symbol, with the venue where it takes that to tell two apart, cut where it is too long.
    pub(crate) fn short_names(&self) -> Vec<String> {
        let rows = self.instruments.rows();
        let is_shared = |symbol: &str| rows.iter().filter(|row| row.symbol == symbol).count() > 1;
        let short = |row: &Instrument| {
            let name = if is_shared(&row.symbol) {
                row.name()
            } else {
                row.symbol.clone()
            };
            if name.chars().count() <= NAME_LETTERS_MAX {
                return name;
            }
            let kept: String = name.chars().take(NAME_LETTERS_MAX - 1).collect();
            format!("{kept}…")
        };
        rows.iter().map(short).collect()
    }

    /// The left and right end of every time axis; `None` without an input.
    pub(crate) fn times(&self) -> Option<Times> {
        let (ts_start_ns, ts_final_ns) = self.seen.span_ns?;
        Some(Times {
            ts_start_ns,
            ts_final_ns,
        })
    }

    /// Times of the samples, ns since the Unix epoch.
    pub(crate) fn sample_times(&self) -> Vec<i64> {
        let samples = self.seen.sampler.samples();
        samples.iter().map(|sample| sample.ts_ns).collect()
    }

    pub(crate) fn instrument_name(&self, index: usize) -> String {
        match self.instruments.rows().get(index) {
            Some(instrument) => instrument.name(),
            None => format!("instrument {index}"),
        }
    }
}

fn account<S: Strategy>(core: &Core<S>) -> Account {
    let portfolio = core.portfolio();
    let names = core.groups().currencies();
    let currencies = names.iter().enumerate();
    Account {
        currency: names[0].clone(),
        equity_start: portfolio.cash_at_start(),
        equity: portfolio.equity(),
        earned: portfolio.earned(),
        revaluation: portfolio.revaluation(),
        realised: portfolio.realised(),
        unrealised: portfolio.unrealised_total(),
        fees: portfolio.fees(),
        funding: portfolio.funding(),
        turnover: portfolio.volume(),
        currencies: currencies
            .filter_map(|(index, name)| currency(core, index, name))
            .collect(),
    }
}

fn currency<S: Strategy>(core: &Core<S>, index: usize, name: &str) -> Option<CurrencyRow> {
    let portfolio = core.portfolio();
    let link = core.groups().link(index);
    let instrument = link.and_then(|link| core.instruments().get(link.instrument));
    Some(CurrencyRow {
        name: name.to_owned(),
        books: portfolio.currency(index)?,
        rate: portfolio.rates().get(index),
        source: portfolio.rates().source(index),
        link: instrument.map(Instrument::name),
    })
}

fn instrument<S: Strategy>(core: &Core<S>, index: usize) -> InstrumentRow {
    let id = InstrumentId(index as u16);
    let position = core.portfolio().position(id);
    let quote = core.market(id).and_then(acth_core::market::Market::quote);
    InstrumentRow {
        quote: quote.map(|quote| (quote.bid.price, quote.ask.price)),
        position: position.quantity,
        fees: position.fees,
        volume: position.volume,
        profit: position.realised + core.portfolio().unrealised(id) + position.funding
            - position.fees,
    }
}
