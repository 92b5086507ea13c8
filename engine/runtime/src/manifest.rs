//! The first frame of a run: which program, configuration and machine wrote what follows.
//!
//! Replay builds its machine from this alone. Invariant: no secret is ever put here; keys and tokens are not part of the
//! core's configuration.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{clock::Clock, config::ThreadMode};

/// Version of the frames that the engine writes; a reader refuses any other.
pub const MANIFEST_FORMAT: u32 = 1;

/// Which program wrote a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Version of the engine.
    pub version: String,
    /// Commit it was built from, if known when it was built.
    pub git_hash: Option<String>,
    /// What it was built for.
    pub target: String,
}

impl Build {
    /// This program. The commit comes from the variable `ACTH_GIT_HASH` at build time.
    pub fn current() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            git_hash: option_env!("ACTH_GIT_HASH").map(str::to_owned),
            target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        }
    }
}

/// Which machine a run ran on; for information, nothing depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Version of its kernel.
    pub kernel: String,
    /// Model of its processor.
    pub cpu: String,
}

impl Host {
    /// This machine, as far as it says.
    pub fn current() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let cpu = read("/proc/cpuinfo");
        let model = cpu
            .lines()
            .find_map(|line| line.strip_prefix("model name"))
            .map(|rest| rest.trim_start_matches([' ', '\t', ':']));
        Self {
            name: read("/proc/sys/kernel/hostname").trim().to_owned(),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            cpu: model.unwrap_or_default().trim().to_owned(),
        }
    }
}

/// What a run is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunManifest {
    /// `MANIFEST_FORMAT`.
    pub format: u32,
    /// Which program.
    pub build: Build,
    /// On which machine.
    pub host: Host,
    /// Which hub; upper part of its client order ids.
    pub hub_id: u16,
    /// Seed of whatever is simulated.
    pub seed: u64,
    /// How many threads.
    pub mode: ThreadMode,
    /// By which clock.
    pub clock: Clock,
    /// Name of the strategy.
    pub strategy: String,
    /// The core's whole configuration.
    pub core: serde_json::Value,
    /// What the paper venue was made from beyond fixed latencies: a latency model. No machine depends on it, the journal of a backtest
    /// does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paper: Option<serde_json::Value>,
    /// SHA-256 of strategy, hub and core configuration, and of `paper` where there is one, hexadecimal: equal for runs of the same
    /// machine.
    pub config_hash: String,
    /// The last frame of the run that this one goes on from, in the same journal.
    pub parent_sequence: Option<u64>,
    /// When it was started, ns since the Unix epoch; the start of the data for event time.
    pub started_ns: i64,
}

/// A manifest frame that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not the JSON of a manifest.
    #[error("manifest frame: {0}")]
    Json(#[from] serde_json::Error),
    /// Written in another format.
    #[error("manifest of format {0}; this program reads format {MANIFEST_FORMAT}")]
    Format(u32),
}

impl RunManifest {
    /// A manifest of this program with an empty core configuration.
    pub fn new(hub_id: u16, mode: ThreadMode, clock: Clock, strategy: &str) -> Self {
        Self {
            format: MANIFEST_FORMAT,
            build: Build::current(),
            host: Host::current(),
            hub_id,
            seed: 0,
            mode,
            clock,
            strategy: strategy.to_owned(),
            core: serde_json::Value::Null,
            paper: None,
            config_hash: String::new(),
            parent_sequence: None,
            started_ns: 0,
        }
    }

    /// The bytes of its frame, with the hash of its configuration.
    ///
    /// # Errors
    /// When the core configuration cannot be written as JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ManifestError> {
        let hashed = Self {
            config_hash: self.hash_config(),
            ..self.clone()
        };
        Ok(serde_json::to_vec(&hashed)?)
    }

    /// SHA-256 of what a machine is built from, hexadecimal.
    pub fn hash_config(&self) -> String {
        // The keys of a JSON object are kept sorted, so equal configurations have equal texts.
        let mut text = format!(
            "{}\n{}\n{}\n{}",
            self.strategy, self.hub_id, self.seed, self.core
        );
        if let Some(paper) = &self.paper {
            text += &format!("\n{paper}");
        }
        let hash = Sha256::digest(text);
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads a frame's bytes.
    ///
    /// # Errors
    /// When they are no manifest or one of another format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ManifestError> {
        let manifest: Self = serde_json::from_slice(bytes)?;
        if manifest.format != MANIFEST_FORMAT {
            return Err(ManifestError::Format(manifest.format));
        }
        Ok(manifest)
    }

    /// True when a machine built from the other manifest is the same machine as one built from this.
    pub fn builds_same_machine(&self, other: &Self) -> bool {
        self.hub_id == other.hub_id
            && self.seed == other.seed
            && self.strategy == other.strategy
            && self.core == other.core
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_refusals() {
        let mut manifest = RunManifest::new(7, ThreadMode::Single, Clock::Event, "toy");
        manifest.core = serde_json::json!({"limit": 5});
        let bytes = manifest.to_bytes().unwrap();
        let back = RunManifest::from_bytes(&bytes).unwrap();
        assert_eq!(back.config_hash, manifest.hash_config());
        manifest.config_hash.clone_from(&back.config_hash);
        assert_eq!(back, manifest);
        assert!(back.builds_same_machine(&manifest));
        assert!(!String::from_utf8(bytes).unwrap().contains("paper"));
        manifest.paper = Some(serde_json::json!({"latency_model": 1}));
        assert_ne!(manifest.hash_config(), back.config_hash);
        assert!(back.builds_same_machine(&manifest));
        let bytes = manifest.to_bytes().unwrap();
        assert_eq!(
            RunManifest::from_bytes(&bytes).unwrap().paper,
            manifest.paper
        );
        manifest.format = 2;
        let error = RunManifest::from_bytes(&manifest.to_bytes().unwrap()).unwrap_err();
        assert!(error.to_string().contains("format 2"));
        assert!(RunManifest::from_bytes(b"{").is_err());
    }
}
