//! Replay one frame at a time, for whoever follows a journal while it is written.

use super::{
    Divergence, ReplayError, ReplayStart, comparer::Comparer, item::FrameGate, player::Player,
};
use crate::{journal::Frames, machine::Machine, manifest::RunManifest};

/// A machine that follows a journal.
pub struct Stepper<M> {
    gate: FrameGate,
    player: Player<M>,
    comparer: Comparer,
    manifest: RunManifest,
}

/// What a step met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stepped {
    /// Took a frame in.
    Frame,
    /// There is none now.
    Nothing,
}

impl<M: Machine> Stepper<M> {
    /// A follower that goes on from a state.
    pub fn new(start: ReplayStart<M>) -> Self {
        Self {
            gate: FrameGate::behind(start.sequence, &start.manifest),
            player: Player::new(start.machine),
            comparer: Comparer::new(),
            manifest: start.manifest,
        }
    }

    /// Takes in the next frame.
    ///
    /// # Errors
    /// When the journal or the frame cannot be used.
    pub fn step<F: Frames>(&mut self, frames: &mut F) -> Result<Stepped, ReplayError> {
        let Some(frame) = self.gate.next(frames)? else {
            return Ok(Stepped::Nothing);
        };
        self.player.take(frame, &mut self.comparer)?;
        Ok(Stepped::Frame)
    }

    /// Whether the state is that behind the last frame, with no decision of its input still to come.
    pub fn is_complete(&self) -> bool {
        self.comparer.is_complete()
    }

    /// The first decision that differs from the journal's, if there is one.
    pub fn first_divergence(&self) -> Option<&Divergence> {
        self.comparer.first_divergence()
    }

    /// The machine.
    pub const fn machine(&self) -> &M {
        &self.player.machine
    }

    /// The manifest that the machine was built from.
    pub const fn manifest(&self) -> &RunManifest {
        &self.manifest
    }

    /// Sequence of the last frame taken in.
    pub const fn last_sequence(&self) -> u64 {
        self.gate.last_sequence
    }

    /// Inputs taken in.
    pub const fn events(&self) -> u64 {
        self.player.events
    }
}
