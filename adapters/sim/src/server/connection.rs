//! One connection: plain HTTP at first, a WebSocket if the client asks for it.
//!
//! Invariant: no call blocks; what waits to be sent is bounded, and a client that lets it reach the bound is dropped.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use tungstenite::{
    Error, Message, Utf8Bytes, WebSocket,
    protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
};

use super::{
    http::{self, HEAD_BYTES_MAX, RequestHead},
    subscription::Subscriptions,
};
use crate::encode::Market;

/// A client must answer a ping within this time.
const PONG_WITHIN: Duration = Duration::from_secs(60);
/// Longest message that a client may send.
const INBOUND_BYTES_MAX: usize = 64 * 1_024;
/// The socket gets what waits once this much has gathered, or at the end of a round.
const WRITE_BYTES: usize = 32 * 1_024;

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The client left or broke a rule.
    Closed,
    /// The client did not read fast enough.
    Slow,
}

/// A connection in either form.
#[derive(Debug)]
pub(super) enum Connection {
    /// Requests and answers.
    Http(HttpConnection),
    /// A stream of messages.
    Stream(Box<StreamConnection>),
}

#[derive(Debug)]
pub(super) struct HttpConnection {
    stream: TcpStream,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    sent_bytes: usize,
    then: Then,
}

/// What follows once the outbox is sent.
#[derive(Debug)]
enum Then {
    NextRequest,
    Close,
    Stream(Subscriptions),
}

#[derive(Debug)]
pub(super) struct StreamConnection {
    socket: WebSocket<TcpStream>,
    pub(super) subscriptions: Subscriptions,
    pinged_at: Instant,
    /// When the oldest ping without an answer was sent.
    unanswered_since: Option<Instant>,
    inbound: InboundBudget,
}

/// Counts inbound messages in windows of one second.
#[derive(Debug)]
struct InboundBudget {
    per_second_max: u32,
    window_start: Instant,
    count: u32,
}

impl HttpConnection {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            inbox: Vec::new(),
            outbox: Vec::new(),
            sent_bytes: 0,
            then: Then::NextRequest,
        }
    }

    /// Reads what is there; the head of the next request when it is complete and the last answer is out.
    pub(super) fn next_request(&mut self) -> Result<Option<RequestHead>, Ending> {
        self.flush()?;
        let is_ready = self.outbox.is_empty() && matches!(self.then, Then::NextRequest);
        if !is_ready {
            return Ok(None);
        }
        let mut chunk = [0u8; 4_096];
        while self.inbox.len() < HEAD_BYTES_MAX {
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(Ending::Closed),
                Ok(count) => self.inbox.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Ending::Closed),
            }
        }
        match http::parse_head(&self.inbox) {
            Ok(Some(head)) => {
                self.inbox.drain(..head.length_bytes);
                Ok(Some(head))
            }
            Ok(None) => Ok(None),
            Err(http::HeadError::TooLong) => self.refuse(431),
            Err(http::HeadError::Malformed) => self.refuse(400),
        }
    }

    fn refuse(&mut self, status: u16) -> Result<Option<RequestHead>, Ending> {
        self.inbox.clear();
        self.answer(status, "", false).map(|()| None)
    }

    /// Sends an answer to a plain request.
    pub(super) fn answer(
        &mut self,
        status: u16,
        body: &str,
        keeps_alive: bool,
    ) -> Result<(), Ending> {
        self.outbox = http::answer(status, body, keeps_alive);
        self.then = if keeps_alive {
            Then::NextRequest
        } else {
            Then::Close
        };
        self.flush()
    }

    /// Answers a request for a stream; the connection becomes one when that is sent.
    pub(super) fn upgrade(
        &mut self,
        socket_key: &str,
        subscriptions: Subscriptions,
    ) -> Result<(), Ending> {
        self.outbox = http::switch_protocols(socket_key);
        self.then = Then::Stream(subscriptions);
        self.flush()
    }

    const fn is_upgraded(&self) -> bool {
        self.outbox.is_empty() && matches!(self.then, Then::Stream(_))
    }

    fn flush(&mut self) -> Result<(), Ending> {
        while self.sent_bytes < self.outbox.len() {
            match self.stream.write(&self.outbox[self.sent_bytes..]) {
                Ok(0) => return Err(Ending::Closed),
                Ok(count) => self.sent_bytes += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Ending::Closed),
            }
        }
        self.outbox.clear();
        self.sent_bytes = 0;
        if matches!(self.then, Then::Close) {
            return Err(Ending::Closed);
        }
        Ok(())
    }
}

impl Connection {
    /// Turns an answered request for a stream into the stream.
    pub(super) fn settle(self, outbound_bytes_max: usize) -> Self {
        match self {
            Self::Http(http) if http.is_upgraded() => {
                let Then::Stream(subscriptions) = http.then else {
                    return Self::Http(http);
                };
                let stream = StreamConnection::new(
                    http.stream,
                    http.inbox,
                    subscriptions,
                    outbound_bytes_max,
                );
                Self::Stream(Box::new(stream))
            }
            other => other,
        }
    }
}

impl StreamConnection {
    fn new(
        stream: TcpStream,
        already_read: Vec<u8>,
        subscriptions: Subscriptions,
        outbound_bytes_max: usize,
    ) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(4_096)
            .write_buffer_size(WRITE_BYTES)
            .max_write_buffer_size(outbound_bytes_max.max(2 * WRITE_BYTES))
            .max_message_size(Some(INBOUND_BYTES_MAX))
            .max_frame_size(Some(INBOUND_BYTES_MAX));
        let now = Instant::now();
        // The venue's own limits on messages from a client.
        let per_second_max = match subscriptions.market() {
            Market::Spot => 5,
            Market::UsdFutures => 10,
        };
        Self {
            socket: WebSocket::from_partially_read(
                stream,
                already_read,
                Role::Server,
                Some(config),
            ),
            subscriptions,
            pinged_at: now,
            unanswered_since: None,
            inbound: InboundBudget {
                per_second_max,
                window_start: now,
                count: 0,
            },
        }
    }

    /// The next control message of the client, if there is one.
    pub(super) fn next_text(&mut self, now: Instant) -> Result<Option<String>, Ending> {
        loop {
            let message = match self.socket.read() {
                Ok(message) => message,
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(_) => return Err(Ending::Closed),
            };
            if !self.inbound.allows(now) {
                return Err(self.close(CloseCode::Policy, "Too many requests"));
            }
            match message {
                Message::Text(text) => return Ok(Some(text.as_str().to_owned())),
                Message::Pong(_) => self.unanswered_since = None,
                Message::Binary(_) => {
                    return Err(self.close(CloseCode::Unsupported, "text expected"));
                }
                // The library answers pings and closes itself.
                Message::Ping(_) | Message::Close(_) | Message::Frame(_) => {}
            }
        }
    }

    /// Puts a message into the bounded buffer.
    pub(super) fn send(&mut self, text: impl Into<Utf8Bytes>) -> Result<(), Ending> {
        outcome(self.socket.write(Message::Text(text.into())))
    }

    /// Pings when it is time, and drops a client that no longer answers.
    pub(super) fn keep_alive(
        &mut self,
        now: Instant,
        interval: Duration,
        ts_ns: i64,
    ) -> Result<(), Ending> {
        let is_silent = self
            .unanswered_since
            .is_some_and(|since| now.duration_since(since) > PONG_WITHIN);
        if is_silent {
            return Err(Ending::Closed);
        }
        if now.duration_since(self.pinged_at) < interval {
            return Ok(());
        }
        self.pinged_at = now;
        self.unanswered_since.get_or_insert(now);
        let payload = (ts_ns / 1_000_000).to_string().into_bytes();
        outcome(self.socket.write(Message::Ping(payload.into())))
    }

    /// Hands the buffer to the socket.
    pub(super) fn flush(&mut self) -> Result<(), Ending> {
        outcome(self.socket.flush())
    }

    fn close(&mut self, code: CloseCode, reason: &'static str) -> Ending {
        let reason = reason.into();
        // The connection ends either way; whether the farewell arrives does not matter.
        let _ = self.socket.close(Some(CloseFrame { code, reason }));
        let _ = self.socket.flush();
        Ending::Closed
    }
}

/// A socket that takes no more for now is no failure: the library keeps the bytes.
fn outcome(result: Result<(), Error>) -> Result<(), Ending> {
    match result {
        Ok(()) => Ok(()),
        Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => Ok(()),
        Err(Error::WriteBufferFull(_)) => Err(Ending::Slow),
        Err(_) => Err(Ending::Closed),
    }
}

impl InboundBudget {
    fn allows(&mut self, now: Instant) -> bool {
        if now.duration_since(self.window_start) >= Duration::from_secs(1) {
            self.window_start = now;
            self.count = 0;
        }
        self.count += 1;
        self.count <= self.per_second_max
    }
}
