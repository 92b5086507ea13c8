//! The time between a message's reading and the end of its decoding, in one byte.
//!
//! The header of an event has one byte to spare, so the stamp `decoded` is kept as its distance from `ts_ingress_ns`: 0 means
//! that nobody stamped it, every other code is a step of a scale that is linear up to 64 ns and then has 16 steps an octave. Below
//! 64 ns a step is 4 ns, finer than the counter that is read; above it is at most 6.25 % of the value, and the middle of the step that
//! `decode_ns` gives back is off by half of that at most. The last step means "this much or more".
//!
//! Invariant: a code never changes its meaning; `decode_code(decode_ns(code)) == code`.

/// The code of a message that nobody stamped: everything in event time, and whatever is no market data.
pub const DECODE_CODE_NONE: u8 = 0;
/// The code of the longest step: `DECODE_NS_MAX` or more.
pub const DECODE_CODE_MAX: u8 = u8::MAX;
/// Where the longest step begins, ns: close to two milliseconds.
pub const DECODE_NS_MAX: i64 = 1_966_080;

/// log2 of the shortest step, ns.
const UNIT_BITS: u32 = 2;
/// log2 of the steps of one octave.
const STEP_BITS: u32 = 4;
/// Steps of one octave, and of the linear part.
const STEPS: u64 = 1 << STEP_BITS;

/// The code of this time, ns; a negative one counts as none at all, that is as zero.
#[inline]
pub const fn decode_code(elapsed_ns: i64) -> u8 {
    if elapsed_ns >= DECODE_NS_MAX {
        return DECODE_CODE_MAX;
    }
    let units = if elapsed_ns > 0 {
        (elapsed_ns as u64) >> UNIT_BITS
    } else {
        0
    };
    let step = if units < STEPS {
        units
    } else {
        let octave = units.ilog2() - STEP_BITS;
        (octave as u64 + 1) * STEPS + ((units >> octave) - STEPS)
    };
    // At most 254 below the longest step, which a test asserts for every boundary.
    1 + step as u8
}

/// The middle of the code's step, ns; `None` where nobody stamped. For the longest step it is where that begins.
pub const fn decode_ns(code: u8) -> Option<i64> {
    match code {
        DECODE_CODE_NONE => None,
        DECODE_CODE_MAX => Some(DECODE_NS_MAX),
        _ => {
            let (first, next) = (step_start(code as u64 - 1), step_start(code as u64));
            Some(first + (next - first) / 2)
        }
    }
}

/// Where step `step` begins, ns.
const fn step_start(step: u64) -> i64 {
    let (octave, rest) = (step / STEPS, step % STEPS);
    let units = if octave == 0 {
        rest
    } else {
        (STEPS + rest) << (octave - 1)
    };
    (units << UNIT_BITS) as i64
}

const _: () = assert!(step_start(DECODE_CODE_MAX as u64 - 1) == DECODE_NS_MAX);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_comes_back() {
        assert_eq!(decode_ns(DECODE_CODE_NONE), None);
        for code in 1..=DECODE_CODE_MAX {
            let middle_ns = decode_ns(code).expect("stamped");
            assert_eq!(decode_code(middle_ns), code, "{middle_ns} ns");
        }
    }

    #[test]
    fn every_time_has_a_code_near_it_and_codes_never_fall() {
        let mut last = 1;
        for elapsed_ns in 0..DECODE_NS_MAX {
            let code = decode_code(elapsed_ns);
            assert!(
                code == last || code == last + 1,
                "{elapsed_ns} ns: {code} after {last}"
            );
            last = code;
            let error_ns = (decode_ns(code).expect("stamped") - elapsed_ns).abs();
            let bound_ns = if elapsed_ns < 64 { 2 } else { elapsed_ns / 32 };
            assert!(error_ns <= bound_ns, "{elapsed_ns} ns is off by {error_ns}");
        }
        assert_eq!(last, DECODE_CODE_MAX - 1);
    }

    #[test]
    fn the_ends_are_kept_apart_from_nothing() {
        for elapsed_ns in [i64::MIN, -1, 0, 3] {
            assert_eq!(decode_code(elapsed_ns), 1);
        }
        for elapsed_ns in [DECODE_NS_MAX, DECODE_NS_MAX + 1, i64::MAX] {
            assert_eq!(decode_code(elapsed_ns), DECODE_CODE_MAX);
        }
    }
}
