//! WebSocket frames (RFC 6455) of a client, after the handshake.
//!
//! `FrameReader` yields messages as slices of its receive buffer; `write_frame` writes masked frames. The handshake is
//! made elsewhere; bytes that came behind it are simply the first bytes received.
//!
//! Invariant: a server that breaks the protocol is refused with a typed error, and then for good: after an error the
//! position in the stream is lost.

mod frame;
mod reader;
mod writer;

pub use frame::{Close, Frame, FrameError, Opcode};
pub use reader::{FrameReader, MESSAGE_BYTES_MAX, READ_BYTES_MIN};
pub use writer::{CONTROL_BYTES_MAX, write_close, write_frame};
