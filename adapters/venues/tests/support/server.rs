//! A scripted venue: one WebSocket and one REST listener on loopback, and a small market that speaks the exact
//! spot or USD-M format.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use acth_core::event::{Level, Side};
use acth_venues::binance::Market;
use tungstenite::{
    WebSocket,
    handshake::server::{Request, Response},
};

use crate::support::NaiveBook;

/// The server's end of one connection.
pub(crate) type Socket = WebSocket<TcpStream>;

/// A market with a book, in the venue's words. Prices have 2 decimals, quantities 3.
#[derive(Clone, Debug)]
pub(crate) struct FakeMarket {
    pub(crate) market: Market,
    pub(crate) book: NaiveBook,
    pub(crate) id: u64,
    previous: u64,
    step: u64,
}

impl FakeMarket {
    pub(crate) fn new(market: Market) -> Self {
        let mut book = NaiveBook::default();
        for offset in 1..=30i64 {
            let quantity = 1_000 + offset;
            book.set(
                Side::Bid,
                Level {
                    price: 6_000_000 - offset * 10,
                    quantity,
                },
            );
            book.set(
                Side::Ask,
                Level {
                    price: 6_000_000 + offset * 10,
                    quantity,
                },
            );
        }
        Self {
            market,
            book,
            id: 1_000_000,
            previous: 999_990,
            step: 0,
        }
    }

    /// The next diff as a frame: a bid, an ask, and a level that comes and goes.
    pub(crate) fn diff(&mut self) -> String {
        self.step += 1;
        let step = self.step as i64;
        let first = self.id + if self.market == Market::Spot { 1 } else { 7 };
        self.previous = self.id;
        self.id = first + 2;
        let bid = Level {
            price: 6_000_000 - (1 + step % 30) * 10,
            quantity: 500 + step,
        };
        let gone = Level {
            price: 5_000_000,
            quantity: step % 2,
        };
        let ask = Level {
            price: 6_000_000 + (1 + step % 30) * 10,
            quantity: 700 + step,
        };
        self.book.set(Side::Bid, bid);
        self.book.set(Side::Bid, gone);
        self.book.set(Side::Ask, ask);
        let bids = [bid, gone].map(|level| self.level(&level)).join(",");
        let asks = self.level(&ask);
        let (id, previous) = (self.id, self.previous);
        match self.market {
            Market::Spot => format!(
                r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":1760000000123,"s":"BTCUSDT","U":{first},"u":{id},"b":[{bids}],"a":[{asks}]}}}}"#
            ),
            Market::UsdM => format!(
                r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":1760000000123,"T":1760000000121,"s":"BTCUSDT","U":{first},"u":{id},"pu":{previous},"b":[{bids}],"a":[{asks}]}}}}"#
            ),
        }
    }

    /// The best bid and offer as a frame.
    pub(crate) fn ticker(&self) -> String {
        let (bid, ask) = (self.book.best_bid().unwrap(), self.book.best_ask().unwrap());
        let side = |level: Level, price: char, quantity: char| {
            let (p, q) = self.texts(&level);
            format!(r#""{price}":"{p}","{quantity}":"{q}""#)
        };
        let (bid, ask, id) = (side(bid, 'b', 'B'), side(ask, 'a', 'A'), self.id);
        match self.market {
            Market::Spot => format!(
                r#"{{"stream":"btcusdt@bookTicker","data":{{"u":{id},"s":"BTCUSDT",{bid},{ask}}}}}"#
            ),
            Market::UsdM => format!(
                r#"{{"stream":"btcusdt@bookTicker","data":{{"e":"bookTicker","u":{id},"s":"BTCUSDT",{bid},{ask},"T":1760000000121,"E":1760000000123}}}}"#
            ),
        }
    }

    /// The answer to a depth request.
    pub(crate) fn snapshot(&self) -> String {
        let side = |levels: Vec<Level>| {
            let texts: Vec<String> = levels.iter().map(|level| self.level(level)).collect();
            texts.join(",")
        };
        let level = |(&price, &quantity): (&i64, &i64)| Level { price, quantity };
        let bids = side(self.book.bids.iter().rev().map(level).collect());
        let asks = side(self.book.asks.iter().map(level).collect());
        let times = match self.market {
            Market::Spot => "",
            Market::UsdM => r#""E":1760000000123,"T":1760000000121,"#,
        };
        format!(
            r#"{{"lastUpdateId":{},{times}"bids":[{bids}],"asks":[{asks}]}}"#,
            self.id
        )
    }

    fn texts(&self, level: &Level) -> (String, String) {
        let zeros = if self.market == Market::Spot {
            ["000000", "00000"]
        } else {
            ["", ""]
        };
        let price = format!("{}.{:02}{}", level.price / 100, level.price % 100, zeros[0]);
        let quantity = format!(
            "{}.{:03}{}",
            level.quantity / 1_000,
            level.quantity % 1_000,
            zeros[1]
        );
        (price, quantity)
    }

    fn level(&self, level: &Level) -> String {
        let (price, quantity) = self.texts(level);
        format!(r#"["{price}","{quantity}"]"#)
    }
}

/// A market that the scripts of both listeners share.
pub(crate) type Shared = Arc<Mutex<FakeMarket>>;

pub(crate) fn shared(market: Market) -> Shared {
    Arc::new(Mutex::new(FakeMarket::new(market)))
}

/// Accepts connections one after another; the script gets their number, the raw stream and decides the rest.
pub(crate) fn serve_raw(mut script: impl FnMut(usize, TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let Ok(stream) = stream else { return };
            script(number, stream);
        }
    });
    address
}

/// As `serve_raw`, after the handshake; the script also gets the path and query that the client asked for.
pub(crate) fn serve_ws(mut script: impl FnMut(usize, &str, Socket) + Send + 'static) -> String {
    let address = serve_raw(move |number, stream| {
        stream.set_nodelay(true).unwrap();
        let mut target = String::new();
        #[allow(clippy::result_large_err, reason = "the type is the library's")]
        let note = |request: &Request, response: Response| {
            target = request.uri().to_string();
            Ok(response)
        };
        if let Ok(socket) = tungstenite::accept_hdr(stream, note) {
            script(number, &target, socket);
        }
    });
    format!("ws://{address}")
}

/// What the REST listener answers: the whole text of the answer, head and body.
pub(crate) fn serve_rest(mut script: impl FnMut(usize, &str) -> String + Send + 'static) -> String {
    let address = serve_raw(move |number, mut stream| {
        let mut request = Vec::new();
        let mut piece = [0; 512];
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut piece) {
                Ok(count) if count > 0 => request.extend_from_slice(&piece[..count]),
                _ => return,
            }
        }
        let request = String::from_utf8_lossy(&request).into_owned();
        let target = request.split(' ').nth(1).unwrap_or("").to_owned();
        let _ = stream.write_all(script(number, &target).as_bytes());
    });
    format!("http://{address}")
}

/// A plain good answer.
pub(crate) fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends text frames, one a pause, until the peer is gone.
pub(crate) fn send_all(socket: &mut Socket, frames: impl IntoIterator<Item = String>) {
    for frame in frames {
        if socket.send(frame.into()).is_err() {
            return;
        }
        thread::sleep(Duration::from_millis(2));
    }
}
