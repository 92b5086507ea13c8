//! Parquet: one file per table, columns gathered until a row group is full.

use std::{
    collections::HashMap,
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
    sync::Arc,
};

use parquet::{
    basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel},
    data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type},
    errors::{ParquetError, Result as ParquetResult},
    file::{
        properties::WriterProperties,
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::types::{Type, TypePtr},
};

use crate::{
    columns::{Cell, Column, ColumnType, Table},
    draft::{self, Drafts},
    error::ExportError,
    export::{Sink, WrittenFile},
    row::Row,
    tables::TABLES,
};

/// Effort of the compression; more gains little on numbers.
const ZSTD_LEVEL: i32 = 3;

/// One file per table.
pub(crate) struct ParquetFiles {
    files: Vec<ParquetFile>,
    row_group_rows: usize,
}

struct ParquetFile {
    path: PathBuf,
    writer: SerializedFileWriter<BufWriter<File>>,
    columns: Vec<Gathered>,
    rows: usize,
}

/// The values of one column since the last row group.
struct Gathered {
    column: &'static Column,
    /// 1 for a value, 0 for a null; empty for a column that has no nulls.
    levels: Vec<i16>,
    values: Values,
}

enum Values {
    Int64(Vec<i64>),
    Int32(Vec<i32>),
    Double(Vec<f64>),
    Text {
        values: Vec<ByteArray>,
        /// Texts that this row group has met: most come again and again, and share their bytes then.
        known: HashMap<Box<str>, ByteArray>,
    },
}

impl ParquetFiles {
    /// Begins all files.
    pub(crate) fn begin(drafts: &mut Drafts, row_group_rows: usize) -> Result<Self, ExportError> {
        let mut files = Vec::with_capacity(TABLES.len());
        for table in &TABLES {
            let (file, path) = drafts.begin(&format!("{}.parquet", table.name))?;
            let writer = open(file, table).map_err(|source| refuse(&path, source))?;
            files.push(ParquetFile {
                path,
                writer,
                columns: table.columns().map(Gathered::new).collect(),
                rows: 0,
            });
        }
        Ok(Self {
            files,
            row_group_rows: row_group_rows.max(1),
        })
    }
}

impl Sink for ParquetFiles {
    fn put(&mut self, row: &mut Row<'_>) -> Result<(), ExportError> {
        let Some(table) = row.table else {
            return Ok(());
        };
        let file = &mut self.files[table];
        for level in 0..row.rows() {
            row.level = level;
            for gathered in &mut file.columns {
                gathered.push((gathered.column.value)(row));
            }
            file.rows += 1;
            if file.rows == self.row_group_rows {
                file.flush()?;
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<WrittenFile>, ExportError> {
        let written = self.files.into_iter().map(|mut file| {
            file.flush()?;
            let ParquetFile { path, writer, .. } = file;
            let inner = writer
                .into_inner()
                .map_err(|source| refuse(&path, source))?;
            let bytes = draft::sync(inner, &path)?;
            Ok(WrittenFile { path, bytes })
        });
        written.collect()
    }
}

impl ParquetFile {
    /// Writes what is gathered as a row group.
    fn flush(&mut self) -> Result<(), ExportError> {
        if self.rows == 0 {
            return Ok(());
        }
        self.rows = 0;
        write_group(&mut self.writer, &mut self.columns)
            .map_err(|source| refuse(&self.path, source))
    }
}

fn write_group(
    writer: &mut SerializedFileWriter<BufWriter<File>>,
    columns: &mut [Gathered],
) -> ParquetResult<()> {
    let mut group = writer.next_row_group()?;
    for gathered in columns {
        let mut column = group.next_column()?.ok_or_else(|| {
            ParquetError::General(format!("no column {} in the schema", gathered.column.name))
        })?;
        gathered.write(&mut column)?;
        column.close()?;
        gathered.clear();
    }
    group.close()?;
    Ok(())
}

impl Gathered {
    fn new(column: &'static Column) -> Self {
        let values = match column.kind {
            ColumnType::Int64 | ColumnType::Time => Values::Int64(Vec::new()),
            ColumnType::Int32 => Values::Int32(Vec::new()),
            ColumnType::Double => Values::Double(Vec::new()),
            ColumnType::Text => Values::Text {
                values: Vec::new(),
                known: HashMap::new(),
            },
        };
        Self {
            column,
            levels: Vec::new(),
            values,
        }
    }

    fn push(&mut self, cell: Cell<'_>) {
        if self.column.null.is_some() {
            self.levels.push(i16::from(cell != Cell::Null));
        }
        match (&mut self.values, cell) {
            (Values::Int64(values), Cell::Int64(value) | Cell::Time(value)) => values.push(value),
            (Values::Int32(values), Cell::Int32(value)) => values.push(value),
            (Values::Double(values), Cell::Double(value)) => values.push(value),
            (Values::Text { values, known }, Cell::Text(text)) => {
                let shared = known.get(text.as_ref()).cloned();
                values.push(shared.unwrap_or_else(|| {
                    let bytes = ByteArray::from(text.as_bytes().to_vec());
                    known.insert(text.into(), bytes.clone());
                    bytes
                }));
            }
            // A null, or a column whose value is not of its type: a test looks at every column for that.
            (_, cell) => debug_assert_eq!(cell, Cell::Null, "column {}", self.column.name),
        }
    }

    fn write(&self, column: &mut SerializedColumnWriter<'_>) -> ParquetResult<usize> {
        let levels = self.column.null.is_some().then_some(&*self.levels);
        match &self.values {
            Values::Int64(values) => column
                .typed::<Int64Type>()
                .write_batch(values, levels, None),
            Values::Int32(values) => column
                .typed::<Int32Type>()
                .write_batch(values, levels, None),
            Values::Double(values) => column
                .typed::<DoubleType>()
                .write_batch(values, levels, None),
            Values::Text { values, .. } => column
                .typed::<ByteArrayType>()
                .write_batch(values, levels, None),
        }
    }

    fn clear(&mut self) {
        self.levels.clear();
        match &mut self.values {
            Values::Int64(values) => values.clear(),
            Values::Int32(values) => values.clear(),
            Values::Double(values) => values.clear(),
            Values::Text { values, known } => {
                values.clear();
                known.clear();
            }
        }
    }
}

fn open(
    file: BufWriter<File>,
    table: &Table,
) -> ParquetResult<SerializedFileWriter<BufWriter<File>>> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_created_by(format!("acth {}", env!("CARGO_PKG_VERSION")))
        .build();
    SerializedFileWriter::new(file, schema(table)?, Arc::new(properties))
}

fn schema(table: &Table) -> ParquetResult<TypePtr> {
    let fields = table.columns().map(|column| field(column).map(Arc::new));
    let fields = fields.collect::<ParquetResult<Vec<TypePtr>>>()?;
    let root = Type::group_type_builder(table.name).with_fields(fields);
    Ok(Arc::new(root.build()?))
}

fn field(column: &Column) -> ParquetResult<Type> {
    let (physical, logical) = match column.kind {
        ColumnType::Int64 => (Physical::INT64, None),
        ColumnType::Int32 => (Physical::INT32, None),
        ColumnType::Double => (Physical::DOUBLE, None),
        ColumnType::Time => {
            let nanos = LogicalType::timestamp(true, TimeUnit::NANOS);
            (Physical::INT64, Some(nanos))
        }
        ColumnType::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    let repetition = match column.null {
        Some(_) => Repetition::OPTIONAL,
        None => Repetition::REQUIRED,
    };
    Type::primitive_type_builder(column.name, physical)
        .with_logical_type(logical)
        .with_repetition(repetition)
        .build()
}

fn refuse(path: &Path, source: ParquetError) -> ExportError {
    ExportError::Parquet {
        path: path.to_owned(),
        source,
    }
}
