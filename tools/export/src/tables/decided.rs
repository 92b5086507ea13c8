//! The columns of decisions and of runs.

use std::borrow::Cow;

use acth_core::{
    decision::DecisionKind,
    predict::{ModelOrigin, ModelVerdict},
    risk::{Denial, StateReason, TradingState},
};

use super::{
    ORDER_ID, float, id, id_or_null, nonzero, price, price_f64, quantity, quantity_f64, text,
};
use crate::{
    columns::{
        Cell, Column,
        ColumnType::{Double, Int32, Int64, Text, Time},
        column,
    },
    names,
};

const NO_ORDER: &str = "the decision is not about an order";
const ZERO: &str = "0 in the journal: does not apply";

pub(super) const CAUSED: &[Column] = &[
    column(
        "cause",
        Int64,
        "",
        "Sequence of the input that led to it.",
        |row| id(row.frame.cause),
    ),
    column(
        "kind",
        Text,
        "",
        "PlaceOrder, CancelOrder, OrderDenied, TradingStateChanged, StateHashed or ModelChanged.",
        |row| {
            let name = row.decision.kind().map(DecisionKind::name);
            Cell::Text(names::or_code(name, row.decision.kind.into()))
        },
    ),
    column(
        "agent",
        Int32,
        "",
        "Number of the strategy that wished it; 0 = the core itself.",
        |row| Cell::Int32(row.decision.agent.into()),
    ),
    column(
        "instrument",
        Int32,
        "",
        "Position of the instrument in the run's table.",
        |row| {
            if row.is_about_order() {
                Cell::Int32(row.decision.instrument.into())
            } else {
                Cell::Null
            }
        },
    )
    .or_null(NO_ORDER),
];

pub(super) const DECIDED: &[Column] = &[
    column("client_order_id", Int64, "", ORDER_ID, |row| {
        id_or_null(row.decision.client_order_id)
    })
    .or_null(ZERO),
    column("side", Text, "", "bid or ask.", |row| {
        match row.decision.side {
            0 => Cell::Null,
            code => Cell::Text(names::or_code(names::side(code), code.into())),
        }
    })
    .or_null(ZERO),
    column(
        "order_type",
        Text,
        "",
        "limit or post_only.",
        |row| match row.decision.order_type {
            0 => Cell::Null,
            code => Cell::Text(names::or_code(names::order_type(code), code.into())),
        },
    )
    .or_null(ZERO),
    column(
        "time_in_force",
        Text,
        "",
        "good_till_cancelled, immediate_or_cancel or fill_or_kill.",
        |row| match row.decision.time_in_force {
            0 => Cell::Null,
            code => Cell::Text(names::or_code(names::time_in_force(code), code.into())),
        },
    )
    .or_null(ZERO),
    price("price", "Price of the order.", |row| {
        nonzero(row.decision.price)
    })
    .or_null(ZERO),
    quantity("quantity", "Quantity of the order.", |row| {
        nonzero(row.decision.quantity)
    })
    .or_null(ZERO),
    float("price_f64", "quote", |row| match row.decision.price {
        0 => Cell::Null,
        mantissa => price_f64(row, mantissa),
    }),
    float("quantity_f64", "base", |row| match row.decision.quantity {
        0 => Cell::Null,
        mantissa => quantity_f64(row, mantissa),
    }),
    column(
        "verdict",
        Text,
        "",
        "Why the risk gate, or the slot of a model, refused it.",
        |row| match row.decision.verdict {
            0 => Cell::Null,
            code => {
                let name = if row.decision.kind() == Some(DecisionKind::ModelChanged) {
                    ModelVerdict::from_code(code).map(ModelVerdict::name)
                } else {
                    Denial::from_code(code).map(Denial::name)
                };
                Cell::Text(names::or_code(name, code.into()))
            }
        },
    )
    .or_null("passed, or not judged"),
    column(
        "reason_code",
        Int32,
        "",
        "A code for why: the strategy's own for orders.",
        |row| Cell::Int32(row.decision.reason.into()),
    ),
    column(
        "reason",
        Text,
        "",
        "Name of `reason_code` where a trading state changed or a model was accepted.",
        |row| {
            let code = row.decision.reason;
            let name = match row.decision.kind() {
                Some(DecisionKind::TradingStateChanged) => {
                    StateReason::from_code(code).map(StateReason::name)
                }
                Some(DecisionKind::ModelChanged) if code != 0 => {
                    ModelOrigin::from_code(code).map(ModelOrigin::name)
                }
                _ => return Cell::Null,
            };
            Cell::Text(names::or_code(name, code.into()))
        },
    )
    .or_null("another kind of decision"),
    price(
        "reference_price",
        "Price that it was judged against.",
        |row| nonzero(row.decision.reference_price),
    )
    .or_null(ZERO),
    column(
        "signal",
        Double,
        "",
        "The signal that led to it; the strategy gives its meaning.",
        |row| match row.decision.signal_bits {
            0 => Cell::Null,
            bits => Cell::Double(f64::from_bits(bits)),
        },
    )
    .or_null(ZERO),
    column(
        "hash",
        Text,
        "",
        "Hash of the state, or of the model, 16 hexadecimal digits.",
        |row| {
            let kind = row.decision.kind();
            if !matches!(
                kind,
                Some(DecisionKind::StateHashed | DecisionKind::ModelChanged)
            ) {
                return Cell::Null;
            }
            Cell::Text(Cow::Owned(format!("{:016x}", row.decision.hash)))
        },
    )
    .or_null("another kind of decision"),
    column(
        "state",
        Text,
        "",
        "The trading state that was entered.",
        |row| match row.decision.state {
            _ if row.decision.kind() == Some(DecisionKind::ModelChanged) => Cell::Null,
            0 => Cell::Null,
            code => {
                let name = TradingState::from_code(code).map(TradingState::name);
                Cell::Text(names::or_code(name, code.into()))
            }
        },
    )
    .or_null(ZERO),
    column(
        "slot",
        Int32,
        "",
        "The slot of the model; 255 = no such slot.",
        |row| {
            if row.decision.kind() != Some(DecisionKind::ModelChanged) {
                return Cell::Null;
            }
            Cell::Int32(row.decision.state.into())
        },
    )
    .or_null("another kind of decision"),
    column(
        "found",
        Text,
        "",
        "What an action of a policy, a sharing of capital, an edge or a regime consists of, as one JSON object.",
        |row| match &row.found {
            Some(text) => Cell::Text(Cow::Borrowed(text)),
            None => Cell::Null,
        },
    )
    .or_null("another kind of decision"),
];

const UNREADABLE: &str = "a manifest of another version";

pub(super) const MANIFEST: &[Column] = &[
    column(
        "ts_started",
        Time,
        "ns",
        "When it was started; the start of the data for event time.",
        |row| {
            row.manifest
                .as_ref()
                .map_or(Cell::Null, |run| Cell::Time(run.started_ns))
        },
    )
    .or_null(UNREADABLE),
    column("acth_version", Text, "", "Version of the program.", |row| {
        row.manifest
            .as_ref()
            .map_or(Cell::Null, |run| text(&run.build.version))
    })
    .or_null(UNREADABLE),
    column("host", Text, "", "Name of the machine.", |row| {
        row.manifest
            .as_ref()
            .map_or(Cell::Null, |run| text(&run.host.name))
    })
    .or_null(UNREADABLE),
    column(
        "hub_id",
        Int32,
        "",
        "Which hub; upper part of its client order ids.",
        |row| {
            row.manifest
                .as_ref()
                .map_or(Cell::Null, |run| Cell::Int32(run.hub_id.into()))
        },
    )
    .or_null(UNREADABLE),
    column("seed", Int64, "", "Seed of whatever is simulated.", |row| {
        row.manifest.as_ref().map_or(Cell::Null, |run| id(run.seed))
    })
    .or_null(UNREADABLE),
    column("strategy", Text, "", "Name of the strategy.", |row| {
        row.manifest
            .as_ref()
            .map_or(Cell::Null, |run| text(&run.strategy))
    })
    .or_null(UNREADABLE),
    column(
        "config_hash",
        Text,
        "",
        "SHA-256 of strategy, hub and core configuration.",
        |row| {
            row.manifest
                .as_ref()
                .map_or(Cell::Null, |run| text(&run.config_hash))
        },
    )
    .or_null(UNREADABLE),
    column(
        "parent_sequence",
        Int64,
        "",
        "The last frame of the run that it goes on from.",
        |row| {
            row.manifest
                .as_ref()
                .and_then(|run| run.parent_sequence)
                .map_or(Cell::Null, id)
        },
    )
    .or_null("a first run"),
    column(
        "manifest",
        Text,
        "",
        "The whole manifest, as JSON.",
        |row| Cell::Text(String::from_utf8_lossy(row.frame.payload)),
    ),
];
