//! Rows of the Lean data format: recorded equities, futures, currencies and metals as comma-separated text.
//!
//! A zip holds one text for each instrument (futures: one for each contract). The text's name says the day, the symbol,
//! the resolution and whether its rows are quotes or trades (`name`); a row begins with the milliseconds since midnight
//! of the market's own clock (`row`), which `zone` turns into UTC.
//!
//! The format is described in the `readme.md` files beside the data of the Lean project; what they leave open was
//! measured on the files of 2013-10-08 and 2014-05-08, see `DESIGN.md`.

mod name;
mod row;
mod zone;

pub use name::{EntryName, NameError, Resolution, RowKind};
pub use row::{Layout, PriceForm, Quoted, Row, RowBody, RowError};
pub use zone::{Day, Zone};
