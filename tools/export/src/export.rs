//! The export itself: frame by frame through the rows into the files of one format.

use std::path::{Path, PathBuf};

use acth_core::instrument::Instruments;
use acth_engine::{frames::MANIFEST_KIND, manifest::RunManifest, recover::first_manifest};
use acth_journal::{Place, Reader, SegmentInfo, info};

use crate::{
    csv::CsvFiles, draft::Drafts, error::ExportError, jsonl::JsonLines,
    parquet_files::ParquetFiles, row::Row, tables::TABLES,
};

/// Rows of a Parquet row group; as many are held in memory per table at most.
pub const ROW_GROUP_ROWS: usize = 65_536;

/// Frames between two words about the progress.
const PROGRESS_FRAMES: u64 = 4096;

/// What an export is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One Parquet file per table.
    Parquet,
    /// One CSV file per table.
    Csv,
    /// One file of JSON lines, which can be imported again.
    JsonLines,
}

/// What to export.
#[derive(Clone, Copy, Debug)]
pub struct ExportOptions {
    /// As what.
    pub format: Format,
    /// First sequence; 0 = from the first there is.
    pub from: u64,
    /// Last sequence.
    pub until: u64,
    /// Whether the directory may hold something; files of the same names are replaced.
    pub is_forced: bool,
    /// Rows of a Parquet row group.
    pub row_group_rows: usize,
}

impl ExportOptions {
    /// The whole journal in this format into a new or empty directory.
    pub const fn new(format: Format) -> Self {
        Self {
            format,
            from: 0,
            until: u64::MAX,
            is_forced: false,
            row_group_rows: ROW_GROUP_ROWS,
        }
    }
}

/// A file that is there now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenFile {
    /// Where.
    pub path: PathBuf,
    /// How long it is.
    pub bytes: u64,
}

/// How many rows a table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableRows {
    /// Name of the table.
    pub table: &'static str,
    /// Its rows.
    pub rows: u64,
}

/// What was exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The files, in the order of the tables.
    pub files: Vec<WrittenFile>,
    /// Rows of every table.
    pub tables: Vec<TableRows>,
    /// Frames read.
    pub frames: u64,
    /// Frames of a kind that this version does not know; only JSON lines keep them.
    pub unknown_frames: u64,
    /// First and last sequence, if there was a frame.
    pub sequences: Option<(u64, u64)>,
}

/// Where rows go.
pub(crate) trait Sink {
    /// Takes a frame, all its levels.
    fn put(&mut self, row: &mut Row<'_>) -> Result<(), ExportError>;
    /// Writes what is left; all files are synced then.
    fn finish(self: Box<Self>) -> Result<Vec<WrittenFile>, ExportError>;
}

/// Exports the journal at `place` into the directory `output`; `progress` is told frames done and in all.
/// A journal that is being written is exported up to where it ends now.
///
/// # Errors
/// When the journal is damaged or a file cannot be written. No file of the export is left then.
pub fn export(
    place: impl Into<Place>,
    output: &Path,
    options: &ExportOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Exported, ExportError> {
    let place = place.into();
    let segments = info(place.clone())?.segments;
    if is_same(place.path(), output) {
        return Err(ExportError::IsJournal {
            dir: output.to_owned(),
        });
    }
    let mut reader = open(&place, &segments, options.from)?;
    let instruments = first_instruments(&place)?;
    let until = last_sequence(&place, &segments)?.min(options.until);
    let first = segments.first().map_or(1, |segment| segment.first_sequence);
    let total = until
        .saturating_add(1)
        .saturating_sub(first.max(options.from));
    let mut drafts = Drafts::in_directory(output, options.is_forced)?;
    let mut sink: Box<dyn Sink> = match options.format {
        Format::Parquet => Box::new(ParquetFiles::begin(&mut drafts, options.row_group_rows)?),
        Format::Csv => Box::new(CsvFiles::begin(&mut drafts)?),
        Format::JsonLines => Box::new(JsonLines::begin(&mut drafts)?),
    };
    let mut tell = |done: u64| progress(done, total);
    let mut exported = pour(&mut reader, instruments, &mut *sink, until, &mut tell)?;
    exported.files = sink.finish()?;
    drafts.finish()?;
    Ok(exported)
}

/// Reads to the end and puts every frame into the sink.
fn pour(
    reader: &mut Reader,
    mut instruments: Option<Instruments>,
    sink: &mut dyn Sink,
    until: u64,
    tell: &mut dyn FnMut(u64),
) -> Result<Exported, ExportError> {
    let mut rows = [0u64; TABLES.len()];
    let mut exported = Exported {
        files: Vec::new(),
        tables: Vec::new(),
        frames: 0,
        unknown_frames: 0,
        sequences: None,
    };
    tell(0);
    while reader.next_sequence() <= until
        && let Some(frame) = reader.next()?
    {
        if frame.kind == MANIFEST_KIND {
            let manifest = RunManifest::from_bytes(frame.payload).map_err(|error| {
                ExportError::Manifest(format!("frame {}: {error}", frame.sequence))
            })?;
            instruments = instruments_of(&manifest)?;
        }
        let mut row = Row::of(frame, instruments.as_ref());
        match row.table {
            Some(table) => rows[table] += row.rows() as u64,
            None => exported.unknown_frames += 1,
        }
        sink.put(&mut row)?;
        exported.frames += 1;
        let first = exported
            .sequences
            .map_or(frame.sequence, |(first, _)| first);
        exported.sequences = Some((first, frame.sequence));
        if exported.frames.is_multiple_of(PROGRESS_FRAMES) {
            tell(exported.frames);
        }
    }
    tell(exported.frames);
    let tables = TABLES.iter().zip(rows).map(|(table, rows)| TableRows {
        table: table.name,
        rows,
    });
    exported.tables = tables.collect();
    Ok(exported)
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

fn open(place: &Place, segments: &[SegmentInfo], from: u64) -> Result<Reader, ExportError> {
    let first = segments.first().map_or(1, |segment| segment.first_sequence);
    if from <= first {
        return Ok(Reader::open(place.clone())?);
    }
    Ok(Reader::open_behind(place.clone(), from - 1)?)
}

/// The last sequence that is there when a look at the last segments finds nothing more: the end of an export, however long its
/// writing takes. A writer that never pauses for as long as the look at the end takes is followed.
fn last_sequence(place: &Place, segments: &[SegmentInfo]) -> Result<u64, ExportError> {
    let last = segments.last().map_or(1, |segment| segment.first_sequence);
    let mut reader = open(place, segments, last)?;
    while reader.next()?.is_some() {}
    Ok(reader.next_sequence() - 1)
}

/// The instruments before the first frame read: of the journal's first run, or of its newest snapshot where that was pruned.
/// An empty journal has none.
fn first_instruments(place: &Place) -> Result<Option<Instruments>, ExportError> {
    let mut reader = Reader::open(place.clone())?;
    let manifest = match reader.next()? {
        None => return Ok(None),
        Some(frame) if frame.kind == MANIFEST_KIND => {
            RunManifest::from_bytes(frame.payload).map_err(|error| error.to_string())
        }
        Some(_) => first_manifest(place).map_err(|error| error.to_string()),
    };
    instruments_of(&manifest.map_err(ExportError::Manifest)?)
}

/// The instruments of a run; `None` when its manifest lists none.
fn instruments_of(manifest: &RunManifest) -> Result<Option<Instruments>, ExportError> {
    let found = manifest.core.pointer("/core/instruments").cloned();
    let refuse = |error: serde_json::Error| ExportError::Manifest(format!("instruments: {error}"));
    found
        .map(serde_json::from_value)
        .transpose()
        .map_err(refuse)
}
