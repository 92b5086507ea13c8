//! What a column is: its name, type, unit and meaning, and how its value is taken from a row.

use std::borrow::Cow;

use crate::row::Row;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnType {
    /// A whole number of 64 bits.
    Int64,
    /// A whole number of 32 bits.
    Int32,
    /// A float of 64 bits.
    Double,
    /// A time in ns since the Unix epoch, UTC.
    Time,
    /// A text in UTF-8.
    Text,
}

/// The value of one column in one row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    /// There is none.
    Null,
    /// For `Int64`.
    Int64(i64),
    /// For `Int32`.
    Int32(i32),
    /// For `Double`.
    Double(f64),
    /// For `Time`.
    Time(i64),
    /// For `Text`.
    Text(Cow<'a, str>),
}

/// One column of a table.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    /// Its name in every format.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) kind: ColumnType,
    /// Unit of its numbers; empty for names and texts.
    pub(crate) unit: &'static str,
    /// What it says.
    pub(crate) meaning: &'static str,
    /// What a null means; `None` = there is always a value.
    pub(crate) null: Option<&'static str>,
    /// Whether it has a value for every level of a frame and not one for the frame.
    pub(crate) is_per_level: bool,
    /// Its value.
    pub(crate) value: for<'r> fn(&'r Row<'r>) -> Cell<'r>,
}

/// A column of the frame with a value in every row.
pub(crate) const fn column(
    name: &'static str,
    kind: ColumnType,
    unit: &'static str,
    meaning: &'static str,
    value: for<'r> fn(&'r Row<'r>) -> Cell<'r>,
) -> Column {
    Column {
        name,
        kind,
        unit,
        meaning,
        null: None,
        is_per_level: false,
        value,
    }
}

impl Column {
    /// May be null, which then means this.
    pub(crate) const fn or_null(mut self, meaning: &'static str) -> Self {
        self.null = Some(meaning);
        self
    }

    /// Has a value for every level.
    pub(crate) const fn per_level(mut self) -> Self {
        self.is_per_level = true;
        self
    }
}

/// One kind of file.
pub(crate) struct Table {
    /// Name of the file without its ending.
    pub(crate) name: &'static str,
    /// What a row is.
    pub(crate) meaning: &'static str,
    /// The columns, in groups that tables share.
    pub(crate) groups: &'static [&'static [Column]],
}

impl Table {
    /// The columns, in order.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &'static Column> + use<> {
        self.groups.iter().flat_map(|group| group.iter())
    }
}
