//! `acth journal export` and `import`: a journal for other programs, and back.

use std::time::Instant;

use acth_export::{ExportError, ExportOptions, Exported, Format, ROW_GROUP_ROWS};
use acth_journal::JournalOptions;
use serde_json::{Map, Value, json};

use super::{failure, with_progress};
use crate::{
    args::{ExportArgs, ExportFormat, ImportArgs},
    exit::Failure,
    output::{print, print_json},
    summary::grouped,
};

/// Writes the journal as files of another format.
pub(super) fn export(args: &ExportArgs) -> Result<(), Failure> {
    let journal = &args.common.journal;
    let options = ExportOptions {
        format: match args.format {
            ExportFormat::Parquet => Format::Parquet,
            ExportFormat::Csv => Format::Csv,
            ExportFormat::Jsonl => Format::JsonLines,
        },
        from: args.from,
        until: args.until,
        is_forced: args.force,
        row_group_rows: ROW_GROUP_ROWS,
    };
    let start = Instant::now();
    let exported = with_progress(args.common.json, "frames exported", |tell| {
        acth_export::export(journal, &args.output, &options, tell)
    })
    .map_err(|error| match error {
        ExportError::Journal(error) => failure(journal, &error),
        other => Failure::could_not(other),
    })?;
    let seconds = start.elapsed().as_secs_f64();
    if args.common.json {
        print_json(&as_json(args, &exported, seconds))
    } else {
        print(&as_text(args, &exported, seconds))
    }
}

fn total_bytes(exported: &Exported) -> u64 {
    exported.files.iter().map(|file| file.bytes).sum()
}

fn as_json(args: &ExportArgs, exported: &Exported, seconds: f64) -> Value {
    let files = exported
        .files
        .iter()
        .map(|file| json!({"path": file.path.display().to_string(), "bytes": file.bytes}));
    let rows = exported.tables.iter();
    let rows: Map<String, Value> = rows
        .map(|table| (table.table.to_owned(), json!(table.rows)))
        .collect();
    json!({
        "journal": args.common.journal.display().to_string(),
        "files": files.collect::<Vec<_>>(), "rows": rows, "bytes": total_bytes(exported),
        "frames": exported.frames, "unknown_frames": exported.unknown_frames,
        "first_sequence": exported.sequences.map(|(first, _)| first),
        "last_sequence": exported.sequences.map(|(_, last)| last),
        "elapsed_seconds": seconds,
    })
}

fn as_text(args: &ExportArgs, exported: &Exported, seconds: f64) -> String {
    let range = exported
        .sequences
        .map_or_else(String::new, |(first, last)| {
            format!(", sequence {} to {}", grouped(first), grouped(last))
        });
    let mut text = format!(
        "  exported       {} frames{range}, into {}\n  bytes          {} in {seconds:.2} s\n",
        grouped(exported.frames),
        args.output.display(),
        grouped(total_bytes(exported))
    );
    if exported.unknown_frames > 0 {
        text += &format!(
            "  unknown        {} frames of kinds that this version does not know\n",
            grouped(exported.unknown_frames)
        );
    }
    let has_bytes = exported.files.len() == exported.tables.len();
    let head = if has_bytes { "bytes" } else { "" };
    text += &format!("\n  {:<14} {:>15} {head:>15}\n", "table", "rows");
    for (index, table) in exported.tables.iter().enumerate() {
        let bytes = match exported.files.get(index) {
            Some(file) if has_bytes => grouped(file.bytes),
            _ => String::new(),
        };
        let line = format!(
            "  {:<14} {:>15} {bytes:>15}",
            table.table,
            grouped(table.rows)
        );
        text += line.trim_end();
        text += "\n";
    }
    text
}

/// Makes a journal from the JSON lines of an export.
pub(super) fn import(args: &ImportArgs) -> Result<(), Failure> {
    let options = JournalOptions {
        segment_bytes: args.segment_mib.saturating_mul(1 << 20),
        ..JournalOptions::default()
    };
    let start = Instant::now();
    let imported = with_progress(args.json, "bytes imported", |tell| {
        acth_export::import(&args.file, &args.journal, &options, tell)
    })
    .map_err(Failure::could_not)?;
    let seconds = start.elapsed().as_secs_f64();
    if args.json {
        return print_json(&json!({
            "journal": args.journal.display().to_string(), "frames": imported.frames,
            "last_sequence": imported.last_sequence, "elapsed_seconds": seconds,
        }));
    }
    print(&format!(
        "  imported       {} frames into {} in {seconds:.2} s",
        grouped(imported.frames),
        args.journal.display()
    ))
}
