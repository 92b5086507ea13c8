//! The levels of risk in the machine itself: agents, days, messages, single instruments, currencies, funding and fees, from
//! events to decisions.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{cell::RefCell, rc::Rc};

use acth_core::{
    config::{AccountConfig, CoreConfig, CoreError, InstrumentLimits, StartRate},
    core::{Core, Input},
    currency::RateSource,
    decision::{ClientOrderId, DecisionKind, Decisions},
    event::{
        Bbo, BookState, BookStateChanged, Event, EventKind, FundingSettled, Level, OrderFilled,
        OrderReport, RateChanged, Side, TimerFired,
    },
    fees::{FeeTier, VenueFees},
    instrument::{AssetClass, Contract, Instrument, InstrumentId, Instruments},
    money::Money,
    prelude::*,
    risk::{Limits, NS_PER_DAY, StateReason},
};

const SPOT: InstrumentId = InstrumentId(0);
const PERPETUAL: InstrumentId = InstrumentId(1);
const EURO: InstrumentId = InstrumentId(2);
const PAIR: InstrumentId = InstrumentId(3);
/// Noon of some day.
const NOON_NS: i64 = 20_000 * NS_PER_DAY + NS_PER_DAY / 2;

#[derive(Debug, Default)]
struct Wishes {
    orders: Vec<OrderRequest>,
    cancels: Vec<ClientOrderId>,
    results: Vec<Result<ClientOrderId, Denial>>,
    largest: Vec<i64>,
    fee_ppm: i64,
}

/// Does what it is told on the next book.
#[derive(Debug, Default)]
struct Puppet(Rc<RefCell<Wishes>>);

impl Strategy for Puppet {
    type Config = NoConfig;
    const NAME: &'static str = "puppet";

    fn new(_: &NoConfig, _: &Instruments) -> Result<Self, StrategyError> {
        Ok(Self::default())
    }

    fn on_book(&mut self, ctx: &mut Context<'_>, _: InstrumentId) {
        let mut wishes = self.0.borrow_mut();
        for id in std::mem::take(&mut wishes.cancels) {
            ctx.cancel(id);
        }
        for order in std::mem::take(&mut wishes.orders) {
            let largest = ctx.largest_allowed(&order);
            wishes.largest.push(largest);
            let result = ctx.place(order);
            wishes.results.push(result);
        }
        wishes.fee_ppm = ctx.expected_fee_ppm(SPOT, false);
    }
}

fn row(venue: &str, base: &str, quote: &str, contract: Contract) -> Instrument {
    Instrument {
        venue: venue.into(),
        symbol: format!("{base}{quote}"),
        base: base.into(),
        quote: quote.into(),
        asset_class: AssetClass::Crypto,
        contract,
        price_exponent: 2,
        quantity_exponent: 0,
        tick: 1,
        lot: 1,
        quantity_min: 1,
        maker_fee_ppm: 10,
        taker_fee_ppm: 50,
    }
}

/// Spot and perpetual of one asset at two venues, the asset in euros, and the pair that gives the euro's rate.
fn table() -> Instruments {
    Instruments::new(vec![
        row("one", "BTC", "USD", Contract::Spot),
        row("two", "BTC", "USD", Contract::Perpetual),
        row("one", "BTC", "EUR", Contract::Spot),
        row("one", "EUR", "USD", Contract::Spot),
    ])
    .unwrap()
}

/// Wide in everything; a test narrows what it is about.
fn wide() -> Limits {
    Limits {
        position_share_ppm: 10_000_000,
        order_share_ppm: 1_000_000,
        order_notional_max: Money::from_units(10_000_000),
        risk_per_trade_ppm: 1_000_000,
        gross_exposure_ppm: 100_000_000,
        net_exposure_ppm: 100_000_000,
        venue_exposure_ppm: 100_000_000,
        agent_exposure_ppm: 100_000_000,
        concentration_ppm: 100_000_000,
        drawdown_ppm: 1_000_000,
        daily_loss_ppm: 1_000_000,
        agent_loss_ppm: 1_000_000,
        open_orders_per_instrument: 100,
        ..Limits::default()
    }
}

fn config(limits: Limits) -> CoreConfig {
    CoreConfig {
        hub_id: 1,
        cash: Money::from_units(100_000),
        instruments: table(),
        limits,
        correlation_half_life_samples: 100.0,
        account: AccountConfig::default(),
    }
}

struct Bench {
    core: Core<Puppet>,
    wishes: Rc<RefCell<Wishes>>,
    decisions: Decisions,
    sequence: u64,
    ts_ns: i64,
    update_id: u64,
}

impl Bench {
    fn new(config: &CoreConfig) -> Self {
        let wishes = Rc::new(RefCell::new(Wishes::default()));
        let core = Core::new(config, Puppet(Rc::clone(&wishes))).unwrap();
        let mut bench = Self {
            core,
            wishes,
            decisions: Decisions::new(),
            sequence: 1,
            ts_ns: NOON_NS,
            update_id: 0,
        };
        for id in [SPOT, PERPETUAL, EURO, PAIR] {
            let live = Event::new(EventKind::BookStateChanged, id)
                .with_detail(BookState::Live as u8)
                .with_body(&BookStateChanged {
                    reason: 2,
                    expected_id: 0,
                    received_id: 0,
                    reserved: [0; 2],
                });
            bench.apply(&live);
            bench.quote(id, 10_000);
        }
        bench
    }

    fn apply(&mut self, event: &Event) {
        event.check().unwrap();
        self.decisions.clear();
        let input = Input {
            sequence: self.sequence,
            ts_core_ns: self.ts_ns,
            event,
        };
        self.core.apply(input, &mut self.decisions);
        self.sequence += 1 + self.decisions.as_slice().len() as u64;
        assert_eq!(self.core.portfolio().check_conservation(), Ok(()));
    }

    /// Who gave the rate of a currency.
    fn source(&self, currency: usize) -> RateSource {
        self.core.portfolio().rates().source(currency)
    }

    /// A quote around a middle, in cents.
    fn quote(&mut self, id: InstrumentId, mid: i64) {
        self.update_id += 1;
        let level = |price| Level { price, quantity: 9 };
        let body = Bbo {
            bid: level(mid - 1),
            ask: level(mid + 1),
            update_id: self.update_id,
        };
        self.apply(&Event::new(EventKind::Bbo, id).with_body(&body));
    }

    fn timer(&mut self) {
        let body = TimerFired {
            ts_due_ns: self.ts_ns,
            interval_ns: 1,
            count: 1,
            reserved: [0; 2],
        };
        self.apply(&Event::new(EventKind::TimerFired, SPOT).with_body(&body));
    }

    /// Asks for an order at a middle of 100.00; its outcome and the largest that would pass.
    fn ask(&mut self, order: OrderRequest) -> (Result<ClientOrderId, Denial>, i64) {
        self.wishes.borrow_mut().orders.push(order);
        self.quote(order.instrument, 10_000);
        let mut wishes = self.wishes.borrow_mut();
        (wishes.results.pop().unwrap(), wishes.largest.pop().unwrap())
    }

    fn buy(
        &mut self,
        id: InstrumentId,
        quantity: i64,
        agent: u16,
    ) -> (Result<ClientOrderId, Denial>, i64) {
        self.ask(OrderRequest::limit(id, Side::Bid, 10_000, quantity).by(agent))
    }

    /// Buys and has it filled.
    fn hold(&mut self, id: InstrumentId, quantity: i64, agent: u16) {
        let order = self.buy(id, quantity, agent).0.unwrap();
        let body = OrderFilled {
            client_order_id: order.0,
            price: 10_000,
            quantity,
            fee: 0,
            execution_id: order.0,
        };
        self.apply(&Event::new(EventKind::OrderFilled, id).with_body(&body));
    }

    fn refuse(&mut self, id: InstrumentId, order: ClientOrderId) {
        let body = OrderReport {
            client_order_id: order.0,
            venue_order_id: 0,
            reserved: [0; 3],
        };
        self.apply(&Event::new(EventKind::OrderRejected, id).with_body(&body));
    }
}

/// A limit of 40 % of 100,000 and orders at 100: 400 pass, in whichever parts, the next does not, and cutting finds what is
/// left.
fn assert_level(
    limits: Limits,
    denial: Denial,
    first: (InstrumentId, u16),
    then: (InstrumentId, u16),
) {
    for is_filled in [false, true] {
        let mut bench = Bench::new(&config(limits));
        if is_filled {
            bench.hold(first.0, 250, first.1);
        } else {
            bench.buy(first.0, 250, first.1).0.unwrap();
        }
        let (result, largest) = bench.buy(then.0, 151, then.1);
        assert_eq!(
            (result, largest),
            (Err(denial), 150),
            "{denial:?}, filled: {is_filled}"
        );
        let last = bench.decisions.as_slice()[0];
        assert_eq!((last.verdict, last.agent), (denial as u16, then.1));
        let (result, largest) = bench.buy(then.0, 150, then.1);
        assert!(result.is_ok(), "{denial:?} at its edge: {result:?}");
        assert_eq!(largest, 150);
        assert_eq!(bench.buy(then.0, 1, then.1), (Err(denial), 0));
    }
}

#[test]
fn every_level_adds_up_what_is_held_and_what_is_open() {
    let share = 400_000;
    let net = Limits {
        net_exposure_ppm: share,
        ..wide()
    };
    assert_level(net, Denial::NetExposure, (SPOT, 1), (PERPETUAL, 2));
    let gross = Limits {
        gross_exposure_ppm: share,
        ..wide()
    };
    assert_level(gross, Denial::GrossExposure, (SPOT, 1), (PERPETUAL, 2));
    let base = Limits {
        concentration_ppm: share,
        ..wide()
    };
    assert_level(base, Denial::Concentration, (SPOT, 1), (PERPETUAL, 2));
    let venue = Limits {
        venue_exposure_ppm: share,
        ..wide()
    };
    assert_level(venue, Denial::VenueExposure, (SPOT, 1), (PAIR, 2));
    let agent = Limits {
        agent_exposure_ppm: share,
        ..wide()
    };
    assert_level(agent, Denial::AgentExposure, (SPOT, 3), (PERPETUAL, 3));
    let margin = Limits {
        margin_ppm: 1_000_000,
        position_share_ppm: 1_000_000,
        ..wide()
    };
    let mut bench = Bench::new(&config(margin));
    bench.hold(SPOT, 600, 1);
    assert_eq!(
        bench.core.portfolio().margin_used(),
        Money::from_units(60_000)
    );
    assert_eq!(
        bench.core.portfolio().margin_free(),
        Money::from_units(40_000)
    );
    assert_eq!(bench.buy(PERPETUAL, 401, 1), (Err(Denial::Margin), 400));
    assert!(bench.buy(PERPETUAL, 400, 1).0.is_ok());
}

#[test]
fn another_agent_or_venue_has_room_of_its_own() {
    let mut bench = Bench::new(&config(Limits {
        agent_exposure_ppm: 400_000,
        ..wide()
    }));
    bench.hold(SPOT, 400, 3);
    assert_eq!(bench.buy(SPOT, 1, 3).0, Err(Denial::AgentExposure));
    assert!(bench.buy(SPOT, 400, 4).0.is_ok());
    let mut bench = Bench::new(&config(Limits {
        venue_exposure_ppm: 400_000,
        ..wide()
    }));
    bench.hold(SPOT, 400, 1);
    assert_eq!(bench.buy(PAIR, 1, 1).0, Err(Denial::VenueExposure));
    assert!(bench.buy(PERPETUAL, 400, 1).0.is_ok());
}

#[test]
fn an_agent_keeps_its_number_none_is_the_first_and_seventeen_is_none() {
    let mut bench = Bench::new(&config(wide()));
    for (asked, journaled) in [(0, 1), (1, 1), (2, 2), (16, 16)] {
        bench.buy(SPOT, 1, asked).0.unwrap();
        assert_eq!(bench.decisions.as_slice()[0].agent, journaled);
    }
    assert_eq!(bench.buy(SPOT, 1, 17).0, Err(Denial::UnknownAgent));
    bench.hold(SPOT, 5, 7);
    assert_eq!(bench.core.portfolio().agent_quantity(7, SPOT), 5);
    assert_eq!(bench.core.portfolio().agent_quantity(1, SPOT), 0);
}

#[test]
fn a_day_that_lost_too_much_reduces_and_the_next_day_begins_anew() {
    let limits = Limits {
        daily_loss_ppm: 50_000,
        ..wide()
    };
    let mut bench = Bench::new(&config(limits));
    bench.hold(SPOT, 1_000, 1);
    // A tenth of a cent per unit and thousand units: the mid is whole cents here. 5.00 lost on 1000 is 5000.
    bench.quote(SPOT, 9_500);
    bench.timer();
    assert_eq!(
        bench.core.trading_state(),
        TradingState::Active,
        "at the edge"
    );
    bench.quote(SPOT, 9_499);
    let (result, _) = {
        bench
            .wishes
            .borrow_mut()
            .orders
            .push(OrderRequest::limit(SPOT, Side::Bid, 9_499, 1));
        bench.quote(SPOT, 9_499);
        (bench.wishes.borrow_mut().results.pop().unwrap(), ())
    };
    assert_eq!(result, Err(Denial::DailyLoss), "before the timer too");
    bench.timer();
    let change = bench.decisions.as_slice()[0];
    assert_eq!(change.kind(), Some(DecisionKind::TradingStateChanged));
    assert_eq!(change.reason, StateReason::DailyLoss as u16);
    assert_eq!(bench.core.trading_state(), TradingState::Reducing);
    // Past midnight the loss is yesterday's; a person resumes, and nothing trips again.
    bench.ts_ns += NS_PER_DAY;
    for id in [SPOT, PERPETUAL] {
        bench.quote(id, 9_499);
    }
    let resume = Event::new(EventKind::OperatorCommanded, SPOT).with_detail(3);
    bench.apply(&resume);
    bench.timer();
    assert_eq!(bench.core.trading_state(), TradingState::Active);
}

#[test]
fn an_agent_that_lost_too_much_stops_alone_until_the_next_day() {
    let limits = Limits {
        agent_loss_ppm: 10_000,
        ..wide()
    };
    let mut bench = Bench::new(&config(limits));
    bench.hold(SPOT, 1_000, 2);
    bench.quote(PERPETUAL, 10_000);
    bench.quote(SPOT, 9_899);
    assert_eq!(
        bench.core.portfolio().agent_profit(2),
        Money::from_units(-1_010)
    );
    let ask = |bench: &mut Bench, agent| {
        let order = OrderRequest::limit(PERPETUAL, Side::Bid, 10_000, 1).by(agent);
        bench.ask(order).0
    };
    assert_eq!(ask(&mut bench, 2), Err(Denial::AgentLoss));
    assert!(ask(&mut bench, 3).is_ok());
    bench.ts_ns += NS_PER_DAY;
    bench.quote(SPOT, 9_899);
    assert!(ask(&mut bench, 2).is_ok());
}

#[test]
fn cancels_count_as_messages_and_are_never_held_back() {
    let limits = Limits {
        messages_per_second: 4,
        venue_messages_per_second: 3,
        ..wide()
    };
    let mut bench = Bench::new(&config(limits));
    let first = bench.buy(SPOT, 1, 1).0.unwrap();
    let second = bench.buy(SPOT, 1, 1).0.unwrap();
    bench.wishes.borrow_mut().cancels.push(first);
    bench.quote(PERPETUAL, 10_000);
    assert_eq!(
        bench.decisions.as_slice()[0].kind(),
        Some(DecisionKind::CancelOrder)
    );
    assert_eq!(bench.buy(SPOT, 1, 1).0, Err(Denial::VenueMessageRate));
    assert!(bench.buy(PERPETUAL, 1, 1).0.is_ok(), "another venue");
    assert_eq!(bench.buy(PERPETUAL, 1, 1).0, Err(Denial::MessageRate));
    bench.wishes.borrow_mut().cancels.push(second);
    bench.quote(PERPETUAL, 10_000);
    assert_eq!(
        bench.decisions.as_slice()[0].kind(),
        Some(DecisionKind::CancelOrder)
    );
    bench.ts_ns += 1_000_000_000;
    assert!(bench.buy(SPOT, 1, 1).0.is_ok(), "a second later");
}

#[test]
fn one_instrument_may_have_limits_of_its_own() {
    let own = |instrument: &str| InstrumentLimits {
        instrument: instrument.into(),
        limits: Limits {
            position_share_ppm: 10_000,
            ..wide()
        },
    };
    let mut tight = config(wide());
    tight.account.instrument_limits = vec![own("two:BTCUSD")];
    let mut bench = Bench::new(&tight);
    assert_eq!(
        bench.buy(PERPETUAL, 11, 1),
        (Err(Denial::PositionLimit), 10)
    );
    assert!(bench.buy(SPOT, 11, 1).0.is_ok());
    tight.account.instrument_limits = vec![own("two:BTCUSDT")];
    let error = Core::new(&tight, Puppet::default()).unwrap_err();
    assert_eq!(error, CoreError::UnknownInstrument("two:BTCUSDT".into()));
    tight.account.instrument_limits = vec![InstrumentLimits {
        instrument: "two:BTCUSD".into(),
        limits: Limits {
            drawdown_ppm: 1_000_001,
            ..wide()
        },
    }];
    assert!(matches!(
        Core::new(&tight, Puppet::default()),
        Err(CoreError::Limits(_))
    ));
}

/// The euro's rate comes from the pair's market on the timer; until then nothing may grow in euros.
#[test]
fn a_market_of_the_hub_gives_the_rate_of_a_currency() {
    let limits = Limits {
        position_share_ppm: 100_000,
        ..wide()
    };
    let mut bench = Bench::new(&config(limits));
    assert_eq!(bench.core.groups().currencies(), ["USD", "EUR"]);
    assert_eq!(bench.buy(EURO, 1, 1).0, Err(Denial::NoRate));
    assert_eq!(bench.source(1), RateSource::Nobody);
    bench.quote(PAIR, 125);
    bench.timer();
    assert_eq!(
        (bench.source(0), bench.source(1)),
        (RateSource::Account, RateSource::Market)
    );
    // 10,000 dollars are 8,000 euros: 80 at 100.
    assert_eq!(bench.buy(EURO, 81, 1), (Err(Denial::PositionLimit), 80));
    bench.hold(EURO, 80, 1);
    assert_eq!(
        bench.core.portfolio().exposure(EURO),
        Money::from_units(10_000)
    );
    assert_eq!(bench.core.portfolio().balance(1), Money::from_units(-8_000));
    // What an instrument of the hub says is believed; a rate from outside is counted and left.
    let strange = bench.core.stats().strange_reports;
    let outside = RateChanged {
        mantissa: 2,
        currency: 1,
        exponent: 0,
        reserved: [0; 3],
    };
    bench.apply(&Event::new(EventKind::RateChanged, SPOT).with_body(&outside));
    assert_eq!(bench.core.stats().strange_reports, strange + 1);
    assert_eq!(
        bench.core.portfolio().exposure(EURO),
        Money::from_units(10_000)
    );
    bench.quote(EURO, 10_100);
    bench.quote(PAIR, 150);
    bench.timer();
    assert_eq!(
        bench.core.portfolio().exposure(EURO),
        Money::from_units(12_120)
    );
    // 80 euros of profit, at 1.25 when they were made.
    assert_eq!(bench.core.portfolio().equity(), Money::from_units(100_120));
    assert_eq!(bench.core.portfolio().revaluation(), Money::from_units(20));
    assert_eq!(bench.core.portfolio().earned(), Money::from_units(100));
    let euros = bench.core.portfolio().currency(1).unwrap();
    assert_eq!(
        (euros.cash, euros.value, euros.unrealised, euros.equity),
        (
            Money::from_units(-8_000),
            Money::from_units(8_080),
            Money::from_units(80),
            Money::from_units(80)
        )
    );
    assert_eq!(euros.equity_in_account, Money::from_units(120));
    assert_eq!(bench.core.portfolio().currency(2), None);
}

#[test]
fn a_market_takes_over_a_rate_that_the_configuration_gave() {
    let mut started = config(wide());
    started.account.rates = vec![StartRate {
        currency: "EUR".into(),
        mantissa: 125,
        exponent: 2,
    }];
    let mut bench = Bench::new(&started);
    assert_eq!(bench.source(1), RateSource::Configuration);
    // The same rate, now from the market.
    bench.quote(PAIR, 125);
    bench.timer();
    assert_eq!(bench.source(1), RateSource::Market);
}

#[test]
fn a_rate_from_outside_is_taken_where_no_market_gives_one() {
    let rows = vec![
        row("one", "BTC", "USD", Contract::Spot),
        row("two", "BTC", "USD", Contract::Perpetual),
        row("one", "BTC", "EUR", Contract::Spot),
        row("one", "ETH", "USD", Contract::Spot),
    ];
    let mut plain = config(wide());
    plain.instruments = Instruments::new(rows).unwrap();
    let mut bench = Bench::new(&plain);
    assert_eq!(bench.buy(EURO, 1, 1).0, Err(Denial::NoRate));
    let rate = |mantissa| {
        let body = RateChanged {
            mantissa,
            currency: 1,
            exponent: 1,
            reserved: [0; 3],
        };
        Event::new(EventKind::RateChanged, SPOT).with_body(&body)
    };
    bench.apply(&rate(11));
    assert_eq!(bench.source(1), RateSource::Event);
    assert!(bench.buy(EURO, 1, 1).0.is_ok());
    bench.apply(&rate(0));
    assert_eq!(bench.buy(EURO, 1, 1).0, Err(Denial::NoRate));
    let start = |currency: &str, mantissa| StartRate {
        currency: currency.into(),
        mantissa,
        exponent: 1,
    };
    plain.account.rates = vec![start("EUR", 11)];
    assert!(Bench::new(&plain).buy(EURO, 1, 1).0.is_ok());
    for wrong in [
        start("USD", 10),
        start("JPY", 10),
        start("EUR", 0),
        start("EUR", -1),
    ] {
        let refused = Some(CoreError::Rate(wrong.currency.clone()));
        plain.account.rates = vec![wrong];
        assert_eq!(Core::new(&plain, Puppet::default()).err(), refused);
    }
}

#[test]
fn funding_is_booked_from_its_event() {
    let mut bench = Bench::new(&config(wide()));
    bench.hold(PERPETUAL, 100, 4);
    let before = bench.core.portfolio().equity();
    // 0.01 % of 10,000: one unit, paid by the long.
    let body = FundingSettled {
        rate: 100_000_000,
        price: 0,
        reserved: [0; 3],
    };
    bench.apply(&Event::new(EventKind::FundingSettled, PERPETUAL).with_body(&body));
    let books = bench.core.portfolio();
    assert_eq!(books.equity(), before - Money::ONE);
    assert_eq!(books.position(PERPETUAL).funding, -Money::ONE);
    assert_eq!(books.agent_profit(4), -Money::ONE);
}

#[test]
fn the_expected_fee_falls_with_the_volume_of_its_venue() {
    let tier = |units, taker_ppm| FeeTier {
        volume: Money::from_units(units),
        maker_ppm: 0,
        taker_ppm,
    };
    let mut tiered = config(wide());
    tiered.account.fees = vec![VenueFees {
        venue: "one".into(),
        tiers: vec![tier(10_000, 40), tier(20_000, 30)],
    }];
    let mut bench = Bench::new(&tiered);
    let mut fees = vec![bench.wishes.borrow().fee_ppm];
    for _ in 0..4 {
        bench.hold(SPOT, 50, 1);
        bench.quote(SPOT, 10_000);
        fees.push(bench.wishes.borrow().fee_ppm);
    }
    assert_eq!(fees, [50, 50, 40, 40, 30]);
    bench.hold(PERPETUAL, 500, 1);
    bench.quote(SPOT, 10_000);
    assert_eq!(bench.wishes.borrow().fee_ppm, 30);
    for (venue, tiers) in [("three", vec![]), ("one", vec![tier(5, 1), tier(5, 2)])] {
        tiered.account.fees = vec![VenueFees {
            venue: venue.into(),
            tiers,
        }];
        let error = Core::new(&tiered, Puppet::default()).unwrap_err();
        assert_eq!(error, CoreError::Fees(venue.into()));
    }
}

/// What is no longer open counts no longer, whichever way it ended.
#[test]
fn a_refused_order_gives_its_room_back() {
    let limits = Limits {
        agent_exposure_ppm: 400_000,
        concentration_ppm: 400_000,
        ..wide()
    };
    let mut bench = Bench::new(&config(limits));
    let order = bench.buy(SPOT, 400, 2).0.unwrap();
    assert!(bench.buy(SPOT, 1, 2).0.is_err());
    bench.refuse(SPOT, order);
    assert!(bench.buy(SPOT, 400, 2).0.is_ok());
}
