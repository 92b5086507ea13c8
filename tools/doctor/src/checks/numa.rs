//! Whether cores, memory and the network card are near each other.

use super::{allowed, busy_cores, list};
use crate::{
    check::{Check, Group, Looked},
    finding::Finding,
    host::{Host, Unreadable},
    parse::list_text,
    subject::Subject,
};

const NODES: &str = "/sys/devices/system/node";

pub(super) const NUMA: Check = Check {
    id: "numa",
    group: Group::Cores,
    why: "a cache line from the other socket costs two to three times as much as one from this socket",
    explain: "All busy threads should sit on one node, and memory should stay where it was touched. Automatic NUMA balancing \
        (kernel.numa_balancing) unmaps pages to see who uses them and moves them: every probe is a page fault on the path. Read \
        from /sys/devices/system/node and /proc/sys/kernel/numa_balancing.",
    look: look_at_nodes,
};

fn look_at_nodes(host: &Host, subject: &Subject) -> Looked {
    let nodes = nodes(host)?;
    if nodes.len() < 2 {
        return Ok(Finding::ok("one node"));
    }
    let busy = busy_cores(host, subject)?;
    let used: Vec<usize> = used_by(&nodes, &busy);
    if !subject.cores.is_empty() && used.len() > 1 {
        let near = nodes.iter().find(|(node, _)| Some(node) == used.first());
        let choice = near.map(|(_, cores)| list_text(cores)).unwrap_or_default();
        return Ok(Finding::bad(
            format!(
                "the busy threads are spread over nodes {}",
                list_text(&used)
            ),
            format!("set [engine] cores to cores of one node, such as {choice}"),
        ));
    }
    if host
        .read_if_there("/proc/sys/kernel/numa_balancing")?
        .is_some_and(|text| text != "0")
    {
        return Ok(Finding::warn(
            "automatic NUMA balancing moves pages while they are used",
            "sysctl -w kernel.numa_balancing=0",
        ));
    }
    Ok(match subject.cores.is_empty() {
        true => Finding::note(format!(
            "{} nodes, and the busy threads are not pinned",
            nodes.len()
        )),
        false => Finding::ok(format!("all busy threads are on node {}", list_text(&used))),
    })
}

/// Every node with its cores.
fn nodes(host: &Host) -> Result<Vec<(usize, Vec<usize>)>, Unreadable> {
    let Some(_) = host.read_if_there(&format!("{NODES}/online"))? else {
        return Ok(vec![(0, allowed(host)?)]);
    };
    let online = list(host, &format!("{NODES}/online"))?;
    let cores =
        |node: usize| list(host, &format!("{NODES}/node{node}/cpulist")).map(|cores| (node, cores));
    online.into_iter().map(cores).collect()
}

/// The nodes that hold any of these cores.
fn used_by(nodes: &[(usize, Vec<usize>)], cores: &[usize]) -> Vec<usize> {
    let used = nodes
        .iter()
        .filter(|(_, own)| own.iter().any(|core| cores.contains(core)));
    used.map(|(node, _)| *node).collect()
}

pub(super) const NETWORK_NODE: Check = Check {
    id: "network-node",
    group: Group::Network,
    why: "packets of a card on the other socket cross the link between the sockets, and so does every descriptor",
    explain: "The card that brings the market data should be in a slot of the socket that the ingress thread runs on. Read from \
        /sys/class/net/*/device/numa_node for --interface, or for every interface that has a device and is up. -1 means that the \
        machine does not say, as on one with one node.",
    look: look_at_cards,
};

fn look_at_cards(host: &Host, subject: &Subject) -> Looked {
    let nodes = nodes(host)?;
    let cards = cards(host, subject)?;
    if cards.is_empty() {
        return Ok(Finding::note("no interface with a device is up"));
    }
    let names: Vec<&str> = cards.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(", ");
    if nodes.len() < 2 {
        return Ok(Finding::ok(format!("one node; {names}")));
    }
    if subject.cores.is_empty() {
        return Ok(Finding::note(format!(
            "the busy threads are not pinned; {names}"
        )));
    }
    let used = used_by(&nodes, &subject.cores);
    let far = cards
        .iter()
        .find(|(_, node)| node.is_some_and(|node| !used.contains(&node)));
    match far {
        Some((name, Some(node))) => {
            let near = nodes.iter().find(|(number, _)| number == node);
            let choice = near.map(|(_, cores)| list_text(cores)).unwrap_or_default();
            Ok(Finding::warn(
                format!(
                    "{name} is on node {node}, the busy threads on {}",
                    list_text(&used)
                ),
                format!("set [engine] cores to cores of node {node}: {choice}"),
            ))
        }
        _ if cards.iter().any(|(_, node)| node.is_none()) => Ok(Finding::unknown(format!(
            "the machine does not say which node {names} is on"
        ))),
        _ => Ok(Finding::ok(format!(
            "{names} on the node of the busy threads"
        ))),
    }
}

/// The interfaces that count, each with its node where the machine says it.
fn cards(host: &Host, subject: &Subject) -> Result<Vec<(String, Option<usize>)>, Unreadable> {
    const CLASS: &str = "/sys/class/net";
    let names = host.names(CLASS);
    if let Some(wanted) = &subject.interface
        && !names.contains(wanted)
    {
        return Err(Unreadable::new(
            CLASS,
            format!("there is no interface {wanted}"),
        ));
    }
    let mut cards = Vec::new();
    for name in names {
        let is_wanted = subject
            .interface
            .as_ref()
            .is_none_or(|wanted| *wanted == name);
        let state = host.read_if_there(&format!("{CLASS}/{name}/operstate"))?;
        let is_up = subject.interface.is_some() || state.as_deref() == Some("up");
        let node = host.read_if_there(&format!("{CLASS}/{name}/device/numa_node"))?;
        if let Some(node) = node
            && is_wanted
            && is_up
        {
            cards.push((name, node.parse().ok()));
        }
    }
    Ok(cards)
}
