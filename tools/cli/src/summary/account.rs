//! The account in the summary: what it came to in its own currency, and the books of every currency behind that.
//!
//! Two sums hold in every digit that is printed: `earned + revaluation` is the whole change of equity, and what the
//! currencies come to in the account's is the equity.

use std::fmt::Write as _;

use acth_core::{
    core::Core,
    currency::RateSource,
    money::{MONEY_EXPONENT, Money},
    strategy::Strategy,
};
use rust_decimal::Decimal;
use serde::Serialize;

use super::{cents, decimal, line};

/// The account at the end, in the account currency.
#[derive(Clone, Debug, Serialize)]
pub struct AccountFacts {
    /// The account's currency.
    pub currency: String,
    /// Equity at the start.
    pub equity_start: Decimal,
    /// Equity at the end.
    pub equity: Decimal,
    /// Equity gained, after fees and funding.
    pub profit: Decimal,
    /// The part of it that fills, marks, fees and funding made, each at the rate of its moment; in all digits.
    pub earned: Decimal,
    /// The part of it that changes of rates made; in all digits.
    pub revaluation: Decimal,
    /// Profit of closed positions, before fees, at the present rates.
    pub realised: Decimal,
    /// Profit of open positions, at the present rates.
    pub unrealised: Decimal,
    /// Fees paid, at the present rates.
    pub fees: Decimal,
    /// Funding received, at the present rates; negative = paid.
    pub funding: Decimal,
    /// Value traded, at the present rates.
    pub turnover: Decimal,
    /// The books by currency, the account's own first.
    pub currencies: Vec<CurrencyFacts>,
}

/// The books of one currency at the end, in that currency and in all digits.
#[derive(Clone, Debug, Serialize)]
pub struct CurrencyFacts {
    /// Its name.
    pub name: String,
    /// Cash at the start.
    pub cash_start: Decimal,
    /// Cash, as if every instrument were paid for in full: negative with leverage, or where it was never paid in.
    pub cash: Decimal,
    /// Positions that are paid in it, at their marks, shorts negative.
    pub positions: Decimal,
    /// Profit of closed positions, before fees.
    pub realised: Decimal,
    /// Profit of open positions.
    pub unrealised: Decimal,
    /// Fees paid.
    pub fees: Decimal,
    /// Funding received; negative = paid.
    pub funding: Decimal,
    /// Cash and positions.
    pub equity: Decimal,
    /// The same in the account's currency, at `rate` and rounded down.
    pub equity_in_account: Decimal,
    /// What one unit of it is worth in the account's currency; absent while nobody has said.
    pub rate: Option<Decimal>,
    /// Who said so: Account, Configuration, Market, Event or Nobody.
    pub rate_source: &'static str,
    /// The instrument whose market said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_instrument: Option<String>,
}

/// Money with every digit; beyond the 28 digits of a decimal, as for people.
fn exact(money: Money) -> Decimal {
    Decimal::try_from_i128_with_scale(money.0, u32::from(MONEY_EXPONENT))
        .map_or_else(|_| decimal(money), |exact| exact.normalize())
}

/// The account of a core.
pub(super) fn facts<S: Strategy>(core: &Core<S>) -> AccountFacts {
    let portfolio = core.portfolio();
    let names = core.groups().currencies();
    AccountFacts {
        currency: names[0].clone(),
        equity_start: decimal(portfolio.cash_at_start()),
        equity: decimal(portfolio.equity()),
        profit: decimal(portfolio.equity() - portfolio.cash_at_start()),
        earned: exact(portfolio.earned()),
        revaluation: exact(portfolio.revaluation()),
        realised: decimal(portfolio.realised()),
        unrealised: decimal(portfolio.unrealised_total()),
        fees: decimal(portfolio.fees()),
        funding: decimal(portfolio.funding()),
        turnover: decimal(portfolio.volume()),
        currencies: (0..names.len())
            .filter_map(|index| currency(core, index))
            .collect(),
    }
}

fn currency<S: Strategy>(core: &Core<S>, index: usize) -> Option<CurrencyFacts> {
    let (portfolio, groups) = (core.portfolio(), core.groups());
    let books = portfolio.currency(index)?;
    let (rate, source) = (
        portfolio.rates().get(index),
        portfolio.rates().source(index),
    );
    let link = groups.link(index).filter(|_| source == RateSource::Market);
    let instrument = link.and_then(|link| core.instruments().get(link.instrument));
    Some(CurrencyFacts {
        name: groups.currencies().get(index)?.clone(),
        cash_start: exact(books.start),
        cash: exact(books.cash),
        positions: exact(books.value),
        realised: exact(books.realised),
        unrealised: exact(books.unrealised),
        fees: exact(books.fees),
        funding: exact(books.funding),
        equity: exact(books.equity),
        equity_in_account: exact(books.equity_in_account),
        rate: rate
            .is_known()
            .then(|| Decimal::new(rate.mantissa(), rate.exponent()).normalize()),
        rate_source: source.name(),
        rate_instrument: instrument.map(|row| row.name()),
    })
}

impl AccountFacts {
    /// What the account came to, as text.
    pub(super) fn write(&self, text: &mut String) {
        line(
            text,
            "profit",
            &format!(
                "{} after fees of {}  (turnover {}, equity {} -> {})",
                cents(self.profit),
                cents(self.fees),
                cents(self.turnover),
                cents(self.equity_start),
                cents(self.equity)
            ),
        );
        if !self.funding.is_zero() {
            line(text, "funding", &cents(self.funding));
        }
        if self.currencies.len() > 1 {
            line(
                text,
                "of which",
                &format!(
                    "{} earned by trades, {} by changes of rates  (in {}; realised {}, unrealised {})",
                    cents(self.earned),
                    cents(self.revaluation),
                    self.currency,
                    cents(self.realised),
                    cents(self.unrealised)
                ),
            );
        }
    }

    /// The books by currency, where there are several.
    pub(super) fn write_currencies(&self, text: &mut String) {
        if self.currencies.len() < 2 {
            return;
        }
        let _ = writeln!(
            text,
            "\n  {:<10} {:>16} {:>16} {:>12} {:>12} {:>10} {:>14} rate",
            "currency", "cash", "positions", "realised", "unrealised", "fees", "equity"
        );
        for row in &self.currencies {
            let _ = writeln!(
                text,
                "  {:<10} {:>16} {:>16} {:>12} {:>12} {:>10} {:>14} {}",
                row.name,
                cents(row.cash),
                cents(row.positions),
                cents(row.realised),
                cents(row.unrealised),
                cents(row.fees),
                cents(row.equity),
                row.rate_words(&self.currency)
            );
        }
    }
}

impl CurrencyFacts {
    /// The rate and where it is from.
    fn rate_words(&self, account: &str) -> String {
        let Some(rate) = self.rate else {
            return String::from("none: nobody has said what it is worth");
        };
        match (self.rate_source, &self.rate_instrument) {
            ("Account", _) => String::from("the account's own"),
            ("Market", Some(name)) => format!("{rate} {account}, the market of {name}"),
            ("Configuration", _) => format!("{rate} {account}, account.rates"),
            _ => format!("{rate} {account}, an event from outside"),
        }
    }
}
