//! JSON lines: one object a frame with the columns of its table, and under `frame` all that is needed to make it again.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use crate::{
    columns::{Cell, Column, Table},
    draft::{self, Drafts},
    error::ExportError,
    export::{Sink, WrittenFile},
    row::Row,
    tables::TABLES,
};

/// Name of the file.
pub const FRAMES_FILE: &str = "frames.jsonl";

/// The one file.
pub(crate) struct JsonLines {
    file: BufWriter<File>,
    path: PathBuf,
    /// The line at hand; kept for its room.
    line: Vec<u8>,
}

impl JsonLines {
    /// Begins the file.
    pub(crate) fn begin(drafts: &mut Drafts) -> Result<Self, ExportError> {
        let (file, path) = drafts.begin(FRAMES_FILE)?;
        Ok(Self {
            file,
            path,
            line: Vec::new(),
        })
    }
}

impl Sink for JsonLines {
    fn put(&mut self, row: &mut Row<'_>) -> Result<(), ExportError> {
        self.line.clear();
        let written = line(&mut self.line, row).and_then(|()| self.file.write_all(&self.line));
        written.map_err(ExportError::io("write", &self.path))
    }

    fn finish(self: Box<Self>) -> Result<Vec<WrittenFile>, ExportError> {
        let bytes = draft::sync(self.file, &self.path)?;
        Ok(vec![WrittenFile {
            path: self.path,
            bytes,
        }])
    }
}

fn line(out: &mut Vec<u8>, row: &mut Row<'_>) -> io::Result<()> {
    match row.table {
        Some(table) => table_part(out, &TABLES[table], row)?,
        None => write!(out, "{{\"table\":null,\"sequence\":{}", row.frame.sequence)?,
    }
    let frame = &row.frame;
    write!(
        out,
        ",\"frame\":{{\"sequence\":{},\"kind\":{},\"time_ns\":{},\"cause\":{},\"payload\":\"",
        frame.sequence, frame.kind, frame.time_ns, frame.cause
    )?;
    for byte in frame.payload {
        let digits = [byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]);
        out.extend(digits);
    }
    out.write_all(b"\"}}\n")
}

fn table_part(out: &mut Vec<u8>, table: &Table, row: &mut Row<'_>) -> io::Result<()> {
    write!(out, "{{\"table\":\"{}\"", table.name)?;
    for column in table.columns().filter(|column| !column.is_per_level) {
        out.write_all(b",")?;
        field(out, column, row)?;
    }
    let has_levels = table.columns().any(|column| column.is_per_level);
    if !has_levels {
        return Ok(());
    }
    out.write_all(b",\"levels\":[")?;
    for level in 0..row.rows() {
        row.level = level;
        let mut separator = if level == 0 { "{" } else { ",{" };
        for column in table.columns().filter(|column| column.is_per_level) {
            out.write_all(separator.as_bytes())?;
            field(out, column, row)?;
            separator = ",";
        }
        out.write_all(b"}")?;
    }
    out.write_all(b"]")
}

fn field(out: &mut Vec<u8>, column: &Column, row: &Row<'_>) -> io::Result<()> {
    write!(out, "\"{}\":", column.name)?;
    match (column.value)(row) {
        Cell::Int64(number) | Cell::Time(number) => write!(out, "{number}"),
        Cell::Int32(number) => write!(out, "{number}"),
        // JSON has no infinity; the payload keeps the bits.
        Cell::Double(number) if number.is_finite() => Ok(serde_json::to_writer(out, &number)?),
        Cell::Null | Cell::Double(_) => out.write_all(b"null"),
        Cell::Text(text) => Ok(serde_json::to_writer(out, text.as_ref())?),
    }
}
