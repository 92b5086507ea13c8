//! One page about a journal: what the hub saw, found out, decided and earned.
//!
//! ```text
//!   journal ─┬─ acth-latency ────────────────────────────── histograms
//!            └─ replay ─ Observed<S> ─┬─ Sampler ── samples at fixed steps of core time
//!                                     ├─ Orders ─── the last orders, what became of them, refusals
//!                                     └─ History ── edges and trading states that came and went
//!                                                        └──▶ Report ──▶ page ──▶ one HTML file
//! ```
//!
//! The core computes everything again; the page shows nothing that replay would not find. It is one file without scripts,
//! fonts or anything else from outside, drawn as inline SVG.
//!
//! Invariant: memory does not grow with the journal. Whatever stands in a journal or a path reaches the page escaped.

#![forbid(unsafe_code)]

mod error;
mod format;
mod history;
mod html;
mod observed;
mod orders;
mod page;
mod read;
mod report;
mod sampling;
mod svg;

pub use self::{
    error::ReportError,
    history::{CHANGES_MAX, SPANS_MAX},
    html::escape,
    orders::ORDERS_MAX,
    read::{Ask, ReadBack, read},
    report::Report,
    sampling::{POINTS_MAX, STEP_NS_MIN},
};
