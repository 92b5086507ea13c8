//! Replay: a journal in, the same machine driven by its inputs, every decision compared with the journaled one.
//!
//! Flat out and without any clock: time comes from the frames. On one thread or on three (reader, core, comparer); the
//! result is the same, since each of the three parts is the same code.
//!
//! A process killed inside an input leaves it with fewer decision frames than it leads to. That is no divergence at the
//! end of a journal or before the manifest of the run that went on from there; those decisions never left the host.

mod comparer;
mod item;
mod player;
mod sender;
mod stepper;

use std::{
    thread,
    time::{Duration, Instant},
};

use acth_core::{decision::Decision, event::EventError};

pub use self::stepper::{Stepped, Stepper};
use self::{
    comparer::{Check, Comparer},
    item::{FrameGate, Item},
    player::Player,
    sender::Sender,
};
use crate::{
    config::ThreadMode,
    journal::{Frames, JournalFault},
    machine::Machine,
    manifest::{ManifestError, RunManifest},
    placement,
    resume::Unfinished,
    ring::{Consumer, Producer, RING_SLOTS_DEFAULT, RingSizeError, Taken, ring},
    wait::{WaitChoice, Waiter},
};

/// How to replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayOptions {
    /// All in one loop, or reader, core and comparer on a thread each.
    pub threads: ThreadMode,
}

/// The first place where a machine decided otherwise than the journal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// Sequence of the decision's frame, or the one that it would have had.
    pub sequence: u64,
    /// Sequence of the input that led to it.
    pub cause: u64,
    /// What the journal holds; `None` = the machine decided one more.
    pub journaled: Option<Decision>,
    /// What the machine decided now; `None` = the journal holds one more.
    pub recomputed: Option<Decision>,
}

/// What a replay came to.
#[derive(Debug)]
pub struct ReplayOutcome<M> {
    /// The machine after the last input.
    pub machine: M,
    /// The manifest of the first run.
    pub manifest: RunManifest,
    /// Runs in the journal: the first and those that went on from it.
    pub runs: u64,
    /// True when every journaled decision was decided again, bit for bit.
    pub identical: bool,
    /// Where it was not.
    pub first_divergence: Option<Divergence>,
    /// Fold over the journaled decisions; equal to `RunOutcome::decision_hash` for one complete run.
    pub decision_hash_journaled: u64,
    /// Fold over the decisions decided now, without unfinished ones.
    pub decision_hash_recomputed: u64,
    /// The machine's own hash after the last input.
    pub state_hash: u64,
    /// Inputs applied.
    pub events: u64,
    /// Decisions in the journal.
    pub decisions: u64,
    /// Inputs that end a venue's market-data message.
    pub market_messages: u64,
    /// Book levels and trades applied.
    pub book_rows: u64,
    /// Decisions of an input whose frames a killed process no longer wrote.
    pub unfinished_decisions: u64,
    /// Those of the very last input: a run that goes on appends them first.
    pub open: Unfinished,
    /// Sequence of the last frame.
    pub last_sequence: u64,
    /// From the first frame to the last comparison.
    pub elapsed: Duration,
}

/// Why a replay could not be done.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The journal failed or is damaged.
    #[error("journal: {0}")]
    Journal(#[source] JournalFault),
    /// The journal holds no frame at all.
    #[error("the journal is empty: no manifest to build a machine from")]
    Empty,
    /// The first frame is no manifest.
    #[error("frame {sequence} of kind {kind:#06x} where the manifest was expected")]
    NoManifest {
        /// Its sequence.
        sequence: u64,
        /// Its kind.
        kind: u16,
    },
    /// A manifest cannot be read.
    #[error("frame {sequence}: {cause}")]
    Manifest {
        /// Its sequence.
        sequence: u64,
        /// What is wrong with it.
        cause: ManifestError,
    },
    /// A later run was made with another machine.
    #[error("frame {0}: the run that goes on here was made with another configuration")]
    ManifestChanged(u64),
    /// No machine could be built from the manifest.
    #[error("no machine for this manifest: {0}")]
    Machine(String),
    /// A frame of a kind that this version does not know.
    #[error("frame {sequence} of unknown kind {kind:#06x}")]
    Kind {
        /// Its sequence.
        sequence: u64,
        /// Its kind.
        kind: u16,
    },
    /// A frame whose payload is not what its kind says.
    #[error("frame {sequence} of kind {kind:#06x}: the payload is not one of that kind")]
    Payload {
        /// Its sequence.
        sequence: u64,
        /// Its kind.
        kind: u16,
    },
    /// An input that this version cannot have written.
    #[error("frame {sequence}: {cause}")]
    Event {
        /// Its sequence.
        sequence: u64,
        /// What is wrong with it.
        cause: EventError,
    },
    /// Frames are not in the order of history.
    #[error("frame {came} where frame {expected} was expected")]
    Order {
        /// The next in the order.
        expected: u64,
        /// What came.
        came: u64,
    },
    /// A ring could not be made.
    #[error(transparent)]
    Ring(#[from] RingSizeError),
    /// A thread of the replay panicked.
    #[error("the replay's {0} panicked")]
    Panicked(&'static str),
    /// A thread ended early; its own error says why.
    #[error("the replay was interrupted")]
    Interrupted,
}

/// Where a replay begins.
#[derive(Debug)]
pub struct ReplayStart<M> {
    /// The machine in its state behind the frame.
    pub machine: M,
    /// The manifest that the machine was built from.
    pub manifest: RunManifest,
    /// The frame; the next one that is read follows it.
    pub sequence: u64,
}

/// Replays a whole journal with a machine built from its first manifest.
///
/// # Errors
/// When the journal or a frame of it cannot be used. A machine that decides otherwise is no error but the outcome.
pub fn replay<M, F>(
    mut frames: F,
    build: impl FnOnce(&RunManifest) -> Result<M, String>,
    options: ReplayOptions,
) -> Result<ReplayOutcome<M>, ReplayError>
where
    M: Machine + Send,
    F: Frames,
{
    let start = begin(&mut frames, build)?;
    replay_from(frames, start, options)
}

/// Reads the manifest in front of a journal and builds the machine from it.
///
/// # Errors
/// When there is none, or no machine can be built.
pub fn begin<M, F: Frames>(
    frames: &mut F,
    build: impl FnOnce(&RunManifest) -> Result<M, String>,
) -> Result<ReplayStart<M>, ReplayError> {
    let (gate, manifest) = FrameGate::open(frames)?;
    Ok(ReplayStart {
        machine: build(&manifest).map_err(ReplayError::Machine)?,
        manifest,
        sequence: gate.last_sequence,
    })
}

/// Replays what follows a frame with a machine that is in its state behind that frame. Counts and hashes are of this part alone.
///
/// # Errors
/// As `replay`.
pub fn replay_from<M, F>(
    frames: F,
    start: ReplayStart<M>,
    options: ReplayOptions,
) -> Result<ReplayOutcome<M>, ReplayError>
where
    M: Machine + Send,
    F: Frames,
{
    let begun = Instant::now();
    let gate = FrameGate::behind(start.sequence, &start.manifest);
    let player = Player::new(start.machine);
    let parts = match options.threads {
        ThreadMode::Single => replay_single(frames, gate, player)?,
        ThreadMode::Dual | ThreadMode::Multi => replay_multi(frames, gate, player)?,
    };
    let (gate, player, comparer) = parts;
    let verdict = comparer.finish();
    Ok(ReplayOutcome {
        state_hash: player.machine.state_hash(),
        machine: player.machine,
        manifest: start.manifest,
        runs: gate.runs,
        identical: verdict.first_divergence.is_none(),
        first_divergence: verdict.first_divergence,
        decision_hash_journaled: verdict.hash_journaled,
        decision_hash_recomputed: verdict.hash_recomputed,
        events: player.events,
        decisions: verdict.decisions,
        market_messages: player.market_messages,
        book_rows: player.book_rows,
        unfinished_decisions: verdict.unfinished,
        open: verdict.open,
        last_sequence: gate.last_sequence,
        elapsed: begun.elapsed(),
    })
}

type Parts<M> = (FrameGate, Player<M>, Comparer);

fn replay_single<M: Machine, F: Frames>(
    mut frames: F,
    mut gate: FrameGate,
    mut player: Player<M>,
) -> Result<Parts<M>, ReplayError> {
    let mut comparer = Comparer::new();
    while let Some(frame) = gate.next(&mut frames)? {
        player.take(frame, &mut comparer)?;
    }
    Ok((gate, player, comparer))
}

/// Threads of the multi mode: reader, core, comparer.
const REPLAY_THREADS: usize = 3;

fn replay_multi<M: Machine + Send, F: Frames>(
    mut frames: F,
    mut gate: FrameGate,
    mut player: Player<M>,
) -> Result<Parts<M>, ReplayError> {
    let (items_in, items_out) = ring(RING_SLOTS_DEFAULT, Item::EMPTY)?;
    let (checks_in, checks_out) = ring(RING_SLOTS_DEFAULT, Check::EMPTY)?;
    let cores = placement::allowed_cores().len();
    let (wait, _) = WaitChoice::Auto.resolve(cores, REPLAY_THREADS);
    let waiter = Waiter::new(wait);
    let (read_waiter, play_waiter) = (waiter.clone(), waiter.clone());
    thread::scope(|scope| {
        let reader = scope.spawn(move || {
            read(&mut frames, &mut gate, items_in, read_waiter)?;
            Ok(gate)
        });
        let core = scope.spawn(move || {
            play(&mut player, items_out, checks_in, play_waiter)?;
            Ok(player)
        });
        let comparer = compare(checks_out, waiter);
        let core = core.join().map_err(|_| ReplayError::Panicked("core"))?;
        let reader = reader.join().map_err(|_| ReplayError::Panicked("reader"))?;
        // Whoever was merely interrupted by the other's end has nothing to say about the cause.
        match (reader, core) {
            (Ok(gate), Ok(player)) => Ok((gate, player, comparer?)),
            (Err(error), Err(ReplayError::Interrupted)) | (_, Err(error)) | (Err(error), _) => {
                Err(error)
            }
        }
    })
}

fn read<F: Frames>(
    frames: &mut F,
    gate: &mut FrameGate,
    mut items: Producer<Item>,
    mut waiter: Waiter,
) -> Result<(), ReplayError> {
    while let Some(frame) = gate.next(frames)? {
        let item = Item::of(&frame)?;
        items
            .publish(&mut waiter, |slot| *slot = item, || false)
            .map_err(|_| ReplayError::Interrupted)?;
    }
    Ok(())
}

/// Items or checks handled at once.
const BATCH: u64 = 64;

fn play<M: Machine>(
    player: &mut Player<M>,
    mut items: Consumer<Item>,
    checks: Producer<Check>,
    mut waiter: Waiter,
) -> Result<(), ReplayError> {
    let mut sender = Sender {
        checks,
        waiter: waiter.clone(),
    };
    loop {
        let taken = items.take(BATCH, |item, _| player.take(item.view(), &mut sender))?;
        match taken {
            Taken::Items(_) => waiter.reset(),
            Taken::Empty => waiter.idle(),
            Taken::Ended => return Ok(()),
        }
    }
}

fn compare(mut checks: Consumer<Check>, mut waiter: Waiter) -> Result<Comparer, ReplayError> {
    let mut comparer = Comparer::new();
    loop {
        match checks.take(BATCH, |check, _| comparer.take(check))? {
            Taken::Items(_) => waiter.reset(),
            Taken::Empty => waiter.idle(),
            Taken::Ended => return Ok(comparer),
        }
    }
}
