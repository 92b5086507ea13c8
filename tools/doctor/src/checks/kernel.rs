//! The kernel, what it guards against, and what is below it.

use super::is_virtual;
use crate::{
    check::{Check, Group, Looked},
    finding::Finding,
    host::{Host, Unreadable},
    parse::{argument, soft_limit},
    subject::Subject,
};

pub(super) const MITIGATIONS: Check = Check {
    id: "mitigations",
    group: Group::Kernel,
    why: "guards against side channels make each system call and each indirect branch dearer, by tens to hundreds of ns",
    explain: "On a host that runs nothing but one's own trading programs they may be turned off with mitigations=off; with strangers on the \
        same machine they must stay. That is a decision about security, so it is told and never counted as bad. Read from \
        /sys/devices/system/cpu/vulnerabilities and the kernel's command line.",
    look: |host, _| {
        const FOLDER: &str = "/sys/devices/system/cpu/vulnerabilities";
        if argument(&host.read("/proc/cmdline")?, "mitigations") == Some("off") {
            return Ok(Finding::note("off: nobody else may run on this machine"));
        }
        let names = host.names(FOLDER);
        if names.is_empty() {
            return Err(Unreadable::new(FOLDER, "nothing is listed"));
        }
        let is_guarded = |name: &&String| {
            host.read(&format!("{FOLDER}/{name}"))
                .is_ok_and(|text| text.starts_with("Mitigation"))
        };
        let guarded: Vec<&str> = names
            .iter()
            .filter(is_guarded)
            .map(String::as_str)
            .collect();
        Ok(match guarded.is_empty() {
            true => Finding::ok("none is needed on this processor"),
            false => Finding::note(format!(
                "{} in force: {}",
                guarded.len(),
                guarded.join(", ")
            )),
        })
    },
};

pub(super) const STEAL: Check = Check {
    id: "steal",
    group: Group::Kernel,
    why: "what the hypervisor takes from a core stops the thread on it for 10 us to many milliseconds, and nothing inside can prevent it",
    explain: "The share of time since boot in which a core wanted to run and the hypervisor ran something else (the column `steal` of \
        /proc/stat). More than 1 % is bad, any at all on a machine that should be dedicated is a warning. Bare metal has none.",
    look: look_at_steal,
};

/// Shares of time, ppm.
const STEAL_PPM_MAX: u64 = 10_000;
const STEAL_PPM_GOOD: u64 = 100;

fn look_at_steal(host: &Host, _: &Subject) -> Looked {
    let stat = host.read("/proc/stat")?;
    let refuse = || Unreadable::new("/proc/stat", "the first row is not that of all cores");
    let row = stat
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("cpu "))
        .ok_or_else(refuse)?;
    let ticks: Vec<u64> = row
        .split_whitespace()
        .map_while(|word| word.parse().ok())
        .collect();
    // user nice system idle iowait irq softirq steal; what follows is counted in the first two already.
    let steal = *ticks.get(7).ok_or_else(refuse)?;
    let total: u64 = ticks[..8].iter().sum();
    let share_ppm = steal.saturating_mul(1_000_000) / total.max(1);
    if !is_virtual(host)? && steal == 0 {
        return Ok(Finding::ok("bare metal"));
    }
    let text = format!(
        "a virtual machine; its host took {}.{:02} % of the cores' time",
        share_ppm / 10_000,
        share_ppm % 10_000 / 100
    );
    const FIX: &str = "trade on bare metal, or on an instance with dedicated cores";
    Ok(match share_ppm {
        share if share > STEAL_PPM_MAX => Finding::bad(text, FIX),
        share if share > STEAL_PPM_GOOD => Finding::warn(text, FIX),
        _ => Finding::note(text),
    })
}

pub(super) const OPEN_FILES: Check = Check {
    id: "open-files",
    group: Group::Kernel,
    why: "a session that cannot open its socket again after a lost connection stays away",
    explain: "The number of files and sockets that the process may have open (ulimit -n, systemd: LimitNOFILE=). A run needs a few dozen; \
        below 1024 a host with many sessions and long journals can run out. Read from /proc/self/limits.",
    look: |host, _| {
        const FILES_MIN: u64 = 1024;
        let limit = soft_limit(&host.read("/proc/self/limits")?, "Max open files")
            .ok_or_else(|| Unreadable::new("/proc/self/limits", "no row `Max open files`"))?;
        Ok(match limit {
            u64::MAX => Finding::ok("unlimited"),
            limit if limit < FILES_MIN => {
                Finding::warn(format!("{limit} may be open"), "ulimit -n 65536")
            }
            limit => Finding::ok(format!("{limit} may be open")),
        })
    },
};
