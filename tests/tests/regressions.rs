//! One test for each bug of the journal's storage that the suites found, as small as it goes.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use acth_journal::{
    JournalError, Keep, Reader, Snapshots, SyncMode, Writer, accept_unsynced, prune, repair, verify,
};
use acth_tests::{
    random::Random,
    storage_sim::{Fault, Loss, SimStorage},
    suites::{
        frames,
        script::{JOURNAL, options, place, snapshot_behind},
    },
};

fn create(storage: &SimStorage, sync: SyncMode) -> Writer {
    Writer::create(place(storage), &options(8192, sync)).unwrap()
}

fn open(storage: &SimStorage, sync: SyncMode) -> Writer {
    Writer::open(place(storage), &options(8192, sync))
        .unwrap()
        .0
}

fn append(writer: &mut Writer, count: u64) {
    let mut bytes = Vec::new();
    for _ in 0..count {
        frames::append(writer, 0, &mut bytes).unwrap();
    }
}

fn snapshot(storage: &SimStorage, sequence: u64) {
    let reader = Reader::open_behind(place(storage), sequence).unwrap();
    Snapshots::of(place(storage))
        .write(&snapshot_behind(&reader))
        .unwrap();
}

fn newest(storage: &SimStorage) -> Option<u64> {
    let (found, _) = Snapshots::of(place(storage)).newest_good(u64::MAX).unwrap();
    found.map(|(snapshot, _)| snapshot.sequence)
}

fn segment(index: u64) -> PathBuf {
    Path::new(JOURNAL).join(format!("{index:010}.seg"))
}

#[test]
fn a_first_header_that_the_machine_tore_is_no_damage() {
    let storage = SimStorage::default();
    drop(create(&storage, SyncMode::Process));
    // Only the first word of the header reached the device.
    storage.poke(&segment(0), 8, &[0; 120]);
    let mut writer = open(&storage, SyncMode::Process);
    append(&mut writer, 3);
    writer.seal().unwrap();
    assert_eq!(
        frames::read(place(&storage), u64::MAX, &[0]).unwrap().last,
        3
    );
}

#[test]
fn pruning_that_died_in_any_order_leaves_a_good_journal() {
    let storage = SimStorage::default();
    let mut writer = create(&storage, SyncMode::Process);
    append(&mut writer, 600);
    writer.seal().unwrap();
    snapshot(&storage, 600);
    let first = storage.file(&segment(0)).unwrap();
    prune(place(&storage), Keep::Segments(2)).unwrap();
    let whole = verify(place(&storage), &mut |_, _| {}).unwrap();
    // The second one went, the first one came back.
    storage.put_file(&segment(0), &first);
    assert_eq!(verify(place(&storage), &mut |_, _| {}).unwrap(), whole);
    assert_eq!(open(&storage, SyncMode::Process).next_sequence(), 601);
}

#[test]
fn pruning_keeps_the_frame_that_the_snapshot_stands_behind() {
    let storage = SimStorage::default();
    let mut writer = create(&storage, SyncMode::Process);
    append(&mut writer, 300);
    writer.seal().unwrap();
    snapshot(&storage, 300);
    // The next segment begins right behind the snapshot's place.
    let mut writer = open(&storage, SyncMode::Process);
    append(&mut writer, 300);
    prune(place(&storage), Keep::Segments(1)).unwrap();
    assert_eq!(newest(&storage), Some(300));
}

#[test]
fn pruning_trusts_no_snapshot_behind_a_frame_that_may_be_lost() {
    let storage = SimStorage::default();
    let mut writer = create(&storage, SyncMode::Process);
    for _ in 0..300 {
        append(&mut writer, 1);
        writer.assist();
    }
    snapshot(&storage, 100);
    snapshot(&storage, 300);
    prune(place(&storage), Keep::Segments(1)).unwrap();
    let dead = storage
        .freeze()
        .machine_death(Loss::None, &mut Random::of(1));
    drop(open(&dead, SyncMode::Process));
    assert_eq!(newest(&dead), Some(100));
}

#[test]
fn repair_at_the_front_leaves_a_good_journal() {
    let storage = SimStorage::default();
    let mut writer = create(&storage, SyncMode::Process);
    append(&mut writer, 300);
    drop(writer);
    assert_eq!(repair(place(&storage), 0).unwrap().last_sequence, 0);
    let mut writer = open(&storage, SyncMode::Process);
    append(&mut writer, 300);
    writer.seal().unwrap();
    snapshot(&storage, 300);
    let first = prune(place(&storage), Keep::Segments(1))
        .unwrap()
        .first_sequence;
    assert!(first > 2);
    let refused = repair(place(&storage), first - 2);
    assert!(
        matches!(refused, Err(JournalError::NoSuchSequence { .. })),
        "{refused:?}"
    );
    assert_eq!(
        repair(place(&storage), first - 1).unwrap().last_sequence,
        first - 1
    );
    assert_eq!(open(&storage, SyncMode::Process).next_sequence(), first);
}

#[test]
fn repair_takes_no_more_room_than_a_header_needs() {
    let storage = SimStorage::default();
    let mut writer = create(&storage, SyncMode::Process);
    append(&mut writer, 10);
    drop(writer);
    repair(place(&storage), 5).unwrap();
    let largest = storage.files().iter().map(|(_, bytes)| bytes.len()).max();
    assert!(largest.unwrap() <= 8192);
}

/// A journal whose first sync of pages fails; the highest sequence that it says is durable, after its writer is gone.
fn with_failed_sync() -> (SimStorage, u64) {
    let healthy = SimStorage::default();
    let mut writer = create(&healthy, SyncMode::GATED_DEFAULT);
    append(&mut writer, 20);
    let calls = healthy.calls();
    for call in calls + 1.. {
        let storage = SimStorage::default();
        storage.fail_at(call, Fault::Sync);
        let mut writer = create(&storage, SyncMode::GATED_DEFAULT);
        append(&mut writer, 20);
        let durability = writer.durability();
        durability.ask(20);
        for _ in 0..4 {
            writer.assist();
        }
        let health = writer.poll_health();
        drop(writer);
        if storage.failed_what() == Some("sync of pages") {
            assert!(health.is_err());
            return (storage, durability.sequence());
        }
    }
    unreachable!("some call is a sync of pages");
}

#[test]
fn nothing_is_durable_by_a_failed_sync_nor_by_the_next_one() {
    let (storage, durable) = with_failed_sync();
    assert_eq!(durable, 0, "ending the writer synced again");
    let refused = Writer::open(place(&storage), &options(8192, SyncMode::Process)).err();
    assert!(
        matches!(refused, Some(JournalError::SyncFailed { .. })),
        "{refused:?}"
    );
}

#[test]
fn what_was_accepted_is_on_the_device() {
    let (storage, _) = with_failed_sync();
    accept_unsynced(place(&storage)).unwrap();
    drop(open(&storage, SyncMode::Process));
    // The kernel took the pages for clean: a sync alone would have passed them over.
    let dead = storage
        .freeze()
        .machine_death(Loss::None, &mut Random::of(1));
    assert_eq!(open(&dead, SyncMode::Process).next_sequence(), 21);
}

#[test]
fn segments_that_are_put_away_come_back_last_ones_last() {
    let storage = SimStorage::default();
    let mut writer = create(&storage, SyncMode::Process);
    append(&mut writer, 400);
    let frozen = storage.freeze();
    for seed in 0..200 {
        let mut random = Random::of(seed);
        let dead = frozen.machine_death(Loss::Subset, &mut random);
        dead.stop_at(random.below(30));
        let _ = Writer::open(place(&dead), &options(8192, SyncMode::Process));
        let stopped = dead.stopped().unwrap_or_else(|| dead.freeze());
        let dead = stopped.machine_death(Loss::Subset, &mut random);
        drop(open(&dead, SyncMode::Process));
    }
}

#[test]
fn a_sync_that_fails_in_recovery_is_remembered() {
    let storage = SimStorage::default();
    let mut writer = create(&storage, SyncMode::Process);
    append(&mut writer, 20);
    drop(writer);
    let frozen = storage.freeze();
    let mut refusals = 0;
    for call in 1..60 {
        let storage = frozen.process_death();
        storage.fail_at(call, Fault::Sync);
        let opened = Writer::open(place(&storage), &options(8192, SyncMode::Process)).err();
        if storage.failed_what() != Some("sync") {
            continue;
        }
        assert!(
            matches!(opened, Some(JournalError::Io { .. })),
            "{opened:?}"
        );
        // The new segment's own sync holds nothing; that of the last run's segment does.
        let again = Writer::open(place(&storage), &options(8192, SyncMode::Process)).err();
        refusals += u64::from(matches!(again, Some(JournalError::SyncFailed { .. })));
    }
    assert_eq!(refusals, 1);
}
