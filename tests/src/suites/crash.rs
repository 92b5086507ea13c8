//! Suite 6: the script is stopped before and after every call of the storage that changes something; of each moment are made what
//! the death of the process leaves and what the death of the machine may leave; and each of these is recovered, one in ten
//! with another death in the middle of it.
//!
//! Checked of each: everything that was said to be durable is there (after the death of the process alone: everything that was
//! appended), with the right bytes, in order, without a gap and with nothing that was not appended; a second recovery finds the
//! same; no run id is given out twice; snapshots that were said to be kept are, and none stands behind a frame that is
//! not there; the journal goes on, is sealed and verifies.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use acth_journal::{JournalError, Reader, Snapshots, SyncMode, Tail, Writer, verify};

use super::{
    Failure, Report, frames,
    script::{JOURNAL, Known, Ledger, Script, Shape, options, place, snapshot_behind},
};
use crate::{
    random::Random,
    storage_sim::{Frozen, LOSSES, Loss, SimStorage},
};

/// Images in ten that are crashed once more while they are recovered.
const CRASHED_AGAIN_IN_TEN: u64 = 1;
/// A second death comes at one of the first so many moments of a recovery.
const RECOVERY_MOMENTS: u64 = 40;
/// Images in ten in which the next run makes a snapshot.
const SNAPSHOT_IN_TEN: u64 = 2;
/// Frames that the next run appends.
const NEXT_FRAMES: u64 = 3;
/// As many frames are appended to reach the place of a snapshot of a lost frame.
const REACH_FRAMES_MAX: u64 = 400;

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Amount {
    /// Images at least; whole rounds of the script are done until then.
    pub images: u64,
    /// One of this many moments is taken.
    pub stride: u64,
    /// The script.
    pub shape: Shape,
    /// Only this moment.
    pub only: Option<u64>,
}

impl Amount {
    /// Every moment of the whole script once.
    pub fn full(seed: u64) -> Self {
        Self {
            images: 1,
            stride: 1,
            shape: Shape::full(seed),
            only: None,
        }
    }

    /// A small script, for planted bugs.
    pub fn small(seed: u64) -> Self {
        Self {
            shape: Shape::small(seed),
            ..Self::full(seed)
        }
    }
}

#[derive(Default)]
struct Counts {
    moments: AtomicU64,
    images: AtomicU64,
    again: AtomicU64,
    effects: AtomicU64,
    is_over: AtomicBool,
    failure: Mutex<Option<Failure>>,
}

impl Counts {
    fn fail(&self, failure: Failure) {
        let mut kept = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get_or_insert(failure);
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// Runs the suite, on as many threads as there are processors.
///
/// # Errors
/// The first image that is not recovered as it must be.
pub fn run(amount: Amount) -> Result<Report, Failure> {
    let counts = Arc::new(Counts::default());
    let mut rounds = 0;
    while counts.images.load(Ordering::Relaxed) < amount.images.max(1) {
        let shape = Shape {
            seed: amount.shape.seed.wrapping_add(rounds),
            ..amount.shape
        };
        round(&Amount { shape, ..amount }, &counts);
        let mut failure = counts
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(failure) = failure.take() {
            return Err(failure);
        }
        rounds += 1;
    }
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    Ok(Report {
        suite: "crash points",
        cases: count(&counts.images),
        seed: amount.shape.seed,
        detail: format!(
            "{} rounds of {} frames, {} changing calls, {} moments x {} images, {} of them crashed again in recovery",
            rounds,
            amount.shape.frames,
            count(&counts.effects),
            count(&counts.moments),
            LOSSES.len() + 1,
            count(&counts.again),
        ),
    })
}

/// One run of the script on each thread; every thread takes its share of the moments.
fn round(amount: &Amount, counts: &Arc<Counts>) {
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    std::thread::scope(|scope| {
        for share in 0..threads {
            scope.spawn(move || {
                let storage = SimStorage::default();
                let ledger = Ledger::default();
                hook_up(&storage, &ledger, amount, counts, (share, threads));
                let ended = Script::new(&storage, &ledger, amount.shape).run();
                if share == 0 {
                    counts
                        .effects
                        .fetch_add(storage.effects(), Ordering::Relaxed);
                }
                if let Err(error) = ended {
                    counts.fail(failure(amount, 0, 0, format!("the script itself: {error}")));
                }
            });
        }
    });
}

fn failure(amount: &Amount, cases: u64, moment: u64, what: String) -> Failure {
    let seed = amount.shape.seed;
    let again = format!(
        "ACTH_SEED={seed} ACTH_CRASH_POINT={moment} cargo test -p acth-tests --test crash -- --nocapture"
    );
    Failure { cases, what, again }
}

/// Has every moment of this thread's share tried.
fn hook_up(
    storage: &SimStorage,
    ledger: &Ledger,
    amount: &Amount,
    counts: &Arc<Counts>,
    share: (u64, u64),
) {
    let (amount, counts, ledger) = (*amount, Arc::clone(counts), ledger.clone());
    storage.set_hook(Some(Arc::new(move |storage: &SimStorage, moment: u64| {
        let is_mine = (moment / amount.stride) % share.1 == share.0;
        let is_wanted = amount
            .only
            .map_or(moment.is_multiple_of(amount.stride), |only| only == moment);
        if !is_mine || !is_wanted || counts.is_over.load(Ordering::Relaxed) {
            return;
        }
        counts.moments.fetch_add(1, Ordering::Relaxed);
        let frozen = storage.freeze();
        let mut random = Random::of(amount.shape.seed ^ (moment << 20));
        let known = ledger.known();
        for image in 0..=LOSSES.len() {
            let cases = counts.images.fetch_add(1, Ordering::Relaxed) + 1;
            let loss = image.checked_sub(1).map(|index| LOSSES[index]);
            let mut trial = Trial {
                shape: amount.shape,
                known: known.clone(),
                is_process_death: loss.is_none(),
                random: &mut random,
            };
            match trial.image(&frozen, loss) {
                Ok(is_again) => {
                    counts
                        .again
                        .fetch_add(u64::from(is_again), Ordering::Relaxed);
                }
                Err(what) => {
                    let what = format!(
                        "moment {moment}, image {image} ({loss:?}): {what}; known: {known:?}"
                    );
                    counts.fail(failure(&amount, cases, moment, what));
                }
            }
        }
    })));
}

/// One image and what must be found in it.
struct Trial<'a> {
    shape: Shape,
    known: Known,
    /// Nothing at all may be lost.
    is_process_death: bool,
    random: &'a mut Random,
}

impl Trial<'_> {
    /// Makes the image and has it recovered; true when it was crashed again in between.
    fn image(&mut self, frozen: &Frozen, loss: Option<Loss>) -> Result<bool, String> {
        let mut storage = self.die(frozen, loss);
        let is_again = self.random.chance(CRASHED_AGAIN_IN_TEN);
        if is_again {
            let loss = match self.random.below(2) {
                0 => None,
                _ => Some(LOSSES[self.random.below(LOSSES.len() as u64) as usize]),
            };
            let moment = self.random.below(RECOVERY_MOMENTS);
            storage = self
                .die_in_recovery(&storage, moment, loss)
                .map_err(|what| format!("first recovery, to die at its moment {moment}: {what}"))?;
            self.is_process_death &= loss.is_none();
            self.recover(&storage).map_err(|what| {
                format!("died again at moment {moment} of recovery ({loss:?}): {what}")
            })?;
        } else {
            self.recover(&storage)?;
        }
        Ok(is_again)
    }

    fn die(&mut self, frozen: &Frozen, loss: Option<Loss>) -> SimStorage {
        match loss {
            None => frozen.process_death(),
            Some(loss) => frozen.machine_death(loss, self.random),
        }
    }

    fn die_in_recovery(
        &mut self,
        storage: &SimStorage,
        moment: u64,
        loss: Option<Loss>,
    ) -> Result<SimStorage, String> {
        storage.stop_at(moment);
        let opened = Writer::open(place(storage), &self.options());
        let frozen = match (storage.stopped(), opened) {
            (Some(frozen), _) => frozen,
            // It was through before that; a journal that is not there yet is judged by `recover`.
            (None, Ok(_) | Err(JournalError::NotFound { .. })) => storage.freeze(),
            (None, Err(error)) => return Err(error.to_string()),
        };
        Ok(self.die(&frozen, loss))
    }

    fn options(&self) -> acth_journal::JournalOptions {
        options(self.shape.segment_bytes, SyncMode::Process)
    }

    /// Last sequences that the journal may have.
    fn allowed(&self) -> (u64, u64) {
        let known = &self.known;
        let at_least = match known.given_up_behind {
            Some(until) if !known.is_given_up => known.durable.min(until),
            _ if self.is_process_death => known.appended,
            _ => known.durable,
        };
        (at_least, known.appended)
    }

    /// Opens, reads, opens again, goes on, seals, verifies.
    fn recover(&mut self, storage: &SimStorage) -> Result<(), String> {
        let run_id_max = run_id_max(storage);
        let opened = Writer::open(place(storage), &self.options());
        let (writer, recovery) = match opened {
            Ok(opened) => opened,
            Err(JournalError::NotFound { .. }) => return self.begin_anew(storage),
            Err(error) => return Err(format!("opening: {error}")),
        };
        let last = recovery.last_sequence;
        let (at_least, at_most) = self.allowed();
        if !(at_least..=at_most).contains(&last) {
            return Err(format!(
                "the last frame is {last}, expected from {at_least} to {at_most} ({})",
                recovery.rule
            ));
        }
        if writer.run_id() <= run_id_max {
            let run_id = writer.run_id();
            return Err(format!("run {run_id} begins, but {run_id_max} was there"));
        }
        drop(writer);
        self.check_frames(storage, last)?;
        let marks = segment_marks(storage);
        let (mut writer, second) = Writer::open(place(storage), &self.options())
            .map_err(|error| format!("opening once more: {error}"))?;
        if second.last_sequence != last || second.cut.is_some() {
            return Err(format!("recovered again it ends otherwise: {second:?}"));
        }
        let marks_now = segment_marks(storage);
        if let Some(lost) = marks.iter().find(|mark| !marks_now.contains(mark)) {
            return Err(format!("the second recovery changed {}", lost.0));
        }
        self.go_on(storage, &mut writer)?;
        writer.seal().map_err(|error| format!("sealing: {error}"))?;
        self.check_whole(storage, last)
    }

    /// Nothing was there yet: then nothing was promised, and a journal can be made.
    fn begin_anew(&mut self, storage: &SimStorage) -> Result<(), String> {
        if self.allowed().0 > 0 {
            return Err("the journal is not there".to_owned());
        }
        let writer = Writer::create(place(storage), &self.options());
        writer
            .map_err(|error| format!("creating: {error}"))?
            .seal()
            .map_err(|error| format!("sealing: {error}"))?;
        Ok(())
    }

    /// Salts that the frames from a sequence on may have.
    fn salts(&self) -> (u64, &'static [u64]) {
        match (self.known.given_up_behind, self.known.is_given_up) {
            (Some(until), true) => (until + 1, &[1]),
            (Some(until), false) => (until + 1, &[0, 1]),
            (None, _) => (u64::MAX, &[0]),
        }
    }

    fn check_frames(&self, storage: &SimStorage, last: u64) -> Result<(), String> {
        let (salt_from, salts) = self.salts();
        let found = frames::read(place(storage), salt_from, salts)?;
        if found.last != last && last > 0 && found.first > 0 {
            return Err(format!("recovery says {last}, a reader {}", found.last));
        }
        if found.first > self.known.first_max.max(1) {
            let (first, max) = (found.first, self.known.first_max);
            return Err(format!(
                "it begins with frame {first}, expected {max} at most"
            ));
        }
        Ok(())
    }

    /// Snapshots first; then the next run appends as far as the place of one whose frame was lost.
    fn go_on(&mut self, storage: &SimStorage, writer: &mut Writer) -> Result<(), String> {
        let last = writer.next_sequence() - 1;
        let reach = self.check_snapshots(storage, last)?;
        let mut bytes = Vec::new();
        let count = reach
            .saturating_sub(last)
            .clamp(NEXT_FRAMES, REACH_FRAMES_MAX);
        for _ in 0..count {
            frames::append(writer, 9, &mut bytes).map_err(|error| format!("appending: {error}"))?;
        }
        // What stands behind a frame that is another one now must not be taken up.
        self.check_snapshots(storage, last)?;
        if self.random.chance(SNAPSHOT_IN_TEN) {
            self.keep_snapshot(storage, writer.next_sequence() - 1)?;
        }
        Ok(())
    }

    /// A snapshot of the next run is there when the machine dies right behind it, whatever an earlier death left half done.
    fn keep_snapshot(&mut self, storage: &SimStorage, sequence: u64) -> Result<(), String> {
        let told = |error: JournalError| format!("a snapshot of the next run: {error}");
        let reader = Reader::open_behind(place(storage), sequence).map_err(told)?;
        let snapshot = snapshot_behind(&reader);
        Snapshots::of(place(storage))
            .write(&snapshot)
            .map_err(told)?;
        let dead = storage.freeze().machine_death(Loss::None, self.random);
        let there = Snapshots::of(place(&dead)).sequences().map_err(told)?;
        if there.contains(&sequence) {
            Ok(())
        } else {
            Err(format!(
                "snapshot {sequence} of the next run was kept and is not there"
            ))
        }
    }

    /// What is found must have been made and stand at or before `last`; returns the highest sequence of all that are there.
    fn check_snapshots(&self, storage: &SimStorage, last: u64) -> Result<u64, String> {
        let snapshots = Snapshots::of(place(storage));
        let told = |error: JournalError| format!("snapshots: {error}");
        let there = snapshots.sequences().map_err(told)?;
        for (sequence, is_kept) in &self.known.snapshots {
            if *is_kept && !there.contains(sequence) {
                return Err(format!("snapshot {sequence} was kept and is not there"));
            }
        }
        let (found, _) = snapshots.newest_good(u64::MAX).map_err(told)?;
        let expected = self.known.snapshots.iter();
        let expected = expected
            .filter(|kept| kept.1 && kept.0 <= last)
            .map(|kept| kept.0)
            .max();
        let Some((snapshot, reader)) = found else {
            return match expected {
                Some(sequence) => Err(format!("snapshot {sequence} is not found good")),
                None => Ok(there.last().copied().unwrap_or(0)),
            };
        };
        let is_made = self
            .known
            .snapshots
            .iter()
            .any(|kept| kept.0 == snapshot.sequence);
        let made = snapshot_behind(&reader);
        let is_right = made.content == snapshot.content && made.state_hash == snapshot.state_hash;
        if !is_made || !is_right || snapshot.sequence > last || expected > Some(snapshot.sequence) {
            let sequence = snapshot.sequence;
            return Err(format!(
                "snapshot {sequence} is taken, expected {expected:?}"
            ));
        }
        Ok(there.last().copied().unwrap_or(0))
    }

    fn check_whole(&self, storage: &SimStorage, last: u64) -> Result<(), String> {
        let found = verify(place(storage), &mut |_, _| {})
            .map_err(|error| format!("verifying the sealed journal: {error}"))?;
        let is_whole = found.tail == Tail::Sealed
            && found.last_sequence >= last + NEXT_FRAMES
            && found.frames == found.last_sequence + 1 - found.first_sequence;
        if is_whole {
            Ok(())
        } else {
            Err(format!("the sealed journal is not whole: {found:?}"))
        }
    }
}

/// Name, length without zeros and checksum of every segment.
fn segment_marks(storage: &SimStorage) -> Vec<(String, usize, u32)> {
    let mut marks = Vec::new();
    for (path, bytes) in storage.files() {
        let name = path.to_string_lossy().into_owned();
        let used = bytes
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |at| at + 1);
        if path.parent() == Some(Path::new(JOURNAL)) && name.contains(".seg") && used > 0 {
            marks.push((name, used, crc32c::crc32c(&bytes[..used])));
        }
    }
    marks
}

/// The highest run id in any whole header, put away ones included.
fn run_id_max(storage: &SimStorage) -> u64 {
    let of = |bytes: &[u8]| -> Option<u64> {
        let crc = u32::from_le_bytes(*bytes.get(124..)?.first_chunk()?);
        let is_header = bytes.starts_with(b"ACTHJRNL") && crc32c::crc32c(&bytes[..124]) == crc;
        is_header.then_some(u64::from_le_bytes(*bytes[32..].first_chunk()?))
    };
    let files = storage.files();
    let ids = files
        .iter()
        .filter(|(path, _)| path.starts_with(JOURNAL))
        .filter_map(|(_, bytes)| of(bytes));
    ids.max().unwrap_or(0)
}
