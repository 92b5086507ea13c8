//! The base of a journal whose oldest segments were pruned: where it begins now, and what the pruned part hashed to.
//!
//! Invariant: it is written, and durable, before the first segment is removed. So segments may be there that it says are
//! gone, never the other way round.

use std::mem::size_of;

use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
    little_endian::{U32, U64},
};

use crate::{
    checksum::header_crc,
    directory::Directory,
    error::{Damage, JournalError},
    layout::SegmentHeader,
    storage::read_file,
};

const MAGIC: [u8; 8] = *b"ACTHBASE";
/// Version of this record.
const BASE_VERSION: u32 = 1;

/// Where a journal begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    /// Index of the first segment that is kept.
    pub(crate) segment: u64,
    /// Its first sequence.
    pub(crate) first_sequence: u64,
    /// Its chain.
    pub(crate) chain: u32,
    /// Hash of all segments before it.
    pub(crate) hash: [u8; 32],
}

/// Its record on disk, 80 bytes.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct BaseRecord {
    magic: [u8; 8],
    version: U32,
    chain: U32,
    segment: U64,
    first_sequence: U64,
    hash: [u8; 32],
    reserved: [u8; 12],
    crc: U32,
}

const _: () = assert!(size_of::<BaseRecord>() == 80);

impl Base {
    /// The base of a journal; `None` if nothing was ever pruned.
    pub(crate) fn read(directory: &Directory) -> Result<Option<Self>, JournalError> {
        let path = directory.base_path();
        if !directory.storage().exists(&path) {
            return Ok(None);
        }
        let bytes = read_file(directory.storage(), &path, 0)
            .map_err(|source| JournalError::io("read", &path, source))?;
        let damaged = JournalError::damaged(0, 0, 0, Damage::Base);
        let Ok(record) = BaseRecord::read_from_bytes(&bytes) else {
            return Err(damaged);
        };
        let crc = header_crc(&bytes[..size_of::<BaseRecord>() - size_of::<u32>()]);
        let is_whole = record.magic == MAGIC
            && record.version.get() == BASE_VERSION
            && record.reserved == [0; 12]
            && record.crc.get() == crc;
        if !is_whole {
            return Err(damaged);
        }
        Ok(Some(Self {
            segment: record.segment.get(),
            first_sequence: record.first_sequence.get(),
            chain: record.chain.get(),
            hash: record.hash,
        }))
    }

    /// Writes it in the place of the one before.
    pub(crate) fn write(&self, directory: &Directory) -> Result<(), JournalError> {
        let mut record = BaseRecord {
            magic: MAGIC,
            version: U32::new(BASE_VERSION),
            chain: U32::new(self.chain),
            segment: U64::new(self.segment),
            first_sequence: U64::new(self.first_sequence),
            hash: self.hash,
            reserved: [0; 12],
            crc: U32::new(0),
        };
        let covered = size_of::<BaseRecord>() - size_of::<u32>();
        record.crc = U32::new(header_crc(&record.as_bytes()[..covered]));
        directory.replace(&directory.base_path(), record.as_bytes())
    }

    /// Whether this is the header of the segment that it names.
    pub(crate) fn fits(&self, header: &SegmentHeader) -> bool {
        header.segment_index.get() == self.segment
            && header.first_sequence.get() == self.first_sequence
            && header.chain.get() == self.chain
    }
}
