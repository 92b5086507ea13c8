//! Whether the busy threads have their cores to themselves.

use super::{CORES_TO_ISOLATE_MIN, allowed, busy_cores, list_if_there, missing, named, online};
use crate::{
    check::{Check, Group, Looked},
    finding::Finding,
    host::{Host, Unreadable},
    parse::{argument, cpu_list, list_text},
    subject::Subject,
};

pub(super) const CORES: Check = Check {
    id: "cores",
    group: Group::Cores,
    why: "two busy threads on one core stop each other for whole scheduler slices (milliseconds)",
    explain: "Every busy thread (ingress, core, egress; one in the single mode) polls and needs a core of its own. This check \
        compares the cores that the configuration names in [engine] cores, or that the engine would choose, with the cores \
        that are switched on and that this process may use (its affinity mask, which taskset, systemd's CPUAffinity= or a \
        container set). With fewer cores than busy threads, nothing is pinned and idle threads park.",
    look: look_at_cores,
};

fn look_at_cores(host: &Host, subject: &Subject) -> Looked {
    let (online, allowed) = (online(host)?, allowed(host)?);
    let wanted = &subject.cores;
    let away = missing(wanted, &online);
    if !away.is_empty() {
        return Ok(Finding::bad(
            format!(
                "{} not switched on; online: {}",
                named(&away),
                list_text(&online)
            ),
            format!(
                "set [engine] cores to {} of {}",
                wanted.len(),
                list_text(&online)
            ),
        ));
    }
    let barred = missing(wanted, &allowed);
    if !barred.is_empty() {
        return Ok(Finding::bad(
            format!(
                "{} not allowed to this process, which may use {}",
                named(&barred),
                list_text(&allowed)
            ),
            format!("taskset --cpu-list {} acth run ...", list_text(wanted)),
        ));
    }
    let count = subject.thread_count;
    if subject.are_cores_chosen && wanted.len() < count {
        return Ok(Finding::bad(
            format!(
                "{} cores are configured for {count} busy threads",
                wanted.len()
            ),
            format!("set [engine] cores to {count} cores, or run --threads single"),
        ));
    }
    let mut distinct = wanted.clone();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < wanted.len() {
        return Ok(Finding::bad(
            format!("two busy threads share a core: [engine] cores = {wanted:?}"),
            "name every core once in [engine] cores",
        ));
    }
    if wanted.is_empty() && allowed.len() < count {
        return Ok(Finding::warn(
            format!(
                "{count} busy threads and {} cores: nothing will be pinned",
                allowed.len()
            ),
            "acth run --threads single",
        ));
    }
    let spare = allowed.len() - count.min(allowed.len());
    let place = if wanted.is_empty() {
        "any of".to_owned()
    } else {
        named(wanted) + " of"
    };
    let text = format!(
        "{} on {place} {}; {spare} left for the rest",
        thread_text(count),
        list_text(&allowed)
    );
    Ok(if spare == 0 {
        Finding::note(text)
    } else {
        Finding::ok(text)
    })
}

fn thread_text(count: usize) -> String {
    match count {
        1 => "one busy thread".to_owned(),
        count => format!("{count} busy threads"),
    }
}

pub(super) const ISOLATED: Check = Check {
    id: "isolated-cores",
    group: Group::Cores,
    why: "on a core that is not isolated any other task may be placed in front of a busy thread, for up to a scheduler slice",
    explain: "isolcpus= (or a cpuset partition of the kind `isolated`) takes cores out of the scheduler's load balancing, so that \
        only what is pinned there runs there. Read from /sys/devices/system/cpu/isolated. isolcpus=managed_irq,domain,LIST also \
        keeps managed interrupts of storage and network away. Leave core 0 to the system. It counts as bad where the machine has \
        four cores or more and the busy threads' cores are not all isolated; on a smaller one there is nothing to set apart. \
        Isolated cores are left out of the default affinity mask: name them in [engine] cores and start acth with a mask that \
        holds them (systemd: CPUAffinity=).",
    look: look_at_isolation,
};

fn look_at_isolation(host: &Host, subject: &Subject) -> Looked {
    let isolated = list_if_there(host, "/sys/devices/system/cpu/isolated")?;
    let isolated = isolated
        .ok_or_else(|| Unreadable::new("/sys/devices/system/cpu/isolated", "no such file"))?;
    let example = |list: &str| format!("kernel command line: isolcpus=managed_irq,domain,{list}");
    set_apart(host, subject, &isolated, "isolated", example)
}

/// What the three ways of setting cores apart have in common: the busy cores should be in the list.
fn set_apart(
    host: &Host,
    subject: &Subject,
    apart: &[usize],
    word: &str,
    fix: impl Fn(&str) -> String,
) -> Looked {
    let online = online(host)?;
    if online.len() < CORES_TO_ISOLATE_MIN {
        return Ok(Finding::note(format!(
            "{} cores: too few to set any apart; expect a tail of scheduler slices and ticks",
            online.len()
        )));
    }
    let busy = &subject.cores;
    if busy.is_empty() {
        return Ok(Finding::note(format!(
            "the busy threads are not pinned; {word} are: {}",
            text_of(apart)
        )));
    }
    let outside = missing(busy, apart);
    let text = match outside.is_empty() {
        true => return Ok(Finding::ok(format!("{word}: {}", list_text(apart)))),
        false => format!(
            "{} of the busy threads: not {word}; {word}: {}",
            named(&outside),
            text_of(apart)
        ),
    };
    Ok(Finding::bad(text, fix(&list_text(busy))))
}

fn text_of(list: &[usize]) -> String {
    match list.is_empty() {
        true => "none".to_owned(),
        false => list_text(list),
    }
}

pub(super) const NOHZ_FULL: Check = Check {
    id: "nohz-full",
    group: Group::Cores,
    why: "without it the scheduler's tick interrupts a spinning thread 100 to 1000 times a second, a few microseconds each",
    explain: "nohz_full=LIST stops the periodic tick on a core while exactly one task runs there. Read from \
        /sys/devices/system/cpu/nohz_full, which is missing where the kernel was built without CONFIG_NO_HZ_FULL. It wants the \
        cores isolated and rcu callbacks moved away as well.",
    look: |host, subject| {
        let Some(cores) = list_if_there(host, "/sys/devices/system/cpu/nohz_full")? else {
            let text =
                "the kernel was built without CONFIG_NO_HZ_FULL: the tick stays on every core";
            let is_small = online(host)?.len() < CORES_TO_ISOLATE_MIN;
            return Ok(match is_small {
                true => Finding::note(text),
                false => Finding::warn(
                    text,
                    "use a kernel with CONFIG_NO_HZ_FULL=y and nohz_full= on its command line",
                ),
            });
        };
        set_apart(host, subject, &cores, "free of the tick", |list| {
            format!("kernel command line: nohz_full={list}")
        })
    },
};

pub(super) const RCU_NOCBS: Check = Check {
    id: "rcu-nocbs",
    group: Group::Cores,
    why: "the kernel's deferred work (RCU callbacks) otherwise runs on the core that queued it, in pieces of tens of microseconds",
    explain: "rcu_nocbs=LIST moves RCU callbacks of these cores to kernel threads elsewhere. nohz_full= implies it for its own list, \
        so either is enough. Read from /proc/cmdline, since no file tells the list in force.",
    look: look_at_rcu,
};

fn look_at_rcu(host: &Host, subject: &Subject) -> Looked {
    let line = host.read("/proc/cmdline")?;
    let mut moved = Vec::new();
    for name in ["rcu_nocbs", "nohz_full"] {
        let Some(text) = argument(&line, name) else {
            continue;
        };
        if text == "all" {
            moved.extend(online(host)?);
            continue;
        }
        let list = cpu_list(text).ok_or_else(|| {
            Unreadable::new(
                "/proc/cmdline",
                format!("{name}={text} is no list of cores"),
            )
        })?;
        moved.extend(list);
    }
    set_apart(host, subject, &moved, "free of callbacks", |list| {
        format!("kernel command line: rcu_nocbs={list}")
    })
}

pub(super) const SMT: Check = Check {
    id: "smt-siblings",
    group: Group::Cores,
    why: "the two threads of one physical core share its caches and units: a busy sibling costs a third of the speed, at any moment",
    explain: "With simultaneous multithreading each physical core shows as two. A polling thread beside another one slows both. Turn \
        SMT off in the BIOS or with nosmt, or leave the siblings of the busy cores idle (offline them). Read from \
        /sys/devices/system/cpu/smt/active and each core's topology/thread_siblings_list.",
    look: look_at_siblings,
};

fn look_at_siblings(host: &Host, subject: &Subject) -> Looked {
    let active = host.read_if_there("/sys/devices/system/cpu/smt/active")?;
    match active.as_deref() {
        Some("0") => return Ok(Finding::ok("one thread a core")),
        None => {
            return Ok(Finding::note(
                "the kernel tells nothing of sibling threads on this machine",
            ));
        }
        Some(_) => {}
    }
    let busy = busy_cores(host, subject)?;
    let online = online(host)?;
    let mut siblings = Vec::new();
    for &core in &busy {
        let path = format!("/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list");
        let list = super::list(host, &path)?;
        siblings.extend(
            list.into_iter()
                .filter(|&other| other != core && online.contains(&other)),
        );
    }
    siblings.sort_unstable();
    siblings.dedup();
    let (together, idle): (Vec<usize>, Vec<usize>) =
        siblings.into_iter().partition(|core| busy.contains(core));
    let off = |cores: &[usize]| {
        let names: Vec<String> = cores
            .iter()
            .map(|core| format!("/sys/devices/system/cpu/cpu{core}/online"))
            .collect();
        format!("echo 0 | tee {}", names.join(" "))
    };
    if !subject.cores.is_empty() && !together.is_empty() {
        return Ok(Finding::bad(
            format!(
                "busy threads sit on two halves of one core: {}",
                list_text(&together)
            ),
            "set [engine] cores to cores of different thread_siblings_list",
        ));
    }
    if subject.cores.is_empty() {
        return Ok(Finding::warn(
            "two threads a core, and the busy threads are not pinned",
            "echo off | tee /sys/devices/system/cpu/smt/control",
        ));
    }
    if idle.is_empty() {
        return Ok(Finding::ok(format!(
            "the siblings of {} are switched off",
            named(&busy)
        )));
    }
    Ok(Finding::warn(
        format!(
            "the siblings of the busy cores take work: {}",
            list_text(&idle)
        ),
        off(&idle),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_of_a_machine_is_named_shortly() {
        assert_eq!(named(&[3]), "core 3");
        assert_eq!(named(&[3, 4, 5]), "cores 3-5");
        assert_eq!(text_of(&[]), "none");
    }
}
