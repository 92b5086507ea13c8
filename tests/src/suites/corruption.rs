//! Suite 7: damaged bytes. Every length to which a segment of 64 KiB can be cut, every single bit of it, many faults at once, and
//! every bit of the small files beside it.
//!
//! Of each: no frame is delivered that was not appended, nothing panics, everything before the damage is delivered, and the
//! verdict is the right one: damage is called so, and a tail is torn only where a death of process or machine leaves it so.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use acth_journal::{
    JournalError, Keep, Reader, Snapshots, Sync, Tail, Writer, archive, prune, sign, verify,
    verify_signed,
};

use super::{
    Failure, Report, frames,
    script::{JOURNAL, options, place, snapshot_behind},
};
use crate::{
    random::Random,
    storage_sim::{Loss, SimStorage},
};

const SEGMENT_BYTES: u64 = 64 << 10;
const HEADER_BYTES: usize = 128;
/// Faults at once, at most.
const FAULTS_MAX: u64 = 6;
const KEY: [u8; 32] = [7; 32];

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Amount {
    /// One of this many lengths and bits is tried.
    pub stride: u64,
    /// Cases with several faults.
    pub multi_faults: u64,
    /// What varies.
    pub seed: u64,
}

impl Amount {
    /// 65,536 lengths, 524,288 bits, 100,000 cases of several faults.
    pub fn full(seed: u64) -> Self {
        Self {
            stride: 1,
            multi_faults: 100_000,
            seed,
        }
    }

    /// One in `stride` of that.
    pub fn part(seed: u64, stride: u64) -> Self {
        Self {
            stride,
            multi_faults: 100_000 / stride,
            seed,
        }
    }
}

/// Runs the suite on as many threads as there are processors.
///
/// # Errors
/// The first damage that is not met as it must be.
pub fn run(amount: Amount) -> Result<Report, Failure> {
    let sample = Sample::new(amount.seed).map_err(|what| failure(&amount, 0, what))?;
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let found: Mutex<Vec<Result<Counts, Failure>>> = Mutex::default();
    std::thread::scope(|scope| {
        for share in 0..threads {
            let (sample, found) = (&sample, &found);
            scope.spawn(move || {
                let counts = sample.share(&amount, share, threads);
                found
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(counts);
            });
        }
    });
    let mut counts = Counts::default();
    for part in found.into_inner().unwrap_or_else(PoisonError::into_inner) {
        counts.add(part?);
    }
    counts.small_files = small_files(amount.stride).map_err(|what| failure(&amount, 0, what))?;
    Ok(Report {
        suite: "corruption",
        cases: counts.lengths + counts.bits + counts.other_boot + counts.multi + counts.small_files,
        seed: amount.seed,
        detail: format!(
            "{} lengths, {} bits, {} bits after a death of the machine, {} cases of several faults, {} bits of snapshots, \
             BASE, archives and signed heads",
            counts.lengths, counts.bits, counts.other_boot, counts.multi, counts.small_files
        ),
    })
}

fn failure(amount: &Amount, cases: u64, what: String) -> Failure {
    Failure {
        cases,
        what,
        again: format!(
            "ACTH_SEED={} ACTH_CORRUPTION_STRIDE={} cargo test -p acth-tests --test corruption -- --nocapture",
            amount.seed, amount.stride
        ),
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    lengths: u64,
    bits: u64,
    other_boot: u64,
    multi: u64,
    small_files: u64,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.lengths += other.lengths;
        self.bits += other.bits;
        self.other_boot += other.other_boot;
        self.multi += other.multi;
    }

    fn all(&self) -> u64 {
        self.lengths + self.bits + self.other_boot + self.multi
    }
}

fn segment_path() -> PathBuf {
    PathBuf::from(JOURNAL).join("0000000000.seg")
}

/// A journal of one segment whose run died, and where its frames are.
struct Sample {
    bytes: Vec<u8>,
    /// Where each frame begins, and where the last one ends.
    starts: Vec<usize>,
    /// What each frame says was durable.
    attested: Vec<u64>,
}

/// How reading ended.
type Ending = Result<Tail, JournalError>;

impl Sample {
    fn new(seed: u64) -> Result<Self, String> {
        let storage = SimStorage::default();
        let mut bytes = Vec::new();
        let mut random = Random::of(seed);
        let made = Writer::create(
            place(&storage),
            &options(SEGMENT_BYTES, Sync::GATED_DEFAULT),
        );
        let mut writer = made.map_err(|error| error.to_string())?;
        while writer.room_bytes() > 4096 {
            frames::append(&mut writer, 0, &mut bytes).map_err(|error| error.to_string())?;
            if random.below(60) == 0 {
                writer.durability().ask(writer.next_sequence() - 1);
                writer.assist();
            }
        }
        let bytes = storage.file(&segment_path()).unwrap_or_default();
        let mut starts = vec![HEADER_BYTES];
        let mut attested = Vec::new();
        while let Some(at) = starts.last().copied()
            && let Some(length) = word(&bytes, at)
            && length > 0
        {
            let lag = word(&bytes, at + 36).unwrap_or(u32::MAX);
            let sequence = u64::from(word(&bytes, at + 8).unwrap_or(0));
            attested.push(sequence.saturating_sub(u64::from(lag)));
            starts.push(at + length as usize);
        }
        Ok(Self {
            bytes,
            starts,
            attested,
        })
    }

    fn end(&self) -> usize {
        self.starts.last().copied().unwrap_or(HEADER_BYTES)
    }

    /// A machine that holds the sample, in its present boot or the next one.
    fn machine(&self, is_other_boot: bool) -> Result<SimStorage, String> {
        let storage = SimStorage::default();
        let made = Writer::create(place(&storage), &options(SEGMENT_BYTES, Sync::Process));
        drop(made.map_err(|error| error.to_string())?);
        storage.put_file(&segment_path(), &self.bytes);
        if is_other_boot {
            let frozen = storage.freeze();
            return Ok(frozen.machine_death(Loss::All, &mut Random::of(1)));
        }
        Ok(storage)
    }

    /// Reads; every frame is compared with what was appended.
    fn read(storage: &SimStorage) -> Result<(u64, Ending), String> {
        let read = || -> Result<(u64, Ending), String> {
            let mut reader = Reader::open(place(storage)).map_err(|error| error.to_string())?;
            let (mut count, mut bytes) = (0, Vec::new());
            loop {
                match reader.next() {
                    Ok(Some(frame)) => {
                        count += 1;
                        if frame.sequence != count || !frames::is_right(&frame, 0, &mut bytes) {
                            return Err(format!("frame {} is delivered wrong", frame.sequence));
                        }
                    }
                    Ok(None) => return Ok((count, Ok(reader.tail()))),
                    Err(error) => return Ok((count, Err(error))),
                }
            }
        };
        catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err("it panics".to_owned()))
    }

    /// How many whole frames of callers lie before this byte.
    fn frames_before(&self, byte: usize) -> u64 {
        let whole = self.starts.iter().skip(1).filter(|end| **end <= byte);
        let count = whole.count();
        (0..count).filter(|frame| self.is_data(*frame)).count() as u64
    }

    fn is_data(&self, frame: usize) -> bool {
        let kind = word(&self.bytes, self.starts[frame] + 32).unwrap_or(0) as u16;
        kind >= frames::KIND
    }

    /// This thread's share of everything.
    fn share(&self, amount: &Amount, share: u64, threads: u64) -> Result<Counts, Failure> {
        let mut counts = Counts::default();
        let done = self.share_of(amount, share, threads, &mut counts);
        done.map(|()| counts)
            .map_err(|what| failure(amount, counts.all(), what))
    }

    fn share_of(
        &self,
        amount: &Amount,
        share: u64,
        threads: u64,
        counts: &mut Counts,
    ) -> Result<(), String> {
        let step = (amount.stride * threads) as usize;
        let first = (amount.seed % amount.stride + share * amount.stride) as usize;
        let storage = self.machine(false)?;
        for bit in (first..self.bytes.len() * 8).step_by(step) {
            counts.bits += 1;
            let found = self.flip(&storage, bit)?;
            self.judge_bit(bit, found)
                .map_err(|what| format!("bit {bit}: {what}"))?;
        }
        let other = self.machine(true)?;
        for bit in (first..self.end() * 8).step_by(step * 8) {
            counts.other_boot += 1;
            let found = self.flip(&other, bit)?;
            self.judge_bit_later(bit, found)
                .map_err(|what| format!("bit {bit} after a death of the machine: {what}"))?;
        }
        let mut random = Random::of(amount.seed ^ (share << 32));
        for _ in 0..amount.multi_faults / threads {
            counts.multi += 1;
            let before = format!("{random:?}");
            self.multi_fault(&storage, &mut random)
                .map_err(|what| format!("several faults from {before}: {what}"))?;
        }
        for length in (first..=self.bytes.len()).step_by(step) {
            counts.lengths += 1;
            storage.put_file(&segment_path(), &self.bytes[..length]);
            let found = Self::read(&storage)?;
            self.judge_length(length, found)
                .map_err(|what| format!("length {length}: {what}"))?;
        }
        Ok(())
    }

    /// Reads with one bit flipped, and flips it back.
    fn flip(&self, storage: &SimStorage, bit: usize) -> Result<(u64, Ending), String> {
        let byte = self.bytes[bit / 8];
        storage.poke(&segment_path(), bit as u64 / 8, &[byte ^ (1 << (bit % 8))]);
        let found = Self::read(storage).map_err(|what| format!("bit {bit}: {what}"));
        storage.poke(&segment_path(), bit as u64 / 8, &[byte]);
        found
    }

    /// The frame with this byte; `None` = it lies in the header or behind the last frame.
    fn frame_at(&self, byte: usize) -> Option<usize> {
        let at = self.starts.iter().filter(|start| **start <= byte).count();
        (at > 0 && at < self.starts.len()).then(|| at - 1)
    }

    fn judge_bit(&self, bit: usize, (count, ending): (u64, Ending)) -> Result<(), String> {
        let byte = bit / 8;
        let place = match self.frame_at(byte) {
            Some(frame) => self.starts[frame],
            None if byte < HEADER_BYTES => 0,
            None => self.end(),
        };
        let expected = self.frames_before(place);
        if count != expected {
            return Err(format!("{count} frames, expected {expected}: {ending:?}"));
        }
        // Residue behind the end without a first word is what a death inside an append leaves.
        let is_residue = byte >= self.end() + 8;
        match ending {
            Ok(Tail::Torn { .. }) if is_residue => Ok(()),
            Err(JournalError::Damaged { offset, .. }) if !is_residue && offset == place as u64 => {
                Ok(())
            }
            other => Err(format!("the verdict is {other:?}")),
        }
    }

    /// After a death of the machine only what a later frame says was durable is sure to be damage.
    fn judge_bit_later(&self, bit: usize, (count, ending): (u64, Ending)) -> Result<(), String> {
        let Some(frame) = self.frame_at(bit / 8) else {
            return Ok(());
        };
        let expected = self.frames_before(self.starts[frame]);
        if count != expected {
            return Err(format!("{count} frames, expected {expected}: {ending:?}"));
        }
        let attested = |from: usize| self.attested.iter().skip(from).max().copied().unwrap_or(0);
        match ending {
            // The frame behind may fail as well, when the flipped bit is in the checksum that it chains to.
            Ok(Tail::Torn { .. }) if expected < attested(frame + 2) => {
                Err("what was durable is cut off".to_owned())
            }
            Err(_) if expected >= attested(frame + 1) => {
                Err("what was not durable is called damage".to_owned())
            }
            Ok(Tail::Torn { .. }) | Err(JournalError::Damaged { .. }) => Ok(()),
            other => Err(format!("the verdict is {other:?}")),
        }
    }

    fn judge_length(&self, length: usize, (count, ending): (u64, Ending)) -> Result<(), String> {
        let expected = self.frames_before(length);
        if count != expected {
            return Err(format!("{count} frames, expected {expected}: {ending:?}"));
        }
        let is_border = length == 0 || length >= self.end() || self.starts.contains(&length);
        match ending {
            Ok(Tail::Open) if is_border => Ok(()),
            Ok(Tail::Torn { .. }) if !is_border && length >= HEADER_BYTES => Ok(()),
            Err(JournalError::Damaged { offset: 0, .. }) if length < HEADER_BYTES => Ok(()),
            other => Err(format!("the verdict is {other:?}")),
        }
    }

    fn multi_fault(&self, storage: &SimStorage, random: &mut Random) -> Result<(), String> {
        let mut bytes = self.bytes.clone();
        for _ in 0..=random.below(FAULTS_MAX) {
            self.damage(&mut bytes, random);
        }
        let first = bytes
            .iter()
            .zip(&self.bytes)
            .position(|(new, old)| new != old);
        storage.put_file(&segment_path(), &bytes);
        let (count, ending) = Self::read(storage)?;
        storage.put_file(&segment_path(), &self.bytes);
        let at = first.unwrap_or_else(|| bytes.len().min(self.bytes.len()));
        let expected = match self.frame_at(at) {
            Some(frame) => self.frames_before(self.starts[frame]),
            None if at < HEADER_BYTES => 0,
            None => self.frames_before(at),
        };
        let is_silent = ending.is_ok_and(|tail| tail == Tail::Open)
            && count < self.frames_before(self.end())
            && bytes.len() == self.bytes.len()
            && bytes[at..].iter().any(|byte| *byte != 0);
        if count != expected || is_silent {
            return Err(format!(
                "{count} frames, expected {expected}, silently {is_silent}"
            ));
        }
        Ok(())
    }

    /// One fault of a random kind.
    fn damage(&self, bytes: &mut [u8], random: &mut Random) {
        let mut below = |bound: usize| random.below(bound as u64) as usize;
        let length = bytes.len();
        if length == 0 {
            return;
        }
        match below(6) {
            0 | 1 => bytes[below(length)] ^= 1 << below(8),
            2 => {
                let from = below(length);
                let to = (from + below(600)).min(length);
                bytes[from..to].fill(0);
            }
            3 => {
                // A whole frame at another place.
                let (source, target) = (below(self.starts.len() - 1), below(self.starts.len() - 1));
                let frame = self.bytes[self.starts[source]..self.starts[source + 1]].to_vec();
                let end = (self.starts[target] + frame.len()).min(length);
                let start = self.starts[target].min(end);
                bytes[start..end].copy_from_slice(&frame[..end - start]);
            }
            4 => {
                // Bytes of another page.
                let (source, target) = (below(length / 512), below(length / 512));
                bytes.copy_within(source * 512..source * 512 + 512, target * 512);
            }
            _ => {
                let from = below(length);
                for byte in bytes.iter_mut().skip(from).take(24) {
                    *byte = below(256) as u8;
                }
            }
        }
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Every bit of a snapshot, of BASE, of an archive and of a signed head; returns how many.
fn small_files(stride: u64) -> Result<u64, String> {
    let (storage, until) = small_journal().map_err(|error| error.to_string())?;
    let mut count = 0;
    let files = storage.files();
    let whole = verify(place(&storage), &mut |_, _| {}).map_err(|error| error.to_string())?;
    let signed = sign(place(&storage), &KEY, &mut |_, _| {}).map_err(|error| error.to_string())?;
    let expected = Expected {
        until,
        whole,
        public_key: signed.1.public_key,
    };
    for (path, bytes) in files {
        let name = path.to_string_lossy().into_owned();
        let is_wanted = [".snap", "BASE", ".zst", ".head"];
        if !is_wanted.iter().any(|part| name.ends_with(part)) {
            continue;
        }
        let step = if name.ends_with(".zst") {
            stride.max(3)
        } else {
            stride
        };
        for bit in (0..bytes.len() * 8).step_by(step as usize) {
            count += 1;
            let mut broken = bytes.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            storage.put_file(&path, &broken);
            let judge = || judge_small(&storage, &name, &expected);
            let found = catch_unwind(AssertUnwindSafe(judge));
            found
                .unwrap_or_else(|_| Err("it panics".to_owned()))
                .map_err(|what| format!("bit {bit} of {name}: {what}"))?;
        }
        storage.put_file(&path, &bytes);
    }
    Ok(count)
}

/// What the journal with the small files is when nothing is damaged.
struct Expected {
    /// Sequence of its snapshot.
    until: u64,
    whole: acth_journal::Verification,
    public_key: [u8; 32],
}

fn judge_small(storage: &SimStorage, name: &str, expected: &Expected) -> Result<(), String> {
    if name.ends_with(".snap") {
        let found = Snapshots::of(place(storage)).newest_good(u64::MAX);
        let (found, rejected) = found.map_err(|error| error.to_string())?;
        let is_passed_over = found.is_none_or(|(snapshot, _)| snapshot.sequence < expected.until);
        return match (is_passed_over, rejected.len()) {
            (true, 1..) => Ok(()),
            other => Err(format!("a damaged snapshot is taken: {other:?}")),
        };
    }
    if name.ends_with(".head") {
        return match verify_signed(place(storage), &expected.public_key, &[], &mut |_, _| {}) {
            Err(JournalError::Head { .. }) => Ok(()),
            other => Err(format!("{:?}", other.map(|_| "it holds"))),
        };
    }
    match verify(place(storage), &mut |_, _| {}) {
        Err(JournalError::Damaged { .. }) => Ok(()),
        // The frame that a compressor need not care about, such as the end mark of the content.
        Ok(found) if found == expected.whole && name.ends_with(".zst") => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

/// A pruned journal with archives, one snapshot at its end and a signed head; and the snapshot's sequence.
fn small_journal() -> Result<(SimStorage, u64), JournalError> {
    let storage = SimStorage::default();
    let mut bytes = Vec::new();
    let mut writer = Writer::create(place(&storage), &options(8192, Sync::GATED_DEFAULT))?;
    for _ in 0..500 {
        frames::append(&mut writer, 0, &mut bytes)?;
        writer.assist();
    }
    let sequence = writer.seal()?.last_sequence;
    let reader = Reader::open_behind(place(&storage), sequence)?;
    let mut snapshot = snapshot_behind(&reader);
    snapshot.content.truncate(200);
    Snapshots::of(place(&storage)).write(&snapshot)?;
    prune(place(&storage), Keep::Segments(3))?;
    archive(place(&storage), 1, 1, &mut |_, _| {})?;
    sign(place(&storage), &KEY, &mut |_, _| {})?;
    Ok((storage, sequence))
}
