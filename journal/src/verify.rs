//! Verification of a whole journal, and cheap facts about it.

use std::{fs::File, os::unix::fs::FileExt, path::Path};

use sha2::{Digest, Sha256};
use zerocopy::IntoBytes;

use crate::{
    bounds::{FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES},
    directory::Directory,
    error::JournalError,
    layout::{ControlKind, FrameHeader, HeaderVerdict, SegmentHeader},
    reader::{Advance, Reader},
    tail::Tail,
};

/// Progress is told about this often.
const PROGRESS_STEP_BYTES: u64 = 1 << 20;

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
    /// SHA-256 over all bytes of segment headers and frames in order.
    pub head_hash: [u8; 32],
    /// How the journal ends.
    pub tail: Tail,
}

/// Checks every byte of a journal and hashes it. `progress` gets bytes done and bytes in all (the latter an upper bound: files
/// may hold unused room).
///
/// # Errors
/// `Damaged`, `UnsupportedVersion`, or when it cannot be read. A torn tail is no error: see `Verification::tail`.
pub fn verify(
    dir: impl AsRef<Path>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verification, JournalError> {
    let total_bytes = info(&dir)?
        .segments
        .iter()
        .map(|segment| segment.file_bytes)
        .sum();
    let mut reader = Reader::open(dir)?;
    let mut hasher = Sha256::new();
    let mut found = Verification {
        frames: 0,
        segments: 0,
        runs: 0,
        bytes: 0,
        first_sequence: 0,
        last_sequence: 0,
        head_hash: [0; 32],
        tail: Tail::Open,
    };
    let mut run_id = 0;
    let mut told_bytes = 0;
    loop {
        match reader.advance()? {
            Advance::Segment => {
                found.segments += 1;
                found.runs += u64::from(reader.run_id() != run_id);
                run_id = reader.run_id();
                if let Some(header) = reader.header() {
                    hasher.update(header.as_bytes());
                    found.bytes += SEGMENT_HEADER_BYTES as u64;
                }
            }
            Advance::Control(published) => {
                hasher.update(reader.bytes(published));
                found.bytes += reader.bytes(published).len() as u64;
            }
            Advance::Data(published) => {
                let bytes = reader.bytes(published);
                hasher.update(bytes);
                found.bytes += bytes.len() as u64;
                found.frames += 1;
                found.last_sequence = FrameHeader::of(bytes).sequence.get();
                if found.frames == 1 {
                    found.first_sequence = found.last_sequence;
                }
            }
            Advance::Nothing => break,
        }
        if found.bytes - told_bytes >= PROGRESS_STEP_BYTES {
            told_bytes = found.bytes;
            progress(found.bytes, total_bytes);
        }
    }
    progress(total_bytes, total_bytes);
    found.head_hash = hasher.finalize().into();
    found.tail = reader.tail();
    Ok(found)
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
    /// Length of the file.
    pub file_bytes: u64,
    /// Whether the journal was closed in good order with this segment.
    pub is_sealed: bool,
}

/// Reads the segment headers of a journal.
///
/// # Errors
/// When there is no journal, a header is damaged, or of another version.
pub fn info(dir: impl AsRef<Path>) -> Result<JournalInfo, JournalError> {
    let directory = Directory::new(dir.as_ref());
    if !directory.is_journal()? {
        return Err(JournalError::NotFound {
            dir: dir.as_ref().to_path_buf(),
        });
    }
    let mut segments = Vec::new();
    for index in directory.segments()? {
        segments.extend(segment_info(&directory, index)?);
    }
    Ok(JournalInfo { segments })
}

fn segment_info(directory: &Directory, index: u64) -> Result<Option<SegmentInfo>, JournalError> {
    let path = directory.segment_path(index);
    let fail = |source| JournalError::io("read", &path, source);
    let file = match File::open(&path) {
        Ok(file) => file,
        // Prepared in vain and removed since it was listed.
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(fail(source)),
    };
    let file_bytes = file.metadata().map_err(fail)?.len();
    let mut head = vec![0; SEGMENT_HEADER_BYTES.min(file_bytes as usize)];
    file.read_exact_at(&mut head, 0).map_err(fail)?;
    match SegmentHeader::judge(&head) {
        HeaderVerdict::Unused => Ok(None),
        HeaderVerdict::Broken => Err(JournalError::damaged(index, 0, 0, crate::Damage::Header)),
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
            file_bytes,
            is_sealed: ends_with_seal(&file, file_bytes).map_err(fail)?,
        })),
    }
}

/// A sealed segment ends exactly behind its SEAL.
fn ends_with_seal(file: &File, file_bytes: u64) -> std::io::Result<bool> {
    let frame_bytes = FRAME_HEADER_BYTES as u64;
    if file_bytes < SEGMENT_HEADER_BYTES as u64 + frame_bytes {
        return Ok(false);
    }
    let mut last = [0; FRAME_HEADER_BYTES];
    file.read_exact_at(&mut last, file_bytes - frame_bytes)?;
    let header = FrameHeader::of(&last);
    Ok(u64::from(header.frame_bytes.get()) == frame_bytes
        && header.is_well_formed()
        && header.kind.get() == ControlKind::Seal as u16)
}
