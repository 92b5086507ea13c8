//! Damaged frames: the answer is the general parser's view of the same bytes or an error, and never a panic.

#![allow(clippy::unwrap_used)]

mod common;

use acth_wire::binance::{Decoder, Market};
use common::{sample_decoder, samples};
use proptest::prelude::*;

/// The scanner may refuse what it likes, but what it answers must be what the general parser answers.
fn agrees(scanner: &mut Decoder, oracle: &mut Decoder, frame: &[u8]) {
    let found = scanner.decode(frame);
    let expected = oracle.decode_with_oracle(frame);
    match (&found, &expected) {
        (Ok(found), Ok(expected)) => {
            assert_eq!(found, expected, "{}", String::from_utf8_lossy(frame));
        }
        (Err(_), Err(_)) => {}
        _ => panic!(
            "{found:?} but {expected:?}: {}",
            String::from_utf8_lossy(frame)
        ),
    }
}

fn both(market: Market) -> (Decoder, Decoder) {
    (sample_decoder(market), sample_decoder(market))
}

#[test]
fn truncation_at_every_byte_is_an_error() {
    for market in [Market::Spot, Market::UsdM] {
        let (mut scanner, mut oracle) = both(market);
        for frame in samples(market) {
            for length in 0..frame.len() {
                let cut = &frame.as_bytes()[..length];
                let error = scanner.decode(cut).unwrap_err();
                let text = error.to_string();
                assert!(
                    text.contains("byte ") && text.contains("expected"),
                    "{text}"
                );
                agrees(&mut scanner, &mut oracle, cut);
            }
        }
    }
}

#[test]
fn every_single_bit_flip_is_seen_alike_by_both() {
    for market in [Market::Spot, Market::UsdM] {
        let (mut scanner, mut oracle) = both(market);
        for frame in samples(market) {
            let mut damaged = frame.as_bytes().to_vec();
            for bit in 0..8 * frame.len() {
                damaged[bit / 8] ^= 1 << (bit % 8);
                agrees(&mut scanner, &mut oracle, &damaged);
                damaged[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }
}

#[test]
fn every_byte_value_at_every_place_is_seen_alike_by_both() {
    for market in [Market::Spot, Market::UsdM] {
        let (mut scanner, mut oracle) = both(market);
        for frame in samples(market) {
            let mut damaged = frame.as_bytes().to_vec();
            for place in 0..frame.len() {
                let good = damaged[place];
                for byte in 0..=u8::MAX {
                    damaged[place] = byte;
                    agrees(&mut scanner, &mut oracle, &damaged);
                }
                damaged[place] = good;
            }
        }
    }
}

#[test]
fn bytes_left_out_or_doubled_are_seen_alike_by_both() {
    for market in [Market::Spot, Market::UsdM] {
        let (mut scanner, mut oracle) = both(market);
        for frame in samples(market) {
            for place in 0..frame.len() {
                let (head, tail) = frame.as_bytes().split_at(place);
                agrees(&mut scanner, &mut oracle, &[head, &tail[1..]].concat());
                agrees(
                    &mut scanner,
                    &mut oracle,
                    &[head, &tail[..1], tail].concat(),
                );
                agrees(
                    &mut scanner,
                    &mut oracle,
                    &[frame.as_bytes(), head].concat(),
                );
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_seen_alike_by_both(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let (mut scanner, mut oracle) = both(Market::Spot);
        agrees(&mut scanner, &mut oracle, &bytes);
    }

    #[test]
    fn several_replaced_ranges_are_seen_alike_by_both(
        market in prop_oneof![Just(Market::Spot), Just(Market::UsdM)],
        sample in any::<prop::sample::Index>(),
        edits in prop::collection::vec(
            (any::<prop::sample::Index>(), 0..6_usize, "[0-9.,:{}\\[\\]\"eEuUbBaATtmipPr-]{0,6}"),
            1..4,
        ),
    ) {
        let mut frame = sample.get(samples(market)).as_bytes().to_vec();
        for (place, length, text) in edits {
            let start = place.index(frame.len());
            let end = (start + length).min(frame.len());
            frame.splice(start..end, text.bytes());
        }
        let (mut scanner, mut oracle) = both(market);
        agrees(&mut scanner, &mut oracle, &frame);
    }
}

#[test]
fn hostile_shapes_are_errors() {
    let (mut scanner, mut oracle) = both(Market::Spot);
    let deep = "[".repeat(100_000);
    let objects = "{\"a\":".repeat(100_000);
    let level = r#"["1","1"],"#.repeat(5_001);
    let many = format!(
        r#"{{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":1,"b":[{}],"a":[]}}"#,
        &level[..level.len() - 1]
    );
    for frame in [deep.as_str(), objects.as_str(), many.as_str()] {
        assert!(scanner.decode(frame.as_bytes()).is_err());
        agrees(&mut scanner, &mut oracle, frame.as_bytes());
    }
    assert!(scanner.decode(&vec![b' '; (32 << 20) + 1]).is_err());
}
