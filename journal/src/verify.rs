//! Verification of a whole journal, and cheap facts about it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    archive::{PREFACE_BYTES, Preface},
    base::Base,
    bounds::{FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES},
    directory::Directory,
    error::{Damage, JournalError},
    hash::{self, Feeder, PIECE_BYTES},
    layout::{ControlKind, FrameHeader, HeaderVerdict, SegmentHeader},
    place::Place,
    reader::{Advance, Reader},
    storage::{Access, again, read_up_to},
    tail::Tail,
};

/// What a journal is, every byte of it checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Frames of callers.
    pub frames: u64,
    /// Segments in use.
    pub segments: u64,
    /// Runs: openings for writing.
    pub runs: u64,
    /// Bytes of segment headers and frames.
    pub bytes: u64,
    /// Sequence of the first frame; 0 if there is none.
    pub first_sequence: u64,
    /// Sequence of the last frame; 0 if there is none.
    pub last_sequence: u64,
    /// Highest sequence that the journal itself says is durable.
    pub durable_sequence: u64,
    /// Where it ends and what all of it hashes to.
    pub head: Head,
    /// How the journal ends.
    pub tail: Tail,
}

/// A place behind a frame, and the hash of everything before it.
///
/// The hash of a segment is SHA-256 of the hash of the segment before it (32 zeros for the first) and of its own bytes from the
/// header to the place. So it stands for every byte from the first one on, also when the first segments were pruned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Index of the segment.
    pub segment: u64,
    /// Position in it.
    pub position: u64,
    /// Last sequence before the place.
    pub sequence: u64,
    /// Hash of everything before the place.
    pub hash: [u8; 32],
}

/// Checks every byte of a journal and hashes it. `progress` gets bytes done and bytes in all (the latter an upper bound: files
/// may hold unused room).
///
/// # Errors
/// `Damaged`, `UnsupportedVersion`, or when it cannot be read. A torn tail is no error: see `Verification::tail`.
pub fn verify(
    place: impl Into<Place>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verification, JournalError> {
    verify_at(place, &mut BTreeMap::new(), progress)
}

/// As `verify`, and fills in the head at each of the places (segment, position) that are asked for, if a frame ends there.
pub(crate) fn verify_at(
    place: impl Into<Place>,
    asked: &mut BTreeMap<(u64, u64), Option<Head>>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verification, JournalError> {
    let directory = Directory::new(place.into());
    let info = info_of(&directory)?;
    let total_bytes = info.segments.iter().map(|segment| segment.file_bytes).sum();
    let mut reader = Reader::over(directory.clone())?;
    let mut places = asked.keys().copied().collect();
    let (found, hashed) = hash::beside(&directory, |feeder| {
        walk(&mut reader, feeder, &mut places, &mut |bytes| {
            progress(bytes, total_bytes);
        })
    })?;
    progress(total_bytes, total_bytes);
    for (head, hash) in found.heads.iter().zip(hashed.asked) {
        asked.insert((head.segment, head.position), Some(Head { hash, ..*head }));
    }
    let head = Head {
        hash: hashed.all,
        ..head_of(&reader)
    };
    let has_frames = found.frames > 0;
    Ok(Verification {
        frames: found.frames,
        segments: found.segments,
        runs: found.runs,
        bytes: found.bytes,
        first_sequence: found.first_sequence,
        last_sequence: if has_frames { head.sequence } else { 0 },
        durable_sequence: reader.durable_sequence(),
        head,
        tail: reader.tail(),
    })
}

/// What a walk over all frames counted.
#[derive(Default)]
struct Found {
    frames: u64,
    segments: u64,
    runs: u64,
    run_id: u64,
    first_sequence: u64,
    bytes: u64,
    /// The places that were asked for and are there, without their hashes.
    heads: Vec<Head>,
}

/// Reads all frames and feeds them to the hashing thread.
fn walk(
    reader: &mut Reader,
    feeder: &mut Feeder,
    places: &mut BTreeSet<(u64, u64)>,
    progress: &mut dyn FnMut(u64),
) -> Result<Found, JournalError> {
    let mut found = Found::default();
    let mut told_bytes = 0;
    loop {
        match reader.advance()? {
            Advance::Segment => {
                found.segments += 1;
                found.runs += u64::from(reader.run_id() != found.run_id);
                found.run_id = reader.run_id();
                feeder.enter(reader);
            }
            Advance::Control => feeder.take(reader),
            Advance::Data => {
                found.frames += 1;
                if found.frames == 1 {
                    found.first_sequence = reader.next_sequence() - 1;
                }
                feeder.take(reader);
            }
            Advance::Nothing => break,
        }
        if !places.is_empty() {
            let head = head_of(reader);
            if places.remove(&(head.segment, head.position)) {
                feeder.ask(reader);
                found.heads.push(head);
            }
        }
        if feeder.cutter.bytes - told_bytes >= PIECE_BYTES as u64 {
            told_bytes = feeder.cutter.bytes;
            progress(told_bytes);
        }
    }
    feeder.finish(reader);
    found.bytes = feeder.cutter.bytes;
    Ok(found)
}

/// Where the reader is; the hash is not known yet.
fn head_of(reader: &Reader) -> Head {
    let (segment, position) = reader.place().unwrap_or((0, 0));
    Head {
        segment,
        position: position as u64,
        sequence: reader.next_sequence() - 1,
        hash: [0; 32],
    }
}

/// Checks one segment, and that it is followed by what continues it.
pub(crate) fn verify_segment(directory: &Directory, index: u64) -> Result<(), JournalError> {
    let mut reader = Reader::starting_at(directory.clone(), index)?;
    loop {
        let advance = reader.advance()?;
        let is_past = reader.place().is_some_and(|(place, _)| place > index);
        if is_past || matches!(advance, Advance::Nothing) {
            return Ok(());
        }
    }
}

/// Facts about a journal that cost no reading of frames. Nothing is verified but the segment headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalInfo {
    /// Segments in use, in order.
    pub segments: Vec<SegmentInfo>,
}

/// Facts about one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Its index: the number in its file name.
    pub index: u64,
    /// Sequence of the first frame in it.
    pub first_sequence: u64,
    /// The run that wrote it.
    pub run_id: u64,
    /// When it came into use, by the wall clock.
    pub created_ns: i64,
    /// Bytes that it holds, unpacked.
    pub file_bytes: u64,
    /// Bytes of its archive, if it is archived.
    pub archive_bytes: Option<u64>,
    /// Whether the journal was closed in good order with this segment.
    pub is_sealed: bool,
}

/// Reads the segment headers of a journal.
///
/// # Errors
/// When there is no journal, a header is damaged, or of another version.
pub fn info(place: impl Into<Place>) -> Result<JournalInfo, JournalError> {
    info_of(&Directory::new(place.into()))
}

pub(crate) fn info_of(directory: &Directory) -> Result<JournalInfo, JournalError> {
    directory.expect_journal()?;
    // What is left of a pruning that died is no part of the journal.
    let base = Base::read(directory)?.map_or(0, |base| base.segment);
    let mut segments = Vec::new();
    for index in directory.segments()? {
        if index >= base {
            segments.extend(segment_info(directory, index)?);
        }
    }
    Ok(JournalInfo { segments })
}

/// Index of the segment that holds this sequence, or would hold it.
pub(crate) fn segment_of(directory: &Directory, sequence: u64) -> Result<u64, JournalError> {
    let segments = info_of(directory)?.segments;
    let first = segments.first().map_or(0, |segment| segment.first_sequence);
    let found = segments
        .iter()
        .rev()
        .find(|segment| segment.first_sequence <= sequence);
    found
        .map(|segment| segment.index)
        .ok_or(JournalError::NoSuchSequence {
            sequence,
            first,
            last: segments
                .last()
                .map_or(0, |segment| segment.first_sequence.saturating_sub(1)),
        })
}

/// What the info of a segment is read from.
struct Ends {
    head: Vec<u8>,
    last: Vec<u8>,
    bytes: u64,
    archive_bytes: Option<u64>,
}

fn ends(directory: &Directory, index: u64) -> Result<Option<Ends>, JournalError> {
    let storage = directory.storage();
    let path = directory.segment_path(index);
    let fail = |source| JournalError::io("read", &path, source);
    let file = match again(|| storage.open(&path, Access::Read)) {
        Ok(file) => file,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
            return archive_ends(directory, index);
        }
        Err(source) => return Err(fail(source)),
    };
    let bytes = again(|| file.length()).map_err(fail)?;
    let mut head = vec![0; SEGMENT_HEADER_BYTES.min(bytes as usize)];
    read_up_to(&*file, &mut head, 0).map_err(fail)?;
    let mut last = vec![0; FRAME_HEADER_BYTES];
    if let Some(offset) = bytes.checked_sub(FRAME_HEADER_BYTES as u64) {
        read_up_to(&*file, &mut last, offset).map_err(fail)?;
    }
    Ok(Some(Ends {
        head,
        last,
        bytes,
        archive_bytes: None,
    }))
}

fn archive_ends(directory: &Directory, index: u64) -> Result<Option<Ends>, JournalError> {
    let path = directory.archive_path(index);
    let fail = |source| JournalError::io("read", &path, source);
    let file = match again(|| directory.storage().open(&path, Access::Read)) {
        Ok(file) => file,
        // Prepared in vain and removed since it was listed.
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(fail(source)),
    };
    let mut packed = [0; PREFACE_BYTES];
    let count = read_up_to(&*file, &mut packed, 0).map_err(fail)?;
    let preface = Preface::read(&packed[..count])
        .ok_or_else(|| JournalError::damaged(index, 0, 0, Damage::Archive))?;
    Ok(Some(Ends {
        head: preface.header.to_vec(),
        last: preface.last.to_vec(),
        bytes: preface.plain_bytes.get(),
        archive_bytes: Some(again(|| file.length()).map_err(fail)?),
    }))
}

fn segment_info(directory: &Directory, index: u64) -> Result<Option<SegmentInfo>, JournalError> {
    let Some(ends) = ends(directory, index)? else {
        return Ok(None);
    };
    match SegmentHeader::judge(&ends.head) {
        HeaderVerdict::Unused => Ok(None),
        HeaderVerdict::Broken => Err(JournalError::damaged(index, 0, 0, Damage::Header)),
        HeaderVerdict::OtherVersion(found) => Err(JournalError::UnsupportedVersion {
            segment: index,
            found,
            supported: crate::bounds::FORMAT_VERSION,
        }),
        HeaderVerdict::Valid(header) => Ok(Some(SegmentInfo {
            index,
            first_sequence: header.first_sequence.get(),
            run_id: header.run_id.get(),
            created_ns: header.created_ns.get(),
            file_bytes: ends.bytes,
            archive_bytes: ends.archive_bytes,
            is_sealed: is_seal(&ends.last),
        })),
    }
}

/// A sealed segment ends exactly behind its SEAL.
fn is_seal(last: &[u8]) -> bool {
    let header = FrameHeader::of(last);
    header.frame_bytes.get() as usize == FRAME_HEADER_BYTES
        && header.is_well_formed()
        && header.kind.get() == ControlKind::Seal as u16
}
