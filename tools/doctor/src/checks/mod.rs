//! The checks, one file a part of the host, and the one list of them.

mod clock;
mod cores;
mod interrupts;
mod journal;
mod kernel;
mod memory;
mod network;
mod numa;
mod power;
mod scheduling;
mod swap;

use crate::{
    check::Check,
    host::{Host, Unreadable},
    parse::{cpu_list, row},
    subject::Subject,
};

/// Every check, grouped as it is printed.
pub static CHECKS: &[Check] = &[
    cores::CORES,
    cores::ISOLATED,
    cores::NOHZ_FULL,
    cores::RCU_NOCBS,
    cores::SMT,
    interrupts::IRQ_AFFINITY,
    numa::NUMA,
    power::GOVERNOR,
    power::TURBO,
    power::IDLE_STATES,
    scheduling::PRIORITY,
    scheduling::RT_THROTTLING,
    scheduling::WATCHDOGS,
    memory::LOCKED_MEMORY,
    swap::SWAP,
    memory::TRANSPARENT_HUGE_PAGES,
    memory::HUGE_PAGES,
    clock::CLOCKSOURCE,
    clock::TSC,
    clock::TIME_SYNC,
    kernel::MITIGATIONS,
    kernel::STEAL,
    kernel::OPEN_FILES,
    network::BUSY_POLL,
    network::SOCKET_BUFFERS,
    numa::NETWORK_NODE,
    journal::FILE_SYSTEM,
    journal::MOUNT_OPTIONS,
    journal::SPACE,
    journal::DEVICE,
];

/// Fewer cores than this leave nothing to set apart: one for the system, and one each for ingress, core and egress.
const CORES_TO_ISOLATE_MIN: usize = 4;

/// The cores that are switched on.
fn online(host: &Host) -> Result<Vec<usize>, Unreadable> {
    list(host, "/sys/devices/system/cpu/online")
}

/// The cores that this process may use.
fn allowed(host: &Host) -> Result<Vec<usize>, Unreadable> {
    const STATUS: &str = "/proc/self/status";
    let status = host.read(STATUS)?;
    row(&status, "Cpus_allowed_list")
        .and_then(cpu_list)
        .ok_or_else(|| Unreadable::new(STATUS, "no row Cpus_allowed_list"))
}

/// The cores of the busy threads, or all allowed ones where the kernel places them.
fn busy_cores(host: &Host, subject: &Subject) -> Result<Vec<usize>, Unreadable> {
    if subject.cores.is_empty() {
        return allowed(host);
    }
    Ok(subject.cores.clone())
}

/// A file that holds a list of cores; no file is an error.
fn list(host: &Host, inside: &str) -> Result<Vec<usize>, Unreadable> {
    let text = host.read(inside)?;
    cpu_list(&text).ok_or_else(|| Unreadable::new(inside, format!("`{text}` is no list of cores")))
}

/// A file that holds a list of cores and is missing where the kernel was built without what it tells.
fn list_if_there(host: &Host, inside: &str) -> Result<Option<Vec<usize>>, Unreadable> {
    match host.read_if_there(inside)? {
        None => Ok(None),
        Some(_) => list(host, inside).map(Some),
    }
}

/// Those of `wanted` that `there` lacks.
fn missing(wanted: &[usize], there: &[usize]) -> Vec<usize> {
    let lacks = wanted.iter().filter(|core| !there.contains(core));
    lacks.copied().collect()
}

/// `core 3` or `cores 2-4`.
fn named(cores: &[usize]) -> String {
    let list = crate::parse::list_text(cores);
    match cores.len() {
        1 => format!("core {list}"),
        _ => format!("cores {list}"),
    }
}

/// Whether the kernel says that it runs under a hypervisor.
fn is_virtual(host: &Host) -> Result<bool, Unreadable> {
    Ok(has_cpu_flag(&host.read("/proc/cpuinfo")?, "hypervisor"))
}

/// Whether the first core has a flag.
fn has_cpu_flag(cpuinfo: &str, flag: &str) -> bool {
    let flags = cpuinfo.lines().find(|line| line.starts_with("flags"));
    flags.is_some_and(|line| line.split_whitespace().any(|word| word == flag))
}

/// Whether the process has a capability, by its number.
fn has_capability(host: &Host, number: u32) -> Result<bool, Unreadable> {
    const STATUS: &str = "/proc/self/status";
    let status = host.read(STATUS)?;
    let mask = row(&status, "CapEff").and_then(|text| u64::from_str_radix(text, 16).ok());
    let mask = mask.ok_or_else(|| Unreadable::new(STATUS, "no row CapEff"))?;
    Ok(mask >> number & 1 == 1)
}

/// May lock memory beyond the limit.
const CAP_IPC_LOCK: u32 = 14;
/// May raise priorities.
const CAP_SYS_NICE: u32 = 23;

/// The kernel's version as two numbers.
fn kernel_version(host: &Host) -> Result<(u32, u32), Unreadable> {
    const RELEASE: &str = "/proc/sys/kernel/osrelease";
    let text = host.read(RELEASE)?;
    let mut numbers = text.split(['.', '-']).map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Ok((major, minor)),
        _ => Err(Unreadable::new(RELEASE, format!("`{text}` is no version"))),
    }
}
