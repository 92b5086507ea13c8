//! The decoder of one connection: scanner first, general parser second, both counted.

use acth_core::instrument::InstrumentId;

use super::{
    FRAME_BYTES_MAX, Market,
    cursor::Stop,
    error::DecodeError,
    message::{Message, Snapshot},
    oracle::Oracle,
    scan::scan,
    scratch::{Context, Parsed, Scratch},
    symbols::{Symbol, Symbols},
};

/// What a decoder has seen so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DecodeStats {
    /// Frames and REST answers handed in.
    pub frames: u64,
    /// Hot messages that the scanner did not recognise and the general parser read. Each costs microseconds; a steady
    /// stream of them says that the venue changed its format.
    pub fallbacks: u64,
    /// Well-formed messages of no known form or about no known symbol.
    pub unknown: u64,
    /// Frames that could not be decoded.
    pub errors: u64,
}

/// Decodes the frames of one connection to one market.
pub struct Decoder {
    market: Market,
    symbols: Symbols,
    snapshot: Option<Symbol>,
    scratch: Scratch,
    oracle: Oracle,
    stats: DecodeStats,
}

impl core::fmt::Debug for Decoder {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("Decoder")
            .field("market", &self.market)
            .field("symbols", &self.symbols.count())
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

impl Decoder {
    /// A decoder of frames of `market` about `symbols`. Allocates all that hot messages need.
    pub fn new(market: Market, symbols: Symbols) -> Self {
        let snapshot = symbols.only();
        Self {
            market,
            symbols,
            snapshot,
            scratch: Scratch::new(),
            oracle: Oracle::new(),
            stats: DecodeStats::default(),
        }
    }

    /// Says which instrument the depth snapshots among the frames are of; they name none. A decoder of one symbol knows
    /// it without being told.
    ///
    /// # Errors
    /// `Instrument` when the table has no such instrument.
    pub fn snapshots_are_of(&mut self, instrument: InstrumentId) -> Result<(), DecodeError> {
        self.snapshot = Some(self.symbol_of(instrument)?);
        Ok(())
    }

    /// Decodes one frame.
    ///
    /// # Errors
    /// `DecodeError` naming the byte and what was expected there. The decoder stays usable.
    #[inline]
    pub fn decode(&mut self, frame: &[u8]) -> Result<Message<'_>, DecodeError> {
        self.stats.frames += 1;
        let context = Context {
            market: self.market,
            symbols: &self.symbols,
            snapshot: self.snapshot,
        };
        let parsed = match scan(frame, &context, &mut self.scratch) {
            Ok(parsed) => parsed,
            Err(stop) => self.fall_back(frame, stop, self.snapshot)?,
        };
        Ok(self.scratch.message(parsed))
    }

    /// Decodes one frame by the general parser alone: what the scanner is tested against. Counts nothing.
    ///
    /// # Errors
    /// As `decode`.
    pub fn decode_with_oracle(&mut self, frame: &[u8]) -> Result<Message<'_>, DecodeError> {
        let context = Context {
            market: self.market,
            symbols: &self.symbols,
            snapshot: self.snapshot,
        };
        let parsed = self.oracle.read(frame, &context, &mut self.scratch)?;
        Ok(self.scratch.message(parsed))
    }

    /// Decodes the body of a REST depth answer about `instrument`.
    ///
    /// # Errors
    /// `Refused` when the venue sent an error instead; else as `decode`.
    pub fn decode_snapshot(
        &mut self,
        body: &[u8],
        instrument: InstrumentId,
    ) -> Result<Snapshot<'_>, DecodeError> {
        self.stats.frames += 1;
        let symbol = self.symbol_of(instrument)?;
        let context = Context {
            market: self.market,
            symbols: &self.symbols,
            snapshot: Some(symbol),
        };
        let parsed = match scan(body, &context, &mut self.scratch) {
            Ok(parsed) => parsed,
            Err(stop) => self.fall_back(body, stop, Some(symbol))?,
        };
        match parsed {
            Parsed::Snapshot {
                instrument,
                last_update_id,
                ts_venue_ns,
            } => Ok(self
                .scratch
                .snapshot(instrument, last_update_id, ts_venue_ns)),
            Parsed::VenueError { code, .. } => Err(DecodeError::Refused { code }),
            _ => {
                self.stats.errors += 1;
                Err(DecodeError::Shape {
                    offset: 0,
                    expected: "a depth snapshot",
                })
            }
        }
    }

    /// What was seen so far.
    pub const fn stats(&self) -> DecodeStats {
        self.stats
    }

    /// The table of symbols.
    pub const fn symbols(&self) -> &Symbols {
        &self.symbols
    }

    fn symbol_of(&self, instrument: InstrumentId) -> Result<Symbol, DecodeError> {
        self.symbols
            .of_instrument(instrument)
            .ok_or(DecodeError::Instrument(instrument.0))
    }

    #[cold]
    #[inline(never)]
    fn fall_back(
        &mut self,
        frame: &[u8],
        stop: Stop,
        snapshot: Option<Symbol>,
    ) -> Result<Parsed, DecodeError> {
        let context = Context {
            market: self.market,
            symbols: &self.symbols,
            snapshot,
        };
        match self.oracle.read(frame, &context, &mut self.scratch) {
            Ok(parsed) => {
                self.stats.fallbacks += u64::from(parsed.is_scannable());
                self.stats.unknown += u64::from(matches!(parsed, Parsed::Unknown));
                Ok(parsed)
            }
            Err(error) => {
                self.stats.errors += 1;
                Err(match error {
                    // Of bytes that are no JSON the scanner knows better where they went wrong.
                    DecodeError::Shape { .. } if frame.len() <= FRAME_BYTES_MAX => {
                        DecodeError::Shape {
                            offset: frame.len() - stop.rest_bytes,
                            expected: stop.expected,
                        }
                    }
                    other => other,
                })
            }
        }
    }
}
