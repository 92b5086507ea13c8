//! What venues last announced of the next funding of each instrument.
//!
//! Nothing is valued by it: positions stay at our own marks. It is there for strategies that hold over a funding time, for the
//! features, and for whoever asks what was known when.
//!
//! Invariant: a hub to which no venue ever announced anything hashes as if this were not there.

use alloc::{vec, vec::Vec};

use crate::{
    event::MarkFunding,
    instrument::InstrumentId,
    snapshot::{Decoder, Sink, SnapshotError},
};

/// The last announcement for each instrument.
#[derive(Clone, Debug)]
pub(crate) struct Announced {
    rows: Vec<MarkFunding>,
    /// How many were taken.
    count: u64,
}

impl Announced {
    pub(super) fn new(instrument_count: usize) -> Self {
        Self {
            rows: vec![MarkFunding::default(); instrument_count],
            count: 0,
        }
    }

    /// Takes an announcement. The caller has seen that the instrument is in the table.
    pub(crate) fn take(&mut self, id: InstrumentId, announced: &MarkFunding) {
        if let Some(row) = self.rows.get_mut(id.index()) {
            *row = *announced;
            self.count += 1;
        }
    }

    /// The last announcement for an instrument; `None` where there was none.
    pub(crate) fn get(&self, id: InstrumentId) -> Option<&MarkFunding> {
        let row = self.rows.get(id.index())?;
        (*row != MarkFunding::default()).then_some(row)
    }

    /// For the hash: all of it, once there was anything.
    pub(super) fn digest(&self, hash: &mut impl Sink) {
        if self.count > 0 {
            self.write(hash);
        }
    }

    /// Writes the exact state.
    pub(crate) fn write(&self, out: &mut impl Sink) {
        out.u64(self.count);
        for row in &self.rows {
            out.i64(row.mark_price);
            out.i64(row.index_price);
            out.i64(row.rate);
            out.i64(row.ts_next_ns);
        }
    }

    /// Reads what `write` wrote, for as many instruments.
    ///
    /// # Errors
    /// The bytes end, or hold what no event can have brought.
    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.count = from.count()?;
        for row in &mut self.rows {
            *row = MarkFunding {
                mark_price: from.i64()?,
                index_price: from.i64()?,
                rate: from.i64()?,
                ts_next_ns: from.time_ns()?,
                reserved: 0,
            };
            let is_price = (row.mark_price | row.index_price) >= 0;
            from.expect(is_price, "a price that is not negative")?;
            let is_told = *row == MarkFunding::default() || self.count > 0;
            from.expect(is_told, "no announcement where none was taken")?;
        }
        Ok(())
    }
}
