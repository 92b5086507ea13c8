//! Opening a journal for writing: validate everything, cut a torn tail, say where the next run begins.
//!
//! Invariant: doing it again after dying in the middle of it gives the same result. So later files are put away before
//! earlier ones, and bytes are copied and synced before they are cut.

use std::path::{Path, PathBuf};

use crate::{
    bounds::{FIRST_SEQUENCE, FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES},
    directory::Directory,
    error::JournalError,
    evidence,
    layout::{HeaderVerdict, SegmentHeader},
    options::Validate,
    reader::{Advance, Reader},
    rules::Rule,
    sabotage::{Bug, is_planted},
    storage::{Access, again, read_file, write_fully},
    tail::{Tail, used_bytes},
    verify,
};

/// What recovery found and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The last run before this opening; 0 if there was none.
    pub run_id: u64,
    /// Last good sequence; 0 if there is no frame.
    pub last_sequence: u64,
    /// Frames of callers that were validated.
    pub frames_count: u64,
    /// Segments in use that were validated.
    pub segments_count: u64,
    /// Highest sequence that the journal itself says was durable before this opening.
    pub durable_sequence: u64,
    /// How the journal ended.
    pub tail: Tail,
    /// The rule that says so.
    pub rule: Rule,
    /// What was cut off.
    pub cut: Option<Cut>,
}

/// A torn tail that was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Segment with the first byte cut.
    pub segment: u64,
    /// Where in it the cut is.
    pub offset: u64,
    /// Bytes cut in that segment.
    pub bytes: u64,
    /// Where these bytes are kept.
    pub quarantine: PathBuf,
    /// Later segments that were put away whole.
    pub later_segments_count: u64,
}

/// Where the next run begins.
pub(crate) struct Resume {
    pub(crate) run_id: u64,
    pub(crate) segment_index: u64,
    pub(crate) next_sequence: u64,
    pub(crate) chain: u32,
}

impl Resume {
    /// A new journal.
    pub(crate) fn at_the_start() -> Self {
        Self {
            run_id: 1,
            segment_index: 0,
            next_sequence: FIRST_SEQUENCE,
            chain: 0,
        }
    }
}

/// Recovers the journal. The caller holds the lock.
///
/// What is damaged is copied into the quarantine with a report before the error is returned.
pub(crate) fn recover(
    directory: &Directory,
    validate: Validate,
) -> Result<(Recovery, Resume), JournalError> {
    refuse_failed_sync(directory)?;
    let read = read_all(directory, validate);
    let (mut reader, walk) = read.inspect_err(|error| evidence::keep(directory, error))?;
    let (tail, rule) = (reader.tail(), reader.rule());
    let end = reader.place();
    let mut recovery = Recovery {
        run_id: reader.run_id(),
        last_sequence: reader.next_sequence() - 1,
        frames_count: walk.frames_count,
        segments_count: walk.segments_count,
        durable_sequence: reader.durable_sequence(),
        tail,
        rule,
        cut: None,
    };
    let mut resume = Resume {
        run_id: reader.run_id() + 1,
        segment_index: end.map_or(0, |(index, _)| index + 1),
        next_sequence: reader.next_sequence(),
        chain: reader.crc_before(),
    };
    reader.release();
    let (later_count, run_id_max) = put_away_later(directory, resume.segment_index, tail)?;
    if !is_planted(Bug::DuplicateRunId) {
        resume.run_id = resume.run_id.max(run_id_max + 1);
    }
    if let Some((index, position)) = end {
        recovery.cut = cut_torn(directory, tail, later_count)?;
        shrink(directory, index, position as u64, rule)?;
    }
    // Whatever the last run left is durable before a new one begins; frames of the new run attest it.
    for index in walk.last_run {
        if is_planted(Bug::RecoveryWithoutSync) {
            break;
        }
        sync_file(directory, &directory.segment_path(index)).inspect_err(|error| {
            directory.mark_failed_sync(error, recovery.durable_sequence);
        })?;
    }
    directory.sync()?;
    if !is_planted(Bug::DuplicateRunId) {
        resume.run_id = resume.run_id.max(quarantined_run_id_max(directory)? + 1);
    }
    Ok((recovery, resume))
}

/// An earlier run met a failed sync: what is read back may never have reached the device.
fn refuse_failed_sync(directory: &Directory) -> Result<(), JournalError> {
    let path = directory.failed_path();
    if !directory.storage().exists(&path) {
        return Ok(());
    }
    let note = read_file(directory.storage(), &path, 0).unwrap_or_default();
    Err(JournalError::SyncFailed {
        dir: directory.path().to_path_buf(),
        note: String::from_utf8_lossy(&note).trim().to_owned(),
    })
}

fn read_all(directory: &Directory, validate: Validate) -> Result<(Reader, Walk), JournalError> {
    let mut reader = match validate {
        Validate::All | Validate::From(0) => Reader::over(directory.clone())?,
        Validate::From(sequence) => {
            let index = verify::segment_of(directory, sequence)?;
            Reader::starting_at(directory.clone(), index)?
        }
    };
    let mut walk = Walk::default();
    loop {
        match reader.advance()? {
            Advance::Data => walk.frames_count += 1,
            Advance::Segment => walk.enter(&reader),
            Advance::Control => {}
            Advance::Nothing => return Ok((reader, walk)),
        }
    }
}

/// The highest run of a whole segment in the quarantine; 0 if there is none. A recovery that died between putting segments away
/// and beginning its run gives the same run id again.
pub(crate) fn quarantined_run_id_max(directory: &Directory) -> Result<u64, JournalError> {
    let folder = directory.quarantine_path();
    let mut run_id_max = 0;
    for name in directory.names(&folder)? {
        let path = folder.join(&name);
        if !name.contains("-0.") {
            continue;
        }
        let bytes = read_file(directory.storage(), &path, 0)
            .map_err(|source| JournalError::io("read", &path, source))?;
        if let HeaderVerdict::Valid(header) = SegmentHeader::judge(&bytes) {
            run_id_max = run_id_max.max(header.run_id.get());
        }
    }
    Ok(run_id_max)
}

pub(crate) fn sync_file(directory: &Directory, path: &Path) -> Result<(), JournalError> {
    let fail = |source| JournalError::io("sync", path, source);
    let storage = directory.storage();
    let file = match again(|| storage.open(path, Access::Read)) {
        // Archived: durable since then.
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        file => file.map_err(fail)?,
    };
    again(|| file.sync()).map_err(fail)
}

/// What was met while reading.
#[derive(Default)]
struct Walk {
    frames_count: u64,
    segments_count: u64,
    run_id: u64,
    /// Segments of the last run.
    last_run: Vec<u64>,
}

impl Walk {
    fn enter(&mut self, reader: &Reader) {
        self.segments_count += 1;
        if reader.run_id() != self.run_id {
            self.run_id = reader.run_id();
            self.last_run.clear();
        }
        self.last_run.extend(reader.place().map(|(index, _)| index));
    }
}

/// Removes unused segments from `first` on and puts those away that a torn tail takes with it, last ones first. Returns how
/// many were put away and the highest run among them.
fn put_away_later(
    directory: &Directory,
    first: u64,
    tail: Tail,
) -> Result<(u64, u64), JournalError> {
    let torn_at_start = match tail {
        Tail::Torn {
            segment, offset: 0, ..
        } => Some(segment),
        _ => None,
    };
    let (mut count, mut run_id_max) = (0, 0);
    let later = directory.segments()?.into_iter().rev();
    for index in later.filter(|index| *index >= first) {
        let bytes = directory.read_segment(index, 0)?;
        let verdict = SegmentHeader::judge(&bytes);
        let is_unused =
            matches!(verdict, HeaderVerdict::Unused) && used_bytes(&bytes) <= SEGMENT_HEADER_BYTES;
        if is_unused {
            directory.remove(&directory.segment_path(index))?;
            continue;
        }
        if let HeaderVerdict::Valid(header) = verdict {
            run_id_max = run_id_max.max(header.run_id.get());
        }
        if torn_at_start != Some(index) {
            count += 1;
            quarantine_segment(directory, index)?;
        }
    }
    Ok((count, run_id_max))
}

/// Moves a whole segment into the quarantine, in whichever form it is there. That is durable before anything else goes: a later one
/// must never come back when an earlier one is gone.
pub(crate) fn quarantine_segment(
    directory: &Directory,
    index: u64,
) -> Result<PathBuf, JournalError> {
    directory.make_inner(&directory.quarantine_path())?;
    let mut target = directory.quarantine_name(index, 0, "cut");
    for path in [directory.archive_path(index), directory.segment_path(index)] {
        if directory.storage().exists(&path) {
            target = directory.quarantine_name(index, 0, "cut");
            directory.rename(&path, &target)?;
        }
    }
    directory.sync()?;
    Ok(target)
}

/// Copies the bytes of a segment from `offset` on into the quarantine; they are durable there, their name is not yet.
pub(crate) fn quarantine_bytes(
    directory: &Directory,
    index: u64,
    offset: u64,
) -> Result<PathBuf, JournalError> {
    let rest = directory.read_segment(index, offset)?;
    let target = directory.quarantine_name(index, offset, "cut");
    directory.make_inner(&directory.quarantine_path())?;
    directory.write_new(&target, &rest[..used_bytes(&rest)])?;
    Ok(target)
}

/// Keeps the bytes of a torn tail in the quarantine. They are cut afterwards, by `shrink`.
fn cut_torn(
    directory: &Directory,
    tail: Tail,
    later_segments_count: u64,
) -> Result<Option<Cut>, JournalError> {
    let Tail::Torn {
        segment,
        offset,
        bytes,
    } = tail
    else {
        return Ok(None);
    };
    let quarantine = if offset == 0 {
        quarantine_segment(directory, segment)?
    } else {
        quarantine_bytes(directory, segment, offset)?
    };
    directory.sync()?;
    Ok(Some(Cut {
        segment,
        offset,
        bytes,
        quarantine,
        later_segments_count,
    }))
}

/// Cuts the last segment behind its last frame.
///
/// Behind a SEAL nobody looks: exactly there. Otherwise a reader may be looking at the word behind the last frame: that word
/// becomes zero and its page stays, so that the reader meets no bus error.
fn shrink(
    directory: &Directory,
    index: u64,
    position: u64,
    rule: Rule,
) -> Result<(), JournalError> {
    let path = &directory.segment_path(index);
    if rule == Rule::R2 || !directory.storage().exists(path) {
        // Ends with the segment, or archived: nothing behind the last frame.
        return Ok(());
    }
    let fail = |source| JournalError::io("cut", path, source);
    let file = again(|| directory.storage().open(path, Access::ReadWrite)).map_err(fail)?;
    let length = again(|| file.length()).map_err(fail)?;
    if rule == Rule::R1 {
        return again(|| file.set_length(position.min(length))).map_err(fail);
    }
    let kept = kept_bytes(directory, position).min(length);
    if kept > position {
        let zeros = vec![0; (kept - position) as usize];
        write_fully(&*file, &zeros, position).map_err(fail)?;
    }
    again(|| file.set_length(kept)).map_err(fail)
}

/// Length of a segment that ends at `position` without an end frame: a reader may be looking at the word there.
pub(crate) fn kept_bytes(directory: &Directory, position: u64) -> u64 {
    let page_bytes = directory.storage().page_bytes() as u64;
    (position + FRAME_HEADER_BYTES as u64).next_multiple_of(page_bytes)
}
