//! What the next process finds: after the death of a process everything that it stored, after the death of the machine what was
//! synced and any part of the rest.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    SimStorage,
    buffer::{PAGE_BYTES, Page},
    world::{Inode, NameChange, Names, Node, World, page_count},
};
use crate::random::Random;

/// How much of what was not synced reaches the device when the machine dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing of it.
    None,
    /// All of it.
    All,
    /// The first pages and the first changes of names.
    Prefix,
    /// Any pages, any changes of names.
    Subset,
    /// As `Subset`, and one page has sectors of 512 bytes of both states.
    TornSector,
    /// As `Subset`, and one page has words of 8 bytes of both states.
    TornWord,
}

/// The images that suite 6 makes of every point.
pub const LOSSES: [Loss; 8] = [
    Loss::None,
    Loss::All,
    Loss::Prefix,
    Loss::Subset,
    Loss::Subset,
    Loss::Subset,
    Loss::TornSector,
    Loss::TornWord,
];

const SECTOR_BYTES: usize = 512;
const WORD_BYTES: usize = 8;

#[derive(Clone, Debug)]
struct FrozenFile {
    device: Vec<Option<Arc<Page>>>,
    device_length: u64,
    cache_length: u64,
    dirty: Vec<(usize, Arc<Page>)>,
    believed: std::collections::BTreeMap<usize, Arc<Page>>,
}

/// A machine at one moment.
#[derive(Clone, Debug)]
pub struct Frozen {
    files: Vec<FrozenFile>,
    names: Names,
    durable_names: Names,
    pending: Vec<NameChange>,
    boot: u64,
    free_bytes: u64,
}

impl Frozen {
    pub(super) fn of(world: &World) -> Self {
        let file = |inode: &Inode| FrozenFile {
            device: inode.device.clone(),
            device_length: inode.device_length,
            cache_length: inode.cache_length,
            dirty: inode.dirty(),
            believed: inode.believed.clone(),
        };
        let names = world.names.values().chain(world.durable_names.values());
        let changed = world.pending.iter().flat_map(|change| &change.changes);
        let changed = changed.filter_map(|(_, node)| node.as_ref());
        let reachable: BTreeSet<usize> = names
            .chain(changed)
            .filter_map(|node| match node {
                Node::File(id) => Some(*id),
                Node::Dir => None,
            })
            .collect();
        let files = world.inodes.iter().enumerate().map(|(id, inode)| {
            // What no name leads to any more is lost whatever happens.
            if reachable.contains(&id) {
                file(inode)
            } else {
                file(&Inode::default())
            }
        });
        Self {
            files: files.collect(),
            names: world.names.clone(),
            durable_names: world.durable_names.clone(),
            pending: world.pending.clone(),
            boot: world.boot,
            free_bytes: world.free_bytes,
        }
    }

    /// Pages and changes of names that were not synced.
    pub fn unsynced_count(&self) -> usize {
        let pages: usize = self.files.iter().map(|file| file.dirty.len()).sum();
        pages + self.pending.len()
    }

    /// The process died: the page cache lives, and so does what is not synced yet.
    pub fn process_death(&self) -> SimStorage {
        let inodes = self.files.iter().map(|file| {
            let mut inode = Inode::durable(file.device.clone(), file.device_length);
            if !file.dirty.is_empty() || file.cache_length != file.device_length {
                let buffer = inode.buffer(file.cache_length);
                for (index, page) in &file.dirty {
                    if (index + 1) * PAGE_BYTES <= buffer.capacity() {
                        buffer.write(index * PAGE_BYTES, &page[..]);
                    }
                }
                inode.cache_length = file.cache_length;
            }
            inode.believed.clone_from(&file.believed);
            inode
        });
        SimStorage::over(World {
            inodes: inodes.collect(),
            names: self.names.clone(),
            durable_names: self.durable_names.clone(),
            pending: self.pending.clone(),
            locks: Default::default(),
            boot: self.boot,
            free_bytes: self.free_bytes,
        })
    }

    /// The machine died.
    pub fn machine_death(&self, loss: Loss, random: &mut Random) -> SimStorage {
        let dirty_count: usize = self.files.iter().map(|file| file.dirty.len()).sum();
        let mut choice = Choice {
            loss,
            kept_pages: random.below(dirty_count as u64 + 1),
            kept_names: random.below(self.pending.len() as u64 + 1),
            torn: match loss {
                Loss::TornSector | Loss::TornWord => random.below(dirty_count.max(1) as u64),
                _ => u64::MAX,
            },
            page_number: 0,
            random,
        };
        let files: Vec<Inode> = self.files.iter().map(|file| choice.file(file)).collect();
        let names = self.names_after(&mut choice);
        SimStorage::over(World {
            inodes: files,
            names: names.clone(),
            durable_names: names,
            pending: Vec::new(),
            locks: Default::default(),
            boot: self.boot + 1,
            free_bytes: self.free_bytes,
        })
    }

    /// Each change for itself, but never one whose forerunner under the same name is not there.
    fn names_after(&self, choice: &mut Choice<'_>) -> Names {
        let mut names = self.durable_names.clone();
        let mut lost: Vec<&NameChange> = Vec::new();
        for (number, change) in self.pending.iter().enumerate() {
            let is_possible = !lost.iter().any(|other| other.shares_a_name(change));
            if is_possible && choice.keeps_name(number as u64) {
                change.apply(&mut names);
            } else {
                lost.push(change);
            }
        }
        let all = names.clone();
        names.retain(|path, _| {
            let mut parents = path.ancestors().skip(1);
            parents.all(|parent| all.get(parent) == Some(&Node::Dir))
        });
        names
    }
}

struct Choice<'a> {
    loss: Loss,
    kept_pages: u64,
    kept_names: u64,
    torn: u64,
    page_number: u64,
    random: &'a mut Random,
}

impl Choice<'_> {
    fn keeps(&mut self, number: u64, prefix: u64) -> bool {
        match self.loss {
            Loss::None => false,
            Loss::All => true,
            Loss::Prefix => number < prefix,
            Loss::Subset | Loss::TornSector | Loss::TornWord => self.random.below(2) == 0,
        }
    }

    fn keeps_name(&mut self, number: u64) -> bool {
        self.keeps(number, self.kept_names)
    }

    fn file(&mut self, file: &FrozenFile) -> Inode {
        let is_long = file.device_length != file.cache_length && {
            let number = self.page_number;
            self.keeps(number, self.kept_pages)
        };
        let length = if is_long {
            file.cache_length
        } else {
            file.device_length
        };
        let mut pages = file.device.clone();
        pages.resize(page_count(length).max(pages.len()), None);
        for (index, page) in &file.dirty {
            let number = self.page_number;
            self.page_number += 1;
            if pages.len() <= *index {
                continue;
            }
            if number == self.torn {
                let old = pages[*index].as_deref().copied();
                let torn = self.tear(&old.unwrap_or([0; PAGE_BYTES]), page);
                pages[*index] = Some(Arc::new(torn));
            } else if self.keeps(number, self.kept_pages) {
                pages[*index] = Some(Arc::clone(page));
            }
        }
        pages.truncate(page_count(length));
        let tail = length as usize % PAGE_BYTES;
        if tail > 0
            && let Some(Some(last)) = pages.last_mut()
        {
            Arc::make_mut(last)[tail..].fill(0);
        }
        Inode::durable(pages, length)
    }

    /// A page with parts of both states.
    fn tear(&mut self, old: &Page, new: &Page) -> Page {
        let part_bytes = if self.loss == Loss::TornSector {
            SECTOR_BYTES
        } else {
            WORD_BYTES
        };
        let differs = |part: &usize| {
            let range = part * part_bytes..(part + 1) * part_bytes;
            old[range.clone()] != new[range]
        };
        let parts: Vec<usize> = (0..PAGE_BYTES / part_bytes).filter(differs).collect();
        let at = self.random.below(parts.len().max(1) as u64) as usize;
        let form = self.random.below(3);
        let mut torn = *old;
        for (number, part) in parts.iter().enumerate() {
            let is_new = match form {
                0 => number < at,
                1 => number >= at,
                _ => number != at,
            };
            if is_new {
                let range = part * part_bytes..(part + 1) * part_bytes;
                torn[range.clone()].copy_from_slice(&new[range]);
            }
        }
        torn
    }
}
