//! The simulated machine: files with two images (page cache and device) and directories with two lists of names.
//!
//! Strict, as a file system may be by the letter of POSIX: a sync of a file makes its content and length durable and no name; a sync
//! of a directory makes the names in it durable and no content; what was not synced may be there after the death of the
//! machine or not, each page and each name for itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::buffer::{PAGE_BYTES, Page, PageBuffer};

const ZEROS: Page = [0; PAGE_BYTES];

/// One file.
#[derive(Debug, Default)]
pub(super) struct Inode {
    /// The page cache; `None` while it is equal to the device.
    cache: Option<Arc<PageBuffer>>,
    pub(super) cache_length: u64,
    /// What the device holds; `None` = zeros.
    pub(super) device: Vec<Option<Arc<Page>>>,
    pub(super) device_length: u64,
    /// Pages that a failed sync left clean though they never reached the device, as they were then: syncing them again does
    /// nothing until they change.
    pub(super) believed: BTreeMap<usize, Arc<Page>>,
    pub(super) is_mapped: bool,
}

pub(super) fn page_count(bytes: u64) -> usize {
    (bytes as usize).div_ceil(PAGE_BYTES)
}

impl Inode {
    /// A file that is on the device as a whole.
    pub(super) fn durable(device: Vec<Option<Arc<Page>>>, length: u64) -> Self {
        Self {
            cache_length: length,
            device,
            device_length: length,
            ..Self::default()
        }
    }

    pub(super) fn device_page(&self, index: usize) -> &Page {
        match self.device.get(index) {
            Some(Some(page)) => page,
            _ => &ZEROS,
        }
    }

    /// The page cache, with room for this many bytes.
    pub(super) fn buffer(&mut self, bytes: u64) -> Arc<PageBuffer> {
        let wanted = bytes.max(self.cache_length).max(self.device_length) as usize;
        if let Some(cache) = &self.cache
            && cache.capacity() >= wanted
        {
            return Arc::clone(cache);
        }
        assert!(!self.is_mapped, "a mapped file grows in the simulation");
        let grown = PageBuffer::new(wanted);
        match &self.cache {
            Some(cache) => {
                for index in 0..cache.capacity() / PAGE_BYTES {
                    grown.write(index * PAGE_BYTES, &cache.page(index));
                }
            }
            None => {
                for (index, page) in self.device.iter().enumerate() {
                    if let Some(page) = page {
                        grown.write(index * PAGE_BYTES, &page[..]);
                    }
                }
            }
        }
        let grown = Arc::new(grown);
        self.cache = Some(Arc::clone(&grown));
        grown
    }

    /// Pages of the cache that the device does not have as they are.
    pub(super) fn dirty(&self) -> Vec<(usize, Arc<Page>)> {
        let Some(cache) = &self.cache else {
            return Vec::new();
        };
        (0..cache.capacity() / PAGE_BYTES)
            .filter(|index| !cache.page_is(*index, self.device_page(*index)))
            .map(|index| (index, Arc::new(cache.page(index))))
            .collect()
    }

    fn is_clean_by_mistake(&self, index: usize, page: &Page) -> bool {
        self.believed
            .get(&index)
            .is_some_and(|believed| **believed == *page)
    }

    /// Takes these pages to the device.
    pub(super) fn sync_pages(&mut self, from: usize, to: usize) {
        for (index, page) in self.dirty() {
            if (from..to).contains(&index) && !self.is_clean_by_mistake(index, &page) {
                self.believed.remove(&index);
                if self.device.len() <= index {
                    self.device.resize(index + 1, None);
                }
                self.device[index] = Some(page);
            }
        }
    }

    /// Takes content and length to the device.
    pub(super) fn sync(&mut self) {
        self.sync_pages(0, usize::MAX);
        self.device_length = self.cache_length;
        self.device.truncate(page_count(self.device_length));
    }

    /// A sync of these pages failed: they count as clean now.
    pub(super) fn forget(&mut self, from: usize, to: usize) {
        for (index, page) in self.dirty() {
            if (from..to).contains(&index) {
                self.believed.insert(index, page);
            }
        }
    }

    pub(super) fn read_at(&mut self, bytes: &mut [u8], offset: u64) -> usize {
        let there = self.cache_length.saturating_sub(offset) as usize;
        let count = there.min(bytes.len());
        if count > 0 {
            self.buffer(0).read(offset as usize, &mut bytes[..count]);
        }
        count
    }

    pub(super) fn write_at(&mut self, bytes: &[u8], offset: u64) {
        let end = offset + bytes.len() as u64;
        self.buffer(end).write(offset as usize, bytes);
        self.cache_length = self.cache_length.max(end);
        let pages = offset as usize / PAGE_BYTES..page_count(end);
        self.believed.retain(|index, _| !pages.contains(index));
    }

    pub(super) fn set_length(&mut self, length: u64) {
        let buffer = self.buffer(length);
        let from = length.min(self.cache_length) as usize;
        buffer.clear(from, buffer.capacity());
        self.cache_length = length;
    }
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Dir,
    File(usize),
}

/// A change of names that happens as a whole or not at all.
#[derive(Clone, Debug)]
pub(super) struct NameChange {
    pub(super) changes: Vec<(PathBuf, Option<Node>)>,
}

impl NameChange {
    fn is_in(&self, dir: &Path) -> bool {
        self.changes
            .iter()
            .any(|(path, _)| path.parent() == Some(dir))
    }

    pub(super) fn shares_a_name(&self, other: &Self) -> bool {
        let names = |path: &PathBuf| other.changes.iter().any(|(name, _)| name == path);
        self.changes.iter().any(|(path, _)| names(path))
    }

    pub(super) fn apply(&self, names: &mut Names) {
        for (path, node) in &self.changes {
            match node {
                Some(node) => names.insert(path.clone(), *node),
                None => names.remove(path),
            };
        }
    }
}

pub(super) type Names = BTreeMap<PathBuf, Node>;

/// Everything behind the calls.
#[derive(Debug)]
pub(super) struct World {
    pub(super) inodes: Vec<Inode>,
    pub(super) names: Names,
    pub(super) durable_names: Names,
    /// Changes of names that no sync has made durable, in order.
    pub(super) pending: Vec<NameChange>,
    pub(super) locks: BTreeSet<PathBuf>,
    pub(super) boot: u64,
    pub(super) free_bytes: u64,
}

impl World {
    pub(super) fn new() -> Self {
        let root = Names::from([(PathBuf::from("/"), Node::Dir)]);
        Self {
            inodes: Vec::new(),
            names: root.clone(),
            durable_names: root,
            pending: Vec::new(),
            locks: BTreeSet::new(),
            boot: 1,
            free_bytes: 1 << 40,
        }
    }

    fn change(&mut self, changes: Vec<(PathBuf, Option<Node>)>) {
        let change = NameChange { changes };
        change.apply(&mut self.names);
        self.pending.push(change);
    }

    pub(super) fn file(&self, path: &Path) -> io::Result<usize> {
        match self.names.get(path) {
            Some(Node::File(id)) => Ok(*id),
            Some(Node::Dir) => Err(io::Error::from(io::ErrorKind::IsADirectory)),
            None => Err(io::Error::from(io::ErrorKind::NotFound)),
        }
    }

    fn expect_parent(&self, path: &Path) -> io::Result<()> {
        match path.parent().and_then(|parent| self.names.get(parent)) {
            Some(Node::Dir) => Ok(()),
            _ => Err(io::Error::from(io::ErrorKind::NotFound)),
        }
    }

    pub(super) fn make_dir(&mut self, path: &Path) {
        let missing: Vec<PathBuf> = path
            .ancestors()
            .filter(|part| !self.names.contains_key(*part) && !part.as_os_str().is_empty())
            .map(Path::to_path_buf)
            .collect();
        for part in missing.into_iter().rev() {
            self.change(vec![(part, Some(Node::Dir))]);
        }
    }

    pub(super) fn create(&mut self, path: &Path) -> io::Result<usize> {
        self.expect_parent(path)?;
        if self.names.contains_key(path) {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        let id = self.inodes.len();
        self.inodes.push(Inode::default());
        self.change(vec![(path.to_path_buf(), Some(Node::File(id)))]);
        Ok(id)
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.expect_parent(to)?;
        let id = self.file(from)?;
        self.change(vec![
            (from.to_path_buf(), None),
            (to.to_path_buf(), Some(Node::File(id))),
        ]);
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.file(path)?;
        self.change(vec![(path.to_path_buf(), None)]);
        Ok(())
    }

    pub(super) fn list(&self, dir: &Path) -> Vec<String> {
        let inside = self.names.keys().filter(|path| path.parent() == Some(dir));
        inside
            .filter_map(|path| path.file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }

    /// Makes the names in a directory durable, and of all other changes only those that one of these builds on.
    pub(super) fn sync_dir(&mut self, dir: &Path) {
        let pending = std::mem::take(&mut self.pending);
        let mut is_due: Vec<bool> = pending.iter().map(|change| change.is_in(dir)).collect();
        for later in (0..pending.len()).rev() {
            for earlier in 0..later {
                is_due[earlier] |= is_due[later] && pending[earlier].shares_a_name(&pending[later]);
            }
        }
        for (change, is_due) in pending.into_iter().zip(is_due) {
            if is_due {
                change.apply(&mut self.durable_names);
            } else {
                self.pending.push(change);
            }
        }
    }
}
