//! The bytes of both directions: ticker frames of one length, and the orders that come back.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
};

use acth_bench::load::{frames, numbers::Numbers};

use crate::Failure;

/// Frames that the load goes round in.
const FRAMES: usize = 1024;
/// Digits of the update id, which rises with every frame.
const ID_DIGITS: usize = 12;
/// An update id is this, which is its leading 1, and the frame's number.
pub(super) const ID_BASE: u64 = 10_u64.pow(ID_DIGITS as u32 - 1);

/// Both ends of a connection over loopback, without delay.
pub(super) fn pair() -> Result<(TcpStream, TcpStream), Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let near = TcpStream::connect(listener.local_addr()?)?;
    let (far, _) = listener.accept()?;
    for stream in [&near, &far] {
        prepare(stream)?;
    }
    Ok((near, far))
}

/// Polled, and without delay.
pub(super) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)
}

/// Writes all bytes, polling while the socket is full.
pub(super) fn write_all(stream: &mut TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::hint::spin_loop(),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads what is there; 0 = nothing just now.
pub(super) fn read_some(stream: &mut TcpStream, room: &mut [u8]) -> io::Result<usize> {
    match stream.read(room) {
        Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
        Ok(count) => Ok(count),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        Err(error) => Err(error),
    }
}

/// Book tickers as unmasked WebSocket frames, all of one length, each with an update id above the one before.
pub(super) struct Tickers {
    frames: Vec<Vec<u8>>,
    next_id: u64,
}

impl Tickers {
    pub(super) fn new() -> Self {
        let text = |seed: usize| {
            let mut numbers = Numbers::new(seed as u64 * 7919 + 1);
            frames::ticker_padded(&mut numbers, ID_DIGITS)
        };
        let frame = |seed| {
            let text = text(seed);
            let mut frame = vec![0x81, 126];
            frame.extend_from_slice(&(text.len() as u16).to_be_bytes());
            frame.extend_from_slice(text.as_bytes());
            frame
        };
        Self {
            frames: (0..FRAMES).map(frame).collect(),
            next_id: 1,
        }
    }

    /// Bytes of each.
    pub(super) fn frame_bytes(&self) -> usize {
        self.frames[0].len()
    }

    /// Number of the next one.
    pub(super) const fn number(&self) -> u64 {
        self.next_id
    }

    /// The next one.
    pub(super) fn next(&mut self) -> &[u8] {
        let frame = &mut self.frames[self.next_id as usize % FRAMES];
        let first = 4 + frames::TICKER_ID_FIRST;
        let mut rest = self.next_id;
        // The leading digit stays: a number does not begin with zero.
        for digit in frame[first + 1..first + ID_DIGITS].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.next_id += 1;
        frame
    }
}

/// Counts whole masked frames in a stream of them.
#[derive(Default)]
pub(super) struct FrameCounter {
    /// Bytes of an incomplete frame.
    pending: Vec<u8>,
}

impl FrameCounter {
    /// How many frames these bytes complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> usize {
        self.pending.extend_from_slice(bytes);
        let (mut at, mut count) = (0, 0);
        while let Some(length) = frame_bytes(&self.pending[at..])
            && at + length <= self.pending.len()
        {
            at += length;
            count += 1;
        }
        self.pending.drain(..at);
        count
    }
}

/// Length of the masked frame that begins here, once its head is whole.
fn frame_bytes(bytes: &[u8]) -> Option<usize> {
    const MASK_BYTES: usize = 4;
    let length = usize::from(bytes.get(1)? & 0x7f);
    match length {
        126 => {
            let high = usize::from(*bytes.get(2)?);
            let low = usize::from(*bytes.get(3)?);
            Some(4 + MASK_BYTES + (high << 8) + low)
        }
        127 => None,
        _ => Some(2 + MASK_BYTES + length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_counted_however_they_are_cut() {
        let short = [&[0x81, 0x80 | 3][..], &[0; 4], b"abc"].concat();
        let long = [&[0x81, 0x80 | 126, 1, 0][..], &[0; 4], &[7; 256]].concat();
        let all = [&short[..], &long, &short].concat();
        for size in [1, 2, 7, 100, all.len()] {
            let mut counter = FrameCounter::default();
            let count: usize = all.chunks(size).map(|piece| counter.push(piece)).sum();
            assert_eq!(count, 3, "pieces of {size}");
        }
    }

    #[test]
    fn tickers_keep_their_length_and_rise() {
        let mut tickers = Tickers::new();
        let length = tickers.frame_bytes();
        let mut ids = Vec::new();
        for _ in 0..3000 {
            let frame = tickers.next();
            assert_eq!(frame.len(), length);
            let text = std::str::from_utf8(&frame[4..]).unwrap();
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            ids.push(value["data"]["u"].as_u64().unwrap());
        }
        assert!(ids.is_sorted() && ids[0] < ids[1]);
    }
}
