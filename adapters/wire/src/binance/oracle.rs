//! The general parser: any order of fields, by `simd-json`.
//!
//! It reads everything whose shape is not hot, takes over when a hot message does not look as documented, and is the
//! oracle that the scanner is tested against. It shares no reader of numbers with the scanner: integers come from
//! `simd-json`, decimals from `decimal::parse`.
//!
//! Invariant: a field that the message needs stands exactly once. A doubled name is refused, because taking either
//! value would be a guess (names such as `t` and `T` are one damaged bit apart).

use core::mem;

use acth_core::event::{Bbo, FUNDING_RATE_EXPONENT, Level, MarkFunding, Side, Trade};
use simd_json::{
    Buffers, Tape,
    prelude::*,
    tape::{Array, Object, Value},
};

use crate::decimal::{self, DecimalError};

use super::{
    ERROR_TEXT_BYTES_MAX, FRAME_BYTES_MAX, LEVELS_PER_MESSAGE_MAX, Market,
    error::DecodeError,
    scratch::{Context, Parsed, Scratch, is_change_stream},
    symbols::Symbol,
    time::ts_ns,
};

/// Events of streams that the hub knows and does not use.
const IGNORED_EVENTS: [&str; 16] = [
    "1dTicker",
    "1hTicker",
    "24hrMiniTicker",
    "24hrTicker",
    "4hTicker",
    "assetIndexUpdate",
    "avgPrice",
    "compositeIndex",
    "continuous_kline",
    "contractInfo",
    "forceOrder",
    "indexPriceUpdate",
    "indexPrice_kline",
    "kline",
    "markPriceUpdate",
    "markPrice_kline",
];

/// Buffers of the general parser, kept from frame to frame.
pub(super) struct Oracle {
    bytes: Vec<u8>,
    buffers: Buffers,
    tape: Tape<'static>,
}

impl Oracle {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            buffers: Buffers::default(),
            tape: Tape(Vec::new()),
        }
    }

    /// Reads one frame, in the combined form or raw.
    pub(super) fn read(
        &mut self,
        frame: &[u8],
        context: &Context<'_>,
        scratch: &mut Scratch,
    ) -> Result<Parsed, DecodeError> {
        if frame.len() > FRAME_BYTES_MAX {
            return Err(DecodeError::TooLong(frame.len()));
        }
        // The parser unescapes in place, hence a copy.
        self.bytes.clear();
        self.bytes.extend_from_slice(frame);
        let mut tape = mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        let parsed = match simd_json::fill_tape(&mut self.bytes, &mut self.buffers, &mut tape) {
            Ok(()) => root(frame, tape.as_value(), context, scratch),
            Err(error) => Err(DecodeError::Shape {
                offset: error.index().min(frame.len()),
                expected: "well-formed JSON",
            }),
        };
        self.tape = tape.reset();
        parsed
    }
}

/// The fields of one object, with the frame for the places of errors.
#[derive(Clone, Copy)]
struct Fields<'tape, 'input> {
    frame: &'tape [u8],
    object: &'tape Object<'tape, 'input>,
}

fn root(
    frame: &[u8],
    value: Value<'_, '_>,
    context: &Context<'_>,
    scratch: &mut Scratch,
) -> Result<Parsed, DecodeError> {
    let Some(object) = value.as_object() else {
        return Ok(Parsed::Unknown);
    };
    let fields = Fields {
        frame,
        object: &object,
    };
    let (Some(stream), Some(data)) = (fields.find("stream")?, fields.find("data")?) else {
        return data_object(fields, "", context, scratch);
    };
    let Some(stream) = stream.as_str() else {
        return Err(fields.wrong("stream", "a text"));
    };
    match data.as_object() {
        Some(object) => {
            let fields = Fields {
                frame,
                object: &object,
            };
            data_object(fields, stream, context, scratch)
        }
        // Streams over all symbols (`!ticker@arr`) send lists; none is used.
        None if data.is_array() => Ok(Parsed::Ignored),
        None => Err(fields.wrong("data", "an object or a list")),
    }
}

fn data_object(
    fields: Fields<'_, '_>,
    stream: &str,
    context: &Context<'_>,
    scratch: &mut Scratch,
) -> Result<Parsed, DecodeError> {
    let Some(event) = fields.find("e")? else {
        return nameless(fields, stream, context, scratch);
    };
    let Some(event) = event.as_str() else {
        return Err(fields.wrong("e", "a text"));
    };
    match event {
        "depthUpdate" if !is_change_stream(stream.as_bytes()) => Ok(Parsed::Ignored),
        "depthUpdate" => depth(fields, context, scratch),
        "bookTicker" => bbo(fields, context),
        "trade" => trade(fields, context),
        "aggTrade" => aggregate_trade(fields, context),
        "markPriceUpdate" if context.market == Market::UsdM => mark_funding(fields, context),
        "serverShutdown" => Ok(Parsed::ServerShutdown),
        other if IGNORED_EVENTS.contains(&other) => Ok(Parsed::Ignored),
        _ => Ok(Parsed::Unknown),
    }
}

/// Messages without an event name: told apart by the fields they have.
fn nameless(
    fields: Fields<'_, '_>,
    stream: &str,
    context: &Context<'_>,
    scratch: &mut Scratch,
) -> Result<Parsed, DecodeError> {
    if fields.find("u")?.is_some() {
        return bbo(fields, context);
    }
    if fields.find("lastUpdateId")?.is_some() {
        if !stream.is_empty() {
            return Ok(Parsed::Ignored);
        }
        let symbol = context.snapshot.ok_or(DecodeError::SnapshotInstrument)?;
        return snapshot(fields, symbol, scratch);
    }
    let id = fields.find("id")?.and_then(|id| id.as_u64());
    if let Some(error) = fields.find("error")? {
        let Some(object) = error.as_object() else {
            return Err(fields.wrong("error", "an object"));
        };
        let inner = Fields {
            frame: fields.frame,
            object: &object,
        };
        return venue_error(inner, id, scratch);
    }
    if fields.find("code")?.is_some() && fields.find("msg")?.is_some() {
        return venue_error(fields, id, scratch);
    }
    if fields.find("result")?.is_some() {
        return Ok(Parsed::Ack { id });
    }
    Ok(Parsed::Unknown)
}

fn venue_error(
    fields: Fields<'_, '_>,
    id: Option<u64>,
    scratch: &mut Scratch,
) -> Result<Parsed, DecodeError> {
    let Some(code) = fields.need("code", "an integer")?.as_i64() else {
        return Err(fields.wrong("code", "an integer"));
    };
    let text = fields.text("msg")?;
    let mut length = text.len().min(ERROR_TEXT_BYTES_MAX);
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    scratch.text.clear();
    scratch.text.push_str(&text[..length]);
    Ok(Parsed::VenueError { id, code })
}

fn depth(
    fields: Fields<'_, '_>,
    context: &Context<'_>,
    scratch: &mut Scratch,
) -> Result<Parsed, DecodeError> {
    let Some(symbol) = fields.symbol(context)? else {
        return Ok(Parsed::Unknown);
    };
    let event_ns = fields.time("E")?;
    let engine_ns = fields.time_if_any("T")?;
    let first_id = fields.unsigned("U")?;
    let final_id = fields.unsigned("u")?;
    let previous_id = match fields.find("pu")? {
        // The first message of a book has -1 here: there is none before it.
        Some(value) if value.as_i64() == Some(-1) => None,
        Some(_) => Some(fields.unsigned("pu")?),
        None if context.market == Market::UsdM => {
            return Err(fields.wrong("pu", "an unsigned number"));
        }
        None => None,
    };
    fields.levels("b", symbol, &mut scratch.bids)?;
    fields.levels("a", symbol, &mut scratch.asks)?;
    Ok(Parsed::Depth {
        instrument: symbol.instrument,
        first_id,
        final_id,
        previous_id,
        ts_venue_ns: engine_ns.unwrap_or(event_ns),
    })
}

fn bbo(fields: Fields<'_, '_>, context: &Context<'_>) -> Result<Parsed, DecodeError> {
    let Some(symbol) = fields.symbol(context)? else {
        return Ok(Parsed::Unknown);
    };
    let event_ns = fields.time_if_any("E")?;
    let engine_ns = fields.time_if_any("T")?;
    let level = |price, quantity| {
        Ok(Level {
            price: fields.decimal(price, symbol.price_exponent)?,
            quantity: fields.decimal(quantity, symbol.quantity_exponent)?,
        })
    };
    Ok(Parsed::Bbo {
        instrument: symbol.instrument,
        bbo: Bbo {
            bid: level("b", "B")?,
            ask: level("a", "A")?,
            update_id: fields.unsigned("u")?,
        },
        ts_venue_ns: engine_ns.or(event_ns).unwrap_or(0),
    })
}

fn trade(fields: Fields<'_, '_>, context: &Context<'_>) -> Result<Parsed, DecodeError> {
    // Futures print transfers to the insurance fund and the like as trades; they are no trades in the market.
    if let Some(kind) = fields.find("X")?
        && kind.as_str() != Some("MARKET")
    {
        return Ok(Parsed::Ignored);
    }
    let trade_id = fields.unsigned("t")?;
    one_trade(fields, context, trade_id, trade_id)
}

fn aggregate_trade(fields: Fields<'_, '_>, context: &Context<'_>) -> Result<Parsed, DecodeError> {
    fields.unsigned("a")?;
    let first_id = fields.unsigned("f")?;
    one_trade(fields, context, first_id, fields.unsigned("l")?)
}

fn one_trade(
    fields: Fields<'_, '_>,
    context: &Context<'_>,
    trade_id: u64,
    trade_id_final: u64,
) -> Result<Parsed, DecodeError> {
    let Some(symbol) = fields.symbol(context)? else {
        return Ok(Parsed::Unknown);
    };
    fields.time("E")?;
    let Some(is_buyer_maker) = fields.need("m", "true or false")?.as_bool() else {
        return Err(fields.wrong("m", "true or false"));
    };
    Ok(Parsed::Trade {
        instrument: symbol.instrument,
        aggressor: if is_buyer_maker { Side::Ask } else { Side::Bid },
        trade: Trade {
            price: fields.decimal("p", symbol.price_exponent)?,
            quantity: fields.decimal("q", symbol.quantity_exponent)?,
            trade_id,
            trade_id_final,
            reserved: 0,
        },
        ts_venue_ns: fields.time("T")?,
    })
}

fn mark_funding(fields: Fields<'_, '_>, context: &Context<'_>) -> Result<Parsed, DecodeError> {
    let Some(symbol) = fields.symbol(context)? else {
        return Ok(Parsed::Unknown);
    };
    let ts_venue_ns = fields.time("E")?;
    let nearest = |name: &'static str| {
        let text = fields.text(name)?.as_bytes();
        let mantissa = decimal::parse_nearest(text, symbol.price_exponent);
        mantissa.map_err(|source| fields.decimal_error(name, source))
    };
    let (mark_price, index_price) = (nearest("p")?, nearest("i")?);
    let ts_next_ns = fields.time("T")?;
    let rate = fields.text("r")?.as_bytes();
    // Contracts that are delivered have a mark price and no funding.
    if rate.is_empty() {
        return Ok(Parsed::Ignored);
    }
    let rate = decimal::parse_signed(rate, FUNDING_RATE_EXPONENT as u8)
        .map_err(|source| fields.decimal_error("r", source))?;
    Ok(Parsed::MarkFunding {
        instrument: symbol.instrument,
        announced: MarkFunding {
            mark_price,
            index_price,
            rate,
            ts_next_ns,
            reserved: 0,
        },
        ts_venue_ns,
    })
}

fn snapshot(
    fields: Fields<'_, '_>,
    symbol: Symbol,
    scratch: &mut Scratch,
) -> Result<Parsed, DecodeError> {
    let event_ns = fields.time_if_any("E")?;
    let engine_ns = fields.time_if_any("T")?;
    let last_update_id = fields.unsigned("lastUpdateId")?;
    fields.levels("bids", symbol, &mut scratch.bids)?;
    fields.levels("asks", symbol, &mut scratch.asks)?;
    Ok(Parsed::Snapshot {
        instrument: symbol.instrument,
        last_update_id,
        ts_venue_ns: engine_ns.or(event_ns).unwrap_or(0),
    })
}

impl<'tape, 'input> Fields<'tape, 'input> {
    /// The value of a field that may stand at most once.
    fn find(self, name: &'static str) -> Result<Option<Value<'tape, 'input>>, DecodeError> {
        let mut values = self.object.iter().filter(|(key, _)| *key == name);
        let first = values.next().map(|(_, value)| value);
        if values.next().is_some() {
            return Err(self.wrong(name, "the field only once"));
        }
        Ok(first)
    }

    fn need(
        self,
        name: &'static str,
        expected: &'static str,
    ) -> Result<Value<'tape, 'input>, DecodeError> {
        self.find(name)?.ok_or_else(|| self.wrong(name, expected))
    }

    fn unsigned(self, name: &'static str) -> Result<u64, DecodeError> {
        const EXPECTED: &str = "an unsigned number";
        self.need(name, EXPECTED)?
            .as_u64()
            .ok_or_else(|| self.wrong(name, EXPECTED))
    }

    fn text(self, name: &'static str) -> Result<&'input str, DecodeError> {
        const EXPECTED: &str = "a text";
        let value = self.need(name, EXPECTED)?;
        value
            .into_string()
            .ok_or_else(|| self.wrong(name, EXPECTED))
    }

    fn time(self, name: &'static str) -> Result<i64, DecodeError> {
        ts_ns(self.unsigned(name)?)
            .ok_or_else(|| self.wrong(name, "a time in milliseconds or microseconds"))
    }

    fn time_if_any(self, name: &'static str) -> Result<Option<i64>, DecodeError> {
        match self.find(name)? {
            Some(_) => self.time(name).map(Some),
            None => Ok(None),
        }
    }

    fn decimal(self, name: &'static str, exponent: u8) -> Result<i64, DecodeError> {
        self.exact(name, self.text(name)?, exponent)
    }

    fn exact(self, name: &'static str, text: &str, exponent: u8) -> Result<i64, DecodeError> {
        decimal::parse(text.as_bytes(), exponent).map_err(|source| self.decimal_error(name, source))
    }

    fn decimal_error(self, name: &'static str, source: DecimalError) -> DecodeError {
        DecodeError::Decimal {
            offset: self.place(name),
            field: name,
            source,
        }
    }

    /// The symbol that the message is about, if the table has it.
    fn symbol(self, context: &Context<'_>) -> Result<Option<Symbol>, DecodeError> {
        Ok(context.symbols.lookup(self.text("s")?.as_bytes()))
    }

    fn levels(
        self,
        name: &'static str,
        symbol: Symbol,
        target: &mut Vec<Level>,
    ) -> Result<(), DecodeError> {
        const EXPECTED: &str = "a list of [\"price\",\"quantity\"]";
        target.clear();
        let Some(list) = self.need(name, EXPECTED)?.as_array() else {
            return Err(self.wrong(name, EXPECTED));
        };
        if list.len() > LEVELS_PER_MESSAGE_MAX {
            return Err(DecodeError::TooManyLevels {
                offset: self.place(name),
                field: name,
            });
        }
        for pair in list.iter() {
            let Some((price, quantity)) = pair.as_array().and_then(two_texts) else {
                return Err(self.wrong(name, EXPECTED));
            };
            target.push(Level {
                price: self.exact(name, price, symbol.price_exponent)?,
                quantity: self.exact(name, quantity, symbol.quantity_exponent)?,
            });
        }
        Ok(())
    }

    fn wrong(self, name: &'static str, expected: &'static str) -> DecodeError {
        DecodeError::Field {
            offset: self.place(name),
            field: name,
            expected,
        }
    }

    /// Where the name first stands as a quoted text followed by a colon; the end of the frame if nowhere.
    fn place(self, name: &str) -> usize {
        let quoted = |window: &[u8]| {
            window.first() == Some(&b'"')
                && window.ends_with(b"\":")
                && &window[1..window.len() - 2] == name.as_bytes()
        };
        self.frame
            .windows(name.len() + 3)
            .position(quoted)
            .unwrap_or(self.frame.len())
    }
}

fn two_texts<'input>(pair: Array<'_, 'input>) -> Option<(&'input str, &'input str)> {
    let mut items = pair.iter();
    let price = items.next()?.into_string()?;
    let quantity = items.next()?.into_string()?;
    items.next().is_none().then_some((price, quantity))
}
