//! The journal: appending a 64-byte payload with its checksum beside a bare copy of as many bytes, and reading back.

#![allow(missing_docs, reason = "criterion's macros define undocumented items")]
#![allow(clippy::unwrap_used, reason = "a bench may panic")]
#![forbid(unsafe_code)]

use std::{hint::black_box, path::Path, time::Duration};

use acth_journal::{FRAME_HEADER_BYTES, JournalOptions, Reader, Writer, verify};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

/// An event or a decision.
const PAYLOAD_BYTES: usize = 64;
/// What a frame of it takes in the journal.
const FRAME_BYTES: usize = FRAME_HEADER_BYTES + PAYLOAD_BYTES;
/// Frames written in one go, within one segment.
const BATCH: usize = 10_000;
/// Frames of the journal that is read back: 104 MB.
const READ_FRAMES: u64 = 1_000_000;
/// Any kind of a caller's.
const KIND: u16 = 0x0100;

/// A writer whose first segment holds more than one batch, with its helper given time to touch it.
fn writer(dir: &Path, segment_bytes: u64) -> Writer {
    let options = JournalOptions {
        segment_bytes,
        ..JournalOptions::default()
    };
    let writer = Writer::create(dir, &options).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    writer
}

fn append(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("journal");
    group.throughput(Throughput::Elements(BATCH as u64));
    group.sample_size(30);
    let mut payload = [7u8; PAYLOAD_BYTES];
    group.bench_function("append_64_bytes_with_crc_x10000", |bencher| {
        bencher.iter_batched_ref(
            || {
                let dir = tempfile::tempdir().unwrap();
                let writer = writer(&dir.path().join("journal"), 4 << 20);
                (writer, dir)
            },
            |(writer, _)| {
                for number in 0..BATCH as u64 {
                    payload[..8].copy_from_slice(&number.to_le_bytes());
                    writer
                        .append(KIND, number.cast_signed(), number, &payload)
                        .unwrap();
                }
            },
            BatchSize::PerIteration,
        );
    });
    let mut warm = vec![0u8; BATCH * FRAME_BYTES];
    // Settled: a frame that was just stored into would stall the copy and make a floor that anything beats.
    let frames = [[7u8; FRAME_BYTES]; 64];
    group.bench_function("copy_of_as_many_bytes_x10000", |bencher| {
        bencher.iter(|| {
            for (number, place) in warm.chunks_exact_mut(FRAME_BYTES).enumerate() {
                place.copy_from_slice(&frames[number % frames.len()]);
            }
            black_box(&mut warm);
        });
    });
    group.finish();
}

fn read_back(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let mut writer = writer(&path, 64 << 20);
    let payload = [7u8; PAYLOAD_BYTES];
    for number in 0..READ_FRAMES {
        writer
            .append(KIND, number.cast_signed(), number, &payload)
            .unwrap();
    }
    writer.seal().unwrap();
    let mut group = criterion.benchmark_group("journal");
    group.throughput(Throughput::Elements(READ_FRAMES));
    group.sample_size(10);
    group.bench_function("scan_with_crc_1000000_frames", |bencher| {
        bencher.iter(|| {
            let mut reader = Reader::open(&path).unwrap();
            let mut sum = 0;
            while let Some(frame) = reader.next().unwrap() {
                sum += u64::from(frame.payload[0]) ^ frame.sequence;
            }
            black_box(sum)
        });
    });
    group.bench_function("verify_with_sha256_1000000_frames", |bencher| {
        bencher.iter(|| {
            let found = verify(&path, &mut |_, _| {}).unwrap();
            assert_eq!(found.frames, READ_FRAMES);
        });
    });
    group.finish();
}

criterion_group!(benches, append, read_back);
criterion_main!(benches);
