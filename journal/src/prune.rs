//! Retention: taking away the oldest segments.
//!
//! Invariant: what is taken away is covered by a snapshot that is good, so recovery and replay have a place to begin; and the
//! base says, before anything goes, where the journal begins and what the rest hashed to.

use crate::{
    base::Base,
    directory::Directory,
    error::JournalError,
    hash::{Cutter, HashChain},
    place::Place,
    reader::{Advance, Reader},
    sabotage::{Bug, is_planted},
    snapshot::Snapshots,
    verify::{self, SegmentInfo},
};

/// How much of a journal stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The newest segments.
    Segments(u64),
    /// The newest segments that together take at most this many bytes on disk, and at least one.
    Bytes(u64),
}

/// What pruning came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Segments taken away.
    pub segments: u64,
    /// Bytes on disk given back.
    pub bytes: u64,
    /// First sequence that is still there.
    pub first_sequence: u64,
}

/// Takes away the oldest segments, as far as the newest good snapshot behind a durable frame covers them. The journal may be in use.
///
/// # Errors
/// When a segment that would go is damaged, or a file cannot be written or removed.
pub fn prune(place: impl Into<Place>, keep: Keep) -> Result<Pruned, JournalError> {
    let directory = Directory::new(place.into());
    directory.expect_journal()?;
    remove_before_base(&directory)?;
    let segments = verify::info_of(&directory)?.segments;
    let wanted = segments.len().saturating_sub(kept_count(&segments, keep)) as u64;
    let durable = attested_sequence(&directory, &segments)?;
    let (found, _) = Snapshots::of(directory.clone()).newest_good(durable)?;
    let covered = found.map_or(0, |(snapshot, _)| snapshot.sequence);
    let mut pruned = Pruned::default();
    let mut count = 0;
    for pair in segments.windows(2) {
        // The segment with the snapshot's frame stays: without that frame nothing shows that the snapshot belongs here.
        if count == wanted || pair[1].first_sequence > covered {
            break;
        }
        pruned.segments += 1;
        pruned.bytes += disk_bytes(&pair[0]);
        count += 1;
    }
    let first = segments.get(count as usize);
    pruned.first_sequence = first.map_or(0, |segment| segment.first_sequence);
    if let (1.., Some(first)) = (count, first) {
        let base = base_at(&directory, first)?;
        if is_planted(Bug::BaseAfterRemoval) {
            for segment in &segments[..count as usize] {
                if directory
                    .storage()
                    .exists(&directory.segment_path(segment.index))
                {
                    directory.remove(&directory.segment_path(segment.index))?;
                }
            }
        }
        base.write(&directory)?;
        remove_before_base(&directory)?;
    }
    Ok(pruned)
}

/// Highest sequence that the journal itself says is durable. A snapshot behind a frame that a death of the machine may still take
/// covers nothing.
fn attested_sequence(directory: &Directory, segments: &[SegmentInfo]) -> Result<u64, JournalError> {
    // The last segment may have no frame yet.
    let Some(from) = segments.get(segments.len().saturating_sub(2)) else {
        return Ok(0);
    };
    let mut reader = Reader::starting_at(directory.clone(), from.index)?;
    while !matches!(reader.advance()?, Advance::Nothing) {}
    Ok(reader.durable_sequence())
}

fn disk_bytes(segment: &SegmentInfo) -> u64 {
    segment.archive_bytes.unwrap_or(segment.file_bytes)
}

/// How many of the newest segments stay; one at least.
fn kept_count(segments: &[SegmentInfo], keep: Keep) -> usize {
    match keep {
        Keep::Segments(count) => count.max(1) as usize,
        Keep::Bytes(bytes_max) => {
            let mut bytes = 0u64;
            let fits = segments.iter().rev().take_while(|segment| {
                bytes = bytes.saturating_add(disk_bytes(segment));
                bytes <= bytes_max
            });
            fits.count().max(1)
        }
    }
}

/// The base of a journal that begins with this segment: all before it is read, checked and hashed once more.
fn base_at(directory: &Directory, first: &SegmentInfo) -> Result<Base, JournalError> {
    let mut reader = Reader::over(directory.clone())?;
    let mut chain = HashChain::begin(directory)?;
    let mut cutter = Cutter::default();
    loop {
        let piece = match reader.advance()? {
            Advance::Segment => cutter.enter(&reader),
            Advance::Nothing => break,
            Advance::Control | Advance::Data => cutter.take(&reader),
        };
        if let Some(piece) = piece {
            chain.add(&piece);
        }
        if let Some(header) = reader.header()
            && header.segment_index.get() == first.index
        {
            return Ok(Base {
                segment: first.index,
                first_sequence: first.first_sequence,
                chain: header.chain.get(),
                hash: chain.before(),
            });
        }
    }
    Err(JournalError::Prune {
        until: first.first_sequence.saturating_sub(1),
        cause: "the segment to begin with could not be reached",
    })
}

/// Removes what the base says is gone: all of a pruning that did not come to its end, too. First ones first, so that what is
/// left has no gap.
pub(crate) fn remove_before_base(directory: &Directory) -> Result<(), JournalError> {
    let Some(base) = Base::read(directory)? else {
        return Ok(());
    };
    let mut has_removed = false;
    for index in directory.segments()? {
        if index >= base.segment {
            break;
        }
        for path in [directory.segment_path(index), directory.archive_path(index)] {
            if directory.storage().exists(&path) {
                directory.remove(&path)?;
                has_removed = true;
            }
        }
    }
    if has_removed {
        directory.sync_inner(directory.path())?;
    }
    Ok(())
}
