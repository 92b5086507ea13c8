//! Whole reads and writes over calls that may do a part or be interrupted.
//!
//! Invariant: an interrupted call and a short count are continued; every other error ends the operation.

use std::{io, path::Path};

use super::{Access, Storage, StoredFile};

/// Repeats a call for as long as it is interrupted.
pub(crate) fn again<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            answer => return answer,
        }
    }
}

/// Fills `bytes` from `offset` on as far as the file goes and says how far that was.
pub(crate) fn read_up_to(
    file: &dyn StoredFile,
    bytes: &mut [u8],
    offset: u64,
) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        let rest = &mut bytes[filled..];
        match again(|| file.read_at(rest, offset + filled as u64))? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

/// Everything of a file from `offset` on. A file that becomes shorter meanwhile ends earlier.
pub(crate) fn read_file(storage: &dyn Storage, path: &Path, offset: u64) -> io::Result<Vec<u8>> {
    let file = again(|| storage.open(path, Access::Read))?;
    let length = again(|| file.length())?;
    let mut bytes = vec![0; length.saturating_sub(offset) as usize];
    let filled = read_up_to(&*file, &mut bytes, offset)?;
    bytes.truncate(filled);
    Ok(bytes)
}

/// Writes all of `bytes` at `offset`.
pub(crate) fn write_fully(file: &dyn StoredFile, bytes: &[u8], offset: u64) -> io::Result<()> {
    let mut written = 0;
    while written < bytes.len() {
        let rest = &bytes[written..];
        match again(|| file.write_at(rest, offset + written as u64))? {
            0 => return Err(io::Error::from(io::ErrorKind::WriteZero)),
            count => written += count,
        }
    }
    Ok(())
}
