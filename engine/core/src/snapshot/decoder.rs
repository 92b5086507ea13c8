//! Reading: every value is checked before it is used, and no bytes whatever make it panic.

use super::{SnapshotError, Tag};
use crate::stats::VALUE_MAX;

/// Largest count of anything: a counter that goes up by ones never gets there, so that adding to it cannot overflow.
pub const COUNT_MAX: u64 = 1 << 62;

/// Takes values from a slice of bytes. Its methods mirror those of `Encoder`.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    bytes: &'a [u8],
    offset: usize,
    section: Tag,
}

impl<'a> Decoder<'a> {
    /// Reads `bytes` from `offset` on, which lies within.
    pub(super) const fn new(bytes: &'a [u8], offset: usize, section: Tag) -> Self {
        debug_assert!(offset <= bytes.len());
        Self {
            bytes,
            offset,
            section,
        }
    }

    /// A float that a statistic can hold: a number, and none beyond `stats::VALUE_MAX`.
    ///
    /// # Errors
    /// The bytes end, or it is none.
    pub fn finite(&mut self) -> Result<f64, SnapshotError> {
        let value = self.f64()?;
        self.expect(libm::fabs(value) <= VALUE_MAX, "a number of at most 1e100")?;
        Ok(value)
    }

    /// A float that adds up what is never negative.
    ///
    /// # Errors
    /// The bytes end, or it is negative or none.
    pub fn finite_sum(&mut self) -> Result<f64, SnapshotError> {
        let value = self.finite()?;
        self.expect(value >= 0.0, "a sum that is not negative")?;
        Ok(value)
    }

    /// Reads what an `Encoder` of its own wrote: one type's state outside of a snapshot.
    pub const fn over(bytes: &'a [u8]) -> Self {
        Self::new(bytes, 0, Tag(*b"PART"))
    }

    fn left(&self) -> usize {
        self.bytes.len() - self.offset
    }

    fn truncated(&self, needed: usize) -> SnapshotError {
        SnapshotError::Truncated {
            section: self.section,
            offset: self.offset,
            needed,
            left: self.left(),
        }
    }

    #[inline]
    fn take<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], SnapshotError> {
        let rest = &self.bytes[self.offset..];
        let Some((head, _)) = rest.split_first_chunk::<COUNT>() else {
            return Err(self.truncated(COUNT));
        };
        self.offset += COUNT;
        Ok(*head)
    }

    /// The error for a value that was just read and cannot be; `expected` completes "expected ...".
    pub const fn invalid(&self, expected: &'static str) -> SnapshotError {
        SnapshotError::Value {
            section: self.section,
            expected,
            offset: self.offset,
        }
    }

    /// Refuses unless `is_met`.
    ///
    /// # Errors
    /// `SnapshotError::Value` with this expectation.
    pub const fn expect(&self, is_met: bool, expected: &'static str) -> Result<(), SnapshotError> {
        if is_met {
            Ok(())
        } else {
            Err(self.invalid(expected))
        }
    }

    /// Begins a section.
    pub(crate) fn section(&mut self, tag: Tag) -> Result<(), SnapshotError> {
        let offset = self.offset;
        self.section = tag;
        let found = Tag(self.take()?);
        if found == tag {
            return Ok(());
        }
        Err(SnapshotError::Section {
            expected: tag,
            found,
            offset,
        })
    }

    /// All must have been read.
    pub(crate) fn finish(&self) -> Result<(), SnapshotError> {
        if self.left() == 0 {
            return Ok(());
        }
        Err(SnapshotError::Trailing {
            offset: self.offset,
            left: self.left(),
        })
    }

    /// One byte.
    ///
    /// # Errors
    /// The bytes end.
    pub fn u8(&mut self) -> Result<u8, SnapshotError> {
        self.take().map(|[byte]| byte)
    }

    /// Two bytes.
    ///
    /// # Errors
    /// The bytes end.
    pub fn u16(&mut self) -> Result<u16, SnapshotError> {
        self.take().map(u16::from_le_bytes)
    }

    /// Four bytes.
    ///
    /// # Errors
    /// The bytes end.
    pub fn u32(&mut self) -> Result<u32, SnapshotError> {
        self.take().map(u32::from_le_bytes)
    }

    /// Eight bytes.
    ///
    /// # Errors
    /// The bytes end.
    #[inline]
    pub fn u64(&mut self) -> Result<u64, SnapshotError> {
        self.take().map(u64::from_le_bytes)
    }

    /// Eight bytes, signed.
    ///
    /// # Errors
    /// The bytes end.
    #[inline]
    pub fn i64(&mut self) -> Result<i64, SnapshotError> {
        self.take().map(i64::from_le_bytes)
    }

    /// Sixteen bytes, signed.
    ///
    /// # Errors
    /// The bytes end.
    pub fn i128(&mut self) -> Result<i128, SnapshotError> {
        self.take().map(i128::from_le_bytes)
    }

    /// The exact bits of a float, whatever they mean.
    ///
    /// # Errors
    /// The bytes end.
    #[inline]
    pub fn f64(&mut self) -> Result<f64, SnapshotError> {
        self.u64().map(f64::from_bits)
    }

    /// One byte, 0 or 1.
    ///
    /// # Errors
    /// The bytes end, or it is neither.
    pub fn bool(&mut self) -> Result<bool, SnapshotError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.invalid("0 or 1")),
        }
    }

    /// A counter: at most `COUNT_MAX`.
    ///
    /// # Errors
    /// The bytes end, or it is larger.
    pub fn count(&mut self) -> Result<u64, SnapshotError> {
        let count = self.u64()?;
        self.expect(count <= COUNT_MAX, "a count of at most 2^62")?;
        Ok(count)
    }

    /// A time of the core, ns since the Unix epoch: never negative.
    ///
    /// # Errors
    /// The bytes end, or it is negative.
    pub fn time_ns(&mut self) -> Result<i64, SnapshotError> {
        let time_ns = self.i64()?;
        self.expect(time_ns >= 0, "a time that is not negative")?;
        Ok(time_ns)
    }

    /// A code of an enum.
    ///
    /// # Errors
    /// The bytes end, or the code has no meaning.
    pub fn code<T>(
        &mut self,
        from_code: impl FnOnce(u8) -> Option<T>,
        expected: &'static str,
    ) -> Result<T, SnapshotError> {
        let code = self.u8()?;
        from_code(code).ok_or_else(|| self.invalid(expected))
    }

    /// How many items of at least `item_bytes` follow. What it returns is safe to reserve memory for.
    ///
    /// # Errors
    /// The bytes end, there are more than `count_max`, or more than the bytes left can hold.
    pub fn length(&mut self, count_max: usize, item_bytes: usize) -> Result<usize, SnapshotError> {
        let count = self.u32()? as usize;
        self.expect(count <= count_max, "a length within its bound")?;
        match count.checked_mul(item_bytes) {
            Some(needed) if needed <= self.left() => Ok(count),
            needed => Err(self.truncated(needed.unwrap_or(usize::MAX))),
        }
    }

    /// Bytes with their length, at most `bytes_max`.
    ///
    /// # Errors
    /// The bytes end, or there are more.
    pub fn bytes(&mut self, bytes_max: usize) -> Result<&'a [u8], SnapshotError> {
        let count = self.length(bytes_max, 1)?;
        let bytes = &self.bytes[self.offset..self.offset + count];
        self.offset += count;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::snapshot::Encoder;

    const PLACE: Tag = Tag(*b"TEST");

    fn decoder(bytes: &[u8]) -> Decoder<'_> {
        Decoder::new(bytes, 0, PLACE)
    }

    #[test]
    fn every_value_comes_back() {
        let mut out = Encoder::default();
        let odd_nan = f64::from_bits(0x7ff4_0000_dead_beef);
        out.section(PLACE);
        out.u8(250);
        out.u16(65_000);
        out.u32(4_000_000_000);
        out.u64(u64::MAX);
        out.i64(i64::MIN);
        out.i128(i128::MIN);
        out.f64(odd_nan);
        out.bool(true);
        out.bytes(b"name");
        let bytes = out.into_bytes();
        let mut from = decoder(&bytes);
        assert_eq!(from.section(PLACE), Ok(()));
        assert_eq!(from.u8(), Ok(250));
        assert_eq!(from.u16(), Ok(65_000));
        assert_eq!(from.u32(), Ok(4_000_000_000));
        assert_eq!(from.u64(), Ok(u64::MAX));
        assert_eq!(from.i64(), Ok(i64::MIN));
        assert_eq!(from.i128(), Ok(i128::MIN));
        assert_eq!(from.f64().map(f64::to_bits), Ok(odd_nan.to_bits()));
        assert_eq!(from.bool(), Ok(true));
        assert_eq!(from.bytes(4), Ok(b"name".as_slice()));
        assert_eq!(from.finish(), Ok(()));
    }

    #[test]
    fn what_is_not_canonical_is_refused() {
        assert!(decoder(&[2]).bool().is_err());
        assert!(decoder(&u64::MAX.to_le_bytes()).count().is_err());
        assert!(decoder(&(-1i64).to_le_bytes()).time_ns().is_err());
        for value in [f64::NAN, f64::INFINITY, -1e101] {
            assert!(decoder(&value.to_le_bytes()).finite().is_err(), "{value}");
        }
        assert_eq!(decoder(&(-1e100f64).to_le_bytes()).finite(), Ok(-1e100));
        assert!(decoder(&(-1e-9f64).to_le_bytes()).finite_sum().is_err());
        assert!(
            decoder(&[9])
                .code(|code| (code == 1).then_some(()), "1")
                .is_err()
        );
        assert!(decoder(b"TEXT").section(PLACE).is_err());
        assert!(decoder(&[0]).finish().is_err());
    }

    #[test]
    fn a_length_is_held_against_its_bound_and_the_bytes_that_are_left() {
        let mut bytes = Vec::from(3u32.to_le_bytes());
        bytes.extend_from_slice(&[0; 6]);
        assert_eq!(decoder(&bytes).length(3, 2), Ok(3));
        assert!(decoder(&bytes).length(2, 2).is_err(), "beyond its bound");
        assert!(decoder(&bytes).length(3, 3).is_err(), "beyond the bytes");
        let huge = u32::MAX.to_le_bytes();
        assert!(decoder(&huge).length(usize::MAX, usize::MAX).is_err());
        assert!(decoder(&huge).bytes(usize::MAX).is_err());
    }
}
