//! The decisions of the network of agents beside its orders, as fields by name: their places in a decision's 64 bytes mean
//! something else than in an order.

use acth_core::decision::{Decision, DecisionKind};
use serde_json::{Map, Value, json};

/// The fields of an action, a sharing of capital, an edge or a regime; none for any other decision.
pub fn found_fields(decision: &Decision) -> Option<Map<String, Value>> {
    let fields = match decision.kind()? {
        DecisionKind::ActionChosen => json!({
            "instrument": decision.instrument,
            "agent": decision.agent,
            "action": decision.state,
            "probabilities": decision.probabilities(),
            "draw": decision.client_order_id,
            "observation_hash": format!("{:016x}", decision.signal_bits),
            "model_hash": format!("{:016x}", decision.hash),
        }),
        DecisionKind::SharesSet => json!({
            "shares": &decision.shares()[..usize::from(decision.state).min(16)],
            "scale": f64::from_bits(decision.signal_bits),
            "regret": f64::from_bits(decision.hash),
        }),
        DecisionKind::EdgeChanged => json!({
            "first": decision.instrument,
            "second": decision.agent,
            "appeared": decision.state == 1,
            "lag_ns": decision.price,
            "correlation": f64::from_bits(decision.signal_bits),
        }),
        DecisionKind::RegimeChanged => json!({
            "regime": decision.state,
            "probabilities": decision.regime_probabilities(),
        }),
        _ => return None,
    };
    match fields {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}
