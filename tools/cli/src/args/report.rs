//! Flags of `acth report`.

use std::path::PathBuf;

use clap::Args;

use super::parse_duration_ns;

/// Flags of `acth report`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 written; 1 the replay differs from the journal or the journal is damaged (the page is written and says \
    so); 2 could not run."
)]
pub struct ReportArgs {
    /// The journal's directory: finished, archived or being written.
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
    /// The page; a file of that name is replaced. Default: the journal's name with `.html` behind it, in the working directory.
    #[arg(long, value_name = "FILE.html")]
    pub output: Option<PathBuf>,
    /// Core time between two samples, e.g. `1s`, `250ms`; at least 1 ms, doubled until at most 2,000 samples are left. Default: one
    /// that suits the journal's length.
    #[arg(long, value_name = "STEP", value_parser = parse_duration_ns)]
    pub every: Option<i64>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}
