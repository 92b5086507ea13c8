//! Whose frame was it, when it cannot be decoded: a search for a known symbol in damaged bytes. Cold path.

use acth_core::instrument::InstrumentId;
use acth_wire::binance::{SYMBOL_BYTES_MAX, Symbols};

use crate::bytes::text_after;

/// The instrument that an undecodable frame is about: by its symbol field, else by its stream name.
pub(super) fn instrument_of(frame: &[u8], symbols: &Symbols) -> Option<InstrumentId> {
    let by_field = text_after(frame, b"\"s\":\"", b'"').and_then(|text| symbols.lookup(text));
    let by_stream = || {
        let text = text_after(frame, b"\"stream\":\"", b'@')?;
        let mut upper = [0u8; SYMBOL_BYTES_MAX];
        let upper = upper.get_mut(..text.len())?;
        upper.copy_from_slice(text);
        upper.make_ascii_uppercase();
        symbols.lookup(upper)
    };
    let by_table = || symbols.only();
    by_field
        .or_else(by_stream)
        .or_else(by_table)
        .map(|symbol| symbol.instrument)
}
