//! Reconciliation: what the venue says is open and held, against what the core believes.
//!
//! A hub whose kill flag was up may trade again only when a person says so and both agree; every difference is named, so that
//! the person knows what to look at.
//!
//! Contracts are compared by instrument. What was bought on spot is compared by asset, as the venue keeps it: the positions of
//! all spot instruments of a venue with that base together. A fee that the venue took in the asset is a difference.
//!
//! A currency that spot instruments are paid in is compared apart (`cash_differences`), as cash and what was bought of it
//! together. A position that differs means that something was traded of which we know nothing; cash also differs by what is
//! paid in, taken out, or charged elsewhere, so a person must see both numbers, and decides by a tolerance whether that stops
//! the hub. The starting cash lies at the first spot venue that takes the account's currency. What contracts cost and earn is
//! in wallets of their own and is not compared.

use acth_core::{
    core::Core,
    decision::ClientOrderId,
    instrument::{Contract, InstrumentId, Instruments},
    money::{MONEY_EXPONENT, Money},
    orders::Order,
    strategy::Strategy,
};

use crate::resume::was_sent;

/// An order that the venue reports as open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VenueOrder {
    /// Our id of it.
    pub client_order_id: u64,
    /// Index of its instrument.
    pub instrument: u16,
    /// What may still trade, quantity mantissa.
    pub remaining: i64,
}

/// What a spot venue keeps for us of one asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueBalance {
    /// The asset.
    pub asset: String,
    /// How much of it: mantissa, and decimal places.
    pub mantissa: i64,
    /// See `mantissa`.
    pub exponent: u8,
}

/// What a venue reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VenueBooks {
    /// Open orders, in any order.
    pub orders: Vec<VenueOrder>,
    /// Positions by instrument, quantity mantissas; an instrument that is not named is not compared.
    pub positions: Vec<(InstrumentId, i64)>,
    /// Balances by the name of the spot venue: all of them, an asset that is not named is not held. A venue that is not named
    /// is not compared.
    pub balances: Vec<(String, Vec<VenueBalance>)>,
}

/// One thing in which the venue and the core differ.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// The core has an open order that the venue does not know.
    #[error("order {order} in {instrument} is open here and not at the venue")]
    OrderOnlyHere {
        /// Our id of it.
        order: u64,
        /// Name of its instrument.
        instrument: String,
    },
    /// The venue has an open order of which the core knows nothing.
    #[error("order {order} in {instrument} is open at the venue and not here")]
    OrderOnlyThere {
        /// Our id of it.
        order: u64,
        /// Name of its instrument.
        instrument: String,
    },
    /// Both have the order, and not the same.
    #[error(
        "order {order}: {ours} left in {our_instrument} here, {theirs} left in {their_instrument} at the venue"
    )]
    Order {
        /// Our id of it.
        order: u64,
        /// What may still trade, as the core believes.
        ours: String,
        /// The instrument, as the core believes.
        our_instrument: String,
        /// What may still trade, as the venue says.
        theirs: String,
        /// The instrument, as the venue says.
        their_instrument: String,
    },
    /// A position.
    #[error("{instrument}: {ours} held here, {theirs} at the venue")]
    Position {
        /// Name of the instrument.
        instrument: String,
        /// As the core believes.
        ours: String,
        /// As the venue says.
        theirs: String,
    },
    /// What was bought of an asset on spot.
    #[error("{asset} on {venue}: {ours} held here, {theirs} at the venue")]
    Balance {
        /// Name of the venue.
        venue: String,
        /// The asset.
        asset: String,
        /// As the core believes.
        ours: String,
        /// As the venue says.
        theirs: String,
    },
}

/// Every difference between the venue and the core: orders, then positions, then balances; none when they agree. Orders that
/// never left the host are not expected at the venue.
pub fn differences<S: Strategy>(core: &Core<S>, venue: &VenueBooks) -> Vec<Difference> {
    let names = Names(core.instruments());
    let mut found = Vec::new();
    for order in core.open_orders().filter(|order| was_sent(order)) {
        found.extend(order_difference(order, venue, names));
    }
    for theirs in &venue.orders {
        let id = theirs.client_order_id;
        let is_ours = |order: &Order| order.id.0 == id && was_sent(order);
        if !core.open_orders().any(is_ours) {
            found.push(Difference::OrderOnlyThere {
                order: id,
                instrument: names.name(InstrumentId(theirs.instrument)),
            });
        }
    }
    for &(id, held) in &venue.positions {
        let own = core.portfolio().position(id).quantity;
        if own != held {
            found.push(Difference::Position {
                instrument: names.name(id),
                ours: names.quantity(id, own),
                theirs: names.quantity(id, held),
            });
        }
    }
    let position = |id| core.portfolio().position(id).quantity;
    for (venue, balances) in &venue.balances {
        for asset in names.compared_assets(venue) {
            let sums = Sums::of(core.instruments(), venue, asset, balances, position);
            found.extend(sums.difference(venue, asset));
        }
    }
    found
}

/// What a spot venue should have of a currency that instruments there are paid in, beside what was bought of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpotCash {
    /// Name of the venue.
    pub venue: String,
    /// The currency.
    pub currency: String,
    /// Starting cash, less what was paid, plus what was received, less fees; may be negative.
    pub amount: Money,
}

/// A currency of which a spot venue has more or less than the core believes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{currency} in cash on {venue}: {ours} here, {theirs} at the venue")]
pub struct CashDifference {
    /// Name of the venue.
    pub venue: String,
    /// The currency.
    pub currency: String,
    /// As the core believes: cash and what was bought of it.
    pub ours: Money,
    /// As the venue says.
    pub theirs: Money,
}

/// Venues keep cash to the hundred-millionth: what is less is not a difference.
const CASH_UNIT: u128 = 10u128.pow(MONEY_EXPONENT as u32 - 8);

/// Cash that spot trading should have left, by venue and currency, in the order of the instruments.
pub fn spot_cash<S: Strategy>(core: &Core<S>) -> Vec<SpotCash> {
    let account = &core.groups().currencies()[0];
    let mut found: Vec<SpotCash> = Vec::new();
    let mut start = Some(core.portfolio().cash_at_start());
    let rows = core.instruments().iter();
    for (id, row) in rows.filter(|(_, row)| row.contract == Contract::Spot) {
        let position = core.portfolio().position(id);
        let flow = position.realised - position.cost + position.funding - position.fees;
        let is_meant = |cash: &SpotCash| cash.venue == row.venue && cash.currency == row.quote;
        if let Some(cash) = found.iter_mut().find(|cash| is_meant(cash)) {
            cash.amount += flow;
            continue;
        }
        let is_account = row.quote == *account;
        let paid_in = start.take_if(|_| is_account).unwrap_or(Money::ZERO);
        found.push(SpotCash {
            venue: row.venue.clone(),
            currency: row.quote.clone(),
            amount: paid_in + flow,
        });
    }
    found
}

/// Every currency of which a spot venue that reports its balances has another amount than the core believes.
pub fn cash_differences<S: Strategy>(core: &Core<S>, venue: &VenueBooks) -> Vec<CashDifference> {
    let position = |id| core.portfolio().position(id).quantity;
    let mut found = Vec::new();
    for cash in spot_cash(core) {
        let SpotCash {
            venue: name,
            currency,
            amount,
        } = cash;
        let mut reported = venue.balances.iter();
        let Some((_, balances)) = reported.find(|(venue, _)| *venue == name) else {
            continue;
        };
        let sums = Sums::of(core.instruments(), &name, &currency, balances, position);
        let ours = amount + sums.money(sums.ours);
        let theirs = sums.money(sums.theirs);
        if ours.0.abs_diff(theirs.0) >= CASH_UNIT {
            found.push(CashDifference {
                venue: name,
                currency,
                ours,
                theirs,
            });
        }
    }
    found
}

fn order_difference(order: &Order, venue: &VenueBooks, names: Names<'_>) -> Option<Difference> {
    let ClientOrderId(id) = order.id;
    let mut at_venue = venue.orders.iter();
    let Some(theirs) = at_venue.find(|theirs| theirs.client_order_id == id) else {
        return Some(Difference::OrderOnlyHere {
            order: id,
            instrument: names.name(order.instrument),
        });
    };
    let instrument = InstrumentId(theirs.instrument);
    let is_same = instrument == order.instrument && theirs.remaining == order.remaining();
    (!is_same).then(|| Difference::Order {
        order: id,
        ours: names.quantity(order.instrument, order.remaining()),
        our_instrument: names.name(order.instrument),
        theirs: names.quantity(instrument, theirs.remaining),
        their_instrument: names.name(instrument),
    })
}

/// The table of instruments, for words.
#[derive(Clone, Copy)]
struct Names<'a>(&'a Instruments);

impl<'a> Names<'a> {
    fn name(self, id: InstrumentId) -> String {
        let row = self.0.get(id);
        row.map_or_else(|| format!("instrument {}", id.0), |row| row.name())
    }

    fn quantity(self, id: InstrumentId, mantissa: i64) -> String {
        let exponent = self.0.get(id).map_or(0, |row| row.quantity_exponent);
        decimal(mantissa.into(), exponent)
    }

    /// What is bought on a spot venue and in which nothing there is paid, in the order of the instruments.
    fn compared_assets(self, venue: &str) -> Vec<&'a str> {
        let rows = || self.0.rows().iter().filter(|row| row.venue == venue);
        let mut assets: Vec<&str> = Vec::new();
        for row in rows().filter(|row| row.contract == Contract::Spot) {
            let is_paid_in = rows().any(|other| other.quote == row.base);
            if !is_paid_in && !assets.contains(&row.base.as_str()) {
                assets.push(&row.base);
            }
        }
        assets
    }
}

/// Both sides of one asset at the same number of decimal places.
struct Sums {
    ours: i128,
    theirs: i128,
    exponent: u8,
}

impl Sums {
    fn of(
        instruments: &Instruments,
        venue: &str,
        asset: &str,
        balances: &[VenueBalance],
        position: impl Fn(InstrumentId) -> i64,
    ) -> Self {
        let is_meant = |row: &acth_core::instrument::Instrument| {
            row.venue == venue && row.base == asset && row.contract == Contract::Spot
        };
        let rows = || instruments.iter().filter(|(_, row)| is_meant(row));
        let kept = || balances.iter().filter(|balance| balance.asset == asset);
        let exponents = rows().map(|(_, row)| row.quantity_exponent);
        let exponents = exponents.chain(kept().map(|balance| balance.exponent));
        let exponent = exponents.max().unwrap_or(0);
        // Mantissas of 63 bits with at most 18 more places fit 128 bits.
        let scaled = |mantissa: i64, places: u8| {
            i128::from(mantissa).saturating_mul(10i128.pow(u32::from(exponent - places)))
        };
        let ours = rows().map(|(id, row)| scaled(position(id), row.quantity_exponent));
        let theirs = kept().map(|balance| scaled(balance.mantissa, balance.exponent));
        Self {
            ours: ours.fold(0, i128::saturating_add),
            theirs: theirs.fold(0, i128::saturating_add),
            exponent,
        }
    }

    /// A side of it as money, rounded down where money is coarser.
    fn money(&self, amount: i128) -> Money {
        let one = |places: u8| 10i128.pow(u32::from(places));
        let finer = self.exponent.saturating_sub(MONEY_EXPONENT);
        let coarser = MONEY_EXPONENT.saturating_sub(self.exponent);
        Money(amount.div_euclid(one(finer)).saturating_mul(one(coarser)))
    }

    fn difference(&self, venue: &str, asset: &str) -> Option<Difference> {
        (self.ours != self.theirs).then(|| Difference::Balance {
            venue: venue.to_owned(),
            asset: asset.to_owned(),
            ours: decimal(self.ours, self.exponent),
            theirs: decimal(self.theirs, self.exponent),
        })
    }
}

/// A mantissa as a decimal without zeros at its end.
fn decimal(mantissa: i128, exponent: u8) -> String {
    let sign = if mantissa < 0 { "-" } else { "" };
    let one = 10u128.pow(u32::from(exponent));
    let (units, rest) = (mantissa.unsigned_abs() / one, mantissa.unsigned_abs() % one);
    if rest == 0 {
        return format!("{sign}{units}");
    }
    let digits = format!("{rest:0width$}", width = usize::from(exponent));
    format!("{sign}{units}.{}", digits.trim_end_matches('0'))
}
