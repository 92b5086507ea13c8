//! Measures ns per frame of append and of a verifying scan. Run with `--release`.
#![expect(clippy::print_stdout, reason = "a measuring program prints")]

use std::time::{Duration, Instant};

use acth_journal::{JournalOptions, Reader, Writer, verify};

const FRAMES: u64 = 400_000;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = match std::env::args().nth(1) {
        Some(place) => tempfile::tempdir_in(place)?,
        None => tempfile::tempdir()?,
    };
    let path = dir.path().join("journal");
    let options = JournalOptions {
        segment_bytes: 256 << 20,
        ..JournalOptions::default()
    };
    let mut writer = Writer::create(&path, &options)?;
    // Let the helper finish touching the segments ahead.
    std::thread::sleep(Duration::from_secs(2));
    let mut payload = [7u8; 64];
    for round in 0..ROUNDS {
        let started = Instant::now();
        for number in 0..FRAMES {
            payload[..8].copy_from_slice(&number.to_le_bytes());
            writer.append(0x0100, number.cast_signed(), number, &payload)?;
        }
        report("append", round, started, FRAMES);
    }
    println!("roll stalls: {}", writer.roll_stalls());
    writer.seal()?;
    for round in 0..ROUNDS {
        let mut reader = Reader::open(&path)?;
        let (mut frames, mut sum) = (0u64, 0u64);
        let started = Instant::now();
        while let Some(frame) = reader.next()? {
            frames += 1;
            sum = sum.wrapping_add(u64::from(frame.payload[0]) ^ frame.sequence);
        }
        report("scan", round, started, frames);
        std::hint::black_box(sum);
    }
    let started = Instant::now();
    let found = verify(&path, &mut |_, _| {})?;
    report("verify", 0, started, found.frames);
    Ok(())
}

fn report(what: &str, round: usize, started: Instant, frames: u64) {
    let per_frame_ns = started.elapsed().as_nanos() as f64 / frames as f64;
    println!("{what} {round}: {per_frame_ns:.2} ns per frame of 64 bytes payload");
}
