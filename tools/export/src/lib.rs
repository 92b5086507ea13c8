//! Journals for other programs: as Parquet, CSV or JSON lines, and from JSON lines back into a journal.
//!
//! Every file and every column is stated once, in `tables`; the three formats and `SCHEMA.md` are made from there. Memory is
//! bounded: one row group per kind of frame. Files appear whole or not at all.

#![forbid(unsafe_code)]

mod columns;
mod csv;
mod draft;
mod error;
mod export;
mod found;
mod import;
mod jsonl;
mod names;
mod parquet_files;
mod row;
mod schema;
mod tables;

pub use error::ExportError;
pub use export::{ExportOptions, Exported, Format, ROW_GROUP_ROWS, TableRows, WrittenFile, export};
pub use found::found_fields;
pub use import::{Imported, import};
pub use jsonl::FRAMES_FILE;
pub use schema::schema_markdown;
