//! Sharing a whole number out among several who ask for parts of it.

/// Gives each claim its part of `total`: in proportion to the claims, no claim more than it asked for, what does not
/// divide to the largest remainders and among equal ones to the first. Returns what nobody asked for.
///
/// Claims and total must not be negative; a negative one counts as none. `parts` has room for as many as there are
/// claims.
pub fn share_out(total: i64, claims: &[i64], parts: &mut [i64]) -> i64 {
    let total = total.max(0);
    let sum: i128 = claims.iter().map(|claim| i128::from((*claim).max(0))).sum();
    if sum <= i128::from(total) {
        for (part, claim) in parts.iter_mut().zip(claims) {
            *part = (*claim).max(0);
        }
        // The sum is at most the total here, so it fits.
        return total - sum as i64;
    }
    // The sum is larger than the total, which is not negative, so it is not zero, and no part exceeds its claim.
    let share = |claim: i64| {
        let product = i128::from(claim.max(0)) * i128::from(total);
        (product / sum, product % sum)
    };
    let mut left = total;
    for (part, claim) in parts.iter_mut().zip(claims) {
        *part = share(*claim).0 as i64;
        left -= *part;
    }
    // Fewer are left than there are claims, and each of them has a remainder that is not zero.
    while left > 0 {
        let mut best: Option<(usize, i128)> = None;
        for (index, claim) in claims.iter().enumerate() {
            let (floor, remainder) = share(*claim);
            let is_open = i128::from(parts[index]) == floor && parts[index] < (*claim).max(0);
            if is_open && best.is_none_or(|(_, most)| remainder > most) {
                best = Some((index, remainder));
            }
        }
        let Some((index, _)) = best else { break };
        parts[index] += 1;
        left -= 1;
    }
    left
}
