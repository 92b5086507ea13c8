//! Pure codecs of ACTH: slices in, values out.
//!
//! One module a protocol. Nothing here opens a socket, reads a clock or starts a thread; a codec sees the bytes it is
//! given and answers with values or with a typed error that names the place and what was expected there.
//!
//! Invariants: prices and quantities never pass through a float; every buffer has a named bound; no input, however
//! damaged or hostile, makes a codec panic.

#![forbid(unsafe_code)]

pub mod binance;
pub mod decimal;
pub mod http;
pub mod lean;
mod text;
pub mod websocket;
