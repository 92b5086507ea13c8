//! Suite 3, the journal's part: random operations on a journal and on its naive twin, a list of frames. Whatever is asked, both
//! answer the same.

use std::collections::BTreeMap;

use acth_journal::{
    FIRST_USER_KIND, JournalError, Keep, Reader, Snapshot, Snapshots, SyncMode, Tail, Writer,
    archive, prune, repair, verify,
};

use super::{
    Failure, Report,
    script::{options, place},
};
use crate::{random::Random, storage_sim::SimStorage};

/// Operations of one case, at most.
const OPERATIONS_MAX: u64 = 24;
const SEGMENT_BYTES: [u64; 3] = [8 << 10, 12 << 10, 16 << 10];

#[derive(Clone, Debug, PartialEq, Eq)]
struct TwinFrame {
    kind: u16,
    time_ns: i64,
    cause: u64,
    payload: Vec<u8>,
}

/// Runs so many cases.
///
/// # Errors
/// The first case in which journal and twin differ.
pub fn run(seed: u64, cases: u64) -> Result<Report, Failure> {
    let mut operations = 0;
    let mut frames = 0;
    for case in 0..cases {
        let case_seed = seed.wrapping_add(case);
        let mut twin = Twin::new(case_seed);
        if let Err(what) = twin.live() {
            return Err(Failure {
                cases: case + 1,
                what: format!("{what}; operations: {:?}", twin.done),
                again: format!(
                    "ACTH_SEED={case_seed} ACTH_CASES=1 cargo test -p acth-tests --test twin -- --nocapture"
                ),
            });
        }
        operations += twin.done.len();
        frames += twin.appended;
    }
    Ok(Report {
        suite: "naive twin",
        cases,
        seed,
        detail: format!("{operations} operations, {frames} frames appended"),
    })
}

struct Twin {
    storage: SimStorage,
    random: Random,
    segment_bytes: u64,
    writer: Option<Writer>,
    is_begun: bool,
    is_sealed: bool,
    /// Frame 1 and all behind it, pruned ones included.
    frames: Vec<TwinFrame>,
    first: u64,
    snapshots: BTreeMap<u64, Vec<u8>>,
    appended: u64,
    done: Vec<String>,
}

type Checked = Result<(), String>;

fn told<T>(what: &str, answer: Result<T, JournalError>) -> Result<T, String> {
    answer.map_err(|error| format!("{what}: {error}"))
}

impl Twin {
    fn new(seed: u64) -> Self {
        let mut random = Random::of(seed);
        Self {
            storage: SimStorage::default(),
            segment_bytes: SEGMENT_BYTES[random.below(3) as usize],
            random,
            writer: None,
            is_begun: false,
            is_sealed: false,
            frames: Vec::new(),
            first: 1,
            snapshots: BTreeMap::new(),
            appended: 0,
            done: Vec::new(),
        }
    }

    fn last(&self) -> u64 {
        self.frames.len() as u64
    }

    fn live(&mut self) -> Checked {
        let count = 4 + self.random.below(OPERATIONS_MAX);
        for _ in 0..count {
            self.step()?;
        }
        self.end()?;
        self.read()
    }

    fn step(&mut self) -> Checked {
        let operation = self.random.below(16);
        self.done.push(format!("{operation}"));
        match operation {
            0..=4 => self.append(),
            5 => self.seal(),
            6 => self.end(),
            7 => self.begin().map(|_| ()),
            8 => self.read(),
            9 | 10 => self.open_behind(),
            11 => self.archive(),
            12 => self.prune(),
            13 => self.repair(),
            14 => self.snapshot(),
            _ => self.newest(),
        }
    }

    /// The writer, begun if there is none.
    fn begin(&mut self) -> Result<&mut Writer, String> {
        if self.writer.is_none() {
            let sync = match self.random.below(3) {
                0 => SyncMode::Process,
                1 => SyncMode::INTERVAL_DEFAULT,
                _ => SyncMode::GATED_DEFAULT,
            };
            let options = options(self.segment_bytes, sync);
            let writer = if self.is_begun {
                let (writer, recovery) =
                    told("open", Writer::open(place(&self.storage), &options))?;
                if recovery.last_sequence != self.last() || recovery.cut.is_some() {
                    return Err(format!(
                        "recovery finds {recovery:?}, expected {}",
                        self.last()
                    ));
                }
                writer
            } else {
                told("create", Writer::create(place(&self.storage), &options))?
            };
            (self.is_begun, self.is_sealed) = (true, false);
            self.writer = Some(writer);
        }
        self.writer.as_mut().ok_or_else(String::new)
    }

    fn append(&mut self) -> Checked {
        let count = 1 + self.random.below(40);
        for _ in 0..count {
            let max = self.begin()?.payload_bytes_max() as u64;
            let length = match self.random.below(40) {
                0 => max,
                1 => max - self.random.below(16),
                2..=6 => 0,
                _ => self.random.below(200),
            };
            let byte = self.random.next_bits() as u8;
            let frame = TwinFrame {
                kind: FIRST_USER_KIND + self.random.below(60_000) as u16,
                time_ns: self.random.next_bits().cast_signed(),
                cause: self.random.next_bits(),
                payload: vec![byte; length as usize],
            };
            let is_assisted = self.random.chance(2);
            let expected = self.last() + 1;
            let writer = self.begin()?;
            let refused = writer.append(frame.kind, 0, 0, &vec![0; max as usize + 1]);
            if !matches!(refused, Err(JournalError::PayloadTooLarge { .. })) {
                return Err("a payload that is too large is taken".to_owned());
            }
            let appended = writer.append(frame.kind, frame.time_ns, frame.cause, &frame.payload);
            if told("append", appended)? != expected {
                return Err(format!("another sequence than {expected}"));
            }
            if is_assisted {
                writer.assist();
                told("health", writer.poll_health())?;
            }
            self.frames.push(frame);
            self.appended += 1;
        }
        Ok(())
    }

    fn seal(&mut self) -> Checked {
        let Some(writer) = self.writer.take() else {
            return Ok(());
        };
        let sealed = told("seal", writer.seal())?;
        self.is_sealed = true;
        if sealed.last_sequence == self.last() {
            Ok(())
        } else {
            Err(format!("sealed at {sealed:?}, expected {}", self.last()))
        }
    }

    fn end(&mut self) -> Checked {
        self.writer = None;
        Ok(())
    }

    fn read(&mut self) -> Checked {
        if !self.is_begun {
            let opened = Reader::open(place(&self.storage));
            return match opened {
                Err(JournalError::NotFound { .. }) => Ok(()),
                _ => Err("a journal that was never begun is read".to_owned()),
            };
        }
        let mut reader = told("open a reader", Reader::open(place(&self.storage)))?;
        self.compare(&mut reader, self.first)?;
        let expected = if self.is_sealed {
            Tail::Sealed
        } else {
            Tail::Open
        };
        if reader.tail() != expected {
            return Err(format!(
                "it ends {:?}, expected {expected:?}",
                reader.tail()
            ));
        }
        let found = told("verify", verify(place(&self.storage), &mut |_, _| {}))?;
        let frames = self.last() + 1 - self.first;
        if found.frames != frames {
            return Err(format!("{} frames verify, expected {frames}", found.frames));
        }
        Ok(())
    }

    /// All frames from this one on.
    fn compare(&self, reader: &mut Reader, from: u64) -> Checked {
        for sequence in from..=self.last() {
            let Some(frame) = told("next", reader.next())? else {
                return Err(format!("frame {sequence} is not delivered"));
            };
            let expected = &self.frames[sequence as usize - 1];
            let is_equal = frame.sequence == sequence
                && frame.kind == expected.kind
                && frame.time_ns == expected.time_ns
                && frame.cause == expected.cause
                && frame.payload == &expected.payload[..];
            if !is_equal {
                return Err(format!("frame {sequence} is delivered otherwise"));
            }
        }
        match told("next", reader.next())? {
            None => Ok(()),
            Some(frame) => Err(format!("frame {} was never appended", frame.sequence)),
        }
    }

    fn open_behind(&mut self) -> Checked {
        if !self.is_begun {
            return Ok(());
        }
        let sequence = self.random.below(self.last() + 3);
        let opened = Reader::open_behind(place(&self.storage), sequence);
        let is_there = sequence == 0 || (self.first..=self.last()).contains(&sequence);
        match opened {
            Ok(mut reader) if is_there => self.compare(&mut reader, (sequence + 1).max(self.first)),
            Err(JournalError::NoSuchSequence { .. }) if !is_there => Ok(()),
            Ok(_) => Err(format!("frame {sequence} is found")),
            Err(error) => Err(format!("behind frame {sequence}: {error}")),
        }
    }

    fn archive(&mut self) -> Checked {
        if self.is_begun {
            let keep = self.random.below(4);
            told(
                "archive",
                archive(place(&self.storage), keep, 1, &mut |_, _| {}),
            )?;
        }
        Ok(())
    }

    fn prune(&mut self) -> Checked {
        if !self.is_begun || self.frames.is_empty() {
            return Ok(());
        }
        let keep = Keep::Segments(self.random.below(4));
        let pruned = told("prune", prune(place(&self.storage), keep))?;
        let newest = self.snapshots.keys().next_back().copied().unwrap_or(1);
        let first = pruned.first_sequence;
        if first < self.first || first > newest.max(self.first) {
            return Err(format!(
                "pruned to {first}, was {}, snapshot {newest}",
                self.first
            ));
        }
        self.first = first;
        Ok(())
    }

    fn repair(&mut self) -> Checked {
        if !self.is_begun {
            return Ok(());
        }
        let until = self.random.below(self.last() + 3);
        let repaired = repair(place(&self.storage), until);
        let is_there = (self.first - 1..=self.last()).contains(&until);
        match repaired {
            Err(JournalError::Locked { .. }) if self.writer.is_some() => Ok(()),
            Err(JournalError::NoSuchSequence { .. }) if !is_there => Ok(()),
            Ok(found) if is_there && self.writer.is_none() && found.last_sequence == until => {
                self.frames.truncate(until as usize);
                self.snapshots.retain(|sequence, _| *sequence <= until);
                self.is_sealed = true;
                self.read()
            }
            other => Err(format!("repair until {until}: {other:?}")),
        }
    }

    fn snapshot(&mut self) -> Checked {
        if self.last() < self.first {
            return Ok(());
        }
        let sequence = self.first + self.random.below(self.last() + 1 - self.first);
        let reader = Reader::open_behind(place(&self.storage), sequence);
        let reader = told("a reader for a snapshot", reader)?;
        let content = vec![self.random.next_bits() as u8; self.random.below(6000) as usize];
        let snapshot = Snapshot {
            sequence,
            chain: reader.chain(),
            run_id: reader.run_id(),
            created_ns: 0,
            state_hash: sequence,
            content: content.clone(),
        };
        told(
            "write a snapshot",
            Snapshots::of(place(&self.storage)).write(&snapshot),
        )?;
        self.snapshots.insert(sequence, content);
        Ok(())
    }

    fn newest(&mut self) -> Checked {
        if !self.is_begun {
            return Ok(());
        }
        let until = self.random.below(self.last() + 2);
        let found = Snapshots::of(place(&self.storage)).newest_good(until);
        let (found, _) = told("the newest snapshot", found)?;
        let mut expected = self.snapshots.range(self.first..=until.max(self.first));
        let expected = expected
            .next_back()
            .filter(|(sequence, _)| **sequence <= until);
        match (found, expected) {
            (None, None) => Ok(()),
            (Some((snapshot, mut reader)), Some((sequence, content)))
                if snapshot.sequence == *sequence && snapshot.content == *content =>
            {
                self.compare(&mut reader, sequence + 1)
            }
            (found, expected) => Err(format!(
                "snapshot {:?} until {until}, expected {:?}",
                found.map(|(snapshot, _)| snapshot.sequence),
                expected.map(|(sequence, _)| sequence)
            )),
        }
    }
}
