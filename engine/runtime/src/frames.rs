//! What the engine writes into a journal: the kind codes of its frames, in one place.
//!
//! A frame's kind is a class in the upper byte and, for inputs and decisions, the code of the event or decision in the
//! lower one. Codes are never reused.

use acth_core::{decision::DecisionKind, event::EventKind};

/// Class of the frames that hold an input: 64 bytes of `Event`.
pub const INPUT_CLASS: u16 = 0x0100;
/// Class of the frames that hold a decision: 64 bytes of `Decision`; the frame's cause is the input's sequence.
pub const DECISION_CLASS: u16 = 0x0200;
/// Kind of the frame that holds a `RunManifest` as JSON: the first one of a run.
pub const MANIFEST_KIND: u16 = 0x0300;

/// What a frame holds, by its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameClass {
    /// An input of the core.
    Input(EventKind),
    /// A decision of the core.
    Decision(DecisionKind),
    /// The manifest of a run.
    Manifest,
    /// A kind that this version does not write.
    Unknown(u16),
}

/// The kind of the frame of an event with this kind code.
pub const fn input_kind(event_kind: u8) -> u16 {
    INPUT_CLASS | event_kind as u16
}

/// The kind of the frame of a decision with this kind code.
pub const fn decision_kind(decision_kind: u8) -> u16 {
    DECISION_CLASS | decision_kind as u16
}

/// What a frame of this kind holds.
pub const fn classify(kind: u16) -> FrameClass {
    let code = (kind & 0xff) as u8;
    match kind & 0xff00 {
        INPUT_CLASS => match EventKind::from_code(code) {
            Some(event) => FrameClass::Input(event),
            None => FrameClass::Unknown(kind),
        },
        DECISION_CLASS => match DecisionKind::from_code(code) {
            Some(decision) => FrameClass::Decision(decision),
            None => FrameClass::Unknown(kind),
        },
        _ if kind == MANIFEST_KIND => FrameClass::Manifest,
        _ => FrameClass::Unknown(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_classifies_back() {
        for kind in EventKind::ALL {
            assert_eq!(classify(input_kind(kind as u8)), FrameClass::Input(kind));
        }
        for kind in [DecisionKind::PlaceOrder, DecisionKind::StateHashed] {
            assert_eq!(
                classify(decision_kind(kind as u8)),
                FrameClass::Decision(kind)
            );
        }
        assert_eq!(classify(MANIFEST_KIND), FrameClass::Manifest);
        for kind in [0, 0x0100, 0x01ff, 0x0200, 0x02ff, 0x0301, 0xffff] {
            assert_eq!(classify(kind), FrameClass::Unknown(kind));
        }
    }
}
