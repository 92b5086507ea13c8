//! The few facts that no file tells: free space, the state of the kernel's clock, and whether a socket option is permitted.
//!
//! The real one makes three system calls, the only unsafe code of the crate; tests put their own answers in its place.

use std::{
    ffi::CString,
    io,
    net::{Ipv4Addr, UdpSocket},
    os::{fd::AsRawFd, unix::ffi::OsStrExt},
    path::Path,
};

/// Space of a file system, for this user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// All of it.
    pub total_bytes: u64,
    /// What may still be used.
    pub free_bytes: u64,
    /// Files that may still be made; 0 where the file system does not count them.
    pub free_files: u64,
}

/// What the kernel says about its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeState {
    /// Something disciplines the clock and says so.
    pub is_synchronised: bool,
    /// Bound of the error, as the disciplining program states it, us.
    pub error_us_max: i64,
    /// Its estimate of the error, us.
    pub error_us: i64,
    /// A leap second is about to be put in or taken out.
    pub is_leap_due: bool,
}

/// Facts behind system calls.
pub trait System {
    /// Space of the file system that `path` is on.
    ///
    /// # Errors
    /// The system's.
    fn space(&self, path: &Path) -> io::Result<Space>;

    /// State of the clock.
    ///
    /// # Errors
    /// The system's.
    fn time_state(&self) -> io::Result<TimeState>;

    /// Asks for busy polling of this many us on a socket that is closed again: kernels differ in whom they permit it.
    ///
    /// # Errors
    /// The system's; `PermissionDenied` where it is not permitted.
    fn try_busy_poll(&self, time_us: u32) -> io::Result<()>;
}

/// The kernel that this process runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kernel;

impl System for Kernel {
    fn space(&self, path: &Path) -> io::Result<Space> {
        let path = CString::new(path.as_os_str().as_bytes())?;
        let mut facts = std::mem::MaybeUninit::<libc::statvfs>::uninit();
        // SAFETY: the path ends in a zero byte and outlives the call; the call writes at most one statvfs into `facts`.
        let status = unsafe { libc::statvfs(path.as_ptr(), facts.as_mut_ptr()) };
        if status != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call succeeded, so it filled the whole struct.
        let facts = unsafe { facts.assume_init() };
        Ok(Space {
            total_bytes: facts.f_blocks.saturating_mul(facts.f_frsize),
            free_bytes: facts.f_bavail.saturating_mul(facts.f_frsize),
            free_files: facts.f_favail,
        })
    }

    fn time_state(&self) -> io::Result<TimeState> {
        let mut facts = std::mem::MaybeUninit::<libc::timex>::zeroed();
        // SAFETY: all-zero bytes are a valid timex; with modes = 0 the call only reads the clock's state into it.
        let state = unsafe { libc::adjtimex(facts.as_mut_ptr()) };
        if state < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: zeroed above and filled by the call: valid either way.
        let facts = unsafe { facts.assume_init() };
        Ok(TimeState {
            is_synchronised: state != libc::TIME_ERROR && facts.status & libc::STA_UNSYNC == 0,
            error_us_max: facts.maxerror,
            error_us: facts.esterror,
            is_leap_due: facts.status & (libc::STA_INS | libc::STA_DEL) != 0,
        })
    }

    fn try_busy_poll(&self, time_us: u32) -> io::Result<()> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let time_us = libc::c_int::try_from(time_us).unwrap_or(libc::c_int::MAX);
        // SAFETY: the descriptor is open for the whole call; the kernel reads one c_int, whose size is passed.
        let status = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_BUSY_POLL,
                (&raw const time_us).cast(),
                size_of::<libc::c_int>() as libc::socklen_t,
            )
        };
        match status {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}
