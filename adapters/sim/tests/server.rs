//! The venue over real sockets, seen by a client that knows only the protocol.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use acth_core::event::Level;
use acth_sim::{
    server::{FaultConfig, SimVenue, VenueConfig},
    world::{MessageBody, World, WorldConfig},
};
use serde_json::{Value, json};
use tungstenite::{Error, Message, WebSocket};

const TS_START_NS: i64 = 1_780_000_000_000_000_000;

fn venue(config: VenueConfig) -> SimVenue {
    SimVenue::start(config, 42, TS_START_NS).unwrap()
}

fn get(address: SocketAddr, target: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    write!(
        stream,
        "GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

fn connect(address: SocketAddr, path: &str) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    tungstenite::client(format!("ws://{address}{path}"), stream)
        .unwrap()
        .0
}

fn next(socket: &mut WebSocket<TcpStream>) -> Value {
    loop {
        if let Message::Text(text) = socket.read().unwrap() {
            return serde_json::from_str(text.as_str()).unwrap();
        }
    }
}

/// A book by text: decimal strings are compared as they are.
type TextBook = BTreeMap<(&'static str, String), String>;

fn apply(book: &mut TextBook, side: &'static str, levels: &Value) {
    for level in levels.as_array().unwrap() {
        let (price, quantity) = (level[0].as_str().unwrap(), level[1].as_str().unwrap());
        let key = (side, price.to_owned());
        if quantity.bytes().all(|byte| matches!(byte, b'0' | b'.')) {
            book.remove(&key);
        } else {
            book.insert(key, quantity.to_owned());
        }
    }
}

/// The twin world's book at the moment at which it published the diff with this id, in text.
fn twin_book(symbol: (&str, &str), final_id: u64, places: (usize, usize)) -> TextBook {
    let config = WorldConfig {
        ts_start_ns: TS_START_NS,
        ..WorldConfig::default()
    };
    let mut world = World::new(config.clone(), 42).unwrap();
    let id = world.instruments().find(symbol.0, symbol.1).unwrap();
    let mut ts_diff = None;
    world.step_until(TS_START_NS + 30_000_000_000, &mut |message| {
        if let MessageBody::DepthDiff { final_id: this, .. } = message.body
            && message.instrument == id
            && this == final_id
        {
            ts_diff = Some(message.ts_ns);
        }
    });
    let mut twin = World::new(config, 42).unwrap();
    twin.step_until(ts_diff.unwrap(), &mut |_| {});
    let row = twin.instruments().get(id).unwrap().clone();
    let text = |mantissa: i64, exponent: u8, places: usize| {
        let scale = 10i64.pow(u32::from(exponent));
        let fraction = format!(
            "{:0width$}",
            mantissa % scale,
            width = usize::from(exponent)
        );
        format!("{}.{fraction:0<places$}", mantissa / scale)
    };
    let book = twin.snapshot(id, 5_000).unwrap();
    let mut found = TextBook::new();
    let mut add = |side, levels: &[Level]| {
        for level in levels {
            let price = text(level.price, row.price_exponent, places.0);
            found.insert(
                (side, price),
                text(level.quantity, row.quantity_exponent, places.1),
            );
        }
    };
    add("bid", &book.bids);
    add("ask", &book.asks);
    found
}

#[test]
fn spot_snapshot_and_diffs_give_the_worlds_book() {
    let venue = venue(VenueConfig::default());
    let address = venue.address();
    let mut socket = connect(
        address,
        "/spot/stream?streams=btcusdt@depth@100ms/ethusdt@trade",
    );
    let mut diffs = Vec::new();
    while diffs.len() < 3 {
        let message = next(&mut socket);
        if message["stream"] == "btcusdt@depth@100ms" {
            diffs.push(message["data"].clone());
        }
    }
    let (status, snapshot) = get(address, "/spot/api/v3/depth?symbol=BTCUSDT&limit=5000");
    assert_eq!(status, 200);
    let mut id = snapshot["lastUpdateId"].as_u64().unwrap();
    assert!(
        id >= diffs[0]["U"].as_u64().unwrap(),
        "the snapshot is younger than the buffer"
    );
    let mut book = TextBook::new();
    apply(&mut book, "bid", &snapshot["bids"]);
    apply(&mut book, "ask", &snapshot["asks"]);
    let mut applied = 0;
    while applied < 20 {
        let diff = if diffs.is_empty() {
            let message = next(&mut socket);
            if message["stream"] != "btcusdt@depth@100ms" {
                continue;
            }
            message["data"].clone()
        } else {
            diffs.remove(0)
        };
        let (first, last) = (diff["U"].as_u64().unwrap(), diff["u"].as_u64().unwrap());
        if last <= id {
            continue;
        }
        assert!(first <= id + 1, "no gap");
        assert!(applied == 0 || first == id + 1);
        apply(&mut book, "bid", &diff["b"]);
        apply(&mut book, "ask", &diff["a"]);
        id = last;
        applied += 1;
    }
    assert_eq!(book, twin_book(("binance-spot", "BTCUSDT"), id, (8, 8)));
}

#[test]
fn futures_snapshot_and_diffs_give_the_worlds_book() {
    let venue = venue(VenueConfig::default());
    let address = venue.address();
    let mut socket = connect(address, "/usdm/public/stream?streams=btcusdt@depth@0ms");
    let mut diffs = vec![
        next(&mut socket)["data"].clone(),
        next(&mut socket)["data"].clone(),
    ];
    let (_, snapshot) = get(address, "/usdm/fapi/v1/depth?symbol=BTCUSDT&limit=1000");
    let snapshot_id = snapshot["lastUpdateId"].as_u64().unwrap();
    let mut book = TextBook::new();
    apply(&mut book, "bid", &snapshot["bids"]);
    apply(&mut book, "ask", &snapshot["asks"]);
    let mut previous = None;
    let mut applied = 0;
    while applied < 30 {
        if diffs.is_empty() {
            diffs.push(next(&mut socket)["data"].clone());
        }
        let diff = diffs.remove(0);
        let (first, last) = (diff["U"].as_u64().unwrap(), diff["u"].as_u64().unwrap());
        if last < snapshot_id {
            continue;
        }
        match previous {
            None => assert!(first <= snapshot_id, "joins the snapshot"),
            Some(_) => assert_eq!(diff["pu"].as_u64(), previous, "joins the diff before"),
        }
        apply(&mut book, "bid", &diff["b"]);
        apply(&mut book, "ask", &diff["a"]);
        previous = Some(last);
        applied += 1;
    }
    assert_eq!(
        book,
        twin_book(("binance-usdm", "BTCUSDT"), previous.unwrap(), (2, 3))
    );
}

#[test]
fn rest_answers_and_errors_as_the_venue_does() {
    let venue = venue(VenueConfig::default());
    let get = |target: &str| get(venue.address(), target);
    let (_, time) = get("/spot/api/v3/time");
    let elapsed_ms = time["serverTime"].as_i64().unwrap() - TS_START_NS / 1_000_000;
    assert!((0..5_000).contains(&elapsed_ms));
    assert_eq!(get("/usdm/fapi/v1/ping"), (200, json!({})));
    let (_, all) = get("/spot/api/v3/exchangeInfo");
    assert_eq!(all["symbols"].as_array().unwrap().len(), 5);
    let (_, two) = get("/spot/api/v3/exchangeInfo?symbols=%5B%22XAUUSDT%22,%22EURUSDT%22%5D");
    assert_eq!(two["symbols"].as_array().unwrap().len(), 2);
    let (_, futures) = get("/usdm/fapi/v1/exchangeInfo");
    assert_eq!(futures["symbols"][0]["filters"][0]["tickSize"], "0.10");
    let (_, book) = get("/spot/api/v3/depth?symbol=EURUSDT&limit=5");
    assert_eq!(book["bids"].as_array().unwrap().len(), 5);
    for (target, status, code) in [
        ("/spot/api/v3/depth?symbol=NOPE", 400, -1121),
        ("/spot/api/v3/depth", 400, -1102),
        ("/spot/api/v3/depth?symbol=BTCUSDT&limit=x", 400, -1100),
        ("/spot/api/v3/depth?symbol=NDXUSDT", 400, -1121),
        ("/usdm/fapi/v1/depth?symbol=BTCUSDT&limit=7", 400, -4021),
        ("/spot/api/v3/exchangeInfo?symbol=NOPE", 400, -1121),
    ] {
        let (found, body) = get(target);
        assert_eq!(
            (found, body["code"].as_i64()),
            (status, Some(code)),
            "{target}"
        );
    }
    assert_eq!(get("/nowhere").0, 404);
}

#[test]
fn one_connection_serves_several_requests() {
    let venue = venue(VenueConfig::default());
    let mut stream = TcpStream::connect(venue.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let request = "GET /spot/api/v3/ping HTTP/1.1\r\nHost: x\r\n\r\n";
    stream
        .write_all(format!("{request}{request}").as_bytes())
        .unwrap();
    let mut text = String::new();
    let mut chunk = [0u8; 1_024];
    while text.matches("\r\n\r\n{}").count() < 2 {
        let count = stream.read(&mut chunk).unwrap();
        assert!(count > 0, "closed early: {text}");
        text.push_str(std::str::from_utf8(&chunk[..count]).unwrap());
    }
    stream.write_all(b"POST / HTTP/1.1\r\n\r\n").unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.starts_with("HTTP/1.1 405"));
}

#[test]
fn control_messages_change_what_is_heard() {
    let venue = venue(VenueConfig::default());
    let mut socket = connect(venue.address(), "/spot/ws");
    let mut ask = |request: Value| {
        socket.send(Message::text(request.to_string())).unwrap();
        loop {
            let answer = next(&mut socket);
            if answer.get("result").is_some() || answer.get("code").is_some() {
                return answer;
            }
        }
    };
    let streams = json!(["ethusdt@bookTicker", "nope@trade"]);
    let answer = ask(json!({"method": "SUBSCRIBE", "params": streams, "id": 7}));
    assert_eq!(answer, json!({"result": null, "id": 7}));
    let answer = ask(json!({"method": "LIST_SUBSCRIPTIONS", "id": "x"}));
    assert_eq!(answer, json!({"result": streams, "id": "x"}));
    assert_eq!(ask(json!({"method": "DANCE", "id": 1}))["code"], 2);
    let ticker = next(&mut socket);
    assert_eq!(ticker["s"], "ETHUSDT");
    assert!(ticker.get("e").is_none() && ticker.get("u").is_some());
    let combined = json!({"method": "SET_PROPERTY", "params": ["combined", true], "id": 2});
    socket.send(Message::text(combined.to_string())).unwrap();
    while next(&mut socket)["stream"] != "ethusdt@bookTicker" {}
}

#[test]
fn too_many_messages_end_the_connection() {
    let venue = venue(VenueConfig::default());
    let mut socket = connect(venue.address(), "/spot/ws");
    for id in 0..20 {
        let request = json!({"method": "LIST_SUBSCRIPTIONS", "id": id});
        if socket.send(Message::text(request.to_string())).is_err() {
            return;
        }
    }
    let ended = (0..30).any(|_| !matches!(socket.read(), Ok(Message::Text(_))));
    assert!(ended);
}

#[test]
fn pings_come_and_a_client_that_reads_nothing_is_dropped() {
    let config = VenueConfig {
        ping_interval_ms: 200,
        outbound_bytes_max: 128 * 1_024,
        ..VenueConfig::default()
    };
    let venue = venue(config);
    let mut alive = connect(venue.address(), "/usdm/ws/btcusdt@trade");
    let all: Vec<_> = ["btcusdt", "ethusdt", "eurusdt", "xauusdt", "spxusdt"]
        .iter()
        .flat_map(|s| {
            [
                format!("{s}@bookTicker"),
                format!("{s}@depth"),
                format!("{s}@depth@100ms"),
            ]
        })
        .collect();
    let deaf = connect(
        venue.address(),
        &format!("/spot/stream?streams={}", all.join("/")),
    );
    let started = Instant::now();
    let mut pings = 0;
    while venue.counts().dropped_slow == 0 {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "{:?}",
            venue.counts()
        );
        if let Message::Ping(_) = alive.read().unwrap() {
            pings += 1;
            alive.flush().unwrap();
        }
    }
    assert!(pings > 0);
    drop(deaf);
    next(&mut alive);
}

#[test]
fn faults_are_seen_by_clients() {
    let faults = FaultConfig {
        seed: 1,
        skip_diff_ppm: 200_000,
        stale_snapshot_ppm: 1_000_000,
        disconnect_every_ms: 3_000,
    };
    let venue = venue(VenueConfig {
        faults,
        ..VenueConfig::default()
    });
    let mut socket = connect(venue.address(), "/usdm/ws/btcusdt@depth@0ms");
    let (mut gaps, mut previous) = (0, None);
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => {
                let diff: Value = serde_json::from_str(text.as_str()).unwrap();
                gaps += usize::from(previous.is_some() && diff["pu"].as_u64() != previous);
                previous = diff["u"].as_u64();
            }
            Ok(_) => {}
            Err(Error::Io(_) | Error::Protocol(_) | Error::ConnectionClosed) => break,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(gaps > 0);
    assert!(venue.counts().diffs_skipped > 0);
    let (_, book) = get(
        venue.address(),
        "/usdm/fapi/v1/depth?symbol=BTCUSDT&limit=5",
    );
    assert!(
        book["lastUpdateId"].as_u64().unwrap() < previous.unwrap(),
        "older than any buffer"
    );
}

/// CPU time of the venue's thread so far, by the kernel's account.
fn venue_cpu() -> Option<Duration> {
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    let mut ticks = 0u64;
    for task in tasks {
        let stat = std::fs::read_to_string(task.ok()?.path().join("stat")).ok()?;
        if stat.contains("(sim-venue)") {
            let fields: Vec<_> = stat.rsplit(") ").next()?.split(' ').collect();
            ticks += fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
        }
    }
    Some(Duration::from_millis(ticks * 10))
}

/// Alone in its process (other tests start venues too): `cargo test --release -- --ignored --nocapture`.
#[test]
#[ignore = "measures; takes ten seconds and wants no other venue in the process"]
fn rate_and_cpu_share() {
    let venue = venue(VenueConfig::default());
    let streams = |symbols: &[&str]| {
        let all = symbols.iter().flat_map(|s| {
            [
                format!("{s}@bookTicker"),
                format!("{s}@depth@100ms"),
                format!("{s}@trade"),
            ]
        });
        all.collect::<Vec<_>>().join("/")
    };
    let spot = streams(&["btcusdt", "ethusdt", "eurusdt", "xauusdt", "spxusdt"]);
    let futures = streams(&["btcusdt", "ethusdt", "ndxusdt"]);
    let paths = [
        format!("/spot/stream?streams={spot}"),
        format!("/usdm/stream?streams={futures}"),
    ];
    let address = venue.address();
    let seconds = 10;
    let readers = paths.map(|path| {
        std::thread::spawn(move || {
            let mut socket = connect(address, &path);
            let until = Instant::now() + Duration::from_secs(seconds);
            let mut bytes = 0;
            while Instant::now() < until {
                bytes += socket.read().unwrap().len();
            }
            bytes
        })
    });
    let bytes: usize = readers
        .into_iter()
        .map(|reader| reader.join().unwrap())
        .sum();
    let cpu = venue_cpu().unwrap();
    let share = cpu.as_secs_f64() / seconds as f64;
    let rate = venue.counts().sent / seconds;
    let kib = bytes as u64 / seconds / 1_024;
    eprintln!(
        "{rate} messages/s, {kib} KiB/s, {:.1} % of one core",
        share * 100.0
    );
    assert!(rate > 2_000);
    assert!(share < 0.15);
}
