//! Models as inputs: parts come in, a promotion puts them into use, and the journal keeps what became of it.

use super::Core;
use crate::{
    decision::{Decision, DecisionKind, Decisions},
    event::{ModelPart, ModelPromoted},
    predict::{MODEL_SLOTS, ModelOrigin, ModelVerdict},
    strategy::{Context, Strategy},
};

/// The slot of a promotion into none that there is.
const NO_SLOT: u8 = u8::MAX;
const _: () = assert!(MODEL_SLOTS < NO_SLOT as usize);

impl<S: Strategy> Core<S> {
    pub(super) fn on_model_part(&mut self, part: &ModelPart, count: usize) {
        // The slots count what they refuse; the promotion will fail, and that is journaled.
        let _ = self.state.models.receive(part, count);
    }

    /// The one input that may allocate: a received model is decoded into its slot.
    #[inline(never)]
    pub(super) fn on_model_promoted(
        &mut self,
        promoted: &ModelPromoted,
        decisions: &mut Decisions,
    ) {
        let outcome = self.state.models.promote(promoted);
        let (verdict, reason) = match outcome {
            Ok(origin) => (ModelVerdict::Accepted, origin as u16),
            Err(verdict) => (verdict, 0),
        };
        let slot = promoted.slot as usize;
        // The first decision of its input always has room.
        let _ = decisions.push(Decision {
            kind: DecisionKind::ModelChanged as u8,
            verdict: verdict as u16,
            reason,
            state: if slot < MODEL_SLOTS {
                slot as u8
            } else {
                NO_SLOT
            },
            hash: promoted.hash,
            ..Decision::default()
        });
        if matches!(outcome, Ok(ModelOrigin::Received | ModelOrigin::Previous)) {
            let state = &mut self.state;
            self.strategy
                .on_model(&mut Context { state, decisions }, slot);
        }
    }
}
