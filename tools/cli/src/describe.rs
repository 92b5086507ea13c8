//! Frames as text and as JSON: for `acth journal dump` and for the first difference of a replay.

use acth_core::{
    decision::{Decision, DecisionKind, OrderType, TimeInForce},
    event::{
        BookState, Event, EventKind, EventView, OperatorAction, OperatorReason, ReportReason, Side,
        decode_ns, flags,
    },
    predict::{ModelOrigin, ModelVerdict},
    risk::{Denial, StateReason, TradingState},
};
use serde_json::{Map, Value, json};

/// An event as `Kind field=value ...`.
pub fn event_text(event: &Event) -> String {
    text(&event_fields(event))
}

/// A decision as `Kind field=value ...`.
pub fn decision_text(decision: &Decision) -> String {
    text(&decision_fields(decision))
}

fn text(fields: &Map<String, Value>) -> String {
    let mut words = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        match value {
            Value::String(word) if name == "type" => words.push(word.clone()),
            Value::String(word) => words.push(format!("{name}={word}")),
            other => words.push(format!("{name}={other}")),
        }
    }
    words.join(" ")
}

fn side_name(code: u8) -> &'static str {
    match Side::from_code(code) {
        Some(Side::Bid) => "bid",
        Some(Side::Ask) => "ask",
        None => "none",
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// An event's fields by name; prices and quantities are mantissas.
pub fn event_fields(event: &Event) -> Map<String, Value> {
    let name = EventKind::from_code(event.kind).map_or("Unknown", EventKind::name);
    let mut fields = object(json!({
        "type": name,
        "instrument": event.instrument,
        "ts_venue_ns": event.ts_venue_ns,
        "ts_ingress_ns": event.ts_ingress_ns,
    }));
    if !flag_names(event.flags).is_empty() {
        fields.insert("flags".into(), json!(flag_names(event.flags)));
    }
    if let Some(elapsed_ns) = decode_ns(event.decode_code) {
        fields.insert("decode_ns".into(), json!(elapsed_ns));
    }
    fields.extend(body_fields(event));
    fields
}

fn flag_names(bits: u8) -> String {
    let names = [
        (flags::SNAPSHOT, "snapshot"),
        (flags::CLEAR, "clear"),
        (flags::LAST, "last"),
        (flags::TS_MISSING, "ts_missing"),
        (flags::MAKER, "maker"),
    ];
    let set: Vec<&str> = names
        .iter()
        .filter(|(bit, _)| bits & bit != 0)
        .map(|(_, name)| *name)
        .collect();
    set.join("+")
}

fn body_fields(event: &Event) -> Map<String, Value> {
    let reason = ReportReason::from_code(event.detail).map(|reason| format!("{reason:?}"));
    object(match event.view() {
        EventView::BookDelta(delta) => {
            let levels = (0..event.level_count().min(2)).map(|index| {
                let level = delta.levels[index];
                json!([
                    side_name(event.level_side(index) as u8),
                    level.price,
                    level.quantity
                ])
            });
            json!({"update_id": delta.update_id, "levels": levels.collect::<Vec<_>>()})
        }
        EventView::Bbo(bbo) => json!({
            "update_id": bbo.update_id,
            "bid": bbo.bid.price, "bid_quantity": bbo.bid.quantity,
            "ask": bbo.ask.price, "ask_quantity": bbo.ask.quantity,
        }),
        EventView::Trade(trade) => json!({
            "aggressor": side_name(event.detail), "price": trade.price,
            "quantity": trade.quantity, "trade_id": trade.trade_id,
        }),
        EventView::BookStateChanged(change) => json!({
            "state": BookState::from_code(event.detail).map(|state| format!("{state:?}")),
            "reason": change.reason, "expected_id": change.expected_id,
            "received_id": change.received_id,
        }),
        EventView::OrderAccepted(report)
        | EventView::OrderRejected(report)
        | EventView::OrderCancelled(report)
        | EventView::CancelRejected(report) => json!({
            "client_order_id": report.client_order_id, "venue_order_id": report.venue_order_id,
            "reason": reason,
        }),
        EventView::OrderFilled(fill) => json!({
            "client_order_id": fill.client_order_id, "price": fill.price,
            "quantity": fill.quantity, "fee": fill.fee, "execution_id": fill.execution_id,
        }),
        EventView::CommandSent(sent) => json!({
            "sequence_sent": sent.sequence, "client_order_id": sent.client_order_id,
            "ts_egress_ns": sent.ts_egress_ns, "ts_cause_ingress_ns": sent.ts_cause_ingress_ns,
            "decided_before_ns": sent.decided_before_ns,
            "published_before_ns": sent.published_before_ns,
        }),
        EventView::TimerFired(timer) => {
            json!({"ts_due_ns": timer.ts_due_ns, "count": timer.count})
        }
        EventView::OperatorCommanded { action, reason } => json!({
            "action": action.map(|action: OperatorAction| format!("{action:?}")),
            "reason": reason.map(|reason: OperatorReason| format!("{reason:?}")),
        }),
        EventView::ConnectionChanged(is_open) => json!({"is_open": is_open}),
        EventView::ModelPart(part) => json!({
            "slot": part.slot, "offset": part.offset, "byte_count": event.detail,
        }),
        EventView::ModelPromoted(promoted) => json!({
            "slot": promoted.slot, "byte_count": promoted.byte_count,
            "model_hash": format!("{:016x}", promoted.hash),
        }),
        EventView::FundingSettled(settled) => {
            json!({"rate": settled.rate, "price": nonzero(settled.price)})
        }
        EventView::RateChanged(changed) => json!({
            "currency": changed.currency, "mantissa": changed.mantissa,
            "exponent": changed.exponent,
        }),
        EventView::MarkFunding(announced) => json!({
            "mark_price": nonzero(announced.mark_price), "index_price": nonzero(announced.index_price),
            "rate": announced.rate, "ts_next_ns": nonzero(announced.ts_next_ns),
        }),
        EventView::Unknown(code) => json!({"code": code}),
    })
}

/// A decision's fields by name; those that do not apply are left out.
pub fn decision_fields(decision: &Decision) -> Map<String, Value> {
    let name = decision.kind().map_or("Unknown", |kind| kind.name());
    if decision.kind() == Some(DecisionKind::ModelChanged) {
        return model_fields(decision);
    }
    if let Some(mut fields) = acth_export::found_fields(decision) {
        fields.insert(String::from("type"), json!(name));
        return fields;
    }
    let optional = [
        (
            "verdict",
            Denial::from_code(decision.verdict).map(|denial| json!(denial.name())),
        ),
        (
            "side",
            decision.side().map(|side| json!(side_name(side as u8))),
        ),
        ("price", nonzero(decision.price)),
        ("quantity", nonzero(decision.quantity)),
        (
            "order_type",
            OrderType::from_code(decision.order_type).map(|kind| json!(format!("{kind:?}"))),
        ),
        (
            "time_in_force",
            TimeInForce::from_code(decision.time_in_force).map(|time| json!(format!("{time:?}"))),
        ),
        (
            "state",
            TradingState::from_code(decision.state).map(|state| json!(state.name())),
        ),
        ("reason", reason(decision)),
        ("reference_price", nonzero(decision.reference_price)),
        (
            "signal",
            (decision.signal_bits != 0).then(|| json!(f64::from_bits(decision.signal_bits))),
        ),
        (
            "hash",
            (decision.hash != 0).then(|| json!(format!("{:016x}", decision.hash))),
        ),
    ];
    let mut fields = object(json!({"type": name}));
    if decision.client_order_id != 0 {
        fields.insert("instrument".into(), json!(decision.instrument));
        fields.insert("client_order_id".into(), json!(decision.client_order_id));
    }
    for (name, value) in optional {
        if let Some(value) = value {
            fields.insert(name.into(), value);
        }
    }
    fields
}

/// The fields of a `ModelChanged`, whose codes have meanings of their own.
fn model_fields(decision: &Decision) -> Map<String, Value> {
    object(json!({
        "type": DecisionKind::ModelChanged.name(),
        "slot": decision.state,
        "verdict": ModelVerdict::from_code(decision.verdict).map(ModelVerdict::name),
        "origin": ModelOrigin::from_code(decision.reason).map(ModelOrigin::name),
        "model_hash": format!("{:016x}", decision.hash),
    }))
}

fn nonzero(value: i64) -> Option<Value> {
    (value != 0).then(|| json!(value))
}

fn reason(decision: &Decision) -> Option<Value> {
    if decision.reason == 0 {
        return None;
    }
    let of_state = TradingState::from_code(decision.state)
        .and_then(|_| StateReason::from_code(decision.reason))
        .map(|reason| json!(reason.name()));
    of_state.or_else(|| Some(json!(decision.reason)))
}
