//! How fast the cores run, and how long they take to wake.

use super::{busy_cores, is_virtual, named};
use crate::{
    check::{Check, Group, Looked},
    finding::Finding,
    host::Host,
    parse::{argument, list_text},
    subject::Subject,
};

const CPU: &str = "/sys/devices/system/cpu";

/// Waking from a state that takes longer than this shows in the tail, us.
const WAKE_US_MAX: i64 = 10;

pub(super) const GOVERNOR: Check = Check {
    id: "governor",
    group: Group::Power,
    why: "a core that was slowed down to save power takes 10 us to some milliseconds to come up to speed, right when a burst begins",
    explain: "The frequency governor should be `performance` on the busy cores. Read from cpufreq/scaling_governor of each; a virtual \
        machine has none, since its host decides. With intel_pstate or amd-pstate in active mode the energy preference counts as well \
        (energy_performance_preference = performance).",
    look: look_at_governor,
};

fn look_at_governor(host: &Host, subject: &Subject) -> Looked {
    let busy = busy_cores(host, subject)?;
    let mut slow = Vec::new();
    let mut word = String::new();
    let mut is_there = false;
    for &core in &busy {
        let path = format!("{CPU}/cpu{core}/cpufreq/scaling_governor");
        if let Some(governor) = host.read_if_there(&path)? {
            is_there = true;
            if governor != "performance" {
                slow.push(core);
                word = governor;
            }
        }
    }
    if !is_there {
        return Ok(Finding::note(match is_virtual(host)? {
            true => "a virtual machine: its host decides how fast the cores run",
            false => "the kernel does not set the frequency here: see the BIOS",
        }));
    }
    if slow.is_empty() {
        return Ok(Finding::ok(format!("performance on {}", named(&busy))));
    }
    Ok(Finding::bad(
        format!("{word} on {}", named(&slow)),
        "cpupower frequency-set --governor performance",
    ))
}

pub(super) const TURBO: Check = Check {
    id: "turbo",
    group: Group::Power,
    why: "turbo is faster at the median, but its steps stop the core for some 10 us and depend on what the other cores do",
    explain: "Turbo (boost) raises the clock as far as heat and the other cores allow. For the lowest median leave it on; for the \
        steadiest tail turn it off and fix the frequency. Neither is wrong, so this is only told. Read from \
        intel_pstate/no_turbo or cpufreq/boost.",
    look: |host, _| {
        let no_turbo = host.read_if_there(&format!("{CPU}/intel_pstate/no_turbo"))?;
        let boost = host.read_if_there(&format!("{CPU}/cpufreq/boost"))?;
        Ok(match (no_turbo.as_deref(), boost.as_deref()) {
            (Some("1"), _) | (None, Some("0")) => Finding::ok("off: a fixed frequency"),
            (Some(_), _) => Finding::note("on: faster at the median, less steady")
                .with_fix("echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo"),
            (None, Some(_)) => Finding::note("on: faster at the median, less steady")
                .with_fix("echo 0 > /sys/devices/system/cpu/cpufreq/boost"),
            (None, None) => Finding::note("the kernel does not set it here"),
        })
    },
};

pub(super) const IDLE_STATES: Check = Check {
    id: "idle-states",
    group: Group::Power,
    why: "a core that sleeps deeply takes 50 to 200 us to wake, and its caches are empty then",
    explain: "A spinning thread never sleeps, but the cores around it do: the one that serves the network card's interrupt, and every \
        thread that parks. States that take longer than 10 us to wake from should be off on the busy cores. Read from \
        cpuidle/state*/latency and disable. Fix it at boot with processor.max_cstate=1 intel_idle.max_cstate=0 (or idle=poll on \
        a machine that can be cooled), or at run time by holding /dev/cpu_dma_latency open at 0, as tuned does.",
    look: look_at_idle_states,
};

fn look_at_idle_states(host: &Host, subject: &Subject) -> Looked {
    if argument(&host.read("/proc/cmdline")?, "idle") == Some("poll") {
        return Ok(Finding::ok("idle=poll: no core ever sleeps"));
    }
    let mut sleepy = Vec::new();
    let mut deepest_us = 0;
    let mut is_there = false;
    for core in busy_cores(host, subject)? {
        let folder = format!("{CPU}/cpu{core}/cpuidle");
        for state in host.names(&folder) {
            is_there = true;
            let latency_us = host.number(&format!("{folder}/{state}/latency"))?;
            let is_off = host.read(&format!("{folder}/{state}/disable"))? != "0";
            if latency_us > WAKE_US_MAX && !is_off {
                deepest_us = deepest_us.max(latency_us);
                sleepy.push(core);
            }
        }
    }
    sleepy.dedup();
    if !is_there {
        return Ok(Finding::note(match is_virtual(host)? {
            true => "a virtual machine: its host decides how deeply the cores sleep",
            false => "the kernel knows no idle states here",
        }));
    }
    if sleepy.is_empty() {
        return Ok(Finding::ok(format!(
            "no state takes longer than {WAKE_US_MAX} us to wake from"
        )));
    }
    Ok(Finding::warn(
        format!(
            "{} may sleep in a state that takes {deepest_us} us to wake from",
            named(&sleepy)
        ),
        format!(
            "cpupower --cpu {} idle-set --disable-by-latency {WAKE_US_MAX}",
            list_text(&sleepy)
        ),
    ))
}
