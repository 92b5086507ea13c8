//! Sockets.

use std::io::ErrorKind;

use crate::{
    check::{Check, Group, Looked},
    finding::Finding,
    host::{Host, Unreadable},
    parse::bytes_text,
    subject::Subject,
};

pub(super) const BUSY_POLL: Check = Check {
    id: "busy-poll",
    group: Group::Network,
    why: "without it a packet waits for the card's interrupt and the kernel's own thread: 5 to 30 us before a read can see it",
    explain: "With SO_BUSY_POLL ([engine] busy_poll_us) a read that finds nothing polls the card's queue itself for that long. \
        Whether that is permitted is tried on a socket of its own: older kernels want CAP_NET_ADMIN for more than \
        net.core.busy_read. net.core.busy_poll does the same for poll and epoll. It works on real cards; loopback and most \
        virtual ones have no queue to poll.",
    look: look_at_busy_poll,
};

fn look_at_busy_poll(host: &Host, subject: &Subject) -> Looked {
    let read_us = host.number("/proc/sys/net/core/busy_read")?;
    let poll_us = host.number("/proc/sys/net/core/busy_poll")?;
    let wanted_us = i64::from(subject.busy_poll_us);
    let text = format!(
        "busy_poll_us = {wanted_us}, net.core.busy_read = {read_us}, net.core.busy_poll = {poll_us}"
    );
    if wanted_us == 0 && read_us == 0 {
        return Ok(Finding::note(text)
            .with_fix("set [engine] busy_poll_us = 50 (real cards; not for loopback)"));
    }
    match host.system().try_busy_poll(subject.busy_poll_us) {
        Err(cause) if cause.kind() == ErrorKind::PermissionDenied => Ok(Finding::bad(
            format!("{text}; the kernel does not permit the socket option: {cause}"),
            format!("sysctl -w net.core.busy_read={wanted_us}, or give CAP_NET_ADMIN"),
        )),
        Err(cause) => Err(Unreadable::new("SO_BUSY_POLL", cause)),
        Ok(()) => Ok(Finding::ok(text)),
    }
}

pub(super) const SOCKET_BUFFERS: Check = Check {
    id: "socket-buffers",
    group: Group::Network,
    why: "a burst that does not fit the socket's buffer is lost with UDP, and with TCP closes the window for a round trip",
    explain: "net.core.rmem_max bounds what a socket may ask for, tcp_rmem what TCP grows to by itself. A feed that bursts to 1 Gbit/s \
        fills 4 MiB in 32 ms.",
    look: |host, _| {
        const BYTES_MIN: u64 = 4 << 20;
        let most = host.number("/proc/sys/net/core/rmem_max")?.unsigned_abs();
        let text = format!("net.core.rmem_max = {}", bytes_text(most));
        Ok(match most < BYTES_MIN {
            true => Finding::warn(
                text,
                "sysctl -w net.core.rmem_max=16777216 'net.ipv4.tcp_rmem=4096 1048576 16777216'",
            ),
            false => Finding::ok(text),
        })
    },
};
