//! A session against a scripted venue: synchronisation, gaps, losses, garbage, silence, and what it owes the venue.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]

#[path = "support/server.rs"]
mod server;
mod support;

use std::{
    io::{Read, Write},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use acth_core::{
    event::{BookState, BookStateReason, Event, EventKind, EventView, flags},
    instrument::{InstrumentId, Instruments},
    port::{EventSource, Progress},
};
use acth_venues::{
    SocketOptions,
    binance::{
        Market, SessionTiming, catalogue,
        session::{Session, SessionConfig},
        venue_name,
    },
    multi::{MultiSource, PairSource},
};
use server::{Shared, Socket, ok, send_all, serve_raw, serve_rest, serve_ws, shared};
use support::{Collector, NaiveBook};
use tungstenite::{Message, handshake::derive_accept_key};

const BTC: InstrumentId = InstrumentId(0);
/// No test waits longer.
const PATIENCE: Duration = Duration::from_secs(20);

fn table(market: Market) -> Instruments {
    Instruments::new(vec![catalogue::built_in(market, "BTCUSDT").unwrap()]).unwrap()
}

fn timing() -> SessionTiming {
    SessionTiming {
        reconnect_min: Duration::from_millis(5),
        reconnect_max: Duration::from_millis(50),
        snapshot_retry_min: Duration::from_millis(5),
        snapshot_retry_max: Duration::from_millis(20),
        snapshot_burst_count: 1_000,
        ..SessionTiming::default()
    }
}

fn config(market: Market, ws_url: String, rest_url: String) -> SessionConfig {
    SessionConfig {
        name: venue_name(market).to_owned(),
        market,
        ws_url,
        rest_url,
        instruments: vec![BTC],
    }
}

struct Bench {
    session: Session,
    sink: Collector,
}

impl Bench {
    fn new(market: Market, ws_url: String, rest_url: String, timing: SessionTiming) -> Self {
        let config = config(market, ws_url, rest_url);
        let session = Session::with_timing(&config, timing, &table(market), 5).unwrap();
        Self {
            session,
            sink: Collector::default(),
        }
    }

    /// Polls until `is_done`; panics with the states so far when that takes too long.
    fn until(&mut self, what: &str, is_done: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !is_done(self) {
            let progress = self.session.poll(&mut self.sink).unwrap();
            let stats = self.session.stats();
            assert!(
                start.elapsed() < PATIENCE,
                "{what}: {:?} {stats:?}",
                self.states()
            );
            if progress == Progress::Idle {
                thread::yield_now();
            }
        }
    }

    /// State and reason of every change, connections as (0, open).
    fn states(&self) -> Vec<(u8, u64)> {
        let events = self.sink.events.iter();
        let states = events.filter_map(|event| match event.view() {
            EventView::BookStateChanged(change) => Some((event.detail, change.reason)),
            EventView::ConnectionChanged(is_open) => Some((0, u64::from(is_open))),
            _ => None,
        });
        states.collect()
    }

    fn count(&self, kind: EventKind) -> usize {
        let events = self.sink.events.iter();
        events.filter(|event| event.kind == kind as u8).count()
    }

    fn book(&self) -> NaiveBook {
        let mut book = NaiveBook::default();
        self.sink.events.iter().for_each(|event| book.apply(event));
        book
    }

    /// The book must be the venue's, at the venue's id.
    fn same_book(&self, venue: &Shared) {
        let venue = venue.lock().unwrap();
        let scale = if venue.market == Market::Spot {
            100_000
        } else {
            1
        };
        let mut expected = venue.book.clone();
        for quantity in expected.bids.values_mut().chain(expected.asks.values_mut()) {
            *quantity *= scale;
        }
        let book = self.book();
        assert_eq!(book.update_id, venue.id);
        assert_eq!((book.bids, book.asks), (expected.bids, expected.asks));
    }
}

const OPENED: (u8, u64) = (0, 1);
const CLOSED: (u8, u64) = (0, 0);
const SYNCING: (u8, u64) = (BookState::Syncing as u8, BookStateReason::Start as u64);
const LIVE: (u8, u64) = (BookState::Live as u8, BookStateReason::Synced as u64);
const GAP: (u8, u64) = (BookState::Stale as u8, BookStateReason::Gap as u64);
const LOST: (u8, u64) = (BookState::Stale as u8, BookStateReason::Disconnected as u64);
const UNDECODABLE: (u8, u64) = (BookState::Stale as u8, BookStateReason::Undecodable as u64);

fn diff(venue: &Shared) -> String {
    venue.lock().unwrap().diff()
}

fn diffs(venue: &Shared, count: usize) -> impl Iterator<Item = String> + use<> {
    let venue = Shared::clone(venue);
    (0..count).map(move |_| diff(&venue))
}

/// Keeps a connection open, and reads what the client sends, until the client is gone.
fn hold(mut socket: Socket) {
    while socket.read().is_ok() {}
}

/// A REST listener that always tells the truth.
fn honest_rest(venue: &Shared) -> String {
    let venue = Shared::clone(venue);
    serve_rest(move |_, _| ok(&venue.lock().unwrap().snapshot()))
}

#[test]
fn both_markets_sync_and_say_what_they_want() {
    for (market, path) in [
        (Market::Spot, "/api/v3/depth"),
        (Market::UsdM, "/fapi/v1/depth"),
    ] {
        let venue = shared(market);
        let (targets, wanted) = mpsc::channel();
        let stream_targets = targets.clone();
        let stream_venue = Shared::clone(&venue);
        let ws = serve_ws(move |_, target, mut socket| {
            stream_targets.send(target.to_owned()).unwrap();
            send_all(&mut socket, diffs(&stream_venue, 40));
            let ticker = stream_venue.lock().unwrap().ticker();
            send_all(&mut socket, [ticker]);
            hold(socket);
        });
        let rest_venue = Shared::clone(&venue);
        let rest = serve_rest(move |_, target| {
            targets.send(target.to_owned()).unwrap();
            ok(&rest_venue.lock().unwrap().snapshot())
        });
        let mut bench = Bench::new(market, format!("{ws}/public"), rest, timing());
        bench.until("live and ticker", |bench| {
            bench.session.is_live(BTC) && bench.count(EventKind::Bbo) == 1
        });
        assert_eq!(bench.states(), [OPENED, SYNCING, LIVE]);
        bench.same_book(&venue);
        let streams = "/public/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade";
        let marks = if market == Market::Spot {
            ""
        } else {
            "/btcusdt@markPrice@1s"
        };
        assert_eq!(wanted.recv().unwrap(), format!("{streams}{marks}"));
        let limit = if market == Market::Spot { 5_000 } else { 1_000 };
        assert_eq!(
            wanted.recv().unwrap(),
            format!("{path}?symbol=BTCUSDT&limit={limit}")
        );
        let stats = bench.session.stats();
        assert_eq!(
            (stats.connects, stats.snapshots_requested, stats.feed.gaps),
            (1, 1, 0)
        );
        assert!(bench.sink.events.iter().all(|event| event.source == 5));
        let stamps: Vec<i64> = bench
            .sink
            .events
            .iter()
            .map(|event| event.ts_ingress_ns)
            .collect();
        assert!(stamps[0] > 0 && stamps.is_sorted());
    }
}

#[test]
fn a_dropped_diff_makes_the_book_stale_until_a_new_snapshot() {
    for market in [Market::Spot, Market::UsdM] {
        let venue = shared(market);
        let stream_venue = Shared::clone(&venue);
        let (proceed, wait) = mpsc::channel::<()>();
        let ws = serve_ws(move |_, _, mut socket| {
            send_all(&mut socket, diffs(&stream_venue, 20));
            wait.recv().unwrap();
            stream_venue.lock().unwrap().diff();
            send_all(&mut socket, diffs(&stream_venue, 20));
            hold(socket);
        });
        let mut bench = Bench::new(market, ws, honest_rest(&venue), timing());
        bench.until("live", |bench| bench.session.is_live(BTC));
        proceed.send(()).unwrap();
        bench.until("stale", |bench| bench.states().contains(&GAP));
        bench.until("live again", |bench| bench.session.is_live(BTC));
        let id = |bench: &Bench| bench.book().update_id;
        bench.until("the end", |bench| id(bench) == venue.lock().unwrap().id);
        assert_eq!(bench.states(), [OPENED, SYNCING, LIVE, GAP, LIVE]);
        bench.same_book(&venue);
        let stats = bench.session.stats().feed;
        assert_eq!((stats.gaps, stats.syncs, stats.resyncs), (1, 2, 1));
    }
}

#[test]
fn snapshots_that_are_old_refused_or_garbage_are_asked_for_again() {
    for market in [Market::Spot, Market::UsdM] {
        let venue = shared(market);
        let old = venue.lock().unwrap().snapshot();
        diff(&venue);
        let stream_venue = Shared::clone(&venue);
        let ws = serve_ws(move |_, _, mut socket| {
            send_all(&mut socket, diffs(&stream_venue, 10));
            hold(socket);
        });
        let rest_venue = Shared::clone(&venue);
        let rest = serve_rest(move |number, _| match number {
            0 => ok(&old),
            1 => "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n".to_owned(),
            2 => ok("{\"lastUpdateId\":"),
            3 => ok("{\"code\":-1003,\"msg\":\"Too much request weight used\"}"),
            4 => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut".to_owned(),
            5 => "no http at all\r\n\r\n".to_owned(),
            6 => "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n".to_owned(),
            _ => {
                let body = rest_venue.lock().unwrap().snapshot();
                let (one, two) = body.split_at(100);
                format!(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n",
                    one.len(),
                    two.len()
                )
            }
        });
        let mut bench = Bench::new(market, ws, rest, timing());
        bench.until("live", |bench| bench.session.is_live(BTC));
        bench.same_book(&venue);
        let stats = bench.session.stats();
        assert_eq!((stats.snapshots_requested, stats.snapshots_failed), (8, 4));
        assert_eq!((stats.feed.snapshots_too_old, stats.feed.errors), (1, 2));
        assert_eq!(bench.states(), [OPENED, SYNCING, LIVE]);
    }
}

#[test]
fn a_lost_connection_is_told_and_opened_again() {
    let venue = shared(Market::UsdM);
    let stream_venue = Shared::clone(&venue);
    let (proceed, wait) = mpsc::channel::<()>();
    let ws = serve_ws(move |number, _, mut socket| {
        send_all(&mut socket, diffs(&stream_venue, 10));
        wait.recv().unwrap();
        match number {
            0 => drop(socket),
            1 => drop(socket.close(None).and_then(|()| socket.read())),
            2 => {
                let text = r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1760000000123}}"#;
                send_all(&mut socket, [text.to_owned()]);
                hold(socket);
            }
            3 => {
                // A text frame with a reserved bit, behind the back of the library.
                socket.get_mut().write_all(&[0xf1, 2, b'h', b'i']).unwrap();
                hold(socket);
            }
            _ => hold(socket),
        }
    });
    let mut bench = Bench::new(Market::UsdM, ws, honest_rest(&venue), timing());
    let mut expected = Vec::new();
    for _ in 0..4 {
        bench.until("live", |bench| bench.session.is_live(BTC));
        proceed.send(()).unwrap();
        bench.until("lost", |bench| !bench.session.is_open());
        assert!(!bench.session.is_live(BTC));
        expected.extend([OPENED, SYNCING, LIVE, CLOSED, LOST]);
    }
    bench.until("live at last", |bench| bench.session.is_live(BTC));
    expected.extend([OPENED, SYNCING, LIVE]);
    assert_eq!(bench.states(), expected);
    let id = |bench: &Bench| bench.book().update_id;
    bench.until("the end", |bench| id(bench) == venue.lock().unwrap().id);
    bench.same_book(&venue);
    let stats = bench.session.stats();
    assert_eq!(
        (stats.connects, stats.disconnects, stats.feed.resyncs),
        (5, 4, 4)
    );
}

#[test]
fn garbage_in_a_frame_costs_the_book_but_not_the_connection() {
    let venue = shared(Market::Spot);
    let stream_venue = Shared::clone(&venue);
    let (proceed, wait) = mpsc::channel::<()>();
    let ws = serve_ws(move |_, _, mut socket| {
        send_all(&mut socket, diffs(&stream_venue, 10));
        wait.recv().unwrap();
        send_all(
            &mut socket,
            ["{\"stream\":\"btcusdt@depth@100ms\",\"data\":{\"e\":".to_owned()],
        );
        send_all(&mut socket, diffs(&stream_venue, 10));
        hold(socket);
    });
    let mut bench = Bench::new(Market::Spot, ws, honest_rest(&venue), timing());
    bench.until("live", |bench| bench.session.is_live(BTC));
    proceed.send(()).unwrap();
    bench.until("stale", |bench| bench.states().contains(&UNDECODABLE));
    bench.until("live again", |bench| bench.session.is_live(BTC));
    assert_eq!(bench.states(), [OPENED, SYNCING, LIVE, UNDECODABLE, LIVE]);
    assert_eq!(bench.session.stats().feed.errors, 1);
}

#[test]
fn pings_are_answered_with_their_payload() {
    let venue = shared(Market::Spot);
    let (answers, heard) = mpsc::channel();
    let ws = serve_ws(move |_, _, mut socket| {
        for payload in [&b"1760000000123"[..], b"", &[0xff; 125]] {
            socket.send(Message::Ping(payload.to_vec().into())).unwrap();
            while let Ok(message) = socket.read() {
                if let Message::Pong(answer) = message {
                    answers.send(answer.to_vec()).unwrap();
                    break;
                }
            }
        }
        hold(socket);
    });
    let mut bench = Bench::new(Market::Spot, ws, honest_rest(&venue), timing());
    bench.until("three pongs", |bench| bench.session.stats().pings == 3);
    let heard: Vec<Vec<u8>> = (0..3)
        .map(|_| heard.recv_timeout(PATIENCE).unwrap())
        .collect();
    assert_eq!(
        heard,
        [b"1760000000123".to_vec(), Vec::new(), vec![0xff; 125]]
    );
}

#[test]
fn silence_is_a_loss() {
    let quick = SessionTiming {
        first_message_timeout: Duration::from_millis(60),
        silence_timeout: Duration::from_millis(300),
        ..timing()
    };
    let venue = shared(Market::Spot);
    let stream_venue = Shared::clone(&venue);
    let ws = serve_ws(move |number, _, mut socket| {
        if number > 0 {
            send_all(&mut socket, diffs(&stream_venue, 3));
        }
        hold(socket);
    });
    let mut bench = Bench::new(Market::Spot, ws, honest_rest(&venue), quick);
    let start = Instant::now();
    bench.until("no first message", |bench| {
        bench.session.stats().disconnects == 1
    });
    assert!(
        (60..290).contains(&start.elapsed().as_millis()),
        "{:?}",
        start.elapsed()
    );
    bench.until("live", |bench| bench.session.is_live(BTC));
    let start = Instant::now();
    bench.until("silent", |bench| bench.session.stats().disconnects == 2);
    assert!(
        start.elapsed() >= Duration::from_millis(200),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn frames_right_behind_the_handshake_and_in_drips_are_read() {
    let venue = shared(Market::Spot);
    let stream_venue = Shared::clone(&venue);
    let address = serve_raw(move |_, mut stream| {
        let mut request = vec![0; 4096];
        let count = stream.read(&mut request).unwrap();
        let request = String::from_utf8_lossy(&request[..count]).into_owned();
        let key = request.split("Sec-WebSocket-Key: ").nth(1).unwrap();
        let key = derive_accept_key(key.split("\r\n").next().unwrap().as_bytes());
        let mut bytes = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {key}\r\n\r\n"
        )
        .into_bytes();
        let frame = |text: String| {
            let length = u16::try_from(text.len()).unwrap();
            assert!(length > 125);
            let mut frame = vec![0x81, 126];
            frame.extend(length.to_be_bytes());
            frame.extend(text.into_bytes());
            frame
        };
        // One whole frame and the half of another come with the handshake.
        bytes.extend(frame(diff(&stream_venue)));
        let second = frame(diff(&stream_venue));
        bytes.extend(&second[..50]);
        stream.set_nodelay(true).unwrap();
        stream.write_all(&bytes).unwrap();
        let mut drips = second[50..].to_vec();
        drips.extend((0..2).flat_map(|_| frame(diff(&stream_venue))));
        for drip in drips.chunks(3) {
            stream.write_all(drip).unwrap();
            thread::sleep(Duration::from_micros(200));
        }
        while matches!(stream.read(&mut [0; 64]), Ok(count) if count > 0) {}
    });
    let mut bench = Bench::new(
        Market::Spot,
        format!("ws://{address}"),
        honest_rest(&venue),
        timing(),
    );
    bench.until("live", |bench| {
        bench.session.is_live(BTC) && bench.book().update_id == venue.lock().unwrap().id
    });
    bench.same_book(&venue);
    assert_eq!(bench.session.stats().feed.gaps, 0);
}

#[test]
fn polling_never_waits_for_the_network() {
    let slow = SessionTiming {
        connect_timeout: Duration::from_secs(2),
        snapshot_timeout: Duration::from_secs(2),
        ..timing()
    };
    let venue = shared(Market::Spot);
    let stream_venue = Shared::clone(&venue);
    let ws = serve_raw(move |number, stream| {
        if number == 0 {
            // Accepts and never answers the handshake.
            thread::sleep(Duration::from_millis(2_500));
            return;
        }
        let mut socket = tungstenite::accept(stream).unwrap();
        send_all(&mut socket, diffs(&stream_venue, 5));
        hold(socket);
    });
    let rest = serve_rest(move |number, _| {
        if number == 0 {
            thread::sleep(Duration::from_millis(2_500));
        }
        ok(&venue.lock().unwrap().snapshot())
    });
    let mut bench = Bench::new(Market::Spot, format!("ws://{ws}"), rest, slow);
    let (start, mut longest) = (Instant::now(), Duration::ZERO);
    while !bench.session.is_live(BTC) {
        let before = Instant::now();
        bench.session.poll(&mut bench.sink).unwrap();
        longest = longest.max(before.elapsed());
        assert!(start.elapsed() < PATIENCE);
        thread::sleep(Duration::from_micros(50));
    }
    let stats = bench.session.stats();
    assert_eq!(
        (
            stats.connect_failures,
            stats.connects,
            stats.snapshots_failed
        ),
        (1, 1, 1)
    );
    eprintln!("longest poll: {longest:?}");
    assert!(longest < Duration::from_secs(1), "{longest:?}");
}

#[test]
fn a_venue_that_is_not_there_is_tried_ever_more_slowly() {
    // Bound and dropped: nobody listens there.
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let ws = format!("ws://{gone}");
    let mut bench = Bench::new(Market::Spot, ws, format!("http://{gone}"), timing());
    let start = Instant::now();
    bench.until("six failures", |bench| {
        bench.session.stats().connect_failures == 6
    });
    let waits_ms = 5 + 10 + 20 + 40 + 50;
    assert!(
        start.elapsed() >= Duration::from_millis(waits_ms),
        "{:?}",
        start.elapsed()
    );
    assert!(
        bench.sink.events.is_empty(),
        "nothing opened, nothing closed"
    );
}

#[test]
fn addresses_that_need_tls_are_refused() {
    let refused = |ws: &str, rest: &str| {
        let config = config(Market::Spot, ws.to_owned(), rest.to_owned());
        Session::new(&config, &table(Market::Spot), 0)
            .unwrap_err()
            .to_string()
    };
    let error = refused("wss://stream.binance.com:9443", "http://localhost:1");
    assert!(
        error.starts_with("wss://stream.binance.com:9443: needs TLS"),
        "{error}"
    );
    assert!(refused("ws://localhost:1", "https://api.binance.com").contains("needs TLS"));
}

#[test]
fn several_sessions_are_one_source() {
    let open = |market| {
        let venue = shared(market);
        let stream_venue = Shared::clone(&venue);
        let ws = serve_ws(move |_, _, mut socket| {
            send_all(&mut socket, diffs(&stream_venue, 10));
            hold(socket);
        });
        let config = config(market, ws, honest_rest(&venue));
        Session::with_timing(&config, timing(), &table(market), market as u16).unwrap()
    };
    let both_live = |sessions: [&Session; 2]| sessions.iter().all(|session| session.is_live(BTC));
    let mut sink = Collector::default();
    let start = Instant::now();
    let mut multi = MultiSource::new(vec![open(Market::Spot), open(Market::UsdM)]);
    while !both_live([&multi.sources()[0], &multi.sources()[1]]) {
        multi.poll(&mut sink).unwrap();
        assert!(start.elapsed() < PATIENCE);
    }
    let mut pair = PairSource::new(open(Market::Spot), open(Market::UsdM));
    while !both_live([pair.parts().0, pair.parts().1]) {
        pair.poll(&mut sink).unwrap();
        assert!(start.elapsed() < PATIENCE);
    }
    let is_snapshot = |event: &&Event| event.has(flags::CLEAR);
    assert_eq!(sink.events.iter().filter(is_snapshot).count(), 4);
    assert_eq!(pair.drain(&mut sink), Ok(Progress::Ended));
    assert_eq!(multi.drain(&mut sink), Ok(Progress::Ended));
}

#[test]
fn a_run_that_stops_ends_the_session() {
    let venue = shared(Market::Spot);
    let stream_venue = Shared::clone(&venue);
    let ws = serve_ws(move |_, _, mut socket| {
        send_all(&mut socket, diffs(&stream_venue, 10));
        hold(socket);
    });
    let mut bench = Bench::new(Market::Spot, ws, honest_rest(&venue), timing());
    bench.sink.stops_at = Some(1);
    let start = Instant::now();
    while bench.session.poll(&mut bench.sink).unwrap() != Progress::Ended {
        assert!(start.elapsed() < PATIENCE);
    }
}

#[test]
fn stamped_sockets_tell_the_time_in_the_kernel_and_busy_polled_ones_read_the_same() {
    let stamped = |busy_poll_us| SocketOptions {
        busy_poll_us,
        is_stamped: true,
    };
    for options in [SocketOptions::default(), stamped(0), stamped(20)] {
        let venue = shared(Market::UsdM);
        let stream_venue = Shared::clone(&venue);
        let ws = serve_ws(move |_, _, mut socket| {
            send_all(&mut socket, diffs(&stream_venue, 10));
            // The kernel begins to stamp some milliseconds after it was asked: go on until the client has had enough.
            loop {
                let ticker = stream_venue.lock().unwrap().ticker();
                if socket.send(Message::text(ticker)).is_err() {
                    return;
                }
                thread::sleep(Duration::from_millis(1));
            }
        });
        let rest = honest_rest(&venue);
        let mut bench = Bench::new(Market::UsdM, ws, rest, timing());
        bench.session = bench.session.with_socket_options(options);
        bench.until("live, and stamped if asked", |bench| {
            let is_told = bench.session.kernel_delay().count() >= 20 || !options.is_stamped;
            bench.session.is_live(BTC) && bench.count(EventKind::Bbo) >= 50 && is_told
        });
        bench.same_book(&venue);
        let delay = bench.session.kernel_delay();
        assert_eq!(delay.count() > 0, options.is_stamped);
        assert!(delay.max_ns() < PATIENCE.as_nanos() as u64);
        // Busy polling is refused to who has no CAP_NET_ADMIN: the session went on without.
        let refusals = bench.session.refusals();
        let is_told = |sentence: &String| sentence.starts_with("SO_BUSY_POLL 20 us is refused");
        assert!(refusals.iter().all(is_told), "{refusals:?}");
    }
}
