//! A storage in memory for machines that die and disks that fail, with everything on one thread and in one order.
//!
//! `SimStorage` stands in the place of `acth_journal::storage::Disk`. Its calls are numbered: a hook is told before and after each
//! one that changes something, a plan stops the process there, or lets one call fail. `freeze` takes the machine as it is at
//! a moment, and `Frozen` makes of it what the next process finds.

mod buffer;
mod image;
mod world;

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use acth_journal::storage::{Access, Lock, Mapping, Storage, StoredFile};

pub use self::{
    buffer::PAGE_BYTES,
    image::{Frozen, LOSSES, Loss},
};
use self::{
    buffer::PageBuffer,
    world::{Node, World, page_count},
};

/// What a failing call answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No space is left.
    NoSpace,
    /// The device failed.
    Device,
    /// The call was interrupted before it did anything.
    Interrupted,
    /// Half of what was asked for is read or written.
    Short,
    /// A sync failed, and the pages count as clean from then on.
    Sync,
}

/// All of them.
pub const FAULTS: [Fault; 5] = [
    Fault::NoSpace,
    Fault::Device,
    Fault::Interrupted,
    Fault::Short,
    Fault::Sync,
];

/// What a call is, as far as plans care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    /// Looks at something.
    Look,
    Read,
    Write,
    /// Takes room.
    Take,
    /// Changes a name or a length.
    Change,
    Sync,
}

impl Call {
    fn is_effect(self) -> bool {
        !matches!(self, Self::Look | Self::Read)
    }

    /// Whether a call of this kind can fail like this.
    fn can(self, fault: Fault) -> bool {
        match fault {
            Fault::NoSpace => matches!(self, Self::Write | Self::Take),
            Fault::Device | Fault::Interrupted => true,
            Fault::Short => matches!(self, Self::Read | Self::Write),
            Fault::Sync => self == Self::Sync,
        }
    }
}

/// Told before and after each call that changes something, with the number of the moment: twice the number of the call, plus one
/// afterwards.
pub type Hook = Arc<dyn Fn(&SimStorage, u64) + Send + Sync>;

#[derive(Default)]
struct Plan {
    calls: u64,
    effects: u64,
    stop_at: Option<u64>,
    stopped: Option<Frozen>,
    fail_at: Option<(u64, Fault)>,
    has_failed: bool,
    failed_what: Option<&'static str>,
    hook: Option<Hook>,
}

/// A simulated machine's storage. Clones are the same machine.
#[derive(Clone)]
pub struct SimStorage {
    world: Arc<Mutex<World>>,
    plan: Arc<Mutex<Plan>>,
}

impl fmt::Debug for SimStorage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SimStorage").finish_non_exhaustive()
    }
}

impl Default for SimStorage {
    fn default() -> Self {
        Self::over(World::new())
    }
}

/// What the process gets once the machine is dead: nothing that it does afterwards counts.
fn dead() -> io::Error {
    io::Error::other("the simulated machine is dead")
}

impl SimStorage {
    fn over(world: World) -> Self {
        Self {
            world: Arc::new(Mutex::new(world)),
            plan: Arc::default(),
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The machine as it is now.
    pub fn freeze(&self) -> Frozen {
        Frozen::of(&self.world())
    }

    /// Has this told of every moment.
    pub fn set_hook(&self, hook: Option<Hook>) {
        self.plan().hook = hook;
    }

    /// Stops the machine at this moment: every later call fails.
    pub fn stop_at(&self, moment: u64) {
        self.plan().stop_at = Some(moment);
    }

    /// The machine as it was when it stopped.
    pub fn stopped(&self) -> Option<Frozen> {
        self.plan().stopped.clone()
    }

    /// Lets the call of this number fail, if a call of its kind can fail like that.
    pub fn fail_at(&self, call: u64, fault: Fault) {
        self.plan().fail_at = Some((call, fault));
    }

    /// Which call failed as planned, if one did.
    pub fn failed_what(&self) -> Option<&'static str> {
        self.plan().failed_what
    }

    /// Calls so far.
    pub fn calls(&self) -> u64 {
        self.plan().calls
    }

    /// Calls so far that changed something.
    pub fn effects(&self) -> u64 {
        self.plan().effects
    }

    /// What the system says is free.
    pub fn set_free_bytes(&self, bytes: u64) {
        self.world().free_bytes = bytes;
    }

    /// Names and contents of all files, as a process sees them.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut world = self.world();
        let names: Vec<(PathBuf, usize)> = world
            .names
            .iter()
            .filter_map(|(path, node)| match node {
                Node::File(id) => Some((path.clone(), *id)),
                Node::Dir => None,
            })
            .collect();
        let mut found = Vec::new();
        for (path, id) in names {
            let inode = &mut world.inodes[id];
            let mut bytes = vec![0; inode.cache_length as usize];
            inode.read_at(&mut bytes, 0);
            found.push((path, bytes));
        }
        found
    }

    /// One file as a process sees it; `None` if there is none.
    pub fn file(&self, path: &Path) -> Option<Vec<u8>> {
        let mut world = self.world();
        let id = world.file(path).ok()?;
        let mut bytes = vec![0; world.inodes[id].cache_length as usize];
        world.inodes[id].read_at(&mut bytes, 0);
        Some(bytes)
    }

    /// Puts a file there behind everybody's back, on the device as well.
    pub fn put_file(&self, path: &Path, bytes: &[u8]) {
        let mut world = self.world();
        let id = match world.file(path) {
            Ok(id) => id,
            Err(_) => match world.create(path) {
                Ok(id) => id,
                Err(_) => return,
            },
        };
        let inode = &mut world.inodes[id];
        inode.is_mapped = false;
        inode.set_length(bytes.len() as u64);
        inode.write_at(bytes, 0);
        inode.sync();
    }

    /// Changes bytes of a file behind everybody's back, in the page cache alone.
    pub fn poke(&self, path: &Path, offset: u64, bytes: &[u8]) {
        let mut world = self.world();
        if let Ok(id) = world.file(path) {
            world.inodes[id].write_at(bytes, offset);
        }
    }

    /// One call: counted, stopped or failed as planned, told of.
    fn call<T>(
        &self,
        kind: Call,
        what: &'static str,
        act: impl FnOnce(&mut World, Option<Fault>) -> io::Result<T>,
    ) -> io::Result<T> {
        let fault = self.begin(kind, what)?;
        match fault {
            Some(Fault::Interrupted) => return Err(io::Error::from(io::ErrorKind::Interrupted)),
            Some(Fault::NoSpace) => return Err(io::Error::from(io::ErrorKind::StorageFull)),
            // A failing sync loses what it was to write: the act itself sees to that.
            Some(Fault::Device) if kind != Call::Sync => {
                return Err(io::Error::from_raw_os_error(libc::EIO));
            }
            _ => {}
        }
        let answer = act(&mut self.world(), fault)?;
        if kind.is_effect() {
            self.end()?;
        }
        Ok(answer)
    }

    fn begin(&self, kind: Call, what: &'static str) -> io::Result<Option<Fault>> {
        let mut plan = self.plan();
        if plan.stopped.is_some() {
            return Err(dead());
        }
        plan.calls += 1;
        let number = plan.calls;
        let mut fault = None;
        if let Some((at, planned)) = plan.fail_at
            && at == number
            && !plan.has_failed
        {
            plan.has_failed = true;
            if kind.can(planned) {
                plan.failed_what = Some(what);
                fault = Some(planned);
            }
        }
        if kind.is_effect() {
            let moment = plan.effects * 2;
            drop(plan);
            self.moment(moment)?;
        }
        Ok(fault)
    }

    fn end(&self) -> io::Result<()> {
        let moment = {
            let mut plan = self.plan();
            plan.effects += 1;
            plan.effects * 2 - 1
        };
        self.moment(moment)
    }

    fn moment(&self, moment: u64) -> io::Result<()> {
        let (hook, is_stop) = {
            let plan = self.plan();
            (plan.hook.clone(), plan.stop_at == Some(moment))
        };
        if let Some(hook) = hook {
            hook(self, moment);
        }
        if is_stop {
            let frozen = self.freeze();
            self.plan().stopped = Some(frozen);
            return Err(dead());
        }
        Ok(())
    }

    fn handle(&self, id: usize) -> Arc<dyn StoredFile> {
        Arc::new(SimFile {
            storage: self.clone(),
            id,
        })
    }
}

fn device_error() -> io::Error {
    io::Error::from_raw_os_error(libc::EIO)
}

impl Storage for SimStorage {
    fn make_dir(&self, path: &Path) -> io::Result<()> {
        self.call(Call::Change, "make_dir", |world, _| {
            world.make_dir(path);
            Ok(())
        })
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.call(Call::Look, "list", |world, _| Ok(world.list(path)))
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.world().names.get(path) == Some(&Node::Dir)
    }

    fn exists(&self, path: &Path) -> bool {
        self.world().names.contains_key(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.call(Call::Sync, "sync_dir", |world, fault| {
            if fault.is_some() {
                return Err(device_error());
            }
            world.sync_dir(path);
            Ok(())
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(Call::Change, "rename", |world, _| world.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call(Call::Change, "remove", |world, _| world.remove(path))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn StoredFile>> {
        let id = self.call(Call::Take, "create", |world, _| world.create(path))?;
        Ok(self.handle(id))
    }

    fn open(&self, path: &Path, _access: Access) -> io::Result<Arc<dyn StoredFile>> {
        let id = self.call(Call::Look, "open", |world, _| world.file(path))?;
        Ok(self.handle(id))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        self.call(Call::Change, "lock", |world, _| {
            if world.file(path).is_err() {
                world.create(path)?;
            }
            if world.locks.insert(path.to_path_buf()) {
                Ok(())
            } else {
                Err(io::Error::from(io::ErrorKind::WouldBlock))
            }
        })?;
        Ok(Box::new(SimLock {
            storage: self.clone(),
            path: path.to_path_buf(),
        }))
    }

    fn free_bytes(&self, _path: &Path) -> io::Result<u64> {
        self.call(Call::Look, "free_bytes", |world, _| Ok(world.free_bytes))
    }

    fn boot_id(&self) -> io::Result<[u8; 16]> {
        self.call(Call::Look, "boot_id", |world, _| {
            Ok(u128::from(world.boot).to_be_bytes())
        })
    }

    fn wall_clock_ns(&self) -> i64 {
        1
    }

    fn page_bytes(&self) -> usize {
        PAGE_BYTES
    }
}

#[derive(Debug)]
struct SimLock {
    storage: SimStorage,
    path: PathBuf,
}

impl Lock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.storage.world().locks.remove(&self.path);
    }
}

#[derive(Debug)]
struct SimFile {
    storage: SimStorage,
    id: usize,
}

impl SimFile {
    fn sync_range(
        &self,
        what: &'static str,
        from: usize,
        to: usize,
        is_whole: bool,
    ) -> io::Result<()> {
        self.storage.call(Call::Sync, what, |world, fault| {
            let inode = &mut world.inodes[self.id];
            if fault.is_some() {
                inode.forget(from, to);
                return Err(device_error());
            }
            if is_whole {
                inode.sync();
            } else {
                inode.sync_pages(from, to);
            }
            Ok(())
        })
    }
}

impl StoredFile for SimFile {
    fn length(&self) -> io::Result<u64> {
        self.storage.call(Call::Look, "length", |world, _| {
            Ok(world.inodes[self.id].cache_length)
        })
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.storage.call(Call::Read, "read", |world, fault| {
            let count = short(bytes.len(), fault);
            Ok(world.inodes[self.id].read_at(&mut bytes[..count], offset))
        })
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.storage.call(Call::Write, "write", |world, fault| {
            let count = short(bytes.len(), fault);
            world.inodes[self.id].write_at(&bytes[..count], offset);
            Ok(count)
        })
    }

    fn set_length(&self, bytes: u64) -> io::Result<()> {
        self.storage.call(Call::Change, "set_length", |world, _| {
            world.inodes[self.id].set_length(bytes);
            Ok(())
        })
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        self.storage.call(Call::Take, "allocate", |world, _| {
            world.inodes[self.id].set_length(bytes);
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_range("sync", 0, usize::MAX, true)
    }

    fn map(&self, bytes: usize, _access: Access) -> io::Result<Arc<dyn Mapping>> {
        let buffer = self.storage.call(Call::Look, "map", |world, _| {
            let inode = &mut world.inodes[self.id];
            let buffer = inode.buffer(bytes as u64);
            inode.is_mapped = true;
            Ok(buffer)
        })?;
        Ok(Arc::new(SimMapping {
            file: Self {
                storage: self.storage.clone(),
                id: self.id,
            },
            buffer,
            length: bytes,
        }))
    }
}

/// How many of `bytes` a call does.
fn short(bytes: usize, fault: Option<Fault>) -> usize {
    match fault {
        Some(Fault::Short) => bytes.div_ceil(2),
        _ => bytes,
    }
}

#[derive(Debug)]
struct SimMapping {
    file: SimFile,
    buffer: Arc<PageBuffer>,
    length: usize,
}

#[allow(unsafe_code, reason = "the trait is unsafe to implement")]
// SAFETY: the buffer's address does not change while it lives, is page-aligned and has at least `length` bytes; what is stored there
// is the file's content from then on; nobody makes a reference into it that outlives a comparison.
unsafe impl Mapping for SimMapping {
    fn base(&self) -> *mut u8 {
        self.buffer.base()
    }

    fn length(&self) -> usize {
        self.length
    }

    fn populate_for_writing(&self, _from: usize, _to: usize) {}

    fn sync(&self, from: usize, to: usize) -> io::Result<()> {
        let to = page_count(to.min(self.length) as u64);
        self.file
            .sync_range("sync of pages", from / PAGE_BYTES, to, false)
    }
}
