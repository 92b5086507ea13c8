//! The columns of models that came in.

use std::{borrow::Cow, fmt::Write};

use acth_core::event::EventKind;

use crate::columns::{
    Cell, Column,
    ColumnType::{Int64, Text},
    column,
};

pub(super) const MODEL_SLOT: &[Column] =
    &[column("slot", Int64, "", "The slot of the model.", |row| {
        let slot = if row.event.kind == EventKind::ModelPart as u8 {
            row.model_part().slot
        } else {
            row.model_promoted().slot
        };
        Cell::Int64(slot.into())
    })];

pub(super) const MODEL_BYTES: &[Column] = &[
    column(
        "offset",
        Int64,
        "bytes",
        "Where in the model these bytes stand.",
        |row| Cell::Int64(row.model_part().offset.into()),
    ),
    column("bytes", Text, "", "The bytes, hexadecimal.", |row| {
        let part = row.model_part();
        let count = usize::from(row.event.detail).min(part.bytes.len());
        let mut digits = String::with_capacity(2 * count);
        for byte in &part.bytes[..count] {
            // Writing into a string cannot fail.
            let _ = write!(digits, "{byte:02x}");
        }
        Cell::Text(Cow::Owned(digits))
    }),
];

pub(super) const PROMOTION: &[Column] = &[
    column("byte_count", Int64, "bytes", "Size of the model.", |row| {
        Cell::Int64(row.model_promoted().byte_count.into())
    }),
    column(
        "model_hash",
        Text,
        "",
        "Hash of the model, 16 hexadecimal digits.",
        |row| Cell::Text(Cow::Owned(format!("{:016x}", row.model_promoted().hash))),
    ),
];
