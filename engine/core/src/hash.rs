//! A 64-bit state hash that is the same on every machine.
//!
//! Words are folded one after the other: xor, multiply by an odd constant, rotate. It finds differences between two
//! runs of the same program; it is no defence against a person who forges a journal.

/// Folds words into 64 bits in the order given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateHasher {
    state: u64,
}

/// Start value: any fixed odd number serves.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
/// Odd multiplier with well-spread bits.
const FACTOR: u64 = 0xd6e8_feb8_6659_fd93;

impl Default for StateHasher {
    fn default() -> Self {
        Self::new()
    }
}

impl StateHasher {
    /// An empty hash.
    pub const fn new() -> Self {
        Self { state: SEED }
    }

    /// Goes on from where `state` was asked for.
    pub(crate) const fn resume(state: u64) -> Self {
        Self { state }
    }

    /// The inner state, for snapshots.
    pub(crate) const fn state(&self) -> u64 {
        self.state
    }

    /// Folds in one word.
    #[inline]
    pub fn word(&mut self, word: u64) {
        let mixed = (self.state ^ word).wrapping_mul(FACTOR);
        self.state = mixed.rotate_left(29) ^ (mixed >> 32);
    }

    /// Folds in a signed word.
    #[inline]
    pub fn signed(&mut self, word: i64) {
        self.word(word.cast_unsigned());
    }

    /// Folds in 128 bits, low word first.
    #[inline]
    pub fn wide(&mut self, value: i128) {
        let bits = value.cast_unsigned();
        self.word(bits as u64);
        self.word((bits >> 64) as u64);
    }

    /// Folds in the exact bits of a float.
    #[inline]
    pub fn float(&mut self, value: f64) {
        self.word(value.to_bits());
    }

    /// Folds in bytes, as little-endian words with the last one padded by zeros, then their count.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let mut word = [0u8; 8];
            word.copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word));
        }
        let rest = chunks.remainder();
        if !rest.is_empty() {
            let mut word = [0u8; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.word(u64::from_le_bytes(word));
        }
        self.word(bytes.len() as u64);
    }

    /// The hash of everything folded in so far.
    #[inline]
    pub const fn finish(&self) -> u64 {
        let mixed = (self.state ^ (self.state >> 31)).wrapping_mul(FACTOR);
        mixed ^ (mixed >> 29)
    }
}
