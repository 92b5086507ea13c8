//! Planted bugs: what the suites must notice. Only with the feature `sabotage`, which nothing but the suite of that name asks for;
//! without it `is_planted` is a constant and nothing of this is left.

/// A bug that can be planted. The number is its name in the atomic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Bug {
    /// A reader does not compare checksums.
    SkipChecksum = 1,
    /// The seed of a checksum leaves the position out.
    ChecksumWithoutPosition,
    /// The commit word is stored before the payload.
    CommitBeforePayload,
    /// A reader does not compare a frame's length with the file.
    TrustLength,
    /// Names are never made durable.
    NoDirectorySync,
    /// A failed sync counts as done.
    SyncErrorIgnored,
    /// A bad frame is cut although later ones say that it was durable.
    CutInDurablePart,
    /// A frame of an unknown kind is passed over.
    SkipOddFrame,
    /// A snapshot is written under its name.
    SnapshotNotAtomic,
    /// Reserved bytes may hold anything.
    ReservedBytesIgnored,
    /// The durable watermark is raised before the sync.
    WatermarkBeforeSync,
    /// The flusher leaves out the page in use, and counts its frames as durable.
    FlusherSkipsLastPage,
    /// No room is kept for the frame that ends a segment.
    RollOffByOne,
    /// A run id that is in the quarantine is given out again.
    DuplicateRunId,
    /// A file is renamed into its place before its content is durable.
    DraftNotSynced,
    /// Pruning removes segments before it says where the journal begins.
    BaseAfterRemoval,
    /// A snapshot is taken up whatever frame stands at its place.
    SnapshotOfOtherHistory,
    /// A torn tail is not synced before the next run begins.
    RecoveryWithoutSync,
    /// The commit word is stored and loaded without order; this one and the next ones are for the models.
    RelaxedCommit,
    /// The durable watermark is.
    RelaxedDurable,
    /// The request for a watermark frame is.
    RelaxedRequest,
    /// The wish for durability is.
    RelaxedWish,
    /// The condition is.
    RelaxedCondition,
}

#[cfg(feature = "sabotage")]
static PLANTED: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);

/// Plants this bug, in the place of the one before; `None` = no bug.
#[cfg(feature = "sabotage")]
pub fn plant(bug: Option<Bug>) {
    PLANTED.store(
        bug.map_or(0, |bug| bug as u8),
        std::sync::atomic::Ordering::SeqCst,
    );
}

/// Whether this bug is planted.
#[cfg(feature = "sabotage")]
pub(crate) fn is_planted(bug: Bug) -> bool {
    PLANTED.load(std::sync::atomic::Ordering::SeqCst) == bug as u8
}

/// Nothing is planted.
#[cfg(not(feature = "sabotage"))]
#[inline(always)]
pub(crate) const fn is_planted(_bug: Bug) -> bool {
    false
}
