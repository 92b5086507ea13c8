//! Sharing a fill out: nobody gets more than it asked for, nothing is lost, and it is fair to within one unit.

use acth_core::agents::share_out;
use proptest::prelude::*;

#[test]
fn a_fill_is_shared_in_proportion_and_the_rest_goes_to_the_largest_remainders() {
    let mut parts = [0; 3];
    assert_eq!(share_out(10, &[10, 20, 30], &mut parts), 0);
    // 1.67, 3.33 and 5: the unit that is left goes to the largest remainder.
    assert_eq!(parts, [2, 3, 5]);
    assert_eq!(share_out(100, &[10, 20, 30], &mut parts), 40);
    assert_eq!(parts, [10, 20, 30]);
    assert_eq!(share_out(1, &[5, 5, 0], &mut parts), 0);
    assert_eq!(parts, [1, 0, 0], "among equals the first");
    assert_eq!(share_out(7, &[-4, 0, 0], &mut parts), 7);
    assert_eq!(parts, [0, 0, 0]);
}

proptest! {
    #[test]
    fn what_goes_in_comes_out(
        total in 0i64..1_000_000_000_000,
        claims in prop::collection::vec(-5i64..2_000_000_000_000, 1..14),
    ) {
        let mut parts = vec![0; claims.len()];
        let left = share_out(total, &claims, &mut parts);
        prop_assert_eq!(parts.iter().sum::<i64>() + left, total);
        let wanted: i128 = claims.iter().map(|claim| i128::from((*claim).max(0))).sum();
        prop_assert_eq!(i128::from(left), (i128::from(total) - wanted).max(0));
        for (part, claim) in parts.iter().zip(&claims) {
            let claim = (*claim).max(0);
            prop_assert!((0..=claim).contains(part));
            if wanted > i128::from(total) {
                // Within one unit of the exact share.
                let exact = i128::from(claim) * i128::from(total);
                let distance = (i128::from(*part) * wanted - exact).abs();
                prop_assert!(distance < wanted, "{part} of {claim}");
            }
        }
    }
}
