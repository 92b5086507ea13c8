//! A feed of packets: a batch at a time, handed over in place.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
};

use crate::{
    control::{self, Room},
    options::{Refusal, SocketOptions, set_address_shared, set_overflow_count, set_receive_buffer},
};

/// One packet, for as long as the call that hands it over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// What is in it.
    pub bytes: &'a [u8],
    /// When it entered the kernel, or the card, ns since the Unix epoch; `None` where nothing is stamped.
    pub ts_kernel_ns: Option<i64>,
    /// It was longer than its slot, and its end is lost.
    pub is_cut: bool,
}

/// A source of packets that never waits.
pub trait Datagrams {
    /// Hands over what is there, up to a batch of the source's own choosing, in the order of arrival, and returns how many
    /// those were; 0 = nothing just now.
    ///
    /// # Errors
    /// When the source cannot go on.
    fn receive(&mut self, handle: impl FnMut(Datagram<'_>)) -> io::Result<usize>;

    /// Packets lost so far because nobody took them in time, as far as the source knows.
    fn dropped_count(&self) -> u64;
}

/// Packets that one system call brings at most.
const BATCH: usize = 32;
/// Bytes of a packet's slot: an Ethernet frame without options fits; feeds keep below it.
const SLOT_BYTES: usize = 2048;

/// What a feed listens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UdpSettings {
    /// Address and port; for a multicast group the group's own, so that other groups on that port are not heard.
    pub address: SocketAddr,
    /// The local address of the interface to join the group on (IPv4); `None` = the system's choice.
    pub interface: Option<Ipv4Addr>,
    /// Bytes that may wait in the kernel; 0 = the system's default.
    pub buffer_bytes: u32,
    /// What else is asked for.
    pub options: SocketOptions,
}

/// A packet's slot.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Slot([u8; SLOT_BYTES]);

/// Packets of a UDP socket of the kernel's, a batch a system call.
pub struct UdpFeed {
    socket: UdpSocket,
    slots: Box<[Slot]>,
    rooms: Box<[Room]>,
    /// The last count of the kernel's, which is 32 bits wide and goes round.
    drops_seen: u32,
    dropped_count: u64,
}

impl std::fmt::Debug for UdpFeed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("UdpFeed")
            .field("socket", &self.socket)
            .field("dropped_count", &self.dropped_count)
            .finish_non_exhaustive()
    }
}

impl UdpFeed {
    /// Opens the socket and joins the group, if the address is one. What of the options is refused is told and left out.
    ///
    /// # Errors
    /// When the address cannot be listened to.
    pub fn open(settings: &UdpSettings) -> io::Result<(Self, Vec<Refusal>)> {
        let socket = bind(settings.address)?;
        socket.set_nonblocking(true)?;
        match settings.address.ip() {
            IpAddr::V4(group) if group.is_multicast() => {
                let interface = settings.interface.unwrap_or(Ipv4Addr::UNSPECIFIED);
                socket.join_multicast_v4(&group, &interface)?;
            }
            IpAddr::V6(group) if group.is_multicast() => socket.join_multicast_v6(&group, 0)?,
            IpAddr::V4(_) | IpAddr::V6(_) => {}
        }
        let mut refusals = settings.options.apply(&socket);
        let mut ask = |option: &str, answer: io::Result<()>| {
            if let Err(cause) = answer {
                let option = option.to_owned();
                refusals.push(Refusal { option, cause });
            }
        };
        if settings.buffer_bytes > 0 {
            ask(
                "SO_RCVBUF",
                set_receive_buffer(&socket, settings.buffer_bytes),
            );
        }
        ask("SO_RXQ_OVFL", set_overflow_count(&socket));
        let feed = Self {
            socket,
            // Written here, so that no packet pays for a fresh page.
            slots: vec![Slot([0xa5; SLOT_BYTES]); BATCH].into_boxed_slice(),
            rooms: vec![Room::EMPTY; BATCH].into_boxed_slice(),
            drops_seen: 0,
            dropped_count: 0,
        };
        Ok((feed, refusals))
    }

    /// Where it listens, with the port that the system chose where none was asked for.
    ///
    /// # Errors
    /// The system's.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Up to a batch of packets into the slots. The headers of those that came are in front.
    fn fill(&mut self) -> io::Result<([libc::mmsghdr; BATCH], usize)> {
        // SAFETY: an iovec and an mmsghdr are numbers and pointers, for which all-zero bytes are valid.
        let (mut vectors, mut headers): ([libc::iovec; BATCH], [libc::mmsghdr; BATCH]) =
            unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
        let parts = self.slots.iter_mut().zip(&mut self.rooms);
        for ((vector, header), (slot, room)) in vectors.iter_mut().zip(&mut headers).zip(parts) {
            vector.iov_base = slot.0.as_mut_ptr().cast();
            vector.iov_len = SLOT_BYTES;
            header.msg_hdr.msg_iov = vector;
            header.msg_hdr.msg_iovlen = 1;
            room.offer(&mut header.msg_hdr);
        }
        // SAFETY: every header points to a vector, a slot and a room of its own, all of which outlive the call and are as long
        // as stated; no timeout is passed.
        let count = unsafe {
            libc::recvmmsg(
                self.socket.as_raw_fd(),
                headers.as_mut_ptr(),
                BATCH as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                std::ptr::null_mut(),
            )
        };
        match usize::try_from(count) {
            Ok(count) => Ok((headers, count)),
            Err(_) => Err(io::Error::last_os_error()),
        }
    }

    fn count_drops(&mut self, drops: u32) {
        self.dropped_count += u64::from(drops.wrapping_sub(self.drops_seen));
        self.drops_seen = drops;
    }
}

impl Datagrams for UdpFeed {
    fn receive(&mut self, mut handle: impl FnMut(Datagram<'_>)) -> io::Result<usize> {
        let (headers, count) = match self.fill() {
            Ok(filled) => filled,
            Err(error) => {
                return match error.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(0),
                    _ => Err(error),
                };
            }
        };
        for (index, header) in headers[..count].iter().enumerate() {
            // SAFETY: the kernel filled this header, whose control part points to the room at `index`.
            let said = unsafe { control::read(&header.msg_hdr) };
            if let Some(drops) = said.drops {
                self.count_drops(drops);
            }
            let bytes_count = (header.msg_len as usize).min(SLOT_BYTES);
            handle(Datagram {
                bytes: &self.slots[index].0[..bytes_count],
                ts_kernel_ns: said.ts_kernel_ns,
                is_cut: header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
            });
        }
        Ok(count)
    }

    fn dropped_count(&self) -> u64 {
        self.dropped_count
    }
}

/// A socket that is bound with its address shared, which the standard library cannot ask for.
fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let family = match address {
        SocketAddr::V4(_) => libc::AF_INET,
        SocketAddr::V6(_) => libc::AF_INET6,
    };
    // SAFETY: the call takes three integers.
    let descriptor = unsafe { libc::socket(family, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and nobody else's.
    let socket = unsafe { OwnedFd::from_raw_fd(descriptor) };
    set_address_shared(&socket)?;
    let (name, name_bytes) = socket_name(address);
    // SAFETY: the name is a sockaddr_in or sockaddr_in6 at the start of a larger storage, `name_bytes` of it valid.
    let status = unsafe { libc::bind(socket.as_raw_fd(), (&raw const name).cast(), name_bytes) };
    match status {
        0 => Ok(socket.into()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The address in the kernel's form, with its length.
fn socket_name(address: SocketAddr) -> (libc::sockaddr_storage, libc::socklen_t) {
    // SAFETY: a sockaddr_storage is numbers, for which all-zero bytes are valid.
    let mut name: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    let length = match address {
        SocketAddr::V4(address) => {
            let short = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: address.port().to_be(),
                sin_addr: libc::in_addr {
                    s_addr: u32::from_ne_bytes(address.ip().octets()),
                },
                sin_zero: [0; 8],
            };
            // SAFETY: a sockaddr_storage is larger than a sockaddr_in and at least as strictly aligned.
            unsafe { (&raw mut name).cast::<libc::sockaddr_in>().write(short) };
            size_of::<libc::sockaddr_in>()
        }
        SocketAddr::V6(address) => {
            let short = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: address.port().to_be(),
                sin6_flowinfo: address.flowinfo(),
                sin6_addr: libc::in6_addr {
                    s6_addr: address.ip().octets(),
                },
                sin6_scope_id: address.scope_id(),
            };
            // SAFETY: a sockaddr_storage is larger than a sockaddr_in6 and at least as strictly aligned.
            unsafe { (&raw mut name).cast::<libc::sockaddr_in6>().write(short) };
            size_of::<libc::sockaddr_in6>()
        }
    };
    (name, length as libc::socklen_t)
}
