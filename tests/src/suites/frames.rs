//! The frames that the suites append, known by their number alone, and reading them back.

use acth_journal::{Frame, Place, Reader};

/// Kind of all frames of the suites.
pub const KIND: u16 = 0x0100;
/// One frame of this many is large.
const LARGE_EVERY: u64 = 61;

fn mix(value: u64) -> u64 {
    let mixed = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The content of a frame: it depends on its number and on how often that number was given out before.
pub fn payload(sequence: u64, salt: u64, bytes: &mut Vec<u8>) {
    let word = mix(sequence.wrapping_mul(2) ^ (salt << 56));
    let length = match word {
        word if word.is_multiple_of(LARGE_EVERY) => 200 + word / LARGE_EVERY % 600,
        word => word % 48,
    } as usize;
    bytes.clear();
    while bytes.len() < length {
        bytes.extend_from_slice(&word.wrapping_add(bytes.len() as u64).to_le_bytes());
    }
    bytes.truncate(length);
}

/// Appends the next frame.
///
/// # Errors
/// What the journal says.
pub fn append(
    writer: &mut acth_journal::Writer,
    salt: u64,
    bytes: &mut Vec<u8>,
) -> Result<u64, acth_journal::JournalError> {
    let sequence = writer.next_sequence();
    payload(sequence, salt, bytes);
    writer.append(KIND, time_of(sequence, salt), sequence / 2, bytes)
}

fn time_of(sequence: u64, salt: u64) -> i64 {
    (sequence * 3 + salt).cast_signed()
}

/// Whether this is the frame that was appended with this salt.
pub fn is_right(frame: &Frame<'_>, salt: u64, bytes: &mut Vec<u8>) -> bool {
    payload(frame.sequence, salt, bytes);
    frame.kind == KIND
        && frame.time_ns == time_of(frame.sequence, salt)
        && frame.cause == frame.sequence / 2
        && frame.payload == &bytes[..]
}

/// What reading delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// First sequence; 0 = none.
    pub first: u64,
    /// Last sequence; 0 = none.
    pub last: u64,
}

/// Reads a journal from its first frame to its end. Frames before `salt_from` must have the salt 0, those from there on the salts
/// that are allowed, never a lower one behind a higher one.
///
/// # Errors
/// A sentence about the first thing that is not as it must be.
pub fn read(place: impl Into<Place>, salt_from: u64, salts: &[u64]) -> Result<Delivered, String> {
    let mut reader = Reader::open(place).map_err(|error| format!("opening a reader: {error}"))?;
    read_on(&mut reader, salt_from, salts)
}

/// As `read`, from where a reader stands.
///
/// # Errors
/// As `read`.
pub fn read_on(reader: &mut Reader, salt_from: u64, salts: &[u64]) -> Result<Delivered, String> {
    let mut found = Delivered::default();
    let mut bytes = Vec::new();
    let mut salt_at = 0;
    loop {
        let frame = match reader.next() {
            Ok(Some(frame)) => frame,
            Ok(None) => return Ok(found),
            Err(error) => return Err(format!("reading behind frame {}: {error}", found.last)),
        };
        if found.first == 0 {
            found.first = frame.sequence;
        } else if frame.sequence != found.last + 1 {
            return Err(format!("frame {} behind {}", frame.sequence, found.last));
        }
        found.last = frame.sequence;
        if frame.sequence < salt_from {
            if !is_right(&frame, 0, &mut bytes) {
                return Err(format!("frame {} is not what was appended", frame.sequence));
            }
            continue;
        }
        while !salts
            .get(salt_at)
            .is_some_and(|salt| is_right(&frame, *salt, &mut bytes))
        {
            salt_at += 1;
            if salt_at >= salts.len() {
                return Err(format!(
                    "frame {} is none of those that were appended",
                    frame.sequence
                ));
            }
        }
    }
}
