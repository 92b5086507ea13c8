//! Reconciliation: what the venue says is open and held, against what the core believes.
//!
//! A hub whose kill flag was up may trade again only when a person says so and both agree; the first difference is named, so that
//! the person knows what to look at.

use acth_core::{
    core::Core, decision::ClientOrderId, instrument::InstrumentId, strategy::Strategy,
};

use crate::resume::was_sent;

/// An order that the venue reports as open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VenueOrder {
    /// Our id of it.
    pub client_order_id: u64,
    /// Index of its instrument.
    pub instrument: u16,
    /// What may still trade, quantity mantissa.
    pub remaining: i64,
}

/// What a venue reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VenueBooks {
    /// Open orders, in any order.
    pub orders: Vec<VenueOrder>,
    /// Positions by instrument, quantity mantissas; an instrument that is not named is not compared.
    pub positions: Vec<(InstrumentId, i64)>,
}

/// The first difference between the venue and the core, in words; `None` when they agree. Orders that never left the host are not
/// expected at the venue.
pub fn difference<S: Strategy>(core: &Core<S>, venue: &VenueBooks) -> Option<String> {
    let name = |id: InstrumentId| {
        let row = core.instruments().get(id);
        row.map_or_else(|| format!("instrument {}", id.0), |row| row.name())
    };
    for order in core.open_orders().filter(|order| was_sent(order)) {
        let ClientOrderId(id) = order.id;
        let mut at_venue = venue.orders.iter();
        let Some(found) = at_venue.find(|found| found.client_order_id == id) else {
            let of = name(order.instrument);
            return Some(format!(
                "order {id} in {of} is open here and not at the venue"
            ));
        };
        if found.instrument != order.instrument.0 || found.remaining != order.remaining() {
            return Some(format!(
                "order {id}: {} left in {} here, {} left in {} at the venue",
                order.remaining(),
                name(order.instrument),
                found.remaining,
                name(InstrumentId(found.instrument))
            ));
        }
    }
    for found in &venue.orders {
        let id = found.client_order_id;
        let is_ours = |order: &acth_core::orders::Order| order.id.0 == id && was_sent(order);
        if !core.open_orders().any(is_ours) {
            let of = name(InstrumentId(found.instrument));
            return Some(format!(
                "order {id} in {of} is open at the venue and not here"
            ));
        }
    }
    for &(id, held) in &venue.positions {
        let own = core.portfolio().position(id).quantity;
        if own != held {
            return Some(format!(
                "{}: {own} held here, {held} at the venue",
                name(id)
            ));
        }
    }
    None
}
