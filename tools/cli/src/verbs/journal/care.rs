//! `acth journal repair`, `archive` and `prune`: taking care of a journal.

use acth_journal::{Keep, accept_unsynced};
use serde_json::json;

use super::{failure, with_progress};
use crate::{
    args::{ArchiveArgs, PruneArgs, RepairArgs},
    exit::Failure,
    output::{print, print_json},
    summary::grouped,
};

/// Gives up what is behind a frame, or accepts what is in doubt.
pub(super) fn repair(args: &RepairArgs) -> Result<(), Failure> {
    let journal = &args.common.journal;
    let fail = |error| failure(journal, &error);
    let Some(until) = args.until else {
        accept_unsynced(journal).map_err(fail)?;
        return if args.common.json {
            print_json(&json!({"accepted": true}))
        } else {
            print(
                "  accepted       everything that is there was synced once more and counts as durable",
            )
        };
    };
    let repaired = acth_journal::repair(journal, until).map_err(fail)?;
    let quarantine = repaired.quarantine.map(|path| path.display().to_string());
    if args.common.json {
        return print_json(&json!({
            "last_sequence": repaired.last_sequence, "run": repaired.run_id,
            "quarantine": quarantine, "later_segments": repaired.later_segments_count,
            "snapshots": repaired.snapshots_count,
        }));
    }
    print(&format!(
        "  repaired       the journal ends behind frame {}, sealed as run {}\n  \
           put away       {} later segments, {} snapshots; bytes cut off: {}",
        grouped(repaired.last_sequence),
        repaired.run_id,
        repaired.later_segments_count,
        repaired.snapshots_count,
        quarantine.unwrap_or_else(|| String::from("none"))
    ))
}

/// Compresses finished segments.
pub(super) fn archive(args: &ArchiveArgs) -> Result<(), Failure> {
    let journal = &args.common.journal;
    let archived = with_progress(args.common.json, "segments archived", |tell| {
        acth_journal::archive(journal, args.keep, args.level, tell)
    })
    .map_err(|error| failure(journal, &error))?;
    if args.common.json {
        return print_json(&json!({
            "segments": archived.segments, "plain_bytes": archived.plain_bytes,
            "packed_bytes": archived.packed_bytes, "archived_before": archived.before,
        }));
    }
    let share = 100.0 * archived.packed_bytes as f64 / (archived.plain_bytes.max(1)) as f64;
    print(&format!(
        "  archived       {} segments: {} bytes in {} ({share:.1} %); {} were archived before",
        archived.segments,
        grouped(archived.plain_bytes),
        grouped(archived.packed_bytes),
        archived.before
    ))
}

/// Takes the oldest segments away.
pub(super) fn prune(args: &PruneArgs) -> Result<(), Failure> {
    let journal = &args.common.journal;
    let keep = match (args.keep_segments, args.keep_mib) {
        (Some(count), _) => Keep::Segments(count),
        (None, mib) => Keep::Bytes(mib.unwrap_or_default().saturating_mul(1 << 20)),
    };
    let pruned = acth_journal::prune(journal, keep).map_err(|error| failure(journal, &error))?;
    if args.common.json {
        return print_json(&json!({
            "segments": pruned.segments, "bytes": pruned.bytes,
            "first_sequence": pruned.first_sequence,
        }));
    }
    print(&format!(
        "  pruned         {} segments, {} bytes; the journal begins at frame {} now",
        pruned.segments,
        grouped(pruned.bytes),
        grouped(pruned.first_sequence)
    ))
}
