//! The way back: a journal from the JSON lines of an export. Only `frame` of every line is read.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use acth_journal::{FIRST_SEQUENCE, JournalError, JournalOptions, PAYLOAD_BYTES_MAX, Writer};
use serde::Deserialize;

use crate::error::ExportError;

/// Longest line: a payload as digits and once more as the text of a column, every byte escaped, and the other columns.
const LINE_BYTES_MAX: u64 = 9 * PAYLOAD_BYTES_MAX as u64;

/// Lines between two words about the progress.
const PROGRESS_LINES: u64 = 4096;

/// What was imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Frames written.
    pub frames: u64,
    /// The last sequence; 0 if there is none.
    pub last_sequence: u64,
}

/// What is read of a line.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    frame: LineFrame<'a>,
}

#[derive(Deserialize)]
struct LineFrame<'a> {
    sequence: u64,
    kind: u16,
    time_ns: i64,
    cause: u64,
    payload: &'a str,
}

/// Makes the journal `journal` from a file of JSON lines; `progress` is told bytes done and in all. The new journal has one
/// run of the writer, whatever the exported one had.
///
/// # Errors
/// When a line is not what it should be, the sequences have a gap, or the journal cannot be written. No journal is left then.
pub fn import(
    file: &Path,
    journal: &Path,
    options: &JournalOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Imported, ExportError> {
    let opened = File::open(file).map_err(ExportError::io("open", file))?;
    let is_taken = fs::read_dir(journal).is_ok_and(|mut entries| entries.next().is_some());
    if is_taken {
        return Err(ExportError::Journal(JournalError::NotEmpty {
            dir: journal.to_owned(),
        }));
    }
    let path = draft_path(journal);
    let writer = Writer::create(&path, options)?;
    // From here on the directory is ours, and is removed again should anything fail.
    let mut draft = DraftJournal { path: Some(path) };
    let imported = fill(writer, opened, file, progress)?;
    draft.rename(journal)?;
    Ok(imported)
}

/// Appends every line and seals the journal.
fn fill(
    mut writer: Writer,
    opened: File,
    file: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Imported, ExportError> {
    let total = opened.metadata().map_or(0, |metadata| metadata.len());
    let mut reader = BufReader::new(opened);
    let (mut line, mut payload) = (Vec::new(), Vec::new());
    let (mut number, mut done) = (0, 0);
    loop {
        line.clear();
        let read = (&mut reader)
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)
            .map_err(ExportError::io("read", file))? as u64;
        if read == 0 {
            break;
        }
        number += 1;
        done += read;
        let refuse = |cause| ExportError::Line {
            file: file.to_owned(),
            line: number,
            cause,
        };
        if read == LINE_BYTES_MAX && line.last() != Some(&b'\n') {
            let cause = format!("expected at most {LINE_BYTES_MAX} bytes in a line");
            return Err(refuse(cause));
        }
        append(&mut writer, &line, &mut payload).map_err(refuse)?;
        if number.is_multiple_of(PROGRESS_LINES) {
            progress(done, total);
        }
    }
    progress(done, total);
    if number == 0 {
        return Err(ExportError::Line {
            file: file.to_owned(),
            line: 1,
            cause: String::from("expected a frame; the file is empty"),
        });
    }
    let sealed = writer.seal()?;
    Ok(Imported {
        frames: number,
        last_sequence: sealed.last_sequence,
    })
}

/// Appends the frame of one line, or says what is wrong with it.
fn append(writer: &mut Writer, line: &[u8], payload: &mut Vec<u8>) -> Result<(), String> {
    let Line { frame } = serde_json::from_slice(line).map_err(|error| {
        format!("expected a line of `acth journal export --format jsonl`: {error}")
    })?;
    let expected = writer.next_sequence();
    if frame.sequence != expected {
        let whence = if expected == FIRST_SEQUENCE {
            "a journal begins there, so export without --from"
        } else {
            "sequences have no gap"
        };
        let found = frame.sequence;
        return Err(format!(
            "expected sequence {expected}, found {found}: {whence}"
        ));
    }
    bytes_of(frame.payload, payload)?;
    let appended = writer.append(frame.kind, frame.time_ns, frame.cause, payload);
    appended.map(|_| ()).map_err(|error| error.to_string())
}

/// Reads hexadecimal digits.
fn bytes_of(digits: &str, bytes: &mut Vec<u8>) -> Result<(), String> {
    bytes.clear();
    let value = |digit: u8| char::from(digit).to_digit(16);
    for pair in digits.as_bytes().chunks(2) {
        let byte = match *pair {
            [high, low] => value(high).zip(value(low)),
            _ => None,
        };
        let Some((high, low)) = byte else {
            let found = String::from_utf8_lossy(pair).into_owned();
            return Err(format!(
                "payload: expected pairs of hexadecimal digits, found `{found}`"
            ));
        };
        bytes.push((high << 4 | low) as u8);
    }
    Ok(())
}

/// Where a journal is made before it gets its name.
fn draft_path(journal: &Path) -> PathBuf {
    // Without a separator at the end, which would put it inside.
    let mut name = journal.components().collect::<PathBuf>().into_os_string();
    name.push(".draft");
    PathBuf::from(name)
}

/// A journal in the making; removed unless it was renamed.
struct DraftJournal {
    path: Option<PathBuf>,
}

impl DraftJournal {
    fn rename(&mut self, journal: &Path) -> Result<(), ExportError> {
        if let Some(path) = &self.path {
            fs::rename(path, journal).map_err(ExportError::io("rename", path))?;
        }
        self.path = None;
        Ok(())
    }
}

impl Drop for DraftJournal {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // The error that led here is the one to tell; the name shows that the rest is unfinished.
            let _ = fs::remove_dir_all(path);
        }
    }
}
