//! How long it takes until a record is durable, beside writing a page of a plain file and syncing it.

use std::{fs::File, os::unix::fs::FileExt, thread, time::Duration};

use acth_engine::clock::WallClock;
use acth_journal::{JournalOptions, SyncMode, Writer};

use super::{JournalReport, KIND, Sources, place, report::Times};
use crate::{Failure, args::Args, machine::Machine};

/// What one wait covers besides the frame that fills the page.
const PAYLOAD_BYTES: usize = 64;
const PAGE_BYTES: usize = 4096;
/// Pages of the plain file, which is written round and round.
const PAGES: u64 = 1024;
/// Between two rounds, so that each finds the journal and the disk at rest.
const PAUSE: Duration = Duration::from_millis(2);

/// One report.
pub(super) fn measure(
    args: &Args,
    machine: &Machine,
    tell: &mut dyn FnMut(&JournalReport) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let place = place(args.journal_dir.as_deref())?;
    let options = JournalOptions {
        sync: SyncMode::GATED_DEFAULT,
        ..JournalOptions::default()
    };
    let mut writer = Writer::create(place.path().join("journal"), &options)?;
    let durability = writer.durability();
    let payloads = Sources::new(PAYLOAD_BYTES);
    let file = plain_file(&place.path().join("plain"))?;
    let page = [7; PAGE_BYTES];
    let clock = WallClock::start();
    let (mut plain, mut waited) = (Times::new()?, Times::new()?);
    let end_ns = clock.now_ns() + ((args.duration * 1e9) as i64);
    let mut number = 0;
    while clock.now_ns() < end_ns {
        thread::sleep(PAUSE);
        let start_ns = clock.now_ns();
        file.write_all_at(&page, number % PAGES * PAGE_BYTES as u64)?;
        file.sync_data()?;
        plain.add(clock.now_ns() - start_ns);
        thread::sleep(PAUSE);
        let payload = payloads.record(number as usize);
        let sequence = writer.append(KIND, number.cast_signed(), number, payload)?;
        writer.end_page();
        let start_ns = clock.now_ns();
        durability.ask(sequence);
        while durability.sequence() < sequence {
            writer.poll_health()?;
            thread::yield_now();
        }
        waited.add(clock.now_ns() - start_ns);
        number += 1;
    }
    let rows = vec![
        plain.row("write and sync a page of a plain file", 1),
        waited.row("from ask to durable", 1),
    ];
    let ratio_p50 = rows[1].p50 / rows[0].p50;
    let mut report = JournalReport::new("journal-wait", "gated".to_owned(), rows, machine);
    let stats = durability.stats();
    report.facts.insert("ratio_p50", ratio_p50);
    report.facts.insert("syncs", stats.syncs as f64);
    report.facts.insert("sync_ns_max", stats.sync_ns_max as f64);
    tell(&report)?;
    writer.seal()?;
    Ok(())
}

/// A file with all its blocks, so that a sync of it writes no more than data.
fn plain_file(path: &std::path::Path) -> Result<File, Failure> {
    let file = File::options().create_new(true).write(true).open(path)?;
    for page in 0..PAGES {
        file.write_all_at(&[1; PAGE_BYTES], page * PAGE_BYTES as u64)?;
    }
    file.sync_all()?;
    Ok(file)
}
