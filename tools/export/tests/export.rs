//! Exports read back with other means, refusals that leave nothing behind, and the way back into a journal.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod common;

use std::{fs, fs::File, path::Path};

use acth_export::{
    ExportError, ExportOptions, FRAMES_FILE, Format, export, import, schema_markdown,
};
use acth_journal::{JournalOptions, Writer};
use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::{Field, Row},
};
use serde_json::Value;
use tempfile::tempdir;

use crate::common::{FRAMES, START_NS, exported, journal, names};

/// Rows that the journal makes, per table.
const ROWS: [(&str, u64); 17] = [
    ("book_delta", 3),
    ("bbo", 1),
    ("trade", 1),
    ("book_state", 1),
    ("order_report", 4),
    ("order_filled", 1),
    ("command_sent", 1),
    ("timer", 1),
    ("operator", 1),
    ("connection", 1),
    ("decision", 7),
    ("run", 1),
    ("model_part", 1),
    ("model_promoted", 1),
    ("funding", 1),
    ("rate", 1),
    ("mark_funding", 1),
];

/// The first row of a table, as CSV.
const LINES: [(&str, &str); 14] = [
    (
        "bbo",
        r#"4,1700000000000000003,1699999999999999996,1699999999999999998,0,,,1,ETHUSDT,"venue,""quoted""",3,4,,6180025,3,6180026,4,6180.025,0.0003,6180.026,0.0004"#,
    ),
    (
        "trade",
        r#"5,1700000000000000004,1699999999999999996,1699999999999999998,0,,,0,BTCUSDT,"venue,""quoted""",2,5,ask,-9223372036854775808,9223372036854775807,-92233720368547760,92233720368547.77,-9223372036854775808,-1"#,
    ),
    (
        "book_state",
        r#"6,1700000000000000005,1699999999999999996,1699999999999999998,0,,0,BTCUSDT,"venue,""quoted""",stale,gap,7,9"#,
    ),
    (
        "order_report",
        r#"7,1700000000000000006,1699999999999999996,1699999999999999998,0,,0,BTCUSDT,"venue,""quoted""",accepted,-1,,"#,
    ),
    (
        "order_filled",
        r#"11,1700000000000000010,1699999999999999996,1699999999999999998,0,maker,1,ETHUSDT,"venue,""quoted""",3,4,1,5,maker,9223372036854775807,9223372036854775807,9223372036854776,922337203685477.6,-9223372036854775808"#,
    ),
    (
        "command_sent",
        r#"12,1700000000000000011,1699999999999999996,1699999999999999998,0,,0,BTCUSDT,"venue,""quoted""",15,15,1700000000000000001,,1699999999999998751,"#,
    ),
    (
        "timer",
        r#"13,1700000000000000012,1699999999999999996,1699999999999999998,0,,1700000000000000001,9223372036854775807,3"#,
    ),
    (
        "operator",
        r#"14,1700000000000000013,1699999999999999996,1699999999999999998,0,,halt,disk_full"#,
    ),
    (
        "connection",
        r#"15,1700000000000000014,1699999999999999996,1699999999999999998,0,,open"#,
    ),
    (
        "model_part",
        r#"16,1700000000000000015,1699999999999999996,1699999999999999998,0,,4294967295,64,00ff10"#,
    ),
    (
        "model_promoted",
        r#"17,1700000000000000016,1699999999999999996,1699999999999999998,0,,7,67,ffffffffffffffff"#,
    ),
    (
        "funding",
        r#"18,1700000000000000017,1699999999999999996,1699999999999999998,0,,1,ETHUSDT,"venue,""quoted""",3,4,-100000000,"#,
    ),
    (
        "rate",
        r#"19,1700000000000000018,1699999999999999996,1699999999999999998,0,,1,1085000,6"#,
    ),
    (
        "mark_funding",
        r#"20,1700000000000000019,1699999999999999996,1699999999999999998,0,,912,1,ETHUSDT,"venue,""quoted""",3,4,9223372036854775807,,-62500000,1700000000000000001"#,
    ),
];

fn parquet_rows(dir: &Path, table: &str) -> Vec<Row> {
    let file = File::open(dir.join(format!("{table}.parquet"))).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(Result::unwrap).collect()
}

fn field<'a>(row: &'a Row, name: &str) -> &'a Field {
    let mut columns = row.get_column_iter();
    let found = columns.find(|(column, _)| *column == name);
    found
        .unwrap_or_else(|| panic!("no column {name} in {row}"))
        .1
}

/// A field of Parquet as CSV has it.
fn as_csv(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Long(number) => number.to_string(),
        Field::Int(number) => number.to_string(),
        Field::Double(number) => number.to_string(),
        Field::Str(text) => text.clone(),
        other => panic!("a field of another type: {other:?}"),
    }
}

/// A record of CSV, quotes undone.
fn csv_records(text: &str) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    let (mut record, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                word.push('"');
                letters.next();
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => record.push(std::mem::take(&mut word)),
            '\n' if !is_quoted => {
                record.push(std::mem::take(&mut word));
                records.push(std::mem::take(&mut record));
            }
            other => word.push(other),
        }
    }
    records
}

fn json_lines(dir: &Path) -> Vec<Value> {
    let text = fs::read_to_string(dir.join(FRAMES_FILE)).unwrap();
    let lines = text.lines().map(serde_json::from_str);
    lines.map(Result::unwrap).collect()
}

#[test]
fn parquet_holds_the_extremes_exactly() {
    let dir = tempdir().unwrap();
    let out = dir.path().join("out");
    let found = exported(
        &journal(dir.path()),
        &out,
        &ExportOptions::new(Format::Parquet),
    );
    assert_eq!((found.frames, found.unknown_frames), (FRAMES, 1));
    assert_eq!(found.sequences, Some((1, FRAMES)));
    for (table, rows) in ROWS {
        let stated = found.tables.iter().find(|row| row.table == table).unwrap();
        assert_eq!(stated.rows, rows, "{table}");
        assert_eq!(parquet_rows(&out, table).len() as u64, rows, "{table}");
    }
    let deltas = parquet_rows(&out, "book_delta");
    let expect = |row: usize, name: &str, value: Field| {
        assert_eq!(field(&deltas[row], name), &value, "row {row}, {name}");
    };
    expect(0, "sequence", Field::Long(2));
    expect(0, "ts_core", Field::Long(START_NS));
    expect(0, "ts_venue", Field::Long(i64::MAX));
    expect(0, "ts_ingress", Field::Long(i64::MIN));
    expect(0, "flags", Field::Str("snapshot+last".into()));
    expect(0, "venue", Field::Str("venue,\"quoted\"".into()));
    expect(0, "update_id", Field::Long(-1));
    expect(0, "side", Field::Str("bid".into()));
    expect(0, "price", Field::Long(i64::MIN));
    expect(0, "quantity", Field::Long(i64::MAX));
    expect(0, "price_f64", Field::Double(i64::MIN as f64 / 100.0));
    expect(1, "level", Field::Int(1));
    expect(1, "side", Field::Str("ask".into()));
    expect(1, "price", Field::Long(i64::MAX));
    expect(2, "sequence", Field::Long(3));
    expect(2, "symbol", Field::Str("ETHUSDT".into()));
    expect(2, "price_exponent", Field::Int(3));
    expect(2, "ts_venue", Field::Null);
    expect(1, "decode_ns", Field::Null);
    expect(2, "decode_ns", Field::Long(912));
    let fill = &parquet_rows(&out, "order_filled")[0];
    assert_eq!(field(fill, "fee"), &Field::Long(i64::MIN));
    assert_eq!(field(fill, "liquidity"), &Field::Str("maker".into()));
    let reports = parquet_rows(&out, "order_report");
    let kinds: Vec<String> = reports
        .iter()
        .map(|row| as_csv(field(row, "kind")))
        .collect();
    let expected = ["accepted", "rejected", "cancelled", "cancel_rejected"];
    assert_eq!(kinds, expected);
}

#[test]
fn decisions_name_what_they_mean() {
    let dir = tempdir().unwrap();
    let out = dir.path().join("out");
    exported(
        &journal(dir.path()),
        &out,
        &ExportOptions::new(Format::Parquet),
    );
    let rows = parquet_rows(&out, "decision");
    let names = |name: &str| -> Vec<String> {
        let cells = rows.iter().map(|row| as_csv(field(row, name)));
        cells.collect()
    };
    assert_eq!(names("cause"), ["14"; 7]);
    let kinds = [
        "PlaceOrder",
        "PlaceOrder",
        "CancelOrder",
        "OrderDenied",
        "TradingStateChanged",
        "StateHashed",
        "ModelChanged",
    ];
    assert_eq!(names("kind"), kinds);
    assert_eq!(names("verdict"), ["", "", "", "Halted", "", "", "length"]);
    assert_eq!(names("hash")[..5], [""; 5]);
    assert_eq!(names("hash")[5..], ["00000000000000ab", "00000000000000cd"]);
    assert_eq!(
        (names("slot")[6].as_str(), names("state")[6].as_str()),
        ("7", "")
    );
    assert_eq!(names("instrument"), ["1", "1", "1", "1", "", "", ""]);
    assert_eq!(names("signal")[..2], ["-0.125", "NaN"]);
    assert_eq!(names("client_order_id")[0], (i64::MIN + 16).to_string());
    assert_eq!(names("price")[2], "");
    assert_eq!(names("order_type")[0], "post_only");
    assert!(!names("reason")[4].is_empty() && !names("state")[4].is_empty());
}

#[test]
fn csv_says_the_same_as_parquet() {
    let dir = tempdir().unwrap();
    let source = journal(dir.path());
    let (columns, lines) = (dir.path().join("parquet"), dir.path().join("csv"));
    exported(&source, &columns, &ExportOptions::new(Format::Parquet));
    exported(&source, &lines, &ExportOptions::new(Format::Csv));
    for (table, _) in ROWS {
        let text = fs::read_to_string(lines.join(format!("{table}.csv"))).unwrap();
        let records = csv_records(&text);
        let rows = parquet_rows(&columns, table);
        assert_eq!(records.len(), rows.len() + 1, "{table}");
        for (row, record) in rows.iter().zip(&records[1..]) {
            let names = records[0].iter();
            let cells = row
                .get_column_iter()
                .map(|(name, field)| (name.clone(), as_csv(field)));
            let named = names.cloned().zip(record.iter().cloned());
            assert!(
                cells.eq(named.clone()),
                "{table}: {row}\n{:?}",
                named.collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn every_table_reads_as_written() {
    let dir = tempdir().unwrap();
    let out = dir.path().join("out");
    exported(&journal(dir.path()), &out, &ExportOptions::new(Format::Csv));
    for (table, expected) in LINES {
        let text = fs::read_to_string(out.join(format!("{table}.csv"))).unwrap();
        assert_eq!(text.lines().nth(1).unwrap(), expected, "{table}");
    }
}

#[test]
fn json_lines_say_the_same_as_parquet_and_keep_every_frame() {
    let dir = tempdir().unwrap();
    let source = journal(dir.path());
    let (columns, lines) = (dir.path().join("parquet"), dir.path().join("jsonl"));
    exported(&source, &columns, &ExportOptions::new(Format::Parquet));
    exported(&source, &lines, &ExportOptions::new(Format::JsonLines));
    let objects = json_lines(&lines);
    assert_eq!(objects.len() as u64, FRAMES);
    for (table, _) in ROWS {
        let of_table = objects.iter().filter(|object| object["table"] == table);
        // One row per level, with what the frame says beside it.
        let rows = of_table.flat_map(|object| {
            let levels = object["levels"].as_array().cloned();
            levels
                .unwrap_or_else(|| vec![Value::Null])
                .into_iter()
                .map(move |level| (object, level))
        });
        for ((object, level), row) in rows.zip(parquet_rows(&columns, table)) {
            for (name, cell) in row.get_column_iter() {
                let value = level.get(name).unwrap_or(&object[name]);
                let text = match value {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                        (Some(number), _) => number.to_string(),
                        (None, number) => number.unwrap().to_string(),
                    },
                    other => panic!("{table}.{name}: {other}"),
                };
                let expected = as_csv(cell).replace("NaN", "");
                assert_eq!(text, expected, "{table}.{name}");
            }
        }
    }
    let last = &objects[FRAMES as usize - 1];
    assert!(last["table"].is_null());
    assert_eq!(last["frame"]["payload"], "fe");
    assert_eq!(last["frame"]["time_ns"], i64::MIN);
    assert_eq!(last["frame"]["cause"], u64::MAX);
}

#[test]
fn a_journal_in_use_is_exported_up_to_its_last_frame_at_the_start() {
    let dir = tempdir().unwrap();
    let source = journal(dir.path());
    let segments = JournalOptions::default();
    let (mut writer, _) = Writer::open(&source, &segments).unwrap();
    writer.append(0x7777, 0, 0, &[]).unwrap();
    // The first word about the progress comes before the last frame, so the writer is ahead from then on.
    let mut told = Vec::new();
    let out = dir.path().join("out");
    let options = ExportOptions::new(Format::Csv);
    let found = export(&source, &out, &options, &mut |done, total| {
        writer.append(0x7777, 0, 0, &[]).unwrap();
        told.push((done, total));
    });
    assert_eq!(found.unwrap().sequences, Some((1, FRAMES + 1)));
    assert_eq!(told.first(), Some(&(0, FRAMES + 1)));
    assert_eq!(told.last(), Some(&(FRAMES + 1, FRAMES + 1)));
}

#[test]
fn a_range_is_exported_with_its_instruments() {
    let dir = tempdir().unwrap();
    let source = journal(dir.path());
    let out = dir.path().join("out");
    let options = ExportOptions {
        from: 3,
        until: 5,
        ..ExportOptions::new(Format::Parquet)
    };
    let found = exported(&source, &out, &options);
    assert_eq!((found.frames, found.sequences), (3, Some((3, 5))));
    assert_eq!(parquet_rows(&out, "run").len(), 0);
    let delta = &parquet_rows(&out, "book_delta")[0];
    assert_eq!(field(delta, "symbol"), &Field::Str("ETHUSDT".into()));
    let beyond = ExportOptions {
        from: FRAMES + 2,
        ..ExportOptions::new(Format::Csv)
    };
    let error = export(&source, &dir.path().join("b"), &beyond, &mut |_, _| {}).unwrap_err();
    assert!(error.to_string().contains("no frame"), "{error}");
    assert!(!dir.path().join("b").exists());
}

#[test]
fn row_groups_are_as_small_as_asked_for() {
    let dir = tempdir().unwrap();
    let out = dir.path().join("out");
    let options = ExportOptions {
        row_group_rows: 4,
        ..ExportOptions::new(Format::Parquet)
    };
    exported(&journal(dir.path()), &out, &options);
    let file = File::open(out.join("decision.parquet")).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let groups = reader.metadata().row_groups().iter();
    let rows: Vec<i64> = groups.map(|group| group.num_rows()).collect();
    assert_eq!(rows, [4, 3]);
    assert_eq!(parquet_rows(&out, "decision").len(), 7);
}

#[test]
fn a_directory_that_holds_something_is_refused_unless_forced() {
    let dir = tempdir().unwrap();
    let source = journal(dir.path());
    let out = dir.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("bbo.csv"), "old").unwrap();
    fs::write(out.join("mine"), "mine").unwrap();
    let mut options = ExportOptions::new(Format::Csv);
    let error = export(&source, &out, &options, &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, ExportError::NotEmpty { .. }), "{error}");
    assert_eq!(names(&out), ["bbo.csv", "mine"]);
    options.is_forced = true;
    exported(&source, &out, &options);
    assert_eq!(names(&out).len(), ROWS.len() + 1);
    assert_ne!(fs::read_to_string(out.join("bbo.csv")).unwrap(), "old");
    let error = export(&source, &source, &options, &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, ExportError::IsJournal { .. }), "{error}");
}

#[test]
fn a_damaged_journal_leaves_no_file() {
    let dir = tempdir().unwrap();
    let source = journal(dir.path());
    // More segments behind it, so that the damage is met only when the files are being written.
    let segments = JournalOptions {
        segment_bytes: 8192,
        ..JournalOptions::default()
    };
    let (mut writer, _) = Writer::open(&source, &segments).unwrap();
    for _ in 0..600 {
        writer.append(0x7777, 0, 0, &[]).unwrap();
    }
    writer.seal().unwrap();
    let segment = source.join("0000000000.seg");
    let mut bytes = fs::read(&segment).unwrap();
    // In the payload of a frame behind the manifest.
    let place = bytes
        .windows(8)
        .rposition(|window| window == i64::MIN.to_le_bytes());
    bytes[place.unwrap()] ^= 1;
    fs::write(&segment, bytes).unwrap();
    for format in [Format::Parquet, Format::Csv, Format::JsonLines] {
        let out = dir.path().join("out");
        let options = ExportOptions::new(format);
        let error = export(&source, &out, &options, &mut |_, _| {}).unwrap_err();
        assert!(error.to_string().contains("damaged"), "{error}");
        assert!(!out.exists());
        // What was there before stays, and nothing joins it.
        fs::create_dir(&out).unwrap();
        fs::write(out.join("bbo.csv"), "old").unwrap();
        let options = ExportOptions {
            is_forced: true,
            ..options
        };
        export(&source, &out, &options, &mut |_, _| {}).unwrap_err();
        assert_eq!(names(&out), ["bbo.csv"]);
        assert_eq!(fs::read_to_string(out.join("bbo.csv")).unwrap(), "old");
        fs::remove_dir_all(&out).unwrap();
    }
}

#[test]
fn a_file_that_cannot_be_made_leaves_no_other() {
    let dir = tempdir().unwrap();
    let out = dir.path().join("out");
    fs::create_dir_all(out.join("trade.csv.draft")).unwrap();
    let options = ExportOptions {
        is_forced: true,
        ..ExportOptions::new(Format::Csv)
    };
    let source = journal(dir.path());
    let error = export(&source, &out, &options, &mut |_, _| {}).unwrap_err();
    assert!(error.to_string().contains("trade.csv.draft"), "{error}");
    assert_eq!(names(&out), ["trade.csv.draft"]);
}

#[test]
fn json_lines_make_the_journal_again() {
    let dir = tempdir().unwrap();
    let (first, second) = (dir.path().join("first"), dir.path().join("second"));
    let options = ExportOptions::new(Format::JsonLines);
    exported(&journal(dir.path()), &first, &options);
    let copy = dir.path().join("copy");
    let segments = JournalOptions::default();
    let file = first.join(FRAMES_FILE);
    let imported = import(&file, &copy, &segments, &mut |_, _| {}).unwrap();
    assert_eq!((imported.frames, imported.last_sequence), (FRAMES, FRAMES));
    exported(&copy, &second, &options);
    let read = |dir: &Path| fs::read(dir.join(FRAMES_FILE)).unwrap();
    assert!(read(&first) == read(&second));
    let error = import(&file, &copy, &segments, &mut |_, _| {}).unwrap_err();
    assert!(error.to_string().contains("not empty"), "{error}");
}

#[test]
fn lines_that_are_no_frames_are_named() {
    let dir = tempdir().unwrap();
    let out = dir.path().join("out");
    exported(
        &journal(dir.path()),
        &out,
        &ExportOptions::new(Format::JsonLines),
    );
    let text = fs::read_to_string(out.join(FRAMES_FILE)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let odd = lines[1].replace("\"payload\":\"", "\"payload\":\"0");
    let foreign = lines[1].replace("\"payload\":\"0", "\"payload\":\"x");
    let control = lines[1].replace(
        "\"frame\":{\"sequence\":2,\"kind\":257",
        "\"frame\":{\"sequence\":2,\"kind\":3",
    );
    let cases: [(&[&str], &str); 7] = [
        (&[lines[1]], "1: expected sequence 1, found 2"),
        (&[lines[0], lines[2]], "2: expected sequence 2, found 3"),
        (&[lines[0], lines[0]], "2: expected sequence 2, found 1"),
        (&[lines[0], "{}"], "2: expected a line of"),
        (&[lines[0], &odd], "2: payload: expected pairs"),
        (&[lines[0], &foreign], "2: payload: expected pairs"),
        (&[lines[0], &control], "2: kind 0x0003"),
    ];
    for (lines, expected) in cases {
        let file = dir.path().join("case.jsonl");
        fs::write(&file, lines.join("\n")).unwrap();
        let copy = dir.path().join("copy");
        let segments = JournalOptions::default();
        let error = import(&file, &copy, &segments, &mut |_, _| {}).unwrap_err();
        let sentence = error.to_string();
        assert!(
            sentence.contains(&format!("case.jsonl:{expected}")),
            "{sentence}"
        );
        assert!(
            !names(dir.path())
                .iter()
                .any(|name| name.starts_with("copy"))
        );
    }
}

#[test]
fn the_schema_file_says_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("SCHEMA.md");
    let stated = fs::read_to_string(&path).unwrap_or_default();
    if std::env::var_os("ACTH_WRITE_SCHEMA").is_some() {
        fs::write(&path, schema_markdown()).unwrap();
    } else {
        assert!(
            stated == schema_markdown(),
            "SCHEMA.md is not what the tables say: run this test once with ACTH_WRITE_SCHEMA=1"
        );
    }
}
