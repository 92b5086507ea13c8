//! What is asked of the kernel for a socket.

use std::{
    io,
    net::{Ipv4Addr, UdpSocket},
    os::fd::{AsFd, AsRawFd},
};

use libc::{c_int, c_uint};

/// What is asked of the kernel for a socket of market data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketOptions {
    /// How long a read that finds nothing polls the network card's queue, us; 0 = off.
    pub busy_poll_us: u32,
    /// Have the kernel stamp what it receives, so that the time until the read is known.
    pub is_stamped: bool,
}

/// An option that the system refused; the socket works without.
#[derive(Debug, thiserror::Error)]
#[error("{option} is refused: {cause}")]
pub struct Refusal {
    /// What was asked for.
    pub option: String,
    /// The system's answer.
    pub cause: io::Error,
}

impl SocketOptions {
    /// Asks for all of it. What is refused is left out and told.
    pub fn apply(&self, socket: &impl AsFd) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if self.busy_poll_us > 0
            && let Err(cause) = set_busy_poll(socket, self.busy_poll_us)
        {
            let option = format!("SO_BUSY_POLL {} us", self.busy_poll_us);
            refusals.push(Refusal { option, cause });
        }
        if self.is_stamped
            && let Err(cause) = set_receive_stamps(socket)
        {
            let option = "SO_TIMESTAMPING".to_owned();
            refusals.push(Refusal { option, cause });
        }
        refusals
    }
}

/// Some kernels want CAP_NET_ADMIN for more than net.core.busy_read.
fn set_busy_poll(socket: &impl AsFd, time_us: u32) -> io::Result<()> {
    let time_us = c_int::try_from(time_us).unwrap_or(c_int::MAX);
    set(socket, libc::SO_BUSY_POLL, time_us)
}

/// Software stamps: taken where the packet enters the kernel's network stack, by the clock CLOCK_REALTIME. The kernel begins to
/// stamp some milliseconds after the first socket of the host has asked: what comes before has none.
fn set_receive_stamps(socket: &impl AsFd) -> io::Result<()> {
    let wanted: c_uint = libc::SOF_TIMESTAMPING_RX_SOFTWARE | libc::SOF_TIMESTAMPING_SOFTWARE;
    set(socket, libc::SO_TIMESTAMPING, wanted.cast_signed())
}

/// Keeps the kernel stamping packets. It begins some milliseconds after the first socket of the host has asked, by a worker on the
/// core that asked: on a core that a busy thread spins on, that worker must wait for its share. So this is held from before the
/// busy threads start.
#[derive(Debug)]
pub struct StampKeeper {
    _socket: UdpSocket,
}

impl StampKeeper {
    /// Asks, with a socket of its own that nothing is ever sent to.
    ///
    /// # Errors
    /// The system's.
    pub fn begin() -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        set_receive_stamps(&socket)?;
        Ok(Self { _socket: socket })
    }
}

/// The kernel doubles what it is given, and cuts it to net.core.rmem_max first.
pub(crate) fn set_receive_buffer(socket: &impl AsFd, bytes: u32) -> io::Result<()> {
    let bytes = c_int::try_from(bytes).unwrap_or(c_int::MAX);
    set(socket, libc::SO_RCVBUF, bytes)
}

/// Counts packets that were dropped because the buffer was full, and says so beside each packet.
pub(crate) fn set_overflow_count(socket: &impl AsFd) -> io::Result<()> {
    set(socket, libc::SO_RXQ_OVFL, 1)
}

/// Lets several sockets of this host listen to one port, as every reader of a multicast feed does.
pub(crate) fn set_address_shared(socket: &impl AsFd) -> io::Result<()> {
    set(socket, libc::SO_REUSEADDR, 1)
}

fn set(socket: &impl AsFd, option: c_int, value: c_int) -> io::Result<()> {
    // SAFETY: the descriptor is borrowed and open for the whole call; the kernel reads one c_int, whose size is passed.
    let status = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            option,
            (&raw const value).cast(),
            size_of::<c_int>() as libc::socklen_t,
        )
    };
    match status {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
