//! Each agent's own book of positions and profit, in the integers of the hub's books.
//!
//! Row 0 is the house: what no agent asked for. The hub's position in an instrument is the sum over all rows, always.
//!
//! Invariant: a fill and a funding are booked to the last unit; a crossing between agents moves quantity and money and creates none.

use alloc::{vec, vec::Vec};

use crate::{
    event::Side,
    instrument::{Instrument, InstrumentId, Instruments},
    money::Money,
    snapshot::{Decoder, Sink, SnapshotError},
};

/// The row that holds what no agent asked for.
pub const HOUSE: usize = 0;

/// One agent's account in one instrument, in the currency that it is paid in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Received for what was sold less paid for what was bought, before fees.
    pub cash: Money,
    /// Fees paid; negative when rebates outweigh them.
    pub fees: Money,
    /// Funding received; negative = paid.
    pub funding: Money,
    /// Notional traded with the market.
    pub volume: Money,
    /// Notional exchanged with other agents, at the mid and without a fee.
    pub crossed: Money,
    /// Fills, a shared one counted by each who has a part of it.
    pub fills: u64,
}

/// The books of all agents.
#[derive(Clone, Debug)]
pub struct Ledger {
    row_count: usize,
    /// `[row][instrument]`.
    accounts: Vec<Account>,
    /// `[row][instrument]`, quantity mantissa.
    quantities: Vec<i64>,
    instrument_count: usize,
}

impl Ledger {
    /// Empty books of the house and `agent_count` agents.
    pub fn new(agent_count: usize, instrument_count: usize) -> Self {
        let rows = agent_count + 1;
        Self {
            row_count: rows,
            accounts: vec![Account::default(); rows * instrument_count],
            quantities: vec![0; rows * instrument_count],
            instrument_count,
        }
    }

    /// How many rows there are, the house included.
    pub fn rows(&self) -> usize {
        self.row_count
    }

    /// A row's position, quantity mantissa; negative = short.
    pub fn quantity(&self, row: usize, id: InstrumentId) -> i64 {
        self.quantities[row * self.instrument_count + id.index()]
    }

    /// A row's positions by instrument.
    pub fn quantities(&self, row: usize) -> &[i64] {
        let first = row * self.instrument_count;
        &self.quantities[first..first + self.instrument_count]
    }

    /// A row's account in one instrument.
    pub fn account(&self, row: usize, id: InstrumentId) -> &Account {
        &self.accounts[row * self.instrument_count + id.index()]
    }

    /// A row's accounts of all instruments together, each amount brought into one currency by `convert`.
    pub fn total(&self, row: usize, convert: impl Fn(InstrumentId, Money) -> Money) -> Account {
        let mut total = Account::default();
        for index in 0..self.instrument_count {
            let id = InstrumentId(index as u16);
            let account = self.account(row, id);
            total.cash += convert(id, account.cash);
            total.fees += convert(id, account.fees);
            total.funding += convert(id, account.funding);
            total.volume += convert(id, account.volume);
            total.crossed += convert(id, account.crossed);
            total.fills += account.fills;
        }
        total
    }

    /// Books a part of a fill. `notional` is that of the part, not negative.
    pub fn book(
        &mut self,
        row: usize,
        id: InstrumentId,
        side: Side,
        quantity: i64,
        notional: Money,
        fee: Money,
    ) {
        self.add(row, id, side.sign() * quantity);
        let account = &mut self.accounts[row * self.instrument_count + id.index()];
        account.cash = Money(account.cash.0 - i128::from(side.sign()) * notional.0);
        account.fees += fee;
        account.volume += notional;
        account.fills += 1;
    }

    /// `buyer` takes over `quantity` from `seller` for `notional`.
    pub fn cross(
        &mut self,
        buyer: usize,
        seller: usize,
        id: InstrumentId,
        quantity: i64,
        notional: Money,
    ) {
        self.add(buyer, id, quantity);
        self.add(seller, id, -quantity);
        let pay = |account: &mut Account, amount: i128| {
            account.cash = Money(account.cash.0 + amount);
            account.crossed += notional;
        };
        let place = |row: usize| row * self.instrument_count + id.index();
        let (buyer, seller) = (place(buyer), place(seller));
        pay(&mut self.accounts[buyer], -notional.0);
        pay(&mut self.accounts[seller], notional.0);
    }

    /// Shares out what the hub received (negative = paid) as funding on an instrument: every row its part by what it holds,
    /// so that who is short receives where who is long pays. Parts are rounded towards zero; what rounding leaves, and all
    /// of it where the rows together hold nothing, is the house's.
    pub fn fund(&mut self, id: InstrumentId, received: Money) {
        let held: i128 = (HOUSE..self.row_count)
            .map(|row| i128::from(self.quantity(row, id)))
            .sum();
        let mut left = received;
        for row in HOUSE + 1..self.row_count {
            let part = part_of(received, self.quantity(row, id), held);
            left -= part;
            self.accounts[row * self.instrument_count + id.index()].funding += part;
        }
        self.accounts[id.index()].funding += left;
    }

    fn add(&mut self, row: usize, id: InstrumentId, change: i64) {
        let place = &mut self.quantities[row * self.instrument_count + id.index()];
        *place = place.saturating_add(change);
    }

    /// Profit of a row in one instrument after fees and funding, in the currency that it is paid in; what is open is valued at `mark`, a
    /// price mantissa.
    pub fn profit_in(&self, row: usize, id: InstrumentId, rules: &Instrument, mark: i64) -> Money {
        let account = self.account(row, id);
        let open = rules.notional(mark, self.quantity(row, id));
        Money(account.cash.0 + account.funding.0 - account.fees.0 + open.0)
    }

    /// Profit of a row after fees over all instruments, each brought into one currency by `convert`.
    pub fn profit(
        &self,
        row: usize,
        instruments: &Instruments,
        mark: impl Fn(InstrumentId) -> i64,
        convert: impl Fn(InstrumentId, Money) -> Money,
    ) -> Money {
        let profit = instruments
            .iter()
            .map(|(id, rules)| convert(id, self.profit_in(row, id, rules, mark(id))));
        profit.sum()
    }

    /// Writes the positions alone, for hashes that are taken often.
    pub fn write_positions(&self, out: &mut impl Sink) {
        self.quantities
            .iter()
            .for_each(|quantity| out.i64(*quantity));
    }

    /// True once a row has received or paid funding.
    pub fn is_funded(&self) -> bool {
        self.accounts
            .iter()
            .any(|account| account.funding != Money::ZERO)
    }

    /// Writes the funding of all rows. Apart from the rest, so that the hash of books that never saw any stays what it was.
    pub fn write_funding(&self, out: &mut impl Sink) {
        self.accounts
            .iter()
            .for_each(|account| out.i128(account.funding.0));
    }

    /// Reads what `write_funding` of as many agents and instruments wrote.
    ///
    /// # Errors
    /// The bytes end.
    pub fn load_funding(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        for account in &mut self.accounts {
            account.funding = Money(from.i128()?);
        }
        Ok(())
    }

    /// Writes all but the funding.
    pub fn write(&self, out: &mut impl Sink) {
        for account in &self.accounts {
            for amount in [account.cash, account.fees, account.volume, account.crossed] {
                out.i128(amount.0);
            }
            out.u64(account.fills);
        }
        self.quantities
            .iter()
            .for_each(|quantity| out.i64(*quantity));
    }

    /// Reads what `write` of as many agents and instruments wrote.
    ///
    /// # Errors
    /// The bytes end, or a count cannot be.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        for account in &mut self.accounts {
            *account = Account {
                cash: Money(from.i128()?),
                fees: Money(from.i128()?),
                funding: account.funding,
                volume: Money(from.i128()?),
                crossed: Money(from.i128()?),
                fills: from.count()?,
            };
        }
        for quantity in &mut self.quantities {
            *quantity = from.i64()?;
        }
        Ok(())
    }
}

/// The part of `amount` that falls to `quantity` of `held`, rounded towards zero; nothing where nothing is held.
///
/// The product may need more than 128 bits, so the amount is split at the divisor first: with
/// `amount = whole * held + rest` the part is `whole * quantity + rest * quantity / held`. Both terms have one sign, so
/// rounding the second rounds the sum. A part beyond its integer is nothing: the house's then.
fn part_of(amount: Money, quantity: i64, held: i128) -> Money {
    let quantity = i128::from(quantity);
    let part = || {
        let whole = amount.0.checked_div(held)?.checked_mul(quantity)?;
        let rest = (amount.0 % held).checked_mul(quantity)? / held;
        whole.checked_add(rest)
    };
    part().map_or(Money::ZERO, Money)
}
