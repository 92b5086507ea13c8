//! Measures ns per frame of append and of a verifying scan. Run with `--release`.
#![expect(clippy::print_stdout, reason = "a measuring program prints")]

use std::time::Instant;

use acth_journal::{JournalOptions, Reader, Writer};

const FRAMES: u64 = 5_000_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("journal");
    let options = JournalOptions {
        segment_bytes: 1 << 30,
        ..JournalOptions::default()
    };
    let mut writer = Writer::create(&path, &options)?;
    let mut payload = [7u8; 64];
    for round in 0..3 {
        let started = Instant::now();
        for number in 0..FRAMES / 3 {
            payload[..8].copy_from_slice(&number.to_le_bytes());
            writer.append(0x0100, number.cast_signed(), number, &payload)?;
        }
        let per_frame_ns = started.elapsed().as_nanos() as f64 / (FRAMES / 3) as f64;
        println!("append {round}: {per_frame_ns:.2} ns per 64-byte payload");
    }
    println!("roll stalls: {}", writer.roll_stalls());
    writer.seal()?;
    for round in 0..3 {
        let mut reader = Reader::open(&path)?;
        let (mut frames, mut sum) = (0u64, 0u64);
        let started = Instant::now();
        while let Some(frame) = reader.next()? {
            frames += 1;
            sum = sum.wrapping_add(u64::from(frame.payload[0]) ^ frame.sequence);
        }
        let per_frame_ns = started.elapsed().as_nanos() as f64 / frames as f64;
        println!("scan {round}: {per_frame_ns:.2} ns per frame, {frames} frames, sum {sum}");
    }
    Ok(())
}
