//! Whether pages may be moved to a disk.

use crate::{
    check::{Check, Group, Looked},
    finding::Finding,
    host::Host,
    subject::Subject,
};

pub(super) const SWAP: Check = Check {
    id: "swap",
    group: Group::Memory,
    why: "a page that comes back from a swap disk stops its thread for milliseconds",
    explain: "A trading host needs no swap. Where it must stay, vm.swappiness should be 0 or 1 and the run's memory locked, which holds \
        for what is mapped privately; the kernel may still throw away pages of the program file and of finished segments. Read from \
        /proc/swaps and /proc/sys/vm/swappiness.",
    look: look_at_swap,
};

/// Up to this the kernel swaps only to avoid running out.
const SWAPPINESS_MAX: i64 = 1;

fn look_at_swap(host: &Host, _: &Subject) -> Looked {
    let table = host.read("/proc/swaps")?;
    let devices: Vec<&str> = table
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    if devices.is_empty() {
        return Ok(Finding::ok("no swap"));
    }
    let swappiness = host.number("/proc/sys/vm/swappiness")?;
    let text = format!(
        "swap on {}, vm.swappiness = {swappiness}",
        devices.join(", ")
    );
    Ok(if swappiness > SWAPPINESS_MAX {
        Finding::bad(text, "swapoff --all")
    } else {
        Finding::warn(text, "swapoff --all")
    })
}
