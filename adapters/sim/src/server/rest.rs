//! The REST calls: time, instruments, book. Errors have the venue's codes and words.

use acth_core::instrument::{Instrument, InstrumentId};

use super::{faults::Faults, http};
use crate::{
    encode::{self, Market},
    world::World,
};

/// Levels of a book when the client does not say, by market.
const LIMIT_DEFAULT_SPOT: usize = 100;
const LIMIT_DEFAULT_FUTURES: usize = 500;
/// Most levels of a spot book.
const LIMIT_MAX_SPOT: usize = 5_000;
/// The only limits that the futures market knows.
const LIMITS_FUTURES: [usize; 7] = [5, 10, 20, 50, 100, 500, 1_000];

/// Status and body of an answer.
pub(super) type Answer = (u16, String);

/// Answers one call.
pub(super) fn answer(
    world: &World,
    faults: &mut Faults,
    market: Market,
    call: &str,
    query: &str,
) -> Answer {
    match call {
        "ping" => (200, "{}".to_owned()),
        "time" => (
            200,
            format!("{{\"serverTime\":{}}}", world.ts_ns() / 1_000_000),
        ),
        "exchangeInfo" => exchange_info(world, market, query),
        "depth" => depth(world, faults, market, query),
        _ => (404, String::new()),
    }
}

fn error(code: i32, text: &str) -> Answer {
    (400, format!("{{\"code\":{code},\"msg\":\"{text}\"}}"))
}

fn exchange_info(world: &World, market: Market, query: &str) -> Answer {
    let wanted = if market == Market::Spot {
        wanted_symbols(query)
    } else {
        Vec::new()
    };
    let unknown = |symbol: &String| find(world, market, symbol).is_none();
    if wanted.iter().any(unknown) {
        return error(-1121, "Invalid symbol.");
    }
    let is_listed = |row: &&Instrument| {
        Market::of(row) == market && (wanted.is_empty() || wanted.contains(&row.symbol))
    };
    let rows = world.instruments().rows().iter().filter(is_listed);
    let mut body = String::with_capacity(4_096);
    encode::exchange_info(&mut body, market, world.ts_ns(), rows);
    (200, body)
}

/// `symbol=A` or `symbols=["A","B"]`.
fn wanted_symbols(query: &str) -> Vec<String> {
    if let Some(symbol) = http::parameter(query, "symbol") {
        return vec![symbol];
    }
    let list = http::parameter(query, "symbols").unwrap_or_default();
    let is_name = |part: &&str| part.bytes().any(|byte| byte.is_ascii_alphanumeric());
    list.split('"').filter(is_name).map(str::to_owned).collect()
}

fn depth(world: &World, faults: &mut Faults, market: Market, query: &str) -> Answer {
    let Some(symbol) = http::parameter(query, "symbol") else {
        let text = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.";
        return error(-1102, text);
    };
    let Some((id, instrument)) = find(world, market, &symbol) else {
        return error(-1121, "Invalid symbol.");
    };
    let limit = match limit(market, query) {
        Ok(limit) => limit,
        Err(answer) => return answer,
    };
    let Some(book) = faults
        .snapshot(id, limit)
        .or_else(|| world.snapshot(id, limit))
    else {
        return error(-1121, "Invalid symbol.");
    };
    let mut body = String::with_capacity(64 * (book.bids.len() + book.asks.len() + 2));
    encode::depth_snapshot(&mut body, market, instrument, world.ts_ns(), &book);
    (200, body)
}

fn limit(market: Market, query: &str) -> Result<usize, Answer> {
    let Some(text) = http::parameter(query, "limit") else {
        return Ok(match market {
            Market::Spot => LIMIT_DEFAULT_SPOT,
            Market::UsdFutures => LIMIT_DEFAULT_FUTURES,
        });
    };
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(limit) = text
        .parse::<usize>()
        .ok()
        .filter(|limit| is_number && *limit > 0)
    else {
        let text = "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.";
        return Err(error(-1100, text));
    };
    match market {
        Market::Spot => Ok(limit.min(LIMIT_MAX_SPOT)),
        Market::UsdFutures if LIMITS_FUTURES.contains(&limit) => Ok(limit),
        Market::UsdFutures => Err(error(
            -4021,
            &format!("'{limit}' is not valid depth limit."),
        )),
    }
}

fn find<'a>(
    world: &'a World,
    market: Market,
    symbol: &str,
) -> Option<(InstrumentId, &'a Instrument)> {
    let mut rows = world.instruments().iter();
    rows.find(|(_, row)| Market::of(row) == market && row.symbol == symbol)
}
