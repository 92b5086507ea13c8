//! Pages: whether they may be locked, and who makes large ones of them.

use super::{CAP_IPC_LOCK, has_capability};
use crate::{
    check::{Check, Group, Looked},
    finding::Finding,
    host::{Host, Unreadable},
    parse::{bracketed, bytes_text, row, soft_limit},
    subject::Subject,
};

pub(super) const LOCKED_MEMORY: Check = Check {
    id: "locked-memory",
    group: Group::Memory,
    why: "a page that was taken away costs a fault of microseconds, or of milliseconds where it must come from a disk",
    explain: "A run locks what it has touched (mlockall). Without CAP_IPC_LOCK that is bounded by `Max locked memory` (ulimit -l, \
        systemd: LimitMEMLOCK=infinity); the usual 8 MiB hold neither the rings nor a segment of the journal. Read from \
        /proc/self/limits and /proc/self/status.",
    look: look_at_lock,
};

/// What a run locks beside the journal: code, books, rings, histograms and stacks, generously.
const RUN_BYTES: u64 = 256 << 20;

fn look_at_lock(host: &Host, subject: &Subject) -> Looked {
    if has_capability(host, CAP_IPC_LOCK)? {
        return Ok(Finding::ok("CAP_IPC_LOCK is there"));
    }
    let limits = host.read("/proc/self/limits")?;
    let limit = soft_limit(&limits, "Max locked memory")
        .ok_or_else(|| Unreadable::new("/proc/self/limits", "no row `Max locked memory`"))?;
    // The segment in use and the next two are mapped.
    let needed = RUN_BYTES + 3 * subject.segment_bytes;
    if limit >= needed {
        return Ok(Finding::ok("the limit is high enough"));
    }
    Ok(Finding::bad(
        format!(
            "{} may be locked; a run wants {}",
            bytes_text(limit),
            bytes_text(needed)
        ),
        "setcap cap_sys_nice,cap_ipc_lock,cap_net_admin=ep $(command -v acth)",
    ))
}

pub(super) const TRANSPARENT_HUGE_PAGES: Check = Check {
    id: "transparent-huge-pages",
    group: Group::Memory,
    why: "with `always` the kernel may stop a thread at a page fault to put 2 MiB together, and khugepaged swaps pages under it",
    explain: "`madvise` (or `never`) is right: whoever wants large pages asks for them. ACTH touches its memory before it goes live, so \
        it has little to win from them on the path. `defrag` should not be `always`, else a fault waits for compaction. Read \
        from /sys/kernel/mm/transparent_hugepage.",
    look: look_at_thp,
};

fn look_at_thp(host: &Host, _: &Subject) -> Looked {
    const FOLDER: &str = "/sys/kernel/mm/transparent_hugepage";
    let Some(enabled) = host.read_if_there(&format!("{FOLDER}/enabled"))? else {
        return Ok(Finding::ok("the kernel has none"));
    };
    let word = bracketed(&enabled)
        .ok_or_else(|| Unreadable::new(format!("{FOLDER}/enabled"), "no word is chosen"))?;
    let defrag = host.read(&format!("{FOLDER}/defrag"))?;
    let defrag = bracketed(&defrag).unwrap_or("unknown");
    Ok(if word == "always" {
        Finding::warn(
            format!("enabled = always, defrag = {defrag}"),
            format!("echo madvise > {FOLDER}/enabled"),
        )
    } else if word == "madvise" && defrag == "always" {
        Finding::warn(
            "defrag = always: a fault waits for compaction",
            format!("echo madvise > {FOLDER}/defrag"),
        )
    } else {
        Finding::ok(format!("enabled = {word}, defrag = {defrag}"))
    })
}

pub(super) const HUGE_PAGES: Check = Check {
    id: "huge-pages",
    group: Group::Memory,
    why: "explicit huge pages (2 MiB, 1 GiB) save misses of the address cache; ACTH uses none, so reserved ones are lost memory",
    explain: "Explicit huge pages are taken from memory at boot and only programs that ask for them can use them. ACTH's rings are some \
        hundred KiB and its journal is a file mapping, on which ext4 and xfs give none: nothing was gained by them when it was \
        measured (engine/runtime/DESIGN.md). An AF_XDP or DPDK ingress would want some. Read from /proc/meminfo.",
    look: |host, _| {
        let info = host.read("/proc/meminfo")?;
        let number =
            |name| row(&info, name).and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
        let total = number("HugePages_Total");
        let size_kib = number("Hugepagesize");
        match (total, size_kib) {
            (Some(0), _) => Ok(Finding::ok("none reserved; none needed")),
            (Some(total), Some(size_kib)) => Ok(Finding::note(format!(
                "{total} pages are reserved ({}); ACTH uses none",
                bytes_text(total * size_kib * 1024)
            ))
            .with_fix("sysctl -w vm.nr_hugepages=0")),
            _ => Err(Unreadable::new("/proc/meminfo", "no row HugePages_Total")),
        }
    },
};
