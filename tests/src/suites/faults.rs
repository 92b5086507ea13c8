//! Suite 8: one call of the storage fails, each call in turn, each in five ways.
//!
//! An interrupted call and a short count are continued: the script ends as if nothing had happened. Everything else ends the work
//! with a typed error; and then, on a healthy storage, everything that was appended is read and gone on from, after the death
//! of the machine everything that was said to be durable. After a failed sync of a segment the journal refuses to open
//! until a person accepts what is there.

use acth_journal::{JournalError, SyncMode, Tail, Writer, accept_unsynced, verify};

use super::{
    Failure, Report, frames,
    script::{Known, Ledger, Script, Shape, options, place},
};
use crate::{
    random::Random,
    storage_sim::{FAULTS, Fault, Loss, SimStorage},
};

/// The script of this suite: short, because it runs again for every call.
fn shape(seed: u64) -> Shape {
    Shape {
        frames: 300,
        segment_bytes: 8 << 10,
        step_frames: 12,
        seed,
    }
}

/// Tries every call of the script in every way, or one of `stride`.
///
/// # Errors
/// The first fault after which something is not as it must be.
pub fn run(seed: u64, stride: u64, only: Option<(u64, Fault)>) -> Result<Report, Failure> {
    let calls = healthy_calls(seed).map_err(|what| failure(seed, 0, (0, Fault::Device), what))?;
    let mut cases = 0;
    let mut marked = 0;
    for call in (1..=calls).step_by(stride.max(1) as usize) {
        for fault in FAULTS {
            if only.is_some_and(|only| only != (call, fault)) {
                continue;
            }
            match trial(seed, call, fault) {
                Ok(None) => {}
                Ok(Some(is_marked)) => {
                    cases += 1;
                    marked += u64::from(is_marked);
                }
                Err(what) => return Err(failure(seed, cases + 1, (call, fault), what)),
            }
        }
    }
    Ok(Report {
        suite: "storage faults",
        cases,
        seed,
        detail: format!(
            "{calls} calls x {} faults, as far as the call can fail so; {marked} left the mark of a failed sync",
            FAULTS.len()
        ),
    })
}

fn failure(seed: u64, cases: u64, (call, fault): (u64, Fault), what: String) -> Failure {
    Failure {
        cases,
        what: format!("call {call} with {fault:?}: {what}"),
        again: format!(
            "ACTH_SEED={seed} ACTH_FAULT_CALL={call} cargo test -p acth-tests --test faults -- --nocapture"
        ),
    }
}

/// Calls of the script when nothing fails.
fn healthy_calls(seed: u64) -> Result<u64, String> {
    let (storage, ledger) = (SimStorage::default(), Ledger::default());
    let ended = Script::new(&storage, &ledger, shape(seed)).run_brief();
    ended.map_err(|error| format!("the script itself: {error}"))?;
    Ok(storage.calls())
}

/// One fault. `None` = a call of this kind cannot fail so; else whether the mark of a failed sync was left.
fn trial(seed: u64, call: u64, fault: Fault) -> Result<Option<bool>, String> {
    let (storage, ledger) = (SimStorage::default(), Ledger::default());
    storage.fail_at(call, fault);
    let ended = Script::new(&storage, &ledger, shape(seed)).run_brief();
    let Some(what) = storage.failed_what() else {
        return Ok(None);
    };
    let known = ledger.known();
    let met = ended.as_ref().err().map(ToString::to_string);
    let told = |sentence: String| format!("{what}: {sentence}; the script met {met:?}; {known:?}");
    let is_continued = matches!(fault, Fault::Interrupted | Fault::Short);
    // The free space is only looked at, and what fails while an error is handled cannot be told twice: so no error is fine.
    if is_continued && ended.is_err() {
        return Err(told("it was to be continued".to_owned()));
    }
    let is_sync_of_content = fault == Fault::Sync && what != "sync_dir";
    let mut random = Random::of(seed ^ call);
    let frozen = storage.freeze();
    // The machine may die before anybody looks: what was said to be durable is there all the same.
    let dead = frozen.machine_death(Loss::None, &mut random);
    reopen(&dead, &known, known.durable)
        .map_err(|sentence| told(format!("after the death of the machine: {sentence}")))?;
    let alive = frozen.process_death();
    let is_marked = reopen(&alive, &known, known.appended)
        .map_err(|sentence| told(format!("after a restart: {sentence}")))?;
    if is_sync_of_content {
        // What the restart took for durable must be so, although the kernel forgot about it once.
        let dead = alive.freeze().machine_death(Loss::None, &mut random);
        reopen(&dead, &known, known.appended)
            .map_err(|sentence| told(format!("restarted, then the machine died: {sentence}")))?;
    }
    Ok(Some(is_marked))
}

/// Opens, accepts if that is asked for, reads everything, goes on and seals. True when there was something to accept.
fn reopen(storage: &SimStorage, known: &Known, at_least: u64) -> Result<bool, String> {
    let options = options(8 << 10, SyncMode::Process);
    let opened = Writer::open(place(storage), &options);
    let mut is_marked = false;
    let (mut writer, recovery) = match opened {
        Ok(opened) => opened,
        Err(JournalError::NotFound { .. }) if at_least == 0 => return Ok(false),
        Err(JournalError::SyncFailed { .. }) => {
            is_marked = true;
            accept_unsynced(place(storage)).map_err(|error| format!("accepting: {error}"))?;
            Writer::open(place(storage), &options)
                .map_err(|error| format!("opening what was accepted: {error}"))?
        }
        Err(error) => return Err(format!("opening: {error}")),
    };
    let (salt_from, salts): (u64, &[u64]) = match known.given_up_behind {
        Some(until) => (until + 1, &[0, 1, 9]),
        None => (at_least + 1, &[0, 9]),
    };
    let least = known
        .given_up_behind
        .filter(|_| !known.is_given_up)
        .map_or(at_least, |until| at_least.min(until));
    if recovery.last_sequence < least {
        let last = recovery.last_sequence;
        return Err(format!(
            "the last frame is {last}, expected {least} at least"
        ));
    }
    let mut bytes = Vec::new();
    for _ in 0..3 {
        frames::append(&mut writer, 9, &mut bytes)
            .map_err(|error| format!("appending: {error}"))?;
    }
    writer.seal().map_err(|error| format!("sealing: {error}"))?;
    frames::read(place(storage), salt_from, salts)?;
    let found =
        verify(place(storage), &mut |_, _| {}).map_err(|error| format!("verify: {error}"))?;
    if found.tail != Tail::Sealed || found.last_sequence != recovery.last_sequence + 3 {
        return Err(format!("the sealed journal is not whole: {found:?}"));
    }
    Ok(is_marked)
}
