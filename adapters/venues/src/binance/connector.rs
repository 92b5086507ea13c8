//! Opening a connection: name resolution, TCP, WebSocket handshake. Waits, so it runs on a helper thread.
//!
//! `tungstenite` does the handshake; everything after it is read by the session itself, in place. The handshake may
//! read past its own end into the first frames: the stream keeps a copy of what was read, and what lies behind the
//! end of the answer's head is handed on as the tail.

use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::{Duration, Instant},
};

use tungstenite::HandshakeError;

use super::url::Endpoint;
use crate::bytes::find;

/// A connection after its handshake.
#[derive(Debug)]
pub(super) struct Connection {
    /// Non-blocking, with delay off.
    pub(super) stream: TcpStream,
    /// What was read behind the handshake.
    pub(super) tail: Vec<u8>,
}

/// Connects over plain TCP, all attempts together within `timeout`.
pub(super) fn open_tcp(endpoint: &Endpoint, timeout: Duration) -> io::Result<TcpStream> {
    let deadline = Instant::now() + timeout;
    let mut last_error = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in (endpoint.host.as_str(), endpoint.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, remaining(deadline)?) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last_error = error,
        }
    }
    Err(last_error)
}

/// Connects and asks for `target` (path and query) as a WebSocket.
pub(super) fn open_websocket(
    endpoint: &Endpoint,
    target: &str,
    timeout: Duration,
) -> Result<Connection, String> {
    let deadline = Instant::now() + timeout;
    let stream = open_tcp(endpoint, timeout).map_err(|error| format!("connect: {error}"))?;
    let recorder = Recorder {
        timed: Timed { stream, deadline },
        bytes_read: Vec::new(),
    };
    let url = format!("ws://{}{target}", endpoint.authority);
    let (websocket, _) = tungstenite::client(url, recorder).map_err(|error| match error {
        HandshakeError::Interrupted(_) => "handshake: timed out".to_owned(),
        HandshakeError::Failure(error) => format!("handshake: {error}"),
    })?;
    let recorder = websocket.into_inner();
    let head_end = b"\r\n\r\n";
    let tail_first = find(&recorder.bytes_read, head_end)
        .map(|head| head + head_end.len())
        .ok_or("handshake: the answer has no end")?;
    let tail = recorder.bytes_read[tail_first..].to_vec();
    let stream = recorder.timed.stream;
    stream
        .set_nonblocking(true)
        .map_err(|error| format!("socket: {error}"))?;
    Ok(Connection { stream, tail })
}

/// A stream that keeps a copy of what it read.
struct Recorder {
    timed: Timed,
    bytes_read: Vec<u8>,
}

impl Read for Recorder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.timed.read(buffer)?;
        self.bytes_read.extend_from_slice(&buffer[..count]);
        Ok(count)
    }
}

impl Write for Recorder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.timed.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.timed.flush()
    }
}

/// A stream that gives up at a deadline, however slowly the peer drips.
pub(super) struct Timed {
    pub(super) stream: TcpStream,
    pub(super) deadline: Instant,
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = remaining(self.deadline)?;
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = remaining(self.deadline)?;
        self.stream.set_write_timeout(Some(left))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Time until `deadline`; an error when there is none left.
fn remaining(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::Error::new(io::ErrorKind::TimedOut, "timed out"));
    }
    Ok(left)
}
