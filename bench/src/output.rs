//! Where reports go: the terminal or standard output, a folder of files, and the comparison with a saved run.

use std::{
    fmt::Display,
    fs::{self, File},
    io::{BufWriter, ErrorKind, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use hdrhistogram::serialization::{
    V2DeflateSerializer,
    interval_log::{IntervalLogWriterBuilder, Tag},
};
use serde::Serialize;

use crate::{Failure, args::Args, baseline::Baseline, machine::Machine, report::Named};

/// Reports of a run, with what follows from them.
pub(crate) struct Output {
    is_json: bool,
    folder: Option<PathBuf>,
    baseline: Option<Baseline>,
    /// Share from which a figure that became worse is a failure.
    worse_max: Option<f64>,
    failed_count: u64,
    started: SystemTime,
}

impl Output {
    /// Prepares the folder and reads the baseline that the arguments name.
    ///
    /// # Errors
    /// When either is not possible.
    pub(crate) fn new(args: &Args, machine: &Machine) -> Result<Self, Failure> {
        if let Some(folder) = &args.output {
            let cannot = |error| format!("{}: {error}", folder.display());
            fs::create_dir_all(folder).map_err(cannot)?;
            let sheet = serde_json::to_string_pretty(machine)?;
            fs::write(folder.join("machine.json"), sheet).map_err(cannot)?;
            File::create(folder.join("report.jsonl")).map_err(cannot)?;
        }
        let baseline = args.baseline.as_deref().map(Baseline::read).transpose()?;
        Ok(Self {
            is_json: args.json,
            folder: args.output.clone(),
            baseline,
            worse_max: args.fail_above.map(|percent| percent / 100.0),
            failed_count: 0,
            started: SystemTime::now(),
        })
    }

    /// Says something to whoever reads the table.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn head(&self, text: impl Display) -> Result<(), Failure> {
        if self.is_json { Ok(()) } else { print(&text) }
    }

    /// Takes one report.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn tell<'a>(
        &mut self,
        report: &(impl Serialize + Display),
        histograms: impl IntoIterator<Item = (String, &'a Named)>,
    ) -> Result<(), Failure> {
        let value = serde_json::to_value(report)?;
        let line = serde_json::to_string(report)?;
        if self.is_json {
            print(&line)?;
        } else {
            print(report)?;
        }
        if let Some(folder) = &self.folder {
            let reports = File::options()
                .append(true)
                .open(folder.join("report.jsonl"));
            writeln!(reports?, "{line}")?;
            for (name, named) in histograms {
                let path = folder.join(format!("{name}-{}.hlog", named.name));
                self.write_log(&path, named)?;
            }
        }
        let changes = self.baseline.iter().flat_map(|base| base.compare(&value));
        for change in changes.collect::<Vec<_>>() {
            if self.worse_max.is_some_and(|max| change.worse > max) {
                self.failed_count += 1;
            }
            self.head(format!("  baseline: {change}"))?;
        }
        Ok(())
    }

    /// The standard log of HdrHistogram (version 2, deflated): one interval for the whole run.
    fn write_log(&self, path: &Path, named: &Named) -> Result<(), Failure> {
        let mut file = BufWriter::new(File::create(path)?);
        let mut serializer = V2DeflateSerializer::new();
        let mut log = IntervalLogWriterBuilder::new()
            .add_comment("acth-bench: times in ns")
            .with_start_time(self.started)
            .with_base_time(self.started)
            .with_max_value_divisor(1.0)
            .begin_log_with(&mut file, &mut serializer)?;
        let elapsed = self.started.elapsed().unwrap_or(Duration::ZERO);
        log.write_histogram(
            &named.histogram,
            Duration::ZERO,
            elapsed,
            Tag::new(&named.name),
        )
        .map_err(|error| format!("{}: {error:?}", path.display()))?;
        file.flush()?;
        Ok(())
    }

    /// How many figures became worse than allowed.
    pub(crate) const fn failed_count(&self) -> u64 {
        self.failed_count
    }
}

/// Writes one text; a reader that has gone away (`| head`) is no failure.
fn print(text: &impl Display) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let text = text.to_string();
    match writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
