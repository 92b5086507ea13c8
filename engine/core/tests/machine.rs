//! The machine as a whole: what one input leads to, and what it must never lead to.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use acth_core::{
    config::{AccountConfig, CoreConfig, CoreError},
    core::{Core, HASH_INTERVAL_EVENTS, Input},
    decision::{ClientOrderId, Decision, DecisionKind, Decisions},
    event::{
        Bbo, BookState, BookStateChanged, CommandSent, Event, EventError, EventKind, Level,
        OperatorAction, OperatorCommand, OperatorReason, OrderFilled, OrderReport, ReportReason,
        Side, flags,
    },
    instrument::{AssetClass, Contract, Instrument, InstrumentId, Instruments},
    money::Money,
    prelude::*,
    risk::{Limits, StateReason},
};

const HUB: u16 = 9;
const BTC: InstrumentId = InstrumentId(0);
const ETH: InstrumentId = InstrumentId(1);

/// Places what it is told to on the next book of the instrument.
#[derive(Debug, Default)]
struct Puppet {
    orders: Vec<OrderRequest>,
    updates: Vec<OrderUpdate>,
    results: Vec<Result<ClientOrderId, Denial>>,
    books: u64,
}

impl Strategy for Puppet {
    type Config = NoConfig;
    const NAME: &'static str = "puppet";

    fn new(_: &NoConfig, _: &Instruments) -> Result<Self, StrategyError> {
        Ok(Self::default())
    }

    fn on_book(&mut self, ctx: &mut Context<'_>, _: InstrumentId) {
        self.books += 1;
        if self.books == PLACE_AT_BOOK {
            for order in std::mem::take(&mut self.orders) {
                self.results.push(ctx.place(order));
            }
        }
    }

    fn on_order(&mut self, _: &mut Context<'_>, update: &OrderUpdate) {
        self.updates.push(*update);
    }
}

/// The book after which the puppet places its orders: both instruments are live then.
const PLACE_AT_BOOK: u64 = 5;

fn instrument(symbol: &str) -> Instrument {
    Instrument {
        venue: "sim".into(),
        symbol: symbol.into(),
        base: symbol.into(),
        quote: "USD".into(),
        asset_class: AssetClass::Crypto,
        contract: Contract::Perpetual,
        price_exponent: 2,
        quantity_exponent: 3,
        tick: 1,
        lot: 1,
        quantity_min: 1,
        maker_fee_ppm: 0,
        taker_fee_ppm: 0,
    }
}

fn config() -> CoreConfig {
    CoreConfig {
        hub_id: HUB,
        cash: Money::from_units(1_000_000),
        instruments: Instruments::new(vec![instrument("BTC"), instrument("ETH")]).unwrap(),
        limits: Limits {
            open_orders_per_instrument: 200,
            ..Limits::default()
        },
        correlation_half_life_samples: 100.0,
        account: AccountConfig::default(),
    }
}

/// A core with a history of its own: sequences go on by themselves, as in a journal.
struct Bench {
    core: Core<Puppet>,
    decisions: Decisions,
    sequence: u64,
    ts_ns: i64,
}

impl Bench {
    fn new(orders: Vec<OrderRequest>) -> Self {
        let puppet = Puppet {
            orders,
            ..Puppet::default()
        };
        let core = Core::new(&config(), puppet).unwrap();
        let mut bench = Self {
            core,
            decisions: Decisions::new(),
            sequence: 1,
            ts_ns: 1_000_000,
        };
        for id in [BTC, ETH] {
            bench.apply(&level(
                id,
                1,
                Side::Bid,
                9_990,
                50_000,
                flags::SNAPSHOT | flags::CLEAR,
            ));
            bench.apply(&level(
                id,
                1,
                Side::Ask,
                10_010,
                50_000,
                flags::SNAPSHOT | flags::LAST,
            ));
            bench.apply(&state(id, BookState::Live));
        }
        bench.apply(&level(BTC, 2, Side::Bid, 9_991, 1_000, flags::LAST));
        bench
    }

    fn apply(&mut self, event: &Event) -> Vec<Decision> {
        event.check().unwrap();
        self.decisions.clear();
        self.ts_ns += 1_000_000;
        let input = Input {
            sequence: self.sequence,
            ts_core_ns: self.ts_ns,
            event,
        };
        self.core.apply(input, &mut self.decisions);
        self.sequence += 1 + self.decisions.as_slice().len() as u64;
        self.decisions.as_slice().to_vec()
    }

    fn orders_placed(&self) -> Vec<ClientOrderId> {
        self.core
            .strategy()
            .results
            .iter()
            .map(|result| result.unwrap())
            .collect()
    }
}

fn level(
    id: InstrumentId,
    update_id: u64,
    side: Side,
    price: i64,
    quantity: i64,
    bits: u8,
) -> Event {
    Event::book_delta(id, update_id, &[(side, Level { price, quantity })]).with_flags(bits)
}

fn state(id: InstrumentId, state: BookState) -> Event {
    let body = BookStateChanged {
        reason: 2,
        expected_id: 0,
        received_id: 0,
        reserved: [0; 2],
    };
    Event::new(EventKind::BookStateChanged, id)
        .with_detail(state as u8)
        .with_body(&body)
}

fn report(kind: EventKind, id: ClientOrderId, reason: ReportReason) -> Event {
    let body = OrderReport {
        client_order_id: id.0,
        venue_order_id: 1,
        reserved: [0; 3],
    };
    Event::new(kind, BTC)
        .with_detail(reason as u8)
        .with_body(&body)
}

fn fill(id: ClientOrderId, price: i64, quantity: i64, execution_id: u64) -> Event {
    let body = OrderFilled {
        client_order_id: id.0,
        price,
        quantity,
        fee: 100_000_000,
        execution_id,
    };
    Event::new(EventKind::OrderFilled, BTC).with_body(&body)
}

fn operator(action: OperatorAction) -> Event {
    Event::new(EventKind::OperatorCommanded, BTC).with_detail(action as u8)
}

fn operator_because(action: OperatorAction, reason: OperatorReason) -> Event {
    operator(action).with_body(&OperatorCommand::because(reason))
}

fn sent(sequence: u64, id: ClientOrderId) -> Event {
    let body = CommandSent {
        sequence,
        client_order_id: id.0,
        ts_egress_ns: 1,
        ts_cause_ingress_ns: 0,
        ..CommandSent::default()
    };
    Event::new(EventKind::CommandSent, BTC).with_body(&body)
}

fn bid(price: i64) -> OrderRequest {
    OrderRequest::limit(BTC, Side::Bid, price, 10)
}

fn kinds(decisions: &[Decision]) -> Vec<DecisionKind> {
    decisions
        .iter()
        .map(|decision| decision.kind().unwrap())
        .collect()
}

#[test]
fn an_order_is_named_after_the_frame_that_decides_it() {
    let bench = Bench::new(vec![bid(9_900), bid(1), bid(9_901)]);
    let last = bench.decisions.as_slice();
    let expected = [
        DecisionKind::PlaceOrder,
        DecisionKind::OrderDenied,
        DecisionKind::PlaceOrder,
    ];
    assert_eq!(kinds(last), expected);
    let input = bench.sequence - 4;
    for (index, decision) in last.iter().enumerate() {
        let id = ClientOrderId::new(HUB, input + 1 + index as u64);
        assert_eq!(decision.client_order_id, id.0);
    }
    assert_eq!(last[1].verdict, Denial::PriceCollar as u16);
    assert_eq!(bench.core.denials(), vec![(Denial::PriceCollar, 1)]);
}

#[test]
fn a_stale_book_takes_its_orders_with_it_and_quotes_nothing() {
    let mut bench = Bench::new(vec![
        bid(9_900),
        OrderRequest::limit(ETH, Side::Bid, 9_900, 10),
    ]);
    let decisions = bench.apply(&state(BTC, BookState::Stale));
    assert_eq!(kinds(&decisions), [DecisionKind::CancelOrder]);
    assert_eq!(decisions[0].client_order_id, bench.orders_placed()[0].0);
    assert!(bench.core.market(BTC).unwrap().quote().is_none());
    assert!(bench.core.market(ETH).unwrap().quote().is_some());
}

#[test]
fn a_crossed_book_is_not_traded_on() {
    let mut bench = Bench::new(vec![]);
    bench.apply(&level(BTC, 3, Side::Bid, 10_010, 5, flags::LAST));
    assert_eq!(bench.core.crossed_count(), 1);
    assert!(bench.core.market(BTC).unwrap().quote().is_none());
}

#[test]
fn the_newer_of_ticker_and_book_is_the_quote_and_equal_ids_are_compared() {
    let mut bench = Bench::new(vec![]);
    let ticker = |update_id, bid_price| {
        let bid = Level {
            price: bid_price,
            quantity: 7,
        };
        let ask = Level {
            price: 10_010,
            quantity: 50_000,
        };
        Event::new(EventKind::Bbo, BTC).with_body(&Bbo {
            bid,
            ask,
            update_id,
        })
    };
    bench.apply(&ticker(9, 9_999));
    let quoted = |bench: &Bench| bench.core.market(BTC).unwrap().quote().unwrap().bid.price;
    assert_eq!(quoted(&bench), 9_999);
    assert_eq!(bench.core.book_checks().compared, 0);
    bench.apply(&level(BTC, 9, Side::Bid, 9_999, 7, flags::LAST));
    assert_eq!(
        (
            bench.core.book_checks().compared,
            bench.core.book_checks().equal
        ),
        (1, 1)
    );
    bench.apply(&ticker(9, 9_998));
    assert_eq!(
        (
            bench.core.book_checks().compared,
            bench.core.book_checks().equal
        ),
        (2, 1)
    );
    bench.apply(&ticker(8, 9_000));
    assert_eq!(quoted(&bench), 9_999);
}

#[test]
fn halting_cancels_everything_even_what_one_input_has_no_room_for() {
    let count = 60;
    let mut bench = Bench::new((0..count).map(|step| bid(9_900 - step)).collect());
    assert_eq!(
        bench.core.open_order_count(),
        50,
        "the rate limit of one second"
    );
    let mut cancelled = 0;
    let mut decisions = bench.apply(&operator(OperatorAction::Halt));
    assert_eq!(decisions[0].kind(), Some(DecisionKind::TradingStateChanged));
    assert_eq!(decisions[0].reason, StateReason::Operator as u16);
    for _ in 0..3 {
        let is_cancel = |d: &&Decision| d.kind() == Some(DecisionKind::CancelOrder);
        cancelled += decisions.iter().filter(is_cancel).count();
        decisions = bench.apply(&operator(OperatorAction::Halt));
    }
    assert_eq!(cancelled, 50);
    assert_eq!(bench.core.trading_state(), TradingState::Halted);
}

#[test]
fn every_reason_of_a_command_has_its_reason_of_a_state() {
    let reasons = [
        (OperatorReason::Unspecified, StateReason::Operator),
        (OperatorReason::DiskLow, StateReason::DiskLow),
        (OperatorReason::DiskFull, StateReason::DiskFull),
        (
            OperatorReason::DurabilityBehind,
            StateReason::DurabilityBehind,
        ),
        (OperatorReason::IngressBehind, StateReason::IngressBehind),
        (OperatorReason::KillFlag, StateReason::KillFlag),
    ];
    for (code, (why, reason)) in (0..).zip(reasons) {
        assert_eq!(OperatorReason::from_code(code), Some(why));
        for action in [OperatorAction::Reduce, OperatorAction::Halt] {
            let mut bench = Bench::new(vec![]);
            let decisions = bench.apply(&operator_because(action, why));
            assert_eq!(decisions[0].reason, reason as u16);
            assert_eq!(bench.core.trading_state_reason(), reason);
            bench.apply(&operator(OperatorAction::Resume));
            assert_eq!(bench.core.trading_state(), TradingState::Active);
            assert_eq!(bench.core.trading_state_reason(), StateReason::Operator);
        }
    }
    let unknown = OperatorCommand {
        reason: 6,
        reserved: [0; 4],
    };
    let event = operator(OperatorAction::Halt).with_body(&unknown);
    assert_eq!(event.check(), Err(EventError::Reason(6)));
    let reserved = OperatorCommand {
        reason: 1,
        reserved: [0, 0, 0, 1],
    };
    let event = operator(OperatorAction::Halt).with_body(&reserved);
    assert_eq!(event.check(), Err(EventError::Reserved(event.kind)));
}

#[test]
fn an_orderly_end_halts_and_cancels_and_leaves_an_earlier_reason() {
    let mut bench = Bench::new(vec![bid(9_900)]);
    let decisions = bench.apply(&operator(OperatorAction::End));
    let expected = [DecisionKind::TradingStateChanged, DecisionKind::CancelOrder];
    assert_eq!(kinds(&decisions), expected);
    assert_eq!(decisions[0].reason, StateReason::RunEnded as u16);
    assert_eq!(bench.core.trading_state(), TradingState::Halted);

    let mut bench = Bench::new(vec![]);
    bench.apply(&operator_because(
        OperatorAction::Halt,
        OperatorReason::KillFlag,
    ));
    assert!(bench.apply(&operator(OperatorAction::End)).is_empty());
    assert_eq!(bench.core.trading_state_reason(), StateReason::KillFlag);

    let mut bench = Bench::new(vec![]);
    bench.apply(&operator_because(
        OperatorAction::Reduce,
        OperatorReason::DiskLow,
    ));
    bench.apply(&operator(OperatorAction::End));
    assert_eq!(bench.core.trading_state(), TradingState::Halted);
    assert_eq!(bench.core.trading_state_reason(), StateReason::DiskLow);
}

#[test]
fn only_a_person_loosens_a_halt() {
    let mut bench = Bench::new(vec![]);
    bench.apply(&operator(OperatorAction::Halt));
    let reduce = operator_because(OperatorAction::Reduce, OperatorReason::IngressBehind);
    assert!(bench.apply(&reduce).is_empty());
    assert_eq!(bench.core.trading_state(), TradingState::Halted);
    bench.apply(&operator(OperatorAction::Reduce));
    assert_eq!(bench.core.trading_state(), TradingState::Reducing);
}

#[test]
fn an_order_is_sent_when_its_own_command_was_and_not_its_cancel() {
    let mut bench = Bench::new(vec![bid(9_900), bid(9_901)]);
    let ids = bench.orders_placed();
    let flags = |bench: &Bench| -> Vec<bool> {
        bench
            .core
            .open_orders()
            .map(|order| order.is_sent)
            .collect()
    };
    let is_by_age = bench
        .core
        .open_orders()
        .map(|order| order.id)
        .eq(ids.clone());
    assert!(is_by_age, "oldest first");
    bench.apply(&sent(ids[0].sequence() + 1, ids[0]));
    assert_eq!(flags(&bench), [false, false]);
    bench.apply(&sent(ids[1].sequence(), ids[1]));
    assert_eq!(flags(&bench), [false, true]);
    assert_eq!(bench.core.last_input_sequence(), bench.sequence - 1);
    assert_eq!(bench.core.now_ns(), bench.ts_ns);
}

/// Two equal histories; the order of one is confirmed, that of the other is not yet.
#[test]
fn the_hash_sees_a_confirmation_once_even_when_the_order_has_ended() {
    for has_ended in [false, true] {
        let mut benches = [Bench::new(vec![bid(9_900)]), Bench::new(vec![bid(9_900)])];
        let id = benches[0].orders_placed()[0];
        let own = id.sequence();
        if has_ended {
            for bench in &mut benches {
                bench.apply(&report(EventKind::OrderCancelled, id, ReportReason::None));
            }
        }
        let [first, second] = &mut benches;
        first.apply(&sent(own, id));
        second.apply(&sent(own + 1, id));
        assert_ne!(first.core.progress_hash(), second.core.progress_hash());
        first.apply(&sent(own, id));
        second.apply(&sent(own, id));
        assert_eq!(first.core.progress_hash(), second.core.progress_hash());
    }
}

#[test]
fn fills_are_booked_once_and_unknown_ones_stop_the_growth_of_risk() {
    let mut bench = Bench::new(vec![bid(9_950)]);
    let id = bench.orders_placed()[0];
    bench.apply(&report(EventKind::OrderAccepted, id, ReportReason::None));
    bench.apply(&fill(id, 9_950, 4, 77));
    bench.apply(&fill(id, 9_950, 4, 77));
    assert_eq!(bench.core.portfolio().position(BTC).quantity, 4);
    assert_eq!(bench.core.portfolio().fees(), Money::from_units(1));
    assert_eq!(bench.core.stats().fills, 1);
    assert_eq!(bench.core.strategy().updates.len(), 2);
    assert_eq!(bench.core.trading_state(), TradingState::Active);

    let decisions = bench.apply(&fill(ClientOrderId::new(HUB, 4_000), 9_950, 4, 78));
    assert_eq!(kinds(&decisions), [DecisionKind::TradingStateChanged]);
    assert_eq!(decisions[0].state, TradingState::Reducing as u8);
    assert_eq!(bench.core.portfolio().position(BTC).quantity, 4);
}

#[test]
fn the_hash_is_journaled_at_fixed_places_and_at_the_end() {
    let mut bench = Bench::new(vec![]);
    while bench.core.stats().events < HASH_INTERVAL_EVENTS - 1 {
        let update_id = bench.sequence;
        let decisions = bench.apply(&level(BTC, update_id, Side::Bid, 9_980, 3, flags::LAST));
        assert!(decisions.is_empty());
    }
    let decisions = bench.apply(&level(BTC, 90_000, Side::Bid, 9_980, 3, flags::LAST));
    assert_eq!(kinds(&decisions), [DecisionKind::StateHashed]);
    assert_eq!(decisions[0].hash, bench.core.progress_hash());
    let decisions = bench.apply(&operator(OperatorAction::Stop));
    assert_eq!(kinds(&decisions), [DecisionKind::StateHashed]);
    assert_eq!(decisions[0].hash, bench.core.state_hash());
}

#[test]
fn the_state_hash_sees_the_depth_that_the_progress_hash_leaves_out() {
    let (mut first, mut second) = (Bench::new(vec![]), Bench::new(vec![]));
    assert_eq!(first.core.state_hash(), second.core.state_hash());
    first.apply(&level(BTC, 3, Side::Bid, 9_000, 5, flags::LAST));
    second.apply(&level(BTC, 3, Side::Bid, 9_000, 6, flags::LAST));
    assert_eq!(first.core.progress_hash(), second.core.progress_hash());
    assert_ne!(first.core.state_hash(), second.core.state_hash());
}

#[test]
fn a_core_without_instruments_or_with_limits_that_cannot_be_meant_is_refused() {
    let puppet = Puppet::default;
    let empty = CoreConfig {
        instruments: Instruments::new(vec![]).unwrap(),
        ..config()
    };
    assert_eq!(
        Core::new(&empty, puppet()).err(),
        Some(CoreError::NoInstruments)
    );
    let limits = Limits {
        drawdown_ppm: 1_000_001,
        ..Limits::default()
    };
    let wild = CoreConfig { limits, ..config() };
    assert!(matches!(
        Core::new(&wild, puppet()),
        Err(CoreError::Limits(_))
    ));
}

#[test]
fn only_market_data_may_carry_the_time_that_decoding_took() {
    for kind in EventKind::ALL {
        let detail = match kind {
            EventKind::BookDelta
            | EventKind::Trade
            | EventKind::BookStateChanged
            | EventKind::OperatorCommanded
            | EventKind::ModelPart => 1,
            _ => 0,
        };
        let event = Event::new(kind, BTC).with_detail(detail);
        assert_eq!(event.check(), Ok(()), "{kind:?}");
        assert_eq!(EventKind::from_code(kind as u8), Some(kind));
        let is_market_data = matches!(
            kind,
            EventKind::BookDelta | EventKind::Bbo | EventKind::Trade | EventKind::MarkFunding
        );
        let expected = if is_market_data {
            Ok(())
        } else {
            Err(EventError::Reserved(kind as u8))
        };
        assert_eq!(event.with_decode_code(9).check(), expected, "{kind:?}");
    }
}
