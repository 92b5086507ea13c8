//! What the strategy found out, as tables.

use std::fmt::Write as _;

use acth_core::findings::Findings;

use super::{cents, decimal, grouped, line};

/// Rows of a table of edges or leads; the rest is counted.
const ROWS_MAX: usize = 10;

/// Writes all that there is.
pub(super) fn write(findings: &Findings, text: &mut String) {
    write_leads(findings, text);
    write_edges(findings, text);
    write_pairs(findings, text);
    write_agents(findings, text);
    write_state(findings, text);
    for note in &findings.notes {
        line(text, "note", note);
    }
    text.push('\n');
}

fn more(count: usize, what: &str, text: &mut String) {
    if count > ROWS_MAX {
        let _ = writeln!(text, "  ... and {} more {what}", count - ROWS_MAX);
    }
}

fn write_leads(findings: &Findings, text: &mut String) {
    if findings.leads.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "  {:<24} {:<24} {:>9} {:>12} {:>8}",
        "leader", "follower", "lag, ms", "correlation", "beta"
    );
    for lead in findings.leads.iter().take(ROWS_MAX) {
        let _ = writeln!(
            text,
            "  {:<24} {:<24} {:>9.0} {:>12.3} {:>8.3}",
            lead.leader, lead.follower, lead.lag_ms, lead.correlation, lead.beta
        );
    }
    more(findings.leads.len(), "followers", text);
    text.push('\n');
}

fn write_edges(findings: &Findings, text: &mut String) {
    if findings.edges.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "  {:<24} {:<24} {:>9} {:>12}",
        "strongest edges", "", "lag, ms", "correlation"
    );
    for edge in findings.edges.iter().take(ROWS_MAX) {
        let _ = writeln!(
            text,
            "  {:<24} {:<24} {:>9.0} {:>12.3}",
            edge.first, edge.second, edge.lag_ms, edge.correlation
        );
    }
    more(findings.edges.len(), "edges", text);
    text.push('\n');
}

fn write_pairs(findings: &Findings, text: &mut String) {
    if findings.pairs.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "  {:<24} {:<24} {:>9} {:>12} {:>8}",
        "prices that stay", "together", "slope", "statistic", "z now"
    );
    for pair in findings.pairs.iter().take(ROWS_MAX) {
        let _ = writeln!(
            text,
            "  {:<24} {:<24} {:>9.3} {:>12.2} {:>8.2}",
            pair.first, pair.second, pair.slope, pair.statistic, pair.z
        );
    }
    more(findings.pairs.len(), "pairs", text);
    text.push('\n');
}

fn write_agents(findings: &Findings, text: &mut String) {
    if findings.agents.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "  {:<24} {:>7} {:>12} {:>10} {:>14} {:>14} {:>8} {:>12}",
        "agent", "share", "profit", "fees", "turnover", "crossed", "fills", "if all, %"
    );
    for agent in &findings.agents {
        let _ = writeln!(
            text,
            "  {:<24} {:>6.1}% {:>12} {:>10} {:>14} {:>14} {:>8} {:>12.4}",
            agent.name,
            100.0 * agent.share,
            cents(decimal(agent.profit)),
            cents(decimal(agent.fees)),
            cents(decimal(agent.volume)),
            cents(decimal(agent.crossed)),
            grouped(agent.fills),
            100.0 * agent.shadow_return,
        );
    }
    text.push('\n');
}

fn write_state(findings: &Findings, text: &mut String) {
    if let Some(sharing) = &findings.sharing {
        let words = format!(
            "{:.1}% in cash; regret {:.2} of at most {:.2} after {} periods, {} violations",
            100.0 * sharing.cash_share,
            sharing.regret,
            sharing.bound,
            grouped(sharing.periods),
            sharing.violations
        );
        line(text, "shares", &words);
    }
    if let Some(regime) = &findings.regime {
        let chances: Vec<String> = regime
            .probabilities
            .iter()
            .filter(|chance| **chance > 0.0)
            .map(|chance| format!("{:.0}%", 100.0 * chance))
            .collect();
        let words = format!(
            "{} of {} (chances {}), {} changes of the market announced",
            regime.state,
            chances.len(),
            chances.join(", "),
            regime.changes
        );
        line(text, "regime", &words);
    }
}
