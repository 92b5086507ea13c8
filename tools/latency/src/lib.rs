//! Latencies from journals: every journal is a recording of how long everything took.
//!
//! `measure` reads a journal once, finished, archived or being written, and gives one histogram for each stage, venue and kind of
//! message. What comes of that: tables (`Measured::rows`), a plot in plain characters (`plot`), the files of HdrHistogram's own tools
//! (`files`), and a latency model for the paper venue (`fit`).
//!
//! Invariant: memory does not grow with the journal; a duration that the journal does not tell is left out, never guessed.

#![forbid(unsafe_code)]

mod error;
mod files;
mod fit;
mod measured;
mod message;
mod pass;
mod pending;
mod plot;
mod stage;
mod text;
mod tracker;

pub use self::{
    error::LatencyError,
    files::{WrittenFile, write_files},
    fit::{FIT_PERCENT, Fitted, SAMPLES_MIN, fit},
    measured::{By, Measured, Row, RunFacts},
    message::MessageKind,
    pass::measure,
    plot::plot,
    stage::Stage,
    text::duration_text,
};
