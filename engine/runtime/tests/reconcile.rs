//! Reconciliation names the first difference between what the venue reports and what the core believes.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use acth_core::{
    config::{AccountConfig, CoreConfig},
    core::{Core, Input},
    decision::Decisions,
    event::{Bbo, BookState, BookStateChanged, Event, EventKind, Level, OrderReport},
    instrument::{AssetClass, Contract, Instrument},
    prelude::*,
    risk::Limits,
};
use acth_engine::reconcile::{VenueBooks, VenueOrder, difference};

/// Buys 5 at the first book.
struct Buyer(bool);

impl Strategy for Buyer {
    type Config = NoConfig;
    const NAME: &'static str = "buyer";

    fn new(_: &NoConfig, _: &Instruments) -> Result<Self, StrategyError> {
        Ok(Self(false))
    }

    fn on_book(&mut self, ctx: &mut Context<'_>, id: InstrumentId) {
        if !self.0 && ctx.quote(id).is_some() {
            self.0 = true;
            ctx.place(OrderRequest::limit(id, Side::Bid, 99, 5))
                .unwrap();
        }
    }
}

fn core(is_accepted: bool) -> Core<Buyer> {
    let row = Instrument {
        venue: "sim".into(),
        symbol: "BTC".into(),
        base: "BTC".into(),
        quote: "USD".into(),
        asset_class: AssetClass::Crypto,
        contract: Contract::Spot,
        price_exponent: 0,
        quantity_exponent: 0,
        tick: 1,
        lot: 1,
        quantity_min: 1,
        maker_fee_ppm: 0,
        taker_fee_ppm: 0,
    };
    let config = CoreConfig {
        hub_id: 0,
        cash: Money::from_units(1_000_000),
        instruments: Instruments::new(vec![row]).unwrap(),
        limits: Limits::default(),
        correlation_half_life_samples: 100.0,
        account: AccountConfig::default(),
    };
    let id = InstrumentId(0);
    let level = |price| Level { price, quantity: 9 };
    let live = Event::new(EventKind::BookStateChanged, id)
        .with_detail(BookState::Live as u8)
        .with_body(&BookStateChanged {
            reason: 2,
            expected_id: 0,
            received_id: 0,
            reserved: [0; 2],
        });
    let quote = Event::new(EventKind::Bbo, id).with_body(&Bbo {
        bid: level(99),
        ask: level(101),
        update_id: 1,
    });
    let accepted = Event::new(EventKind::OrderAccepted, id).with_body(&OrderReport {
        client_order_id: 3,
        venue_order_id: 1,
        reserved: [0; 3],
    });
    let mut events = vec![live, quote];
    events.extend(is_accepted.then_some(accepted));
    let mut core = Core::new(&config, Buyer(false)).unwrap();
    for (event, sequence) in events.iter().zip([1, 2, 4]) {
        let mut decisions = Decisions::new();
        let input = Input {
            sequence,
            ts_core_ns: 1,
            event,
        };
        core.apply(input, &mut decisions);
    }
    assert_eq!(core.open_orders().next().unwrap().id.0, 3);
    core
}

fn books(orders: &[(u64, u16, i64)], held: i64) -> VenueBooks {
    let orders = orders
        .iter()
        .map(|&(client_order_id, instrument, remaining)| VenueOrder {
            client_order_id,
            instrument,
            remaining,
        });
    VenueBooks {
        orders: orders.collect(),
        positions: vec![(InstrumentId(0), held)],
    }
}

#[test]
fn each_difference_is_named_and_agreement_has_none() {
    let core = core(true);
    let found = |orders: &[(u64, u16, i64)], held| difference(&core, &books(orders, held));
    assert_eq!(found(&[(3, 0, 5)], 0), None);
    let expected = [
        (
            found(&[], 0),
            "order 3 in sim:BTC is open here and not at the venue",
        ),
        (
            found(&[(3, 0, 4)], 0),
            "order 3: 5 left in sim:BTC here, 4 left in sim:BTC at the venue",
        ),
        (
            found(&[(3, 1, 5)], 0),
            "order 3: 5 left in sim:BTC here, 5 left in instrument 1 at the venue",
        ),
        (
            found(&[(3, 0, 5), (8, 0, 1)], 0),
            "order 8 in sim:BTC is open at the venue and not here",
        ),
        (
            found(&[(3, 0, 5)], -2),
            "sim:BTC: 0 held here, -2 at the venue",
        ),
    ];
    for (found, expected) in expected {
        assert_eq!(found.as_deref(), Some(expected));
    }
}

#[test]
fn an_order_that_never_left_is_not_expected_at_the_venue() {
    let core = core(false);
    assert_eq!(difference(&core, &books(&[], 0)), None);
    let strange = difference(&core, &books(&[(3, 0, 5)], 0));
    assert_eq!(
        strange.as_deref(),
        Some("order 3 in sim:BTC is open at the venue and not here")
    );
}
