//! Bytes that are no snapshot: refused, or harmless, and never a panic.

use acth_core::{
    snapshot::{HEADER_BYTES, SnapshotError},
    strategies::basis_lead_lag::BasisLeadLag,
};
use proptest::prelude::*;

use super::{
    feed::{long_steps, steps},
    hectic::Hectic,
    hub::{Hub, Subject, reseal, restore},
};

fn real<S: Subject>() -> (Hub<S>, Vec<u8>) {
    let hub = Hub::<S>::after(&long_steps(21, 3_000));
    let bytes = hub.snapshot();
    (hub, bytes)
}

/// Refused, or the same state by its hash; and then it lives on without a panic.
fn assert_refused_or_same<S: Subject>(hub: &Hub<S>, bytes: &[u8], place: usize) {
    let Ok(core) = restore::<S>(bytes) else {
        return;
    };
    assert_eq!(core.state_hash(), hub.core.state_hash(), "byte {place}");
    let mut later = Hub::<S>::fresh();
    later.core = core;
    later.feed = hub.feed.clone();
    later.take(&long_steps(22, 20));
}

#[test]
fn every_truncation_is_refused() {
    let (_, bytes) = real::<Hectic>();
    for length in 0..bytes.len() {
        assert!(restore::<Hectic>(&bytes[..length]).is_err(), "{length}");
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(restore::<Hectic>(&longer).is_err());
    reseal(&mut longer);
    let error = restore::<Hectic>(&longer).unwrap_err();
    assert!(
        matches!(error, SnapshotError::Trailing { left: 1, .. }),
        "{error}"
    );
}

#[test]
fn truncations_that_carry_a_right_content_hash_are_refused_too() {
    let (_, bytes) = real::<Hectic>();
    for length in (HEADER_BYTES..bytes.len()).step_by(41) {
        let mut cut = bytes[..length].to_vec();
        reseal(&mut cut);
        let error = restore::<Hectic>(&cut).unwrap_err();
        let is_truncated = matches!(error, SnapshotError::Truncated { .. });
        assert!(is_truncated, "{length}: {error}");
    }
}

#[test]
fn every_flip_of_a_byte_is_refused() {
    let (_, mut bytes) = real::<Hectic>();
    for place in 0..bytes.len() {
        let bits = [0x01, 0x80, 0xff][place % 3];
        bytes[place] ^= bits;
        assert!(restore::<Hectic>(&bytes).is_err(), "byte {place}");
        bytes[place] ^= bits;
    }
    assert!(restore::<Hectic>(&bytes).is_ok());
}

fn flips_with_a_right_content_hash<S: Subject>(stride: usize) {
    let (hub, bytes) = real::<S>();
    let whole_until = 2_000.min(bytes.len());
    let places = (0..whole_until).chain((whole_until..bytes.len()).step_by(stride));
    for place in places {
        let mut flipped = bytes.clone();
        flipped[place] ^= [0x01, 0x80, 0xff][place % 3];
        reseal(&mut flipped);
        assert_refused_or_same(&hub, &flipped, place);
    }
}

#[test]
fn flips_that_carry_a_right_content_hash_are_refused_or_harmless() {
    flips_with_a_right_content_hash::<Hectic>(47);
    flips_with_a_right_content_hash::<BasisLeadLag>(31);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Pieces overwritten, cut out or doubled, with a right content hash.
    #[test]
    fn mangled_bytes_are_refused_or_harmless(
        steps in steps(60),
        from in any::<usize>(),
        count in 1usize..64,
        noise in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let hub = Hub::<Hectic>::after(&steps);
        let mut bytes = hub.snapshot();
        let from = from % bytes.len();
        let until = (from + count).min(bytes.len());
        bytes.splice(from..until, noise);
        reseal(&mut bytes);
        assert_refused_or_same(&hub, &bytes, from);
    }

    #[test]
    fn noise_is_refused(mut noise in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(restore::<Hectic>(&noise).is_err());
        if let Some(format) = noise.first_chunk_mut() {
            *format = 1u64.to_le_bytes();
        }
        reseal(&mut noise);
        prop_assert!(restore::<BasisLeadLag>(&noise).is_err());
    }
}
