//! Scanning and verifying a journal beside a sum over as many bytes of memory, piece by piece: a piece is short enough that most of
//! them are not interrupted, and what happens between two segments shows in the whole passes.

use std::{hint::black_box, path::Path};

use acth_engine::clock::WallClock;
use acth_journal::{JournalOptions, Reader, Writer, verify};

use super::{JournalReport, KIND, PAYLOADS, Sources, frame_bytes, place, report::Times, touched};
use crate::{Failure, args::Args, machine::Machine, report::Bar};

/// Frames of one piece.
const PIECE_FRAMES: u64 = 10_000;
/// Times of verifying a record are kept in these parts of a ns.
const VERIFY_PARTS: u64 = 1000;
/// Memory that the sum goes through again and again: far more than any cache.
const MEMORY_BYTES: usize = 256 << 20;
/// Verifying should do this many bytes a second.
const VERIFY_BYTES_PER_SECOND_MIN: f64 = 1e9;
/// Scanning should do this many 64-byte records a second.
const SCAN_RECORDS_PER_SECOND_MIN: f64 = 100e6;

/// One report a frame length.
pub(super) fn measure(
    args: &Args,
    machine: &Machine,
    tell: &mut dyn FnMut(&JournalReport) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for payload_bytes in PAYLOADS {
        tell(&measure_one(args, machine, payload_bytes)?)?;
    }
    Ok(())
}

fn measure_one(
    args: &Args,
    machine: &Machine,
    payload_bytes: usize,
) -> Result<JournalReport, Failure> {
    let frame_bytes = frame_bytes(payload_bytes);
    let frames = (args.read_mib << 20) / frame_bytes as u64;
    let bytes = frames * frame_bytes as u64;
    let place = place(args.journal_dir.as_deref())?;
    let path = place.path().join("journal");
    write(&path, payload_bytes, frames)?;
    let mut passes = Passes::new(frame_bytes)?;
    for _ in 0..args.rounds {
        passes.scan(&path, frames)?;
        passes.verify(&path, frames)?;
    }
    let case = format!(
        "{frames} records of {frame_bytes} bytes, {} MB in all; pieces of about a MB",
        bytes / 1_000_000
    );
    Ok(passes.report(case, bytes, machine))
}

/// What all passes over one journal showed.
struct Passes {
    clock: WallClock,
    frame_bytes: usize,
    memory: Vec<u8>,
    summed_bytes: usize,
    summed: Times,
    scanned: Times,
    verified: Times,
    /// Shortest time of a whole pass, with all that happens between two segments.
    scan_ns_min: i64,
    verify_ns_min: i64,
}

impl Passes {
    fn new(frame_bytes: usize) -> Result<Self, Failure> {
        Ok(Self {
            clock: WallClock::start(),
            frame_bytes,
            memory: touched(MEMORY_BYTES),
            summed_bytes: 0,
            summed: Times::new()?,
            scanned: Times::new()?,
            verified: Times::new()?,
            scan_ns_min: i64::MAX,
            verify_ns_min: i64::MAX,
        })
    }

    /// A piece of the journal, then as many bytes of memory, and again.
    fn scan(&mut self, path: &Path, frames: u64) -> Result<(), Failure> {
        let mut reader = Reader::open(path)?;
        let (mut count, mut pass_ns) = (0, 0);
        loop {
            let start_ns = self.clock.now_ns();
            let piece = scan_piece(&mut reader)?;
            let scanned_ns = self.clock.now_ns() - start_ns;
            pass_ns += scanned_ns;
            count += piece;
            if piece < PIECE_FRAMES {
                break;
            }
            self.scanned.add(scanned_ns);
            self.sum();
        }
        self.scan_ns_min = self.scan_ns_min.min(pass_ns);
        expect("the scan", count, frames)
    }

    fn sum(&mut self) {
        let bytes = PIECE_FRAMES as usize * self.frame_bytes;
        if self.summed_bytes + bytes > self.memory.len() {
            self.summed_bytes = 0;
        }
        let piece = &self.memory[self.summed_bytes..][..bytes];
        let start_ns = self.clock.now_ns();
        black_box(sum(piece));
        self.summed.add(self.clock.now_ns() - start_ns);
        self.summed_bytes += bytes;
    }

    /// The pieces are those after which it tells of its progress.
    fn verify(&mut self, path: &Path, frames: u64) -> Result<(), Failure> {
        let start_ns = self.clock.now_ns();
        let (mut last_ns, mut last_bytes) = (start_ns, 0);
        let found = verify(path, &mut |bytes, _| {
            let now_ns = self.clock.now_ns();
            let records = (bytes - last_bytes) as f64 / self.frame_bytes as f64;
            if records >= 1.0 {
                let record_ns = (now_ns - last_ns) as f64 / records;
                self.verified.add((record_ns * VERIFY_PARTS as f64) as i64);
            }
            (last_ns, last_bytes) = (now_ns, bytes);
        })?;
        let pass_ns = self.clock.now_ns() - start_ns;
        self.verify_ns_min = self.verify_ns_min.min(pass_ns);
        expect("verify", found.frames, frames)
    }

    fn report(&self, case: String, bytes: u64, machine: &Machine) -> JournalReport {
        let rows = vec![
            self.summed
                .row("sum of memory, a record's bytes", PIECE_FRAMES),
            self.scanned.row("scan, a record", PIECE_FRAMES),
            self.verified.row("verify, a record", VERIFY_PARTS),
        ];
        let per_second = |record_ns: f64| 1e9 / record_ns;
        let megabytes = |record_ns: f64| per_second(record_ns) * self.frame_bytes as f64 / 1e6;
        let whole = |pass_ns: i64| bytes as f64 * 1e3 / pass_ns as f64;
        let (sum, scan, verify) = (rows[0].p50, rows[1].p50, rows[2].p50);
        let mut report = JournalReport::new("journal-read", case, rows, machine);
        report.facts.extend([
            ("sum_mb_per_second", megabytes(sum)),
            ("scan_mb_per_second", megabytes(scan)),
            ("scan_mb_per_second_whole", whole(self.scan_ns_min)),
            ("scan_records_per_second", per_second(scan)),
            ("verify_mb_per_second", megabytes(verify)),
            ("verify_mb_per_second_whole", whole(self.verify_ns_min)),
            ("verify_records_per_second", per_second(verify)),
            ("ratio_scan_p50", scan / sum),
            ("ratio_verify_p50", verify / sum),
        ]);
        report.bars.push(Bar::at_least(
            "verify at least 1,000,000,000 bytes a second, by the median piece",
            megabytes(verify) * 1e6,
            VERIFY_BYTES_PER_SECOND_MIN,
        ));
        // The bar of the scan is about records of a cache line.
        if self.frame_bytes == 64 {
            report.bars.push(Bar::at_least(
                "scan at least 100,000,000 records a second, by the median piece",
                per_second(scan),
                SCAN_RECORDS_PER_SECOND_MIN,
            ));
        }
        report
    }
}

fn expect(what: &str, found: u64, frames: u64) -> Result<(), Failure> {
    if found == frames {
        Ok(())
    } else {
        Err(format!("{what} found {found} frames of {frames}").into())
    }
}

fn write(path: &Path, payload_bytes: usize, frames: u64) -> Result<(), Failure> {
    let payloads = Sources::new(payload_bytes);
    let mut writer = Writer::create(path, &JournalOptions::default())?;
    for number in 0..frames {
        let payload = payloads.record(number as usize);
        writer.append(KIND, number.cast_signed(), number, payload)?;
    }
    writer.seal()?;
    Ok(())
}

/// Adds up the words of a piece of memory.
#[inline(never)]
fn sum(memory: &[u8]) -> u64 {
    let (words, _) = memory.as_chunks::<8>();
    words.iter().fold(0u64, |total, word| {
        total.wrapping_add(u64::from_le_bytes(*word))
    })
}

/// Reads as many frames as make a piece, fewer at the end.
#[inline(never)]
fn scan_piece(reader: &mut Reader) -> Result<u64, Failure> {
    let (mut count, mut total) = (0, 0u64);
    while count < PIECE_FRAMES
        && let Some(frame) = reader.next()?
    {
        count += 1;
        total = total.wrapping_add(u64::from(frame.payload[0]) ^ frame.sequence);
    }
    black_box(total);
    Ok(count)
}
