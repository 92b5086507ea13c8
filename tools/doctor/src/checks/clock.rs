//! Time: how it is read and whether it is right.

use super::{has_cpu_flag, is_virtual};
use crate::{
    check::{Check, Group, Looked},
    finding::Finding,
    host::{Host, Unreadable},
    subject::Subject,
};

pub(super) const CLOCKSOURCE: Check = Check {
    id: "clocksource",
    group: Group::Clock,
    why: "reading any other clock than the TSC is a system call or a device access: 200 ns to 2 us for each stamp",
    explain: "The kernel gives the time through the TSC when it trusts it. If it has given up on it (`tsc: Marking unstable` in dmesg) or a \
        hypervisor offers its own, every stamp costs more. Read from \
        /sys/devices/system/clocksource/clocksource0/current_clocksource and available_clocksource.",
    look: look_at_source,
};

fn look_at_source(host: &Host, _: &Subject) -> Looked {
    const FOLDER: &str = "/sys/devices/system/clocksource/clocksource0";
    let current = host.read(&format!("{FOLDER}/current_clocksource"))?;
    let available = host.read(&format!("{FOLDER}/available_clocksource"))?;
    let has_tsc = available.split(' ').any(|name| name == "tsc");
    let fix = match has_tsc {
        true => format!("echo tsc > {FOLDER}/current_clocksource"),
        false => {
            "kernel command line: clocksource=tsc tsc=reliable (first see dmesg | grep -i tsc)"
                .to_owned()
        }
    };
    Ok(match current.as_str() {
        "tsc" => Finding::ok("tsc"),
        // These two are read without a system call too, but with more steps.
        "kvm-clock" | "hyperv_clocksource_tsc_page" => Finding::warn(current, fix),
        _ => Finding::bad(format!("{current}, of {available}"), fix),
    })
}

pub(super) const TSC: Check = Check {
    id: "tsc",
    group: Group::Clock,
    why: "a counter that changes speed or stops when a core sleeps makes every measured latency wrong",
    explain: "The TSC must count at one speed (constant_tsc) and go on in every idle state (nonstop_tsc). Read from the flags in \
        /proc/cpuinfo. In a virtual machine the flags are what the hypervisor shows.",
    look: |host, _| {
        let info = host.read("/proc/cpuinfo")?;
        if !info.lines().any(|line| line.starts_with("flags")) {
            return Err(Unreadable::new("/proc/cpuinfo", "no row `flags`"));
        }
        let flags = ["constant_tsc", "nonstop_tsc"];
        let lacking: Vec<&str> = flags
            .into_iter()
            .filter(|flag| !has_cpu_flag(&info, flag))
            .collect();
        if lacking.is_empty() {
            return Ok(Finding::ok("constant_tsc and nonstop_tsc"));
        }
        let text = format!("the processor does not claim {}", lacking.join(" and "));
        Ok(match is_virtual(host)? {
            true => Finding::warn(
                text,
                "let the hypervisor show an invariant TSC (QEMU: -cpu host,+invtsc)",
            ),
            false => Finding::bad(text, "use a processor with an invariant TSC"),
        })
    },
};

pub(super) const TIME_SYNC: Check = Check {
    id: "time-sync",
    group: Group::Clock,
    why: "latency against the venue's stamps, and the order of events across venues, are only as right as the clock",
    explain: "Asks the kernel (adjtimex) whether something disciplines its clock and what error that program states. chrony with \
        hardware timestamps or PTP (ptp4l and phc2sys) brings a colocated host below a microsecond. A bound above 100 ms, or none at all, \
        is bad; above 1 ms it is a warning. What the program knows: chronyc tracking.",
    look: look_at_sync,
};

/// Bounds of the stated error, us.
const ERROR_US_GOOD: i64 = 1_000;
const ERROR_US_MAX: i64 = 100_000;

fn look_at_sync(host: &Host, _: &Subject) -> Looked {
    let state = host
        .system()
        .time_state()
        .map_err(|cause| Unreadable::new("the kernel's clock", cause))?;
    let leap = if state.is_leap_due {
        "; a leap second is due"
    } else {
        ""
    };
    if !state.is_synchronised {
        return Ok(Finding::bad(
            format!("nothing disciplines the clock{leap}"),
            "systemctl enable --now chronyd",
        ));
    }
    let text = format!(
        "synchronised, error at most {} us, estimated {} us{leap}",
        state.error_us_max, state.error_us
    );
    const FIX: &str =
        "chronyc tracking; chronyc sources -v: choose nearer sources, turn hwtimestamp on";
    Ok(match state.error_us_max {
        error if error > ERROR_US_MAX => Finding::bad(text, FIX),
        error if error > ERROR_US_GOOD => Finding::warn(text, FIX),
        _ => Finding::ok(text),
    })
}
