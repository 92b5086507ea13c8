//! What a client has at the simulated venues: shared by the paper venue, which trades for it, and the server, which answers for it.
//!
//! Everything is a word that either side reads and writes without waiting for the other: the paper venue adds its fills, the
//! server reads what is held and asks for cancels, which the paper venue does the next time that it moves.
//!
//! A spot fill also moves the cash in what it is paid in. Contracts are settled in wallets that nobody asks for.
//!
//! Invariant: every fill that is reported is in what is held.

use std::{
    fmt::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

use acth_core::{
    instrument::{Contract, Instrument, InstrumentId, Instruments},
    money::MONEY_EXPONENT,
    risk::Terms,
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::encode::Market;

/// Decimal places of cash, as venues keep it.
pub const CASH_EXPONENT: u8 = 8;
/// Units of money in one of cash.
pub const CASH_UNIT: i128 = 10i128.pow((MONEY_EXPONENT - CASH_EXPONENT) as u32);

/// The key that a client must know. Of a simulated account, so no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountKey {
    /// What the client's requests name.
    pub name: String,
    /// What they are signed with.
    pub secret: String,
}

/// One client's account.
#[derive(Debug)]
pub struct Account {
    key: AccountKey,
    rows: Vec<Row>,
    /// What spot instruments are paid in.
    cash: Vec<Cash>,
    /// True when a row is to be cancelled.
    is_asked: AtomicBool,
}

#[derive(Debug)]
struct Row {
    instrument: Instrument,
    /// Quantity mantissa; negative = short.
    held: AtomicI64,
    /// Place of what it is paid in; none for contracts.
    cash: Option<usize>,
    /// True when what rests of this instrument is to be cancelled.
    is_to_cancel: AtomicBool,
}

#[derive(Debug)]
struct Cash {
    currency: String,
    /// In units of 10^-`CASH_EXPONENT`; negative = owed.
    amount: AtomicI64,
}

impl Account {
    /// An account that holds so much of each instrument, quantity mantissas in the order of the table, and so much cash, in
    /// units of 10^-8, of what spot instruments are paid in; nothing of those that are missing.
    pub fn new(
        key: AccountKey,
        instruments: &Instruments,
        held: &[i64],
        cash: &[(&str, i64)],
    ) -> Arc<Self> {
        let mut currencies: Vec<Cash> = Vec::new();
        let mut place = |instrument: &Instrument| {
            let name = &instrument.quote;
            let found = currencies.iter().position(|cash| cash.currency == *name);
            found.unwrap_or_else(|| {
                let given = cash.iter().find(|(currency, _)| currency == name);
                currencies.push(Cash {
                    currency: name.clone(),
                    amount: AtomicI64::new(given.map_or(0, |(_, amount)| *amount)),
                });
                currencies.len() - 1
            })
        };
        let row = |(id, instrument): (InstrumentId, &Instrument)| Row {
            instrument: instrument.clone(),
            held: AtomicI64::new(held.get(id.index()).copied().unwrap_or(0)),
            cash: (instrument.contract == Contract::Spot).then(|| place(instrument)),
            is_to_cancel: AtomicBool::new(false),
        };
        Arc::new(Self {
            key,
            rows: instruments.iter().map(row).collect(),
            cash: currencies,
            is_asked: AtomicBool::new(false),
        })
    }

    /// What is held of an instrument, quantity mantissa.
    pub fn held(&self, id: InstrumentId) -> i64 {
        let row = self.rows.get(id.index());
        row.map_or(0, |row| row.held.load(Ordering::Acquire))
    }

    /// Cash of a currency that spot instruments are paid in, in units of 10^-8.
    pub fn cash(&self, currency: &str) -> i64 {
        let mut balances = self.balances();
        let found = balances.find(|(name, _)| *name == currency);
        found.map_or(0, |(_, amount)| amount)
    }

    /// Books a fill (positive = bought) at a price, with its fee in units of 10^-8. Cash moves to the hundred-millionth,
    /// rounded against the client.
    pub(crate) fn add(&self, id: InstrumentId, signed: i64, price: i64, fee: i64) {
        let Some(row) = self.rows.get(id.index()) else {
            return;
        };
        row.held.fetch_add(signed, Ordering::AcqRel);
        let paid = Terms::of(&row.instrument).exact(price, signed);
        if let (Some(cash), Some(paid)) = (row.cash, paid) {
            let received = (-paid.0).div_euclid(CASH_UNIT) - i128::from(fee);
            // A fill moves far less than 2^63 units, which are 92 billions.
            self.cash[cash]
                .amount
                .fetch_add(received as i64, Ordering::AcqRel);
        }
    }

    /// Cash, currency by currency, in units of 10^-8.
    pub(crate) fn balances(&self) -> impl Iterator<Item = (&str, i64)> {
        let balances = self.cash.iter();
        balances.map(|cash| (cash.currency.as_str(), cash.amount.load(Ordering::Acquire)))
    }

    /// What is held, instrument by instrument.
    pub(crate) fn holdings(&self) -> impl Iterator<Item = (&Instrument, i64)> {
        let rows = self.rows.iter();
        rows.map(|row| (&row.instrument, row.held.load(Ordering::Acquire)))
    }

    /// Asks for the cancel of all that rests of an instrument; false when it is not in the table.
    pub(crate) fn ask_to_cancel(&self, market: Market, symbol: &str) -> bool {
        let mut rows = self.rows.iter();
        let found = rows
            .find(|row| Market::of(&row.instrument) == market && row.instrument.symbol == symbol);
        if let Some(row) = found {
            row.is_to_cancel.store(true, Ordering::Release);
            self.is_asked.store(true, Ordering::Release);
        }
        found.is_some()
    }

    /// True when there are cancels to take; they are taken with `takes_cancel`.
    pub(crate) fn takes_cancels(&self) -> bool {
        self.is_asked.load(Ordering::Acquire) && self.is_asked.swap(false, Ordering::AcqRel)
    }

    /// True, once, when what rests of an instrument is to be cancelled.
    pub(crate) fn takes_cancel(&self, id: InstrumentId) -> bool {
        let row = self.rows.get(id.index());
        row.is_some_and(|row| row.is_to_cancel.swap(false, Ordering::AcqRel))
    }

    /// True when this is the account's key.
    pub(crate) fn is_key(&self, name: Option<&str>) -> bool {
        name == Some(self.key.name.as_str())
    }

    /// True when a query ends with the signature of all before it.
    pub(crate) fn is_signed(&self, query: &str) -> bool {
        let Some((payload, signature)) = query.rsplit_once("&signature=") else {
            return false;
        };
        // A key may have any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.key.secret.as_bytes()) else {
            return false;
        };
        mac.update(payload.as_bytes());
        let mut expected = String::with_capacity(64);
        for byte in mac.finalize().into_bytes() {
            // Writing to a `String` cannot fail.
            let _ = write!(expected, "{byte:02x}");
        }
        signature.eq_ignore_ascii_case(&expected)
    }
}
