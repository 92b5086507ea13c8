//! Every file and every column of an export: the one place that the formats and `SCHEMA.md` are made from.

mod decided;
mod models;

use std::borrow::Cow;

use acth_core::event::{DECODE_NS_MAX, Side, decode_ns, flags};

use self::{
    decided::{CAUSED, DECIDED, MANIFEST},
    models::{MODEL_BYTES, MODEL_SLOT, PROMOTION},
};
use crate::{
    columns::{
        Cell, Column,
        ColumnType::{Double, Int32, Int64, Text, Time},
        Table, column,
    },
    names,
    row::Row,
};

/// Index of the table of book changes.
pub(crate) const BOOK_DELTA: usize = 0;
/// Index of the table of best bids and offers.
pub(crate) const BBO: usize = 1;
/// Index of the table of trades.
pub(crate) const TRADE: usize = 2;
/// Index of the table of book states.
pub(crate) const BOOK_STATE: usize = 3;
/// Index of the table of order reports.
pub(crate) const ORDER_REPORT: usize = 4;
/// Index of the table of fills.
pub(crate) const ORDER_FILLED: usize = 5;
/// Index of the table of commands sent.
pub(crate) const COMMAND_SENT: usize = 6;
/// Index of the table of timers.
pub(crate) const TIMER: usize = 7;
/// Index of the table of operator commands.
pub(crate) const OPERATOR: usize = 8;
/// Index of the table of connections.
pub(crate) const CONNECTION: usize = 9;
/// Index of the table of decisions.
pub(crate) const DECISION: usize = 10;
/// Index of the table of runs.
pub(crate) const RUN: usize = 11;
/// Index of the table of parts of models.
pub(crate) const MODEL_PART: usize = 12;
/// Index of the table of promotions.
pub(crate) const MODEL_PROMOTED: usize = 13;
/// Index of the table of funding.
pub(crate) const FUNDING: usize = 14;
/// Index of the table of rates.
pub(crate) const RATE: usize = 15;
/// Index of the table of announced funding.
pub(crate) const MARK_FUNDING: usize = 16;

/// The tables, by index.
pub(crate) static TABLES: [Table; 17] = [
    Table {
        name: "book_delta",
        meaning: "One level of a book changed, or was part of a snapshot; one row per level.",
        groups: &[FRAME, INPUT, DECODED, INSTRUMENT, NAMES, EXPONENTS, DELTA],
    },
    Table {
        name: "bbo",
        meaning: "The best bid and offer changed.",
        groups: &[FRAME, INPUT, DECODED, INSTRUMENT, NAMES, EXPONENTS, BEST],
    },
    Table {
        name: "trade",
        meaning: "A trade was printed.",
        groups: &[FRAME, INPUT, DECODED, INSTRUMENT, NAMES, EXPONENTS, PRINT],
    },
    Table {
        name: "book_state",
        meaning: "A book became syncing, live or stale.",
        groups: &[FRAME, INPUT, INSTRUMENT, NAMES, STATE],
    },
    Table {
        name: "order_report",
        meaning: "A venue acknowledged, refused or ended an order of ours.",
        groups: &[FRAME, INPUT, INSTRUMENT, NAMES, REPORT],
    },
    Table {
        name: "order_filled",
        meaning: "An order of ours traded, in part or in full.",
        groups: &[FRAME, INPUT, INSTRUMENT, NAMES, EXPONENTS, FILL],
    },
    Table {
        name: "command_sent",
        meaning: "A command left the host.",
        groups: &[FRAME, INPUT, INSTRUMENT, NAMES, SENT],
    },
    Table {
        name: "timer",
        meaning: "A periodic timer came due.",
        groups: &[FRAME, INPUT, DUE],
    },
    Table {
        name: "operator",
        meaning: "A person or the runtime gave an order to the hub itself.",
        groups: &[FRAME, INPUT, ORDERED],
    },
    Table {
        name: "connection",
        meaning: "A venue session opened or closed.",
        groups: &[FRAME, INPUT, LINK],
    },
    Table {
        name: "decision",
        meaning: "What the core concluded from an input.",
        groups: &[FRAME, CAUSED, NAMES, EXPONENTS, DECIDED],
    },
    Table {
        name: "run",
        meaning: "A run began: which program, configuration and machine wrote what follows.",
        groups: &[FRAME, MANIFEST],
    },
    Table {
        name: "model_part",
        meaning: "Some bytes of a model came in.",
        groups: &[FRAME, INPUT, MODEL_SLOT, MODEL_BYTES],
    },
    Table {
        name: "model_promoted",
        meaning: "A model was to be used from then on; the decision that it led to says whether it is.",
        groups: &[FRAME, INPUT, MODEL_SLOT, PROMOTION],
    },
    Table {
        name: "funding",
        meaning: "A venue charged or paid funding on the positions in an instrument.",
        groups: &[FRAME, INPUT, INSTRUMENT, NAMES, EXPONENTS, FUNDED],
    },
    Table {
        name: "rate",
        meaning: "What a currency is worth in the account's changed.",
        groups: &[FRAME, INPUT, RATED],
    },
    Table {
        name: "mark_funding",
        meaning: "A venue told the mark price of a perpetual and its next funding.",
        groups: &[
            FRAME, INPUT, DECODED, INSTRUMENT, NAMES, EXPONENTS, ANNOUNCED,
        ],
    },
];

const FRAME: &[Column] = &[
    column(
        "sequence",
        Int64,
        "",
        "Number of the frame in the journal.",
        |row| id(row.frame.sequence),
    ),
    column(
        "ts_core",
        Time,
        "ns",
        "When the core took or made it.",
        |row| Cell::Time(row.frame.time_ns),
    ),
];

const INPUT: &[Column] = &[
    column(
        "ts_venue",
        Time,
        "ns",
        "The venue's own time of the fact.",
        |row| {
            let is_missing = row.event.ts_venue_ns == 0 || row.event.has(flags::TS_MISSING);
            if is_missing {
                Cell::Null
            } else {
                Cell::Time(row.event.ts_venue_ns)
            }
        },
    )
    .or_null("the venue gave none"),
    column(
        "ts_ingress",
        Time,
        "ns",
        "When the bytes were read from the socket or file.",
        |row| Cell::Time(row.event.ts_ingress_ns),
    ),
    column(
        "source",
        Int32,
        "",
        "Number of the connection or source that read it.",
        |row| Cell::Int32(row.event.source.into()),
    ),
    column(
        "flags",
        Text,
        "",
        "Flags, joined by `+`: snapshot, clear, last, ts_missing, maker.",
        |row| {
            if row.event.flags == 0 {
                Cell::Null
            } else {
                Cell::Text(Cow::Owned(names::flag_set(row.event.flags)))
            }
        },
    )
    .or_null("none is set"),
];

// The column's text names it.
const _: () = assert!(DECODE_NS_MAX == 1_966_080);

const DECODED: &[Column] = &[column(
    "decode_ns",
    Int64,
    "ns",
    "From `ts_ingress` until the message was decoded, to 3 %; 1966080 = that much or more.",
    |row| decode_ns(row.event.decode_code).map_or(Cell::Null, Cell::Int64),
)
.or_null("not stamped, as in event time")];

const INSTRUMENT: &[Column] = &[column(
    "instrument",
    Int32,
    "",
    "Position of the instrument in the run's table.",
    |row| Cell::Int32(row.event.instrument.into()),
)];

const NO_INSTRUMENT: &str = "no instrument of the run's table";

const NAMES: &[Column] = &[
    column("symbol", Text, "", "The venue's symbol.", |row| {
        row.instrument
            .map_or(Cell::Null, |found| text(&found.symbol))
    })
    .or_null(NO_INSTRUMENT),
    column("venue", Text, "", "The venue that lists it.", |row| {
        row.instrument
            .map_or(Cell::Null, |found| text(&found.venue))
    })
    .or_null(NO_INSTRUMENT),
];

const PRICE_UNIT: &str = "10^-price_exponent quote";
const QUANTITY_UNIT: &str = "10^-quantity_exponent base";

const EXPONENTS: &[Column] = &[
    column(
        "price_exponent",
        Int32,
        "",
        "Decimal places of the price mantissas.",
        |row| {
            row.instrument
                .map_or(Cell::Null, |found| Cell::Int32(found.price_exponent.into()))
        },
    )
    .or_null(NO_INSTRUMENT),
    column(
        "quantity_exponent",
        Int32,
        "",
        "Decimal places of the quantity mantissas.",
        |row| {
            row.instrument.map_or(Cell::Null, |found| {
                Cell::Int32(found.quantity_exponent.into())
            })
        },
    )
    .or_null(NO_INSTRUMENT),
];

/// A price mantissa.
const fn price(
    name: &'static str,
    meaning: &'static str,
    value: for<'r> fn(&'r Row<'r>) -> Cell<'r>,
) -> Column {
    column(name, Int64, PRICE_UNIT, meaning, value)
}

/// A quantity mantissa.
const fn quantity(
    name: &'static str,
    meaning: &'static str,
    value: for<'r> fn(&'r Row<'r>) -> Cell<'r>,
) -> Column {
    column(name, Int64, QUANTITY_UNIT, meaning, value)
}

/// A price or quantity as a float.
const fn float(
    name: &'static str,
    unit: &'static str,
    value: for<'r> fn(&'r Row<'r>) -> Cell<'r>,
) -> Column {
    column(
        name,
        Double,
        unit,
        "The same as a float: near, not exact.",
        value,
    )
    .or_null(NO_INSTRUMENT)
}

const DELTA: &[Column] = &[
    column(
        "update_id",
        Int64,
        "",
        "The venue's update id after the message.",
        |row| id(row.delta().update_id),
    ),
    column(
        "level",
        Int32,
        "",
        "Which level of the frame: 0 or 1.",
        |row| Cell::Int32(row.level as i32),
    )
    .per_level(),
    column("side", Text, "", "bid or ask.", |row| {
        match row.event.level_side(row.level) {
            Side::Bid => text("bid"),
            Side::Ask => text("ask"),
        }
    })
    .per_level(),
    price("price", "Price of the level.", |row| {
        Cell::Int64(row.book_level().price)
    })
    .per_level(),
    quantity(
        "quantity",
        "What stands there now; 0 = the level is gone.",
        |row| Cell::Int64(row.book_level().quantity),
    )
    .per_level(),
    float("price_f64", "quote", |row| {
        price_f64(row, row.book_level().price)
    })
    .per_level(),
    float("quantity_f64", "base", |row| {
        quantity_f64(row, row.book_level().quantity)
    })
    .per_level(),
];

const BEST: &[Column] = &[
    column("update_id", Int64, "", "The venue's update id.", |row| {
        id_or_null(row.bbo().update_id)
    })
    .or_null("unknown"),
    price("bid_price", "Best bid.", |row| {
        Cell::Int64(row.bbo().bid.price)
    }),
    quantity("bid_quantity", "What stands there.", |row| {
        Cell::Int64(row.bbo().bid.quantity)
    }),
    price("ask_price", "Best ask.", |row| {
        Cell::Int64(row.bbo().ask.price)
    }),
    quantity("ask_quantity", "What stands there.", |row| {
        Cell::Int64(row.bbo().ask.quantity)
    }),
    float("bid_price_f64", "quote", |row| {
        price_f64(row, row.bbo().bid.price)
    }),
    float("bid_quantity_f64", "base", |row| {
        quantity_f64(row, row.bbo().bid.quantity)
    }),
    float("ask_price_f64", "quote", |row| {
        price_f64(row, row.bbo().ask.price)
    }),
    float("ask_quantity_f64", "base", |row| {
        quantity_f64(row, row.bbo().ask.quantity)
    }),
];

const PRINT: &[Column] = &[
    column("aggressor", Text, "", "Who took: bid or ask.", |row| {
        Cell::Text(names::or_code(
            names::side(row.event.detail),
            row.event.detail.into(),
        ))
    }),
    price("price", "Price of the trade.", |row| {
        Cell::Int64(row.trade().price)
    }),
    quantity("quantity", "Its quantity.", |row| {
        Cell::Int64(row.trade().quantity)
    }),
    float("price_f64", "quote", |row| {
        price_f64(row, row.trade().price)
    }),
    float("quantity_f64", "base", |row| {
        quantity_f64(row, row.trade().quantity)
    }),
    column(
        "trade_id",
        Int64,
        "",
        "The venue's (first) trade id.",
        |row| id(row.trade().trade_id),
    ),
    column(
        "trade_id_final",
        Int64,
        "",
        "The last trade id of an aggregate.",
        |row| id(row.trade().trade_id_final),
    ),
];

const STATE: &[Column] = &[
    column("state", Text, "", "syncing, live or stale.", |row| {
        Cell::Text(names::or_code(
            names::book_state(row.event.detail),
            row.event.detail.into(),
        ))
    }),
    column(
        "reason",
        Text,
        "",
        "start, synced, gap, crossed, disconnected or undecodable.",
        |row| {
            let code = row.book_state().reason;
            Cell::Text(names::or_code(names::book_state_reason(code), code))
        },
    ),
    column(
        "expected_id",
        Int64,
        "",
        "The update id that was expected.",
        |row| id_or_null(row.book_state().expected_id),
    )
    .or_null("does not apply"),
    column(
        "received_id",
        Int64,
        "",
        "The update id that came.",
        |row| id_or_null(row.book_state().received_id),
    )
    .or_null("does not apply"),
];

const ORDER_ID: &str =
    "Our id of the order: hub in the upper 16 bits, sequence of its decision below.";

const REPORT: &[Column] = &[
    column(
        "kind",
        Text,
        "",
        "accepted, rejected, cancelled or cancel_rejected.",
        |row| {
            Cell::Text(names::or_code(
                names::report_kind(row.event.kind),
                row.event.kind.into(),
            ))
        },
    ),
    column("client_order_id", Int64, "", ORDER_ID, |row| {
        id(row.report().client_order_id)
    }),
    column(
        "venue_order_id",
        Int64,
        "",
        "The venue's id of the order.",
        |row| id_or_null(row.report().venue_order_id),
    )
    .or_null("the venue gave none"),
    column(
        "reason",
        Text,
        "",
        "Why it was refused or ended.",
        |row| match row.event.detail {
            0 => Cell::Null,
            code => Cell::Text(names::or_code(names::report_reason(code), code.into())),
        },
    )
    .or_null("no reason: not a refusal"),
];

const FILL: &[Column] = &[
    column("client_order_id", Int64, "", ORDER_ID, |row| {
        id(row.fill().client_order_id)
    }),
    column(
        "execution_id",
        Int64,
        "",
        "The venue's id of the fill.",
        |row| id(row.fill().execution_id),
    ),
    column("liquidity", Text, "", "maker or taker.", |row| {
        text(if row.event.has(flags::MAKER) {
            "maker"
        } else {
            "taker"
        })
    }),
    price("price", "Price of the fill.", |row| {
        Cell::Int64(row.fill().price)
    }),
    quantity("quantity", "Its quantity.", |row| {
        Cell::Int64(row.fill().quantity)
    }),
    float("price_f64", "quote", |row| price_f64(row, row.fill().price)),
    float("quantity_f64", "base", |row| {
        quantity_f64(row, row.fill().quantity)
    }),
    column(
        "fee",
        Int64,
        "10^-8 quote",
        "Fee; negative = rebate.",
        |row| Cell::Int64(row.fill().fee),
    ),
];

const SENT: &[Column] = &[
    column(
        "decision_sequence",
        Int64,
        "",
        "Sequence of the decision that was sent.",
        |row| id(row.sent().sequence),
    ),
    column("client_order_id", Int64, "", ORDER_ID, |row| {
        id(row.sent().client_order_id)
    }),
    column(
        "ts_egress",
        Time,
        "ns",
        "When its bytes were handed over.",
        |row| Cell::Time(row.sent().ts_egress_ns),
    ),
    column(
        "ts_cause_ingress",
        Time,
        "ns",
        "`ts_ingress` of the input that caused it.",
        |row| match row.sent().ts_cause_ingress_ns {
            0 => Cell::Null,
            time => Cell::Time(time),
        },
    )
    .or_null("unknown"),
    column(
        "ts_decided",
        Time,
        "ns",
        "When its decision was in the journal.",
        |row| time_or_null(row.sent().ts_decided_ns()),
    )
    .or_null(NOT_STAMPED),
    column(
        "ts_published",
        Time,
        "ns",
        "When the core made it visible to egress.",
        |row| time_or_null(row.sent().ts_published_ns()),
    )
    .or_null(NOT_STAMPED),
];

const NOT_STAMPED: &str = "not stamped, or more than 4.29 s before `ts_egress`";

fn time_or_null(time_ns: Option<i64>) -> Cell<'static> {
    time_ns.map_or(Cell::Null, Cell::Time)
}

const DUE: &[Column] = &[
    column("ts_due", Time, "ns", "When it was due.", |row| {
        Cell::Time(row.timer().ts_due_ns)
    }),
    column("interval_ns", Int64, "ns", "Its period.", |row| {
        Cell::Int64(row.timer().interval_ns)
    }),
    column(
        "count",
        Int64,
        "",
        "How often it has fired, this time included.",
        |row| id(row.timer().count),
    ),
];

const ORDERED: &[Column] = &[
    column(
        "action",
        Text,
        "",
        "halt, reduce, resume, stop or end.",
        |row| {
            let code = row.event.detail;
            Cell::Text(names::or_code(names::operator_action(code), code.into()))
        },
    ),
    column(
        "reason",
        Text,
        "",
        "Why; `unspecified` for a person.",
        |row| {
            let code = row.operator().reason;
            Cell::Text(names::or_code(names::operator_reason(code), code))
        },
    ),
];

const LINK: &[Column] = &[column("state", Text, "", "open or closed.", |row| {
    text(if row.event.detail == 1 {
        "open"
    } else {
        "closed"
    })
})];

const FUNDED: &[Column] = &[
    column(
        "rate",
        Int64,
        "10^-12",
        "Share of the notional that longs pay to shorts; negative = shorts pay.",
        |row| Cell::Int64(row.funding().rate),
    ),
    column(
        "price",
        Int64,
        PRICE_UNIT,
        "Price that the venue reckoned with; without one our own mark is taken.",
        |row| nonzero(row.funding().price),
    )
    .or_null("the venue named none"),
];

const ANNOUNCED: &[Column] = &[
    column(
        "mark_price",
        Int64,
        PRICE_UNIT,
        "Price that the venue values positions with, rounded to the nearest.",
        |row| nonzero(row.announced().mark_price),
    )
    .or_null("the venue named none"),
    column(
        "index_price",
        Int64,
        PRICE_UNIT,
        "Price of what the perpetual stands for, rounded to the nearest.",
        |row| nonzero(row.announced().index_price),
    )
    .or_null("the venue named none"),
    column(
        "rate",
        Int64,
        "10^-12",
        "Share of the notional that longs will pay to shorts, as announced then; negative = shorts will pay.",
        |row| Cell::Int64(row.announced().rate),
    ),
    column(
        "ts_next",
        Time,
        "ns",
        "When the venue will charge it.",
        |row| match row.announced().ts_next_ns {
            0 => Cell::Null,
            ts_next_ns => Cell::Time(ts_next_ns),
        },
    )
    .or_null("the venue named none"),
];

const RATED: &[Column] = &[
    column(
        "currency",
        Int32,
        "",
        "Index of the currency in the hub's table.",
        |row| Cell::Int32(row.rate().currency.cast_signed()),
    ),
    column(
        "mantissa",
        Int64,
        "10^-exponent",
        "What one unit of it is worth; 0 = no longer known.",
        |row| Cell::Int64(row.rate().mantissa),
    ),
    column(
        "exponent",
        Int32,
        "",
        "Decimal places of the mantissa.",
        |row| Cell::Int32(row.rate().exponent.cast_signed()),
    ),
];

/// A number of 64 bits without a sign: its bits, read as a number with one.
fn id<'r>(number: u64) -> Cell<'r> {
    Cell::Int64(number.cast_signed())
}

fn id_or_null<'r>(number: u64) -> Cell<'r> {
    if number == 0 { Cell::Null } else { id(number) }
}

fn nonzero<'r>(mantissa: i64) -> Cell<'r> {
    if mantissa == 0 {
        Cell::Null
    } else {
        Cell::Int64(mantissa)
    }
}

fn text(text: &str) -> Cell<'_> {
    Cell::Text(Cow::Borrowed(text))
}

fn price_f64<'r>(row: &Row<'r>, mantissa: i64) -> Cell<'r> {
    row.instrument
        .map_or(Cell::Null, |found| Cell::Double(found.price_f64(mantissa)))
}

fn quantity_f64<'r>(row: &Row<'r>, mantissa: i64) -> Cell<'r> {
    row.instrument.map_or(Cell::Null, |found| {
        Cell::Double(found.quantity_f64(mantissa))
    })
}
