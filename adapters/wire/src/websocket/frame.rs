//! What a frame is: opcode, payload, and everything that can be wrong with one.

/// Kind of a message or control frame. Fragments are joined before they are seen, so there is no continuation here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// UTF-8 text, already checked.
    Text = 1,
    /// Bytes.
    Binary = 2,
    /// The other side closes; answer and stop.
    Close = 8,
    /// Answer with a pong of the same payload.
    Ping = 9,
    /// Answer to a ping, or unasked.
    Pong = 10,
}

impl Opcode {
    /// True for frames that may stand between fragments and hold at most 125 bytes.
    pub const fn is_control(self) -> bool {
        self as u8 >= 8
    }
}

/// One whole message or control frame; the payload lies in the reader's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its kind.
    pub opcode: Opcode,
    /// Its content, joined from all fragments.
    pub payload: &'a [u8],
}

/// Why a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close<'a> {
    /// Code of the reason; absent when the frame was empty.
    pub code: Option<u16>,
    /// The reason in words.
    pub reason: &'a str,
}

impl<'a> Frame<'a> {
    /// The content of a close frame; nothing for other frames.
    pub fn close(&self) -> Option<Close<'a>> {
        if self.opcode != Opcode::Close {
            return None;
        }
        let (code, reason) = match self.payload.split_first_chunk::<2>() {
            Some((code, reason)) => (Some(u16::from_be_bytes(*code)), reason),
            None => (None, self.payload),
        };
        Some(Close {
            code,
            reason: core::str::from_utf8(reason).unwrap_or_default(),
        })
    }
}

/// How a server broke the protocol. Positions count bytes from the first byte received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A reserved bit is set, but no extension was agreed on.
    #[error("byte {0}: expected no reserved bit, for no extension was agreed on")]
    ReservedBits(u64),
    /// An opcode without meaning.
    #[error("byte {position}: expected a known opcode, found {opcode}")]
    Opcode {
        /// Start of the frame.
        position: u64,
        /// The opcode.
        opcode: u8,
    },
    /// A server must not mask.
    #[error("byte {0}: expected an unmasked frame from a server")]
    Masked(u64),
    /// A length that was not written in its shortest form, or has its top bit set.
    #[error("byte {0}: expected the payload length in its shortest form")]
    Length(u64),
    /// A control frame of more than 125 bytes.
    #[error("byte {position}: expected at most 125 bytes in a control frame, found {length}")]
    ControlTooLong {
        /// Start of the frame.
        position: u64,
        /// Its payload length.
        length: u64,
    },
    /// A control frame in fragments.
    #[error("byte {0}: expected a control frame in one piece")]
    ControlFragmented(u64),
    /// A continuation with nothing to continue.
    #[error("byte {0}: expected the start of a message, found a continuation")]
    ContinuationAlone(u64),
    /// A new message before the last fragment of the one before.
    #[error("byte {0}: expected a continuation of the message before, found a new one")]
    ContinuationMissing(u64),
    /// A message above the reader's bound.
    #[error("byte {position}: expected a message of at most {bound} bytes, found {length}")]
    TooLong {
        /// Start of the frame that went over the bound.
        position: u64,
        /// Length of the message so far.
        length: u64,
        /// The bound.
        bound: u64,
    },
    /// A text that is not UTF-8.
    #[error("byte {0}: expected UTF-8 text")]
    Utf8(u64),
    /// A close frame with a code that may not be sent, or only one byte long.
    #[error("byte {0}: expected an empty close frame or one with a valid code")]
    CloseCode(u64),
    /// The stream ended inside a message.
    #[error("byte {0}: expected the rest of a message, found the end of the stream")]
    Truncated(u64),
    /// A call after an earlier error.
    #[error("expected no further call after a protocol error")]
    Broken,
}

/// True for codes that may stand in a close frame.
pub(super) const fn is_close_code(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}
