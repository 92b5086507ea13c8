//! Memory that is present before it is needed.
//!
//! A page is made when it is first written: about 0.5 us on bare metal, 10 us in a virtual machine whose own memory is
//! fresh. Books, rings and histograms hold megabytes that are reserved at the start and written much later, so without
//! this every new price level could pay it on the path.
//!
//! Nothing is known here of who owns which bytes: the kernel is asked to make every private writable page of the
//! process present. That changes no content.

use std::{fs, io};

/// Stack that a busy thread touches before it begins, bytes: more than its deepest calls use, less than a thread has.
const STACK_TOUCHED_BYTES: usize = 256 * 1024;

/// Touches the calling thread's stack: a fresh page costs a fault of microseconds, in a virtual machine more.
#[inline(never)]
pub(crate) fn touch_stack() {
    let mut pages = [0_u8; STACK_TOUCHED_BYTES];
    std::hint::black_box(&mut pages);
}

/// Asks for the lines behind this item, as many as it has itself, for writing and without waiting: where items lie in a row, the next
/// one is then stored without waiting for another core to give its lines up.
#[inline(always)]
pub(crate) fn claim_next<T>(item: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        let next = item.wrapping_add(1).cast::<u8>();
        for offset in (0..size_of::<T>()).step_by(LINE_BYTES) {
            // SAFETY: a prefetch reads and writes nothing and cannot fault, wherever it points.
            unsafe {
                // A processor that does not know it takes the instruction for none.
                std::arch::asm!(
                    "prefetchw [{line}]",
                    line = in(reg) next.wrapping_add(offset),
                    options(nostack, preserves_flags)
                );
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = item;
}

/// Bytes of a cache line.
#[cfg(target_arch = "x86_64")]
const LINE_BYTES: usize = 64;

/// A mapping larger than this is left alone: nothing of a run is that large, and memory is not endless.
const MAPPING_BYTES_MAX: usize = 1 << 30;

/// Makes every private, writable page that belongs to no file present, and says how many bytes those are.
///
/// # Errors
/// When the list of mappings cannot be read or the kernel cannot do it (before Linux 5.14).
pub(crate) fn populate() -> io::Result<usize> {
    let maps = fs::read_to_string("/proc/self/maps")?;
    let mut present_bytes = 0;
    for (first, bytes) in maps.lines().filter_map(private_memory) {
        // SAFETY: populating writes no content and unmaps nothing, so whatever is mapped there by now stays what it is; an
        // address that is no longer mapped is refused with an error.
        let status = unsafe {
            libc::madvise(
                std::ptr::without_provenance_mut(first),
                bytes,
                libc::MADV_POPULATE_WRITE,
            )
        };
        match (status, io::Error::last_os_error().raw_os_error()) {
            (0, _) => present_bytes += bytes,
            // Another thread has given it back since the list was read.
            (_, Some(libc::ENOMEM | libc::EFAULT)) => {}
            (_, code) => return Err(io::Error::from_raw_os_error(code.unwrap_or(libc::EINVAL))),
        }
    }
    Ok(present_bytes)
}

/// Address and length of a row of the list that is private, writable and of no file; the first thread's stack, which
/// grows by itself, is not.
fn private_memory(row: &str) -> Option<(usize, usize)> {
    // 7f0c5a000000-7f0c5a021000 rw-p 00000000 00:00 0          [heap]
    let mut words = row.split_ascii_whitespace();
    let (first, end) = words.next()?.split_once('-')?;
    let is_private = words.next()? == "rw-p";
    let is_of_no_file = words.nth(2)? == "0";
    let name = words.next().unwrap_or_default();
    let first = usize::from_str_radix(first, 16).ok()?;
    let bytes = usize::from_str_radix(end, 16).ok()?.checked_sub(first)?;
    let is_wanted = is_private && is_of_no_file && bytes <= MAPPING_BYTES_MAX;
    (is_wanted && (name.is_empty() || name == "[heap]")).then_some((first, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_memory_of_no_file_is_taken() {
        let rows = [
            ("1000-3000 rw-p 00000000 00:00 0 ", Some((0x1000, 0x2000))),
            (
                "1000-3000 rw-p 00000000 00:00 0 [heap]",
                Some((0x1000, 0x2000)),
            ),
            ("1000-3000 rw-p 00000000 00:00 0 [stack]", None),
            ("1000-3000 ---p 00000000 00:00 0", None),
            ("1000-3000 rw-s 00000000 00:00 0", None),
            ("1000-3000 rw-p 00000000 08:01 77 /usr/lib/x.so", None),
            ("0-80000000 rw-p 00000000 00:00 0", None),
            ("nonsense", None),
        ];
        for (row, wanted) in rows {
            assert_eq!(private_memory(row), wanted, "{row}");
        }
    }
}
