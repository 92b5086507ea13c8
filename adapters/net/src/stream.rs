//! A connection: bytes into spare room, bytes out.

use std::{
    io::{self, Write},
    os::fd::{AsFd, AsRawFd},
};

use crate::{
    control::{self, Room},
    options::{Refusal, SocketOptions},
};

/// What one read brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Bytes at the start of the spare room; 0 = the peer has closed its side.
    pub bytes_count: usize,
    /// How long the last of them had been in the kernel when the read returned, ns; `None` where nothing is stamped.
    pub waited_ns: Option<u64>,
}

/// A connection that never waits.
pub trait Stream {
    /// Reads what is there into `spare`, as far as it fits.
    ///
    /// # Errors
    /// `WouldBlock` when nothing is there just now; anything else ends the connection.
    fn read(&mut self, spare: &mut [u8]) -> io::Result<Received>;

    /// Writes what the kernel takes at once and returns how much that was.
    ///
    /// # Errors
    /// `WouldBlock` when it takes nothing just now; anything else ends the connection.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
}

/// A non-blocking socket of the kernel's.
#[derive(Debug)]
pub struct KernelStream<S> {
    socket: S,
    is_stamped: bool,
}

impl<S: AsFd + io::Read + Write> KernelStream<S> {
    /// Takes over a non-blocking socket and asks for what `options` want; what is refused is told and left out.
    pub fn new(socket: S, options: &SocketOptions) -> (Self, Vec<Refusal>) {
        let refusals = options.apply(&socket);
        let stream = Self {
            socket,
            is_stamped: options.is_stamped,
        };
        (stream, refusals)
    }

    /// The socket, for registering it with a poller.
    pub const fn socket_mut(&mut self) -> &mut S {
        &mut self.socket
    }

    /// As `read`, with the kernel's stamp beside the bytes.
    fn read_stamped(&self, spare: &mut [u8]) -> io::Result<Received> {
        let mut room = Room::EMPTY;
        let mut vector = libc::iovec {
            iov_base: spare.as_mut_ptr().cast(),
            iov_len: spare.len(),
        };
        // SAFETY: a msghdr is numbers and pointers, for which all-zero bytes are valid: no name, no vector, no control part.
        let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
        header.msg_iov = &raw mut vector;
        header.msg_iovlen = 1;
        room.offer(&mut header);
        let descriptor = self.socket.as_fd().as_raw_fd();
        // SAFETY: the vector and the control part point to memory that outlives the call and is as long as they say; the
        // descriptor is borrowed from an open socket.
        let count = unsafe { libc::recvmsg(descriptor, &raw mut header, libc::MSG_DONTWAIT) };
        let Ok(bytes_count) = usize::try_from(count) else {
            return Err(io::Error::last_os_error());
        };
        // SAFETY: the kernel filled the header, whose control part still points to `room`.
        let said = unsafe { control::read(&header) };
        Ok(Received {
            bytes_count,
            waited_ns: said.ts_kernel_ns.map(control::waited_ns),
        })
    }
}

impl<S: AsFd + io::Read + Write> Stream for KernelStream<S> {
    #[inline]
    fn read(&mut self, spare: &mut [u8]) -> io::Result<Received> {
        if self.is_stamped {
            return self.read_stamped(spare);
        }
        let bytes_count = self.socket.read(spare)?;
        Ok(Received {
            bytes_count,
            waited_ns: None,
        })
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.write(bytes)
    }
}
