//! Whole hosts: a well-tuned one has nothing to complain about, a bad one is called bad, an unreadable one unknown.

mod support;

use acth_doctor::{CHECKS, Host, Severity, Subject, UnknownCheck, examine, find, select};
use support::Fabricated;

#[test]
fn a_well_tuned_host_is_all_ok() {
    let report = Fabricated::well_tuned().report();
    for row in &report.checks {
        support::expect(row, Severity::Ok);
        assert_eq!(row.fix, None, "{row:?}");
    }
    assert!(report.is_fit);
    assert_eq!(report.counts.ok, CHECKS.len());
}

#[test]
fn a_bad_host_is_told_what_hurts_and_how_to_mend_it() {
    let report = Fabricated::bad().report();
    let bad = [
        "cores",
        "isolated-cores",
        "nohz-full",
        "rcu-nocbs",
        "smt-siblings",
        "numa",
        "governor",
        "priority",
        "rt-throttling",
        "locked-memory",
        "swap",
        "clocksource",
        "tsc",
        "time-sync",
        "steal",
        "busy-poll",
        "journal-filesystem",
        "journal-mount",
        "journal-space",
    ];
    assert_eq!(report.ids(Severity::Bad), bad);
    let warn = [
        "irq-affinity",
        "idle-states",
        "watchdogs",
        "transparent-huge-pages",
        "open-files",
        "socket-buffers",
        "network-node",
    ];
    assert_eq!(report.ids(Severity::Warn), warn);
    assert!(!report.is_fit);
    for row in report
        .checks
        .iter()
        .filter(|row| row.severity >= Severity::Warn)
    {
        assert!(
            row.fix.as_ref().is_some_and(|fix| !fix.is_empty()),
            "no fix: {row:?}"
        );
    }
}

#[test]
fn nothing_is_guessed_where_nothing_can_be_read() {
    let report = Fabricated::empty().report();
    for row in &report.checks {
        // Some parts of the kernel are simply not there on some machines, which is an answer; none may be claimed good or bad
        // without one.
        let may_be_absent = [
            "transparent-huge-pages",
            "smt-siblings",
            "turbo",
            "watchdogs",
        ]
        .contains(&row.id);
        assert!(
            may_be_absent || row.severity == Severity::Unknown,
            "{row:?}"
        );
    }
    assert!(report.is_fit, "unknown is not bad");
}

#[test]
fn this_machine_can_be_looked_at() {
    let report = examine(
        &Host::here(),
        &Subject::default(),
        &CHECKS.iter().collect::<Vec<_>>(),
    );
    assert_eq!(report.checks.len(), CHECKS.len());
    let known = report
        .checks
        .iter()
        .filter(|row| row.severity != Severity::Unknown)
        .count();
    assert!(known > CHECKS.len() / 2, "{report}");
}

#[test]
fn the_table_lines_up_and_names_why_and_fix() {
    let text = Fabricated::bad().report().to_string();
    let rows = text
        .lines()
        .filter(|line| line.starts_with("  bad ") || line.starts_with("  warn "));
    let ids = CHECKS
        .iter()
        .map(|check| check.id.len())
        .max()
        .unwrap_or_default();
    let mut count = 0;
    for row in rows {
        // Severity, two spaces, the id padded to the longest, two spaces, the finding.
        let column = 2 + 7 + 2 + ids;
        assert_eq!(&row[column..column + 2], "  ", "{row}");
        assert_ne!(&row[column + 2..column + 3], " ", "{row}");
        count += 1;
    }
    assert_eq!(count, 26);
    assert_eq!(
        text.lines()
            .filter(|line| line.trim_start().starts_with("why  "))
            .count(),
        26
    );
    assert!(text.contains("fix  swapoff --all"), "{text}");
    assert!(text.contains("19 would hurt trading"), "{text}");
}

#[test]
fn each_group_is_named_once_above_its_rows_and_lines_end_in_time() {
    const TEXT_CHARS: usize = 92;
    let report = Fabricated::bad().report();
    let text = report.to_string();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(report.checks[0].group.name()));
    for row in &report.checks {
        let name = row.group.name();
        assert_eq!(
            text.lines().filter(|line| *line == name).count(),
            1,
            "{name}"
        );
    }
    let ids = CHECKS.iter().map(|check| check.id.len()).max();
    let margin = 2 + 7 + 2 + ids.unwrap_or_default() + 2;
    let words = text.lines().filter(|line| line.starts_with("  "));
    let words = words.filter(|line| !line.trim_start().starts_with("fix  "));
    let longest = words.map(|line| line.chars().count()).max();
    let longest = longest.unwrap_or_default();
    let text_chars = longest - margin;
    assert!(
        (TEXT_CHARS - 8..=TEXT_CHARS).contains(&text_chars),
        "{text_chars} in\n{text}"
    );
}

#[test]
fn json_has_stable_keys() {
    let value = serde_json::to_value(Fabricated::bad().report()).expect("has a JSON form");
    assert_eq!(value["is_fit"], false);
    assert_eq!(value["counts"]["bad"], 19);
    let swap = value["checks"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|row| row["id"] == "swap")
        .expect("swap");
    assert_eq!(swap["group"], "memory");
    assert_eq!(swap["severity"], "bad");
    assert_eq!(swap["fix"], "swapoff --all");
    assert!(swap["why"].is_string() && swap["finding"].is_string());
}

#[test]
fn checks_are_chosen_by_id() {
    let ids = |only: &[&str], skip: &[&str]| {
        let owned = |list: &[&str]| list.iter().map(|&id| id.to_owned()).collect::<Vec<_>>();
        select(&owned(only), &owned(skip))
            .map(|checks| checks.iter().map(|check| check.id).collect::<Vec<_>>())
    };
    assert_eq!(ids(&["swap", "cores"], &[]), Ok(vec!["cores", "swap"]));
    assert_eq!(ids(&["swap", "cores"], &["cores"]), Ok(vec!["swap"]));
    assert_eq!(
        ids(&[], &["cores"]).map(|list| list.len()),
        Ok(CHECKS.len() - 1)
    );
    assert_eq!(ids(&["swop"], &[]), Err(UnknownCheck("swop".to_owned())));
    assert_eq!(ids(&[], &["swop"]), Err(UnknownCheck("swop".to_owned())));
}

#[test]
fn every_check_explains_itself() {
    let mut ids: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), CHECKS.len(), "two checks share an id");
    assert!(
        CHECKS.is_sorted_by_key(|check| check.group),
        "groups are printed together"
    );
    for check in CHECKS {
        assert!(find(check.id).is_ok());
        assert!(
            check.explain.len() > check.why.len(),
            "{} explains nothing",
            check.id
        );
        assert!(
            !check.why.ends_with('.') && !check.explain.contains("  "),
            "{}",
            check.id
        );
    }
}
