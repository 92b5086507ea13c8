//! What may still trade, in money, added up for every level at which a limit looks: hub, venue, base asset and agent.
//!
//! Sums are kept in the currency of their instruments, so a rate that changes touches none of them. One order changes five
//! numbers. Sums cannot overflow: one order is at most 2^94, and fewer than 2^9 are open.

use alloc::{vec, vec::Vec};

use super::order::Order;
use crate::{
    event::Side,
    groups::{Group, Groups},
    money::Money,
};

/// Agents of one hub: numbers 1 to 16.
pub const AGENTS_MAX: usize = 16;

/// The sums, each with one amount per currency.
#[derive(Clone, Debug)]
pub struct OpenSums {
    currencies: usize,
    /// By side.
    hub: [Vec<Money>; 2],
    venue: Vec<Money>,
    /// By side.
    base: [Vec<Money>; 2],
    agent: Vec<Money>,
    /// Notional times margin share in ppm, not yet divided.
    margin: Vec<Money>,
}

impl OpenSums {
    pub(super) fn new(groups: &Groups) -> Self {
        let currencies = groups.currencies().len();
        let zeros = |count: usize| vec![Money::ZERO; count * currencies];
        Self {
            currencies,
            hub: [zeros(1), zeros(1)],
            venue: zeros(groups.venues().len()),
            base: [zeros(groups.bases().len()), zeros(groups.bases().len())],
            agent: zeros(AGENTS_MAX),
            margin: zeros(1),
        }
    }

    /// Adds what of an order may trade; negative takes away.
    pub(super) fn add(&mut self, group: Group, order: &Order, amount: Money, margin_ppm: u32) {
        let side = side_index(order.side);
        let (currencies, currency) = (self.currencies, group.currency);
        self.hub[side][currency] += amount;
        self.venue[group.venue * currencies + currency] += amount;
        self.base[side][group.base * currencies + currency] += amount;
        self.agent[agent_index(order.agent) * currencies + currency] += amount;
        self.margin[currency] += Money(amount.0 * i128::from(margin_ppm));
    }

    /// Of the hub on one side, by currency.
    pub fn hub(&self, side: Side) -> &[Money] {
        &self.hub[side_index(side)]
    }

    /// Of one venue, both sides, by currency.
    pub fn venue(&self, venue: usize) -> &[Money] {
        self.part(&self.venue, venue)
    }

    /// Of one base asset on one side, by currency.
    pub fn base(&self, base: usize, side: Side) -> &[Money] {
        self.part(&self.base[side_index(side)], base)
    }

    /// Of one agent by its number, both sides, by currency.
    pub fn agent(&self, agent: u16) -> &[Money] {
        self.part(&self.agent, agent_index(agent))
    }

    /// Notional times margin share in ppm, by currency.
    pub fn margin(&self) -> &[Money] {
        &self.margin
    }

    fn part<'a>(&self, sums: &'a [Money], index: usize) -> &'a [Money] {
        &sums[index * self.currencies..(index + 1) * self.currencies]
    }
}

/// The place of an agent's number; numbers out of range share the ends, the gate lets none of them pass.
pub(crate) const fn agent_index(agent: u16) -> usize {
    match agent {
        0 | 1 => 0,
        2..16 => agent as usize - 1,
        16.. => AGENTS_MAX - 1,
    }
}

pub(super) const fn side_index(side: Side) -> usize {
    side as usize - 1
}
