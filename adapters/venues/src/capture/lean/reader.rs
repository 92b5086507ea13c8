//! The rows of one text, in order, with the time at which each is told.
//!
//! Invariant: every row is whole and its time never goes back; anything else is one error that names text and line, after
//! every row before it was handed out.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use acth_core::{
    event::DECODE_CODE_NONE,
    instrument::{Contract, InstrumentId, Instruments},
    port::PortError,
};
use acth_wire::lean::{PriceForm, Quoted, RowBody, RowKind};

use super::{
    archive::LeanText,
    facts::{RowRules, rules},
};
use crate::{binance::emit::Stamp, capture::LeanChoice};

/// Reads one text.
#[derive(Debug)]
pub(in crate::capture) struct LeanReader {
    text: LeanText,
    rules: RowRules,
    form: PriceForm,
    instrument: InstrumentId,
    source_number: u16,
    tick: i64,
    /// Units of one size: of a future, those of a contract.
    units: i64,
    midnight_ns: i64,
    bytes_read: Arc<AtomicU64>,
    position: usize,
    line_number: u64,
    rows_played: u64,
    ts_ns: i64,
    row: RowBody,
}

impl LeanReader {
    /// Unpacks a file and finds its instrument in the table.
    ///
    /// # Errors
    /// When the file is not what it should be, or its instrument is not in the table.
    pub(in crate::capture) fn open(
        path: &Path,
        choice: &LeanChoice,
        instruments: &Instruments,
        source_number: u16,
        bytes_read: Arc<AtomicU64>,
    ) -> Result<Self, PortError> {
        let text = LeanText::read(path, choice)?;
        let (rules, venue, symbol) = rules(path, &text)?;
        let found = instruments.find(venue, &symbol);
        let Some((id, row)) = found.and_then(|id| Some((id, instruments.get(id)?))) else {
            let cause = format!("is of {venue}:{symbol}, which is no instrument");
            return Err(PortError::new(text.place, cause));
        };
        let is_share = venue == "us-equities";
        Ok(Self {
            form: if is_share {
                PriceForm::TenThousandths
            } else {
                PriceForm::Decimal(row.price_exponent)
            },
            instrument: id,
            source_number,
            tick: row.tick,
            units: if row.contract == Contract::Future {
                row.lot
            } else {
                1
            },
            midnight_ns: rules.zone.midnight_utc_ns(text.name.day),
            rules,
            text,
            bytes_read,
            position: 0,
            line_number: 0,
            rows_played: 0,
            ts_ns: i64::MIN,
            row: RowBody::Suspicious,
        })
    }

    /// Size of the unpacked text.
    pub(in crate::capture) const fn bytes_total(&self) -> u64 {
        self.text.bytes.len() as u64
    }

    pub(in crate::capture) const fn instrument(&self) -> InstrumentId {
        self.instrument
    }

    pub(in crate::capture) fn has_quotes(&self) -> bool {
        self.text.name.kind == RowKind::Quote
    }

    /// When the current row is told: ticks at their time, bars when they have ended.
    pub(in crate::capture) const fn ts_ns(&self) -> i64 {
        self.ts_ns
    }

    /// The current row; sizes are quantities of the instrument.
    pub(in crate::capture) const fn row(&self) -> &RowBody {
        &self.row
    }

    pub(in crate::capture) const fn rows_played(&self) -> u64 {
        self.rows_played
    }

    pub(in crate::capture) const fn count_played(&mut self) {
        self.rows_played += 1;
    }

    pub(in crate::capture) const fn stamp(&self) -> Stamp {
        Stamp {
            instrument: self.instrument,
            source: self.source_number,
            decode_code: DECODE_CODE_NONE,
            ts_venue_ns: self.ts_ns,
            ts_ingress_ns: self.ts_ns,
        }
    }

    /// Moves to the next row. False at the end of the text.
    ///
    /// # Errors
    /// When the row is damaged; the reader cannot go on after that.
    pub(in crate::capture) fn advance(&mut self) -> Result<bool, PortError> {
        let rest = &self.text.bytes[self.position..];
        if rest.is_empty() {
            return Ok(false);
        }
        let length = rest.iter().position(|&byte| byte == b'\n');
        let line = &rest[..length.unwrap_or(rest.len())];
        let consumed = length.map_or(rest.len(), |length| length + 1);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let parsed = self.rules.layout.parse(line, self.form);
        self.position += consumed;
        self.line_number += 1;
        // Relaxed: a number for a person to look at; nothing is ordered by it.
        self.bytes_read
            .fetch_add(consumed as u64, Ordering::Relaxed);
        let row = parsed.map_err(|error| self.damage(&error.to_string()))?;
        let period_ns = self.text.name.resolution.period_ns();
        let ts_ns = self.midnight_ns + row.since_midnight_ns + period_ns;
        if ts_ns < self.ts_ns {
            return Err(self.damage("goes back in time; expected rows in order of time"));
        }
        self.row = self.in_units(row.body)?;
        self.ts_ns = ts_ns;
        Ok(true)
    }

    /// The same row with quantities of the instrument, prices checked against its tick.
    fn in_units(&self, body: RowBody) -> Result<RowBody, PortError> {
        let scaled = |quoted: Quoted| {
            let size = quoted.size.checked_mul(self.units);
            let size = size.ok_or_else(|| self.damage("has a size beyond all bounds"))?;
            Ok(Quoted { size, ..quoted })
        };
        let side = |quoted: Option<Quoted>| {
            let Some(quoted) = quoted else {
                return Ok(None);
            };
            if quoted.price % self.tick != 0 {
                return Err(self.damage(&format!(
                    "has a price of {} that is no multiple of the tick of {} units of its last place",
                    quoted.price, self.tick
                )));
            }
            match (quoted.size, self.rules.nominal) {
                (0, Some(size)) => Ok(Some(Quoted { size, ..quoted })),
                (0, None) => Ok(None),
                _ => scaled(quoted).map(Some),
            }
        };
        Ok(match body {
            RowBody::Quote { bid, ask } => RowBody::Quote {
                bid: side(bid)?,
                ask: side(ask)?,
            },
            RowBody::Trade(trade) => RowBody::Trade(scaled(trade)?),
            RowBody::Suspicious => RowBody::Suspicious,
        })
    }

    fn damage(&self, cause: &str) -> PortError {
        PortError::new(format!("{}:{}", self.text.place, self.line_number), cause)
    }
}
