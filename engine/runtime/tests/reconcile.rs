//! Reconciliation names every difference between what the venue reports and what the core believes.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use acth_core::{
    config::{AccountConfig, CoreConfig},
    core::{Core, Input},
    decision::Decisions,
    event::{Bbo, BookState, BookStateChanged, Event, EventKind, Level, OrderFilled, OrderReport},
    instrument::{AssetClass, Contract, Instrument},
    prelude::*,
    risk::Limits,
};
use acth_engine::reconcile::{
    Difference, VenueBalance, VenueBooks, VenueOrder, cash_differences, differences, spot_cash,
};

/// Buys 5 of each instrument, once.
struct Buyer(u64);

impl Strategy for Buyer {
    type Config = NoConfig;
    const NAME: &'static str = "buyer";

    fn new(_: &NoConfig, _: &Instruments) -> Result<Self, StrategyError> {
        Ok(Self(0))
    }

    fn on_book(&mut self, ctx: &mut Context<'_>, id: InstrumentId) {
        if self.0 & 1 << id.0 == 0 && ctx.quote(id).is_some() {
            self.0 |= 1 << id.0;
            ctx.place(OrderRequest::limit(id, Side::Bid, 99, 5))
                .unwrap();
        }
    }
}

fn row(venue: &str, symbol: &str, base: &str, quote: &str, contract: Contract) -> Instrument {
    Instrument {
        venue: venue.into(),
        symbol: symbol.into(),
        base: base.into(),
        quote: quote.into(),
        asset_class: AssetClass::Crypto,
        contract,
        price_exponent: 0,
        quantity_exponent: 1,
        tick: 1,
        lot: 1,
        quantity_min: 1,
        maker_fee_ppm: 0,
        taker_fee_ppm: 0,
    }
}

/// A hub whose only order is for 0.5 of the first instrument: open, accepted or only sent.
fn core(is_accepted: bool) -> Core<Buyer> {
    let finer = Instrument {
        quantity_exponent: 3,
        ..row("sim", "BTC2", "BTC", "USD", Contract::Spot)
    };
    let rows = vec![
        row("sim", "BTC", "BTC", "USD", Contract::Spot),
        finer,
        row("sim", "EUR", "EUR", "USD", Contract::Spot),
        row("sim", "BTCP", "BTC", "USD", Contract::Perpetual),
        row("other", "BTC", "BTC", "USD", Contract::Spot),
        row("sim", "ETHEUR", "ETH", "EUR", Contract::Spot),
    ];
    let config = CoreConfig {
        hub_id: 0,
        cash: Money::from_units(1_000_000),
        instruments: Instruments::new(rows).unwrap(),
        limits: Limits::default(),
        correlation_half_life_samples: 100.0,
        account: AccountConfig::default(),
    };
    let mut core = Core::new(&config, Buyer(0)).unwrap();
    assert_eq!(open(&mut core, InstrumentId(0), 1), 3);
    if is_accepted {
        let accepted = Event::new(EventKind::OrderAccepted, InstrumentId(0));
        let body = OrderReport {
            client_order_id: 3,
            venue_order_id: 1,
            reserved: [0; 3],
        };
        apply(&mut core, 4, &accepted.with_body(&body));
    }
    core
}

fn apply(core: &mut Core<Buyer>, sequence: u64, event: &Event) {
    let mut decisions = Decisions::new();
    let input = Input {
        sequence,
        ts_core_ns: 1,
        event,
    };
    core.apply(input, &mut decisions);
}

/// Opens the book of an instrument with the inputs from `sequence` on; the id of the order that follows.
fn open(core: &mut Core<Buyer>, id: InstrumentId, sequence: u64) -> u64 {
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
    apply(core, sequence, &live);
    apply(core, sequence + 1, &quote);
    let newest = core.open_orders().last().unwrap();
    assert_eq!(newest.instrument, id);
    newest.id.0
}

/// The same hub with 0.5 of the first instrument, 0.005 of its finer neighbour, 0.5 of the perpetual and of another venue's.
fn holder() -> Core<Buyer> {
    let mut core = core(true);
    let mut orders = vec![(InstrumentId(0), 3)];
    for (id, sequence) in [(1, 10), (3, 20), (4, 30)] {
        let order = open(&mut core, InstrumentId(id), sequence);
        orders.push((InstrumentId(id), order));
    }
    for (sequence, (id, order)) in (40..).zip(orders) {
        let body = OrderFilled {
            client_order_id: order,
            price: 99,
            quantity: 5,
            fee: 0,
            execution_id: sequence,
        };
        let fill = Event::new(EventKind::OrderFilled, id).with_body(&body);
        apply(&mut core, sequence, &fill);
    }
    assert_eq!(core.open_orders().count(), 0);
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
        balances: Vec::new(),
    }
}

fn words(found: &[Difference]) -> Vec<String> {
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn each_difference_is_named_and_agreement_has_none() {
    let core = core(true);
    let found = |orders: &[(u64, u16, i64)], held| words(&differences(&core, &books(orders, held)));
    assert!(found(&[(3, 0, 5)], 0).is_empty());
    let expected = [
        (
            found(&[], 0),
            "order 3 in sim:BTC is open here and not at the venue",
        ),
        (
            found(&[(3, 0, 4)], 0),
            "order 3: 0.5 left in sim:BTC here, 0.4 left in sim:BTC at the venue",
        ),
        (
            found(&[(3, 9, 5)], 0),
            "order 3: 0.5 left in sim:BTC here, 5 left in instrument 9 at the venue",
        ),
        (
            found(&[(3, 0, 5), (8, 0, 1)], 0),
            "order 8 in sim:BTC is open at the venue and not here",
        ),
        (
            found(&[(3, 0, 5)], -20),
            "sim:BTC: 0 held here, -2 at the venue",
        ),
    ];
    for (found, expected) in expected {
        assert_eq!(found, [expected]);
    }
    let all = found(&[(8, 0, 1), (9, 2, 1)], 12);
    assert_eq!(
        all,
        [
            "order 3 in sim:BTC is open here and not at the venue",
            "order 8 in sim:BTC is open at the venue and not here",
            "order 9 in sim:EUR is open at the venue and not here",
            "sim:BTC: 0 held here, 1.2 at the venue",
        ]
    );
}

#[test]
fn what_spot_holds_is_compared_by_asset_and_venue() {
    let core = holder();
    let balance = |asset: &str, mantissa, exponent| VenueBalance {
        asset: asset.into(),
        mantissa,
        exponent,
    };
    let found = |balances: Vec<VenueBalance>| {
        let venue = VenueBooks {
            positions: vec![(InstrumentId(3), 5)],
            balances: vec![("sim".into(), balances)],
            ..VenueBooks::default()
        };
        words(&differences(&core, &venue))
    };
    // What pays for other instruments, and what the hub does not trade, may be anything.
    let agreed = vec![
        balance("EUR", 7, 0),
        balance("DOGE", 7, 0),
        balance("BTC", 50_500, 5),
    ];
    assert!(found(agreed).is_empty());
    let nothing = ["BTC on sim: 0.505 held here, 0 at the venue"];
    assert_eq!(found(Vec::new()), nothing);
    let more = ["BTC on sim: 0.505 held here, 0.50501 at the venue"];
    assert_eq!(found(vec![balance("BTC", 50_501, 5)]), more);
}

#[test]
fn cash_is_compared_with_what_was_bought_of_it_to_the_hundred_millionth() {
    let mut core = holder();
    let kept = |core: &Core<Buyer>| -> Vec<String> {
        let cash = spot_cash(core).into_iter();
        cash.map(|cash| format!("{} {} {}", cash.venue, cash.currency, cash.amount))
            .collect()
    };
    // The start less 0.505 at 99; what the perpetual cost is in another wallet.
    let (first, other) = ("sim USD 999950.005", "other USD -49.5");
    assert_eq!(kept(&core), [first, other, "sim EUR 0"]);
    let order = open(&mut core, InstrumentId(2), 60);
    let fill = OrderFilled {
        client_order_id: order,
        price: 99,
        quantity: 5,
        fee: 100_000_000,
        execution_id: 70,
    };
    let fill = Event::new(EventKind::OrderFilled, InstrumentId(2)).with_body(&fill);
    apply(&mut core, 70, &fill);
    // 0.5 euros at 99 and a fee of 1.
    assert_eq!(kept(&core)[0], "sim USD 999899.505");
    let found = |balances: &[(&str, i64, u8)]| {
        let balances = balances.iter().map(|&(asset, mantissa, exponent)| {
            let asset = asset.into();
            VenueBalance {
                asset,
                mantissa,
                exponent,
            }
        });
        let venue = VenueBooks {
            balances: vec![("sim".into(), balances.collect())],
            ..VenueBooks::default()
        };
        let found = cash_differences(&core, &venue).into_iter();
        found
            .map(|difference| difference.to_string())
            .collect::<Vec<_>>()
    };
    let euros = ("EUR", 5, 1);
    assert!(found(&[("USD", 999_899_505, 3), euros]).is_empty());
    assert!(found(&[("USD", 999_899_505_000_009_999, 12), euros]).is_empty());
    let wanted = "USD in cash on sim: 999899.505 here, 999899.50500001 at the venue";
    assert_eq!(
        found(&[("USD", 999_899_505_000_010_000, 12), euros]),
        [wanted]
    );
    let wanted = "EUR in cash on sim: 0.5 here, 7.25 at the venue";
    assert_eq!(found(&[("USD", 999_899_505, 3), ("EUR", 725, 2)]), [wanted]);
    let nothing = [
        "USD in cash on sim: 999899.505 here, 0 at the venue",
        "EUR in cash on sim: 0.5 here, 0 at the venue",
    ];
    assert_eq!(found(&[]), nothing);
    assert!(
        cash_differences(&core, &VenueBooks::default()).is_empty(),
        "a venue that reports nothing is not compared"
    );
}

#[test]
fn an_order_that_never_left_is_not_expected_at_the_venue() {
    let core = core(false);
    assert!(differences(&core, &books(&[], 0)).is_empty());
    let strange = differences(&core, &books(&[(3, 0, 5)], 0));
    assert_eq!(
        strange,
        [Difference::OrderOnlyThere {
            order: 3,
            instrument: "sim:BTC".into()
        }]
    );
}
