//! Opening a journal for writing: validate everything, cut a torn tail, say where the next run begins.
//!
//! Invariant: doing it again after dying in the middle of it gives the same result. So later files are put away before
//! earlier ones, and bytes are copied and synced before they are cut.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use crate::{
    bounds::{FIRST_SEQUENCE, FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES},
    directory::Directory,
    error::JournalError,
    layout::{HeaderVerdict, SegmentHeader},
    reader::{Advance, Reader},
    rules::Rule,
    tail::{Tail, read_from, used_bytes},
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
pub(crate) fn recover(directory: &Directory) -> Result<(Recovery, Resume), JournalError> {
    let mut reader = Reader::open(directory.path())?;
    let mut walk = Walk::default();
    loop {
        match reader.advance()? {
            Advance::Data(_) => walk.frames_count += 1,
            Advance::Segment => walk.enter(&reader),
            Advance::Control(_) => {}
            Advance::Nothing => break,
        }
    }
    let (tail, rule) = (reader.tail(), reader.rule());
    let end = reader.place();
    let mut recovery = Recovery {
        run_id: reader.run_id(),
        last_sequence: reader.next_sequence() - 1,
        frames_count: walk.frames_count,
        segments_count: walk.segments_count,
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
    drop(reader);
    let (later_count, run_id_max) = put_away_later(directory, resume.segment_index, tail)?;
    resume.run_id = resume.run_id.max(run_id_max + 1);
    if let Some((index, position)) = end {
        recovery.cut = cut_torn(directory, tail, later_count)?;
        shrink(&directory.segment_path(index), position as u64, rule)?;
    }
    // Whatever the last run left is durable before a new one begins; frames of the new run attest it.
    for index in walk.last_run {
        let path = directory.segment_path(index);
        File::open(&path)
            .and_then(|file| file.sync_all())
            .map_err(|source| JournalError::io("sync", &path, source))?;
    }
    directory.sync()?;
    Ok((recovery, resume))
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
    for index in directory
        .segments()?
        .into_iter()
        .rev()
        .filter(|index| *index >= first)
    {
        let path = directory.segment_path(index);
        let bytes = read_from(&path, 0)?;
        let verdict = SegmentHeader::judge(&bytes);
        let is_unused =
            matches!(verdict, HeaderVerdict::Unused) && used_bytes(&bytes) <= SEGMENT_HEADER_BYTES;
        if is_unused {
            fs::remove_file(&path).map_err(|source| JournalError::io("remove", &path, source))?;
            continue;
        }
        if let HeaderVerdict::Valid(header) = verdict {
            run_id_max = run_id_max.max(header.run_id.get());
        }
        if torn_at_start != Some(index) {
            count += 1;
            quarantine_file(directory, index)?;
        }
    }
    Ok((count, run_id_max))
}

/// Moves a whole segment into the quarantine.
fn quarantine_file(directory: &Directory, index: u64) -> Result<PathBuf, JournalError> {
    directory.make_quarantine()?;
    let path = directory.segment_path(index);
    let target = unused_name(directory.quarantine_path(index, 0));
    fs::rename(&path, &target)
        .map_err(|source| JournalError::io("move into quarantine", &path, source))?;
    Ok(target)
}

/// Nothing in the quarantine is ever overwritten.
fn unused_name(path: PathBuf) -> PathBuf {
    let taken = |candidate: &PathBuf| candidate.exists();
    let numbered = (1u32..).map(|number| path.with_extension(format!("{number}.cut")));
    std::iter::once(path.clone())
        .chain(numbered)
        .find(|name| !taken(name))
        .unwrap_or(path)
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
        quarantine_file(directory, segment)?
    } else {
        let rest = read_from(&directory.segment_path(segment), offset)?;
        let target = unused_name(directory.quarantine_path(segment, offset));
        directory.make_quarantine()?;
        File::create_new(&target)
            .and_then(|mut file| {
                file.write_all(&rest[..used_bytes(&rest)])?;
                file.sync_all()
            })
            .map_err(|source| JournalError::io("write", &target, source))?;
        target
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
fn shrink(path: &Path, position: u64, rule: Rule) -> Result<(), JournalError> {
    let fail = |source| JournalError::io("cut", path, source);
    let file = OpenOptions::new().write(true).open(path).map_err(fail)?;
    let length = file.metadata().map_err(fail)?.len();
    if rule == Rule::R1 {
        return file.set_len(position.min(length)).map_err(fail);
    }
    if rule == Rule::R2 {
        return Ok(());
    }
    let kept = (position + FRAME_HEADER_BYTES as u64)
        .next_multiple_of(page_bytes())
        .min(length);
    if kept > position {
        let zeros = vec![0; (kept - position) as usize];
        file.write_all_at(&zeros, position).map_err(fail)?;
    }
    file.set_len(kept).map_err(fail)
}

/// Size of a page of this system; 64 KiB, which is a multiple of all in use, if the system does not say.
fn page_bytes() -> u64 {
    // SAFETY: sysconf takes a plain number and touches no memory of ours.
    let answer = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(answer)
        .ok()
        .filter(|bytes| bytes.is_power_of_two())
        .unwrap_or(1 << 16)
}
