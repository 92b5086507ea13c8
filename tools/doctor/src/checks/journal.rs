//! Where the journal lies.

use crate::{
    check::{Check, Group, Looked},
    finding::Finding,
    host::{Host, Unreadable},
    mounts,
    parse::bytes_text,
    subject::Subject,
};

pub(super) const FILE_SYSTEM: Check = Check {
    id: "journal-filesystem",
    group: Group::Journal,
    why: "on a file system in memory nothing survives the host; on the network each sync waits for another machine",
    explain: "The journal is mapped into memory and synced in the background. ext4 and xfs on a local disk do what is asked of them. tmpfs \
        and ramfs lose everything with the machine, overlay (the usual root of a container) copies and maps badly, \
        network file systems stop a writer for as long as the network does. Found through /proc/self/mountinfo for \
        [journal] directory.",
    look: look_at_file_system,
};

/// File systems on a local disk that are known to do what the journal asks.
const GOOD: [&str; 2] = ["ext4", "xfs"];
/// Those that must not hold a journal, each with its reason.
const IN_MEMORY: [&str; 3] = ["tmpfs", "ramfs", "devtmpfs"];
const STACKED: [&str; 3] = ["overlay", "aufs", "fuse.fuse-overlayfs"];
const REMOTE: [&str; 10] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "ceph",
    "9p",
    "glusterfs",
    "lustre",
    "virtiofs",
];

fn look_at_file_system(host: &Host, subject: &Subject) -> Looked {
    let place = host.resolve(&subject.journal);
    let mount = mounts::of(host, &place)?;
    let kind = mount.kind.as_str();
    let text = format!(
        "{kind} ({} on {}) holds {}",
        mount.source,
        mount.point,
        place.display()
    );
    const FIX: &str = "set [journal] directory to a directory on ext4 or xfs on a local disk";
    let is_remote = REMOTE.contains(&kind) || kind.starts_with("fuse.");
    Ok(if IN_MEMORY.contains(&kind) {
        Finding::bad(format!("{text}: in memory, lost with the host"), FIX)
    } else if STACKED.contains(&kind) {
        Finding::bad(
            format!("{text}: a container's own layer; mount a volume"),
            FIX,
        )
    } else if is_remote {
        Finding::bad(format!("{text}: not on this machine"), FIX)
    } else if GOOD.contains(&kind) {
        Finding::ok(text)
    } else {
        Finding::warn(
            format!("{text}: works, but copies on write or is little tried"),
            FIX,
        )
    })
}

pub(super) const MOUNT_OPTIONS: Check = Check {
    id: "journal-mount",
    group: Group::Journal,
    why: "without barriers a confirmed sync may not be on the disk; with access times every read of the journal writes",
    explain: "noatime spares a write for each reader (relatime, the usual default, spares most). barrier=0 or nobarrier makes syncs fast by \
        not waiting for the disk's cache: a loss of power then takes what was confirmed. `sync` and data=journal write everything \
        twice or at once and stop the flusher; discard sends a command to the disk for every file that is deleted: a timer (fstrim) does that \
        better. Read from /proc/self/mountinfo.",
    look: look_at_options,
};

fn look_at_options(host: &Host, subject: &Subject) -> Looked {
    let mount = mounts::of(host, &host.resolve(&subject.journal))?;
    let remount = |option: &str| {
        format!(
            "mount -o remount,{option} {} (and in /etc/fstab)",
            mount.point
        )
    };
    if mount.has("ro") {
        return Ok(Finding::bad(
            format!("{} is mounted read-only", mount.point),
            remount("rw"),
        ));
    }
    if mount.has("nobarrier") || mount.has("barrier=0") {
        return Ok(Finding::bad(
            "barriers are off: a confirmed sync may be lost with the power",
            remount("barrier=1"),
        ));
    }
    if mount.has("sync") || mount.has("data=journal") {
        return Ok(Finding::warn(
            "every write is written at once or twice (sync, data=journal)",
            remount("async"),
        ));
    }
    if mount.has("strictatime") || !(mount.has("noatime") || mount.has("relatime")) {
        return Ok(Finding::warn(
            "every read of the journal writes its access time",
            remount("noatime"),
        ));
    }
    if mount.has("discard") {
        return Ok(
            Finding::note("discard: deleting a segment sends commands to the disk")
                .with_fix(remount("nodiscard") + "; systemctl enable --now fstrim.timer"),
        );
    }
    let word = if mount.has("noatime") {
        "noatime"
    } else {
        "relatime"
    };
    Ok(match word {
        "relatime" => Finding::note("relatime: a reader's first look a day writes")
            .with_fix(remount("noatime")),
        _ => Finding::ok(word),
    })
}

pub(super) const SPACE: Check = Check {
    id: "journal-space",
    group: Group::Journal,
    why: "below its first mark the hub only reduces risk, below its second it halts",
    explain: "The marks are [journal] space_low_mib and space_out_mib (by default eight and two segments). A host that starts near them will \
        reach them while it trades: twice the first mark is the least that this check likes.",
    look: look_at_space,
};

fn look_at_space(host: &Host, subject: &Subject) -> Looked {
    let place = host.resolve(&subject.journal);
    let space = host.system().space(&place);
    let space = space.map_err(|cause| Unreadable::new(place.display().to_string(), cause))?;
    let free = bytes_text(space.free_bytes);
    let text = format!(
        "{free} free; only risk is reduced below {}, trading halts below {}",
        bytes_text(subject.space_low_bytes),
        bytes_text(subject.space_out_bytes)
    );
    const FIX: &str =
        "acth journal prune JOURNAL --keep-segments COUNT, or set [journal] retain_mib";
    Ok(if space.free_bytes < subject.space_low_bytes {
        Finding::bad(text, FIX)
    } else if space.free_bytes < 2 * subject.space_low_bytes {
        Finding::warn(text, FIX)
    } else {
        Finding::ok(text)
    })
}

pub(super) const DEVICE: Check = Check {
    id: "journal-device",
    group: Group::Journal,
    why: "a sync on a disk that turns takes 5 to 20 ms; in gated mode an order waits for it",
    explain: "Read from /sys/dev/block/MAJOR:MINOR/queue (of the whole disk for a partition): whether the disk turns, and which scheduler \
        orders its requests. For a disk that is fast by itself `none` is right; bfq adds a delay to small syncs beside large ones.",
    look: look_at_device,
};

fn look_at_device(host: &Host, subject: &Subject) -> Looked {
    let mount = mounts::of(host, &host.resolve(&subject.journal))?;
    let base = format!("/sys/dev/block/{}", mount.device);
    let mut queue = format!("{base}/queue");
    if host
        .read_if_there(&format!("{queue}/rotational"))?
        .is_none()
    {
        queue = format!("{base}/../queue");
    }
    let Some(rotational) = host.read_if_there(&format!("{queue}/rotational"))? else {
        return Ok(Finding::note(format!(
            "{} is no disk with a queue of its own",
            mount.source
        )));
    };
    if rotational == "1" && super::is_virtual(host)? {
        return Ok(Finding::note(format!(
            "{}: a virtual disk; what lies below it is its host's business",
            mount.source
        )));
    }
    if rotational == "1" {
        return Ok(Finding::warn(
            format!("{} turns, or its driver says so", mount.source),
            "set [journal] directory to a directory on NVMe or another solid-state disk",
        ));
    }
    let scheduler = host
        .read_if_there(&format!("{queue}/scheduler"))?
        .unwrap_or_default();
    let chosen = crate::parse::bracketed(&scheduler)
        .unwrap_or("none")
        .to_owned();
    Ok(match chosen.as_str() {
        "bfq" => Finding::warn(
            format!("{}: scheduler bfq", mount.source),
            format!("echo none > {queue}/scheduler"),
        ),
        _ => Finding::ok(format!("{}: solid state, scheduler {chosen}", mount.source)),
    })
}
