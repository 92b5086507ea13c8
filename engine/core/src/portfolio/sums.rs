//! Positions at their marks, added up for every level at which a limit looks: account, venue, base asset; and margin.
//!
//! Every sum has one amount per currency, in that currency. A mark or a fill changes five numbers.
//!
//! A sum of part of the instruments is no larger than the sum of their sizes, which `Totals` keeps within its integer; only
//! margin is a product and is checked here.

use alloc::{vec, vec::Vec};

use super::position::{add, sub};
use crate::{
    groups::{Group, Groups},
    money::Money,
};

#[derive(Clone, Debug)]
pub(super) struct Sums {
    currencies: usize,
    /// Sizes of all positions.
    pub(super) gross: Vec<Money>,
    /// All positions, shorts negative.
    pub(super) net: Vec<Money>,
    /// Size times margin share in ppm, not yet divided.
    pub(super) margin: Vec<Money>,
    venue_gross: Vec<Money>,
    venue_volume: Vec<Money>,
    base_net: Vec<Money>,
}

impl Sums {
    pub(super) fn new(groups: &Groups) -> Self {
        let currencies = groups.currencies().len();
        let zeros = |count: usize| vec![Money::ZERO; count * currencies];
        Self {
            currencies,
            gross: zeros(1),
            net: zeros(1),
            margin: zeros(1),
            venue_gross: zeros(groups.venues().len()),
            venue_volume: zeros(groups.venues().len()),
            base_net: zeros(groups.bases().len()),
        }
    }

    /// The margin sum after a position's value went from `before` to `after`.
    pub(super) fn margin_after(
        &self,
        currency: usize,
        margin_ppm: u32,
        before: Money,
        after: Money,
    ) -> Option<Money> {
        let ppm = i128::from(margin_ppm);
        let product = |value: Money| value.0.checked_abs()?.checked_mul(ppm).map(Money);
        add(
            self.margin[currency],
            sub(product(after)?, product(before)?)?,
        )
    }

    /// A position's value went from `before` to `after`; `margin` is what `margin_after` gave.
    pub(super) fn revalue(&mut self, group: Group, before: Money, after: Money, margin: Money) {
        let (change, growth) = (after - before, after.abs() - before.abs());
        let (venue, base) = (
            self.place(group.venue, group),
            self.place(group.base, group),
        );
        self.gross[group.currency] += growth;
        self.net[group.currency] += change;
        self.margin[group.currency] = margin;
        self.venue_gross[venue] += growth;
        self.base_net[base] += change;
    }

    /// Adds to what was traded at a venue.
    pub(super) fn trade(&mut self, group: Group, paid: Money) {
        let venue = self.place(group.venue, group);
        self.venue_volume[venue] += paid.abs();
    }

    pub(super) fn venue_gross(&self, venue: usize) -> &[Money] {
        self.part(&self.venue_gross, venue)
    }

    pub(super) fn venue_volume(&self, venue: usize) -> &[Money] {
        self.part(&self.venue_volume, venue)
    }

    pub(super) fn base_net(&self, base: usize) -> &[Money] {
        self.part(&self.base_net, base)
    }

    const fn place(&self, index: usize, group: Group) -> usize {
        index * self.currencies + group.currency
    }

    fn part<'a>(&self, sums: &'a [Money], index: usize) -> &'a [Money] {
        &sums[index * self.currencies..(index + 1) * self.currencies]
    }
}
