//! Fabricated hosts: a `/proc` and a `/sys` in a temporary folder, one well tuned and one as bad as it gets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    reason = "a test may fail loudly, and not every suite uses every part"
)]

use std::{io, path::Path};

use acth_doctor::{
    CHECKS, Host, Report, Row, Scheduling, Severity, Space, Subject, System, TimeState, examine,
    select,
};

/// Facts that a fabricated host gives instead of system calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) free_bytes: Option<u64>,
    pub(crate) time: Option<TimeState>,
    pub(crate) busy_poll: Option<bool>,
}

impl System for Facts {
    fn space(&self, _: &Path) -> io::Result<Space> {
        let free_bytes = self.free_bytes.ok_or(io::ErrorKind::PermissionDenied)?;
        Ok(Space {
            total_bytes: 1 << 40,
            free_bytes,
            free_files: 1 << 20,
        })
    }

    fn time_state(&self) -> io::Result<TimeState> {
        Ok(self.time.ok_or(io::ErrorKind::PermissionDenied)?)
    }

    fn try_busy_poll(&self, _: u32) -> io::Result<()> {
        match self.busy_poll {
            Some(true) => Ok(()),
            Some(false) => Err(io::ErrorKind::PermissionDenied.into()),
            None => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

/// A host that can be changed file by file.
pub(crate) struct Fabricated {
    folder: tempfile::TempDir,
    pub(crate) facts: Facts,
    pub(crate) subject: Subject,
}

impl Fabricated {
    /// A host without any file.
    pub(crate) fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            facts: Facts {
                free_bytes: None,
                time: None,
                busy_poll: None,
            },
            subject: Subject {
                journal: "/data/journal".into(),
                ..Subject::default()
            },
        }
    }

    /// Writes one file.
    pub(crate) fn put(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path.trim_start_matches('/'));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Takes one file away.
    pub(crate) fn remove(&self, path: &str) {
        std::fs::remove_file(self.folder.path().join(path.trim_start_matches('/'))).unwrap();
    }

    /// Where a file of the host lies.
    pub(crate) fn path(&self, inside: &str) -> std::path::PathBuf {
        self.folder.path().join(inside.trim_start_matches('/'))
    }

    pub(crate) fn host(&self) -> Host {
        Host::new(self.folder.path(), Box::new(self.facts))
    }

    /// Every check.
    pub(crate) fn report(&self) -> Report {
        examine(
            &self.host(),
            &self.subject,
            &CHECKS.iter().collect::<Vec<_>>(),
        )
    }

    /// One check.
    pub(crate) fn look(&self, id: &str) -> Row {
        let checks = select(&[id.to_owned()], &[]).unwrap();
        examine(&self.host(), &self.subject, &checks)
            .checks
            .remove(0)
    }

    /// A dedicated machine with eight cores on one socket, tuned by the book; cores 5 to 7 are the busy ones.
    pub(crate) fn well_tuned() -> Self {
        let mut host = Self::empty();
        host.subject.cores = vec![5, 6, 7];
        host.subject.are_cores_chosen = true;
        host.subject.thread_count = 3;
        host.subject.busy_poll_us = 50;
        host.facts = Facts {
            free_bytes: Some(500 << 30),
            time: Some(TimeState {
                is_synchronised: true,
                error_us_max: 40,
                error_us: 3,
                is_leap_due: false,
            }),
            busy_poll: Some(true),
        };
        host.put_tuned_cores();
        host.put_tuned_kernel();
        host
    }

    fn put_tuned_cores(&self) {
        const CPU: &str = "/sys/devices/system/cpu";
        self.put(&format!("{CPU}/online"), "0-7\n");
        self.put(&format!("{CPU}/isolated"), "5-7\n");
        self.put(&format!("{CPU}/nohz_full"), "5-7\n");
        self.put(&format!("{CPU}/smt/active"), "0\n");
        self.put(&format!("{CPU}/intel_pstate/no_turbo"), "1\n");
        for core in 0..8 {
            self.put(
                &format!("{CPU}/cpu{core}/cpufreq/scaling_governor"),
                "performance\n",
            );
            self.put(
                &format!("{CPU}/cpu{core}/topology/thread_siblings_list"),
                &format!("{core}\n"),
            );
            for (state, latency, disable) in [(0, 0, 0), (1, 2, 0), (2, 133, 1)] {
                let folder = format!("{CPU}/cpu{core}/cpuidle/state{state}");
                self.put(&format!("{folder}/latency"), &format!("{latency}\n"));
                self.put(&format!("{folder}/disable"), &format!("{disable}\n"));
            }
        }
        for irq in [24, 25, 26] {
            self.put(&format!("/proc/irq/{irq}/smp_affinity_list"), "0-4\n");
            self.put(&format!("/proc/irq/{irq}/effective_affinity_list"), "2\n");
        }
        self.put(&format!("{CPU}/vulnerabilities/meltdown"), "Not affected\n");
        self.put("/sys/devices/system/node/online", "0\n");
        self.put("/sys/devices/system/node/node0/cpulist", "0-7\n");
        self.put("/sys/class/net/eth0/operstate", "up\n");
        self.put("/sys/class/net/eth0/device/numa_node", "0\n");
    }

    fn put_tuned_kernel(&self) {
        self.put(
            "/proc/cmdline",
            "isolcpus=managed_irq,domain,5-7 nohz_full=5-7 rcu_nocbs=5-7 idle=poll\n",
        );
        self.put(
            "/proc/cpuinfo",
            "processor : 0\nflags : fpu constant_tsc nonstop_tsc\n",
        );
        self.put(
            "/proc/self/status",
            "Name:\tacth\nCapEff:\t0000000000805000\nCpus_allowed_list:\t0-7\n",
        );
        self.put(
            "/proc/self/limits",
            "Max open files            65536      65536     files\n\
             Max locked memory         unlimited  unlimited bytes\n\
             Max nice priority         40         40\n\
             Max realtime priority     0          0\n",
        );
        self.put("/proc/stat", "cpu  1000 0 1000 100000 0 0 0 0 0 0\n");
        self.put("/proc/swaps", "Filename Type Size Used Priority\n");
        self.put(
            "/proc/meminfo",
            "MemTotal: 100 kB\nHugePages_Total:       0\nHugepagesize:       2048 kB\n",
        );
        for (name, text) in [
            ("vm/swappiness", "1"),
            ("kernel/osrelease", "6.18.2-generic"),
            ("kernel/sched_rt_runtime_us", "950000"),
            ("kernel/nmi_watchdog", "0"),
            ("kernel/watchdog", "0"),
            ("kernel/numa_balancing", "0"),
            ("net/core/busy_read", "50"),
            ("net/core/busy_poll", "50"),
            ("net/core/rmem_max", "16777216"),
        ] {
            self.put(&format!("/proc/sys/{name}"), text);
        }
        self.put(
            "/sys/kernel/mm/transparent_hugepage/enabled",
            "always [madvise] never\n",
        );
        self.put(
            "/sys/kernel/mm/transparent_hugepage/defrag",
            "always defer [madvise] never\n",
        );
        let source = "/sys/devices/system/clocksource/clocksource0";
        self.put(&format!("{source}/current_clocksource"), "tsc\n");
        self.put(
            &format!("{source}/available_clocksource"),
            "tsc hpet acpi_pm\n",
        );
        self.put(
            "/proc/self/mountinfo",
            "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
             40 27 259:1 / /data rw,noatime shared:2 - xfs /dev/nvme0n1 rw,attr2\n",
        );
        self.put("/sys/dev/block/259:1/queue/rotational", "0\n");
        self.put(
            "/sys/dev/block/259:1/queue/scheduler",
            "[none] mq-deadline\n",
        );
    }

    /// The same machine with everything about it wrong.
    pub(crate) fn bad() -> Self {
        const CPU: &str = "/sys/devices/system/cpu";
        let mut host = Self::well_tuned();
        host.subject.scheduling = Scheduling::Fifo;
        host.facts = Facts {
            free_bytes: Some(100 << 20),
            time: Some(TimeState {
                is_synchronised: false,
                error_us_max: 16_000_000,
                error_us: 16_000_000,
                is_leap_due: false,
            }),
            busy_poll: Some(false),
        };
        host.put(
            "/proc/self/status",
            "CapEff:\t0000000000000000\nCpus_allowed_list:\t0-6\n",
        );
        host.put(&format!("{CPU}/isolated"), "\n");
        host.put(&format!("{CPU}/nohz_full"), "(null)\n");
        host.put("/proc/cmdline", "quiet\n");
        host.put(&format!("{CPU}/smt/active"), "1\n");
        for core in 5..8 {
            host.put(
                &format!("{CPU}/cpu{core}/topology/thread_siblings_list"),
                "5-7\n",
            );
            host.put(
                &format!("{CPU}/cpu{core}/cpufreq/scaling_governor"),
                "powersave\n",
            );
            host.put(&format!("{CPU}/cpu{core}/cpuidle/state2/disable"), "0\n");
        }
        host.put("/proc/irq/25/effective_affinity_list", "6\n");
        host.put("/sys/devices/system/node/online", "0-1\n");
        host.put("/sys/devices/system/node/node0/cpulist", "0-5\n");
        host.put("/sys/devices/system/node/node1/cpulist", "6-7\n");
        host.put("/sys/class/net/eth0/device/numa_node", "2\n");
        host.put(
            "/proc/self/limits",
            "Max open files 256 256 files\nMax locked memory 8388608 8388608 bytes\nMax nice priority 0 0\nMax realtime priority 0 0\n",
        );
        host.put("/proc/sys/kernel/nmi_watchdog", "1");
        host.put(
            "/proc/swaps",
            "Filename Type Size Used Priority\n/dev/sda2 partition 100 0 -2\n",
        );
        host.put("/proc/sys/vm/swappiness", "60");
        host.put(
            "/sys/kernel/mm/transparent_hugepage/enabled",
            "[always] madvise never\n",
        );
        host.put(
            "/sys/devices/system/clocksource/clocksource0/current_clocksource",
            "hpet\n",
        );
        host.put("/proc/cpuinfo", "flags : fpu constant_tsc\n");
        host.put("/proc/stat", "cpu  1000 0 1000 10000 0 0 0 900 0 0\n");
        host.put("/proc/sys/net/core/busy_read", "0");
        host.put("/proc/sys/net/core/rmem_max", "212992");
        host.put(
            "/proc/self/mountinfo",
            "27 1 0:30 / / rw - tmpfs tmpfs rw,nobarrier\n",
        );
        host
    }
}

/// Panics with the whole row unless it has this severity.
pub(crate) fn expect(row: &Row, severity: Severity) {
    assert_eq!(row.severity, severity, "{row:?}");
}
