//! The files of HdrHistogram's own tools: one percentile distribution (`.hgrm`) a row, and one interval log (`.hlog`) with all of them.
//!
//! Values are ns in both. The log holds one interval a row, from the journal's first frame to its last, with the row's name as its tag;
//! HistogramLogAnalyzer and HdrHistogram's plotter open both.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use hdrhistogram::{
    Histogram,
    serialization::{
        V2DeflateSerializer,
        interval_log::{IntervalLogWriterBuilder, Tag},
    },
};

use crate::{
    error::LatencyError,
    measured::{Measured, Row},
};

/// Name of the interval log.
const LOG_FILE: &str = "latency.hlog";
/// Steps of the distribution for each halving of the distance to 100 %, as HdrHistogram's own programs have it.
const TICKS_PER_HALF_DISTANCE: u32 = 5;
/// Slots of one bucket at three significant digits.
const SUB_BUCKETS: u32 = 2048;

/// A file that is there now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenFile {
    /// Where.
    pub path: PathBuf,
    /// How long it is.
    pub bytes: u64,
}

/// Writes the rows into `directory`, which is made if it is not there; files of the same names are replaced.
///
/// # Errors
/// When a file cannot be written.
pub fn write_files(
    directory: &Path,
    measured: &Measured,
    rows: &[Row],
) -> Result<Vec<WrittenFile>, LatencyError> {
    let fail = |path: &Path, cause: String| LatencyError::File {
        path: path.to_owned(),
        cause,
    };
    fs::create_dir_all(directory).map_err(|cause| fail(directory, cause.to_string()))?;
    let mut files = Vec::with_capacity(rows.len() + 1);
    let mut write = |name: &str, bytes: &[u8]| {
        let path = directory.join(name);
        fs::write(&path, bytes).map_err(|cause| fail(&path, cause.to_string()))?;
        files.push(WrittenFile {
            path,
            bytes: bytes.len() as u64,
        });
        Ok::<(), LatencyError>(())
    };
    for row in rows {
        let text = percentiles(&row.histogram);
        write(&format!("{}.hgrm", file_name(&row.name())), text.as_bytes())?;
    }
    let log =
        interval_log(measured, rows).map_err(|cause| fail(&directory.join(LOG_FILE), cause))?;
    write(LOG_FILE, &log)?;
    Ok(files)
}

/// Venues may be called anything; files may not, nor may tags.
fn file_name(name: &str) -> String {
    let plain = |letter: char| {
        let is_plain = letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
        if is_plain { letter } else { '_' }
    };
    name.chars().map(plain).collect()
}

/// The text that HdrHistogram calls a percentile distribution.
fn percentiles(histogram: &Histogram<u64>) -> String {
    let mut text = format!(
        "{:>12} {:>14} {:>10} {:>14}\n\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    let mut total = 0;
    for step in histogram.iter_quantiles(TICKS_PER_HALF_DISTANCE) {
        total += step.count_since_last_iteration();
        let quantile = step.quantile_iterated_to();
        let value = step.value_iterated_to() as f64;
        // Writing into a string cannot fail.
        let _ = if quantile < 1.0 {
            let odds = 1.0 / (1.0 - quantile);
            writeln!(
                text,
                "{value:>12.3} {quantile:>2.12} {total:>10} {odds:>14.2}"
            )
        } else {
            writeln!(text, "{value:>12.3} {quantile:>2.12} {total:>10}")
        };
    }
    let (mean, deviation) = (histogram.mean(), histogram.stdev());
    text += &format!("#[Mean    = {mean:>12.3}, StdDeviation   = {deviation:>12.3}]\n");
    text += &format!(
        "#[Max     = {:>12.3}, Total count    = {:>12}]\n",
        histogram.max() as f64,
        histogram.len()
    );
    text += &format!(
        "#[Buckets = {:>12}, SubBuckets     = {SUB_BUCKETS:>12}]\n",
        histogram.buckets()
    );
    text
}

/// A standard interval log, format 1.3 with histograms in V2, compressed and in base64.
fn interval_log(measured: &Measured, rows: &[Row]) -> Result<Vec<u8>, String> {
    let (start_ns, final_ns) = measured.span_ns.unwrap_or_default();
    let start = Duration::from_nanos(start_ns.max(0).cast_unsigned());
    let lasted = Duration::from_nanos(final_ns.saturating_sub(start_ns).max(0).cast_unsigned());
    let mut bytes = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let mut builder = IntervalLogWriterBuilder::new();
    builder
        .add_comment("[Histogram log format version 1.3]")
        .add_comment("[values are ns; one interval for each stage, venue and kind of message]")
        .with_start_time(UNIX_EPOCH + start)
        // The column Interval_Max is in ms.
        .with_max_value_divisor(1_000_000.0);
    let mut log = builder
        .begin_log_with(&mut bytes, &mut serializer)
        .map_err(|cause| cause.to_string())?;
    for row in rows {
        let name = file_name(&row.name());
        log.write_histogram(&row.histogram, start, lasted, Tag::new(&name))
            .map_err(|cause| format!("{cause:?}"))?;
    }
    drop(log);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::{
        Deserializer,
        interval_log::{IntervalLogIterator, LogEntry},
    };

    use super::*;
    use crate::{message::MessageKind, stage::Stage};

    fn row(values: impl Iterator<Item = u64>) -> Row {
        let mut histogram = Histogram::new_with_bounds(1, 60_000_000_000, 3).unwrap();
        values.for_each(|value| histogram.record(value).unwrap());
        Row {
            stage: Stage::OrderAck,
            venue: Some(String::from("a venue, odd")),
            kind: Some(MessageKind::Bbo),
            histogram,
            negative: 0,
        }
    }

    #[test]
    fn a_log_reads_back_bit_for_bit() {
        let rows = [row(1..=10_000), row(std::iter::once(59_000_000_000))];
        let measured = Measured {
            span_ns: Some((1_700_000_000_000_000_000, 1_700_000_003_500_000_000)),
            ..Measured::default()
        };
        let bytes = interval_log(&measured, &rows).unwrap();
        let mut found = Vec::new();
        for entry in IntervalLogIterator::new(&bytes) {
            if let LogEntry::Interval(interval) = entry.unwrap() {
                let tag = interval.tag().unwrap().as_str().to_owned();
                assert_eq!(tag, "order_ack.a_venue__odd.bbo");
                assert_eq!(interval.duration(), Duration::from_millis(3_500));
                found.push(interval.encoded_histogram().to_owned());
            }
        }
        assert_eq!(found.len(), 2);
        let text = String::from_utf8(bytes).unwrap();
        assert!(
            text.starts_with("#[Histogram log format version 1.3]\n"),
            "{text}"
        );
        // The compressed V2 cookie in base64, as every tool expects it.
        assert!(found[0].starts_with("HISTFAAA"), "{}", found[0]);
    }

    #[test]
    fn a_serialized_histogram_is_the_same_again() {
        use hdrhistogram::serialization::Serializer;
        let row = row(1..=10_000);
        let mut bytes = Vec::new();
        V2DeflateSerializer::new()
            .serialize(&row.histogram, &mut bytes)
            .unwrap();
        let back: Histogram<u64> = Deserializer::new().deserialize(&mut &bytes[..]).unwrap();
        assert_eq!(back, row.histogram);
    }

    #[test]
    fn a_distribution_has_the_form_that_plotters_read() {
        let text = percentiles(&row(1..=1_000).histogram);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "       Value     Percentile TotalCount 1/(1-Percentile)"
        );
        assert_eq!(lines[1], "");
        assert_eq!(
            lines[2],
            "       1.000 0.000000000000          1           1.00"
        );
        let last = lines.iter().rfind(|line| !line.starts_with('#')).unwrap();
        assert_eq!(*last, "    1000.000 1.000000000000       1000");
        assert!(text.contains("#[Max     =     1000.000, Total count    =         1000]"));
        assert!(
            lines.iter().any(|line| line.contains(" 0.900000000000 ")),
            "{text}"
        );
    }
}
