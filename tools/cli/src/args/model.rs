//! Flags of `acth model`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The verbs about models.
#[derive(Debug, Subcommand)]
pub enum ModelVerb {
    /// Print what a model's files say: topology, hashes, normalisation, residuals.
    Show(ModelArgs),
}

/// Flags of `acth model show`.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// The weights (`NAME.safetensors`); the manifest lies beside them (`NAME.json`).
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}
