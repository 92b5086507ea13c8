//! Every bound of a check at itself and one beyond it, and what a fix names.

mod support;

use acth_doctor::{Scheduling, Severity, Subject, TimeState};
use support::{Fabricated, expect};

const STATUS: &str = "/proc/self/status";
const LIMITS: &str = "/proc/self/limits";
/// Bits of the capabilities that matter, in Linux's numbers.
const IPC_LOCK: u32 = 14;
const SYS_NICE: u32 = 23;

/// Puts each text into the file and looks.
fn each(host: &Fabricated, id: &str, file: &str, cases: &[(&str, Severity)]) {
    for (text, severity) in cases {
        host.put(file, text);
        let row = host.look(id);
        expect(&row, *severity);
    }
}

fn without_capabilities() -> Fabricated {
    let host = Fabricated::well_tuned();
    host.put(STATUS, "CapEff:\t0");
    host
}

#[test]
fn one_capability_each_is_what_counts() {
    let host = without_capabilities();
    host.put(LIMITS, "Max nice priority 0 0\nMax locked memory 0 0 bytes");
    for bit in 0..41 {
        host.put(STATUS, &format!("CapEff:\t{:016x}", 1u64 << bit));
        for (id, counts) in [("locked-memory", IPC_LOCK), ("priority", SYS_NICE)] {
            let severity = match bit == counts {
                true => Severity::Ok,
                false => Severity::Bad,
            };
            expect(&host.look(id), severity);
        }
    }
}

#[test]
fn limits_of_the_process() {
    use Severity::{Bad, Ok, Warn};
    let mut host = without_capabilities();
    // 256 MiB and three segments of 64 MiB.
    let locked = [
        ("Max locked memory 469762048 x bytes", Ok),
        ("Max locked memory 469762047 x bytes", Bad),
    ];
    each(&host, "locked-memory", LIMITS, &locked);
    let files = [
        ("Max open files 1024 1 files", Ok),
        ("Max open files 1023 1 files", Warn),
    ];
    each(&host, "open-files", LIMITS, &files);
    let nice = [
        ("Max nice priority 40 0", Ok),
        ("Max nice priority 39 0", Bad),
    ];
    each(&host, "priority", LIMITS, &nice);
    host.subject.scheduling = Scheduling::Fifo;
    let real_time = [
        ("Max nice priority 40 0\nMax realtime priority 1 0", Ok),
        ("Max nice priority 40 0\nMax realtime priority 0 0", Bad),
    ];
    each(&host, "priority", LIMITS, &real_time);
    host.subject.scheduling = Scheduling::Normal;
    expect(&host.look("priority"), Warn);
}

#[test]
fn swap_that_the_kernel_may_use_freely_is_worse() {
    use Severity::{Bad, Ok, Warn};
    let host = Fabricated::well_tuned();
    let file = "/proc/sys/vm/swappiness";
    each(&host, "swap", file, &[("60", Ok)]);
    host.put(
        "/proc/swaps",
        "Filename\n/swapfile file 1 0 -2\n/dev/sdb2 partition 1 0 -3",
    );
    each(
        &host,
        "swap",
        file,
        &[("0", Warn), ("1", Warn), ("2", Bad), ("60", Bad)],
    );
    assert!(host.look("swap").finding.contains("/swapfile, /dev/sdb2"));
}

#[test]
fn stolen_time_is_a_share_of_all_but_the_guests() {
    use Severity::{Bad, Note, Ok, Warn};
    let host = Fabricated::well_tuned();
    // user nice system idle iowait irq softirq steal guest guest_nice; one million ticks before the guests'.
    let cases = [
        ("cpu 0 0 0 1000000 0 0 0 0 9 9", Ok),
        ("cpu 0 0 0 999900 0 0 0 100 500000 500000", Note),
        ("cpu 100 200 300 989387 4 5 4 10000 500000 500000", Warn),
        ("cpu 0 0 0 999899 0 0 0 101 500000 500000", Warn),
        ("cpu 0 0 0 989999 0 0 0 10001 900000 900000", Bad),
        ("cpu 0 0 0 0 0 0 0 1 0 0", Bad),
    ];
    each(&host, "steal", "/proc/stat", &cases);
    host.put(
        "/proc/cpuinfo",
        "flags : hypervisor constant_tsc nonstop_tsc\n",
    );
    each(
        &host,
        "steal",
        "/proc/stat",
        &[("cpu 0 0 0 1000000 0 0 0 0 0 0", Note)],
    );
}

#[test]
fn the_error_of_the_clock() {
    let mut host = Fabricated::well_tuned();
    for (error_us_max, is_synchronised, severity) in [
        (1_000, true, Severity::Ok),
        (1_001, true, Severity::Warn),
        (100_000, true, Severity::Warn),
        (100_001, true, Severity::Bad),
        (1, false, Severity::Bad),
    ] {
        host.facts.time = Some(TimeState {
            is_synchronised,
            error_us_max,
            error_us: 1,
            is_leap_due: false,
        });
        let row = host.look("time-sync");
        expect(&row, severity);
        assert!(!row.finding.contains("leap"), "{row:?}");
    }
}

#[test]
fn space_is_bad_below_the_mark_and_narrow_below_twice_the_mark() {
    let mut host = Fabricated::well_tuned();
    let usual = Subject::default();
    assert_eq!(usual.space_low_bytes, 512 << 20, "eight segments");
    assert_eq!(usual.space_out_bytes, 128 << 20, "two segments");
    host.subject.space_low_bytes = 1000;
    for (free, severity) in [
        (999, Severity::Bad),
        (1000, Severity::Warn),
        (1999, Severity::Warn),
        (2000, Severity::Ok),
    ] {
        host.facts.free_bytes = Some(free);
        expect(&host.look("journal-space"), severity);
    }
}

#[test]
fn the_fair_server_came_with_one_version() {
    let mut host = Fabricated::well_tuned();
    host.subject.scheduling = Scheduling::Fifo;
    let runtime = "/proc/sys/kernel/sched_rt_runtime_us";
    each(
        &host,
        "rt-throttling",
        runtime,
        &[("0", Severity::Bad), ("-1", Severity::Unknown)],
    );
    let release = "/proc/sys/kernel/osrelease";
    let cases = [
        ("6.11.9", Severity::Ok),
        ("5.19.0-1-amd64", Severity::Ok),
        ("6.12.0", Severity::Unknown),
        ("7.1-rc2", Severity::Unknown),
        ("six", Severity::Unknown),
    ];
    each(&host, "rt-throttling", release, &cases);
}

#[test]
fn an_interrupt_is_sent_to_the_other_cores() {
    let host = Fabricated::well_tuned();
    host.put("/proc/irq/25/effective_affinity_list", "6\n");
    host.put("/proc/irq/27/spurious", "\n");
    let row = host.look("irq-affinity");
    expect(&row, Severity::Warn);
    assert!(row.finding.contains("1 of 4 interrupts"), "{row:?}");
    let fix = row.fix.as_deref().unwrap_or_default();
    assert!(fix.contains("for i in 25; do echo 0-4 >"), "{fix}");
    for irq in [24, 25, 26] {
        for file in ["smp_affinity_list", "effective_affinity_list"] {
            host.remove(&format!("/proc/irq/{irq}/{file}"));
        }
    }
    expect(&host.look("irq-affinity"), Severity::Unknown);
}

#[test]
fn reserved_huge_pages_are_counted_in_bytes() {
    let host = Fabricated::well_tuned();
    let info = "HugePages_Total:    1000\nHugepagesize:    1048576 kB";
    host.put("/proc/meminfo", info);
    let row = host.look("huge-pages");
    expect(&row, Severity::Note);
    assert!(row.finding.contains("1000.0 GiB"), "{row:?}");
    host.put("/proc/meminfo", "HugePages_Total: 0");
    expect(&host.look("huge-pages"), Severity::Ok);
}

#[test]
fn a_socket_may_ask_for_four_mebibytes() {
    let host = Fabricated::well_tuned();
    let cases = [("4194304", Severity::Ok), ("4194303", Severity::Warn)];
    each(
        &host,
        "socket-buffers",
        "/proc/sys/net/core/rmem_max",
        &cases,
    );
}

#[test]
fn threads_on_two_nodes_are_bad_only_where_somebody_chose_so() {
    let mut host = Fabricated::well_tuned();
    host.put("/sys/devices/system/node/online", "0-1");
    host.put("/sys/devices/system/node/node0/cpulist", "0-3");
    host.put("/sys/devices/system/node/node1/cpulist", "4-7");
    host.put("/proc/sys/kernel/numa_balancing", "0");
    let row = host.look("numa");
    expect(&row, Severity::Ok);
    assert!(row.finding.contains("node 1"), "{row:?}");
    host.subject.cores = vec![3, 6, 7];
    let row = host.look("numa");
    expect(&row, Severity::Bad);
    assert!(row.finding.contains("nodes 0-1"), "{row:?}");
    assert!(row.fix.is_some_and(|fix| fix.contains("such as 0-3")));
    host.subject.cores.clear();
    host.put("/proc/self/status", "Cpus_allowed_list: 0-7");
    expect(&host.look("numa"), Severity::Note);
    let balancing = [("1", Severity::Warn)];
    each(&host, "numa", "/proc/sys/kernel/numa_balancing", &balancing);
}
