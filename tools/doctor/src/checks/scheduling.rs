//! How the kernel schedules the busy threads.

use super::{CAP_SYS_NICE, has_capability, kernel_version, online};
use crate::{
    check::{Check, Group, Looked},
    finding::Finding,
    host::Host,
    parse::soft_limit,
    subject::{Scheduling, Subject},
};

pub(super) const PRIORITY: Check = Check {
    id: "priority",
    group: Group::Scheduling,
    why: "at ordinary priority a busy thread gives up its core for milliseconds; at nice -20 the worst measured gap was 0.19 ms",
    explain: "The busy threads ask for nice -20 ([engine] scheduling = \"nice\", the default). That needs CAP_SYS_NICE, or a limit \
        of 40 for `Max nice priority` (ulimit -e, systemd: LimitNICE=-20). With scheduling = \"fifo\" it needs CAP_SYS_NICE or \
        `Max realtime priority`.",
    look: look_at_priority,
};

/// The limit that permits nice -20: the kernel counts from 1 (nice 19) to 40 (nice -20).
const NICE_LIMIT_MOST_URGENT: u64 = 40;

fn look_at_priority(host: &Host, subject: &Subject) -> Looked {
    if subject.scheduling == Scheduling::Normal {
        return Ok(Finding::warn(
            "the configuration asks for ordinary priority",
            "set [engine] scheduling = \"nice\"",
        ));
    }
    let limits = host.read("/proc/self/limits")?;
    let (row, needed) = match subject.scheduling {
        Scheduling::Fifo => ("Max realtime priority", 1),
        _ => ("Max nice priority", NICE_LIMIT_MOST_URGENT),
    };
    if has_capability(host, CAP_SYS_NICE)? {
        return Ok(Finding::ok("CAP_SYS_NICE is there"));
    }
    if soft_limit(&limits, row).is_some_and(|limit| limit >= needed) {
        return Ok(Finding::ok(format!("{row} permits it")));
    }
    Ok(Finding::bad(
        "the busy threads may not raise their priority: no CAP_SYS_NICE, and the limit forbids it",
        "setcap cap_sys_nice,cap_ipc_lock,cap_net_admin=ep $(command -v acth)",
    ))
}

pub(super) const RT_THROTTLING: Check = Check {
    id: "rt-throttling",
    group: Group::Scheduling,
    why: "a SCHED_FIFO thread that spins loses about 47 ms of every second in one piece, by this very rule",
    explain: "The kernel lets real-time tasks use sched_rt_runtime_us of every sched_rt_period_us (950 ms of 1 s), and since Linux 6.12 \
        a fair server gives ordinary tasks 50 ms of every second on each core. A thread that spins at SCHED_FIFO runs into it every \
        second: measured, 47 ms lost in one piece, 5.9 % of its time, against 0.19 ms at worst with nice -20. So ACTH does not use \
        FIFO unless it is asked to ([engine] scheduling = \"fifo\"). If it is, sched_rt_runtime_us must be -1 and, from 6.12 on, \
        the fair server's runtime 0 on the busy cores (/sys/kernel/debug/sched/fair_server/cpuN/runtime), and the cores \
        must be isolated: nothing else will ever run there, the kernel's own threads included.",
    look: look_at_throttling,
};

/// The first kernel with the fair server.
const FAIR_SERVER_SINCE: (u32, u32) = (6, 12);
const RT_FIX: &str = "set [engine] scheduling = \"nice\"; or: sysctl -w kernel.sched_rt_runtime_us=-1, and from Linux 6.12 on \
    echo 0 > /sys/kernel/debug/sched/fair_server/cpuN/runtime for each busy core";

fn look_at_throttling(host: &Host, subject: &Subject) -> Looked {
    let runtime_us = host.number("/proc/sys/kernel/sched_rt_runtime_us")?;
    if subject.scheduling != Scheduling::Fifo {
        return Ok(Finding::ok(format!(
            "sched_rt_runtime_us = {runtime_us}; the busy threads do not use SCHED_FIFO"
        )));
    }
    if runtime_us >= 0 {
        return Ok(Finding::bad(
            format!(
                "SCHED_FIFO is asked for and sched_rt_runtime_us = {runtime_us}: tens of milliseconds are lost every second"
            ),
            RT_FIX,
        ));
    }
    if kernel_version(host)? < FAIR_SERVER_SINCE {
        return Ok(Finding::ok("SCHED_FIFO is asked for and throttling is off"));
    }
    for core in &subject.cores {
        let path = format!("/sys/kernel/debug/sched/fair_server/cpu{core}/runtime");
        if host.number(&path)? != 0 {
            return Ok(Finding::bad(
                format!(
                    "SCHED_FIFO is asked for and the fair server takes its share of core {core}"
                ),
                RT_FIX,
            ));
        }
    }
    Ok(Finding::ok(
        "SCHED_FIFO is asked for; throttling and the fair server are off",
    ))
}

pub(super) const WATCHDOGS: Check = Check {
    id: "watchdogs",
    group: Group::Scheduling,
    why: "the kernel's lock-up watchdogs run a thread and a counter interrupt on every core, the busy ones included",
    explain: "nmi_watchdog uses a performance counter and interrupts each core every few seconds; the soft watchdog wakes a thread of \
        the highest priority there. Turn them off, or keep them on the other cores with kernel.watchdog_cpumask. Where the \
        busy cores are in nohz_full the kernel leaves them out by itself.",
    look: look_at_watchdogs,
};

fn look_at_watchdogs(host: &Host, subject: &Subject) -> Looked {
    let nmi = host.read_if_there("/proc/sys/kernel/nmi_watchdog")?;
    let soft = host.read_if_there("/proc/sys/kernel/watchdog")?;
    let is_on = |text: &Option<String>| text.as_deref().is_some_and(|text| text != "0");
    if !is_on(&nmi) && !is_on(&soft) {
        return Ok(Finding::ok("off"));
    }
    let mask = super::list_if_there(host, "/proc/sys/kernel/watchdog_cpumask")?;
    let watched = mask.map_or_else(|| online(host), Ok)?;
    let is_spared =
        !subject.cores.is_empty() && !subject.cores.iter().any(|core| watched.contains(core));
    if is_spared {
        return Ok(Finding::ok("on, but not on the busy cores"));
    }
    let word = if is_on(&nmi) {
        "the NMI watchdog is on"
    } else {
        "the soft lock-up watchdog is on"
    };
    Ok(Finding::warn(
        format!("{word} for the busy cores"),
        "sysctl -w kernel.nmi_watchdog=0 kernel.watchdog=0",
    ))
}
