//! Archived segments: a finished segment compressed with zstd beside, then instead of, the plain file.
//!
//! Every reader takes either form. Invariant: the plain file is removed only when the archive's content was read back equal
//! and its name is durable; where both are there, the plain one counts.

use std::io::{self, Read};

use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
    little_endian::{U32, U64},
};

use crate::{
    bounds::{FRAME_HEADER_BYTES, SEGMENT_BYTES_MAX, SEGMENT_HEADER_BYTES},
    directory::Directory,
    error::{Damage, JournalError},
    place::Place,
    storage::Mapping,
    verify,
};

/// Compression level without another wish: a fifth to a third of the size at hundreds of megabytes a second.
pub const ARCHIVE_LEVEL_DEFAULT: i32 = 3;

/// What archiving came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Archived {
    /// Segments compressed now.
    pub segments: u64,
    /// Their bytes before.
    pub plain_bytes: u64,
    /// Their bytes after.
    pub packed_bytes: u64,
    /// Segments that were archived before.
    pub before: u64,
}

/// The first bytes of an archive: a skippable zstd frame with what `info` tells of a segment, so that it need not unpack it. Every
/// zstd program passes over it.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Preface {
    magic: U32,
    bytes: U32,
    /// The segment's header.
    pub(crate) header: [u8; SEGMENT_HEADER_BYTES],
    /// The last bytes of the file: its end frame, if it has one.
    pub(crate) last: [u8; FRAME_HEADER_BYTES],
    /// Length of the plain file.
    pub(crate) plain_bytes: U64,
}

/// Bytes of a preface.
pub(crate) const PREFACE_BYTES: usize = size_of::<Preface>();
/// Bytes that a preface takes before its content.
const PREFACE_FRAME_BYTES: usize = 8;
/// The first of the magic numbers that zstd skips.
const SKIPPABLE_MAGIC: u32 = 0x184d_2a50;
/// How many times smaller a content is expected to be at most; a smaller one is unpacked into memory that grows.
const PACKED_RATIO_EXPECTED: usize = 16;
const _: () = assert!(PREFACE_BYTES == 184);

impl Preface {
    fn of(plain: &[u8]) -> Option<Self> {
        Some(Self {
            magic: U32::new(SKIPPABLE_MAGIC),
            bytes: U32::new((PREFACE_BYTES - PREFACE_FRAME_BYTES) as u32),
            header: *plain.first_chunk()?,
            last: *plain.last_chunk()?,
            plain_bytes: U64::new(plain.len() as u64),
        })
    }

    /// The preface in front of an archive's bytes.
    pub(crate) fn read(packed: &[u8]) -> Option<Self> {
        let (preface, _) = Self::read_from_prefix(packed).ok()?;
        let is_one = preface.magic.get() == SKIPPABLE_MAGIC
            && preface.bytes.get() as usize == PREFACE_BYTES - PREFACE_FRAME_BYTES
            && preface.plain_bytes.get() <= SEGMENT_BYTES_MAX;
        is_one.then_some(preface)
    }
}

/// A segment's bytes from its archive. `index` is for the error.
pub(crate) fn unpack(
    path: &std::path::Path,
    index: u64,
    packed: &[u8],
) -> Result<Vec<u8>, JournalError> {
    let damaged = || JournalError::damaged(index, 0, 0, Damage::Archive);
    let preface = Preface::read(packed).ok_or_else(damaged)?;
    match inflate(&packed[PREFACE_BYTES..], preface.plain_bytes.get()) {
        Ok(plain) if Preface::of(&plain).is_some_and(|of| of.as_bytes() == preface.as_bytes()) => {
            Ok(plain)
        }
        Err(source) if source.kind() == io::ErrorKind::OutOfMemory => {
            Err(JournalError::io("unpack", path, source))
        }
        _ => Err(damaged()),
    }
}

/// At most `bytes` bytes of a compressed content, and one more where there are more. Memory follows what comes out, not what the
/// file says of itself: a damaged one may name any length.
fn inflate(content: &[u8], bytes: u64) -> io::Result<Vec<u8>> {
    let expected = content.len().saturating_mul(PACKED_RATIO_EXPECTED) as u64;
    let mut plain = Vec::with_capacity(bytes.min(expected) as usize);
    let decoder = zstd::stream::read::Decoder::with_buffer(content)?;
    decoder.take(bytes + 1).read_to_end(&mut plain)?;
    Ok(plain)
}

fn pack(plain: &[u8], level: i32) -> io::Result<Vec<u8>> {
    let preface =
        Preface::of(plain).ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
    let mut compressor = zstd::bulk::Compressor::new(level)?;
    compressor.include_checksum(true)?;
    let mut packed = preface.as_bytes().to_vec();
    packed.extend(compressor.compress(plain)?);
    Ok(packed)
}

/// Compresses every finished segment but the last `keep` ones. A segment is finished when a later one is in use, so the one
/// that a writer is in is never touched, and the journal may be in use. `progress` gets segments done and in all.
///
/// # Errors
/// When a segment is damaged (nothing is archived that does not verify), or a file cannot be written.
pub fn archive(
    place: impl Into<Place>,
    keep: u64,
    level: i32,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Archived, JournalError> {
    let directory = Directory::new(place.into());
    directory.expect_journal()?;
    let finished = finished_segments(&directory)?;
    let wanted = finished.len().saturating_sub(keep as usize);
    let mut found = Archived::default();
    for (done, index) in finished[..wanted].iter().enumerate() {
        progress(done as u64, wanted as u64);
        if directory.storage().exists(&directory.segment_path(*index)) {
            archive_one(&directory, *index, level, &mut found)?;
        } else {
            found.before += 1;
        }
    }
    progress(wanted as u64, wanted as u64);
    Ok(found)
}

/// Indices of the segments behind which another one is in use, from the base on.
fn finished_segments(directory: &Directory) -> Result<Vec<u64>, JournalError> {
    let info = verify::info_of(directory)?;
    let mut indices: Vec<u64> = info.segments.iter().map(|segment| segment.index).collect();
    indices.pop();
    Ok(indices)
}

fn archive_one(
    directory: &Directory,
    index: u64,
    level: i32,
    found: &mut Archived,
) -> Result<(), JournalError> {
    let plain_path = directory.segment_path(index);
    let packed_path = directory.archive_path(index);
    let plain = directory.read_segment(index, 0)?;
    verify::verify_segment(directory, index)?;
    let packed =
        pack(&plain, level).map_err(|source| JournalError::io("compress", &plain_path, source))?;
    directory.replace(&packed_path, &packed)?;
    let read_back = crate::storage::read_file(directory.storage(), &packed_path, 0)
        .map_err(|source| JournalError::io("read", &packed_path, source))?;
    if unpack(&packed_path, index, &read_back)? != plain {
        return Err(JournalError::damaged(index, 0, 0, Damage::Archive));
    }
    directory.remove(&plain_path)?;
    directory.sync_inner(directory.path())?;
    found.segments += 1;
    found.plain_bytes += plain.len() as u64;
    found.packed_bytes += packed.len() as u64;
    Ok(())
}

/// Unpacked bytes in the place of a mapping.
#[derive(Debug)]
pub(crate) struct Unpacked {
    /// Whole words, so that the first byte is aligned for the words that are read as such.
    words: Vec<u64>,
    length: usize,
}

impl Unpacked {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let words = bytes.chunks(8).map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_ne_bytes(word)
        });
        Self {
            words: words.collect(),
            length: bytes.len(),
        }
    }
}

// SAFETY: the vector is never touched again, so its address stays; `length` bytes lie inside it; it is read only, and
// aligned for 8-byte words, which is all that a reader asks of an address (there is no writing access).
unsafe impl Mapping for Unpacked {
    fn base(&self) -> *mut u8 {
        self.words.as_ptr().cast::<u8>().cast_mut()
    }

    fn length(&self) -> usize {
        self.length
    }

    fn populate_for_writing(&self, _from: usize, _to: usize) {}

    fn sync(&self, _from: usize, _to: usize) -> io::Result<()> {
        Ok(())
    }
}

const _: () = assert!(SEGMENT_HEADER_BYTES.is_multiple_of(8));
