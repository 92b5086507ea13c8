//! How a model comes in: its bytes in parts, then the word that it is to be used.
//!
//! A model is named by its slot while it comes in, and by its hash from then on. The parts of one model come in order, the first
//! one at offset 0; promotion names their count and their hash, so nothing else can be promoted by mistake.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Event, EventKind};
use crate::instrument::InstrumentId;

/// Most bytes of a model that one part carries.
pub const MODEL_PART_BYTES: usize = 32;

/// Body of `EventKind::ModelPart`; `Event::detail` says how many of its bytes count, from 1 to `MODEL_PART_BYTES`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct ModelPart {
    /// The slot that the model is for.
    pub slot: u32,
    /// Where in the model these bytes stand.
    pub offset: u32,
    /// The bytes; those that do not count are zero.
    pub bytes: [u8; MODEL_PART_BYTES],
}

/// Body of `EventKind::ModelPromoted`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct ModelPromoted {
    /// The slot.
    pub slot: u32,
    /// How many bytes the model has.
    pub byte_count: u32,
    /// Its hash.
    pub hash: u64,
    /// Zero.
    pub reserved: [u64; 3],
}

const _: () = assert!(size_of::<ModelPart>() == 40);
const _: () = assert!(core::mem::offset_of!(ModelPart, bytes) == 8);
const _: () = assert!(size_of::<ModelPromoted>() == 40);
const _: () = assert!(core::mem::offset_of!(ModelPromoted, hash) == 8);
const _: () = assert!(core::mem::offset_of!(ModelPromoted, reserved) == 16);

impl ModelPart {
    /// Whether all bytes beyond the first `count` are zero.
    pub(super) fn is_padded(&self, count: usize) -> bool {
        let padding = self.bytes.get(count..).unwrap_or_default();
        padding.iter().all(|&byte| byte == 0)
    }
}

impl Event {
    /// Part of a model: `bytes`, of which there are 1 to `MODEL_PART_BYTES`, as they stand at `offset`. More are a caller's bug:
    /// they are refused in debug and left out otherwise.
    pub fn model_part(slot: u32, offset: u32, bytes: &[u8]) -> Self {
        debug_assert!(
            (1..=MODEL_PART_BYTES).contains(&bytes.len()),
            "a part holds 1 to 32 bytes"
        );
        let count = bytes.len().min(MODEL_PART_BYTES);
        let mut part = ModelPart {
            slot,
            offset,
            ..ModelPart::default()
        };
        part.bytes[..count].copy_from_slice(&bytes[..count]);
        Self::new(EventKind::ModelPart, InstrumentId(0))
            .with_detail(count as u8)
            .with_body(&part)
    }

    /// The promotion of the model of this hash and size.
    pub fn model_promoted(slot: u32, byte_count: u32, hash: u64) -> Self {
        Self::new(EventKind::ModelPromoted, InstrumentId(0)).with_body(&ModelPromoted {
            slot,
            byte_count,
            hash,
            ..ModelPromoted::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventError;

    #[test]
    fn padding_and_reserved_bytes_are_zero() {
        let part = Event::model_part(1, 64, &[7; 5]);
        assert_eq!(part.check(), Ok(()));
        let refused = Err(EventError::Reserved(EventKind::ModelPart as u8));
        assert_eq!(part.with_detail(4).check(), refused);
        assert!(part.with_detail(0).check().is_err());
        assert!(part.with_detail(33).check().is_err());
        assert_eq!(part.with_detail(32).check(), Ok(()));
        let promoted = Event::model_promoted(1, 64, 9);
        assert_eq!(promoted.check(), Ok(()));
        assert!(promoted.with_detail(1).check().is_err());
        for word in 2..5 {
            let mut promoted = promoted;
            promoted.body[word] = 1;
            assert!(promoted.check().is_err(), "word {word}");
        }
    }
}
