//! One recording, line by line: `recv_ns frame`, as plain text or gzip.
//!
//! The file is read in large pieces and unpacked into one buffer; the current line is copied into a second buffer
//! that is reused, so that several files can each hold their current line while they are merged.
//!
//! Invariant: every line is whole, its time is a number and never goes back; anything else is one error that names
//! file and line, after every line before it was handed out. Nothing is allocated per line once the longest was seen.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use acth_core::port::PortError;
use flate2::bufread::MultiGzDecoder;

/// Bytes read from the file at once.
const FILE_BUFFER_BYTES: usize = 256 * 1024;
/// Bytes unpacked at once.
const TEXT_BUFFER_BYTES: usize = 256 * 1024;
/// Longest line; a snapshot of 5000 levels a side takes about 400 KiB.
pub const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The two bytes that every gzip file begins with.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Counts the bytes that were taken out of the file, for the progress of the whole.
struct CountingFile {
    file: File,
    bytes_read: Arc<AtomicU64>,
}

impl Read for CountingFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        // Relaxed: a number for a person to look at; nothing is ordered by it.
        self.bytes_read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

enum Text {
    Plain(BufReader<CountingFile>),
    Gzip(Box<BufReader<MultiGzDecoder<BufReader<CountingFile>>>>),
}

/// Reads one recording.
pub struct LineReader {
    text: Text,
    place: String,
    line: Vec<u8>,
    /// Number of the current line, from 1.
    line_number: u64,
    frame_first: usize,
    ts_recorded_ns: i64,
    bytes_total: u64,
}

impl std::fmt::Debug for LineReader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("LineReader")
            .field("place", &self.place)
            .field("line_number", &self.line_number)
            .finish_non_exhaustive()
    }
}

impl LineReader {
    /// Opens a recording; `bytes_read` counts what was read from the file.
    ///
    /// # Errors
    /// When the file cannot be opened or its first bytes cannot be read.
    pub fn open(path: &Path, bytes_read: Arc<AtomicU64>) -> Result<Self, PortError> {
        let place = path.display().to_string();
        let refuse = |error: io::Error| PortError::new(&*place, format!("cannot be read: {error}"));
        let file = File::open(path).map_err(refuse)?;
        let meta = file.metadata().map_err(refuse)?;
        if meta.is_dir() {
            return Err(PortError::new(place, "is a folder; expected a recording"));
        }
        let counting = CountingFile { file, bytes_read };
        let mut reader = BufReader::with_capacity(FILE_BUFFER_BYTES, counting);
        let is_gzip = reader.fill_buf().map_err(refuse)?.starts_with(&GZIP_MAGIC);
        let text = if is_gzip {
            let decoder = MultiGzDecoder::new(reader);
            Text::Gzip(Box::new(BufReader::with_capacity(
                TEXT_BUFFER_BYTES,
                decoder,
            )))
        } else {
            Text::Plain(reader)
        };
        Ok(Self {
            text,
            place,
            line: Vec::with_capacity(64 * 1024),
            line_number: 0,
            frame_first: 0,
            ts_recorded_ns: i64::MIN,
            bytes_total: meta.len(),
        })
    }

    /// Size of the file as it lies on disk.
    pub const fn bytes_total(&self) -> u64 {
        self.bytes_total
    }

    /// Number of the current line, from 1; 0 before the first.
    pub const fn line_number(&self) -> u64 {
        self.line_number
    }

    /// Name of the file.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Receive time of the current line.
    pub const fn ts_recorded_ns(&self) -> i64 {
        self.ts_recorded_ns
    }

    /// Frame of the current line.
    pub fn frame(&self) -> &[u8] {
        &self.line[self.frame_first..]
    }

    /// Moves to the next line. False at the end of the file.
    ///
    /// # Errors
    /// When the line is damaged; the reader cannot go on after that.
    pub fn advance(&mut self) -> Result<bool, PortError> {
        self.line.clear();
        self.frame_first = 0;
        self.line_number += 1;
        let limit = LINE_BYTES_MAX as u64;
        let outcome = match &mut self.text {
            Text::Plain(reader) => reader.take(limit).read_until(b'\n', &mut self.line),
            Text::Gzip(reader) => reader.take(limit).read_until(b'\n', &mut self.line),
        };
        match outcome {
            Ok(0) => {
                self.line_number -= 1;
                Ok(false)
            }
            Ok(_) => self.split().map(|()| true),
            Err(error) => Err(self.damage(&format!(
                "cannot be read to its end ({error}); expected an intact gzip or text file"
            ))),
        }
    }

    /// Checks the current line and finds its frame.
    fn split(&mut self) -> Result<(), PortError> {
        let is_ended = self.line.last() == Some(&b'\n');
        if !is_ended && self.line.len() == LINE_BYTES_MAX {
            return Err(self.damage("is longer than 16 MiB; expected `recv_ns frame`"));
        }
        while matches!(self.line.last(), Some(b'\n' | b'\r')) {
            self.line.pop();
        }
        let Some(space) = self.line.iter().take(24).position(|&byte| byte == b' ') else {
            return Err(self.damage("has no receive time; expected `recv_ns frame`"));
        };
        let ts_recorded_ns = match parse_ns(&self.line[..space]) {
            Some(ts_recorded_ns) => ts_recorded_ns,
            None => {
                return Err(self.damage(
                    "begins with no time; expected nanoseconds as digits, a space and the frame",
                ));
            }
        };
        if ts_recorded_ns < self.ts_recorded_ns {
            return Err(self.damage(&format!(
                "goes back in time, from {} to {ts_recorded_ns}; expected receive times in order",
                self.ts_recorded_ns
            )));
        }
        if !is_ended && !is_closed(&self.line[space + 1..]) {
            return Err(self.damage("is cut off; expected a whole frame and a line end"));
        }
        self.ts_recorded_ns = ts_recorded_ns;
        self.frame_first = space + 1;
        Ok(())
    }

    fn damage(&self, cause: &str) -> PortError {
        PortError::new(format!("{}:{}", self.place, self.line_number), cause)
    }
}

/// Digits to a number; `None` for anything else, for no digit and for more than fits.
fn parse_ns(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0i64, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| i64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// True when every bracket of a frame is closed: a final line without line end may be whole all the same.
fn is_closed(frame: &[u8]) -> bool {
    let mut depth = 0i64;
    let mut is_text = false;
    let mut is_escaped = false;
    for byte in frame {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b'{' | b'[' if !is_text => depth += 1,
            b'}' | b']' if !is_text => depth -= 1,
            _ => {}
        }
    }
    depth == 0 && !is_text && matches!(frame.last(), Some(b'}' | b']'))
}
