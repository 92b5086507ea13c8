//! The format by its description alone: a second, naive implementation of `FORMAT.md` reads what the journal writes, and writes what
//! the journal must refuse. Ready for suite 13: `reference` is a journal of which every byte is known, with the hash of all of it.

use std::path::PathBuf;

use acth_journal::{Damage, JournalError, Reader, Sync, Writer, verify};

use super::{
    Failure, Report, frames,
    script::{JOURNAL, options, place},
};
use crate::storage_sim::SimStorage;

const SEGMENT_BYTES: usize = 8192;
const HEADER_BYTES: usize = 128;
const FRAME_HEADER_BYTES: usize = 40;
/// Boot id of a new simulated machine.
const BOOT_ID: u128 = 1;

/// A frame as the description has it.
#[derive(Clone, Debug)]
struct NaiveFrame {
    sequence: u64,
    time_ns: i64,
    cause: u64,
    kind: u16,
    padding: Option<u8>,
    flags: u8,
    lag: u32,
    payload: Vec<u8>,
}

impl NaiveFrame {
    fn plain(sequence: u64) -> Self {
        Self {
            sequence,
            time_ns: 5,
            cause: 0,
            kind: frames::KIND,
            padding: None,
            flags: 0,
            lag: sequence as u32,
            payload: vec![sequence as u8; 20],
        }
    }

    /// Its bytes at a place, and its checksum. `seed_position` differs from the place in a misplaced frame only.
    fn encode(&self, run_id: u64, seed_position: usize, crc_before: u32) -> (Vec<u8>, u32) {
        let padding = self.payload.len().next_multiple_of(8) - self.payload.len();
        let frame_bytes = FRAME_HEADER_BYTES + self.payload.len() + padding;
        let mut bytes = vec![0; 8];
        bytes.extend(self.sequence.to_le_bytes());
        bytes.extend(self.time_ns.to_le_bytes());
        bytes.extend(self.cause.to_le_bytes());
        bytes.extend(self.kind.to_le_bytes());
        bytes.push(self.padding.unwrap_or(padding as u8));
        bytes.push(self.flags);
        bytes.extend(self.lag.to_le_bytes());
        bytes.extend(&self.payload);
        bytes.resize(frame_bytes, 0);
        let crc = frame_crc(run_id, seed_position, crc_before, &bytes);
        bytes[..4].copy_from_slice(&(frame_bytes as u32).to_le_bytes());
        bytes[4..8].copy_from_slice(&crc.to_le_bytes());
        (bytes, crc)
    }
}

/// The checksum of a whole frame's bytes, as `FORMAT.md` states it.
pub(super) fn frame_crc(run_id: u64, position: usize, crc_before: u32, frame: &[u8]) -> u32 {
    let mixed = (run_id ^ (run_id >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let run = mixed ^ (mixed >> 32);
    let place = (position as u64) << 32 | frame.len() as u64;
    let seed = (run ^ place).wrapping_mul(0x94d0_49bb_1331_11eb) >> 32;
    crc32c::crc32c_append(seed as u32, &frame[8..]) ^ crc_before
}

/// What is forged of a segment.
struct Forged {
    magic: [u8; 8],
    version: u32,
    header_bytes: u32,
    segment_bytes: u64,
    reserved: u8,
    frames: Vec<NaiveFrame>,
    /// This frame is summed as if it stood eight bytes further on.
    misplaced: Option<usize>,
    /// This frame says this length.
    length: Option<(usize, u32)>,
}

impl Forged {
    fn good() -> Self {
        Self {
            magic: *b"ACTHJRNL",
            version: 1,
            header_bytes: HEADER_BYTES as u32,
            segment_bytes: SEGMENT_BYTES as u64,
            reserved: 0,
            frames: (1..=12).map(NaiveFrame::plain).collect(),
            misplaced: None,
            length: None,
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = self.magic.to_vec();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(self.header_bytes.to_le_bytes());
        bytes.extend(0u64.to_le_bytes());
        bytes.extend(1u64.to_le_bytes());
        bytes.extend(1u64.to_le_bytes());
        bytes.extend(BOOT_ID.to_be_bytes());
        bytes.extend(1i64.to_le_bytes());
        bytes.extend(self.segment_bytes.to_le_bytes());
        bytes.extend(0u32.to_le_bytes());
        bytes.resize(124, 0);
        bytes[100] = self.reserved;
        let mut crc = crc32c::crc32c(&bytes);
        bytes.extend(crc.to_le_bytes());
        for (number, frame) in self.frames.iter().enumerate() {
            let position = bytes.len() + usize::from(self.misplaced == Some(number)) * 8;
            let (mut frame, frame_crc) = frame.encode(1, position, crc);
            if let Some((at, length)) = self.length
                && at == number
            {
                frame[..4].copy_from_slice(&length.to_le_bytes());
            }
            crc = frame_crc;
            bytes.extend(frame);
        }
        bytes.resize(SEGMENT_BYTES, 0);
        bytes
    }
}

/// What must become of a forged segment.
type Expected = (u64, Option<Damage>);

fn forgeries() -> Vec<(&'static str, Forged, Expected)> {
    let with = |change: &dyn Fn(&mut Forged)| {
        let mut forged = Forged::good();
        change(&mut forged);
        forged
    };
    let damaged = |frames: u64, cause: Damage| (frames, Some(cause));
    vec![
        ("nothing", with(&|_| {}), (12, None)),
        (
            "another magic",
            with(&|forged| forged.magic[7] = b'X'),
            damaged(0, Damage::Header),
        ),
        (
            "a reserved byte",
            with(&|forged| forged.reserved = 1),
            damaged(0, Damage::Header),
        ),
        (
            "another header length",
            with(&|forged| forged.header_bytes = 64),
            damaged(0, Damage::Header),
        ),
        (
            "a smaller segment",
            with(&|forged| forged.segment_bytes = 4096),
            damaged(0, Damage::Misplaced),
        ),
        (
            "a flag",
            with(&|forged| forged.frames[4].flags = 1),
            damaged(4, Damage::Field),
        ),
        (
            "an unknown kind",
            with(&|forged| {
                let frame = &mut forged.frames[4];
                (frame.kind, frame.sequence) = (7, 4);
            }),
            damaged(4, Damage::Field),
        ),
        (
            "too much padding",
            with(&|forged| forged.frames[4].padding = Some(9)),
            damaged(4, Damage::Field),
        ),
        (
            "a number left out",
            with(&|forged| forged.frames[4].sequence = 6),
            damaged(4, Damage::Sequence),
        ),
        (
            "a number twice",
            with(&|forged| forged.frames[4].sequence = 4),
            damaged(4, Damage::Sequence),
        ),
        (
            "a watermark with content",
            with(&|forged| {
                let frame = &mut forged.frames[4];
                (frame.kind, frame.sequence, frame.payload) = (3, 4, vec![1; 16]);
            }),
            damaged(4, Damage::Field),
        ),
        (
            "a frame of another place",
            with(&|forged| forged.misplaced = Some(4)),
            damaged(4, Damage::Checksum),
        ),
        (
            "a length behind the end",
            with(&|forged| forged.length = Some((4, 1 << 20))),
            damaged(4, Damage::Length),
        ),
        (
            "a length of no frame",
            with(&|forged| forged.length = Some((4, 24))),
            damaged(4, Damage::Length),
        ),
    ]
}

/// Runs it all.
///
/// # Errors
/// The first thing that is not as the description says.
pub fn run() -> Result<Report, Failure> {
    let mut cases = 0;
    let failure = |cases, what| Failure {
        cases,
        what,
        again: "cargo test -p acth-tests --test format -- --nocapture".to_owned(),
    };
    for (name, forged, expected) in forgeries() {
        cases += 1;
        let judged = std::panic::catch_unwind(|| judge(&forged, expected));
        judged
            .unwrap_or_else(|_| Err("it panics".to_owned()))
            .map_err(|what| failure(cases, format!("forged with {name}: {what}")))?;
    }
    let storage = reference().map_err(|error| failure(cases, error.to_string()))?;
    for (path, bytes) in storage.files() {
        if path.extension().is_some_and(|suffix| suffix == "seg") {
            cases += check_segment(&bytes)
                .map_err(|what| failure(cases, format!("{}: {what}", path.display())))?;
        }
    }
    Ok(Report {
        suite: "format",
        cases,
        seed: 0,
        detail: "forged segments and frames of a reference journal, by a second implementation"
            .to_owned(),
    })
}

fn judge(forged: &Forged, (expected, cause): Expected) -> Result<(), String> {
    let storage = SimStorage::default();
    let made = Writer::create(
        place(&storage),
        &options(SEGMENT_BYTES as u64, Sync::Process),
    );
    drop(made.map_err(|error| error.to_string())?);
    storage.put_file(
        &PathBuf::from(JOURNAL).join("0000000000.seg"),
        &forged.encode(),
    );
    let mut reader = Reader::open(place(&storage)).map_err(|error| error.to_string())?;
    let mut count = 0;
    let ended = loop {
        match reader.next() {
            Ok(Some(_)) => count += 1,
            Ok(None) => break None,
            Err(JournalError::Damaged { cause, .. }) => break Some(cause),
            Err(error) => return Err(error.to_string()),
        }
    };
    if (count, ended) == (expected, cause) {
        Ok(())
    } else {
        Err(format!(
            "{count} frames and {ended:?}, expected {expected} and {cause:?}"
        ))
    }
}

/// Checks every byte of a written segment; returns how many frames it has.
fn check_segment(bytes: &[u8]) -> Result<u64, String> {
    let number = |at: usize| -> Result<u64, String> {
        let word = bytes.get(at..at + 8).and_then(|word| word.first_chunk());
        word.map(|word| u64::from_le_bytes(*word))
            .ok_or_else(|| format!("no word at {at}"))
    };
    if number(0)? == 0 {
        return Ok(0);
    }
    let header_crc = number(120)? >> 32;
    if u64::from(crc32c::crc32c(&bytes[..124])) != header_crc || !bytes.starts_with(b"ACTHJRNL") {
        return Err("its header".to_owned());
    }
    if bytes[76..124].iter().any(|byte| *byte != 0) {
        return Err("a reserved byte of its header".to_owned());
    }
    let run_id = number(32)?;
    let (mut at, mut crc, mut count) = (HEADER_BYTES, header_crc as u32, 0);
    while at + 8 <= bytes.len() && number(at)? != 0 {
        let word = number(at)?;
        let length = (word as u32) as usize;
        let frame = bytes
            .get(at..at + length)
            .ok_or("a frame crosses the end")?;
        let stored = (word >> 32) as u32;
        if !length.is_multiple_of(8) || frame_crc(run_id, at, crc, frame) != stored {
            return Err(format!("the frame at {at}"));
        }
        (at, crc, count) = (at + length, stored, count + 1);
    }
    if bytes[at..].iter().any(|byte| *byte != 0) {
        return Err(format!("bytes behind {at}"));
    }
    Ok(count)
}

/// A journal of two runs with rolls, watermark frames and a seal, every byte of which is known.
///
/// # Errors
/// What the journal says.
pub fn reference() -> Result<SimStorage, JournalError> {
    let storage = SimStorage::default();
    let mut bytes = Vec::new();
    let options = options(SEGMENT_BYTES as u64, Sync::GATED_DEFAULT);
    let mut writer = Writer::create(place(&storage), &options)?;
    for number in 0..300u64 {
        frames::append(&mut writer, 0, &mut bytes)?;
        if number % 37 == 0 {
            writer.end_page();
            writer.durability().ask(writer.next_sequence() - 1);
        }
        writer.assist();
    }
    drop(writer);
    let (mut writer, _) = Writer::open(place(&storage), &options)?;
    for _ in 0..50 {
        frames::append(&mut writer, 0, &mut bytes)?;
    }
    writer.seal()?;
    Ok(storage)
}

/// The hash of all of the reference journal, in hexadecimal.
///
/// # Errors
/// What the journal says.
pub fn reference_hash() -> Result<String, JournalError> {
    let storage = reference()?;
    let found = verify(place(&storage), &mut |_, _| {})?;
    Ok(found
        .head
        .hash
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}
