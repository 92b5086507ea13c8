//! What the agents lack of their targets, what they can give one another, and who gets which part of a fill.

use alloc::{vec, vec::Vec};

use super::groups::{Group, Groups};
use crate::{
    agents::{HOUSE, Ledger, Wish, share_out},
    event::Side,
    instrument::{InstrumentId, Instruments},
    market::Quote,
    money::Money,
    snapshot::{Decoder, Sink, SnapshotError},
};

/// A target is set anew when the quantity that the wish means has moved by more than this share of it.
const DRIFT_MAX: f64 = 0.25;

/// Wishes and targets of all agents, and room to work in.
#[derive(Debug)]
pub(super) struct Netting {
    /// `[agent][instrument]`.
    wishes: Vec<Wish>,
    /// `[agent][instrument]`, quantity mantissa.
    targets: Vec<i64>,
    instrument_count: usize,
    /// `[group][row]`: for whom the group's working order is, in the group's units, signed; what comes of it is theirs,
    /// whatever they want by then.
    claims: Vec<i64>,
    /// Of the group looked at last, by ledger row, in its units.
    gaps: Vec<i64>,
    wanted: Vec<i64>,
    parts: Vec<i64>,
}

/// A fill of an order that several agents share.
#[derive(Clone, Copy, Debug)]
pub(super) struct NetFill {
    pub(super) side: Side,
    pub(super) price: i64,
    pub(super) quantity: i64,
    pub(super) fee: Money,
}

/// What one row wants of a group.
#[derive(Clone, Copy, Debug, Default)]
struct Want {
    units: i64,
    edge: f64,
    is_urgent: bool,
}

/// What the agents together lack in one group, a working order's promise not taken off.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Net {
    /// Units to buy; negative = to sell.
    pub(super) units: i64,
    /// Log return that those who lack expect, the mean weighted by what they lack.
    pub(super) edge: f64,
    /// Share of it that is urgent, and that is on its way out of a position, 0 to 1.
    pub(super) urgent: f64,
    pub(super) leaving: f64,
    /// Row of who lacks most.
    pub(super) row: usize,
}

impl Netting {
    pub(super) fn new(agent_count: usize, instrument_count: usize, group_count: usize) -> Self {
        let rows = agent_count + 1;
        Self {
            wishes: vec![Wish::NONE; agent_count * instrument_count],
            targets: vec![0; agent_count * instrument_count],
            instrument_count,
            claims: vec![0; rows * group_count],
            gaps: vec![0; rows],
            wanted: vec![0; rows],
            parts: vec![0; rows],
        }
    }

    fn place(&self, agent: usize, index: usize) -> usize {
        agent * self.instrument_count + index
    }

    /// The wish of an agent.
    pub(super) fn wish(&self, agent: usize, index: usize) -> &Wish {
        &self.wishes[self.place(agent, index)]
    }

    /// Target of an agent, quantity mantissa.
    pub(super) fn target(&self, agent: usize, index: usize) -> i64 {
        self.targets[self.place(agent, index)]
    }

    /// Takes a wish down. `quantity_of_capital` is what all of the agent's capital would buy, quantity mantissa.
    pub(super) fn wish_for(
        &mut self,
        agent: usize,
        index: usize,
        wish: Wish,
        quantity_of_capital: f64,
        lot: i64,
    ) {
        let place = self.place(agent, index);
        self.wishes[place] = wish;
        if !wish.has_target() {
            return;
        }
        let wanted = wish.target_share * quantity_of_capital;
        let before = self.targets[place] as f64;
        let drift = libm::fabs(wanted - before);
        let is_new = drift > DRIFT_MAX * libm::fabs(before).max(libm::fabs(wanted));
        if is_new || wish.target_share.to_bits() << 1 == 0 {
            let bounded = wanted.clamp(-9e15, 9e15) as i64;
            self.targets[place] = bounded - bounded % lot.max(1);
        }
    }

    /// Works out what each row lacks in a group, and tells the sum. The house wants nothing, so what it holds is to go. What is
    /// left in `gaps` is what the group's working order will not bring: only that may be crossed, or ordered.
    pub(super) fn look(
        &mut self,
        groups: &Groups,
        index: usize,
        instruments: &Instruments,
        ledger: &Ledger,
    ) -> Net {
        let group = groups.row(index);
        self.gaps.fill(0);
        for &index in &group.members {
            let factor = group.factor(&instruments.rows()[index]);
            let id = InstrumentId(index as u16);
            self.gaps[HOUSE] -= ledger.quantity(HOUSE, id).saturating_mul(factor);
            for agent in 0..self.gaps.len() - 1 {
                if !self.wish(agent, index).has_target() {
                    continue;
                }
                let lacks = self.target(agent, index) - ledger.quantity(agent + 1, id);
                self.gaps[agent + 1] =
                    self.gaps[agent + 1].saturating_add(lacks.saturating_mul(factor));
            }
        }
        let net = self.net(group, instruments);
        for row in 0..self.gaps.len() {
            self.gaps[row] = beyond(self.gaps[row], self.claimed(index, row));
        }
        net
    }

    fn net(&self, group: &Group, instruments: &Instruments) -> Net {
        let units: i64 = self
            .gaps
            .iter()
            .fold(0, |sum, gap| sum.saturating_add(*gap));
        let mut net = Net {
            units,
            ..Net::default()
        };
        let (mut total, mut most) = (0.0, 0);
        for (row, &gap) in self.gaps.iter().enumerate() {
            if gap.signum() != units.signum() || gap == 0 {
                continue;
            }
            let weight = gap.unsigned_abs() as f64;
            total += weight;
            let want = self.want_of(row, group, instruments);
            net.edge += weight * want.edge;
            net.urgent += if want.is_urgent { weight } else { 0.0 };
            // Towards zero, or through it.
            let is_leaving = want.units == 0 || want.units.signum() != gap.signum();
            net.leaving += if is_leaving { weight } else { 0.0 };
            if gap.abs() > most {
                most = gap.abs();
                net.row = row;
            }
        }
        if total > 0.0 {
            net.edge /= total;
            net.urgent /= total;
            net.leaving /= total;
        }
        net
    }

    /// What a row wants of a group: its targets of all members together, and the most that it would pay for any of them.
    fn want_of(&self, row: usize, group: &Group, instruments: &Instruments) -> Want {
        let mut want = Want::default();
        if row == HOUSE {
            return want;
        }
        for &index in &group.members {
            let wish = self.wish(row - 1, index);
            want.edge = want.edge.max(wish.edge);
            want.is_urgent |= wish.is_urgent;
            let factor = group.factor(&instruments.rows()[index]);
            let units = self.target(row - 1, index).saturating_mul(factor);
            want.units = want.units.saturating_add(units);
        }
        want
    }

    /// Lets buyers and sellers among the agents exchange at the mid what both lack, in whole lots of the primary. True when
    /// something changed hands.
    pub(super) fn cross(
        &mut self,
        group: &Group,
        instruments: &Instruments,
        ledger: &mut Ledger,
        quote: &Quote,
    ) -> bool {
        let id = group.primary();
        let rules = &instruments.rows()[id.index()];
        let factor = group.factor(rules);
        let sum = |side: i64| -> i64 {
            let wanted = self
                .gaps
                .iter()
                .map(|gap| (gap.saturating_mul(side)).max(0));
            wanted.fold(0, i64::saturating_add)
        };
        let matched = sum(1).min(sum(-1)) / factor;
        let mut left = matched - matched % rules.lot;
        if left <= 0 {
            return false;
        }
        // The first buyer takes from the first seller: at one price for all, who takes from whom changes nothing.
        let price = quote.mid();
        while left > 0 {
            let buyer = self.gaps.iter().position(|gap| *gap / factor > 0);
            let seller = self.gaps.iter().position(|gap| *gap / factor < 0);
            let (Some(buyer), Some(seller)) = (buyer, seller) else {
                break;
            };
            let most = (self.gaps[buyer] / factor).min(-(self.gaps[seller] / factor));
            let quantity = most.min(left);
            ledger.cross(buyer, seller, id, quantity, rules.notional(price, quantity));
            self.gaps[buyer] -= quantity * factor;
            self.gaps[seller] += quantity * factor;
            left -= quantity;
        }
        true
    }

    /// Notes for whom an order of this many units is: in proportion to what each lacks in its direction. To be called right
    /// after `look` of the group.
    pub(super) fn claim(&mut self, group: usize, units: i64, side: Side) {
        for (wanted, gap) in self.wanted.iter_mut().zip(&self.gaps) {
            *wanted = gap.saturating_mul(side.sign()).max(0);
        }
        let left = share_out(units, &self.wanted, &mut self.parts);
        self.parts[HOUSE] += left;
        let rows = self.gaps.len();
        let claims = &mut self.claims[group * rows..(group + 1) * rows];
        for (claim, part) in claims.iter_mut().zip(&self.parts) {
            *claim = side.sign() * part;
        }
    }

    /// The group's working order is no more.
    pub(super) fn unclaim(&mut self, group: usize) {
        let rows = self.gaps.len();
        self.claims[group * rows..(group + 1) * rows].fill(0);
    }

    /// What of a group's working order is for this row, in the group's units, signed.
    fn claimed(&self, group: usize, row: usize) -> i64 {
        self.claims[group * self.gaps.len() + row]
    }

    /// Shares a fill of a group's order out among those for whom it was placed, in proportion; what nobody claimed falls to the
    /// house. `part` tells the parts.
    pub(super) fn share_out(
        &mut self,
        groups: &Groups,
        instruments: &Instruments,
        id: InstrumentId,
        fill: &NetFill,
    ) {
        let index = groups.of(id.index());
        let factor = groups.row(index).factor(&instruments.rows()[id.index()]);
        let sign = fill.side.sign();
        for row in 0..self.gaps.len() {
            self.wanted[row] = (self.claimed(index, row).saturating_mul(sign) / factor).max(0);
        }
        let left = share_out(fill.quantity, &self.wanted, &mut self.parts);
        self.parts[HOUSE] += left;
    }

    /// A row's part of the fill that was shared out last, quantity mantissa.
    pub(super) fn part(&self, row: usize) -> i64 {
        self.parts[row]
    }

    /// Books the parts of the fill that was shared out last.
    pub(super) fn book(
        &mut self,
        groups: &Groups,
        instruments: &Instruments,
        ledger: &mut Ledger,
        id: InstrumentId,
        fill: &NetFill,
    ) {
        let index = groups.of(id.index());
        let rules = &instruments.rows()[id.index()];
        let factor = groups.row(index).factor(rules);
        let mut fee_left = fill.fee.0;
        let last = self.parts.iter().rposition(|part| *part > 0);
        for row in 0..self.parts.len() {
            let part = self.parts[row];
            if part == 0 {
                continue;
            }
            let own = fill.fee.0 * i128::from(part) / i128::from(fill.quantity);
            let own = if Some(row) == last { fee_left } else { own };
            fee_left -= own;
            let notional = rules.notional(fill.price, part);
            ledger.book(row, id, fill.side, part, notional, Money(own));
            let claim = &mut self.claims[index * self.gaps.len() + row];
            let used = fill.side.sign() * part.saturating_mul(factor);
            // What the house takes beyond its claim leaves the claim at nothing.
            *claim = if claim.abs() > used.abs() {
                *claim - used
            } else {
                0
            };
        }
    }

    pub(super) fn write(&self, out: &mut impl Sink) {
        self.wishes.iter().for_each(|wish| wish.write(out));
        self.targets.iter().for_each(|target| out.i64(*target));
        self.claims.iter().for_each(|claim| out.i64(*claim));
    }

    pub(super) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        for wish in &mut self.wishes {
            *wish = Wish::load(from)?;
        }
        for target in self.targets.iter_mut().chain(&mut self.claims) {
            *target = from.i64()?;
        }
        Ok(())
    }
}

/// What of a gap a claim leaves open: never more than the gap, never its opposite. A claim that is not wanted any more has
/// brought nothing yet, so there is nothing to give away for it.
fn beyond(gap: i64, claim: i64) -> i64 {
    if gap.signum() == claim.signum() {
        gap.signum() * gap.abs().saturating_sub(claim.abs()).max(0)
    } else {
        gap
    }
}

#[cfg(test)]
mod tests {
    use alloc::{string::String, vec};

    use super::*;
    use crate::{
        event::Level,
        instrument::{AssetClass, Contract, Instrument},
    };

    const ID: InstrumentId = InstrumentId(0);

    fn instruments() -> Instruments {
        let rules = Instrument {
            venue: String::from("one"),
            symbol: String::from("BTC"),
            base: String::from("BTC"),
            quote: String::from("USD"),
            asset_class: AssetClass::Crypto,
            contract: Contract::Spot,
            price_exponent: 2,
            quantity_exponent: 3,
            tick: 1,
            lot: 1,
            quantity_min: 1,
            maker_fee_ppm: 0,
            taker_fee_ppm: 0,
        };
        match Instruments::new(vec![rules]) {
            Ok(instruments) => instruments,
            Err(error) => panic!("{error}"),
        }
    }

    /// Two agents, and what each wants as a quantity.
    struct Table {
        instruments: Instruments,
        groups: Groups,
        ledger: Ledger,
        netting: Netting,
    }

    impl Table {
        fn new(wanted: [f64; 2]) -> Self {
            let instruments = instruments();
            let groups = Groups::new(&instruments);
            let mut netting = Netting::new(2, 1, groups.count());
            for (agent, quantity) in wanted.into_iter().enumerate() {
                netting.wish_for(agent, 0, Wish::position(1.0, 0.0), quantity, 1);
            }
            Self {
                ledger: Ledger::new(2, 1),
                instruments,
                groups,
                netting,
            }
        }

        fn look(&mut self) -> Net {
            self.netting
                .look(&self.groups, 0, &self.instruments, &self.ledger)
        }

        fn cross(&mut self) -> bool {
            let level = |price| Level { price, quantity: 1 };
            let quote = Quote {
                bid: level(9_990),
                ask: level(10_010),
            };
            let group = self.groups.row(0);
            self.netting
                .cross(group, &self.instruments, &mut self.ledger, &quote)
        }

        fn held(&self) -> [i64; 2] {
            [self.ledger.quantity(1, ID), self.ledger.quantity(2, ID)]
        }
    }

    #[test]
    fn an_order_in_the_market_does_not_make_less_lacked_but_is_not_ordered_twice() {
        let mut table = Table::new([100.0, 50.0]);
        assert_eq!(table.look().units, 150);
        table.netting.claim(0, 90, Side::Bid);
        assert_eq!(table.look().units, 150);
        assert_eq!(table.netting.gaps, [0, 40, 20]);
        table.netting.unclaim(0);
        table.look();
        assert_eq!(table.netting.gaps, [0, 100, 50]);
    }

    /// Who has only ordered has nothing to give: neither when it holds still, nor when it wants less.
    #[test]
    fn what_an_order_may_bring_is_not_given_away_before_it_came() {
        let mut table = Table::new([100.0, 0.0]);
        table.look();
        table.netting.claim(0, 100, Side::Bid);
        table
            .netting
            .wish_for(1, 0, Wish::position(1.0, 0.0), 60.0, 1);
        for first in [Wish::HOLD, Wish::position(0.0, 0.0)] {
            table.netting.wish_for(0, 0, first, 100.0, 1);
            assert_eq!(table.look().units, 60, "{first:?}");
            assert!(!table.cross());
            assert_eq!(table.held(), [0, 0]);
        }
        // Short is another matter: that it lacks, whatever the order brings.
        table
            .netting
            .wish_for(0, 0, Wish::position(-1.0, 0.0), 40.0, 1);
        assert_eq!(table.look().units, 20);
        assert!(table.cross());
        assert_eq!(table.held(), [-40, 40]);
    }

    #[test]
    fn what_both_lack_changes_hands_and_the_rest_is_left() {
        let mut table = Table::new([100.0, -30.0]);
        assert_eq!(table.look().units, 70);
        assert!(table.cross());
        assert_eq!(table.held(), [30, -30]);
        assert_eq!(table.look().units, 70);
        assert!(!table.cross());
    }
}
