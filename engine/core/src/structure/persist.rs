//! Writing and reading of the floats that a statistic keeps.

use crate::{
    snapshot::{Decoder, Sink, SnapshotError},
    stats::VALUE_MAX,
};

/// Writes floats whose number the reader knows.
pub(super) fn write_floats(out: &mut impl Sink, values: &[f64]) {
    values.iter().for_each(|value| out.f64(*value));
}

/// Reads floats; a statistic never keeps one that is infinite or NaN.
pub(super) fn load_floats(from: &mut Decoder<'_>, values: &mut [f64]) -> Result<(), SnapshotError> {
    for value in values {
        *value = load_float(from)?;
    }
    Ok(())
}

/// Reads one such float.
pub(super) fn load_float(from: &mut Decoder<'_>) -> Result<f64, SnapshotError> {
    let value = from.f64()?;
    from.expect(value.is_finite(), "a finite number")?;
    Ok(value)
}

/// Reads a float that may not be negative: variances and weights.
pub(super) fn load_weight(from: &mut Decoder<'_>) -> Result<f64, SnapshotError> {
    let value = load_float(from)?;
    from.expect(value >= 0.0, "a number that is not negative")?;
    Ok(value)
}

/// Reads an index below `bound`, or `bound` itself.
pub(super) fn load_index(from: &mut Decoder<'_>, bound: usize) -> Result<usize, SnapshotError> {
    let index = from.u32()? as usize;
    from.expect(index <= bound, "an index within its bound")?;
    Ok(index)
}

/// Whether a value may enter a statistic; false for NaN.
pub(super) fn is_usable(value: f64) -> bool {
    libm::fabs(value) <= VALUE_MAX
}
