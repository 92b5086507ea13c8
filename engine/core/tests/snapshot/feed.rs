//! A made-up world: turns random numbers into valid events about instruments and about the orders that were placed.

use acth_core::{
    config::{AccountConfig, CoreConfig, StartRate},
    decision::{Decision, DecisionKind},
    event::{
        Bbo, BookState, BookStateChanged, BookStateReason, CommandSent, Event, EventKind,
        FundingSettled, Level, MarkFunding, OperatorAction, OperatorCommand, OperatorReason,
        OrderFilled, OrderReport, RateChanged, ReportReason, Side, TimerFired, Trade, flags,
    },
    instrument::{AssetClass, Contract, Instrument, InstrumentId, Instruments},
    money::Money,
    risk::Limits,
};
use proptest::prelude::*;

pub(crate) const HUB: u16 = 7;
pub(crate) const INSTRUMENTS: usize = 3;
const TICKS: [i64; INSTRUMENTS] = [1, 5, 100];
/// In ticks.
const MID_TICKS: i64 = 100_000;

/// What happens next: a number below 100 for the kind, and three for its details.
pub(crate) type Step = (u8, u32, u32, u32);

pub(crate) fn steps(count_max: usize) -> impl proptest::strategy::Strategy<Value = Vec<Step>> {
    let step = (0u8..100, any::<u32>(), any::<u32>(), any::<u32>());
    prop::collection::vec(step, 1..count_max)
}

/// The same kind of steps without proptest: for streams too long to be shrunk.
pub(crate) fn long_steps(seed: u64, count: usize) -> Vec<Step> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as u32
    };
    (0..count)
        .map(|_| ((next() % 100) as u8, next(), next(), next()))
        .collect()
}

fn instrument(index: usize, symbol: &str, quote: &str, contract: Contract) -> Instrument {
    Instrument {
        venue: format!("sim-{contract:?}"),
        symbol: symbol.into(),
        base: symbol.into(),
        quote: quote.into(),
        asset_class: AssetClass::Crypto,
        contract,
        price_exponent: 2,
        quantity_exponent: 3,
        tick: TICKS[index],
        lot: 1,
        quantity_min: 1,
        maker_fee_ppm: -20,
        taker_fee_ppm: 100,
    }
}

/// A spot and its perpetual, and something else that is paid in another currency; limits that let nearly everything through.
pub(crate) fn config() -> CoreConfig {
    let rows = vec![
        instrument(0, "BTC", "USD", Contract::Spot),
        instrument(1, "BTC", "USD", Contract::Perpetual),
        instrument(2, "ETH", "EUR", Contract::Perpetual),
    ];
    CoreConfig {
        hub_id: HUB,
        cash: Money::from_units(10_000_000),
        instruments: Instruments::new(rows).unwrap(),
        limits: Limits {
            position_share_ppm: 1_000_000,
            order_share_ppm: 1_000_000,
            order_notional_max: Money::from_units(1_000_000),
            risk_per_trade_ppm: 1_000_000,
            orders_per_second: 1024,
            open_orders: 200,
            open_orders_per_instrument: 150,
            stale_after_ns: 60_000_000_000,
            correlation_ppm: 1_000_000,
            // Tight enough for the sum of open orders to matter.
            gross_exposure_ppm: 8_000,
            drawdown_ppm: 1_000_000,
            daily_loss_ppm: 1_000_000,
            agent_loss_ppm: 1_000_000,
            messages_per_second: 1024,
            venue_messages_per_second: 1024,
            ..Limits::default()
        },
        correlation_half_life_samples: 20.0,
        account: AccountConfig {
            currency: "USD".into(),
            rates: vec![StartRate {
                currency: "EUR".into(),
                mantissa: 11,
                exponent: 1,
            }],
            ..AccountConfig::default()
        },
    }
}

#[derive(Clone, Copy)]
struct Placed {
    id: u64,
    instrument: u16,
    price: i64,
    quantity: i64,
}

/// What the world outside the core remembers.
#[derive(Clone)]
pub(crate) struct Feed {
    pub(crate) sequence: u64,
    pub(crate) ts_ns: i64,
    mid_ticks: [i64; INSTRUMENTS],
    update_ids: [u64; INSTRUMENTS],
    open: Vec<Placed>,
    ended: Vec<Placed>,
    fills: Vec<Event>,
    execution_id: u64,
    number: u64,
}

impl Feed {
    pub(crate) fn new() -> Self {
        Self {
            sequence: 1,
            ts_ns: 1_700_000_000_000_000_000,
            mid_ticks: [MID_TICKS; INSTRUMENTS],
            update_ids: [1; INSTRUMENTS],
            open: Vec::new(),
            ended: Vec::new(),
            fills: Vec::new(),
            execution_id: 0,
            number: 0,
        }
    }

    /// Live books, and timers enough for correlations to count.
    pub(crate) fn opening(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        for index in 0..INSTRUMENTS {
            events.push(self.depth(index, 0, 1, flags::SNAPSHOT | flags::CLEAR));
            events.push(self.depth(index, 1, 1, flags::SNAPSHOT | flags::LAST));
            events.push(self.book_state(index, BookState::Live));
        }
        for number in 0..35 {
            for index in 0..INSTRUMENTS {
                events.push(self.ticker(index, number * 7919 + index as u32, 5));
            }
            events.push(self.timer());
        }
        events
    }

    /// Takes down what a core decided on the event before.
    pub(crate) fn hear(&mut self, decisions: &[Decision]) {
        for decision in decisions {
            if decision.kind() == Some(DecisionKind::PlaceOrder) {
                self.open.push(Placed {
                    id: decision.client_order_id,
                    instrument: decision.instrument,
                    price: decision.price,
                    quantity: decision.quantity,
                });
            }
        }
        self.sequence += 1 + decisions.len() as u64;
    }

    /// The next event.
    pub(crate) fn event(&mut self, step: Step) -> Event {
        let (kind, first, second, third) = step;
        let index = first as usize % INSTRUMENTS;
        self.number += 1;
        self.ts_ns += i64::from(third % 50_000_000);
        if third.is_multiple_of(17) {
            self.mid_ticks[index] += i64::from(second % 3) - 1;
        }
        let last = if second.is_multiple_of(5) {
            0
        } else {
            flags::LAST
        };
        match kind {
            0..30 => self.depth(index, second, third, last),
            30..32 => self.depth(index, second, third, flags::CLEAR | flags::SNAPSHOT | last),
            32..46 => self.ticker(index, second, third),
            46..53 => self.trade(index, second, third),
            53..60 => self.timer(),
            60..64 => {
                let code = if second.is_multiple_of(5) { 3 } else { 2 };
                self.book_state(index, BookState::from_code(code).unwrap())
            }
            64..76 => self.report(first, second, third),
            76..86 => self.fill(first, second, third),
            86..93 => self.sent(first, second),
            93 => account_event(index, second, third),
            94..97 => operator(second, third),
            _ => {
                self.ts_ns += i64::from(second) * 1_000;
                self.timer()
            }
        }
    }

    fn price(&self, index: usize, side: Side, ticks: i64) -> i64 {
        (self.mid_ticks[index] - side.sign() * ticks).max(1) * TICKS[index]
    }

    /// Near the touch, within the window, or far beyond it; at times beside the grid.
    fn depth(&mut self, index: usize, second: u32, third: u32, bits: u8) -> Event {
        self.update_ids[index] += 1;
        let side = if second.is_multiple_of(2) {
            Side::Bid
        } else {
            Side::Ask
        };
        let range = [5, 50, 20_000, 90_000][(second >> 8) as usize % 4];
        let ticks = 1 + i64::from(third % range);
        let quantity = i64::from(second >> 4) % 4 * 1_000;
        // A price beside the grid is refused and counted, where the tick is more than 1.
        let beside = i64::from(third.is_multiple_of(61));
        let level = |ticks, quantity| Level {
            price: self.price(index, side, ticks) + beside,
            quantity,
        };
        let first = (side, level(ticks, quantity));
        let other = (side, level(ticks + 1 + i64::from(third % 3), 500));
        let id = InstrumentId(index as u16);
        let levels: &[(Side, Level)] = if third.is_multiple_of(2) {
            &[first]
        } else {
            &[first, other]
        };
        Event::book_delta(id, self.update_ids[index], levels).with_flags(bits)
    }

    /// With an id of the book's own sequence, so that some are newer, some older and some compared.
    fn ticker(&mut self, index: usize, second: u32, third: u32) -> Event {
        let side_level = |side, ticks, quantity| Level {
            price: self.price(index, side, ticks),
            quantity,
        };
        let body = Bbo {
            bid: side_level(
                Side::Bid,
                1 + i64::from(second % 3),
                1 + i64::from(third % 9_000),
            ),
            ask: side_level(
                Side::Ask,
                1 + i64::from(third % 3),
                1 + i64::from(second % 9_000),
            ),
            update_id: (self.update_ids[index] + u64::from(second % 8)).saturating_sub(2),
        };
        Event::new(EventKind::Bbo, InstrumentId(index as u16)).with_body(&body)
    }

    fn trade(&mut self, index: usize, second: u32, third: u32) -> Event {
        let body = Trade {
            price: self.price(index, Side::Bid, i64::from(second % 5)),
            quantity: i64::from(third % 10_000),
            trade_id: self.number,
            trade_id_final: self.number + u64::from(second % 3),
            reserved: 0,
        };
        let side = Side::from_code(1 + (second % 2) as u8).unwrap();
        Event::new(EventKind::Trade, InstrumentId(index as u16))
            .with_detail(side as u8)
            .with_body(&body)
    }

    fn timer(&mut self) -> Event {
        self.ts_ns += 100_000_000;
        let body = TimerFired {
            ts_due_ns: self.ts_ns,
            interval_ns: 100_000_000,
            count: self.number,
            reserved: [0; 2],
        };
        Event::new(EventKind::TimerFired, InstrumentId(0)).with_body(&body)
    }

    fn book_state(&mut self, index: usize, state: BookState) -> Event {
        let body = BookStateChanged {
            reason: BookStateReason::Synced as u64,
            expected_id: 0,
            received_id: 0,
            reserved: [0; 2],
        };
        Event::new(EventKind::BookStateChanged, InstrumentId(index as u16))
            .with_detail(state as u8)
            .with_body(&body)
    }

    /// An order that may still be open, one that has ended, or one that never was.
    fn order(&mut self, first: u32, is_last_report: bool) -> Placed {
        let draw = first as usize >> 4;
        let is_late = first.is_multiple_of(6) && !self.ended.is_empty();
        if first.is_multiple_of(97) || (self.open.is_empty() && !is_late) {
            return Placed {
                id: 12_345,
                instrument: 0,
                price: 100_000,
                quantity: 5,
            };
        }
        if is_late {
            // Mostly one that the core still remembers.
            let reach = if first.is_multiple_of(4) { 2_000 } else { 30 };
            let count = self.ended.len();
            return self.ended[count - 1 - draw % count.min(reach)];
        }
        let place = draw % self.open.len();
        if is_last_report {
            let order = self.open.remove(place);
            self.ended.push(order);
            return order;
        }
        self.open[place]
    }

    fn report(&mut self, first: u32, second: u32, third: u32) -> Event {
        let kinds = [
            EventKind::OrderAccepted,
            EventKind::OrderCancelled,
            EventKind::OrderCancelled,
            EventKind::OrderRejected,
            EventKind::CancelRejected,
        ];
        let kind = kinds[second as usize % 5];
        // A reject or a fill may be refused; a cancel ends every order.
        let order = self.order(first, kind == EventKind::OrderCancelled);
        let reason = ReportReason::from_code((third % 12) as u8).unwrap();
        let body = OrderReport {
            client_order_id: order.id,
            venue_order_id: u64::from(second),
            reserved: [0; 3],
        };
        Event::new(kind, InstrumentId(order.instrument))
            .with_detail(reason as u8)
            .with_body(&body)
    }

    /// In part, in full, too much, or repeated.
    fn fill(&mut self, first: u32, second: u32, third: u32) -> Event {
        if second.is_multiple_of(5) && !self.fills.is_empty() {
            return self.repeated_fill(third);
        }
        let order = self.order(first, false);
        if !second.is_multiple_of(11) {
            self.execution_id += 1;
        }
        let quantity = match second % 4 {
            0 => order.quantity,
            1 => order.quantity / 2,
            2 => i64::from(third) % order.quantity + 1,
            _ => order.quantity / 3 + 1,
        };
        let body = OrderFilled {
            client_order_id: order.id,
            price: order.price,
            quantity,
            fee: i64::from(third % 2_000_000) - 500_000,
            execution_id: self.execution_id,
        };
        let bits = if third.is_multiple_of(2) {
            flags::MAKER
        } else {
            0
        };
        let event = Event::new(EventKind::OrderFilled, InstrumentId(order.instrument))
            .with_flags(bits)
            .with_body(&body);
        self.fills.push(event);
        event
    }

    /// Word for word a fill that was reported before, mostly a little while ago.
    fn repeated_fill(&self, third: u32) -> Event {
        let reach = if third.is_multiple_of(2) { 20 } else { 1_000 };
        let count = self.fills.len();
        self.fills[count - 1 - third as usize / 2 % count.min(reach)]
    }

    fn sent(&mut self, first: u32, second: u32) -> Event {
        let order = self.order(first, false);
        let own = order.id & ((1 << 48) - 1);
        let body = CommandSent {
            sequence: own + u64::from(second.is_multiple_of(4)),
            client_order_id: order.id,
            ts_egress_ns: self.ts_ns,
            ts_cause_ingress_ns: 0,
            ..CommandSent::default()
        };
        Event::new(EventKind::CommandSent, InstrumentId(order.instrument)).with_body(&body)
    }
}

/// What touches the account without a trade, or says what will.
fn account_event(index: usize, second: u32, third: u32) -> Event {
    let of = |kind, index: usize| Event::new(kind, InstrumentId(index as u16));
    match second % 4 {
        0 => of(EventKind::ConnectionChanged, 0).with_detail(1),
        1 => of(EventKind::FundingSettled, index).with_body(&FundingSettled {
            rate: i64::from(third % 2_000_001) - 1_000_000,
            price: 0,
            reserved: [0; 3],
        }),
        2 => of(EventKind::MarkFunding, index).with_body(&MarkFunding {
            mark_price: i64::from(third),
            index_price: i64::from(third / 2),
            rate: i64::from(third % 2_000_001) - 1_000_000,
            ts_next_ns: i64::from(third) * 1_000_000,
            reserved: 0,
        }),
        _ => of(EventKind::RateChanged, 0).with_body(&RateChanged {
            mantissa: i64::from(third % 400) + 900,
            currency: second / 3 % 3,
            exponent: 3,
            reserved: [0; 3],
        }),
    }
}

fn operator(second: u32, third: u32) -> Event {
    let action = match second % 20 {
        0 => OperatorAction::Halt,
        1 => OperatorAction::End,
        2 | 3 => OperatorAction::Reduce,
        4 => OperatorAction::Stop,
        _ => OperatorAction::Resume,
    };
    let reason = OperatorReason::from_code(u64::from(third % 6)).unwrap();
    Event::new(EventKind::OperatorCommanded, InstrumentId(0))
        .with_detail(action as u8)
        .with_body(&OperatorCommand::because(reason))
}
