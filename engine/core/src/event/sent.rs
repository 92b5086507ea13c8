//! What egress reports of a command that left: when, what it was caused by, and how long ago its earlier stages were.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Body of `EventKind::CommandSent`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct CommandSent {
    /// Sequence of the decision that was sent.
    pub sequence: u64,
    /// Our id of the order it concerns.
    pub client_order_id: u64,
    /// When its bytes were handed over, ns since the Unix epoch.
    pub ts_egress_ns: i64,
    /// `ts_ingress_ns` of the input that caused it; 0 = unknown.
    pub ts_cause_ingress_ns: i64,
    /// How long before `ts_egress_ns` its decision was in the journal, see `before_ns`; 0 = not stamped.
    pub decided_before_ns: u32,
    /// How long before `ts_egress_ns` the core made it visible to egress, see `before_ns`; 0 = not stamped.
    pub published_before_ns: u32,
}

const _: () = assert!(size_of::<CommandSent>() == 40);
const _: () = assert!(core::mem::offset_of!(CommandSent, decided_before_ns) == 32);

impl CommandSent {
    /// When its decision was in the journal, ns since the Unix epoch; `None` if nobody stamped it or it was too long ago to tell.
    pub const fn ts_decided_ns(&self) -> Option<i64> {
        stage_ns(self.ts_egress_ns, self.decided_before_ns)
    }

    /// When the core made it visible to egress, ns since the Unix epoch; `None` if nobody stamped it or it was too long ago to tell.
    pub const fn ts_published_ns(&self) -> Option<i64> {
        stage_ns(self.ts_egress_ns, self.published_before_ns)
    }
}

/// The distance of an earlier stage, ns, as a `CommandSent` keeps it: 0 for a stage without a stamp (0), at least 1 for one with a stamp,
/// `u32::MAX` for 4.29 s and more.
#[inline]
pub const fn before_ns(ts_stage_ns: i64, ts_egress_ns: i64) -> u32 {
    if ts_stage_ns == 0 {
        return 0;
    }
    let elapsed_ns = ts_egress_ns.saturating_sub(ts_stage_ns);
    if elapsed_ns <= 1 {
        1
    } else if elapsed_ns >= u32::MAX as i64 {
        u32::MAX
    } else {
        elapsed_ns as u32
    }
}

const fn stage_ns(ts_egress_ns: i64, before_ns: u32) -> Option<i64> {
    match before_ns {
        0 | u32::MAX => None,
        _ => Some(ts_egress_ns.saturating_sub(before_ns as i64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_saturate_and_a_stamp_is_never_none() {
        let cases = [
            (0, 5, 0),
            (0, 0, 0),
            (7, 7, 1),
            (9, 7, 1),
            (7, 9, 2),
            (1, 1 + i64::from(u32::MAX), u32::MAX),
            (1, i64::from(u32::MAX), u32::MAX - 1),
            (i64::MIN, i64::MAX, u32::MAX),
        ];
        for (stage, egress, expected) in cases {
            assert_eq!(
                before_ns(stage, egress),
                expected,
                "{stage} before {egress}"
            );
        }
    }

    #[test]
    fn stages_come_back_as_times() {
        let sent = CommandSent {
            ts_egress_ns: 1_000,
            decided_before_ns: before_ns(400, 1_000),
            published_before_ns: 0,
            ..CommandSent::default()
        };
        assert_eq!(sent.ts_decided_ns(), Some(400));
        assert_eq!(sent.ts_published_ns(), None);
        let late = CommandSent {
            decided_before_ns: u32::MAX,
            ..sent
        };
        assert_eq!(late.ts_decided_ns(), None);
    }
}
