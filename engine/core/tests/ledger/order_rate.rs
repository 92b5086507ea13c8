//! The window that counts orders.

use acth_core::risk::{ORDER_RATE_MAX, ORDER_RATE_WINDOW_NS, OrderRate};
use proptest::prelude::*;

use crate::support::hash_of;

#[test]
fn an_order_counts_for_exactly_one_window() {
    let mut rate = OrderRate::new();
    rate.record(100);
    assert_eq!(rate.count(100), 1);
    assert_eq!(rate.count(100 + ORDER_RATE_WINDOW_NS - 1), 1);
    assert_eq!(rate.count(100 + ORDER_RATE_WINDOW_NS), 0);
}

#[test]
fn a_full_ring_stays_full_and_drops_the_oldest() {
    let mut rate = OrderRate::new();
    for time in 0..ORDER_RATE_MAX as i64 + 10 {
        rate.record(time);
    }
    assert_eq!(rate.count(2000), ORDER_RATE_MAX as u32);
    // The ten oldest were dropped: the first that leaves is the one of time 10.
    assert_eq!(
        rate.count(ORDER_RATE_WINDOW_NS + 10),
        ORDER_RATE_MAX as u32 - 1
    );
}

#[test]
fn a_step_back_in_time_never_frees_room() {
    let mut rate = OrderRate::new();
    rate.record(ORDER_RATE_WINDOW_NS);
    rate.record(0);
    assert_eq!(rate.count(ORDER_RATE_WINDOW_NS + 1), 2);
    assert_eq!(rate.count(i64::MIN), 2);
    assert_eq!(rate.count(i64::MAX), 0);
}

#[test]
fn the_digest_sees_the_times() {
    let (mut early, mut late) = (OrderRate::new(), OrderRate::default());
    early.record(1);
    late.record(2);
    assert_ne!(
        hash_of(|hasher| early.digest(hasher)),
        hash_of(|hasher| late.digest(hasher))
    );
}

proptest! {
    #[test]
    fn the_window_equals_a_list(gaps in prop::collection::vec(0i64..300_000_000, 1..200)) {
        let mut rate = OrderRate::new();
        let mut times = Vec::new();
        let mut now = -1_000_000_000;
        for gap in gaps {
            now += gap;
            let within = |time: &&i64| now - **time < ORDER_RATE_WINDOW_NS;
            prop_assert_eq!(rate.count(now) as usize, times.iter().filter(within).count());
            rate.record(now);
            times.push(now);
        }
    }
}
