//! Repair by an operator's word: giving up what lies behind a sequence, or accepting what a failed sync left in doubt.
//!
//! Nothing is thrown away: what is cut off stays in the quarantine. Invariant: the repaired journal ends in a run of its own, whose
//! id is above that of everything cut off, so nothing of it can ever be taken up again; and doing it again after dying in
//! the middle gives the same journal.

use std::path::PathBuf;

use crate::{
    background::HelperMode,
    bounds::SEGMENT_BYTES_MIN,
    directory::Directory,
    error::JournalError,
    layout::{HeaderVerdict, SegmentHeader},
    options::JournalOptions,
    place::Place,
    reader::{Advance, Reader},
    recovery::{
        Resume, kept_bytes, quarantine_bytes, quarantine_segment, quarantined_run_id_max, sync_file,
    },
    snapshot::Snapshots,
    storage::{Access, again, write_fully},
    verify,
    writer::Writer,
};

/// What a repair did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// Last sequence that is left.
    pub last_sequence: u64,
    /// The run that now ends the journal.
    pub run_id: u64,
    /// Where the first bytes that were cut off are; `None` if there were none.
    pub quarantine: Option<PathBuf>,
    /// Whole segments that were put away.
    pub later_segments_count: u64,
    /// Snapshots of states that no longer happened, put away.
    pub snapshots_count: u64,
}

/// Gives up everything behind the frame `until`. All before it must be good.
///
/// # Errors
/// `Damaged` when the damage is at or before `until`, `NoSuchSequence` when there is no such frame, `Locked` when the journal is
/// being written to.
pub fn repair(place: impl Into<Place>, until: u64) -> Result<Repaired, JournalError> {
    let directory = Directory::new(place.into());
    directory.expect_journal()?;
    let lock = directory.lock()?;
    let mut reader = read_until(&directory, until)?;
    let (index, position) = reader.place().unwrap_or((0, 0));
    let chain = reader.chain();
    let run_id = reader.run_id();
    reader.release();
    let (later_segments_count, run_id_max) = put_away_behind(&directory, index)?;
    let quarantine = cut(&directory, index, position as u64)?;
    directory.sync()?;
    let snapshots_count = put_away_snapshots(&directory, until)?;
    accept(&directory)?;
    let run_id_max = run_id_max
        .max(run_id)
        .max(quarantined_run_id_max(&directory)?);
    let resume = Resume {
        run_id: run_id_max + 1,
        segment_index: index + 1,
        next_sequence: until + 1,
        chain,
    };
    // A run without a frame: its header alone says that everything before it is what the journal is. So the smallest segment
    // will do, also where hardly any space is left, and nobody who makes more of them.
    let options = JournalOptions {
        segment_bytes: SEGMENT_BYTES_MIN,
        helpers: HelperMode::Inline,
        ..JournalOptions::default()
    };
    let sealed = Writer::begin(directory, lock, &options, resume)?.seal()?;
    Ok(Repaired {
        last_sequence: sealed.last_sequence,
        run_id: sealed.run_id,
        quarantine,
        later_segments_count,
        snapshots_count,
    })
}

/// Accepts what is there after a failed sync: what the last run left is written and synced once more, by this process, and counts
/// as durable if that succeeds. Written once more, because after a failed sync the kernel may take pages for clean that
/// never reached the device: a sync alone would pass them over. To be done when the last orders were compared with the venue.
///
/// # Errors
/// When a sync fails again, or the journal is being written to.
pub fn accept_unsynced(place: impl Into<Place>) -> Result<(), JournalError> {
    let directory = Directory::new(place.into());
    directory.expect_journal()?;
    let _lock = directory.lock()?;
    for index in unsynced_segments(&directory)? {
        write_again(&directory, index)?;
    }
    accept(&directory)
}

/// Those of the last run: everything before a run is durable before it begins. All of them where the headers do not tell.
fn unsynced_segments(directory: &Directory) -> Result<Vec<u64>, JournalError> {
    let Ok(info) = verify::info_of(directory) else {
        return directory.segments();
    };
    let run_id = info.segments.last().map_or(0, |segment| segment.run_id);
    let last_run = info.segments.iter();
    let last_run =
        last_run.filter(|segment| segment.run_id == run_id && segment.archive_bytes.is_none());
    Ok(last_run.map(|segment| segment.index).collect())
}

/// Stores the same bytes again and waits until they are on the device.
fn write_again(directory: &Directory, index: u64) -> Result<(), JournalError> {
    let path = directory.segment_path(index);
    let bytes = directory.read_segment(index, 0)?;
    let fail = |source| JournalError::io("write again", &path, source);
    match again(|| directory.storage().open(&path, Access::ReadWrite)) {
        Ok(file) => write_fully(&*file, &bytes, 0).map_err(fail)?,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => return Err(fail(source)),
    }
    sync_file(directory, &path)
}

fn accept(directory: &Directory) -> Result<(), JournalError> {
    let path = directory.failed_path();
    if directory.storage().exists(&path) {
        directory.make_inner(&directory.quarantine_path())?;
        let kept = directory.quarantine_name(0, 0, "failed");
        directory.rename(&path, &kept)?;
        directory.sync()?;
    }
    Ok(())
}

/// A reader right behind the frame `until`; 0 = before the first frame of all.
fn read_until(directory: &Directory, until: u64) -> Result<Reader, JournalError> {
    let mut reader = Reader::over(directory.clone())?;
    let mut first = 1;
    while reader.place().is_none() || reader.next_sequence() <= until {
        match reader.advance()? {
            Advance::Segment if first == 1 => first = reader.next_sequence(),
            Advance::Nothing => break,
            _ => {}
        }
    }
    if reader.place().is_some() && reader.next_sequence() == until + 1 {
        return Ok(reader);
    }
    Err(JournalError::NoSuchSequence {
        sequence: until,
        first,
        last: reader.next_sequence() - 1,
    })
}

/// Puts every segment behind this one into the quarantine, last ones first. Returns how many were in use and their highest run.
fn put_away_behind(directory: &Directory, index: u64) -> Result<(u64, u64), JournalError> {
    let (mut count, mut run_id_max) = (0, 0);
    for later in directory.segments()?.into_iter().rev() {
        if later <= index {
            break;
        }
        // Damaged beyond reading is put away all the same.
        let bytes = directory.read_segment(later, 0).unwrap_or_default();
        let verdict = SegmentHeader::judge(&bytes);
        if let HeaderVerdict::Valid(header) = verdict {
            run_id_max = run_id_max.max(header.run_id.get());
        }
        count += u64::from(!matches!(verdict, HeaderVerdict::Unused));
        quarantine_segment(directory, later)?;
    }
    Ok((count, run_id_max))
}

/// Cuts the last segment behind its last frame, after keeping what is behind.
fn cut(directory: &Directory, index: u64, position: u64) -> Result<Option<PathBuf>, JournalError> {
    let bytes = directory.read_segment(index, 0)?;
    let is_clean = bytes[bytes.len().min(position as usize)..]
        .iter()
        .all(|byte| *byte == 0);
    let kept = if is_clean {
        None
    } else {
        Some(quarantine_bytes(directory, index, position)?)
    };
    directory.sync()?;
    let path = directory.segment_path(index);
    if !directory.storage().exists(&path) {
        // Archived: the part that stays becomes a plain file again.
        let part = &bytes[..bytes.len().min(position as usize)];
        directory.replace(&path, part)?;
        directory.remove(&directory.archive_path(index))?;
        directory.sync_inner(directory.path())?;
        return Ok(kept);
    }
    let fail = |source| JournalError::io("cut", &path, source);
    let file = again(|| directory.storage().open(&path, Access::ReadWrite)).map_err(fail)?;
    let end = kept_bytes(directory, position).min(bytes.len() as u64);
    if end > position {
        write_fully(&*file, &vec![0; (end - position) as usize], position).map_err(fail)?;
    }
    again(|| file.set_length(end)).map_err(fail)?;
    let fail = |source| JournalError::io("sync", &path, source);
    let synced = again(|| file.sync()).map_err(fail);
    synced.inspect_err(|error| directory.mark_failed_sync(error, 0))?;
    Ok(kept)
}

fn put_away_snapshots(directory: &Directory, until: u64) -> Result<u64, JournalError> {
    let snapshots = Snapshots::of(directory.clone());
    let mut count = 0;
    for sequence in snapshots.sequences()? {
        if sequence > until {
            directory.make_inner(&directory.quarantine_path())?;
            let target = directory.quarantine_name(sequence, 0, "snapshot");
            directory.rename(&snapshots.path(sequence), &target)?;
            count += 1;
        }
    }
    if count > 0 {
        directory.sync_inner(&directory.snapshots_path())?;
        directory.sync()?;
    }
    Ok(count)
}
