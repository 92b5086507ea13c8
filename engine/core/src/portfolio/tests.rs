//! Books that do not balance: each sum is changed behind their back, and they must notice.

use alloc::vec::Vec;

use super::*;
use crate::{
    currency::RateSource,
    instrument::{AssetClass, Contract, Instrument},
    snapshot::Encoder,
};

const BTC: InstrumentId = InstrumentId(0);
const ETH: InstrumentId = InstrumentId(1);
const SOL: InstrumentId = InstrumentId(2);
/// What is saved last: what each of 16 agents received less paid, in two currencies.
const FLOWS_BYTES: usize = 16 * 2 * 16;
const CASH: Money = Money(1000);

/// Two instruments in the account's currency, and one in another.
fn instruments() -> Instruments {
    let row = |symbol: &str, quote: &str| Instrument {
        venue: "sim".into(),
        symbol: symbol.into(),
        base: symbol.into(),
        quote: quote.into(),
        asset_class: AssetClass::Crypto,
        contract: Contract::Spot,
        price_exponent: 6,
        quantity_exponent: 6,
        tick: 1,
        lot: 1,
        quantity_min: 1,
        maker_fee_ppm: 0,
        taker_fee_ppm: 0,
    };
    let rows = [row("BTC", "USD"), row("ETH", "USD"), row("SOL", "EUR")];
    Instruments::new(rows.into()).expect("instruments")
}

fn empty() -> Portfolio {
    let table = instruments();
    Portfolio::with_groups(&table, &Groups::new(&table, "USD"), |_| 100_000, CASH)
}

/// Books of three agents in which no sum is nothing.
fn books() -> Portfolio {
    let mut books = empty();
    let rate = Rate::new(2, 0).expect("a rate");
    books
        .set_rate(1, rate, RateSource::Event)
        .expect("a known currency");
    let fills = [
        (1, BTC, Side::Bid, 10, 9),
        (1, BTC, Side::Ask, 12, 4),
        (2, BTC, Side::Bid, 10, 2),
        (2, ETH, Side::Ask, 7, 6),
        (2, ETH, Side::Bid, 5, 3),
        (3, SOL, Side::Bid, 20, 8),
    ];
    for (agent, id, side, price, quantity) in fills {
        let fill = books.apply_agent_fill(agent, id, side, price, quantity, Money(1));
        fill.expect("a fill that fits");
    }
    books.mark(BTC, 14).expect("a mark that fits");
    books.mark(SOL, 23).expect("a mark that fits");
    // A tenth of what is held, rounded against us: of 98 in BTC, of -21 in ETH.
    let tenth = 10i64.pow(11);
    assert_eq!(books.settle_funding(BTC, tenth, 0), Ok(Money(-10)));
    assert_eq!(books.settle_funding(ETH, tenth, 0), Ok(Money(2)));
    assert_eq!(books.check_conservation(), Ok(()));
    books
}

fn what(result: Result<(), PortfolioError>) -> Option<&'static str> {
    match result {
        Ok(()) => None,
        Err(PortfolioError::Conservation { what, .. }) => Some(what),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn every_kept_sum_is_compared() {
    type Change = fn(&mut Portfolio);
    let changes: [(&str, Change); 14] = [
        ("value", |books| books.totals[0].value.0 += 1),
        ("net exposure", |books| books.sums.net[0].0 += 1),
        ("gross", |books| books.totals[0].gross.0 += 1),
        ("gross exposure", |books| books.sums.gross[0].0 += 1),
        ("cost", |books| books.totals[0].cost.0 += 1),
        ("realised", |books| books.totals[0].realised.0 += 1),
        ("fees", |books| books.totals[0].fees.0 += 1),
        ("volume", |books| books.totals[0].volume.0 += 1),
        ("funding", |books| books.totals[0].funding.0 += 1),
        ("margin", |books| books.sums.margin[0].0 += 1),
        ("equity", |books| books.totals[1].equity.0 += 1),
        ("value of a position", |books| books.rows[0].value.0 += 1),
        ("equity of the account", |books| books.equity.0 += 1),
        ("equity by its causes", |books| books.earned.0 += 1),
    ];
    for (name, change) in changes {
        let mut books = books();
        change(&mut books);
        assert_eq!(what(books.check_conservation()), Some(name));
    }
}

#[test]
fn what_the_agents_hold_is_compared_with_what_the_account_holds() {
    let mut books = books();
    books.mark(BTC, 0).expect("a mark that fits");
    // Worth nothing at this mark, so no sum of money can tell.
    books.rows[0].position.quantity += 1;
    let found = what(books.check_conservation());
    assert_eq!(found, Some("a position of all agents"));
}

/// Behind an agent's last instrument stands the next agent's first.
#[test]
fn an_agent_holds_nothing_of_an_unknown_instrument() {
    let books = books();
    assert_eq!(books.agent_quantity(2, BTC), 2);
    assert_eq!(books.agent_quantity(1, InstrumentId(3)), 0);
    assert_eq!(books.agent_quantity(16, InstrumentId(3)), 0);
}

#[test]
fn nothing_is_booked_into_books_that_do_not_balance() {
    let broken = || {
        let mut books = books();
        books.totals[0].start.0 += 1;
        books
    };
    let fill = broken().apply_fill(BTC, Side::Bid, 10, 1, Money::ZERO);
    assert_eq!(what(fill.map(|_| ())), Some("equity"));
    assert_eq!(what(broken().mark(BTC, 12)), Some("equity"));
    let funding = broken().settle_funding(BTC, 1, 0);
    assert_eq!(what(funding.map(|_| ())), Some("equity"));
    let mut books = books();
    books.equity.0 += 1;
    let rate = books.set_rate(1, Rate::ONE, RateSource::Event);
    assert_eq!(what(rate), Some("equity of the account"));
}

fn saved(books: &Portfolio) -> Vec<u8> {
    let mut out = Encoder::default();
    books.save(&mut out);
    out.into_bytes()
}

fn load(bytes: &[u8]) -> Result<Portfolio, SnapshotError> {
    let mut books = empty();
    books.load(&mut Decoder::over(bytes)).map(|()| books)
}

/// What was expected instead of the books as they are after a change.
fn expected_instead(change: impl FnOnce(&mut Portfolio)) -> Option<&'static str> {
    let mut books = books();
    change(&mut books);
    refusal(&saved(&books))
}

fn refusal(bytes: &[u8]) -> Option<&'static str> {
    match load(bytes) {
        Ok(_) => None,
        Err(SnapshotError::Value { expected, .. }) => Some(expected),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn what_was_saved_comes_back_with_its_sums() {
    let before = books();
    let after = load(&saved(&before)).expect("saved books");
    assert_eq!(saved(&after), saved(&before));
    assert_eq!(after.equity(), before.equity());
    let volume = 9 * 10 + 4 * 12 + 2 * 10 + 6 * 7 + 3 * 5 + 2 * 8 * 20;
    assert_eq!(after.venue_volume(0), Money(volume));
    assert_eq!(after.venue_volume(0), before.venue_volume(0));
    assert_eq!(after.venue_exposure(0), before.venue_exposure(0));
    assert_eq!(after.margin_used(), before.margin_used());
    for base in 0..3 {
        assert_eq!(after.base_exposure(base), before.base_exposure(base));
    }
    for agent in 1..5 {
        assert_eq!(after.agent_profit(agent), before.agent_profit(agent));
        assert_eq!(after.agent_exposure(agent), before.agent_exposure(agent));
        for id in [BTC, ETH, SOL] {
            let quantity = before.agent_quantity(agent, id);
            assert_eq!(after.agent_quantity(agent, id), quantity);
        }
    }
    // Every rate and mark still works on what was loaded.
    let (mut before, mut after) = (before, after);
    for books in [&mut before, &mut after] {
        let rate = Rate::new(3, 0).expect("a rate");
        books
            .set_rate(1, rate, RateSource::Event)
            .expect("a known currency");
        books.mark(ETH, 9).expect("a mark that fits");
    }
    assert_eq!(after.equity(), before.equity());
    assert_eq!(after.revaluation(), before.revaluation());
}

#[test]
fn saved_books_must_balance() {
    let refused = Some("books that balance");
    assert_eq!(expected_instead(|books| books.earned.0 += 1), refused);
    let cash = expected_instead(|books| books.totals[0].cash.0 += 1);
    assert_eq!(cash, refused);
}

#[test]
fn a_saved_peak_is_no_lower_than_equity_and_the_start() {
    let refused = Some("a peak of equity that is no lower than equity");
    // Equity is above the start here, and below it after a fall.
    let above = expected_instead(|books| books.equity_max = Money(books.equity.0 - 1));
    assert_eq!(above, refused);
    assert_eq!(
        expected_instead(|books| books.equity_max = books.equity),
        None
    );
    for (peak, verdict) in [(CASH, None), (Money(CASH.0 - 1), refused)] {
        let below = expected_instead(|books| {
            books.mark(BTC, 1).expect("a mark that fits");
            books.mark(SOL, 1).expect("a mark that fits");
            assert!(books.equity < Money(CASH.0 - 1));
            books.equity_max = peak;
        });
        assert_eq!(below, verdict);
    }
}

#[test]
fn saved_positions_are_marked_and_their_volume_is_not_negative() {
    let unmarked = expected_instead(|books| books.rows[0].is_marked = false);
    assert_eq!(unmarked, Some("a mark wherever something was held"));
    let volume = expected_instead(|books| books.rows[0].position.volume = Money(-1));
    assert_eq!(volume, Some("a volume that is not negative"));
}

#[test]
fn saved_agents_hold_something_and_their_profit_fits() {
    let bytes = saved(&books());
    let flows = bytes.len() - FLOWS_BYTES;
    // The last holder's: the third agent's of the third instrument.
    let quantity = flows - 8;
    assert_eq!(bytes[quantity..quantity + 8], 8i64.to_le_bytes());
    let mut none = bytes.clone();
    none[quantity..quantity + 8].fill(0);
    assert_eq!(refusal(&none), Some("a quantity for every holder"));
    for (flow, verdict) in [
        (i128::MAX - 70, None),
        (i128::MAX - 69, Some("amounts that fit their integers")),
    ] {
        let mut much = bytes.clone();
        much[flows..flows + 16].copy_from_slice(&flow.to_le_bytes());
        assert_eq!(refusal(&much), verdict);
    }
}
