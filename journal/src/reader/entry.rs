//! Looking at a segment file and finding whether it is in use.

use std::{fs::File, os::unix::fs::FileExt};

use crate::{
    bounds::{FIRST_SEQUENCE, FORMAT_VERSION, SEGMENT_BYTES_MAX, SEGMENT_HEADER_BYTES},
    directory::Directory,
    error::{Damage, JournalError},
    layout::{HeaderVerdict, SegmentHeader},
    mapping::ReadableMapping,
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
    let path = directory.segment_path(index);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(JournalError::io("open", &path, source)),
    };
    let fail = |action, source| JournalError::io(action, &path, source);
    // The word before the length: a file in use has its final length, one that is being prepared still grows. And a file that
    // is not in use is not worth a mapping: followers ask often.
    let mut head = [0; SEGMENT_HEADER_BYTES];
    let count = file
        .read_at(&mut head, 0)
        .map_err(|source| fail("read", source))?;
    if count < head.len() {
        let is_unused = used_bytes(&head) == 0;
        return Ok((!is_unused).then_some(Entry::Broken(Damage::Header)));
    }
    if head[..8] == [0; 8] {
        return Ok(None);
    }
    let bytes = file
        .metadata()
        .map_err(|source| fail("look at", source))?
        .len();
    let mapped_bytes = bytes.min(SEGMENT_BYTES_MAX) as usize;
    let mapping =
        ReadableMapping::new(&file, mapped_bytes).map_err(|source| fail("map", source))?;
    // Through the mapping, whose first word orders what is behind it.
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
