//! Files that appear whole or not at all: written under another name, synced, renamed at the end.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::error::ExportError;

/// What a file is called while it is written.
const SUFFIX: &str = ".draft";

/// One file in the making.
struct Draft {
    draft: PathBuf,
    path: PathBuf,
}

/// The files of one export. What is not finished is removed when this is dropped.
pub(crate) struct Drafts {
    dir: PathBuf,
    is_dir_new: bool,
    files: Vec<Draft>,
}

impl Drafts {
    /// Makes the directory, or takes one that is there: empty, or any by force.
    pub(crate) fn in_directory(dir: &Path, is_forced: bool) -> Result<Self, ExportError> {
        let is_dir_new = !dir.exists();
        fs::create_dir_all(dir).map_err(ExportError::io("make directory", dir))?;
        let mut entries = fs::read_dir(dir).map_err(ExportError::io("read directory", dir))?;
        if !is_forced && entries.next().is_some() {
            return Err(ExportError::NotEmpty {
                dir: dir.to_owned(),
            });
        }
        Ok(Self {
            dir: dir.to_owned(),
            is_dir_new,
            files: Vec::new(),
        })
    }

    /// Begins a file; also says where it will be.
    pub(crate) fn begin(&mut self, name: &str) -> Result<(BufWriter<File>, PathBuf), ExportError> {
        let path = self.dir.join(name);
        let draft = self.dir.join(format!("{name}{SUFFIX}"));
        let file = File::create(&draft).map_err(ExportError::io("create", &draft))?;
        self.files.push(Draft {
            draft,
            path: path.clone(),
        });
        Ok((BufWriter::new(file), path))
    }

    /// Gives all files their names; they must be synced.
    pub(crate) fn finish(mut self) -> Result<(), ExportError> {
        while let Some(file) = self.files.first() {
            let renamed = fs::rename(&file.draft, &file.path);
            renamed.map_err(ExportError::io("rename", &file.draft))?;
            self.files.remove(0);
        }
        self.is_dir_new = false;
        let dir = File::open(&self.dir).and_then(|dir| dir.sync_all());
        dir.map_err(ExportError::io("sync", &self.dir))
    }
}

impl Drop for Drafts {
    fn drop(&mut self) {
        // The error that led here is the one to tell; what cannot be removed still shows by its name that it is unfinished.
        for file in &self.files {
            let _ = fs::remove_file(&file.draft);
        }
        if self.is_dir_new {
            let _ = fs::remove_dir(&self.dir);
        }
    }
}

/// Puts everything of a file on stable storage and says how long it is.
pub(crate) fn sync(mut writer: BufWriter<File>, path: &Path) -> Result<u64, ExportError> {
    let synced = writer.flush().and_then(|()| {
        let file = writer.get_ref();
        file.sync_all()?;
        Ok(file.metadata()?.len())
    });
    synced.map_err(ExportError::io("sync", path))
}
