//! The reading half: bytes in, whole messages out, in place.
//!
//! One buffer holds everything:
//!
//! ```text
//!   0 ... [joined fragments) ... [unread bytes) ... spare
//!         fragments_start..fragments_end   head..tail
//! ```
//!
//! A message in one frame is yielded where it was received: nothing is copied. Fragments are moved down to stand one
//! behind the other, each byte once; control frames between them are yielded in place as well. Bytes are moved to the
//! front only when the spare room behind them runs out.
//!
//! Invariant: `fragments_start <= fragments_end <= head <= tail <= buffer.len()`. The buffer has the size given at first
//! and grows at most once, to the bound of a message, when a frame announces that it needs it.

use super::frame::{Frame, FrameError, Opcode, is_close_code};
use super::writer::CONTROL_BYTES_MAX;

/// Longest message that is read: far above any that a venue sends.
pub const MESSAGE_BYTES_MAX: usize = 8 << 20;
/// Least spare room that `spare` offers: one read of a socket.
pub const READ_BYTES_MIN: usize = 16 << 10;
/// Longest head of a frame from a server.
const HEAD_BYTES_MAX: usize = 10;
/// Size of the buffer after it has grown: a whole message, its joined fragments apart by heads and control frames, and
/// room for one more read.
const BUFFER_BYTES_MAX: usize = MESSAGE_BYTES_MAX + 2 * READ_BYTES_MIN;

/// Reads the frames of a server.
#[derive(Debug)]
pub struct FrameReader {
    buffer: Vec<u8>,
    head: usize,
    tail: usize,
    /// Kind of the message whose fragments are being joined.
    fragmented: Option<Opcode>,
    fragments_start: usize,
    fragments_end: usize,
    /// Bytes of the joined text that are known to be whole characters.
    text_bytes: usize,
    /// Bytes of the stream before `head`.
    position: u64,
    is_broken: bool,
}

/// Head of one frame.
#[derive(Clone, Copy)]
struct Head {
    is_final: bool,
    /// None = continuation.
    opcode: Option<Opcode>,
    head_bytes: usize,
    length: u64,
}

impl FrameReader {
    /// A reader with a buffer of `capacity` bytes, at least two times `READ_BYTES_MIN`.
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.clamp(2 * READ_BYTES_MIN, BUFFER_BYTES_MAX);
        Self {
            buffer: vec![0; capacity],
            head: 0,
            tail: 0,
            fragmented: None,
            fragments_start: 0,
            fragments_end: 0,
            text_bytes: 0,
            position: 0,
            is_broken: false,
        }
    }

    /// Room to receive into, `READ_BYTES_MIN` bytes or more once `next_frame` has answered `None`. It is less, in the
    /// end nothing, for a caller who receives without taking the frames out.
    pub fn spare(&mut self) -> &mut [u8] {
        if self.buffer.len() - self.tail < READ_BYTES_MIN {
            self.compact();
        }
        &mut self.buffer[self.tail..]
    }

    /// Says that `count` bytes were received into `spare`; more than there was room for counts as that room.
    pub fn received(&mut self, count: usize) {
        self.tail = self.buffer.len().min(self.tail + count);
    }

    /// Copies `bytes` in as if they had been received; for tests, recordings, and what came behind a handshake. Returns
    /// how many were taken.
    pub fn receive(&mut self, bytes: &[u8]) -> usize {
        let spare = self.spare();
        let count = spare.len().min(bytes.len());
        spare[..count].copy_from_slice(&bytes[..count]);
        self.received(count);
        count
    }

    /// The next whole message or control frame, or `None` until more bytes have been received. The payload stays valid
    /// until the next call.
    ///
    /// # Errors
    /// `FrameError` when the server breaks the protocol; from then on every call is `Broken`.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, FrameError> {
        if self.is_broken {
            return Err(FrameError::Broken);
        }
        match self.advance() {
            Ok(Some((opcode, start, end))) => Ok(Some(Frame {
                opcode,
                payload: &self.buffer[start..end],
            })),
            Ok(None) => Ok(None),
            Err(error) => {
                self.is_broken = true;
                Err(error)
            }
        }
    }

    /// Says that the stream has ended.
    ///
    /// # Errors
    /// `Truncated` when it ended inside a message.
    pub const fn finish(&self) -> Result<(), FrameError> {
        if self.head == self.tail && self.fragmented.is_none() {
            Ok(())
        } else {
            Err(FrameError::Truncated(
                self.position + (self.tail - self.head) as u64,
            ))
        }
    }

    /// Size of the buffer.
    pub const fn capacity_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// Handles frames until one message is whole: its kind and where its payload lies.
    fn advance(&mut self) -> Result<Option<(Opcode, usize, usize)>, FrameError> {
        loop {
            let Some(head) = parse_head(&self.buffer[self.head..self.tail], self.position)? else {
                self.make_room(HEAD_BYTES_MAX);
                return Ok(None);
            };
            self.check(&head)?;
            let frame_bytes = head.head_bytes + head.length as usize;
            if self.tail - self.head < frame_bytes {
                self.make_room(frame_bytes);
                return Ok(None);
            }
            let start = self.head + head.head_bytes;
            let end = self.head + frame_bytes;
            let position = self.position;
            self.head = end;
            self.position += frame_bytes as u64;
            if let Some(message) = self.take(head, start, end) {
                self.check_content(message, position)?;
                return Ok(Some(message));
            }
            if self.fragmented == Some(Opcode::Text) {
                self.check_fragments(position)?;
            }
        }
    }

    /// Rules that depend on what came before.
    fn check(&self, head: &Head) -> Result<(), FrameError> {
        let position = self.position;
        let is_control = head.opcode.is_some_and(Opcode::is_control);
        if is_control && !head.is_final {
            return Err(FrameError::ControlFragmented(position));
        }
        if is_control && head.length > CONTROL_BYTES_MAX as u64 {
            return Err(FrameError::ControlTooLong {
                position,
                length: head.length,
            });
        }
        let joined = match (self.fragmented, head.opcode) {
            (None, None) => return Err(FrameError::ContinuationAlone(position)),
            (Some(_), Some(_)) if !is_control => {
                return Err(FrameError::ContinuationMissing(position));
            }
            (Some(_), None) => self.fragments_end - self.fragments_start,
            _ => 0,
        };
        let length = head.length.saturating_add(joined as u64);
        if length > MESSAGE_BYTES_MAX as u64 {
            return Err(FrameError::TooLong {
                position,
                length,
                bound: MESSAGE_BYTES_MAX as u64,
            });
        }
        Ok(())
    }

    /// Takes the frame with payload `start..end`; answers the message that it completes.
    fn take(&mut self, head: Head, start: usize, end: usize) -> Option<(Opcode, usize, usize)> {
        let is_control = head.opcode.is_some_and(Opcode::is_control);
        match head.opcode {
            Some(opcode) if is_control || head.is_final => return Some((opcode, start, end)),
            Some(opcode) => {
                self.fragmented = Some(opcode);
                (self.fragments_start, self.fragments_end) = (start, end);
                self.text_bytes = 0;
                return None;
            }
            None => {}
        }
        self.buffer.copy_within(start..end, self.fragments_end);
        self.fragments_end += end - start;
        if !head.is_final {
            return None;
        }
        let opcode = self.fragmented.take()?;
        Some((opcode, self.fragments_start, self.fragments_end))
    }

    fn check_content(
        &self,
        (opcode, start, end): (Opcode, usize, usize),
        position: u64,
    ) -> Result<(), FrameError> {
        let payload = &self.buffer[start..end];
        let text = match (opcode, payload) {
            (Opcode::Text, text) => text,
            (Opcode::Close, []) => return Ok(()),
            (Opcode::Close, [high, low, reason @ ..])
                if is_close_code(u16::from_be_bytes([*high, *low])) =>
            {
                reason
            }
            (Opcode::Close, _) => return Err(FrameError::CloseCode(position)),
            _ => return Ok(()),
        };
        match core::str::from_utf8(text) {
            Ok(_) => Ok(()),
            Err(_) => Err(FrameError::Utf8(position)),
        }
    }

    /// Refuses a text as soon as a fragment makes it wrong: the rest may never come. A character cut by the end of the
    /// last fragment is left for the next; nothing is looked at twice.
    fn check_fragments(&mut self, position: u64) -> Result<(), FrameError> {
        let unchecked = self.fragments_start + self.text_bytes..self.fragments_end;
        let whole = match core::str::from_utf8(&self.buffer[unchecked]) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return Err(FrameError::Utf8(position)),
        };
        self.text_bytes += whole;
        Ok(())
    }

    /// Moves what is still needed to the front: joined fragments, then unread bytes.
    fn compact(&mut self) {
        let mut target = 0;
        if self.fragmented.is_some() {
            let joined = self.fragments_start..self.fragments_end;
            target = joined.len();
            self.buffer.copy_within(joined, 0);
        }
        (self.fragments_start, self.fragments_end) = (0, target);
        self.buffer.copy_within(self.head..self.tail, target);
        self.tail = target + self.tail - self.head;
        self.head = target;
    }

    /// Grows the buffer, once, if a frame of `frame_bytes` and the fragments before it do not fit with room to spare.
    fn make_room(&mut self, frame_bytes: usize) {
        let joined = match self.fragmented {
            Some(_) => self.fragments_end - self.fragments_start,
            None => 0,
        };
        if joined + frame_bytes + READ_BYTES_MIN > self.buffer.len() {
            self.buffer.resize(BUFFER_BYTES_MAX, 0);
        }
    }
}

/// A frame's head, if all of it is there.
fn parse_head(bytes: &[u8], position: u64) -> Result<Option<Head>, FrameError> {
    let [first, second, rest @ ..] = bytes else {
        return Ok(None);
    };
    if first & 0x70 != 0 {
        return Err(FrameError::ReservedBits(position));
    }
    let opcode = match first & 0x0f {
        0 => None,
        1 => Some(Opcode::Text),
        2 => Some(Opcode::Binary),
        8 => Some(Opcode::Close),
        9 => Some(Opcode::Ping),
        10 => Some(Opcode::Pong),
        opcode => return Err(FrameError::Opcode { position, opcode }),
    };
    if second & 0x80 != 0 {
        return Err(FrameError::Masked(position));
    }
    let (head_bytes, length, length_min) = match second & 0x7f {
        126 => match rest.first_chunk::<2>() {
            Some(length) => (4, u64::from(u16::from_be_bytes(*length)), 126),
            None => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(length) => (HEAD_BYTES_MAX, u64::from_be_bytes(*length), 1 << 16),
            None => return Ok(None),
        },
        length => (2, u64::from(length), 0),
    };
    if length < length_min || length > i64::MAX as u64 {
        return Err(FrameError::Length(position));
    }
    Ok(Some(Head {
        is_final: first & 0x80 != 0,
        opcode,
        head_bytes,
        length,
    }))
}
