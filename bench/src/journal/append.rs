//! Appends back to back beside plain copies of as many bytes, batch by batch, through memory of the same size.

use std::{hint::black_box, time::Duration};

use acth_engine::clock::WallClock;
use acth_journal::{JournalOptions, SEGMENT_BYTES_DEFAULT, Writer};

use super::{JournalReport, KIND, PAYLOADS, Sources, frame_bytes, place, report::Times, touched};
use crate::{Failure, args::Args, machine::Machine, report::Bar};

/// Records between two looks at the clock.
const BATCH: usize = 1000;
/// Segments filled for every round asked for.
const SEGMENTS_PER_ROUND: u32 = 4;
/// Between two segments, so that preparing and syncing the others is over when the clock runs.
const PAUSE: Duration = Duration::from_millis(300);
/// An append may take this many times as long as the copy.
const RATIO_MAX: f64 = 1.5;

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
    let place = place(args.journal_dir.as_deref())?;
    let mut writer = Writer::create(place.path().join("journal"), &JournalOptions::default())?;
    let clock = WallClock::start();
    let (payloads, frames) = (Sources::new(payload_bytes), Sources::new(frame_bytes));
    let mut copies = touched(SEGMENT_BYTES_DEFAULT as usize);
    let (mut appended, mut copied) = (Times::new()?, Times::new()?);
    for _ in 0..args.rounds * SEGMENTS_PER_ROUND {
        std::thread::sleep(PAUSE);
        let mut at = 0;
        while writer.room_bytes() >= BATCH * frame_bytes {
            let start_ns = clock.now_ns();
            append_batch(&mut writer, &payloads)?;
            let middle_ns = clock.now_ns();
            copy_batch(&mut copies[at..at + BATCH * frame_bytes], &frames);
            copied.add(clock.now_ns() - middle_ns);
            appended.add(middle_ns - start_ns);
            at += BATCH * frame_bytes;
        }
        // Rolls, outside of what is timed: the tail has a part of its own.
        append_batch(&mut writer, &payloads)?;
    }
    let rows = vec![
        copied.row("copy, a record", BATCH as u64),
        appended.row("append, a record", BATCH as u64),
    ];
    let ratio_p50 = rows[1].p50 / rows[0].p50;
    let case = format!("{frame_bytes} bytes a record, {payload_bytes} of them payload");
    let mut report = JournalReport::new("journal-append", case, rows, machine);
    report.facts.insert("ratio_p50", ratio_p50);
    report
        .facts
        .insert("ratio_min", report.rows[1].min / report.rows[0].min);
    report.bars.push(Bar::at_most(
        "append at most 1.5 times the copy, by medians",
        ratio_p50,
        RATIO_MAX,
    ));
    Ok(report)
}

#[inline(never)]
fn append_batch(writer: &mut Writer, payloads: &Sources) -> Result<(), Failure> {
    for number in 0..BATCH {
        let time_ns = number as i64;
        writer.append(KIND, time_ns, number as u64, payloads.record(number))?;
    }
    Ok(())
}

#[inline(never)]
fn copy_batch(target: &mut [u8], frames: &Sources) {
    let places = target.chunks_exact_mut(frames.record_bytes);
    for (number, place) in places.enumerate() {
        place.copy_from_slice(frames.record(number));
        black_box(&mut *place);
    }
}
