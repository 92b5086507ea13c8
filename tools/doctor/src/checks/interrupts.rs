//! Whether interrupts are served on the busy cores.

use super::{CORES_TO_ISOLATE_MIN, named, online};
use crate::{
    check::{Check, Group, Looked},
    finding::Finding,
    host::{Host, Unreadable},
    parse::{cpu_list, list_text},
    subject::Subject,
};

pub(super) const IRQ_AFFINITY: Check = Check {
    id: "irq-affinity",
    group: Group::Cores,
    why: "an interrupt stops the busy thread for 2 to 30 us and pushes its data out of the cache",
    explain: "Every device interrupt has a list of cores that may serve it. Those of the busy threads should be in none of them; for \
        the market-data network card a core of its own beside the busy ones is best. Read from effective_affinity_list (where the \
        kernel tells it, else smp_affinity_list) of every interrupt under /proc/irq. irqbalance moves interrupts around: stop it or \
        ban the busy cores with IRQBALANCE_BANNED_CPULIST. Interrupts that the kernel manages itself can only be moved by \
        isolcpus=managed_irq.",
    look: look_at_interrupts,
};

fn look_at_interrupts(host: &Host, subject: &Subject) -> Looked {
    let names = host.names("/proc/irq");
    let numbers: Vec<String> = names
        .into_iter()
        .filter(|name| name.parse::<u32>().is_ok())
        .collect();
    if numbers.is_empty() {
        return Err(Unreadable::new("/proc/irq", "no interrupt is listed"));
    }
    let online = online(host)?;
    if subject.cores.is_empty() {
        return Ok(Finding::note(
            "the busy threads are not pinned: any core may be interrupted",
        ));
    }
    let mut struck = Vec::new();
    let mut unread = 0;
    for number in &numbers {
        match served_by(host, number) {
            Some(cores) if cores.iter().any(|core| subject.cores.contains(core)) => {
                struck.push(number.as_str())
            }
            Some(_) => {}
            None => unread += 1,
        }
    }
    if unread == numbers.len() {
        return Err(Unreadable::new("/proc/irq", "no affinity can be read"));
    }
    let place = named(&subject.cores);
    if struck.is_empty() {
        return Ok(Finding::ok(format!(
            "none of {} interrupts is served on {place}",
            numbers.len()
        )));
    }
    let rest: Vec<usize> = online
        .iter()
        .copied()
        .filter(|core| !subject.cores.contains(core))
        .collect();
    let text = format!(
        "{} of {} interrupts may be served on {place}: {}",
        struck.len(),
        numbers.len(),
        shortened(&struck)
    );
    if online.len() < CORES_TO_ISOLATE_MIN || rest.is_empty() {
        return Ok(Finding::note(text));
    }
    let fix = format!(
        "systemctl stop irqbalance; for i in {}; do echo {} > /proc/irq/$i/smp_affinity_list; done",
        struck.join(" "),
        list_text(&rest)
    );
    Ok(Finding::warn(text, fix))
}

/// The cores that serve an interrupt; `None` when that cannot be read.
fn served_by(host: &Host, number: &str) -> Option<Vec<usize>> {
    let files = ["effective_affinity_list", "smp_affinity_list"];
    let lists = files.into_iter().filter_map(|file| {
        let text = host.read(&format!("/proc/irq/{number}/{file}")).ok()?;
        // An interrupt that nobody has asked for has an empty effective list: it says nothing.
        cpu_list(&text).filter(|list| !list.is_empty())
    });
    lists.into_iter().next()
}

/// The first few of many.
fn shortened(names: &[&str]) -> String {
    const SHOWN: usize = 8;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len() > SHOWN {
        true => format!("{shown}, ..."),
        false => shown,
    }
}
