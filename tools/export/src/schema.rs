//! The text of `SCHEMA.md`, made from the tables.

use std::fmt::Write;

use crate::{columns::ColumnType, jsonl::FRAMES_FILE, tables::TABLES};

const HEAD: &str = "\
# What `acth journal export` writes

A test keeps this file equal to the tables in `src/tables.rs`, from which all formats are written.

- `--format parquet` and `--format csv` write one file per table below, `NAME.parquet` or `NAME.csv`; a table without rows
  still has its file. Parquet is compressed with Zstandard, in row groups of at most 65,536 rows.
- Rows stand in the order of the journal. A frame of a kind that this version does not know makes no row.
- Numbers without a sign (ids, sequences, seeds) stand in `INT64` with the same 64 bits: 2^63 and above read as negative.
- Prices and quantities are exact mantissas: `6180025` with `price_exponent` 2 is `61800.25`. The columns `*_f64` are near.
- A name that this version does not know reads `code N`.
- CSV: times are whole ns since the Unix epoch, a null is nothing between the commas.
";

fn types(kind: ColumnType) -> (&'static str, &'static str) {
    match kind {
        ColumnType::Int64 => ("INT64", "int64"),
        ColumnType::Int32 => ("INT32", "int32"),
        ColumnType::Double => ("DOUBLE", "double"),
        ColumnType::Time => ("INT64, TIMESTAMP(NANOS, UTC)", "timestamp[ns, tz=UTC]"),
        ColumnType::Text => ("BYTE_ARRAY, STRING", "string"),
    }
}

/// The text of `SCHEMA.md`.
pub fn schema_markdown() -> String {
    let mut text = String::from(HEAD);
    text += &format!(
        "- `--format jsonl` writes `{FRAMES_FILE}`, one object a frame: `table` (null for a kind that this version does not know),\n  \
         the columns of that table by name, the columns per level of `book_delta` in a list `levels`, and `frame` with\n  \
         `sequence`, `kind` (code), `time_ns`, `cause` and `payload` (hexadecimal): all that `acth journal import` needs. A\n  \
         float that is not finite reads null; the payload keeps its bits.\n"
    );
    for table in &TABLES {
        text += &format!("\n## {}\n\n{}\n\n", table.name, table.meaning);
        text += "| column | Parquet | Arrow | unit | meaning | null |\n|---|---|---|---|---|---|\n";
        for column in table.columns() {
            let (parquet, arrow) = types(column.kind);
            // Writing into a string cannot fail.
            let _ = writeln!(
                text,
                "| `{}` | {parquet} | {arrow} | {} | {} | {} |",
                column.name,
                column.unit,
                column.meaning,
                column.null.unwrap_or("never")
            );
        }
    }
    text
}
