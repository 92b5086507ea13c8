//! Measures ns per frame of append and of a verifying scan. Run with `--release`.
#![expect(clippy::print_stdout, reason = "a measuring program prints")]

use std::time::{Duration, Instant};

use acth_journal::{JournalOptions, Reader, Writer, verify};

const CHUNKS: usize = 200;
const CHUNK_FRAMES: u64 = 10_000;

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
    let mut chunks = Chunks::default();
    for _ in 0..CHUNKS {
        let started = Instant::now();
        for number in 0..CHUNK_FRAMES {
            payload[..8].copy_from_slice(&number.to_le_bytes());
            writer.append(0x0100, number.cast_signed(), number, &payload)?;
        }
        chunks.add(started, CHUNK_FRAMES);
    }
    chunks.report("append");
    println!("roll stalls: {}", writer.roll_stalls());
    writer.seal()?;
    for _ in 0..3 {
        let mut reader = Reader::open(&path)?;
        let mut sum = 0u64;
        for _ in 0..CHUNKS {
            let started = Instant::now();
            for _ in 0..CHUNK_FRAMES {
                let Some(frame) = reader.next()? else {
                    return Err("too few frames".into());
                };
                sum = sum.wrapping_add(u64::from(frame.payload[0]) ^ frame.sequence);
            }
            chunks.add(started, CHUNK_FRAMES);
        }
        std::hint::black_box(sum);
        chunks.report("scan");
    }
    let started = Instant::now();
    let found = verify(&path, &mut |_, _| {})?;
    chunks.add(started, found.frames);
    chunks.report("verify");
    Ok(())
}

/// Time per frame of each chunk.
#[derive(Default)]
struct Chunks(Vec<f64>);

impl Chunks {
    fn add(&mut self, started: Instant, frames: u64) {
        self.0
            .push(started.elapsed().as_nanos() as f64 / frames as f64);
    }

    fn report(&mut self, what: &str) {
        self.0.sort_by(f64::total_cmp);
        let (least, middle) = (self.0[0], self.0[self.0.len() / 2]);
        println!("{what}: {least:.1} ns per frame in the best chunk, {middle:.1} in the median");
        self.0.clear();
    }
}
