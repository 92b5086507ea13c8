//! What instruments have in common: their venue, what they are contracts on, and what they are paid in.
//!
//! Limits of a venue, of one base asset and of the account are sums over instruments. The groups give every instrument its
//! place in those sums once, so that a fill, a mark or an order changes a handful of numbers and nothing is looked up by
//! name.

use alloc::{string::String, vec::Vec};

use crate::instrument::{Contract, InstrumentId, Instruments};

/// The groups of one instrument, as indexes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Of its venue.
    pub venue: usize,
    /// Of what is bought.
    pub base: usize,
    /// Of what it is paid in.
    pub currency: usize,
}

/// An instrument whose price is a rate between a currency and the account's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The instrument.
    pub instrument: InstrumentId,
    /// True when the account's currency is what is bought, so that the rate is the reciprocal of the price.
    pub is_reciprocal: bool,
}

/// The groups of all instruments.
#[derive(Clone, Debug)]
pub struct Groups {
    rows: Vec<Group>,
    venues: Vec<String>,
    bases: Vec<String>,
    currencies: Vec<String>,
    links: Vec<Option<Link>>,
}

impl Groups {
    /// The groups for an account in `currency`; empty = what most instruments are paid in, the first such where several
    /// are. Currencies are numbered from the account's own, then in the order of the instruments.
    pub fn new(instruments: &Instruments, currency: &str) -> Self {
        let account = if currency.is_empty() {
            most_common_quote(instruments)
        } else {
            currency
        };
        let mut groups = Self {
            rows: Vec::with_capacity(instruments.count()),
            venues: Vec::new(),
            bases: Vec::new(),
            currencies: Vec::from([String::from(account)]),
            links: Vec::new(),
        };
        for row in instruments.rows() {
            let group = Group {
                venue: place(&mut groups.venues, &row.venue),
                base: place(&mut groups.bases, &row.base),
                currency: place(&mut groups.currencies, &row.quote),
            };
            groups.rows.push(group);
        }
        let currencies = groups.currencies.iter();
        groups.links = currencies
            .map(|name| link(instruments, name, account))
            .collect();
        groups
    }

    /// The groups of an instrument; the first of each for one that is not in the table.
    pub fn of(&self, instrument: InstrumentId) -> Group {
        self.rows
            .get(instrument.index())
            .copied()
            .unwrap_or_default()
    }

    /// Names of the venues, by index.
    pub fn venues(&self) -> &[String] {
        &self.venues
    }

    /// Names of what is bought, by index.
    pub fn bases(&self) -> &[String] {
        &self.bases
    }

    /// Names of the currencies, by index; the account's first.
    pub fn currencies(&self) -> &[String] {
        &self.currencies
    }

    /// The instrument whose price gives the rate of a currency, if there is one.
    pub fn link(&self, currency: usize) -> Option<Link> {
        self.links.get(currency).copied().flatten()
    }
}

fn most_common_quote(instruments: &Instruments) -> &str {
    let rows = instruments.rows();
    let count = |name: &str| rows.iter().filter(|row| row.quote == name).count();
    let mut best = ("", 0);
    for row in rows {
        let found = count(&row.quote);
        if found > best.1 {
            best = (&row.quote, found);
        }
    }
    best.0
}

/// The index of a name, which is added if it is new.
fn place(names: &mut Vec<String>, name: &str) -> usize {
    let found = names.iter().position(|known| known == name);
    found.unwrap_or_else(|| {
        names.push(String::from(name));
        names.len() - 1
    })
}

/// The first spot instrument between a currency and the account's; none for the account's own.
fn link(instruments: &Instruments, currency: &str, account: &str) -> Option<Link> {
    if currency == account {
        return None;
    }
    instruments.iter().find_map(|(id, row)| {
        let is_straight = row.base == currency && row.quote == account;
        let is_reciprocal = row.base == account && row.quote == currency;
        let is_link = row.contract == Contract::Spot && (is_straight || is_reciprocal);
        is_link.then_some(Link {
            instrument: id,
            is_reciprocal,
        })
    })
}
