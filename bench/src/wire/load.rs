//! The load thread: the venue's end of both connections. It sends at the intended times and reads the orders back.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use acth_engine::wait::Waiter;

use super::stream::{FrameCounter, Tickers, prepare, read_some, write_all};
use crate::{Failure, floor::Stand, pace::Pace, record::Record};

/// Time for the session to be set up before the first frame.
const SETTLE: Duration = Duration::from_millis(300);
/// Time for the last orders to come back.
const GRACE_NS: i64 = 200_000_000;

/// Accepts the hub's market-data connection and answers its handshake.
pub(super) fn accept(listener: &TcpListener) -> Result<TcpStream, Failure> {
    let (stream, _) = listener.accept()?;
    let websocket = tungstenite::accept(stream).map_err(|error| format!("handshake: {error}"))?;
    let stream = websocket.get_ref().try_clone()?;
    // The other handle only spoke the handshake; dropping it closes nothing.
    drop(websocket);
    prepare(&stream)?;
    Ok(stream)
}

/// Answers every request for a snapshot with an empty book until told to stop: the session asks for one, tickers need none.
pub(super) struct Snapshots {
    pub(super) port: u16,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Snapshots {
    pub(super) fn start() -> Result<Self, Failure> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let is_over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            while !seen.load(Ordering::Acquire) {
                match listener.accept() {
                    // A client that goes away without its answer has what it wanted.
                    Ok((stream, _)) => drop(answer(stream)),
                    Err(_) => thread::sleep(Duration::from_millis(5)),
                }
            }
        });
        Ok(Self {
            port,
            is_over,
            thread: Some(thread),
        })
    }
}

impl Drop for Snapshots {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    const BODY: &str = "{\"lastUpdateId\":1,\"bids\":[],\"asks\":[]}";
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    let _ = stream.read(&mut [0; 4096])?;
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{BODY}",
        BODY.len()
    )
}

/// Sends one window of tickers over `market` and reads the orders from `orders`.
///
/// # Errors
/// When a connection ends.
pub(super) fn run(
    stand: Stand<'_>,
    market: &mut TcpStream,
    orders: &mut TcpStream,
    back: &mut Record,
    sent: &super::hub::Sent,
) -> Result<(), Failure> {
    thread::sleep(SETTLE);
    let clock = stand.clock;
    let mut tickers = Tickers::new();
    let mut counter = FrameCounter::default();
    let mut room = vec![0; 1 << 16];
    let mut waiter = Waiter::new(stand.wait);
    let mut pace = Pace::new(stand.window, clock.now_ns());
    back.record_from(pace.recorded_from_ns());
    let (mut back_count, mut last_ns) = (0, clock.now_ns());
    while back_count < stand.window.event_count() {
        let now_ns = clock.now_ns();
        if now_ns > pace.deadline_ns() || (pace.is_done() && now_ns > last_ns + GRACE_NS) {
            break;
        }
        let mut is_busy = false;
        if let Some(intended_ns) = pace.due(now_ns) {
            sent.push(tickers.number(), intended_ns, pace.recorded_from_ns());
            write_all(market, tickers.next())?;
            pace.advance();
            last_ns = now_ns;
            is_busy = true;
        }
        let count = read_some(orders, &mut room)?;
        for _ in 0..counter.push(&room[..count]) {
            let number = sent.answered(back_count);
            back_count += 1;
            back.add(sent.start_ns(number), clock.now_ns());
        }
        if is_busy || count > 0 {
            waiter.reset();
        } else {
            waiter.idle();
        }
    }
    back.missing_count += stand.window.event_count() - back_count;
    Ok(())
}
