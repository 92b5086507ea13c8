//! Snapshots: the whole state of a machine behind a frame, in a file of its own that says which journal and which place it
//! belongs to.
//!
//! The journal knows nothing of the content. Invariant: a snapshot's file appears whole or not at all, and it is used only
//! when its own hash holds and the frame it stands behind has the checksum that it names: that checksum stands for the
//! whole history before it.

use std::{mem::size_of, path::PathBuf};

use sha2::{Digest, Sha256};
use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
    little_endian::{I64, U32, U64},
};

use crate::{
    checksum::header_crc,
    directory::Directory,
    error::JournalError,
    place::Place,
    reader::Reader,
    sabotage::{Bug, is_planted},
    storage::read_file,
};

const MAGIC: [u8; 8] = *b"ACTHSNAP";
/// Version of the snapshot's file, not of what is in it.
pub const SNAPSHOT_VERSION: u32 = 1;
const SUFFIX: &str = ".snap";
const SEQUENCE_DIGITS: usize = 20;
/// Largest content.
pub const SNAPSHOT_BYTES_MAX: u64 = 1 << 32;

/// The first 128 bytes of a snapshot's file.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct SnapshotHeader {
    magic: [u8; 8],
    version: U32,
    /// Stored checksum of the frame that the state is behind.
    chain: U32,
    sequence: U64,
    run_id: U64,
    created_ns: I64,
    content_bytes: U64,
    state_hash: U64,
    content_sha256: [u8; 32],
    reserved: [u8; 36],
    crc: U32,
}

const HEADER_BYTES: usize = size_of::<SnapshotHeader>();
const _: () = assert!(HEADER_BYTES == 128);
const CRC_OFFSET: usize = HEADER_BYTES - size_of::<u32>();

/// A state and the place it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Last sequence that the state has taken in; 0 = none.
    pub sequence: u64,
    /// Stored checksum of that frame (`Reader::chain`).
    pub chain: u32,
    /// The run that wrote that frame.
    pub run_id: u64,
    /// When it was made, by the wall clock; for information.
    pub created_ns: i64,
    /// The machine's own hash of the state.
    pub state_hash: u64,
    /// The state, in the machine's own encoding.
    pub content: Vec<u8>,
}

/// The snapshots of one journal.
#[derive(Clone, Debug)]
pub struct Snapshots {
    directory: Directory,
}

/// A snapshot that was passed over, and why.
#[derive(Debug)]
pub struct Rejected {
    /// Its sequence.
    pub sequence: u64,
    /// Why it was not used.
    pub error: JournalError,
}

impl Snapshots {
    /// Of the journal in this directory.
    pub fn of(place: impl Into<Place>) -> Self {
        Self {
            directory: Directory::new(place.into()),
        }
    }

    /// Keeps a snapshot; content and name are durable when this returns. One of the same sequence is replaced.
    ///
    /// # Errors
    /// When the content is too large or the file cannot be written.
    pub fn write(&self, snapshot: &Snapshot) -> Result<PathBuf, JournalError> {
        let path = self.path(snapshot.sequence);
        if snapshot.content.len() as u64 > SNAPSHOT_BYTES_MAX {
            let cause = "its content is larger than 4 GiB";
            return Err(JournalError::Snapshot { path, cause });
        }
        self.directory
            .make_inner(&self.directory.snapshots_path())?;
        if is_planted(Bug::SnapshotNotAtomic) {
            if self.directory.storage().exists(&path) {
                self.directory.remove(&path)?;
            }
            self.directory.write_new(&path, &encode(snapshot))?;
            self.directory
                .sync_inner(&self.directory.snapshots_path())?;
            return Ok(path);
        }
        self.directory.replace(&path, &encode(snapshot))?;
        Ok(path)
    }

    /// Sequences of all snapshots, rising.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn sequences(&self) -> Result<Vec<u64>, JournalError> {
        let names = self.directory.names(&self.directory.snapshots_path())?;
        let mut sequences: Vec<u64> = names.iter().filter_map(|name| sequence_of(name)).collect();
        sequences.sort_unstable();
        Ok(sequences)
    }

    /// Reads a snapshot and checks its own hashes.
    ///
    /// # Errors
    /// When it is damaged, of another version, or cannot be read.
    pub fn read(&self, sequence: u64) -> Result<Snapshot, JournalError> {
        let path = self.path(sequence);
        let bytes = read_file(self.directory.storage(), &path, 0)
            .map_err(|source| JournalError::io("read", &path, source))?;
        match decode(&bytes) {
            Ok(snapshot) if snapshot.sequence == sequence => Ok(snapshot),
            Ok(_) => Err(JournalError::Snapshot {
                path,
                cause: "its name says another sequence than its header",
            }),
            Err(cause) => Err(JournalError::Snapshot { path, cause }),
        }
    }

    /// The newest snapshot that is whole and belongs to the journal as it is, at or before `until`, with a reader right behind its
    /// place; and those that were passed over, newest first.
    ///
    /// # Errors
    /// When the journal itself is damaged or cannot be read: a damaged snapshot is passed over, a damaged journal is not.
    pub fn newest_good(&self, until: u64) -> Result<Found, JournalError> {
        let mut rejected = Vec::new();
        for sequence in self.sequences()?.into_iter().rev() {
            if sequence > until {
                continue;
            }
            match self.read(sequence).and_then(|found| self.place(found)) {
                Ok(found) => return Ok((Some(found), rejected)),
                Err(
                    error @ (JournalError::Snapshot { .. } | JournalError::NoSuchSequence { .. }),
                ) => rejected.push(Rejected { sequence, error }),
                Err(error) => return Err(error),
            }
        }
        Ok((None, rejected))
    }

    /// A reader behind the snapshot's frame, if that frame is the one it was made behind.
    fn place(&self, snapshot: Snapshot) -> Result<(Snapshot, Reader), JournalError> {
        let reader = Reader::open_behind(self.directory.clone(), snapshot.sequence)?;
        let is_same = reader.chain() == snapshot.chain && reader.run_id() == snapshot.run_id;
        if is_same || is_planted(Bug::SnapshotOfOtherHistory) {
            return Ok((snapshot, reader));
        }
        Err(JournalError::Snapshot {
            path: self.path(snapshot.sequence),
            cause: "it was made behind another frame than the journal has there",
        })
    }

    /// Removes all but the newest `keep`; returns how many went.
    ///
    /// # Errors
    /// When one cannot be removed.
    pub fn prune(&self, keep: usize) -> Result<usize, JournalError> {
        let sequences = self.sequences()?;
        let old = sequences.len().saturating_sub(keep);
        for sequence in &sequences[..old] {
            self.directory.remove(&self.path(*sequence))?;
        }
        Ok(old)
    }

    /// Its file.
    pub fn path(&self, sequence: u64) -> PathBuf {
        let name = format!("{sequence:0SEQUENCE_DIGITS$}{SUFFIX}");
        self.directory.snapshots_path().join(name)
    }
}

/// The newest good snapshot with a reader behind it, and those that were passed over.
pub type Found = (Option<(Snapshot, Reader)>, Vec<Rejected>);

fn sequence_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    let is_sequence =
        digits.len() == SEQUENCE_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_sequence {
        digits.parse().ok()
    } else {
        None
    }
}

fn encode(snapshot: &Snapshot) -> Vec<u8> {
    let mut header = SnapshotHeader {
        magic: MAGIC,
        version: U32::new(SNAPSHOT_VERSION),
        chain: U32::new(snapshot.chain),
        sequence: U64::new(snapshot.sequence),
        run_id: U64::new(snapshot.run_id),
        created_ns: I64::new(snapshot.created_ns),
        content_bytes: U64::new(snapshot.content.len() as u64),
        state_hash: U64::new(snapshot.state_hash),
        content_sha256: Sha256::digest(&snapshot.content).into(),
        reserved: [0; 36],
        crc: U32::new(0),
    };
    header.crc = U32::new(header_crc(&header.as_bytes()[..CRC_OFFSET]));
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(&snapshot.content);
    bytes
}

/// A snapshot from the bytes of its file: how `Snapshots::read` does it, for whoever has the bytes.
///
/// # Errors
/// What is wrong with them and what was expected.
pub fn decode(bytes: &[u8]) -> Result<Snapshot, &'static str> {
    let (header, content) = SnapshotHeader::read_from_prefix(bytes)
        .map_err(|_| "it is shorter than a snapshot's header of 128 bytes")?;
    if header.magic != MAGIC {
        return Err("it does not begin with ACTHSNAP");
    }
    if header.crc.get() != header_crc(&bytes[..CRC_OFFSET]) {
        return Err("its header fails its checksum");
    }
    if header.version.get() != SNAPSHOT_VERSION {
        return Err("it is of another version than 1: make a new one from the journal");
    }
    if header.reserved != [0; 36] {
        return Err("a reserved byte of its header is not zero");
    }
    if header.content_bytes.get() != content.len() as u64 {
        return Err("its content is not as long as its header says");
    }
    if Sha256::digest(content)[..] != header.content_sha256 {
        return Err("its content fails its checksum");
    }
    Ok(Snapshot {
        sequence: header.sequence.get(),
        chain: header.chain.get(),
        run_id: header.run_id.get(),
        created_ns: header.created_ns.get(),
        state_hash: header.state_hash.get(),
        content: content.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Snapshot {
        Snapshot {
            sequence: 7,
            chain: 9,
            run_id: 1,
            created_ns: 5,
            state_hash: 11,
            content: (0..=255).collect(),
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let bytes = encode(&sample());
        assert_eq!(decode(&bytes), Ok(sample()));
        for bit in 0..bytes.len() * 8 {
            let mut broken = bytes.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&broken).is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn only_twenty_digits_name_a_snapshot() {
        assert_eq!(sequence_of("00000000000000000012.snap"), Some(12));
        for name in [
            "12.snap",
            "00000000000000000012",
            "0000000000000000001a.snap",
        ] {
            assert_eq!(sequence_of(name), None, "{name}");
        }
    }
}
