//! The machine sheet: without it a figure belongs nowhere. What the system does not tell is left out.

use std::{fmt, fs, path::Path, thread};

use acth_journal::storage::{Disk, Storage};
use serde::Serialize;

/// Load of the last minute above which the machine was not idle before the start.
const LOAD_QUIET: f64 = 0.5;

/// What a figure was measured on.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    hypervisor: bool,
    kernel: String,
    governor: Option<String>,
    /// Cores that the kernel keeps free of other work; empty = none.
    isolated: Option<String>,
    /// Cores without a periodic tick; empty = none.
    nohz_full: Option<String>,
    clock: Option<String>,
    page_bytes: usize,
    transparent_huge_pages: Option<String>,
    huge_pages: Option<String>,
    load_1min: Option<f64>,
    build: Build,
}

/// How the program was compiled.
#[derive(Clone, Debug, Serialize)]
struct Build {
    profile: &'static str,
    compiler: &'static str,
    flags: &'static str,
    /// Features that the whole program may use; those chosen at run time are not here.
    target_features: Vec<&'static str>,
}

impl Machine {
    /// Reads it from the system.
    pub(crate) fn read() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = Path::new("/sys/devices/system/cpu");
        Self {
            cpu: field(&cpuinfo, "model name").unwrap_or_else(|| "unknown".to_owned()),
            cores: thread::available_parallelism().map_or(1, usize::from),
            kernel: line("/proc/sys/kernel/osrelease").unwrap_or_else(|| "unknown".to_owned()),
            governor: line(cpu.join("cpu0/cpufreq/scaling_governor")),
            isolated: line(cpu.join("isolated")),
            nohz_full: line(cpu.join("nohz_full")).map(|text| text.replace("(null)", "")),
            clock: line("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
            page_bytes: Disk.page_bytes(),
            transparent_huge_pages: line("/sys/kernel/mm/transparent_hugepage/enabled")
                .and_then(|text| Some(text.split_once('[')?.1.split_once(']')?.0.to_owned())),
            huge_pages: line("/proc/sys/vm/nr_hugepages"),
            hypervisor: field(&cpuinfo, "flags")
                .is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor")),
            load_1min: line("/proc/loadavg").and_then(|text| text.split(' ').next()?.parse().ok()),
            build: Build {
                profile: if cfg!(debug_assertions) {
                    "debug: figures mean nothing"
                } else {
                    "release"
                },
                compiler: env!("ACTH_RUSTC"),
                flags: env!("ACTH_RUSTFLAGS"),
                target_features: target_features(),
            },
        }
    }

    /// What other programs did to the figures, if they did much.
    pub(crate) fn warning(&self) -> Option<String> {
        let load = self.load_1min.filter(|load| *load > LOAD_QUIET)?;
        Some(format!(
            "the machine was busy before the start (load {load}): only ratios of medians may mean something"
        ))
    }
}

/// The features that the whole program was compiled for.
fn target_features() -> Vec<&'static str> {
    let all = [
        ("sse2", cfg!(target_feature = "sse2")),
        ("sse4.2", cfg!(target_feature = "sse4.2")),
        ("popcnt", cfg!(target_feature = "popcnt")),
        ("bmi2", cfg!(target_feature = "bmi2")),
        ("avx2", cfg!(target_feature = "avx2")),
        ("fma", cfg!(target_feature = "fma")),
        ("avx512f", cfg!(target_feature = "avx512f")),
    ];
    let present = all.into_iter().filter(|(_, is_on)| *is_on);
    present.map(|(name, _)| name).collect()
}

fn line(path: impl AsRef<Path>) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned())
}

fn field(cpuinfo: &str, name: &str) -> Option<String> {
    let row = cpuinfo.lines().find(|row| row.starts_with(name))?;
    Some(row.split_once(':')?.1.trim().to_owned())
}

/// The text, or what its absence means.
fn or<'a>(text: Option<&'a String>, absent: &'a str) -> &'a str {
    text.map(String::as_str)
        .filter(|text| !text.is_empty())
        .unwrap_or(absent)
}

impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let virtual_mark = if self.hypervisor { " (virtual)" } else { "" };
        writeln!(
            formatter,
            "{}, {} cores{virtual_mark}, Linux {}, governor {}",
            self.cpu,
            self.cores,
            self.kernel,
            or(self.governor.as_ref(), "not readable"),
        )?;
        writeln!(
            formatter,
            "isolated cores {}, nohz_full {}, clock {}, pages of {} bytes, huge pages {} reserved, transparent {}",
            or(self.isolated.as_ref(), "none"),
            or(self.nohz_full.as_ref(), "none"),
            or(self.clock.as_ref(), "unknown"),
            self.page_bytes,
            or(self.huge_pages.as_ref(), "unknown"),
            or(self.transparent_huge_pages.as_ref(), "unknown"),
        )?;
        let load = self.load_1min;
        let load = load.map_or_else(|| "unknown".to_owned(), |load| load.to_string());
        let flags = self.build.flags;
        writeln!(
            formatter,
            "build {}, {}, flags {}, target features {}; load of the last minute {load}",
            self.build.profile,
            self.build.compiler,
            if flags.is_empty() { "none" } else { flags },
            self.build.target_features.join(" "),
        )
    }
}
