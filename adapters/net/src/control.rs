//! What the kernel says beside received bytes: its stamp, and how many packets were dropped before.

use std::time::{SystemTime, UNIX_EPOCH};

/// Words of room: a stamp is 16 + 48 bytes, a drop count 24; a message that does not fit is cut, never overrun.
const WORDS: usize = 16;

/// Room for control messages, aligned as they want it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room([u64; WORDS]);

impl Room {
    pub(crate) const EMPTY: Self = Self([0; WORDS]);

    /// Points a message header's control part here.
    pub(crate) fn offer(&mut self, header: &mut libc::msghdr) {
        header.msg_control = self.0.as_mut_ptr().cast();
        header.msg_controllen = size_of_val(&self.0);
    }
}

/// What was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// When the packet entered the kernel's network stack, ns since the Unix epoch.
    pub(crate) ts_kernel_ns: Option<i64>,
    /// Packets that this socket dropped so far, because its buffer was full.
    pub(crate) drops: Option<u32>,
}

/// Reads the control messages of a header that `recvmsg` or `recvmmsg` filled.
///
/// # Safety
/// - `header.msg_control` points to `header.msg_controllen` readable bytes, aligned for `cmsghdr`, or the length is 0.
/// - These bytes are control messages as the kernel writes them.
pub(crate) unsafe fn read(header: &libc::msghdr) -> Said {
    let mut said = Said::default();
    // SAFETY: the caller promises a valid control part; the macro gives null or a message wholly inside it.
    let mut message = unsafe { libc::CMSG_FIRSTHDR(header) };
    while !message.is_null() {
        // SAFETY: not null, so a whole header inside the control part; alignment is the caller's promise.
        let (level, kind, length) = unsafe {
            (
                (*message).cmsg_level,
                (*message).cmsg_type,
                (*message).cmsg_len,
            )
        };
        // SAFETY: CMSG_LEN only computes a size.
        let head_bytes = unsafe { libc::CMSG_LEN(0) } as usize;
        let body_bytes = length.saturating_sub(head_bytes);
        // SAFETY: the message's body lies behind its head, `body_bytes` long.
        let body = unsafe { libc::CMSG_DATA(message) };
        if (level, kind) == (libc::SOL_SOCKET, libc::SCM_TIMESTAMPING)
            && body_bytes >= size_of::<libc::timespec>()
        {
            // SAFETY: the body is at least one timespec (the software stamp is the first of three); read without alignment.
            let stamp = unsafe { body.cast::<libc::timespec>().read_unaligned() };
            said.ts_kernel_ns = nanoseconds(&stamp);
        }
        if (level, kind) == (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) && body_bytes >= size_of::<u32>()
        {
            // SAFETY: the body is at least four bytes; read without alignment.
            said.drops = Some(unsafe { body.cast::<u32>().read_unaligned() });
        }
        // SAFETY: as for the first: null or the next message wholly inside the control part.
        message = unsafe { libc::CMSG_NXTHDR(header, message) };
    }
    said
}

/// Zero means that the kernel took none.
fn nanoseconds(stamp: &libc::timespec) -> Option<i64> {
    let ns = stamp
        .tv_sec
        .checked_mul(1_000_000_000)?
        .checked_add(stamp.tv_nsec)?;
    (ns > 0).then_some(ns)
}

/// Time since a kernel stamp, ns, by the clock that made it. Below zero, after a step of the clock, counts as zero.
pub(crate) fn waited_ns(ts_kernel_ns: i64) -> u64 {
    let age = SystemTime::now().duration_since(UNIX_EPOCH);
    let now_ns = age.map_or(0, |age| i64::try_from(age.as_nanos()).unwrap_or(i64::MAX));
    now_ns.saturating_sub(ts_kernel_ns).max(0).unsigned_abs()
}
