//! The last orders and why there were any; what was refused and why.

use acth_core::{
    decision::{Decision, OrderType, TimeInForce},
    event::{EventKind, ReportReason, Side},
};

use super::Section;
use crate::{
    format::{elapsed, grouped, mantissa, number, percent},
    html::{Column, paragraph, table},
    orders::{OrderRow, Outcome},
    report::Report,
};

/// The strategy whose agents have numbers and whose reasons name an agent.
const NETWORK: &str = "agent-network";
/// Number of the first agent in a decision of that strategy; below are the core and what agents share.
const AGENT_FIRST: u16 = 2;
/// The strategy's code for a quote of an agent's own.
const REASON_QUOTE: u16 = 16;

pub(super) fn write(report: &Report) -> Section {
    Section {
        id: "orders",
        name: "Orders",
        content: denials(report) + &placed(report),
    }
}

fn since_start(report: &Report, ts_ns: i64) -> String {
    let start_ns = report.times().map_or(ts_ns, |times| times.ts_start_ns);
    elapsed(ts_ns.saturating_sub(start_ns))
}

fn denials(report: &Report) -> String {
    let mut text = String::from("<h3>Refused by the risk gate</h3>\n");
    if report.denials.is_empty() {
        return text + &paragraph("No order was refused.");
    }
    let columns = [
        Column::Numbers("code"),
        Column::Words("reason"),
        Column::Numbers("count"),
        Column::Numbers("share"),
        Column::Words("last"),
        Column::Sentences("meaning"),
    ];
    let all = report.stats.denials.max(1) as f64;
    let rows = report.denials.iter().map(|(denial, count)| {
        let last = report.seen.orders.refusals[usize::from(denial.code())];
        let last = last.map_or_else(String::new, |last| {
            format!(
                "{} at {}, frame {}",
                report.instrument_name(usize::from(last.instrument)),
                since_start(report, last.ts_ns),
                grouped(last.sequence)
            )
        });
        vec![
            denial.code().to_string(),
            denial.name().to_owned(),
            grouped(*count),
            percent(*count as f64 / all, 1),
            last,
            denial.describe().to_owned(),
        ]
    });
    text += &table(&columns, rows);
    text
}

fn placed(report: &Report) -> String {
    let rows = &report.seen.orders.rows;
    let mut text = String::from("<h3>Last orders, the latest first</h3>\n");
    if rows.is_empty() {
        return text + &paragraph("No order was placed.");
    }
    text += &paragraph(&format!(
        "{} of {} orders. Each passed the risk gate. How it was placed and for whom, the strategy's reason and signal, the mid at that moment, and the input that led to it.",
        grouped(rows.len() as u64),
        grouped(report.stats.orders)
    ));
    let columns = [
        Column::Numbers("frame"),
        Column::Numbers("after"),
        Column::Words("instrument"),
        Column::Words("side"),
        Column::Numbers("price"),
        Column::Numbers("quantity"),
        Column::Sentences("outcome"),
        Column::Sentences("how and why"),
    ];
    text += &table(&columns, rows.iter().rev().map(|row| cells(report, row)));
    text
}

fn cells(report: &Report, row: &OrderRow) -> Vec<String> {
    let decision = &row.decision;
    let instrument = report.instruments.get(decision.instrument_id());
    let (price_exponent, quantity_exponent) =
        instrument.map_or((0, 0), |it| (it.price_exponent, it.quantity_exponent));
    let price = |value: i64| mantissa(value, price_exponent);
    let (agent, why) = agent_and_why(report, decision);
    vec![
        grouped(row.sequence),
        since_start(report, row.ts_ns),
        report.instrument_name(usize::from(decision.instrument)),
        match decision.side() {
            Some(Side::Bid) => String::from("buy"),
            Some(Side::Ask) => String::from("sell"),
            None => String::from("-"),
        },
        price(decision.price),
        mantissa(decision.quantity, quantity_exponent),
        outcome(row, price_exponent, quantity_exponent),
        format!(
            "{} for {agent}: {why}; signal {}, mid {}; on {}",
            how(decision),
            number(f64::from_bits(decision.signal_bits), 6),
            price(decision.reference_price),
            cause(report, row)
        ),
    ]
}

fn how(decision: &Decision) -> String {
    let kind = match OrderType::from_code(decision.order_type) {
        Some(OrderType::Limit) => "limit",
        Some(OrderType::PostOnly) => "post only",
        None => "-",
    };
    let time = match TimeInForce::from_code(decision.time_in_force) {
        Some(TimeInForce::GoodTillCancelled) => "",
        Some(TimeInForce::ImmediateOrCancel) => ", immediate or cancel",
        Some(TimeInForce::FillOrKill) => ", fill or kill",
        None => ", -",
    };
    format!("{kind}{time}")
}

fn outcome(row: &OrderRow, price_exponent: u8, quantity_exponent: u8) -> String {
    let because = |reason: ReportReason| match reason {
        ReportReason::None => String::new(),
        reason => format!(" ({reason:?})"),
    };
    let end = match row.outcome {
        Outcome::Unanswered => String::from("no answer"),
        Outcome::Working => String::from("working"),
        Outcome::Filled => String::from("filled"),
        Outcome::Cancelled(reason) => format!("cancelled{}", because(reason)),
        Outcome::Rejected(reason) => format!("rejected{}", because(reason)),
    };
    match row.mean_price() {
        None => end,
        Some(mean) => format!(
            "{end}; {} at {}",
            mantissa(row.filled, quantity_exponent),
            mantissa(mean, price_exponent)
        ),
    }
}

/// Who wished an order, and the strategy's reason in words where its codes are known.
fn agent_and_why(report: &Report, decision: &Decision) -> (String, String) {
    if report.strategy != NETWORK {
        return (
            format!("agent {}", decision.agent),
            format!("reason {}", decision.reason),
        );
    }
    // The accounts begin with the house, so an agent's row is one above its place.
    let name = |row: u16| match report.findings.agents.get(usize::from(row)) {
        Some(agent) => agent.name.clone(),
        None => format!("agent {row}"),
    };
    if decision.agent >= AGENT_FIRST {
        let why = match decision.reason {
            REASON_QUOTE => String::from("its quote"),
            other => format!("reason {other}"),
        };
        return (name(decision.agent + 1 - AGENT_FIRST), why);
    }
    let manner = match decision.reason & 0xff {
        1 => "joins the touch",
        2 => "improves the touch",
        3 => "crosses the spread",
        _ => "reason unknown",
    };
    let most = name(decision.reason >> 8);
    (
        String::from("several agents"),
        format!("{manner}, most for {most}"),
    )
}

fn cause(report: &Report, row: &OrderRow) -> String {
    let cause = &row.cause;
    let kind = cause.kind.map_or("Unknown", EventKind::name);
    let about_instrument = !matches!(
        cause.kind,
        Some(EventKind::TimerFired | EventKind::OperatorCommanded) | None
    );
    let sequence = grouped(cause.sequence);
    if about_instrument && cause.instrument == row.decision.instrument {
        format!("its own {kind}, frame {sequence}")
    } else if about_instrument {
        let name = report.instrument_name(usize::from(cause.instrument));
        format!("{kind} of {name}, frame {sequence}")
    } else {
        format!("{kind}, frame {sequence}")
    }
}
