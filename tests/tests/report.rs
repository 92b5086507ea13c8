//! `acth report` from end to end: the page is well-formed and stands alone, its numbers are those of `acth replay`, and it tells of
//! journals that are cut, damaged, forged, empty or being written.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    fs,
    mem::offset_of,
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

use acth_core::decision::{Decision, DecisionKind};
use acth_engine::frames::{MANIFEST_KIND, decision_kind};
use acth_journal::{Frame, JournalOptions, Reader, Writer};
use acth_tests::{
    parse, run,
    run::{Running, wait_for_first_frame},
    run_json,
};
use serde_json::Value;

/// Trades perpetuals over funding times.
const NETWORK: &str = "strategy = \"agent-network\"\n[world]\nfunding_interval_s = 10\n";
const WATCHER: &str = "strategy = \"spread-watcher\"\n[parameters]\nspread_ticks_min = 1\n";
/// Elements that have no end.
const VOID: [&str; 1] = ["meta"];
/// Largest page about a minute of the simulated world.
const PAGE_BYTES_MAX: usize = 2_000_000;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn backtest(dir: &Path, config: &str, duration: &str) -> PathBuf {
    let (file, journal) = (dir.join("acth.toml"), dir.join("journal"));
    fs::write(&file, config).unwrap();
    let arguments = ["backtest", "--duration", duration, "--json"];
    let places = ["--config", text(&file), "--journal", text(&journal)];
    let summary = run_json(&[&arguments[..], &places].concat());
    assert!(summary["orders"].as_u64().unwrap() > 10, "{summary}");
    journal
}

/// The verb's own output, and the page if there is one.
fn report(journal: &Path, more: &[&str]) -> (Output, Option<String>) {
    let page = journal.with_extension("html");
    let _ = fs::remove_file(&page);
    let arguments = ["report", text(journal), "--output", text(&page)];
    let output = run(&[&arguments[..], more].concat());
    (output, fs::read_to_string(page).ok())
}

/// The page of a journal that gives no cause for complaint.
fn good_page(journal: &Path) -> String {
    let (output, page) = report(journal, &["--json"]);
    assert!(output.status.success(), "{output:?}");
    let page = page.unwrap();
    assert_well_formed(&page);
    assert_stands_alone(&page);
    assert_eq!(parse(&output)["report"]["bytes"], page.len());
    page
}

/// Every element ends where it must, values are in quotes, and no text holds what would be markup.
fn assert_well_formed(page: &str) {
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("a head");
    let mut open: Vec<String> = Vec::new();
    while let Some(start) = rest.find('<') {
        assert_plain(&rest[..start]);
        let end = start + rest[start..].find('>').expect("an end of the tag");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(|letter| letter.is_ascii_alphanumeric())
            .collect();
        assert!(!name.is_empty(), "<{tag}>");
        assert_ne!(name, "script");
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "</{tag}> in {open:?}");
            continue;
        }
        let attributes = tag[name.len()..].trim_end_matches('/');
        assert_eq!(attributes.matches('"').count() % 2, 0, "<{tag}>");
        for pair in attributes.split('"').step_by(2).map(str::trim) {
            assert!(pair.is_empty() || pair.ends_with('='), "<{tag}>");
        }
        attributes
            .split('"')
            .skip(1)
            .step_by(2)
            .for_each(assert_plain);
        if name == "style" {
            let end = rest.find("</style>").expect("an end of the style");
            rest = &rest[end + "</style>".len()..];
        } else if !tag.ends_with('/') && !VOID.contains(&name.as_str()) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    assert!(!rest.contains('>'));
}

fn assert_plain(text: &str) {
    assert!(!text.contains(['<', '>']), "{text}");
    for (place, _) in text.match_indices('&') {
        let entity = text[place..].split(';').next().unwrap();
        let known = ["&amp", "&lt", "&gt", "&quot", "&#39"];
        assert!(known.contains(&entity), "{entity} in {text}");
    }
    assert!(!text.contains("NaN") && !text.contains("inf "), "{text}");
}

fn assert_stands_alone(page: &str) {
    for outside in [
        "http:", "https:", "src=", "@import", "url(", "<link", "//cdn",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
}

/// The exact value of a fact.
fn fact<'a>(page: &'a str, key: &str) -> &'a str {
    let start = format!("data-fact=\"{key}\" data-exact=\"");
    let place = page.find(&start).unwrap_or_else(|| panic!("no {key}"));
    page[place + start.len()..].split('"').next().unwrap()
}

/// Cells of the first row that has a cell like this.
fn row_with<'a>(page: &'a str, cell: &str) -> Vec<&'a str> {
    let wanted = format!("<td>{cell}</td>");
    let row = page.lines().find(|line| line.contains(&wanted));
    cells_of(row.unwrap_or_else(|| panic!("no row with {cell}")))
}

fn cells_of(row: &str) -> Vec<&str> {
    let cells = row
        .split("</td>")
        .map(|cell| cell.rsplit('>').next().unwrap());
    cells.filter(|cell| !cell.is_empty()).collect()
}

/// What the instruments gained is what equity gained, funding included: they are all paid in one currency.
fn assert_instruments_add_up(page: &str) {
    let rows = page.lines().filter(|line| line.contains("<td>USDT</td>"));
    let profits: Vec<f64> = rows
        .map(cells_of)
        .filter(|cells| cells.len() == 8 && cells[1] == "USDT")
        .map(|cells| cells[7].replace(',', "").parse().unwrap())
        .collect();
    assert!(profits.len() > 4, "{profits:?}");
    let total: f64 = profits.iter().sum();
    let profit: f64 = fact(page, "profit").parse().unwrap();
    assert!((total - profit).abs() < 0.05, "{total} and {profit}");
    let funding: f64 = fact(page, "funding").parse().unwrap();
    assert!(funding.abs() > 0.1, "{funding}");
}

fn assert_numbers_are_those_of_replay(page: &str, journal: &Path) {
    let replay = run_json(&["replay", text(journal), "--json"]);
    for key in [
        "events",
        "messages",
        "rows",
        "decisions",
        "orders",
        "fills",
        "denials",
    ] {
        assert_eq!(fact(page, key), replay[key].to_string(), "{key}");
    }
    for key in [
        "strategy",
        "trading_state",
        "trading_state_reason",
        "state_hash",
        "decision_hash",
        "journaled_decision_hash",
    ] {
        assert_eq!(fact(page, key), replay[key].as_str().unwrap(), "{key}");
    }
    for key in [
        "equity_start",
        "equity",
        "profit",
        "realised",
        "unrealised",
        "fees",
        "funding",
        "turnover",
    ] {
        let exact: f64 = fact(page, key).parse().unwrap();
        let told: f64 = replay["account"][key].as_str().unwrap().parse().unwrap();
        assert!((exact - told).abs() < 1e-7, "{key}: {exact} and {told}");
    }
    for (why, count) in replay["denials_by_reason"].as_object().unwrap() {
        let cells = row_with(page, why);
        assert_eq!(cells[2].replace(',', ""), count.to_string(), "{why}");
    }
}

#[test]
fn the_page_about_a_network_is_whole_and_tells_what_replay_tells() {
    let dir = tempfile::tempdir().unwrap();
    let journal = backtest(dir.path(), NETWORK, "60s");
    let page = good_page(&journal);
    assert!(page.len() < PAGE_BYTES_MAX, "{} bytes", page.len());
    assert_numbers_are_those_of_replay(&page, &journal);
    for id in [
        "head",
        "equity",
        "exposure",
        "correlation",
        "graph",
        "agents",
        "regime",
        "latency",
        "orders",
    ] {
        assert!(page.contains(&format!("<section id=\"{id}\">")), "{id}");
    }
    assert!(page.contains("Identical: all"));
    assert_instruments_add_up(&page);
    let replay = run_json(&["replay", text(&journal), "--json"]);
    for agent in replay["findings"]["agents"].as_array().unwrap() {
        let cells = row_with(&page, agent["name"].as_str().unwrap());
        assert_eq!(
            cells[7].replace(',', ""),
            agent["fills"].to_string(),
            "{agent}"
        );
    }
    let latency = run_json(&["latency", text(&journal), "--by", "stage", "--json"]);
    for row in latency["rows"].as_array().unwrap() {
        let cells = row_with(&page, row["stage"].as_str().unwrap());
        assert_eq!(cells[2].replace(',', ""), row["count"].to_string(), "{row}");
    }
    // The same journal gives the same page.
    assert!(good_page(&journal) == page, "the page differs");
}

#[test]
fn the_last_orders_are_told_with_their_cause() {
    let dir = tempfile::tempdir().unwrap();
    let journal = backtest(dir.path(), NETWORK, "20s");
    let page = good_page(&journal);
    let mut last = None;
    let mut reader = Reader::open(&journal).unwrap();
    while let Some(frame) = reader.next().unwrap() {
        if frame.kind == decision_kind(DecisionKind::PlaceOrder as u8) {
            last = Some((frame.sequence, frame.cause));
        }
    }
    let (sequence, cause) = last.unwrap();
    let orders = page.split("<h3>Last orders").nth(1).unwrap();
    let first = orders
        .lines()
        .find(|line| line.starts_with("<tr><td"))
        .unwrap();
    let digits = |text: &str| text.replace(',', "");
    assert!(
        digits(first).contains(&format!("<td class=\"n\">{sequence}</td>")),
        "{first}"
    );
    assert!(
        digits(first).contains(&format!("frame {cause}</td>")),
        "{first}"
    );
    let rows = orders
        .lines()
        .filter(|line| line.starts_with("<tr><td"))
        .count();
    assert!(rows <= 200, "{rows}");
}

#[test]
fn another_strategy_has_a_page_without_what_it_does_not_know() {
    let dir = tempfile::tempdir().unwrap();
    let journal = backtest(dir.path(), WATCHER, "20s");
    let page = good_page(&journal);
    assert_numbers_are_those_of_replay(&page, &journal);
    assert!(page.contains("<section id=\"correlation\">"));
    for id in ["graph", "agents", "regime"] {
        assert!(!page.contains(&format!("<section id=\"{id}\">")), "{id}");
    }
}

/// Writes the journal again as far as `keep` says, with payloads as `change` leaves them; all checksums hold.
fn rewrite(from: &Path, to: &Path, keep: u64, change: impl Fn(&Frame<'_>, &mut Vec<u8>)) {
    let mut reader = Reader::open(from).unwrap();
    let mut writer = Writer::create(to, &JournalOptions::default()).unwrap();
    while let Some(frame) = reader.next().unwrap() {
        if frame.sequence > keep {
            break;
        }
        let mut payload = frame.payload.to_vec();
        change(&frame, &mut payload);
        writer
            .append(frame.kind, frame.time_ns, frame.cause, &payload)
            .unwrap();
    }
    // Not sealed: that is how a killed process leaves it.
}

#[test]
fn a_journal_that_was_cut_is_told_as_far_as_it_goes() {
    let dir = tempfile::tempdir().unwrap();
    let journal = backtest(dir.path(), NETWORK, "20s");
    let events = run_json(&["replay", text(&journal), "--json"])["events"].clone();
    let cut = dir.path().join("cut");
    rewrite(&journal, &cut, events.as_u64().unwrap() / 2, |_, _| {});
    let page = good_page(&cut);
    assert_numbers_are_those_of_replay(&page, &cut);
    // Nothing but the manifest: no input yet, but a run.
    let bare = dir.path().join("bare");
    rewrite(&journal, &bare, 1, |_, _| {});
    let page = good_page(&bare);
    assert!(page.contains("The journal holds no input yet."));
    assert_eq!(fact(&page, "events"), "0");
    // Not even that.
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    rewrite(&journal, &empty.join("journal"), 0, |_, _| {});
    for place in [&empty, &empty.join("journal"), &dir.path().join("nowhere")] {
        let (output, page) = report(place, &[]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert_eq!(page, None);
    }
}

#[test]
fn a_forged_decision_is_on_the_page() {
    let dir = tempfile::tempdir().unwrap();
    let journal = backtest(dir.path(), NETWORK, "20s");
    let mut reader = Reader::open(&journal).unwrap();
    let mut orders = Vec::new();
    while let Some(frame) = reader.next().unwrap() {
        if frame.kind == decision_kind(DecisionKind::PlaceOrder as u8) {
            orders.push(frame.sequence);
        }
    }
    let forged = dir.path().join("forged");
    let sequence = orders[orders.len() / 2];
    rewrite(&journal, &forged, u64::MAX, |frame, payload| {
        if frame.sequence == sequence {
            payload[offset_of!(Decision, price)] ^= 1;
        }
    });
    let (output, page) = report(&forged, &["--json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(parse(&output)["identical"], false);
    let page = page.unwrap();
    assert_well_formed(&page);
    let plain = page.replace(',', "");
    assert!(plain.contains(&format!(
        "DIFFERS from the journal first at sequence {sequence} "
    )));
    let told = page.lines().find(|line| line.contains("The journal has: "));
    assert!(
        told.is_some_and(|line| line.contains("PlaceOrder")),
        "{told:?}"
    );
    assert!(!page.contains("Identical: all"));
}

#[test]
fn damage_is_on_the_page() {
    let dir = tempfile::tempdir().unwrap();
    let journal = backtest(dir.path(), NETWORK, "20s");
    let segment = journal.join("0000000000.seg");
    let mut bytes = fs::read(&segment).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[used / 2] ^= 0x10;
    fs::write(&segment, bytes).unwrap();
    let (output, page) = report(&journal, &["--json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let page = page.unwrap();
    assert_well_formed(&page);
    assert!(page.contains("The journal is DAMAGED behind frame"));
    assert!(page.contains("Not measured: ") && !page.contains("Identical: all"));
    assert!(fact(&page, "events").parse::<u64>().unwrap() > 1_000);
}

#[test]
fn foreign_names_cannot_break_the_page() {
    let dir = tempfile::tempdir().unwrap();
    let journal = backtest(dir.path(), NETWORK, "20s");
    let mut reader = Reader::open(&journal).unwrap();
    let manifest: Value = serde_json::from_slice(reader.next().unwrap().unwrap().payload).unwrap();
    let symbol = manifest["core"]["core"]["instruments"][0]["symbol"].clone();
    let (symbol, evil) = (
        symbol.as_str().unwrap(),
        "</title><script>alert(1)</script>&'x",
    );
    let named = dir.path().join("a <b> & 'c'");
    rewrite(&journal, &named, u64::MAX, |frame, payload| {
        if frame.kind == MANIFEST_KIND {
            let whole = String::from_utf8(payload.clone()).unwrap();
            let quoted = |name: &str| format!("\"symbol\":\"{name}\"");
            assert!(whole.contains(&quoted(symbol)), "{whole}");
            *payload = whole
                .replacen(&quoted(symbol), &quoted(evil), 1)
                .into_bytes();
        }
    });
    let page = good_page(&named);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("a &lt;b&gt; &amp; &#39;c&#39;"));
}

#[test]
fn a_journal_that_is_being_written_can_be_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("live");
    let config = dir.path().join("acth.toml");
    fs::write(&config, WATCHER).unwrap();
    let arguments = ["run", "--duration", "6s", "--json", "--threads", "single"];
    let places = ["--config", text(&config), "--journal", text(&journal)];
    let running = Running::start(&[&arguments[..], &places].concat());
    wait_for_first_frame(&journal);
    std::thread::sleep(Duration::from_secs(2));
    let page = good_page(&journal);
    assert!(page.contains("Identical: all"));
    let output = running.wait();
    assert!(output.status.success(), "{output:?}");
    // Finished: what was there, and every stage of a live run. A slow reader may have followed the writer to its end.
    let later = good_page(&journal);
    let events = |page: &str| fact(page, "events").parse::<u64>().unwrap();
    assert!(events(&later) >= events(&page) && events(&page) > 0);
    assert!(later.contains("<td>tick_to_order</td>"));
}

#[test]
fn a_step_that_is_asked_for_is_taken_and_widened_where_it_must() {
    let dir = tempfile::tempdir().unwrap();
    let journal = backtest(dir.path(), WATCHER, "10s");
    for (every, step_ns) in [("1s", 1_000_000_000), ("1ms", 8_000_000), ("0", 8_000_000)] {
        let (output, page) = report(&journal, &["--json", "--every", every]);
        assert!(output.status.success(), "{output:?}");
        let facts = &parse(&output)["report"];
        assert_eq!(facts["step_ns"], step_ns, "{every}");
        assert!(facts["points"].as_u64().unwrap() <= 2_001, "{every}");
        assert_well_formed(&page.unwrap());
    }
}
