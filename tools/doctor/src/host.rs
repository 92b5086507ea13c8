//! The host: a root below which `/proc` and `/sys` are, and the facts that only a system call gives.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use crate::system::{Kernel, System};

/// Something could not be read: the finding becomes `unknown`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} cannot be read: {cause}")]
pub struct Unreadable {
    /// The file, or the fact.
    pub what: String,
    /// Why not.
    pub cause: String,
}

impl Unreadable {
    /// `what` could not be read because of `cause`.
    pub fn new(what: impl Into<String>, cause: impl fmt::Display) -> Self {
        Self {
            what: what.into(),
            cause: cause.to_string(),
        }
    }
}

/// A machine to look at.
pub struct Host {
    root: PathBuf,
    system: Box<dyn System>,
}

impl fmt::Debug for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Host")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl Host {
    /// The machine that this process runs on.
    pub fn here() -> Self {
        Self::new("/", Box::new(Kernel))
    }

    /// The machine whose files are below `root`.
    pub fn new(root: impl Into<PathBuf>, system: Box<dyn System>) -> Self {
        Self {
            root: root.into(),
            system,
        }
    }

    /// What system calls tell.
    pub(crate) fn system(&self) -> &dyn System {
        &*self.system
    }

    /// Where the path `/inside` lies.
    fn at(&self, inside: &str) -> PathBuf {
        self.root.join(inside.trim_start_matches('/'))
    }

    /// The file's text without the white space around it.
    pub(crate) fn read(&self, inside: &str) -> Result<String, Unreadable> {
        let text = std::fs::read_to_string(self.at(inside));
        text.map(|text| text.trim().to_owned())
            .map_err(|cause| Unreadable::new(inside, cause))
    }

    /// The file's text, or `None` where there is no such file, which on many machines is an answer of its own.
    pub(crate) fn read_if_there(&self, inside: &str) -> Result<Option<String>, Unreadable> {
        match std::fs::read_to_string(self.at(inside)) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(Unreadable::new(inside, cause)),
        }
    }

    /// The file's text as a whole number.
    pub(crate) fn number(&self, inside: &str) -> Result<i64, Unreadable> {
        let text = self.read(inside)?;
        text.parse()
            .map_err(|_| Unreadable::new(inside, format!("`{text}` is not a whole number")))
    }

    /// Names in a directory, sorted; none where there is no such directory.
    pub(crate) fn names(&self, inside: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.at(inside)) else {
            return Vec::new();
        };
        let names = entries.flatten();
        let mut names: Vec<String> = names
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }

    /// The directory that `path` is in or would be made in, as an absolute path without links, so that its mount can be
    /// found. Fabricated hosts have no such links: their paths are taken as they are.
    pub(crate) fn resolve(&self, path: &Path) -> PathBuf {
        if self.root != Path::new("/") {
            return path.to_path_buf();
        }
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let there = absolute
            .ancestors()
            .find_map(|part| part.canonicalize().ok());
        there.unwrap_or(absolute)
    }
}
