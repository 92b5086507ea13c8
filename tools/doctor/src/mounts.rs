//! The table of mounts, and which of them a path is on.

use std::path::Path;

use crate::host::{Host, Unreadable};

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Where.
    pub(crate) point: String,
    /// Type of the file system.
    pub(crate) kind: String,
    /// What is mounted.
    pub(crate) source: String,
    /// `major:minor` of the device.
    pub(crate) device: String,
    /// Options of the mount and of the file system.
    pub(crate) options: Vec<String>,
}

impl Mount {
    pub(crate) fn has(&self, option: &str) -> bool {
        self.options.iter().any(|word| word == option)
    }
}

/// The mount that `path` is on.
pub(crate) fn of(host: &Host, path: &Path) -> Result<Mount, Unreadable> {
    const TABLE: &str = "/proc/self/mountinfo";
    let text = host.read(TABLE)?;
    // Of two mounts at one point the later one hides the earlier: `max_by_key` keeps the last of equals.
    let found = text
        .lines()
        .filter_map(parse)
        .filter(|mount| path.starts_with(&mount.point))
        .max_by_key(|mount| Path::new(&mount.point).components().count());
    found.ok_or_else(|| Unreadable::new(TABLE, format!("no mount holds {}", path.display())))
}

/// `36 35 98:0 /root /point rw,noatime shared:1 - ext4 /dev/root rw,errors=continue`
fn parse(line: &str) -> Option<Mount> {
    let (front, back) = line.split_once(" - ")?;
    let front: Vec<&str> = front.split(' ').collect();
    let mut back = back.split(' ');
    let (kind, source) = (back.next()?, back.next()?);
    let options = front.get(5)?.split(',');
    let options = options.chain(back.next().unwrap_or_default().split(','));
    Some(Mount {
        point: front.get(4)?.replace("\\040", " "),
        kind: kind.to_owned(),
        source: source.to_owned(),
        device: (*front.get(2)?).to_owned(),
        options: options.map(str::to_owned).collect(),
    })
}
