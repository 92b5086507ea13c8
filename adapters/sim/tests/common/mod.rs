//! A scripted source, a recording sink and short ways to write events and commands.

#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "shared by tests that each use a part"
)]

use std::collections::VecDeque;

use acth_core::{
    decision::{Decision, DecisionKind, OrderType, Outbound, TimeInForce},
    event::{
        Bbo, BookState, BookStateChanged, Event, EventKind, EventView, Level, ReportReason, Side,
        Trade, flags,
    },
    instrument::{AssetClass, Contract, Instrument, InstrumentId, Instruments},
    port::{CommandSink, EventSink, EventSource, PortError, Progress, Stopped},
};
use acth_sim::paper::{PaperConfig, PaperSink, PaperVenue, channel};

pub(crate) const ID: InstrumentId = InstrumentId(0);

/// Prices with 2 and quantities with 3 decimals, tick 0.05, lot 0.010; maker -100 ppm, taker 1000 ppm.
pub(crate) fn instruments() -> Instruments {
    let row = Instrument {
        venue: "paper".to_owned(),
        symbol: "ABC".to_owned(),
        base: "A".to_owned(),
        quote: "C".to_owned(),
        asset_class: AssetClass::Crypto,
        contract: Contract::Spot,
        price_exponent: 2,
        quantity_exponent: 3,
        tick: 5,
        lot: 10,
        quantity_min: 20,
        maker_fee_ppm: -100,
        taker_fee_ppm: 1_000,
    };
    Instruments::new(vec![row]).unwrap()
}

/// Hands out what the test put in, one event a poll.
#[derive(Default)]
pub(crate) struct Scripted {
    pub(crate) events: VecDeque<Event>,
}

impl EventSource for Scripted {
    fn poll(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        match self.events.pop_front() {
            Some(event) => {
                sink.emit(&event).unwrap();
                Ok(Progress::Busy)
            }
            None => Ok(Progress::Idle),
        }
    }
}

/// Keeps what was emitted; the clock is the test's.
#[derive(Default)]
pub(crate) struct Recording {
    pub(crate) events: Vec<Event>,
    pub(crate) now_ns: i64,
}

impl EventSink for Recording {
    fn emit_with(&mut self, fill: impl FnOnce(&mut Event)) -> Result<(), Stopped> {
        let mut event = Event::EMPTY;
        fill(&mut event);
        event.check().unwrap();
        self.events.push(event);
        Ok(())
    }
    fn now_ns(&self) -> i64 {
        self.now_ns
    }
}

/// A report in a form that a test can spell out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    Accepted(u64),
    Rejected(u64, ReportReason),
    Cancelled(u64, ReportReason),
    CancelRejected(u64, ReportReason),
    Taken {
        id: u64,
        price: i64,
        quantity: i64,
        fee: i64,
    },
    Made {
        id: u64,
        price: i64,
        quantity: i64,
        fee: i64,
    },
}

pub(crate) fn report(event: &Event) -> Option<Report> {
    let reason = ReportReason::from_code(event.detail).unwrap_or(ReportReason::None);
    Some(match event.view() {
        EventView::OrderAccepted(body) => Report::Accepted(body.client_order_id),
        EventView::OrderRejected(body) => Report::Rejected(body.client_order_id, reason),
        EventView::OrderCancelled(body) => Report::Cancelled(body.client_order_id, reason),
        EventView::CancelRejected(body) => Report::CancelRejected(body.client_order_id, reason),
        EventView::OrderFilled(fill) => {
            let (id, price, quantity, fee) =
                (fill.client_order_id, fill.price, fill.quantity, fill.fee);
            if event.has(flags::MAKER) {
                Report::Made {
                    id,
                    price,
                    quantity,
                    fee,
                }
            } else {
                Report::Taken {
                    id,
                    price,
                    quantity,
                    fee,
                }
            }
        }
        _ => return None,
    })
}

/// A paper venue over a script, 10 ns to the venue and 5 ns back.
pub(crate) struct Bench {
    pub(crate) venue: PaperVenue<Scripted>,
    pub(crate) commands: PaperSink,
    pub(crate) sink: Recording,
    pub(crate) taken: usize,
}

pub(crate) const ORDER_NS: i64 = 10;
pub(crate) const REPORT_NS: i64 = 5;

impl Bench {
    pub(crate) fn new(orders_max: usize) -> Self {
        let config = PaperConfig {
            order_latency_ns: ORDER_NS,
            report_latency_ns: REPORT_NS,
            source: 3,
            orders_max,
            levels_max: 64,
            commands_max: 16,
            ids_max: 64,
            ..PaperConfig::default()
        };
        let (commands, state) = channel(config, &instruments());
        Self {
            venue: PaperVenue::new(Scripted::default(), state),
            commands,
            sink: Recording::default(),
            taken: 0,
        }
    }

    /// Bids 100.00 x 0.300, 99.95 x 0.500; asks 100.10 x 0.200, 100.15 x 0.400, 100.25 x 1.000; live.
    pub(crate) fn with_book() -> Self {
        let mut bench = Self::new(8);
        let bids = [(Side::Bid, 10_000, 300), (Side::Bid, 9_995, 500)];
        let asks = [
            (Side::Ask, 10_010, 200),
            (Side::Ask, 10_015, 400),
            (Side::Ask, 10_025, 1_000),
        ];
        bench.market(depth(1, &bids).with_flags(flags::CLEAR | flags::SNAPSHOT));
        bench.market(depth(1, &asks[..2]));
        bench.market(depth(1, &asks[2..]).with_flags(flags::LAST));
        bench.market(book_state(1, BookState::Live));
        bench
    }

    pub(crate) fn market(&mut self, event: Event) {
        self.venue.inner_mut().events.push_back(event);
        self.venue.poll(&mut self.sink).unwrap();
    }

    pub(crate) fn submit(&mut self, ts_decided_ns: i64, decision: Decision) {
        let outbound = Outbound {
            sequence: 1,
            ts_cause_ingress_ns: 0,
            ts_decided_ns,
            ts_published_ns: 0,
            decision,
        };
        self.commands.submit(&outbound).unwrap();
    }

    /// Lets time pass with nothing happening.
    pub(crate) fn idle_until(&mut self, now_ns: i64) -> Progress {
        self.sink.now_ns = now_ns;
        self.venue.poll(&mut self.sink).unwrap()
    }

    /// Reports since the last call.
    pub(crate) fn reports(&mut self) -> Vec<Report> {
        let new = self.sink.events[self.taken..]
            .iter()
            .filter_map(report)
            .collect();
        self.taken = self.sink.events.len();
        new
    }
}

pub(crate) fn depth(ts_ns: i64, levels: &[(Side, i64, i64)]) -> Event {
    let levels: Vec<_> = levels
        .iter()
        .map(|(side, price, quantity)| {
            (
                *side,
                Level {
                    price: *price,
                    quantity: *quantity,
                },
            )
        })
        .collect();
    Event::book_delta(ID, ts_ns as u64, &levels).at(ts_ns, ts_ns)
}

pub(crate) fn diff(ts_ns: i64, levels: &[(Side, i64, i64)]) -> Event {
    depth(ts_ns, levels).with_flags(flags::LAST)
}

pub(crate) fn book_state(ts_ns: i64, state: BookState) -> Event {
    let body = BookStateChanged {
        reason: 2,
        expected_id: 0,
        received_id: 0,
        reserved: [0; 2],
    };
    Event::new(EventKind::BookStateChanged, ID)
        .with_detail(state as u8)
        .with_body(&body)
        .at(ts_ns, ts_ns)
}

pub(crate) fn trade(ts_ns: i64, aggressor: Side, price: i64, quantity: i64) -> Event {
    let body = Trade {
        price,
        quantity,
        trade_id: 1,
        trade_id_final: 1,
        reserved: 0,
    };
    Event::new(EventKind::Trade, ID)
        .with_detail(aggressor as u8)
        .with_body(&body)
        .at(ts_ns, ts_ns)
}

pub(crate) fn bbo(ts_ns: i64, bid: (i64, i64), ask: (i64, i64)) -> Event {
    let level = |(price, quantity)| Level { price, quantity };
    let body = Bbo {
        bid: level(bid),
        ask: level(ask),
        update_id: ts_ns as u64,
    };
    Event::new(EventKind::Bbo, ID)
        .with_body(&body)
        .at(ts_ns, ts_ns)
}

pub(crate) fn order(id: u64, side: Side, price: i64, quantity: i64) -> Decision {
    Decision {
        kind: DecisionKind::PlaceOrder as u8,
        side: side as u8,
        client_order_id: id,
        price,
        quantity,
        order_type: OrderType::Limit as u8,
        time_in_force: TimeInForce::GoodTillCancelled as u8,
        ..Decision::default()
    }
}

pub(crate) fn cancel(id: u64) -> Decision {
    Decision {
        kind: DecisionKind::CancelOrder as u8,
        client_order_id: id,
        ..Decision::default()
    }
}

pub(crate) fn with_force(decision: Decision, force: TimeInForce) -> Decision {
    Decision {
        time_in_force: force as u8,
        ..decision
    }
}

pub(crate) fn post_only(decision: Decision) -> Decision {
    Decision {
        order_type: OrderType::PostOnly as u8,
        ..decision
    }
}
