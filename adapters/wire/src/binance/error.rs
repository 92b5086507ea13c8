//! Why a frame could not be decoded.

use crate::decimal::DecimalError;

/// Why a frame could not be decoded: the byte where it went wrong and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes are not well-formed JSON.
    #[error("byte {offset}: expected {expected}")]
    Shape {
        /// The first byte that does not fit.
        offset: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// A field is missing, doubled or of the wrong type.
    #[error("byte {offset}, field {field}: expected {expected}")]
    Field {
        /// Where the field stands; the end of the frame when it is missing.
        offset: usize,
        /// Name of the field.
        field: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
    /// A price or quantity is no exact decimal at the instrument's exponent.
    #[error("byte {offset}, field {field}: {source}")]
    Decimal {
        /// Where the field stands.
        offset: usize,
        /// Name of the field.
        field: &'static str,
        /// What is wrong with the text.
        source: DecimalError,
    },
    /// More levels on one side than any message of the venue has.
    #[error("byte {offset}, field {field}: expected at most 5000 levels")]
    TooManyLevels {
        /// Where the field stands.
        offset: usize,
        /// Name of the field.
        field: &'static str,
    },
    /// More bytes than any message of the venue has.
    #[error("expected at most 33554432 bytes, found {0}")]
    TooLong(usize),
    /// A snapshot without a name, and nobody said which instrument it is of.
    #[error("byte 0: a depth snapshot names no symbol; expected its instrument to be set first")]
    SnapshotInstrument,
    /// An instrument that is not in the decoder's table.
    #[error("instrument {0} is not in the decoder's table of symbols")]
    Instrument(u16),
    /// The answer to a request is the venue's refusal.
    #[error("the venue refused the request with code {code}")]
    Refused {
        /// The venue's code.
        code: i64,
    },
}
