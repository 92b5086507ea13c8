//! The life of a journal that the crash suite interrupts: three durability modes, rolls, snapshots, an archive, a prune, a signed
//! head, a seal, a repair and reopenings; and the ledger, kept outside, of what it was told.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use acth_journal::{
    Durability, HelperMode, JournalError, JournalOptions, Keep, Place, Snapshot, Snapshots,
    SyncMode, Writer, archive, prune, repair, sign,
};

use super::frames;
use crate::{random::Random, storage_sim::SimStorage};

/// Where the journal is on its storage.
pub const JOURNAL: &str = "/journal";

/// The journal on a storage.
pub fn place(storage: &SimStorage) -> Place {
    Place::on(Arc::new(storage.clone()), JOURNAL)
}

/// Small segments and no threads.
pub fn options(segment_bytes: u64, sync: SyncMode) -> JournalOptions {
    JournalOptions {
        segment_bytes,
        sync,
        helpers: HelperMode::Inline,
        ..JournalOptions::default()
    }
}

/// What those outside know of the journal.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Highest sequence that an append returned.
    pub appended: u64,
    /// Highest sequence that was said to be durable.
    pub durable: u64,
    /// Snapshots that were begun, and whether they were said to be kept.
    pub snapshots: Vec<(u64, bool)>,
    /// The journal may begin at any sequence up to this one.
    pub first_max: u64,
    /// Frames behind this one may have been given up.
    pub given_up_behind: Option<u64>,
    /// What repair was told to give up is gone for certain.
    pub is_given_up: bool,
}

/// The ledger; shared with whoever looks at it in the middle of a call.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<(Known, Option<Durability>)>>);

impl Ledger {
    fn state(&self) -> MutexGuard<'_, (Known, Option<Durability>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known at this moment.
    pub fn known(&self) -> Known {
        let state = self.state();
        let mut known = state.0.clone();
        if let Some(durability) = &state.1 {
            known.durable = known.durable.max(durability.sequence());
        }
        known
    }

    fn update(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.state().0);
    }

    /// A writer has begun: what it found is durable.
    pub fn follow(&self, writer: &Writer) {
        let mut state = self.state();
        state.0.durable = state.0.durable.max(writer.durable_sequence());
        state.1 = Some(writer.durability());
    }

    /// The writer is gone; what it said stays.
    fn leave(&self) {
        let durable = self.known().durable;
        let mut state = self.state();
        state.0.durable = durable;
        state.1 = None;
    }
}

/// How long and how fine the script is.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Frames that are appended in all.
    pub frames: u64,
    /// Size of a segment.
    pub segment_bytes: u64,
    /// Mean count of frames between two steps of the background.
    pub step_frames: u64,
    /// Seed of what varies.
    pub seed: u64,
}

impl Shape {
    /// 20,000 frames in segments of 32 KiB.
    pub fn full(seed: u64) -> Self {
        Self {
            frames: 20_000,
            segment_bytes: 32 << 10,
            step_frames: 20,
            seed,
        }
    }

    /// 2,000 frames in segments of 8 KiB.
    pub fn small(seed: u64) -> Self {
        Self {
            frames: 2_000,
            segment_bytes: 8 << 10,
            step_frames: 18,
            seed,
        }
    }
}

/// One run of the script.
pub struct Script<'a> {
    storage: &'a SimStorage,
    ledger: &'a Ledger,
    shape: Shape,
    random: Random,
    bytes: Vec<u8>,
    salt: u64,
}

impl<'a> Script<'a> {
    /// On an empty storage.
    pub fn new(storage: &'a SimStorage, ledger: &'a Ledger, shape: Shape) -> Self {
        Self {
            storage,
            ledger,
            shape,
            random: Random::of(shape.seed),
            bytes: Vec::new(),
            salt: 0,
        }
    }

    /// From the creation to the last seal; the calls fail when the storage does.
    ///
    /// # Errors
    /// What the journal says.
    pub fn run(&mut self) -> Result<(), JournalError> {
        self.process_part()?;
        self.interval_part()?;
        self.gated_part()?;
        self.repair_part()
    }

    /// The same life, short: each kind of thing is done once or twice.
    ///
    /// # Errors
    /// What the journal says.
    pub fn run_brief(&mut self) -> Result<(), JournalError> {
        let mut writer = self.create(SyncMode::Process)?;
        self.append(&mut writer, 300)?;
        self.snapshot()?;
        self.append(&mut writer, 100)?;
        archive(place(self.storage), 2, 1, &mut |_, _| {})?;
        self.ledger.leave();
        drop(writer);
        let mut writer = self.open(SyncMode::INTERVAL_DEFAULT)?;
        self.append(&mut writer, 200)?;
        self.prune(3)?;
        sign(place(self.storage), &[7; 32], &mut |_, _| {})?;
        let sealed = writer.seal()?;
        self.ledger
            .update(|known| known.durable = sealed.last_sequence);
        self.ledger.leave();
        let mut writer = self.open(SyncMode::GATED_DEFAULT)?;
        self.append_waiting(&mut writer, 200)?;
        self.ledger.leave();
        drop(writer);
        self.give_up(9)?;
        let mut writer = self.open(SyncMode::INTERVAL_DEFAULT)?;
        self.append(&mut writer, 50)?;
        let sealed = writer.seal()?;
        self.ledger
            .update(|known| known.durable = sealed.last_sequence);
        self.ledger.leave();
        Ok(())
    }

    fn options(&self, sync: SyncMode) -> JournalOptions {
        options(self.shape.segment_bytes, sync)
    }

    fn create(&mut self, sync: SyncMode) -> Result<Writer, JournalError> {
        let writer = Writer::create(place(self.storage), &self.options(sync))?;
        self.ledger.update(|known| known.first_max = 1);
        self.ledger.follow(&writer);
        Ok(writer)
    }

    fn open(&mut self, sync: SyncMode) -> Result<Writer, JournalError> {
        let (writer, _) = Writer::open(place(self.storage), &self.options(sync))?;
        self.ledger.follow(&writer);
        Ok(writer)
    }

    /// Appends a part of all frames, with steps of the background in between.
    fn append(&mut self, writer: &mut Writer, per_mille: u64) -> Result<(), JournalError> {
        let count = self.shape.frames * per_mille / 1000;
        let mut until_step = 0;
        for _ in 0..count {
            if until_step == 0 {
                until_step = 1 + self.random.below(self.shape.step_frames * 2);
                writer.assist();
                writer.poll_health()?;
            }
            until_step -= 1;
            let sequence = frames::append(writer, self.salt, &mut self.bytes)?;
            self.ledger.update(|known| known.appended = sequence);
        }
        Ok(())
    }

    /// As `append`, and now and then somebody waits for durability.
    fn append_waiting(&mut self, writer: &mut Writer, per_mille: u64) -> Result<(), JournalError> {
        let durability = writer.durability();
        let steps = self.shape.frames * per_mille / 1000 / (self.shape.step_frames * 2);
        for step in 0..steps {
            for _ in 0..self.shape.step_frames * 2 {
                let sequence = frames::append(writer, self.salt, &mut self.bytes)?;
                self.ledger.update(|known| known.appended = sequence);
            }
            if step % 3 == 0 {
                writer.end_page();
            }
            durability.ask(writer.next_sequence() - 1);
            writer.assist();
            writer.poll_health()?;
        }
        Ok(())
    }

    /// A snapshot behind the last frame.
    fn snapshot(&mut self) -> Result<(), JournalError> {
        let sequence = self.ledger.known().appended;
        // Right behind the last frame, whatever frames of the journal's own follow it.
        let reader = acth_journal::Reader::open_behind(place(self.storage), sequence)?;
        let snapshot = snapshot_behind(&reader);
        self.ledger
            .update(|known| known.snapshots.push((sequence, false)));
        Snapshots::of(place(self.storage)).write(&snapshot)?;
        self.ledger.update(|known| {
            for (_, is_kept) in known.snapshots.iter_mut().filter(|kept| kept.0 == sequence) {
                *is_kept = true;
            }
        });
        Ok(())
    }

    fn prune(&mut self, keep: u64) -> Result<(), JournalError> {
        self.ledger.update(|known| {
            let newest = known.snapshots.iter().map(|kept| kept.0).max();
            known.first_max = newest.unwrap_or(1);
        });
        prune(place(self.storage), Keep::Segments(keep))?;
        Ok(())
    }

    /// Snapshots and prunes in between keep the journal as short as one in use is kept: about as long as this part.
    fn append_and_prune(&mut self, writer: &mut Writer, parts: u64) -> Result<(), JournalError> {
        for _ in 0..parts {
            self.append(writer, 50)?;
            self.snapshot()?;
            self.prune(3)?;
        }
        Ok(())
    }

    /// Only the newest two snapshots stay.
    fn prune_snapshots(&mut self) -> Result<(), JournalError> {
        self.ledger.update(|known| {
            known.snapshots.dedup_by_key(|kept| kept.0);
            let old = known.snapshots.len().saturating_sub(2);
            let old = known.snapshots[..old].iter_mut();
            old.for_each(|kept| kept.1 = false);
        });
        Snapshots::of(place(self.storage)).prune(2)?;
        Ok(())
    }

    /// Ends without a seal.
    fn process_part(&mut self) -> Result<(), JournalError> {
        let mut writer = self.create(SyncMode::Process)?;
        self.append(&mut writer, 60)?;
        self.snapshot()?;
        self.append(&mut writer, 40)?;
        archive(place(self.storage), 2, 1, &mut |_, _| {})?;
        self.append(&mut writer, 10)?;
        self.prune(3)?;
        self.append_and_prune(&mut writer, 4)?;
        self.ledger.leave();
        drop(writer);
        Ok(())
    }

    fn interval_part(&mut self) -> Result<(), JournalError> {
        let mut writer = self.open(SyncMode::INTERVAL_DEFAULT)?;
        self.append_and_prune(&mut writer, 5)?;
        self.append(&mut writer, 40)?;
        // Twice at one place: the first one must be there until the second one is.
        self.snapshot()?;
        self.snapshot()?;
        self.prune_snapshots()?;
        let sealed = writer.seal()?;
        self.ledger
            .update(|known| known.durable = sealed.last_sequence);
        self.ledger.leave();
        Ok(())
    }

    fn gated_part(&mut self) -> Result<(), JournalError> {
        let mut writer = self.open(SyncMode::GATED_DEFAULT)?;
        self.append_waiting(&mut writer, 60)?;
        self.append_and_prune(&mut writer, 2)?;
        sign(place(self.storage), &[7; 32], &mut |_, _| {})?;
        archive(place(self.storage), 3, 1, &mut |_, _| {})?;
        self.append_and_prune(&mut writer, 3)?;
        self.append_waiting(&mut writer, 50)?;
        self.ledger.leave();
        drop(writer);
        Ok(())
    }

    fn repair_part(&mut self) -> Result<(), JournalError> {
        self.give_up(9)?;
        let mut writer = self.open(SyncMode::INTERVAL_DEFAULT)?;
        self.append(&mut writer, 10)?;
        self.append_and_prune(&mut writer, 2)?;
        self.append(&mut writer, 20)?;
        let sealed = writer.seal()?;
        self.ledger
            .update(|known| known.durable = sealed.last_sequence);
        self.ledger.leave();
        Ok(())
    }

    /// An operator gives up the last frames; what comes next has their numbers.
    fn give_up(&mut self, count: u64) -> Result<(), JournalError> {
        // A last run of a few frames: it goes as a whole, and its id must never be given out again.
        let mut writer = self.open(SyncMode::Process)?;
        for _ in 0..count / 2 {
            let sequence = frames::append(&mut writer, self.salt, &mut self.bytes)?;
            self.ledger.update(|known| known.appended = sequence);
        }
        self.ledger.leave();
        drop(writer);
        let until = self.ledger.known().appended - count;
        self.ledger.update(|known| {
            known.given_up_behind = Some(until);
            known.durable = known.durable.min(until);
            known
                .snapshots
                .iter_mut()
                .for_each(|kept| kept.1 &= kept.0 <= until);
        });
        repair(place(self.storage), until)?;
        self.ledger.update(|known| {
            known.is_given_up = true;
            known.appended = until;
            known.durable = until;
            known.snapshots.retain(|kept| kept.0 <= until);
        });
        self.salt = 1;
        Ok(())
    }
}

/// The snapshot that the script makes where a reader stands: its content follows from its sequence.
pub fn snapshot_behind(reader: &acth_journal::Reader) -> Snapshot {
    let sequence = reader.next_sequence() - 1;
    Snapshot {
        sequence,
        chain: reader.chain(),
        run_id: reader.run_id(),
        created_ns: 1,
        state_hash: sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        content: sequence.to_le_bytes().repeat(900),
    }
}
