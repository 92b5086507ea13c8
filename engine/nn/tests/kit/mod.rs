//! What several tests share: numbers that look random, and bits.

#![allow(dead_code, reason = "no test uses all of it")]

/// xorshift64*, as floats in -1..1.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    /// The next 40 bits as a float.
    pub(crate) fn next(&mut self) -> f32 {
        (self.word() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    /// The next word.
    pub(crate) fn word(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// This many.
    pub(crate) fn some(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// The exact bits, for comparison.
pub(crate) fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// All bits folded into one number.
pub(crate) fn fold(values: &[f32]) -> u64 {
    values.iter().fold(0xcbf2_9ce4_8422_2325, |fold, value| {
        (fold ^ u64::from(value.to_bits())).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
