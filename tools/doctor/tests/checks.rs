//! Single findings that hang on one file: each row changes the well-tuned host in one place.

mod support;

use acth_doctor::{Scheduling, Severity, TimeState};
use support::{Fabricated, expect};

/// Check, file, its new text, what must come of it, a part of the sentence.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    Severity,
    &'static str,
);

const CPU: &str = "/sys/devices/system/cpu";

#[test]
fn one_file_decides() {
    use Severity::{Bad, Note, Ok, Unknown, Warn};
    let rows: [Row; 38] = [
        (
            "cores",
            "/sys/devices/system/cpu/online",
            "0-5",
            Bad,
            "cores 6-7 not switched on",
        ),
        (
            "cores",
            "/proc/self/status",
            "Cpus_allowed_list: 0-6",
            Bad,
            "core 7 not allowed",
        ),
        (
            "isolated-cores",
            "/sys/devices/system/cpu/isolated",
            "6-7",
            Bad,
            "core 5 of the busy threads: not isolated",
        ),
        (
            "isolated-cores",
            "/sys/devices/system/cpu/isolated",
            "x",
            Unknown,
            "no list of cores",
        ),
        (
            "isolated-cores",
            "/sys/devices/system/cpu/online",
            "0-1",
            Note,
            "2 cores: too few",
        ),
        (
            "nohz-full",
            "/sys/devices/system/cpu/nohz_full",
            "(null)",
            Bad,
            "not free of the tick",
        ),
        ("rcu-nocbs", "/proc/cmdline", "nohz_full=5-7", Ok, "5-7"),
        ("rcu-nocbs", "/proc/cmdline", "rcu_nocbs=all", Ok, "0-7"),
        (
            "rcu-nocbs",
            "/proc/cmdline",
            "rcu_nocbs=7-5",
            Unknown,
            "no list",
        ),
        (
            "smt-siblings",
            "/sys/devices/system/cpu/smt/active",
            "1",
            Ok,
            "switched off",
        ),
        (
            "irq-affinity",
            "/proc/irq/24/effective_affinity_list",
            "7",
            Warn,
            "1 of 3 interrupts",
        ),
        (
            "irq-affinity",
            "/proc/irq/24/effective_affinity_list",
            "",
            Ok,
            "none of 3",
        ),
        (
            "numa",
            "/sys/devices/system/node/node0/cpulist",
            "0-3",
            Ok,
            "one node",
        ),
        (
            "governor",
            "/sys/devices/system/cpu/cpu6/cpufreq/scaling_governor",
            "schedutil",
            Bad,
            "schedutil on core 6",
        ),
        (
            "governor",
            "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
            "powersave",
            Ok,
            "performance on cores 5-7",
        ),
        (
            "turbo",
            "/sys/devices/system/cpu/intel_pstate/no_turbo",
            "0",
            Note,
            "on",
        ),
        (
            "idle-states",
            "/proc/cmdline",
            "quiet",
            Ok,
            "longer than 10 us",
        ),
        (
            "rt-throttling",
            "/proc/sys/kernel/sched_rt_runtime_us",
            "-1",
            Ok,
            "do not use SCHED_FIFO",
        ),
        (
            "watchdogs",
            "/proc/sys/kernel/nmi_watchdog",
            "1",
            Warn,
            "NMI watchdog",
        ),
        (
            "locked-memory",
            "/proc/self/status",
            "CapEff: 0",
            Ok,
            "limit is high enough",
        ),
        (
            "priority",
            "/proc/self/status",
            "CapEff: 0",
            Ok,
            "Max nice priority permits it",
        ),
        (
            "swap",
            "/proc/swaps",
            "Filename\n/swapfile file 1 0 -2",
            Warn,
            "swappiness = 1",
        ),
        (
            "transparent-huge-pages",
            "/sys/kernel/mm/transparent_hugepage/defrag",
            "[always] never",
            Warn,
            "compaction",
        ),
        (
            "huge-pages",
            "/proc/meminfo",
            "HugePages_Total: 512\nHugepagesize: 2048 kB",
            Note,
            "1.0 GiB",
        ),
        (
            "clocksource",
            "/sys/devices/system/clocksource/clocksource0/current_clocksource",
            "kvm-clock",
            Warn,
            "kvm-clock",
        ),
        (
            "tsc",
            "/proc/cpuinfo",
            "flags : hypervisor constant_tsc",
            Warn,
            "nonstop_tsc",
        ),
        (
            "mitigations",
            "/sys/devices/system/cpu/vulnerabilities/mds",
            "Mitigation: Clear",
            Note,
            "mds",
        ),
        (
            "steal",
            "/proc/stat",
            "cpu 1000 0 0 98800 0 0 0 20 0 0",
            Warn,
            "0.02 %",
        ),
        (
            "steal",
            "/proc/stat",
            "cpu 1000 0 0 9000 0 0 0 200 0 0",
            Bad,
            "1.96 %",
        ),
        ("steal", "/proc/stat", "intr 5", Unknown, "/proc/stat"),
        (
            "open-files",
            "/proc/self/limits",
            "Max open files unlimited unlimited files",
            Ok,
            "unlimited",
        ),
        (
            "busy-poll",
            "/proc/sys/net/core/busy_read",
            "0",
            Ok,
            "busy_poll_us = 50",
        ),
        (
            "network-node",
            "/sys/class/net/eth0/operstate",
            "down",
            Note,
            "no interface",
        ),
        (
            "journal-filesystem",
            "/proc/self/mountinfo",
            "1 1 0:1 / / rw - overlay overlay rw",
            Bad,
            "container",
        ),
        (
            "journal-filesystem",
            "/proc/self/mountinfo",
            "1 1 0:1 / /data rw - nfs4 box:/x rw",
            Bad,
            "not on this machine",
        ),
        (
            "journal-filesystem",
            "/proc/self/mountinfo",
            "1 1 0:1 / /data rw - btrfs /dev/sda rw",
            Warn,
            "btrfs",
        ),
        (
            "journal-mount",
            "/proc/self/mountinfo",
            "1 1 0:1 / /data rw,relatime - ext4 /dev/sda rw",
            Note,
            "relatime",
        ),
        (
            "journal-device",
            "/sys/dev/block/259:1/queue/rotational",
            "1",
            Warn,
            "turns",
        ),
    ];
    let host = Fabricated::well_tuned();
    for (id, path, text, severity, part) in rows {
        let before = std::fs::read_to_string(host.path(path));
        host.put(path, text);
        let row = host.look(id);
        expect(&row, severity);
        assert!(row.finding.contains(part), "{part}: {row:?}");
        match before {
            Result::Ok(before) => host.put(path, &before),
            Err(_) => host.remove(path),
        }
    }
}

#[test]
fn fifo_is_only_ok_where_neither_throttling_nor_the_fair_server_is_left() {
    let mut host = Fabricated::well_tuned();
    host.subject.scheduling = Scheduling::Fifo;
    expect(&host.look("rt-throttling"), Severity::Bad);
    host.put("/proc/sys/kernel/sched_rt_runtime_us", "-1");
    // The fair server's share cannot be read without debugfs.
    expect(&host.look("rt-throttling"), Severity::Unknown);
    for (core, runtime, severity) in [
        (5, "0", Severity::Unknown),
        (6, "0", Severity::Unknown),
        (7, "50000000", Severity::Bad),
    ] {
        host.put(
            &format!("/sys/kernel/debug/sched/fair_server/cpu{core}/runtime"),
            runtime,
        );
        expect(&host.look("rt-throttling"), severity);
    }
    host.put("/sys/kernel/debug/sched/fair_server/cpu7/runtime", "0");
    expect(&host.look("rt-throttling"), Severity::Ok);
    host.put("/proc/sys/kernel/osrelease", "5.15.0");
    host.put("/sys/kernel/debug/sched/fair_server/cpu7/runtime", "1");
    expect(&host.look("rt-throttling"), Severity::Ok);
}

#[test]
fn the_newest_and_deepest_mount_counts() {
    let host = Fabricated::well_tuned();
    host.put(
        "/proc/self/mountinfo",
        "1 1 8:1 / / rw - tmpfs tmpfs rw\n2 1 8:2 / /data rw - tmpfs tmpfs rw\n\
         3 1 8:3 / /data rw - ext4 /dev/sdb rw,noatime\n4 1 8:4 / /data2 rw - nfs box:/ rw\n",
    );
    let row = host.look("journal-filesystem");
    expect(&row, Severity::Ok);
    assert!(row.finding.contains("/dev/sdb"), "{row:?}");
}

#[test]
fn free_space_is_held_against_the_marks_of_the_journal() {
    let mut host = Fabricated::well_tuned();
    host.subject.space_low_bytes = 100 << 20;
    for (free, severity) in [
        (99 << 20, Severity::Bad),
        (150 << 20, Severity::Warn),
        (200 << 20, Severity::Ok),
    ] {
        host.facts.free_bytes = Some(free);
        expect(&host.look("journal-space"), severity);
    }
}

#[test]
fn the_stated_error_of_the_clock_has_bounds() {
    let mut host = Fabricated::well_tuned();
    for (error_us_max, severity) in [
        (900, Severity::Ok),
        (5_000, Severity::Warn),
        (200_000, Severity::Bad),
    ] {
        host.facts.time = Some(TimeState {
            is_synchronised: true,
            error_us_max,
            error_us: 1,
            is_leap_due: true,
        });
        let row = host.look("time-sync");
        expect(&row, severity);
        assert!(row.finding.contains("leap second"), "{row:?}");
    }
    host.facts.time = None;
    expect(&host.look("time-sync"), Severity::Unknown);
}

#[test]
fn a_virtual_machine_is_not_blamed_for_what_its_host_decides() {
    let host = Fabricated::well_tuned();
    host.put(
        "/proc/cpuinfo",
        "flags : hypervisor constant_tsc nonstop_tsc\n",
    );
    host.put("/proc/cmdline", "quiet\n");
    for core in 0..8 {
        host.remove(&format!("{CPU}/cpu{core}/cpufreq/scaling_governor"));
        for state in 0..3 {
            for file in ["latency", "disable"] {
                host.remove(&format!("{CPU}/cpu{core}/cpuidle/state{state}/{file}"));
            }
            std::fs::remove_dir(host.path(&format!("{CPU}/cpu{core}/cpuidle/state{state}")))
                .expect("empty");
        }
    }
    for id in ["governor", "idle-states", "steal"] {
        let row = host.look(id);
        expect(&row, Severity::Note);
        assert!(row.finding.contains("virtual machine"), "{row:?}");
    }
}

#[test]
fn cores_must_be_enough_and_each_named_once() {
    let mut host = Fabricated::well_tuned();
    host.subject.cores = vec![6, 7];
    let row = host.look("cores");
    expect(&row, Severity::Bad);
    assert!(
        row.finding.contains("2 cores are configured for 3"),
        "{row:?}"
    );
    host.subject.cores = vec![6, 7, 7];
    expect(&host.look("cores"), Severity::Bad);
    host.subject.cores = Vec::new();
    host.subject.are_cores_chosen = false;
    expect(&host.look("cores"), Severity::Ok);
    expect(&host.look("isolated-cores"), Severity::Note);
}
