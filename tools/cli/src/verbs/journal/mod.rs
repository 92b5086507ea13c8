//! `acth journal ...`: looking into a journal, finished or being written, and taking care of one.

mod care;
mod export;
mod sign;
mod verify;

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use acth_core::{decision::Decision, event::Event};
use acth_engine::{
    frames::{FrameClass, classify},
    manifest::RunManifest,
};
use acth_journal::{Frame, JournalError, Reader, SegmentInfo, Snapshots, Tail, info};
use serde_json::{Map, Value, json};
use zerocopy::FromBytes;

use crate::{
    args::{DumpArgs, JournalArgs, JournalVerb, TailArgs},
    describe,
    exit::Failure,
    output::{print, print_json},
    progress::{Moment, with_display},
    registry::Registered,
    summary::grouped,
};

/// How often a followed journal is asked for more.
const TAIL_POLL: Duration = Duration::from_millis(20);

/// Runs one of the journal verbs.
///
/// # Errors
/// `CheckFailed` when the journal is damaged, `CouldNotRun` when it cannot be read.
pub fn run(verb: &JournalVerb, strategies: &[Registered]) -> Result<(), Failure> {
    match verb {
        JournalVerb::Info(args) => show_info(args),
        JournalVerb::Verify(args) => verify::run(args),
        JournalVerb::Dump(args) => dump(args),
        JournalVerb::Tail(args) => tail(args),
        JournalVerb::Snapshot(args) => super::replay::strategy_of(&args.common.journal, strategies)
            .and_then(|strategy| strategy.snapshot(args)),
        JournalVerb::Repair(args) => care::repair(args),
        JournalVerb::Archive(args) => care::archive(args),
        JournalVerb::Prune(args) => care::prune(args),
        JournalVerb::Keygen(args) => sign::keygen(args),
        JournalVerb::Sign(args) => sign::sign(args),
        JournalVerb::Export(args) => export::export(args),
        JournalVerb::Import(args) => export::import(args),
    }
}

/// Damage is a failed check; everything else means that the check could not be made.
pub fn failure(dir: &Path, error: &JournalError) -> Failure {
    let sentence = format!("{}: {error}", dir.display());
    match error {
        JournalError::Damaged { .. } | JournalError::Head { .. } => Failure::CheckFailed(sentence),
        _ => Failure::CouldNotRun(sentence),
    }
}

fn show_info(args: &JournalArgs) -> Result<(), Failure> {
    let found = info(&args.journal).map_err(|error| failure(&args.journal, &error))?;
    let manifest = first_manifest(&args.journal)?;
    let snapshots = Snapshots::of(&args.journal)
        .sequences()
        .map_err(|error| failure(&args.journal, &error))?;
    if args.json {
        let segments = found.segments.iter().map(|segment| {
            json!({
                "index": segment.index, "run": segment.run_id,
                "first_sequence": segment.first_sequence, "bytes": segment.file_bytes,
                "sealed": segment.is_sealed, "created_ns": segment.created_ns,
                "archive_bytes": segment.archive_bytes,
            })
        });
        return print_json(&json!({
            "journal": args.journal.display().to_string(),
            "segments": segments.collect::<Vec<_>>(),
            "snapshots": snapshots,
            "manifest": manifest,
        }));
    }
    let mut text = format!("  journal        {}\n", args.journal.display());
    if let Some(manifest) = &manifest {
        text += &format!(
            "  written by     acth {} on {} ({})\n  strategy       {}\n  configuration  {}\n  hub            {}, seed {}\n",
            manifest.build.version,
            manifest.build.target,
            manifest.host.name,
            manifest.strategy,
            manifest.config_hash,
            manifest.hub_id,
            manifest.seed
        );
    }
    for sequence in &snapshots {
        text += &format!("  snapshot       behind frame {}\n", grouped(*sequence));
    }
    text += "\n     segment    run  first sequence           bytes  state\n";
    for segment in &found.segments {
        text += &format!(
            "  {:>10} {:>6} {:>15} {:>15}  {}\n",
            segment.index,
            segment.run_id,
            grouped(segment.first_sequence),
            grouped(segment.file_bytes),
            state_of(segment)
        );
    }
    print(&text)
}

fn state_of(segment: &SegmentInfo) -> String {
    let end = if segment.is_sealed { "sealed" } else { "open" };
    match segment.archive_bytes {
        Some(bytes) => format!("{end}, archived in {} bytes", grouped(bytes)),
        None => String::from(end),
    }
}

/// The manifest of the first run, if the journal begins with one.
fn first_manifest(dir: &Path) -> Result<Option<RunManifest>, Failure> {
    let mut reader = Reader::open(dir).map_err(|error| failure(dir, &error))?;
    let Some(frame) = reader.next().map_err(|error| failure(dir, &error))? else {
        return Ok(None);
    };
    if classify(frame.kind) != FrameClass::Manifest {
        return Ok(None);
    }
    RunManifest::from_bytes(frame.payload)
        .map(Some)
        .map_err(Failure::could_not)
}

/// Runs long work on a journal's bytes behind a progress bar; `work` tells bytes (or pieces) done and in all.
pub(super) fn with_progress<T: Send>(
    is_json: bool,
    what: &str,
    work: impl FnOnce(&mut dyn FnMut(u64, u64)) -> T + Send,
) -> T {
    let (done, total) = (AtomicU64::new(0), AtomicU64::new(0));
    let look = || Moment {
        done: done.load(Ordering::Relaxed),
        total: total.load(Ordering::Relaxed),
        words: format!("{} {what}", grouped(done.load(Ordering::Relaxed))),
    };
    let mut tell = |done_now, total_now| {
        done.store(done_now, Ordering::Relaxed);
        total.store(total_now, Ordering::Relaxed);
    };
    with_display(is_json, look, || work(&mut tell))
}

/// Bytes as hexadecimal digits.
fn hex_text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How a journal ends, in words.
pub fn tail_name(tail: Tail) -> String {
    match tail {
        Tail::Sealed => String::from("sealed"),
        Tail::Open => String::from("open, cleanly ended"),
        Tail::Torn {
            segment,
            offset,
            bytes,
        } => format!(
            "torn: segment {segment} ends in {bytes} bytes of an unfinished frame at offset {offset}"
        ),
    }
}

fn dump(args: &DumpArgs) -> Result<(), Failure> {
    let mut reader = Reader::open(&args.journal).map_err(|error| failure(&args.journal, &error))?;
    let mut printed = 0;
    while printed < args.count {
        let Some(frame) = reader
            .next()
            .map_err(|error| failure(&args.journal, &error))?
        else {
            break;
        };
        if frame.sequence < args.from || (args.decisions && !is_decision(&frame)) {
            continue;
        }
        show(&frame, args.json)?;
        printed += 1;
    }
    Ok(())
}

fn tail(args: &TailArgs) -> Result<(), Failure> {
    let mut reader = Reader::open(&args.journal).map_err(|error| failure(&args.journal, &error))?;
    let mut quiet_since = Instant::now();
    loop {
        while let Some(frame) = reader
            .next()
            .map_err(|error| failure(&args.journal, &error))?
        {
            if !args.decisions || is_decision(&frame) {
                show(&frame, args.json)?;
            }
            quiet_since = Instant::now();
        }
        let is_quiet = args.idle > 0 && quiet_since.elapsed().as_nanos() >= args.idle as u128;
        if is_quiet || reader.tail() == Tail::Sealed {
            return Ok(());
        }
        std::thread::sleep(TAIL_POLL);
    }
}

fn is_decision(frame: &Frame<'_>) -> bool {
    matches!(classify(frame.kind), FrameClass::Decision(_))
}

fn show(frame: &Frame<'_>, is_json: bool) -> Result<(), Failure> {
    if is_json {
        let mut object = Map::new();
        object.insert("sequence".into(), json!(frame.sequence));
        object.insert("time_ns".into(), json!(frame.time_ns));
        object.insert("cause".into(), json!(frame.cause));
        object.extend(fields(frame));
        return print_json(&Value::Object(object));
    }
    let text = match classify(frame.kind) {
        FrameClass::Input(_) => event(frame).map(|event| describe::event_text(&event)),
        FrameClass::Decision(_) => decision(frame).map(|d| describe::decision_text(&d)),
        FrameClass::Manifest => Some(String::from_utf8_lossy(frame.payload).into_owned()),
        FrameClass::Unknown(_) => None,
    };
    let text = text.unwrap_or_else(|| format!("kind {:#06x}", frame.kind));
    let mark = if is_decision(frame) {
        format!("  <- {}", frame.cause)
    } else {
        String::new()
    };
    print(&format!(
        "{:>10} {} {text}{mark}",
        frame.sequence, frame.time_ns
    ))
}

fn fields(frame: &Frame<'_>) -> Map<String, Value> {
    let found = match classify(frame.kind) {
        FrameClass::Input(_) => event(frame).map(|event| describe::event_fields(&event)),
        FrameClass::Decision(_) => decision(frame).map(|d| describe::decision_fields(&d)),
        FrameClass::Manifest => {
            let manifest: Value = serde_json::from_slice(frame.payload).unwrap_or_default();
            let pairs = [("type", json!("RunManifest")), ("manifest", manifest)];
            Some(
                pairs
                    .into_iter()
                    .map(|(name, value)| (name.into(), value))
                    .collect(),
            )
        }
        FrameClass::Unknown(_) => None,
    };
    found.unwrap_or_else(|| {
        [(String::from("kind"), json!(frame.kind))]
            .into_iter()
            .collect()
    })
}

fn event(frame: &Frame<'_>) -> Option<Event> {
    Event::read_from_bytes(frame.payload).ok()
}

fn decision(frame: &Frame<'_>) -> Option<Decision> {
    Decision::read_from_bytes(frame.payload).ok()
}
