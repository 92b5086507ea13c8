//! The machine sheet: without it a figure belongs nowhere. What the system does not tell is left out.

use std::{fmt, fs, thread};

use serde::Serialize;

/// Load of the last minute above which the machine was not idle before the start.
const LOAD_QUIET: f64 = 0.5;

/// What a figure was measured on.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    kernel: String,
    governor: Option<String>,
    hypervisor: bool,
    load_1min: Option<f64>,
    build: &'static str,
    target_features: Vec<&'static str>,
}

impl Machine {
    /// Reads it from the system.
    pub(crate) fn read() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Self {
            cpu: field(&cpuinfo, "model name").unwrap_or_else(|| "unknown".to_owned()),
            cores: thread::available_parallelism().map_or(1, usize::from),
            kernel: line("/proc/sys/kernel/osrelease").unwrap_or_else(|| "unknown".to_owned()),
            governor: line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            hypervisor: field(&cpuinfo, "flags")
                .is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor")),
            load_1min: line("/proc/loadavg").and_then(|text| text.split(' ').next()?.parse().ok()),
            build: if cfg!(debug_assertions) {
                "debug: figures mean nothing"
            } else {
                "release"
            },
            target_features: target_features(),
        }
    }
}

impl Machine {
    /// What other programs did to the figures, if they did much.
    pub(crate) fn warning(&self) -> Option<String> {
        let load = self.load_1min.filter(|load| *load > LOAD_QUIET)?;
        Some(format!(
            "the machine was busy before the start (load {load}): only ratios of medians may mean something"
        ))
    }
}

/// The features that the whole program was compiled for; those chosen at run time are not here.
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

fn line(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned())
}

fn field(cpuinfo: &str, name: &str) -> Option<String> {
    let row = cpuinfo.lines().find(|row| row.starts_with(name))?;
    Some(row.split_once(':')?.1.trim().to_owned())
}

impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "{}, {} cores{}, Linux {}, governor {}",
            self.cpu,
            self.cores,
            if self.hypervisor { " (virtual)" } else { "" },
            self.kernel,
            self.governor.as_deref().unwrap_or("not readable"),
        )?;
        let load = self
            .load_1min
            .map_or_else(|| "unknown".to_owned(), |load| load.to_string());
        writeln!(
            formatter,
            "build {}, target features {}; load of the last minute {load}",
            self.build,
            self.target_features.join(" "),
        )
    }
}
