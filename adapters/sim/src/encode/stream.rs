//! Stream messages and the REST form of a book.

use acth_core::{
    event::{Level, Side},
    instrument::Instrument,
};

use super::{
    Market,
    number::{push_ms, push_quoted, push_u64},
};
use crate::world::{BookSnapshot, MessageBody};

/// Decimals of mark and index prices, whatever the instrument's own are.
const MARK_PLACES: u8 = 8;
/// Decimals of a funding rate: all that an event can tell.
const RATE_EXPONENT: u8 = acth_core::event::FUNDING_RATE_EXPONENT as u8;

/// Appends a message as it stands alone on a raw stream.
pub fn message(
    out: &mut String,
    market: Market,
    instrument: &Instrument,
    ts_ns: i64,
    body: &MessageBody<'_>,
) {
    let mut writer = Writer {
        out,
        market,
        instrument,
        ts_ns,
    };
    match body {
        MessageBody::Trade { .. } => writer.trade(body),
        MessageBody::AggregateTrade { .. } => writer.aggregate_trade(body),
        MessageBody::BookTicker {
            update_id,
            bid,
            ask,
        } => writer.book_ticker(*update_id, bid, ask),
        MessageBody::DepthDiff { .. } => writer.depth_update(body),
        MessageBody::MarkPrice { .. } => writer.mark_price(body),
    }
}

/// Appends a message as it stands on a combined stream.
pub fn combined(out: &mut String, stream: &str, data: &str) {
    out.push_str("{\"stream\":\"");
    out.push_str(stream);
    out.push_str("\",\"data\":");
    out.push_str(data);
    out.push('}');
}

/// Appends the answer to a REST request for a book.
pub fn depth_snapshot(
    out: &mut String,
    market: Market,
    instrument: &Instrument,
    ts_ns: i64,
    book: &BookSnapshot,
) {
    let mut writer = Writer {
        out,
        market,
        instrument,
        ts_ns,
    };
    writer.text("{\"lastUpdateId\":").id(book.last_update_id);
    if market == Market::UsdFutures {
        writer.times("E", "T");
    }
    writer.text(",\"bids\":").levels(&book.bids);
    writer.text(",\"asks\":").levels(&book.asks).text("}");
}

struct Writer<'a> {
    out: &'a mut String,
    market: Market,
    instrument: &'a Instrument,
    ts_ns: i64,
}

impl Writer<'_> {
    fn trade(&mut self, body: &MessageBody<'_>) {
        let MessageBody::Trade {
            trade_id,
            price,
            quantity,
            aggressor,
        } = body
        else {
            return;
        };
        self.text("{\"e\":\"trade\"");
        match self.market {
            Market::Spot => self.time("E"),
            Market::UsdFutures => self.times("E", "T"),
        };
        self.symbol().text(",\"t\":").id(*trade_id);
        self.price("p", *price).quantity("q", *quantity);
        match self.market {
            Market::Spot => self.time("T"),
            Market::UsdFutures => self.text(",\"X\":\"MARKET\""),
        };
        self.end_of_trade(*aggressor);
    }

    fn aggregate_trade(&mut self, body: &MessageBody<'_>) {
        let MessageBody::AggregateTrade {
            aggregate_id,
            first_trade_id,
            final_trade_id,
            price,
            quantity,
            aggressor,
        } = body
        else {
            return;
        };
        self.text("{\"e\":\"aggTrade\"").time("E");
        match self.market {
            Market::Spot => self.symbol().text(",\"a\":").id(*aggregate_id),
            Market::UsdFutures => self.text(",\"a\":").id(*aggregate_id).symbol(),
        };
        self.price("p", *price).quantity("q", *quantity);
        self.text(",\"f\":").id(*first_trade_id);
        self.text(",\"l\":").id(*final_trade_id).time("T");
        self.end_of_trade(*aggressor);
    }

    /// Who was the maker, and on spot a field without meaning.
    fn end_of_trade(&mut self, aggressor: Side) {
        let is_buyer_maker = aggressor == Side::Ask;
        self.text(",\"m\":")
            .text(if is_buyer_maker { "true" } else { "false" });
        if self.market == Market::Spot {
            self.text(",\"M\":true");
        }
        self.text("}");
    }

    fn book_ticker(&mut self, update_id: u64, bid: &Level, ask: &Level) {
        match self.market {
            Market::Spot => self.text("{\"u\":"),
            Market::UsdFutures => self.text("{\"e\":\"bookTicker\",\"u\":"),
        };
        self.id(update_id).symbol();
        self.price("b", bid.price).quantity("B", bid.quantity);
        self.price("a", ask.price).quantity("A", ask.quantity);
        if self.market == Market::UsdFutures {
            self.times("T", "E");
        }
        self.text("}");
    }

    fn depth_update(&mut self, body: &MessageBody<'_>) {
        let MessageBody::DepthDiff {
            first_id,
            final_id,
            previous_final_id,
            bids,
            asks,
        } = body
        else {
            return;
        };
        self.text("{\"e\":\"depthUpdate\"");
        match self.market {
            Market::Spot => self.time("E"),
            Market::UsdFutures => self.times("E", "T"),
        };
        self.symbol().text(",\"U\":").id(*first_id);
        self.text(",\"u\":").id(*final_id);
        if self.market == Market::UsdFutures {
            self.text(",\"pu\":").id(*previous_final_id);
        }
        self.text(",\"b\":").levels(bids);
        self.text(",\"a\":").levels(asks).text("}");
    }

    /// The estimated price of settlement is the index: a perpetual is never settled.
    fn mark_price(&mut self, body: &MessageBody<'_>) {
        let MessageBody::MarkPrice {
            mark,
            index,
            rate,
            ts_next_ns,
        } = body
        else {
            return;
        };
        self.text("{\"e\":\"markPriceUpdate\"").time("E").symbol();
        for (key, price) in [("p", *mark), ("i", *index), ("P", *index)] {
            self.key(key);
            let exponent = self.instrument.price_exponent;
            push_quoted(self.out, price, exponent, MARK_PLACES);
        }
        self.key("r");
        push_quoted(self.out, *rate, RATE_EXPONENT, 0);
        self.key("T");
        push_ms(self.out, *ts_next_ns);
        self.text("}");
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.out.push_str(text);
        self
    }

    fn id(&mut self, id: u64) -> &mut Self {
        push_u64(self.out, id);
        self
    }

    fn key(&mut self, key: &str) -> &mut Self {
        self.text(",\"").text(key).text("\":")
    }

    fn time(&mut self, key: &str) -> &mut Self {
        self.key(key);
        push_ms(self.out, self.ts_ns);
        self
    }

    fn times(&mut self, first: &str, second: &str) -> &mut Self {
        self.time(first).time(second)
    }

    fn symbol(&mut self) -> &mut Self {
        let symbol = &self.instrument.symbol;
        self.text(",\"s\":\"").text(symbol).text("\"")
    }

    fn price(&mut self, key: &str, price: i64) -> &mut Self {
        self.key(key);
        self.market.push_price(self.out, self.instrument, price);
        self
    }

    fn quantity(&mut self, key: &str, quantity: i64) -> &mut Self {
        self.key(key);
        self.market
            .push_quantity(self.out, self.instrument, quantity);
        self
    }

    fn levels(&mut self, levels: &[Level]) -> &mut Self {
        self.text("[");
        for (index, level) in levels.iter().enumerate() {
            self.text(if index == 0 { "[" } else { ",[" });
            self.market
                .push_price(self.out, self.instrument, level.price);
            self.text(",");
            self.market
                .push_quantity(self.out, self.instrument, level.quantity);
            self.text("]");
        }
        self.text("]")
    }
}
