//! Looking at a segment file and finding whether it is in use.

use std::sync::Arc;

use crate::{
    archive::Unpacked,
    bounds::{FIRST_SEQUENCE, FORMAT_VERSION, SEGMENT_BYTES_MAX, SEGMENT_HEADER_BYTES},
    directory::{Directory, SegmentFile},
    error::{Damage, JournalError},
    layout::{HeaderVerdict, SegmentHeader},
    mapping::ReadableMapping,
    storage::{Access, StoredFile, again, read_up_to},
    tail::used_bytes,
};

/// A segment in use.
pub(super) struct Open {
    pub(super) index: u64,
    pub(super) header: SegmentHeader,
    pub(super) mapping: ReadableMapping,
}

/// A segment that is in use.
pub(super) enum Entry {
    Usable(Box<Open>),
    Broken(Damage),
}

/// Whether a journal may begin with this segment: at the very start, or where older segments were taken away.
pub(super) fn begins(header: &SegmentHeader) -> bool {
    let first_sequence = header.first_sequence.get();
    if header.segment_index.get() > 0 {
        return first_sequence >= FIRST_SEQUENCE;
    }
    first_sequence == FIRST_SEQUENCE && header.chain.get() == 0
}

/// Looks at a segment: `None` if it is absent or not in use.
pub(super) fn look_at(directory: &Directory, index: u64) -> Result<Option<Entry>, JournalError> {
    match directory.open_segment(index)? {
        None => Ok(None),
        Some(SegmentFile::Plain(file)) => look_at_file(directory, index, &*file),
        Some(SegmentFile::Archived(bytes)) => {
            let length = bytes.len() as u64;
            let mapping = ReadableMapping::over(Arc::new(Unpacked::of(&bytes)));
            judge(index, length, mapping)
        }
    }
}

fn look_at_file(
    directory: &Directory,
    index: u64,
    file: &dyn StoredFile,
) -> Result<Option<Entry>, JournalError> {
    let path = directory.segment_path(index);
    let fail = |action, source| JournalError::io(action, &path, source);
    // The word before the length: a file in use has its final length, one that is being prepared still grows. And a file that
    // is not in use is not worth a mapping: followers ask often.
    let mut head = [0; SEGMENT_HEADER_BYTES];
    let count = read_up_to(file, &mut head, 0).map_err(|source| fail("read", source))?;
    if count < head.len() {
        let is_unused = used_bytes(&head) == 0;
        return Ok((!is_unused).then_some(Entry::Broken(Damage::Header)));
    }
    if head[..8] == [0; 8] {
        return Ok(None);
    }
    let bytes = again(|| file.length()).map_err(|source| fail("look at", source))?;
    let mapped_bytes = bytes.min(SEGMENT_BYTES_MAX) as usize;
    let mapping =
        again(|| file.map(mapped_bytes, Access::Read)).map_err(|source| fail("map", source))?;
    judge(index, bytes, ReadableMapping::over(mapping))
}

/// Judges a header through the mapping, whose first word orders what is behind it.
fn judge(index: u64, bytes: u64, mapping: ReadableMapping) -> Result<Option<Entry>, JournalError> {
    let Some(header_bytes) = mapping.header_bytes() else {
        return Ok(None);
    };
    match SegmentHeader::judge(header_bytes) {
        HeaderVerdict::Unused => Ok(None),
        HeaderVerdict::Broken => Ok(Some(Entry::Broken(Damage::Header))),
        HeaderVerdict::OtherVersion(found) => Err(JournalError::UnsupportedVersion {
            segment: index,
            found,
            supported: FORMAT_VERSION,
        }),
        HeaderVerdict::Valid(header)
            if header.segment_index.get() != index || header.segment_bytes.get() < bytes =>
        {
            Ok(Some(Entry::Broken(Damage::Misplaced)))
        }
        HeaderVerdict::Valid(header) => Ok(Some(Entry::Usable(Box::new(Open {
            index,
            header,
            mapping,
        })))),
    }
}
