//! What the journal is, and whether the replay bears it out.

use acth_core::risk::TradingState;

use super::Section;
use crate::{
    format::{cents, elapsed, grouped, length, number, utc},
    html::{Column, Facts, escape, figure, paragraph, table},
    report::Report,
    svg::{Bar, Lane, Times, lanes},
};

pub(super) fn write(report: &Report) -> Section {
    let mut content = verdict(report);
    content += &facts(report);
    content += &runs(report);
    content += &states(report);
    Section {
        id: "head",
        name: "The run",
        content,
    }
}

/// The one sentence that must not be missed.
fn verdict(report: &Report) -> String {
    let mut text = String::new();
    if let Some(found) = &report.difference {
        text += &bad(&format!(
            "The replay DIFFERS from the journal, first at sequence {} (decided on input {}).",
            grouped(found.sequence),
            grouped(found.cause)
        ));
        text += &paragraph(&format!("The journal has: {}", found.expected));
        text += &paragraph(&format!("Computed again: {}", found.came));
    }
    if let Some(damage) = &report.damage {
        text += &bad(&format!(
            "The journal is DAMAGED behind frame {}; this page is about what stands before. {damage}",
            grouped(report.last_sequence)
        ));
    }
    if report.is_identical() {
        let sentence = format!(
            "Identical: all {} decisions of the journal were computed again and are the same, byte for byte.",
            grouped(report.decisions)
        );
        text += &format!("<p class=\"verdict\">{}</p>\n", escape(&sentence));
    }
    if let Some(sequence) = report.snapshot_sequence {
        text += &paragraph(&format!(
            "The replay began with the snapshot behind frame {}: decisions, hashes and drawings are of what comes after it.",
            grouped(sequence)
        ));
    }
    if report.unfinished > 0 {
        text += &paragraph(&format!(
            "The run was cut off {} decisions short of its last input.",
            report.unfinished
        ));
    }
    if report.seen.span_ns.is_none() {
        text += &paragraph(match report.snapshot_sequence {
            None => "The journal holds no input yet.",
            Some(_) => "The journal holds no input behind it.",
        });
    }
    text
}

fn bad(sentence: &str) -> String {
    format!("<p class=\"verdict bad\">{}</p>\n", escape(sentence))
}

fn facts(report: &Report) -> String {
    let mut facts = Facts::new();
    let mut count = |name: &str, key: &str, value: u64| {
        facts.add(name, key, &grouped(value), &value.to_string());
    };
    count("events", "events", report.stats.events);
    count("market messages", "messages", report.stats.messages);
    count("book levels and trades", "rows", report.stats.rows);
    count("decisions", "decisions", report.decisions);
    count("orders", "orders", report.stats.orders);
    count("fills", "fills", report.stats.fills);
    count(
        "orders refused by the risk gate",
        "denials",
        report.stats.denials,
    );
    count("last frame", "last_sequence", report.last_sequence);
    let mut word = |name: &str, key: &str, value: &str| facts.add(name, key, value, value);
    word("strategy", "strategy", report.strategy);
    word(
        "state at the end",
        "trading_state",
        report.trading_state.name(),
    );
    word(
        "because",
        "trading_state_reason",
        report.trading_state_reason.name(),
    );
    if let Some((start_ns, final_ns)) = report.seen.span_ns {
        word("first input, UTC", "start", &utc(start_ns));
        word("last input, UTC", "final", &utc(final_ns));
        word(
            "lasted",
            "length",
            &length(final_ns.saturating_sub(start_ns)),
        );
    }
    for (name, key, hash) in [
        ("state hash", "state_hash", report.state_hash),
        ("decision hash", "decision_hash", report.hash_recomputed),
        (
            "as journaled",
            "journaled_decision_hash",
            report.hash_journaled,
        ),
    ] {
        word(name, key, &format!("{hash:016x}"));
    }
    let account = &report.account;
    let profit = account.equity - account.equity_start;
    for (name, key, money) in [
        ("profit after fees", "profit", profit),
        ("equity", "equity", account.equity),
        ("equity at the start", "equity_start", account.equity_start),
        (
            "earned by trades, at the rates then",
            "earned",
            account.earned,
        ),
        (
            "gained by changes of rates",
            "revaluation",
            account.revaluation,
        ),
        ("realised, before fees", "realised", account.realised),
        ("unrealised", "unrealised", account.unrealised),
        ("fees", "fees", account.fees),
        ("funding", "funding", account.funding),
        ("turnover", "turnover", account.turnover),
    ] {
        facts.add(name, key, &cents(money), &money.to_string());
    }
    facts.end()
}

fn runs(report: &Report) -> String {
    let manifest = &report.manifest;
    let mut text = paragraph(&format!(
        "Written by acth {} ({}) as hub {} with seed {}. Samples every {} s, {} in all. Amounts are in the account's currency, {}, unless it says otherwise.",
        manifest.build.version,
        manifest.build.target,
        manifest.hub_id,
        manifest.seed,
        number(report.step_ns() as f64 / 1e9, 3),
        grouped(report.point_count() as u64),
        report.account.currency
    ));
    let Ok(measured) = &report.measured else {
        return text + &paragraph(&format!("{} runs.", report.runs));
    };
    let columns = [
        Column::Numbers("run"),
        Column::Words("clock"),
        Column::Words("started, UTC"),
        Column::Words("configuration"),
    ];
    let rows = measured.runs.iter().map(|run| {
        vec![
            run.run.to_string(),
            format!("{:?}", run.clock),
            // A run in event time does not know its start before its first input.
            if run.started_ns > 0 {
                utc(run.started_ns)
            } else {
                String::from("-")
            },
            run.config_hash.chars().take(16).collect(),
        ]
    });
    text += &table(&columns, rows);
    text
}

/// The trading states on a time line, and as a table with their reasons.
fn states(report: &Report) -> String {
    let Some(times) = report.times() else {
        return String::new();
    };
    let history = &report.seen.history;
    let start_ns = times.ts_start_ns;
    let mut text = String::from("<h3>Trading state</h3>\n");
    text += &figure(
        "Green: active. Yellow: reducing, only what shrinks a position. Red: halted.",
        &state_lane(report, times),
    );
    let columns = [
        Column::Words("after"),
        Column::Words("state"),
        Column::Words("because"),
        Column::Numbers("sequence"),
    ];
    let rows = history.states.iter().map(|change| {
        vec![
            elapsed(change.ts_ns.saturating_sub(start_ns)),
            change
                .state
                .map_or("unknown", |state| state.name())
                .to_owned(),
            change
                .reason
                .map_or("unknown", |reason| reason.name())
                .to_owned(),
            grouped(change.sequence),
        ]
    });
    text += &table(&columns, rows);
    if history.states_left_out > 0 {
        text += &paragraph(&format!(
            "And {} later changes that are not listed.",
            grouped(history.states_left_out)
        ));
    }
    text
}

fn state_lane(report: &Report, times: Times) -> String {
    let states = &report.seen.history.states;
    let class = |state: Option<TradingState>| match state {
        Some(TradingState::Active) => String::from("active"),
        Some(TradingState::Reducing) => String::from("reducing"),
        Some(TradingState::Halted) => String::from("halted"),
        None => String::from("none"),
    };
    // A core begins active; one from a snapshot begins as its first change leaves open.
    let first = match report.snapshot_sequence {
        None => Some(TradingState::Active),
        Some(_) if states.is_empty() => Some(report.trading_state),
        Some(_) => None,
    };
    let mut bars = vec![Bar {
        ts_start_ns: times.ts_start_ns,
        ts_final_ns: states.first().map(|change| change.ts_ns),
        class: class(first),
        title: String::from("from the start"),
    }];
    for (index, change) in states.iter().enumerate() {
        bars.push(Bar {
            ts_start_ns: change.ts_ns,
            ts_final_ns: states.get(index + 1).map(|next| next.ts_ns),
            class: class(change.state),
            title: format!(
                "{}: {}",
                change.state.map_or("unknown", |state| state.name()),
                change.reason.map_or("unknown", |reason| reason.name())
            ),
        });
    }
    let lane = Lane {
        name: String::from("state"),
        bars,
    };
    lanes(times, &[lane], "trading state over time")
}
