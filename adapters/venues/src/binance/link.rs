//! One open connection: a non-blocking socket, the frames in it, and the pongs that it owes.
//!
//! Readiness comes from the poller, edge-triggered: while the socket may still hold bytes it is read without asking,
//! after an empty read the poller is asked first. With busy polling every read goes to the socket itself, since it is the
//! read that polls the network card. Frames are read in place (`acth_wire::websocket`).
//!
//! Invariant: nothing here waits; what cannot be written at once is kept, up to `PENDING_BYTES_MAX`.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    io,
    time::Duration,
};

use acth_net::{KernelStream, Received, Refusal, SocketOptions, Stream};
use acth_wire::websocket::{FrameReader, Opcode, write_close, write_frame};
use mio::{Events, Interest, Poll, Token, net::TcpStream};

use super::connector::Connection;

/// Room to receive into: far more than one read of a busy stream brings.
const RECEIVE_BYTES: usize = 256 * 1024;
/// Most bytes that wait to be written: over a hundred pongs.
const PENDING_BYTES_MAX: usize = 16 * 1024;
/// Close code of a normal end.
const CLOSE_NORMAL: u16 = 1000;

/// What came in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming<'a> {
    /// A whole text or binary message.
    Message(&'a [u8]),
    /// A ping; its pong is on the way.
    Ping,
    /// A pong.
    Pong,
    /// The peer closes the connection.
    Close,
}

/// One open connection.
pub(super) struct Link<S = KernelStream<TcpStream>> {
    poll: Poll,
    events: Events,
    stream: S,
    reader: FrameReader,
    /// Bytes to write, all of them control frames.
    pending: Vec<u8>,
    mask_state: u64,
    is_readable: bool,
    /// Reads poll the network card: the poller is not asked.
    is_busy_polled: bool,
}

impl<S: std::fmt::Debug> std::fmt::Debug for Link<S> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Link")
            .field("stream", &self.stream)
            .field("is_readable", &self.is_readable)
            .finish_non_exhaustive()
    }
}

impl Link {
    /// Takes over a connection after its handshake. What of the options is refused is told and left out.
    pub(super) fn new(
        connection: Connection,
        options: &SocketOptions,
    ) -> io::Result<(Self, Vec<Refusal>)> {
        let poll = Poll::new()?;
        let socket = TcpStream::from_std(connection.stream);
        let (mut stream, refusals) = KernelStream::new(socket, options);
        poll.registry()
            .register(stream.socket_mut(), Token(0), Interest::READABLE)?;
        let mut reader = FrameReader::new(RECEIVE_BYTES.max(2 * connection.tail.len()));
        let taken_count = reader.receive(&connection.tail);
        if taken_count < connection.tail.len() {
            return Err(io::Error::other("more bytes behind the handshake than fit"));
        }
        let link = Self {
            poll,
            events: Events::with_capacity(4),
            stream,
            reader,
            pending: Vec::with_capacity(PENDING_BYTES_MAX),
            mask_state: RandomState::new().build_hasher().finish() | 1,
            is_readable: true,
            is_busy_polled: options.busy_poll_us > 0,
        };
        Ok((link, refusals))
    }
}

impl<S: Stream> Link<S> {
    /// Reads once, if there is something to read. No bytes = nothing just now. Take all frames with `next_incoming` before the
    /// next read.
    pub(super) fn read(&mut self) -> io::Result<Received> {
        flush(&mut self.stream, &mut self.pending)?;
        if !self.is_readable {
            self.poll.poll(&mut self.events, Some(Duration::ZERO))?;
            if self.events.is_empty() {
                return Ok(Received::default());
            }
            self.is_readable = true;
        }
        match self.stream.read(self.reader.spare()) {
            Ok(Received { bytes_count: 0, .. }) => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the venue closed it without a close frame",
            )),
            Ok(received) => {
                self.reader.received(received.bytes_count);
                Ok(received)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.is_readable = self.is_busy_polled;
                Ok(Received::default())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Received::default()),
            Err(error) => Err(error),
        }
    }

    /// The next whole frame of what was read; a ping is answered here.
    pub(super) fn next_incoming(&mut self) -> Result<Option<Incoming<'_>>, String> {
        let mask = next_mask(&mut self.mask_state);
        let frame = match self.reader.next_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => return Ok(None),
            Err(error) => return Err(format!("broken frame: {error}")),
        };
        match frame.opcode {
            Opcode::Text | Opcode::Binary => Ok(Some(Incoming::Message(frame.payload))),
            Opcode::Close => Ok(Some(Incoming::Close)),
            Opcode::Pong => Ok(Some(Incoming::Pong)),
            Opcode::Ping => {
                write_frame(Opcode::Pong, frame.payload, mask, &mut self.pending);
                if self.pending.len() > PENDING_BYTES_MAX {
                    return Err("the venue does not read our pongs".to_owned());
                }
                match flush(&mut self.stream, &mut self.pending) {
                    Ok(()) => Ok(Some(Incoming::Ping)),
                    Err(error) => Err(format!("cannot write: {error}")),
                }
            }
        }
    }

    /// Says goodbye as far as the socket takes it at once; dropping the link ends the connection either way.
    pub(super) fn say_goodbye(&mut self) {
        let mask = next_mask(&mut self.mask_state);
        write_close(CLOSE_NORMAL, "", mask, &mut self.pending);
        // The connection is given up: an error here changes nothing.
        let _ = flush(&mut self.stream, &mut self.pending);
    }
}

/// Writes what the socket takes now and keeps the rest.
fn flush(stream: &mut impl Stream, pending: &mut Vec<u8>) -> io::Result<()> {
    while !pending.is_empty() {
        match stream.write(pending) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => drop(pending.drain(..count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A masking key that no page in a browser can guess, which is all it is for (RFC 6455, 10.3): xorshift.
const fn next_mask(state: &mut u64) -> [u8; 4] {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    ((*state >> 32) as u32).to_le_bytes()
}
