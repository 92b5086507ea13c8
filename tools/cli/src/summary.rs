//! What a run, a backtest or a replay amounted to: the same facts as text for people and as one JSON object for
//! scripts. Names of JSON keys are stable.

mod account;
mod findings;

use std::{collections::BTreeMap, fmt::Write as _};

use acth_core::{
    core::Core,
    event::Side,
    findings::Findings,
    instrument::InstrumentId,
    money::{MONEY_EXPONENT, Money},
    strategy::Strategy,
};
use rust_decimal::Decimal;
use serde::Serialize;

pub use account::{AccountFacts, CurrencyFacts};

/// Percentiles of one stage, ns.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Percentiles {
    /// Measurements.
    pub count: u64,
    /// Half of them are at most this.
    pub p50: u64,
    /// 90 %.
    pub p90: u64,
    /// 99 %.
    pub p99: u64,
    /// 99.9 %.
    pub p999: u64,
    /// All.
    pub max: u64,
}

/// What the decoders met.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Decode {
    /// Frames read.
    pub frames: u64,
    /// Hot messages that the scanner handed to the general parser.
    pub fallbacks: u64,
    /// Frames whose meaning is not known.
    pub unknown: u64,
    /// Frames that could not be decoded at all.
    pub errors: u64,
    /// Missing update ids.
    pub gaps: u64,
}

/// Ticker against book.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct BookCheckCounts {
    /// Comparisons of a ticker with the book of the same update id.
    pub compared: u64,
    /// Those that agreed.
    pub equal: u64,
    /// Venue messages that left a book crossed.
    pub crossed: u64,
}

/// One instrument at the end.
#[derive(Clone, Debug, Serialize)]
pub struct InstrumentFacts {
    /// `venue:symbol`.
    pub name: String,
    /// Best bid, if the book is live.
    pub bid: Option<Decimal>,
    /// Best ask, if the book is live.
    pub ask: Option<Decimal>,
    /// Levels in the book.
    pub levels: usize,
    /// Our position.
    pub position: Decimal,
    /// Profit after fees and funding, in `currency`.
    pub profit: Decimal,
    /// What the instrument is paid in.
    pub currency: String,
}

/// The facts.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// run, backtest or replay.
    pub verb: &'static str,
    /// Name of the strategy.
    pub strategy: String,
    /// Inputs applied.
    pub events: u64,
    /// Market-data messages among them.
    pub messages: u64,
    /// Book levels and trades in those.
    pub rows: u64,
    /// Decisions made.
    pub decisions: u64,
    /// Orders placed.
    pub orders: u64,
    /// Fills.
    pub fills: u64,
    /// Orders that the risk gate refused.
    pub denials: u64,
    /// The same by reason.
    pub denials_by_reason: BTreeMap<&'static str, u64>,
    /// Hash over all decisions, hexadecimal.
    pub decision_hash: String,
    /// Hash of the final state, hexadecimal.
    pub state_hash: String,
    /// The journal's directory.
    pub journal: String,
    /// Wall time of the work.
    pub elapsed_seconds: f64,
    /// Inputs per second of wall time.
    pub events_per_second: f64,
    /// Market-data messages per second of wall time.
    pub messages_per_second: f64,
    /// Book levels and trades per second of wall time.
    pub rows_per_second: f64,
    /// Latency by stage.
    pub latency_ns: BTreeMap<&'static str, Percentiles>,
    /// What the decoders met; absent in a replay, which decodes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decode: Option<Decode>,
    /// Ticker against book.
    pub book_checks: BookCheckCounts,
    /// The account.
    pub account: AccountFacts,
    /// The instruments.
    pub instruments: Vec<InstrumentFacts>,
    /// Active, Reducing or Halted; a run that ends in order ends halted, with the reason `RunEnded`.
    pub trading_state: &'static str,
    /// Why.
    pub trading_state_reason: &'static str,
    /// Why it ended; absent in a replay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
    /// Threads, cores and waiting.
    pub topology: Vec<String>,
    /// What did not go as asked.
    pub warnings: Vec<String>,
    /// How the journal was written; absent in a replay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageFacts>,
    /// What a run that goes on with a journal found there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery: Option<RecoveryFacts>,
    /// What the strategy found out and how its agents fared; absent for a strategy that tells nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub findings: Option<Findings>,
    /// What only a replay finds.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub replay: Option<ReplayFacts>,
}

/// How a journal was written.
#[derive(Clone, Debug, Serialize)]
pub struct StorageFacts {
    /// process, interval or gated.
    pub durability: &'static str,
    /// Highest sequence on stable storage when the run had ended.
    pub durable_sequence: u64,
    /// Most frames that were found written and not yet durable while the run went on; 0 for `process`, which does not look.
    pub lag_frames_max: u64,
    /// Longest time between a frame being seen and being durable, ns.
    pub lag_ns_max: u64,
    /// Syncs while the run went on.
    pub syncs: u64,
    /// Longest of them, ns.
    pub sync_ns_max: u64,
    /// How often the core had to wait for a segment.
    pub roll_stalls: u64,
    /// Snapshots written.
    pub snapshots: u64,
}

/// What a run that goes on with a journal found there.
#[derive(Clone, Debug, Serialize)]
pub struct RecoveryFacts {
    /// Number of this run in the journal.
    pub run: u64,
    /// Last frame before it.
    pub last_sequence: u64,
    /// The snapshot that was begun with; absent if the journal was replayed from its start.
    pub snapshot_sequence: Option<u64>,
    /// Inputs replayed behind the snapshot.
    pub replayed_events: u64,
    /// Decisions that the run before had not journaled any more.
    pub unfinished_decisions: u64,
    /// Orders that were open.
    pub open_orders: u64,
    /// Hash of the recovered state, hexadecimal.
    pub state_hash: String,
    /// How long recovery took.
    pub elapsed_seconds: f64,
}

/// What a replay finds.
#[derive(Clone, Debug, Serialize)]
pub struct ReplayFacts {
    /// Every decision came out the same, byte for byte.
    pub identical: bool,
    /// The snapshot that it began with; absent if it began with the first frame. Counts and hashes are of what is behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_sequence: Option<u64>,
    /// The hash over the journaled decisions, hexadecimal.
    pub journaled_decision_hash: String,
    /// Decisions recomputed for the last input that the journal does not hold, because the run was cut off there.
    pub unfinished_decisions: u64,
    /// Where the first difference is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_divergence: Option<DivergenceFacts>,
}

/// The first difference.
#[derive(Clone, Debug, Serialize)]
pub struct DivergenceFacts {
    /// Sequence of the frame.
    pub sequence: u64,
    /// What the journal holds.
    pub expected: String,
    /// What came.
    pub came: String,
}

/// A hash as scripts get it.
pub fn hex(hash: u64) -> String {
    format!("{hash:016x}")
}

/// Money as a decimal, rounded to a hundred-millionth for people.
pub fn decimal(money: Money) -> Decimal {
    let exact = Decimal::try_from_i128_with_scale(money.0, u32::from(MONEY_EXPONENT));
    exact.unwrap_or_default().round_dp(8).normalize()
}

/// A mantissa as a decimal.
fn mantissa(value: i64, exponent: u8) -> Decimal {
    Decimal::new(value, u32::from(exponent)).normalize()
}

/// The facts that the core itself knows; the caller fills in the rest.
pub fn of_core<S: Strategy>(verb: &'static str, core: &Core<S>, elapsed_seconds: f64) -> Summary {
    let stats = core.stats();
    let per_second = |count: u64| count as f64 / elapsed_seconds.max(1e-9);
    let checks = core.book_checks();
    Summary {
        verb,
        strategy: String::from(S::NAME),
        events: stats.events,
        messages: stats.messages,
        rows: stats.rows,
        decisions: 0,
        orders: stats.orders,
        fills: stats.fills,
        denials: stats.denials,
        denials_by_reason: core
            .denials()
            .iter()
            .map(|(why, n)| (why.name(), *n))
            .collect(),
        decision_hash: String::new(),
        state_hash: hex(core.state_hash()),
        journal: String::new(),
        elapsed_seconds,
        events_per_second: per_second(stats.events),
        messages_per_second: per_second(stats.messages),
        rows_per_second: per_second(stats.rows),
        latency_ns: BTreeMap::new(),
        decode: None,
        book_checks: BookCheckCounts {
            compared: checks.compared,
            equal: checks.equal,
            crossed: core.crossed_count(),
        },
        account: account::facts(core),
        instruments: instruments(core),
        trading_state: core.trading_state().name(),
        trading_state_reason: core.trading_state_reason().name(),
        stop_reason: None,
        topology: Vec::new(),
        warnings: Vec::new(),
        storage: None,
        recovery: None,
        findings: Some(core.findings()).filter(|findings| *findings != Findings::default()),
        replay: None,
    }
}

fn instruments<S: Strategy>(core: &Core<S>) -> Vec<InstrumentFacts> {
    let facts = |id: InstrumentId| {
        let rules = core.instruments().get(id)?;
        let market = core.market(id)?;
        let quote = market.quote();
        let position = core.portfolio().position(id);
        let price = |value: i64| mantissa(value, rules.price_exponent);
        let profit =
            position.realised + core.portfolio().unrealised(id) + position.funding - position.fees;
        Some(InstrumentFacts {
            name: rules.name(),
            bid: quote.map(|quote| price(quote.bid.price)),
            ask: quote.map(|quote| price(quote.ask.price)),
            levels: market.book().depth(Side::Bid) + market.book().depth(Side::Ask),
            position: mantissa(position.quantity, rules.quantity_exponent),
            profit: decimal(profit),
            currency: rules.quote.clone(),
        })
    };
    core.instruments()
        .iter()
        .filter_map(|(id, _)| facts(id))
        .collect()
}

impl Summary {
    /// The summary as text.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.write_counts(&mut text);
        self.write_account(&mut text);
        self.write_instruments(&mut text);
        if let Some(findings) = &self.findings {
            findings::write(findings, &mut text);
        }
        self.write_latency(&mut text);
        self.write_end(&mut text);
        text
    }

    fn write_counts(&self, text: &mut String) {
        line(
            text,
            self.verb,
            &format!("{} in {:.2} s", self.strategy, self.elapsed_seconds),
        );
        line(
            text,
            "events",
            &format!(
                "{}  ({} messages, {} book rows; {} events/s, {} rows/s)",
                grouped(self.events),
                grouped(self.messages),
                grouped(self.rows),
                grouped(self.events_per_second as u64),
                grouped(self.rows_per_second as u64)
            ),
        );
        line(
            text,
            "decisions",
            &format!(
                "{}  ({} orders, {} fills, {} denied)",
                grouped(self.decisions),
                grouped(self.orders),
                grouped(self.fills),
                grouped(self.denials)
            ),
        );
        for (why, count) in &self.denials_by_reason {
            line(
                text,
                "",
                &format!("denied {:<18} {:>10}", why, grouped(*count)),
            );
        }
        if let Some(decode) = &self.decode {
            let counts = [
                ("frames", decode.frames),
                ("fallbacks", decode.fallbacks),
                ("unknown", decode.unknown),
                ("errors", decode.errors),
                ("gaps", decode.gaps),
            ];
            let words: Vec<String> = counts
                .iter()
                .map(|(name, count)| format!("{} {name}", grouped(*count)))
                .collect();
            line(text, "decoded", &words.join(", "));
        }
        let checks = &self.book_checks;
        line(
            text,
            "book checks",
            &format!(
                "{} of {} tickers equal the book of their update id, {} crossed",
                grouped(checks.equal),
                grouped(checks.compared),
                grouped(checks.crossed)
            ),
        );
    }

    fn write_account(&self, text: &mut String) {
        self.account.write(text);
        if self.trading_state_reason != "Operator" {
            let why = self.trading_state_reason;
            line(text, "state", &format!("{} ({why})", self.trading_state));
        }
        self.account.write_currencies(text);
    }

    fn write_instruments(&self, text: &mut String) {
        // Amounts in several currencies do not stand in one column without their names.
        let is_plain = self.account.currencies.len() == 1;
        let currency = |row: &InstrumentFacts| {
            if is_plain {
                return String::new();
            }
            format!(" {}", row.currency)
        };
        let _ = writeln!(
            text,
            "\n  {:<24} {:>14} {:>14} {:>8} {:>14} {:>12}",
            "instrument", "bid", "ask", "levels", "position", "profit"
        );
        for row in &self.instruments {
            let price = |value: Option<Decimal>| value.map_or(String::from("-"), |p| p.to_string());
            let _ = writeln!(
                text,
                "  {:<24} {:>14} {:>14} {:>8} {:>14} {:>12}{}",
                row.name,
                price(row.bid),
                price(row.ask),
                row.levels,
                row.position.to_string(),
                cents(row.profit),
                currency(row)
            );
        }
        text.push('\n');
    }

    fn write_latency(&self, text: &mut String) {
        if self.latency_ns.is_empty() {
            return;
        }
        let _ = writeln!(
            text,
            "  {:<24} {:>10} {:>10} {:>10} {:>10} {:>12} {:>12}",
            "latency, ns", "p50", "p90", "p99", "p99.9", "max", "count"
        );
        for (stage, numbers) in &self.latency_ns {
            let _ = writeln!(
                text,
                "  {:<24} {:>10} {:>10} {:>10} {:>10} {:>12} {:>12}",
                stage,
                grouped(numbers.p50),
                grouped(numbers.p90),
                grouped(numbers.p99),
                grouped(numbers.p999),
                grouped(numbers.max),
                grouped(numbers.count)
            );
        }
        text.push('\n');
    }

    fn write_storage(&self, text: &mut String) {
        if let Some(facts) = &self.recovery {
            let from = match facts.snapshot_sequence {
                Some(sequence) => format!("snapshot {}", grouped(sequence)),
                None => String::from("its start"),
            };
            line(
                text,
                "went on",
                &format!(
                    "behind frame {} from {from}: {} inputs replayed in {:.3} s, {} open orders, {} decisions finished",
                    grouped(facts.last_sequence),
                    grouped(facts.replayed_events),
                    facts.elapsed_seconds,
                    facts.open_orders,
                    facts.unfinished_decisions
                ),
            );
        }
        if let Some(facts) = &self.storage {
            line(
                text,
                "durable",
                &format!(
                    "{} up to frame {}; at worst {} frames and {:.1} ms behind; {} syncs, {} snapshots, {} roll stalls",
                    facts.durability,
                    grouped(facts.durable_sequence),
                    grouped(facts.lag_frames_max),
                    facts.lag_ns_max as f64 / 1e6,
                    grouped(facts.syncs),
                    facts.snapshots,
                    facts.roll_stalls
                ),
            );
        }
    }

    fn write_end(&self, text: &mut String) {
        for thread in &self.topology {
            line(text, "thread", thread);
        }
        for warning in &self.warnings {
            line(text, "note", warning);
        }
        if let Some(reason) = &self.stop_reason {
            line(text, "ended", reason);
        }
        self.write_storage(text);
        line(text, "state hash", &self.state_hash);
        match &self.replay {
            None => line(text, "decision hash", &self.decision_hash),
            Some(facts) => write_replay(text, facts, &self.decision_hash),
        }
        line(text, "journal", &self.journal);
    }
}

fn write_replay(text: &mut String, facts: &ReplayFacts, decision_hash: &str) {
    if let Some(sequence) = facts.snapshot_sequence {
        let behind = format!("snapshot behind frame {}", grouped(sequence));
        line(text, "began with", &behind);
    }
    line(
        text,
        "journaled",
        &format!("decision hash {}", facts.journaled_decision_hash),
    );
    line(
        text,
        "recomputed",
        &format!("decision hash {decision_hash}"),
    );
    if facts.unfinished_decisions > 0 {
        let count = facts.unfinished_decisions;
        line(
            text,
            "cut off",
            &format!("the run ended {count} decisions short of its last input"),
        );
    }
    match &facts.first_divergence {
        None => line(
            text,
            "identical",
            if facts.identical { "yes" } else { "no" },
        ),
        Some(difference) => {
            line(
                text,
                "identical",
                &format!("no, first at sequence {}", difference.sequence),
            );
            line(text, "expected", &difference.expected);
            line(text, "came", &difference.came);
        }
    }
}

fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "  {name:<14} {value}");
}

fn cents(amount: Decimal) -> String {
    format!("{:.2}", amount.round_dp(2))
}

/// A count with thin groups of three: 1,234,567.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
