//! Sockets below the venues: bytes in and out, and when the kernel had them.
//!
//! Two narrow traits are all that a session sees. [`Stream`] is a connection: bytes go into the caller's spare room, with the
//! time they waited in the kernel. [`Datagrams`] is a feed of packets: a batch is handed over in place, without a copy, so that
//! a source that bypasses the kernel (AF_XDP, DPDK) can stand beside [`UdpFeed`], whose packets lie in memory that the card wrote.
//!
//! Invariants: nothing here waits; no allocation after construction; what the system does not permit is an error of the
//! one call that asked for it, so that the caller can go on without.

mod control;
mod datagrams;
mod options;
mod stream;

pub use crate::{
    datagrams::{Datagram, Datagrams, UdpFeed, UdpSettings},
    options::{Refusal, SocketOptions, StampKeeper},
    stream::{KernelStream, Received, Stream},
};
