//! The hub's account at the embedded venue: asked over the venue's own requests, with a key, as a real one would be.

use std::{sync::Arc, time::Duration};

use acth_core::instrument::{InstrumentId, Instruments};
use acth_engine::reconcile::{SpotCash, VenueBalance, VenueBooks, VenueOrder};
use acth_sim::{
    account::{Account, AccountKey, CASH_UNIT},
    paper::{PaperSink, PaperState},
    server::SimVenue,
};
use acth_venues::binance::{
    ApiKey, Holding, Market,
    account::{AccountDesk, AccountSink},
    venue_name,
};
use acth_wire::decimal::Fixed;

use super::run::MARKETS;
use crate::exit::Failure;

/// Key and secret of the simulated account: nobody else can reach it, and it holds nothing.
const KEY: &str = "simulated";
/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The account, and who asks for it at each market that has instruments.
pub(super) struct VenueAccount {
    pub(super) account: Arc<Account>,
    desks: Vec<AccountDesk>,
}

impl VenueAccount {
    /// Opens an account that holds `held`, quantity mantissas in the order of the instruments, and the spot market's `cash`.
    ///
    /// # Errors
    /// When the venue does not answer.
    pub(super) fn open(
        venue: &SimVenue,
        instruments: &Instruments,
        held: &[i64],
        cash: &[SpotCash],
    ) -> Result<Self, Failure> {
        let spot = venue_name(Market::Spot);
        let cash = cash.iter().filter(|cash| cash.venue == spot);
        let cash = cash.map(|cash| {
            let units = cash.amount.0.div_euclid(CASH_UNIT);
            let kept = i64::try_from(units).map_err(|_| {
                let (amount, currency) = (cash.amount, &cash.currency);
                Failure::could_not(format!(
                    "account.cash: the embedded venue cannot keep {amount} {currency}; expected less than 92233720368"
                ))
            })?;
            Ok((cash.currency.as_str(), kept))
        });
        let cash: Vec<(&str, i64)> = cash.collect::<Result<_, Failure>>()?;
        let key = AccountKey {
            name: KEY.to_owned(),
            secret: KEY.to_owned(),
        };
        let account = Account::new(key, instruments, held, &cash);
        venue.open_account(Arc::clone(&account));
        let mut desks = Vec::with_capacity(MARKETS.len());
        for (market, prefix) in MARKETS {
            if symbols(instruments, market).is_empty() {
                continue;
            }
            let url = format!("http://{}/{prefix}", venue.address());
            let key = ApiKey::new(KEY, KEY).map_err(Failure::could_not)?;
            let desk = AccountDesk::open(market, &url, key, TIMEOUT).map_err(Failure::could_not)?;
            desks.push(desk);
        }
        Ok(Self { account, desks })
    }

    /// What the venue says: open orders as the paper venue knows them, and what the account holds.
    ///
    /// # Errors
    /// When the venue does not answer, or holds a fraction that an instrument cannot have.
    pub(super) fn books(
        &self,
        state: &PaperState,
        instruments: &Instruments,
    ) -> Result<VenueBooks, Failure> {
        let orders = state.open_orders().into_iter();
        let orders = orders.map(|(client_order_id, instrument, remaining)| VenueOrder {
            client_order_id,
            instrument: instrument.0,
            remaining,
        });
        let mut books = VenueBooks {
            orders: orders.collect(),
            ..VenueBooks::default()
        };
        for desk in &self.desks {
            let holdings = desk.holdings().map_err(Failure::could_not)?;
            match desk.market() {
                Market::UsdM => {
                    for position in positions(instruments, &holdings) {
                        books.positions.push(position?);
                    }
                }
                Market::Spot => {
                    let balances = holdings.into_iter().map(|holding| VenueBalance {
                        asset: holding.name,
                        mantissa: holding.quantity.mantissa,
                        exponent: holding.quantity.exponent,
                    });
                    let venue = venue_name(Market::Spot).to_owned();
                    books.balances.push((venue, balances.collect()));
                }
            }
        }
        Ok(books)
    }

    /// The paper venue's sink, with the venue's own cancel of everything beside it.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub(super) fn sink(
        self,
        paper: PaperSink,
        instruments: &Instruments,
    ) -> Result<AccountSink<PaperSink>, Failure> {
        let with_symbols = |desk: AccountDesk| {
            let symbols = symbols(instruments, desk.market());
            (desk, symbols)
        };
        let desks = self.desks.into_iter().map(with_symbols).collect();
        AccountSink::new(paper, desks).map_err(Failure::could_not)
    }
}

fn symbols(instruments: &Instruments, market: Market) -> Vec<String> {
    let rows = instruments.rows().iter();
    let of_market = rows.filter(|row| row.venue == venue_name(market));
    of_market.map(|row| row.symbol.clone()).collect()
}

/// The position of every contract; one that the venue does not name is not held.
fn positions(
    instruments: &Instruments,
    holdings: &[Holding],
) -> impl Iterator<Item = Result<(InstrumentId, i64), Failure>> {
    let rows = instruments.iter();
    let rows = rows.filter(|(_, row)| row.venue == venue_name(Market::UsdM));
    rows.map(|(id, row)| {
        let found = holdings.iter().find(|holding| holding.name == row.symbol);
        let quantity = found.map_or(Fixed::default(), |holding| holding.quantity);
        let mantissa = quantity.rescaled(row.quantity_exponent).ok_or_else(|| {
            Failure::could_not(format!(
                "{}: the venue holds {quantity}; expected at most {} decimal places",
                row.name(),
                row.quantity_exponent
            ))
        })?;
        Ok((id, mantissa))
    })
}
