//! Which instruments are the same thing on different venues, and a unit in which their quantities add up.

use alloc::vec::Vec;

use crate::instrument::{Instrument, InstrumentId, Instruments};

/// Instruments that stand for one another: same base, quote, class and form.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// Indexes of its instruments; the first one is where the group is valued.
    pub(super) members: Vec<usize>,
    /// Decimal places of the unit: the most that any member has.
    exponent: u8,
}

/// All groups, and the one of each instrument.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    rows: Vec<Group>,
    of: Vec<usize>,
}

fn is_same(one: &Instrument, other: &Instrument) -> bool {
    one.base == other.base
        && one.quote == other.quote
        && one.asset_class == other.asset_class
        && one.contract == other.contract
}

impl Groups {
    pub(super) fn new(instruments: &Instruments) -> Self {
        let mut rows: Vec<Group> = Vec::with_capacity(instruments.count());
        let mut of = Vec::with_capacity(instruments.count());
        for (id, rules) in instruments.iter() {
            let mates = |group: &Group| is_same(&instruments.rows()[group.members[0]], rules);
            let place = rows.iter().position(mates).unwrap_or_else(|| {
                rows.push(Group {
                    members: Vec::new(),
                    exponent: 0,
                });
                rows.len() - 1
            });
            let group = &mut rows[place];
            group.members.push(id.index());
            group.exponent = group.exponent.max(rules.quantity_exponent);
            of.push(place);
        }
        Self { rows, of }
    }

    pub(super) fn count(&self) -> usize {
        self.rows.len()
    }

    /// The group of an instrument.
    pub(super) fn of(&self, index: usize) -> usize {
        self.of[index]
    }

    pub(super) fn row(&self, group: usize) -> &Group {
        &self.rows[group]
    }
}

impl Group {
    /// Where the group is valued.
    pub(super) fn primary(&self) -> InstrumentId {
        InstrumentId(self.members[0] as u16)
    }

    /// Units of one quantity mantissa of a member: a power of ten.
    pub(super) fn factor(&self, rules: &Instrument) -> i64 {
        10i64.pow(u32::from(self.exponent - rules.quantity_exponent))
    }
}

#[cfg(test)]
mod tests {
    use alloc::{string::String, vec};

    use super::*;
    use crate::instrument::{AssetClass, Contract};

    fn listed(venue: &str, base: &str, contract: Contract, quantity_exponent: u8) -> Instrument {
        Instrument {
            venue: String::from(venue),
            symbol: String::from(base),
            base: String::from(base),
            quote: String::from("USDT"),
            asset_class: AssetClass::Crypto,
            contract,
            price_exponent: 2,
            quantity_exponent,
            tick: 1,
            lot: 1,
            quantity_min: 1,
            maker_fee_ppm: 0,
            taker_fee_ppm: 0,
        }
    }

    #[test]
    fn the_same_asset_on_two_venues_is_one_group_and_its_perpetual_another() {
        let rows = vec![
            listed("one", "BTC", Contract::Spot, 3),
            listed("one", "BTCPERP", Contract::Perpetual, 3),
            listed("two", "BTC", Contract::Spot, 5),
        ];
        let Ok(instruments) = Instruments::new(rows) else {
            panic!("a table that fits");
        };
        let groups = Groups::new(&instruments);
        assert_eq!(groups.count(), 2);
        assert_eq!((groups.of(0), groups.of(1), groups.of(2)), (0, 1, 0));
        let group = groups.row(0);
        assert_eq!(group.members, [0, 2]);
        assert_eq!(group.factor(&instruments.rows()[0]), 100);
        assert_eq!(group.factor(&instruments.rows()[2]), 1);
    }
}
