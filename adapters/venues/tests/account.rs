//! What can be asked of an account, against the simulated venue over real sockets: holdings after fills, the cancel of
//! everything of one symbol and of all, and the refusals of a wrong key. What a real venue does otherwise is scripted.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]

#[path = "support/server.rs"]
mod server;
mod support;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use acth_core::{
    decision::{Decision, DecisionKind, OrderType, Outbound, TimeInForce},
    event::{BookState, BookStateChanged, Event, EventKind, EventView, Level, Side, flags},
    instrument::{InstrumentId, Instruments},
    port::{CommandSink, EventSink, EventSource, PortError, Progress},
};
use acth_sim::{
    account::{Account, AccountKey},
    paper::{PaperConfig, PaperSink, PaperVenue, channel},
    server::{SimVenue, VenueConfig},
    world::{World, WorldConfig},
};
use acth_venues::binance::{
    ApiKey, Market,
    account::{AccountDesk, AccountSink},
};
use server::{ok, serve_rest};
use support::Collector;

/// One unit of a currency.
const CASH_ONE: i64 = 100_000_000;
const TIMEOUT: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(20);
const TS_START_NS: i64 = 1_780_000_000_000_000_000;

/// Hands out what the test put in.
struct Script(VecDeque<Event>);

impl EventSource for Script {
    fn poll(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        let Some(event) = self.0.pop_front() else {
            return Ok(Progress::Idle);
        };
        sink.emit(&event).unwrap();
        Ok(Progress::Busy)
    }
}

/// A simulated venue with an account, and the paper venue that trades for it.
struct Bench {
    venue: SimVenue,
    account: Arc<Account>,
    paper: PaperVenue<Script>,
    commands: PaperSink,
    instruments: Instruments,
    sink: Collector,
    next_id: u64,
}

impl Bench {
    /// The account holds `held` already, in the order of the instruments.
    fn new(held: &[i64]) -> Self {
        let venue = SimVenue::start(VenueConfig::default(), 42, TS_START_NS).unwrap();
        let world = World::new(WorldConfig::default(), 42).unwrap();
        let instruments = world.instruments().clone();
        let key = AccountKey {
            name: "name".into(),
            secret: "secret".into(),
        };
        let account = Account::new(key, &instruments, held, &[("USDT", 5 * CASH_ONE)]);
        assert!(venue.open_account(Arc::clone(&account)));
        let config = PaperConfig {
            order_latency_ns: 0,
            report_latency_ns: 0,
            ..PaperConfig::default()
        };
        let (commands, state) = channel(config, &instruments);
        let state = state.with_account(Arc::clone(&account));
        let mut bench = Self {
            venue,
            account,
            paper: PaperVenue::new(Script(VecDeque::new()), state),
            commands,
            instruments,
            sink: Collector::default(),
            next_id: 1,
        };
        for (id, _) in bench.instruments.clone().iter() {
            bench.open_book(id);
        }
        bench.poll();
        bench
    }

    /// A live book: 1,000 lots at 1,000 and at 1,010 ticks.
    fn open_book(&mut self, id: InstrumentId) {
        let row = &self.instruments.rows()[id.index()];
        let level = |ticks| Level {
            price: ticks * row.tick,
            quantity: 1_000 * row.lot.max(row.quantity_min),
        };
        let live = Event::new(EventKind::BookStateChanged, id)
            .with_detail(BookState::Live as u8)
            .with_body(&BookStateChanged {
                reason: 2,
                expected_id: 0,
                received_id: 0,
                reserved: [0; 2],
            });
        let levels = [(Side::Bid, level(1_000)), (Side::Ask, level(1_010))];
        let book = Event::book_delta(id, 1, &levels).with_flags(flags::LAST);
        self.paper.inner_mut().0.extend([live, book]);
    }

    fn find(&self, venue: &str, symbol: &str) -> InstrumentId {
        self.instruments.find(venue, symbol).unwrap()
    }

    /// Sends an order for this many smallest quantities at this many ticks; what rests stays, what crosses is filled.
    fn place(&mut self, id: InstrumentId, side: Side, ticks: i64, count: i64) {
        let row = &self.instruments.rows()[id.index()];
        let decision = Decision {
            kind: DecisionKind::PlaceOrder as u8,
            side: side as u8,
            instrument: id.0,
            client_order_id: self.next_id,
            price: ticks * row.tick,
            quantity: count * row.quantity_min,
            order_type: OrderType::Limit as u8,
            time_in_force: TimeInForce::GoodTillCancelled as u8,
            ..Decision::default()
        };
        self.next_id += 1;
        let outbound = Outbound {
            sequence: 1,
            ts_cause_ingress_ns: 0,
            ts_decided_ns: 0,
            ts_published_ns: 0,
            decision,
        };
        self.commands.submit(&outbound).unwrap();
        self.poll();
    }

    fn poll(&mut self) {
        while self.paper.poll(&mut self.sink).unwrap() == Progress::Busy {}
    }

    /// How many orders of an instrument were reported as cancelled.
    fn cancelled(&self, id: InstrumentId) -> usize {
        let events = self.sink.events.iter();
        let of = events.filter(|event| event.instrument_id() == id);
        of.filter(|event| matches!(event.view(), EventView::OrderCancelled(_)))
            .count()
    }

    fn rest_url(&self, market: Market) -> String {
        let path = match market {
            Market::Spot => "spot",
            Market::UsdM => "usdm",
        };
        format!("http://{}/{path}", self.venue.address())
    }

    fn desk(&self, market: Market) -> AccountDesk {
        let key = ApiKey::new("name", "secret").unwrap();
        AccountDesk::open(market, &self.rest_url(market), key, TIMEOUT).unwrap()
    }
}

#[test]
fn what_is_held_is_what_was_filled_on_top_of_what_there_was() {
    let mut bench = Bench::new(&[]);
    let perpetual = bench.find("binance-usdm", "BTCUSDT");
    let spot = bench.find("binance-spot", "ETHUSDT");
    let quantity = |bench: &Bench, id: InstrumentId, count: i64| {
        let row = &bench.instruments.rows()[id.index()];
        (row.quantity_min * count, row.quantity_exponent)
    };
    // Taken: three sold, two bought. Resting: one that nobody takes, one that the market comes to.
    bench.place(perpetual, Side::Ask, 1_000, 3);
    bench.place(spot, Side::Bid, 1_010, 2);
    bench.place(spot, Side::Bid, 900, 7);
    bench.place(perpetual, Side::Bid, 1_005, 1);
    let row = &bench.instruments.rows()[perpetual.index()];
    let through = Level {
        price: 1_005 * row.tick,
        quantity: 1_000 * row.quantity_min,
    };
    let book = Event::book_delta(perpetual, 2, &[(Side::Ask, through)]).with_flags(flags::LAST);
    bench.paper.inner_mut().0.push_back(book);
    bench.poll();
    let holdings = |market: Market| -> BTreeMap<String, (i64, u8)> {
        let rows = bench.desk(market).holdings().unwrap();
        let rows = rows.into_iter().filter(|row| row.quantity.mantissa != 0);
        rows.map(|row| (row.name, (row.quantity.mantissa, row.quantity.exponent)))
            .collect()
    };
    let same = |found: (i64, u8), expected: (i64, u8)| {
        let fixed = acth_wire::decimal::Fixed {
            mantissa: found.0,
            exponent: found.1,
        };
        assert_eq!(fixed.rescaled(expected.1), Some(expected.0));
    };
    let futures = holdings(Market::UsdM);
    assert_eq!(futures.len(), 1, "{futures:?}");
    same(futures["BTCUSDT"], quantity(&bench, perpetual, -2));
    let assets = holdings(Market::Spot);
    assert_eq!(assets.len(), 2, "{assets:?}");
    same(assets["ETH"], quantity(&bench, spot, 2));
    // Cash moves with spot alone: a USDT account of futures is another wallet.
    let cash = bench.account.cash("USDT");
    same(assets["USDT"], (cash, 8));
    // 0.0002 at 10.10, and 5 millionths of that rounded up, in hundred-millionths.
    assert_eq!(cash, 5 * CASH_ONE - 202_000 - 2);
    assert_eq!(
        bench.account.held(perpetual),
        quantity(&bench, perpetual, -2).0
    );
}

#[test]
fn one_request_cancels_all_that_is_open_in_its_symbol_and_nothing_else() {
    let mut bench = Bench::new(&[]);
    let perpetual = bench.find("binance-usdm", "BTCUSDT");
    let other = bench.find("binance-usdm", "ETHUSDT");
    let spot = bench.find("binance-spot", "BTCUSDT");
    for id in [perpetual, other, spot] {
        bench.place(id, Side::Bid, 900, 1);
        bench.place(id, Side::Ask, 1_100, 1);
    }
    assert_eq!(bench.paper.state().resting_count(), 6);
    for (market, id, left) in [(Market::UsdM, perpetual, 4), (Market::Spot, spot, 2)] {
        bench.desk(market).cancel_all("BTCUSDT").unwrap();
        bench.poll();
        assert_eq!(bench.cancelled(id), 2);
        assert_eq!(bench.paper.state().resting_count(), left);
    }
    // Nothing is open any more, which is no failure; and the venue takes new orders.
    bench.desk(Market::UsdM).cancel_all("BTCUSDT").unwrap();
    bench.place(perpetual, Side::Bid, 900, 1);
    assert_eq!(bench.paper.state().resting_count(), 3);
    let error = bench.desk(Market::Spot).cancel_all("NONE").unwrap_err();
    assert!(error.to_string().contains("code -1121"), "{error}");
}

/// What the egress thread would do once the kill flag is up, with the paper sink kept out of it: the venue alone cancels.
#[test]
fn a_kill_cancels_every_symbol_of_every_market_at_the_venue() {
    struct Nothing;
    impl CommandSink for Nothing {
        fn submit(&mut self, _: &Outbound) -> Result<(), PortError> {
            Ok(())
        }
    }
    let mut bench = Bench::new(&[]);
    let ids: Vec<InstrumentId> = bench.instruments.iter().map(|(id, _)| id).collect();
    for &id in &ids {
        bench.place(id, Side::Bid, 900, 1);
    }
    let symbols = |venue: &str| -> Vec<String> {
        let rows = bench.instruments.rows().iter();
        let of = rows.filter(|row| row.venue == venue);
        of.map(|row| row.symbol.clone()).collect()
    };
    let desks = vec![
        (bench.desk(Market::Spot), symbols("binance-spot")),
        (bench.desk(Market::UsdM), symbols("binance-usdm")),
    ];
    let mut sink = AccountSink::new(Nothing, desks).unwrap();
    let asked = Instant::now();
    sink.cancel_all().unwrap();
    while bench.paper.state().resting_count() > 0 {
        assert!(asked.elapsed() < PATIENCE, "not everything was cancelled");
        bench.poll();
        thread::sleep(Duration::from_millis(1));
    }
    eprintln!(
        "{} symbols cancelled within {:?}",
        ids.len(),
        asked.elapsed()
    );
    assert!(ids.iter().all(|id| bench.cancelled(*id) == 1));
}

#[test]
fn a_wrong_key_is_refused_by_name() {
    let bench = Bench::new(&[]);
    for (name, secret, code) in [("name", "other", "-1022"), ("other", "secret", "-2015")] {
        let key = ApiKey::new(name, secret).unwrap();
        let url = bench.rest_url(Market::UsdM);
        let desk = AccountDesk::open(Market::UsdM, &url, key, TIMEOUT).unwrap();
        for error in [
            desk.holdings().unwrap_err(),
            desk.cancel_all("BTCUSDT").unwrap_err(),
        ] {
            let words = error.to_string();
            assert!(words.contains(&format!("code {code}")), "{words}");
            assert!(
                !words.contains("secret") && !words.contains("signature="),
                "{words}"
            );
        }
    }
}

fn refused(status: &str, body: &str) -> String {
    ok(body).replace("200 OK", status)
}

/// Answers the clock, and the requests after it by the script.
fn scripted(mut script: impl FnMut(usize, &str) -> String + Send + 'static) -> AccountDesk {
    let mut count = 0;
    let url = serve_rest(move |_, target| {
        if target.ends_with("/time") {
            return ok("{\"serverTime\":1700000000000}");
        }
        count += 1;
        script(count, target)
    });
    let key = ApiKey::new("name", "secret").unwrap();
    AccountDesk::open(Market::Spot, &url, key, TIMEOUT).unwrap()
}

#[test]
fn requests_are_stamped_by_the_venues_clock_and_nothing_open_is_no_failure() {
    let target = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&target);
    let desk = scripted(move |_, target| {
        target.clone_into(&mut seen.lock().unwrap());
        refused(
            "400 Bad Request",
            "{\"code\":-2011,\"msg\":\"Unknown order sent.\"}",
        )
    });
    desk.cancel_all("BTCUSDT").unwrap();
    let text = target.lock().unwrap().clone();
    let start = "/api/v3/openOrders?symbol=BTCUSDT&recvWindow=5000&timestamp=1700000";
    assert!(text.starts_with(start), "{text}");
}

#[test]
fn a_cancel_without_an_outcome_is_asked_for_again() {
    let tries = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&tries);
    let desk = scripted(move |count, _| {
        seen.store(count, Ordering::SeqCst);
        if count < 3 {
            let words =
                "{\"code\":-1007,\"msg\":\"Timeout waiting for response from backend server.\"}";
            refused("504 Gateway Timeout", words)
        } else {
            ok("[]")
        }
    });
    assert!(desk.clone().cancel_all("BTCUSDT").is_err());
    struct Counting(Arc<AtomicUsize>);
    impl CommandSink for Counting {
        fn submit(&mut self, _: &Outbound) -> Result<(), PortError> {
            Ok(())
        }
        fn cancel_all(&mut self) -> Result<(), PortError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    }
    let inner = Arc::new(AtomicUsize::new(0));
    let desks = vec![(desk, vec!["BTCUSDT".to_owned()])];
    let mut sink = AccountSink::new(Counting(Arc::clone(&inner)), desks).unwrap();
    sink.cancel_all().unwrap();
    let start = Instant::now();
    while tries.load(Ordering::SeqCst) < 3 {
        assert!(start.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(
        inner.load(Ordering::SeqCst),
        1,
        "the sink within is asked too"
    );
}
