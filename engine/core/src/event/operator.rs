//! What the hub itself is told, and why.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What the hub itself was told; `detail` of an `OperatorCommanded`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OperatorAction {
    /// Cancel everything and place nothing more.
    Halt = 1,
    /// Allow only what reduces risk.
    Reduce = 2,
    /// Trade normally again.
    Resume = 3,
    /// The last input of a run: take the final state hash.
    Stop = 4,
    /// The run ends in order: cancel everything; the next run may go on.
    End = 5,
}

impl OperatorAction {
    /// The action with this code, if there is one.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Halt),
            2 => Some(Self::Reduce),
            3 => Some(Self::Resume),
            4 => Some(Self::Stop),
            5 => Some(Self::End),
            _ => None,
        }
    }
}

/// Why the hub was told; `OperatorCommand::reason`. A code other than 0 is the runtime's own doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u64)]
pub enum OperatorReason {
    /// A person ordered it, or nothing was said about it.
    #[default]
    Unspecified = 0,
    /// The journal's disk has little room left.
    DiskLow = 1,
    /// The journal's disk has no room left.
    DiskFull = 2,
    /// The durable watermark lags behind its bound.
    DurabilityBehind = 3,
    /// The core is behind its source.
    IngressBehind = 4,
    /// The kill flag is up.
    KillFlag = 5,
}

impl OperatorReason {
    /// The reason with this code, if there is one.
    pub const fn from_code(code: u64) -> Option<Self> {
        Some(match code {
            0 => Self::Unspecified,
            1 => Self::DiskLow,
            2 => Self::DiskFull,
            3 => Self::DurabilityBehind,
            4 => Self::IngressBehind,
            5 => Self::KillFlag,
            _ => return None,
        })
    }
}

/// Body of `EventKind::OperatorCommanded`; `Event::detail` holds the `OperatorAction` code.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct OperatorCommand {
    /// Code of the `OperatorReason`.
    pub reason: u64,
    /// Zero.
    pub reserved: [u64; 4],
}

impl OperatorCommand {
    /// A command for this reason.
    pub const fn because(reason: OperatorReason) -> Self {
        Self {
            reason: reason as u64,
            reserved: [0; 4],
        }
    }

    /// The reason, if its code has a meaning.
    pub const fn reason(&self) -> Option<OperatorReason> {
        OperatorReason::from_code(self.reason)
    }
}

const _: () = assert!(size_of::<OperatorCommand>() == 40);
const _: () = assert!(core::mem::offset_of!(OperatorCommand, reserved) == 8);
