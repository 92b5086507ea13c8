//! One walk over a type's state, for both uses: writing it into a snapshot and folding it into the hash of the state.

use super::Encoder;
use crate::hash::StateHasher;

/// Takes values in a fixed order. A type that writes its state into a sink has both its `digest` and its `save`, and the
/// two cannot differ.
pub trait Sink {
    /// A code or a flag's byte.
    fn u8(&mut self, value: u8);
    /// A small number.
    fn u32(&mut self, value: u32);
    /// A count, an id or bits.
    fn u64(&mut self, value: u64);
    /// A signed number: prices, quantities, times.
    fn i64(&mut self, value: i64);
    /// Money.
    fn i128(&mut self, value: i128);
    /// The exact bits of a float.
    fn f64(&mut self, value: f64);
    /// The exact bits of a small float.
    fn f32(&mut self, value: f32) {
        self.u32(value.to_bits());
    }
    /// 0 or 1.
    fn bool(&mut self, value: bool) {
        self.u8(u8::from(value));
    }
    /// How many items follow.
    fn length(&mut self, count: usize) {
        self.u32(count as u32);
    }
}

impl Sink for Encoder {
    fn u8(&mut self, value: u8) {
        Self::u8(self, value);
    }
    fn u32(&mut self, value: u32) {
        Self::u32(self, value);
    }
    fn u64(&mut self, value: u64) {
        Self::u64(self, value);
    }
    fn i64(&mut self, value: i64) {
        Self::i64(self, value);
    }
    fn i128(&mut self, value: i128) {
        Self::i128(self, value);
    }
    fn f64(&mut self, value: f64) {
        Self::f64(self, value);
    }
}

impl Sink for StateHasher {
    fn u8(&mut self, value: u8) {
        self.word(u64::from(value));
    }
    fn u32(&mut self, value: u32) {
        self.word(u64::from(value));
    }
    fn u64(&mut self, value: u64) {
        self.word(value);
    }
    fn i64(&mut self, value: i64) {
        self.signed(value);
    }
    fn i128(&mut self, value: i128) {
        self.wide(value);
    }
    fn f64(&mut self, value: f64) {
        self.float(value);
    }
}
