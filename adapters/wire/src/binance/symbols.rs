//! Which symbols a connection knows, and the exponents of their prices and quantities.
//!
//! A symbol of up to 23 bytes is held as three little-endian words with its length in the last byte, so that looking
//! one up is a multiplication, a probe of a small open table and a comparison of three words.
//!
//! Invariant: the table is filled before the run and has at most `SYMBOLS_MAX` entries in `SLOTS` slots, so every probe
//! ends at an empty slot.

use acth_core::instrument::{INSTRUMENTS_MAX, InstrumentId};

use crate::decimal::EXPONENT_MAX;

/// Most symbols of one table: as many as a hub handles.
pub const SYMBOLS_MAX: usize = INSTRUMENTS_MAX;
/// Longest symbol. The longest seen are dated futures such as `1000SHIBUSDT_250627`.
pub const SYMBOL_BYTES_MAX: usize = 23;

/// Slots of the open table; a power of two, at most half full.
const SLOTS: usize = 256;
const _: () = assert!(SLOTS.is_power_of_two() && SLOTS >= 2 * SYMBOLS_MAX);
const _: () = assert!(SYMBOLS_MAX < EMPTY as usize);
/// Mark of an empty slot.
const EMPTY: u8 = u8::MAX;

/// A symbol's bytes as words, zero-padded, with the length in the last byte: without it a symbol and the same symbol
/// with a zero byte behind it would be one.
pub(super) type Key = [u64; 3];
const _: () = assert!(size_of::<Key>() == SYMBOL_BYTES_MAX + 1);

/// One known symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// The hub's id of the instrument.
    pub instrument: InstrumentId,
    /// Decimal places of its prices.
    pub price_exponent: u8,
    /// Decimal places of its quantities.
    pub quantity_exponent: u8,
}

/// Why a symbol was not taken into the table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SymbolError {
    /// Empty, too long, or with a byte that cannot stand unescaped in a JSON text.
    #[error("symbol {0:?}: expected 1 to 23 bytes without quote, backslash or control characters")]
    Text(String),
    /// An exponent that no mantissa can have.
    #[error("symbol {symbol}: expected exponents of at most 18, found {price} and {quantity}")]
    Exponents {
        /// The symbol.
        symbol: String,
        /// Decimal places of prices.
        price: u8,
        /// Decimal places of quantities.
        quantity: u8,
    },
    /// The symbol is there already.
    #[error("symbol {0} is listed twice")]
    Duplicate(String),
    /// The table is full.
    #[error("symbol {0}: the table of 128 symbols is full")]
    Full(String),
}

/// The table of known symbols.
#[derive(Clone, Debug)]
pub struct Symbols {
    slots: [u8; SLOTS],
    rows: Vec<(Key, Symbol)>,
}

impl Default for Symbols {
    fn default() -> Self {
        Self::new()
    }
}

impl Symbols {
    /// An empty table.
    pub fn new() -> Self {
        Self {
            slots: [EMPTY; SLOTS],
            rows: Vec::with_capacity(SYMBOLS_MAX),
        }
    }

    /// Adds a symbol, in upper case as the venue writes it inside messages.
    ///
    /// # Errors
    /// `SymbolError` when the text, an exponent or the table's state forbids it.
    pub fn insert(&mut self, text: &str, symbol: Symbol) -> Result<(), SymbolError> {
        let key = checked_key(text).ok_or_else(|| SymbolError::Text(text.to_owned()))?;
        if symbol.price_exponent.max(symbol.quantity_exponent) > EXPONENT_MAX {
            return Err(SymbolError::Exponents {
                symbol: text.to_owned(),
                price: symbol.price_exponent,
                quantity: symbol.quantity_exponent,
            });
        }
        if self.find(&key).is_some() {
            return Err(SymbolError::Duplicate(text.to_owned()));
        }
        if self.rows.len() == SYMBOLS_MAX {
            return Err(SymbolError::Full(text.to_owned()));
        }
        let mut slot = slot_of(&key);
        while self.slots[slot] != EMPTY {
            slot = (slot + 1) % SLOTS;
        }
        self.slots[slot] = self.rows.len() as u8;
        self.rows.push((key, symbol));
        Ok(())
    }

    /// The symbol with these bytes.
    pub fn lookup(&self, text: &[u8]) -> Option<Symbol> {
        self.find(&key_of(text)?)
    }

    /// The symbol of an instrument.
    pub fn of_instrument(&self, instrument: InstrumentId) -> Option<Symbol> {
        self.rows
            .iter()
            .map(|(_, symbol)| *symbol)
            .find(|symbol| symbol.instrument == instrument)
    }

    /// The one symbol of a table that has only one.
    pub fn only(&self) -> Option<Symbol> {
        match self.rows.as_slice() {
            [(_, symbol)] => Some(*symbol),
            _ => None,
        }
    }

    /// How many symbols there are.
    pub fn count(&self) -> usize {
        self.rows.len()
    }

    #[inline]
    pub(super) fn find(&self, key: &Key) -> Option<Symbol> {
        let mut slot = slot_of(key);
        loop {
            let (found, symbol) = self.rows.get(self.slots[slot] as usize)?;
            if found == key {
                return Some(*symbol);
            }
            slot = (slot + 1) % SLOTS;
        }
    }
}

/// Top bits of a multiplicative hash of all three words.
#[inline]
fn slot_of(key: &Key) -> usize {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let folded = key[0] ^ key[1].rotate_left(21) ^ key[2].rotate_left(42);
    (folded.wrapping_mul(FACTOR) >> (64 - SLOTS.trailing_zeros())) as usize
}

/// A symbol's length where the key holds it.
#[inline]
pub(super) const fn length_word(length: usize) -> u64 {
    (length as u64) << 56
}

fn key_of(text: &[u8]) -> Option<Key> {
    if text.is_empty() || text.len() > SYMBOL_BYTES_MAX {
        return None;
    }
    let mut key = Key::default();
    for (word, chunk) in key.iter_mut().zip(text.chunks(8)) {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        *word = u64::from_le_bytes(bytes);
    }
    key[2] |= length_word(text.len());
    Some(key)
}

fn checked_key(text: &str) -> Option<Key> {
    let is_plain = |byte: u8| byte > b' ' && byte != b'"' && byte != b'\\' && byte != 0x7f;
    text.bytes()
        .all(is_plain)
        .then(|| key_of(text.as_bytes()))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol(id: u16) -> Symbol {
        Symbol {
            instrument: InstrumentId(id),
            price_exponent: 2,
            quantity_exponent: 5,
        }
    }

    #[test]
    fn a_full_table_finds_each_and_no_other() {
        let mut symbols = Symbols::new();
        let names: Vec<String> = (0..SYMBOLS_MAX).map(|id| format!("COIN{id}USDT")).collect();
        for (id, name) in names.iter().enumerate() {
            symbols.insert(name, symbol(id as u16)).unwrap();
        }
        for (id, name) in names.iter().enumerate() {
            assert_eq!(symbols.lookup(name.as_bytes()), Some(symbol(id as u16)));
        }
        assert_eq!(symbols.lookup(b"COIN128USDT"), None);
        assert_eq!(symbols.lookup(b"COIN1USDT\0"), None);
        assert_eq!(symbols.lookup(b""), None);
        assert_eq!(symbols.lookup(&[b'A'; 24]), None);
        assert_eq!(
            symbols.insert("ONEMORE", symbol(0)),
            Err(SymbolError::Full("ONEMORE".to_owned()))
        );
    }

    #[test]
    fn bad_texts_are_refused() {
        let mut symbols = Symbols::new();
        for text in [
            "",
            "A\"B",
            "A\\B",
            "A B",
            "A\nB",
            "ABCDEFGHIJKLMNOPQRSTUVWX",
        ] {
            assert_eq!(
                symbols.insert(text, symbol(0)),
                Err(SymbolError::Text(text.to_owned()))
            );
        }
        symbols.insert("BTCUSDT", symbol(0)).unwrap();
        assert!(matches!(
            symbols.insert("BTCUSDT", symbol(1)),
            Err(SymbolError::Duplicate(_))
        ));
    }
}
