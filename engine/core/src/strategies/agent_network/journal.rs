//! What the network writes into the journal beside its orders: choices, shares, edges, regimes.

use crate::{
    agents::Choice,
    allocator::Allocator,
    decision::{Decision, DecisionKind},
    strategy::Context,
    structure::{EdgeChange, Regime},
};

use super::quoting::agent_number;

/// Puts a share of 0 to 1 into 16 bits.
fn sixteenth(share: f64) -> u16 {
    (share.clamp(0.0, 1.0) * 65_535.0) as u16
}

/// Four numbers of 16 bits as the bits of one field, the first lowest.
fn four(parts: [u16; 4]) -> u64 {
    parts
        .iter()
        .rev()
        .fold(0, |word, part| word << 16 | u64::from(*part))
}

/// An action was drawn.
pub(super) fn chosen(ctx: &mut Context<'_>, agent: usize, choice: &Choice) {
    let p = &choice.probabilities;
    let _ = ctx.journal(Decision {
        kind: DecisionKind::ActionChosen as u8,
        instrument: choice.index as u16,
        agent: agent_number(agent),
        state: choice.action,
        client_order_id: choice.draw,
        price: four([p[0], p[1], p[2], p[3]]).cast_signed(),
        quantity: four([p[4], p[5], p[6], p[7]]).cast_signed(),
        signal_bits: choice.observation_hash,
        hash: choice.model_hash,
        ..Decision::default()
    });
}

/// Capital was shared anew.
pub(super) fn shares_set(ctx: &mut Context<'_>, allocator: &Allocator, agent_count: usize) {
    let mut parts = [0u16; 16];
    for (agent, part) in parts.iter_mut().enumerate().take(agent_count) {
        *part = sixteenth(allocator.share(agent));
    }
    let word = |first: usize| {
        four([
            parts[first],
            parts[first + 1],
            parts[first + 2],
            parts[first + 3],
        ])
    };
    let _ = ctx.journal(Decision {
        kind: DecisionKind::SharesSet as u8,
        state: agent_count as u8,
        client_order_id: word(0),
        price: word(4).cast_signed(),
        quantity: word(8).cast_signed(),
        reference_price: word(12).cast_signed(),
        signal_bits: allocator.scale().to_bits(),
        hash: allocator.regret().to_bits(),
        ..Decision::default()
    });
}

/// An edge came or went.
pub(super) fn edge_changed(ctx: &mut Context<'_>, change: &EdgeChange) {
    let _ = ctx.journal(Decision {
        kind: DecisionKind::EdgeChanged as u8,
        instrument: change.edge.first as u16,
        agent: change.edge.second as u16,
        state: u8::from(change.appeared),
        price: change.edge.lag_ns,
        signal_bits: change.edge.correlation.to_bits(),
        ..Decision::default()
    });
}

/// The market's regime is another one.
pub(super) fn regime_changed(ctx: &mut Context<'_>, regime: &Regime) {
    let [one, two, three, four] = regime.probabilities.map(f64::to_bits);
    let _ = ctx.journal(Decision {
        kind: DecisionKind::RegimeChanged as u8,
        state: regime.state,
        price: one.cast_signed(),
        quantity: two.cast_signed(),
        reference_price: three.cast_signed(),
        signal_bits: four,
        ..Decision::default()
    });
}
