//! The scanner: each hot message by the order of fields that the venue documents, every byte checked.
//!
//! A message is a fixed sequence of names and values; a reader per message kind states that sequence from top to
//! bottom. Fields that only some years or markets have are optional steps at their place. Any byte that does not fit
//! ends the scan with a `Stop`; nothing is skipped unseen.
//!
//! `acth-bench decode` measures it beside a bare scanner and a typed `simd-json` parse.

use acth_core::event::{Bbo, FUNDING_RATE_EXPONENT, Level, MarkFunding, Side, Trade};

use super::{
    LEVELS_PER_MESSAGE_MAX, Market,
    cursor::{Cursor, Scale, Scan},
    scratch::{Context, Parsed, Scratch, is_change_stream},
    symbols::Symbol,
    time::ts_ns,
};

/// Reads one frame, in the combined form or raw.
#[inline]
pub(super) fn scan(frame: &[u8], context: &Context<'_>, scratch: &mut Scratch) -> Scan<Parsed> {
    let mut cursor = Cursor::new(frame);
    if !cursor.skip(r#"{"stream":""#) {
        let parsed = data(&mut cursor, b"", context, scratch)?;
        cursor.end()?;
        return Ok(parsed);
    }
    let stream = cursor.text()?;
    cursor.literal(r#","data":"#)?;
    let parsed = data(&mut cursor, stream, context, scratch)?;
    cursor.literal("}")?;
    cursor.end()?;
    Ok(parsed)
}

#[inline(always)]
fn data(
    cursor: &mut Cursor<'_>,
    stream: &[u8],
    context: &Context<'_>,
    scratch: &mut Scratch,
) -> Scan<Parsed> {
    if cursor.skip(r#"{"e":""#) {
        if cursor.skip(r#"bookTicker","u":"#) {
            return bbo(cursor, context);
        }
        if cursor.skip(r#"trade","E":"#) {
            return trade(cursor, context);
        }
        if cursor.skip(r#"depthUpdate","E":"#) && is_change_stream(stream) {
            return depth(cursor, context, scratch);
        }
        if cursor.skip(r#"aggTrade","E":"#) {
            return aggregate_trade(cursor, context);
        }
        if context.market == Market::UsdM && cursor.skip(r#"markPriceUpdate","E":"#) {
            return mark_funding(cursor, context);
        }
    } else if cursor.skip(r#"{"u":"#) {
        return bbo(cursor, context);
    } else if stream.is_empty() && cursor.skip(r#"{"lastUpdateId":"#) {
        return snapshot(cursor, context, scratch);
    }
    Err(cursor.stop("a depth update, book ticker, trade, mark price or snapshot"))
}

/// After `{"e":"depthUpdate","E":`.
fn depth(cursor: &mut Cursor<'_>, context: &Context<'_>, scratch: &mut Scratch) -> Scan<Parsed> {
    let mut ts_venue_ns = ts_venue(cursor)?;
    if cursor.skip(r#","T":"#) {
        ts_venue_ns = ts_venue(cursor)?;
    }
    cursor.literal(r#","s":""#)?;
    let symbol = known_symbol(cursor, context)?;
    if cursor.skip(r#","ps":""#) {
        cursor.text()?;
    }
    venue_type(cursor)?;
    cursor.literal(r#","U":"#)?;
    let first_id = cursor.unsigned()?;
    cursor.literal(r#","u":"#)?;
    let final_id = cursor.unsigned()?;
    let previous_id = if cursor.skip(r#","pu":"#) {
        Some(cursor.unsigned()?)
    } else if context.market == Market::UsdM {
        return Err(cursor.stop(r#","pu":"#));
    } else {
        None
    };
    cursor.literal(r#","b":["#)?;
    levels(cursor, symbol, &mut scratch.bids)?;
    cursor.literal(r#","a":["#)?;
    levels(cursor, symbol, &mut scratch.asks)?;
    cursor.literal("}")?;
    Ok(Parsed::Depth {
        instrument: symbol.instrument,
        first_id,
        final_id,
        previous_id,
        ts_venue_ns,
    })
}

/// After `{"u":`, with or without the event name before.
#[inline(always)]
fn bbo(cursor: &mut Cursor<'_>, context: &Context<'_>) -> Scan<Parsed> {
    let update_id = cursor.unsigned()?;
    let mut ts_venue_ns = None;
    if cursor.skip(r#","E":"#) {
        ts_venue(cursor)?;
        cursor.literal(r#","T":"#)?;
        ts_venue_ns = Some(ts_venue(cursor)?);
    }
    cursor.literal(r#","s":""#)?;
    let symbol = known_symbol(cursor, context)?;
    if cursor.skip(r#","ps":""#) {
        cursor.text()?;
    }
    let (price, quantity) = scales(symbol);
    cursor.literal(r#","b":""#)?;
    let bid_price = cursor.decimal(price)?;
    cursor.literal(r#","B":""#)?;
    let bid_quantity = cursor.decimal(quantity)?;
    cursor.literal(r#","a":""#)?;
    let ask_price = cursor.decimal(price)?;
    cursor.literal(r#","A":""#)?;
    let ask_quantity = cursor.decimal(quantity)?;
    if ts_venue_ns.is_none() && cursor.skip(r#","T":"#) {
        ts_venue_ns = Some(ts_venue(cursor)?);
        cursor.literal(r#","E":"#)?;
        ts_venue(cursor)?;
    }
    venue_type(cursor)?;
    cursor.literal("}")?;
    Ok(Parsed::Bbo {
        instrument: symbol.instrument,
        bbo: Bbo {
            bid: level(bid_price, bid_quantity),
            ask: level(ask_price, ask_quantity),
            update_id,
        },
        ts_venue_ns: ts_venue_ns.unwrap_or(0),
    })
}

/// After `{"e":"trade","E":`.
#[inline(always)]
fn trade(cursor: &mut Cursor<'_>, context: &Context<'_>) -> Scan<Parsed> {
    ts_venue(cursor)?;
    let mut ts_venue_ns = None;
    if cursor.skip(r#","T":"#) {
        ts_venue_ns = Some(ts_venue(cursor)?);
    }
    cursor.literal(r#","s":""#)?;
    let symbol = known_symbol(cursor, context)?;
    cursor.literal(r#","t":"#)?;
    let trade_id = cursor.unsigned()?;
    let (price, quantity) = price_and_quantity(cursor, symbol)?;
    if cursor.skip(r#","b":"#) {
        cursor.unsigned()?;
        cursor.literal(r#","a":"#)?;
        cursor.unsigned()?;
    }
    let ts_venue_ns = match ts_venue_ns {
        Some(ts_venue_ns) => {
            // Futures name the kind of trade; anything but a match in the market is left to the general parser.
            cursor.literal(r#","X":"MARKET""#)?;
            ts_venue_ns
        }
        None => {
            cursor.literal(r#","T":"#)?;
            ts_venue(cursor)?
        }
    };
    let trade = Trade {
        price,
        quantity,
        trade_id,
        trade_id_final: trade_id,
        reserved: 0,
    };
    trade_tail(cursor, symbol, trade, ts_venue_ns)
}

/// After `{"e":"aggTrade","E":`.
#[inline(always)]
fn aggregate_trade(cursor: &mut Cursor<'_>, context: &Context<'_>) -> Scan<Parsed> {
    ts_venue(cursor)?;
    // The aggregate's own id stands behind the symbol on spot, before it on futures.
    let is_id_first = cursor.skip(r#","a":"#);
    if is_id_first {
        cursor.unsigned()?;
    }
    cursor.literal(r#","s":""#)?;
    let symbol = known_symbol(cursor, context)?;
    venue_type(cursor)?;
    if !is_id_first {
        cursor.literal(r#","a":"#)?;
        cursor.unsigned()?;
    }
    let (price, quantity) = price_and_quantity(cursor, symbol)?;
    if cursor.skip(r#","nq":""#) {
        cursor.decimal(Scale::new(symbol.quantity_exponent))?;
    }
    cursor.literal(r#","f":"#)?;
    let trade_id = cursor.unsigned()?;
    cursor.literal(r#","l":"#)?;
    let trade_id_final = cursor.unsigned()?;
    cursor.literal(r#","T":"#)?;
    let ts_venue_ns = ts_venue(cursor)?;
    let trade = Trade {
        price,
        quantity,
        trade_id,
        trade_id_final,
        reserved: 0,
    };
    trade_tail(cursor, symbol, trade, ts_venue_ns)
}

/// After `{"e":"markPriceUpdate","E":`. Some years have the index before the estimated settlement, some behind it, and some a
/// smoothed mark price `ap` here or there.
#[inline(never)]
fn mark_funding(cursor: &mut Cursor<'_>, context: &Context<'_>) -> Scan<Parsed> {
    let ts_venue_ns = ts_venue(cursor)?;
    cursor.literal(r#","s":""#)?;
    let symbol = known_symbol(cursor, context)?;
    venue_type(cursor)?;
    cursor.literal(r#","p":""#)?;
    let mark_price = cursor.decimal_nearest(symbol.price_exponent)?;
    unused_text(cursor, r#","ap":""#)?;
    unused_text(cursor, r#","P":""#)?;
    cursor.literal(r#","i":""#)?;
    let index_price = cursor.decimal_nearest(symbol.price_exponent)?;
    unused_text(cursor, r#","P":""#)?;
    cursor.literal(r#","r":""#)?;
    let is_without_funding = cursor.skip("\"");
    let rate = if is_without_funding {
        0
    } else {
        cursor.decimal_signed(FUNDING_RATE_EXPONENT as u8)?
    };
    cursor.literal(r#","T":"#)?;
    let ts_next_ns = ts_venue(cursor)?;
    unused_text(cursor, r#","ap":""#)?;
    venue_type(cursor)?;
    cursor.literal("}")?;
    if is_without_funding {
        return Ok(Parsed::Ignored);
    }
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

/// A field that is not used, with the quote that opens its text, if it stands here.
#[inline(always)]
fn unused_text(cursor: &mut Cursor<'_>, name: &'static str) -> Scan<()> {
    if cursor.skip(name) {
        cursor.text()?;
    }
    Ok(())
}

/// `,"p":"…","q":"…"`.
#[inline(always)]
fn price_and_quantity(cursor: &mut Cursor<'_>, symbol: Symbol) -> Scan<(i64, i64)> {
    let (price, quantity) = scales(symbol);
    cursor.literal(r#","p":""#)?;
    let price = cursor.decimal(price)?;
    cursor.literal(r#","q":""#)?;
    Ok((price, cursor.decimal(quantity)?))
}

/// From `,"m":` to the end of a trade.
#[inline(always)]
fn trade_tail(
    cursor: &mut Cursor<'_>,
    symbol: Symbol,
    trade: Trade,
    ts_venue_ns: i64,
) -> Scan<Parsed> {
    cursor.literal(r#","m":"#)?;
    let is_buyer_maker = cursor.boolean()?;
    if cursor.skip(r#","M":"#) {
        cursor.boolean()?;
    }
    venue_type(cursor)?;
    cursor.literal("}")?;
    Ok(Parsed::Trade {
        instrument: symbol.instrument,
        aggressor: if is_buyer_maker { Side::Ask } else { Side::Bid },
        trade,
        ts_venue_ns,
    })
}

/// After `{"lastUpdateId":`.
fn snapshot(cursor: &mut Cursor<'_>, context: &Context<'_>, scratch: &mut Scratch) -> Scan<Parsed> {
    let Some(symbol) = context.snapshot else {
        return Err(cursor.stop("a snapshot of a known instrument"));
    };
    let last_update_id = cursor.unsigned()?;
    let mut ts_venue_ns = 0;
    if cursor.skip(r#","E":"#) {
        ts_venue(cursor)?;
        cursor.literal(r#","T":"#)?;
        ts_venue_ns = ts_venue(cursor)?;
    }
    cursor.literal(r#","bids":["#)?;
    levels(cursor, symbol, &mut scratch.bids)?;
    cursor.literal(r#","asks":["#)?;
    levels(cursor, symbol, &mut scratch.asks)?;
    cursor.literal("}")?;
    Ok(Parsed::Snapshot {
        instrument: symbol.instrument,
        last_update_id,
        ts_venue_ns,
    })
}

/// A list of levels after its opening bracket.
#[inline(always)]
fn levels(cursor: &mut Cursor<'_>, symbol: Symbol, target: &mut Vec<Level>) -> Scan<()> {
    target.clear();
    if cursor.skip("]") {
        return Ok(());
    }
    let (price, quantity) = scales(symbol);
    loop {
        if target.len() == LEVELS_PER_MESSAGE_MAX {
            return Err(cursor.stop("at most 5000 levels"));
        }
        cursor.literal(r#"[""#)?;
        let price = cursor.decimal(price)?;
        cursor.literal(r#",""#)?;
        let quantity = cursor.decimal(quantity)?;
        target.push(level(price, quantity));
        cursor.literal("]")?;
        if !cursor.either(b',', b']', "a comma or the end of the levels")? {
            return Ok(());
        }
    }
}

/// The kind of futures, which newer messages name: `,"st":1`.
#[inline(always)]
fn venue_type(cursor: &mut Cursor<'_>) -> Scan<()> {
    if cursor.skip(r#","st":"#) {
        cursor.unsigned()?;
    }
    Ok(())
}

#[inline(always)]
fn known_symbol(cursor: &mut Cursor<'_>, context: &Context<'_>) -> Scan<Symbol> {
    let before = *cursor;
    let key = cursor.symbol()?;
    match context.symbols.find(&key) {
        Some(symbol) => Ok(symbol),
        None => Err(before.stop("a symbol of the table")),
    }
}

/// A venue time; one that is not used further is read all the same, so that a damaged one is seen.
#[inline(always)]
fn ts_venue(cursor: &mut Cursor<'_>) -> Scan<i64> {
    let before = *cursor;
    match ts_ns(cursor.unsigned()?) {
        Some(ts_venue_ns) => Ok(ts_venue_ns),
        None => Err(before.stop("a time in milliseconds or microseconds")),
    }
}

#[inline(always)]
fn scales(symbol: Symbol) -> (Scale, Scale) {
    (
        Scale::new(symbol.price_exponent),
        Scale::new(symbol.quantity_exponent),
    )
}

#[inline(always)]
const fn level(price: i64, quantity: i64) -> Level {
    Level { price, quantity }
}
