//! Each agent's own book of positions and profit, in the integers of the hub's books.
//!
//! Row 0 is the house: what no agent asked for. The hub's position in an instrument is the sum over all rows, always.
//!
//! Invariant: a fill is booked to the last unit; a crossing between agents moves quantity and money and creates none.

use alloc::{vec, vec::Vec};

use crate::{
    event::Side,
    instrument::{InstrumentId, Instruments},
    money::Money,
    snapshot::{Decoder, Sink, SnapshotError},
};

/// The row that holds what no agent asked for.
pub const HOUSE: usize = 0;

/// One agent's account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Received for what was sold less paid for what was bought, before fees.
    pub cash: Money,
    /// Fees paid; negative when rebates outweigh them.
    pub fees: Money,
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
            accounts: vec![Account::default(); rows],
            quantities: vec![0; rows * instrument_count],
            instrument_count,
        }
    }

    /// How many rows there are, the house included.
    pub fn rows(&self) -> usize {
        self.accounts.len()
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

    /// A row's account.
    pub fn account(&self, row: usize) -> &Account {
        &self.accounts[row]
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
        let account = &mut self.accounts[row];
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
        pay(&mut self.accounts[buyer], -notional.0);
        pay(&mut self.accounts[seller], notional.0);
    }

    fn add(&mut self, row: usize, id: InstrumentId, change: i64) {
        let place = &mut self.quantities[row * self.instrument_count + id.index()];
        *place = place.saturating_add(change);
    }

    /// Profit of a row after fees, with what is open valued at `mark` (price mantissa by instrument; 0 = not valued).
    pub fn profit(
        &self,
        row: usize,
        instruments: &Instruments,
        mark: impl Fn(InstrumentId) -> i64,
    ) -> Money {
        let account = &self.accounts[row];
        let mut worth = account.cash.0 - account.fees.0;
        for (id, rules) in instruments.iter() {
            let quantity = self.quantity(row, id);
            if quantity != 0 {
                worth += rules.notional(mark(id), quantity).0;
            }
        }
        Money(worth)
    }

    /// Writes all.
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

    /// Reads what as many agents and instruments wrote.
    ///
    /// # Errors
    /// The bytes end, or a count cannot be.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        for account in &mut self.accounts {
            *account = Account {
                cash: Money(from.i128()?),
                fees: Money(from.i128()?),
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
