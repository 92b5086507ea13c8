//! CSV by RFC 4180 with a header: times as whole ns since the Unix epoch, null as nothing at all.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use crate::{
    columns::Cell,
    draft::{self, Drafts},
    error::ExportError,
    export::{Sink, WrittenFile},
    row::Row,
    tables::TABLES,
};

/// One file per table.
pub(crate) struct CsvFiles {
    files: Vec<(BufWriter<File>, PathBuf)>,
}

impl CsvFiles {
    /// Begins all files.
    pub(crate) fn begin(drafts: &mut Drafts) -> Result<Self, ExportError> {
        let mut files = Vec::with_capacity(TABLES.len());
        for table in &TABLES {
            let (mut file, path) = drafts.begin(&format!("{}.csv", table.name))?;
            let names: Vec<&str> = table.columns().map(|column| column.name).collect();
            writeln!(file, "{}", names.join(",")).map_err(ExportError::io("write", &path))?;
            files.push((file, path));
        }
        Ok(Self { files })
    }
}

impl Sink for CsvFiles {
    fn put(&mut self, row: &mut Row<'_>) -> Result<(), ExportError> {
        let Some(table) = row.table else {
            return Ok(());
        };
        let (file, path) = &mut self.files[table];
        for level in 0..row.rows() {
            row.level = level;
            put_line(file, table, row).map_err(ExportError::io("write", path))?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<WrittenFile>, ExportError> {
        let written = self.files.into_iter().map(|(file, path)| {
            let bytes = draft::sync(file, &path)?;
            Ok(WrittenFile { path, bytes })
        });
        written.collect()
    }
}

fn put_line(file: &mut impl Write, table: usize, row: &Row<'_>) -> io::Result<()> {
    for (index, column) in TABLES[table].columns().enumerate() {
        if index > 0 {
            file.write_all(b",")?;
        }
        match (column.value)(row) {
            Cell::Null => {}
            Cell::Int64(number) | Cell::Time(number) => write!(file, "{number}")?,
            Cell::Int32(number) => write!(file, "{number}")?,
            Cell::Double(number) => write!(file, "{number}")?,
            Cell::Text(text) => put_text(file, &text)?,
        }
    }
    file.write_all(b"\n")
}

fn put_text(file: &mut impl Write, text: &str) -> io::Result<()> {
    if text.contains([',', '"', '\n', '\r']) {
        write!(file, "\"{}\"", text.replace('"', "\"\""))
    } else {
        file.write_all(text.as_bytes())
    }
}
