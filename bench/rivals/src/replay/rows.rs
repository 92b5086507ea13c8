//! The inputs of our journal as rows of hftbacktest, brought into the order that its own converter makes.

use std::path::Path;

use acth_core::{
    event::{Event, EventKind, EventView, Level, Side, flags},
    instrument::{Instrument, Instruments},
};
use acth_engine::frames::{self, FrameClass};
use acth_journal::Reader;
use hftbacktest::types::{
    BUY_EVENT, DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT, EXCH_EVENT, Event as Row, LOCAL_EVENT,
    SELL_EVENT, TRADE_EVENT,
};

use crate::Failure;

/// Rows of each instrument, as far as the market sent them.
pub(crate) fn read(journal: &Path, instruments: &Instruments) -> Result<Vec<Vec<Row>>, Failure> {
    let mut rows = vec![Vec::new(); instruments.count()];
    let mut reader = Reader::open(journal)?;
    while let Some(frame) = reader.next()? {
        if !matches!(frames::classify(frame.kind), FrameClass::Input(kind) if is_market(kind)) {
            continue;
        }
        let event: Event = zerocopy::FromBytes::read_from_bytes(frame.payload)
            .map_err(|_| "an input is not of the size of an event")?;
        let id = event.instrument_id();
        let instrument = instruments.get(id).ok_or("an input of no instrument")?;
        add(&mut rows[id.index()], instrument, &event);
    }
    Ok(rows.into_iter().map(in_order).collect())
}

const fn is_market(kind: EventKind) -> bool {
    matches!(kind, EventKind::BookDelta | EventKind::Trade)
}

fn add(rows: &mut Vec<Row>, instrument: &Instrument, event: &Event) {
    let mut push = |kind: u64, side: Side, price: i64, quantity: i64| {
        rows.push(Row {
            ev: kind | side_bit(side),
            exch_ts: event.ts_venue_ns,
            local_ts: event.ts_ingress_ns,
            px: instrument.price_f64(price),
            qty: instrument.quantity_f64(quantity),
            order_id: 0,
            ival: 0,
            fval: 0.0,
        });
    };
    match event.view() {
        EventView::BookDelta(delta) => {
            let kind = if event.has(flags::SNAPSHOT) {
                DEPTH_SNAPSHOT_EVENT
            } else {
                DEPTH_EVENT
            };
            for index in 0..event.level_count() {
                let Level { price, quantity } = delta.levels[index];
                push(kind, event.level_side(index), price, quantity);
            }
        }
        EventView::Trade(trade) => {
            let side = Side::from_code(event.detail).unwrap_or(Side::Bid);
            push(TRADE_EVENT, side, trade.price, trade.quantity);
        }
        _ => {}
    }
}

const fn side_bit(side: Side) -> u64 {
    match side {
        Side::Bid => BUY_EVENT,
        Side::Ask => SELL_EVENT,
    }
}

/// As hftbacktest's `correct_local_timestamp` and `correct_event_order`: nothing arrives before it happens, and a row that stands at
/// another place in the exchange's order than in ours becomes two.
fn in_order(mut rows: Vec<Row>) -> Vec<Row> {
    let latency_min = rows.iter().map(|row| row.local_ts - row.exch_ts).min();
    let shift = latency_min.map_or(0, |latency| (-latency).max(0));
    for row in &mut rows {
        row.local_ts += shift;
    }
    let (mut exchange, mut local) = (rows.clone(), rows);
    exchange.sort_by_key(|row| row.exch_ts);
    local.sort_by_key(|row| row.local_ts);
    let mut ordered = Vec::with_capacity(local.len());
    let (mut exchange, mut local) = (
        exchange.into_iter().peekable(),
        local.into_iter().peekable(),
    );
    loop {
        let order = match (exchange.peek(), local.peek()) {
            (None, None) => return ordered,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(left), Some(right)) => {
                (left.exch_ts, left.local_ts).cmp(&(right.exch_ts, right.local_ts))
            }
        };
        let (next, flags) = match order {
            std::cmp::Ordering::Less => (exchange.next(), EXCH_EVENT),
            std::cmp::Ordering::Greater => (local.next(), LOCAL_EVENT),
            std::cmp::Ordering::Equal => {
                local.next();
                (exchange.next(), EXCH_EVENT | LOCAL_EVENT)
            }
        };
        ordered.extend(next.map(|mut row| {
            row.ev |= flags;
            row
        }));
    }
}
