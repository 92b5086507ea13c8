//! Several currencies, funding, agents and margin: the books against a twin that keeps nothing but the list of what happened.

use acth_core::{
    currency::{Rate, RateSource},
    event::Side,
    groups::Groups,
    instrument::{Instrument, InstrumentId, Instruments},
    money::Money,
    portfolio::{Portfolio, PortfolioError},
};
use proptest::prelude::*;

use crate::support::instrument;

const CASH: i128 = 1 << 60;
const COUNT: u16 = 4;
/// Margin shares in ppm, by instrument.
pub(crate) const MARGINS: [u32; 4] = [1_000_000, 100_000, 333_333, 1];

fn row(venue: &str, base: &str, quote: &str) -> Instrument {
    Instrument {
        venue: venue.into(),
        base: base.into(),
        quote: quote.into(),
        ..instrument(&format!("{base}{quote}"), 4, 4)
    }
}

/// Two venues, two assets, two currencies; the account is in the one of three instruments.
pub(crate) fn table() -> Instruments {
    Instruments::new(vec![
        row("one", "BTC", "USD"),
        row("one", "BTC", "EUR"),
        row("two", "BTC", "USD"),
        row("two", "ETH", "USD"),
    ])
    .unwrap()
}

fn books() -> (Portfolio, Groups) {
    let table = table();
    let groups = Groups::new(&table, "");
    let margin = |id: InstrumentId| MARGINS[id.index()];
    let books = Portfolio::with_groups(&table, &groups, margin, Money(CASH));
    (books, groups)
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Agent, instrument, signed quantity, price, fee.
    Fill(u16, u16, i64, i64, i64),
    Mark(u16, i64),
    /// Instrument, rate, price.
    Funding(u16, i64, i64),
    /// Mantissa at 3 places.
    Rate(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let quantity = prop_oneof![-40i64..0, 1i64..40];
    prop_oneof![
        5 => (1u16..4, 0..COUNT, quantity, 1i64..5000, -300i64..300)
            .prop_map(|(agent, id, signed, price, fee)| Step::Fill(agent, id, signed, price, fee)),
        3 => (0..COUNT, 1i64..5000).prop_map(|(id, price)| Step::Mark(id, price)),
        1 => (0..COUNT, -1_000_000_000i64..1_000_000_000, prop_oneof![Just(0i64), 1i64..5000])
            .prop_map(|(id, rate, price)| Step::Funding(id, rate, price)),
        1 => (0i64..2000).prop_map(Step::Rate),
    ]
}

fn take(books: &mut Portfolio, step: Step) {
    match step {
        Step::Fill(agent, id, signed, price, fee) => {
            let side = if signed > 0 { Side::Bid } else { Side::Ask };
            let (id, fee) = (InstrumentId(id), Money(i128::from(fee)));
            books
                .apply_agent_fill(agent, id, side, price, signed.abs(), fee)
                .unwrap();
        }
        Step::Mark(id, price) => books.mark(InstrumentId(id), price).unwrap(),
        Step::Funding(id, rate, price) => {
            books.settle_funding(InstrumentId(id), rate, price).unwrap();
        }
        Step::Rate(mantissa) => {
            books
                .set_rate(1, Rate::new(mantissa, 3).unwrap(), RateSource::Event)
                .unwrap();
        }
    }
}

/// One instrument's story, told anew from the list each time; quantities and prices have 4 places each, money 12.
#[derive(Default)]
struct Told {
    cash: i128,
    held: i128,
    of_agents: [i128; 4],
    /// Received less paid, by agent.
    flows: [i128; 4],
    mark: i128,
    fees: i128,
    funding: i128,
    volume: i128,
}

const SCALE: i128 = 10_000;

fn tell(steps: &[Step], wanted: u16) -> Told {
    let mut told = Told::default();
    let mut is_marked = false;
    for step in steps {
        match *step {
            Step::Fill(agent, id, signed, price, fee) if id == wanted => {
                let paid = i128::from(signed) * i128::from(price) * SCALE;
                let spent = paid + i128::from(fee);
                told.cash -= spent;
                told.flows[agent as usize] -= spent;
                told.fees += i128::from(fee);
                told.volume += paid.abs();
                told.held += i128::from(signed);
                told.of_agents[agent as usize] += i128::from(signed);
                if !is_marked {
                    told.mark = i128::from(price);
                    is_marked = true;
                }
            }
            Step::Mark(id, price) if id == wanted => {
                told.mark = i128::from(price);
                is_marked = true;
            }
            Step::Funding(id, rate, price) if id == wanted => {
                let price = if price == 0 {
                    told.mark
                } else {
                    i128::from(price)
                };
                let share = |held: i128| {
                    (-held * price * SCALE * i128::from(rate)).div_euclid(10i128.pow(12))
                };
                told.funding += share(told.held);
                told.cash += share(told.held);
                for agent in 1..4 {
                    told.flows[agent] += share(told.of_agents[agent]);
                }
            }
            _ => {}
        }
    }
    told
}

/// An amount of the second currency in the account's.
fn euro(steps: &[Step], amount: i128) -> i128 {
    let rate = steps.iter().rev().find_map(|step| match step {
        Step::Rate(mantissa) => Some(*mantissa),
        _ => None,
    });
    (amount * i128::from(rate.unwrap_or(0))).div_euclid(1000)
}

fn compare(books: &Portfolio, steps: &[Step]) -> Result<(), TestCaseError> {
    let told: Vec<Told> = (0..COUNT).map(|id| tell(steps, id)).collect();
    let value = |id: usize| told[id].held * told[id].mark * SCALE;
    let dollars = |part: &dyn Fn(usize) -> i128| part(0) + part(2) + part(3);
    let both = |part: &dyn Fn(usize) -> i128| dollars(part) + euro(steps, part(1));

    prop_assert_eq!(books.balance(0).0, CASH + dollars(&|id| told[id].cash));
    prop_assert_eq!(books.balance(1).0, told[1].cash);
    let equity =
        CASH + dollars(&|id| told[id].cash + value(id)) + euro(steps, told[1].cash + value(1));
    prop_assert_eq!(books.equity().0, equity);
    prop_assert_eq!(books.gross_exposure().0, both(&|id| value(id).abs()));
    prop_assert_eq!(books.net_exposure().0, both(&value));
    prop_assert_eq!(books.fees().0, both(&|id| told[id].fees));
    prop_assert_eq!(books.funding().0, both(&|id| told[id].funding));
    prop_assert_eq!(books.volume().0, both(&|id| told[id].volume));

    let first = value(0).abs() + euro(steps, value(1).abs());
    prop_assert_eq!(books.venue_exposure(0).0, first);
    prop_assert_eq!(books.venue_exposure(1).0, value(2).abs() + value(3).abs());
    prop_assert_eq!(books.venue_volume(1).0, told[2].volume + told[3].volume);
    let bitcoin = value(0) + value(2) + euro(steps, value(1));
    prop_assert_eq!(books.base_exposure(0).0, bitcoin);
    prop_assert_eq!(books.base_exposure(1).0, value(3));

    let margin = |id: usize| value(id).abs() * i128::from(MARGINS[id]);
    let used = both(&margin);
    prop_assert_eq!(books.margin_used().0, -(-used).div_euclid(1_000_000));
    prop_assert_eq!(books.margin_free().0, equity - books.margin_used().0);

    for agent in 1..4usize {
        let own = |id: usize| told[id].of_agents[agent] * told[id].mark * SCALE;
        let earned = |id: usize| told[id].flows[agent] + own(id);
        let number = agent as u16;
        prop_assert_eq!(books.agent_exposure(number).0, both(&|id| own(id).abs()));
        prop_assert_eq!(books.agent_profit(number).0, both(&earned));
    }
    Ok(())
}

proptest! {
    #[test]
    fn the_books_of_two_currencies_equal_their_naive_twin(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let (mut books, groups) = books();
        prop_assert_eq!(groups.currencies(), ["USD", "EUR"]);
        let mut equity_max = CASH;
        for end in 1..=steps.len() {
            take(&mut books, steps[end - 1]);
            prop_assert_eq!(books.check_conservation(), Ok(()));
            compare(&books, &steps[..end])?;
            let by_profit = CASH + books.realised().0 + books.unrealised_total().0
                + books.funding().0 - books.fees().0;
            // Each part is rounded by itself at the rate; no unit more may be between the two.
            prop_assert!((books.equity().0 - by_profit).abs() <= 4);
            equity_max = equity_max.max(books.equity().0);
            prop_assert_eq!(books.equity_max().0, equity_max);
        }
    }
}

#[test]
fn funding_is_rounded_against_us_and_longs_pay() {
    let perpetual = InstrumentId(3);
    let (mut books, _) = books();
    books
        .apply_fill(perpetual, Side::Bid, 10_000, 3, Money::ZERO)
        .unwrap();
    // A notional of 3 * 10^8 units of 10^-12 at a rate of 10^-8: three units, and a third of one at 1/9.
    assert_eq!(books.settle_funding(perpetual, 10_000, 0), Ok(Money(-3)));
    assert_eq!(books.settle_funding(perpetual, -10_000, 0), Ok(Money(3)));
    assert_eq!(books.settle_funding(perpetual, 1, 0), Ok(Money(-1)));
    assert_eq!(books.settle_funding(perpetual, -1, 0), Ok(Money(0)));
    let prices = [(20_000, -6), (1, -1), (0, -3), (-1, -3)];
    for (price, received) in prices {
        let received = Ok(Money(received));
        assert_eq!(books.settle_funding(perpetual, 10_000, price), received);
    }
    assert_eq!(books.position(perpetual).funding, Money(-14));
    assert_eq!(books.funding(), Money(-14));
    assert_eq!(books.equity(), Money(CASH - 14));
    assert_eq!(books.check_conservation(), Ok(()));
    let overflow = Err(PortfolioError::Overflow(3));
    books.mark(perpetual, i64::MAX).unwrap();
    assert_eq!(
        books.settle_funding(perpetual, i64::MAX, 0).map(|_| ()),
        overflow
    );
    assert_eq!(
        books.settle_funding(InstrumentId(9), 1, 1),
        Err(PortfolioError::UnknownInstrument(9))
    );
    assert_eq!(books.check_conservation(), Ok(()));
}

#[test]
fn a_rate_changes_equity_by_the_revaluation_and_no_booked_amount() {
    let euro = InstrumentId(1);
    let (mut books, _) = books();
    books
        .set_rate(1, Rate::new(2, 0).unwrap(), RateSource::Event)
        .unwrap();
    books
        .apply_fill(euro, Side::Bid, 10_000, 10_000, Money(7))
        .unwrap();
    books.mark(euro, 20_000).unwrap();
    let earned = books.equity().0 - CASH;
    assert_eq!(earned, 2 * (Money::ONE.0 - 7));
    let balance = books.balance(1);
    books
        .set_rate(1, Rate::new(3, 0).unwrap(), RateSource::Event)
        .unwrap();
    assert_eq!(books.balance(1), balance);
    assert_eq!(books.revaluation().0, Money::ONE.0 - 7);
    assert_eq!(books.equity().0, CASH + earned + books.revaluation().0);
    for currency in [0, 2, 9] {
        let refused = books.set_rate(currency, Rate::ONE, RateSource::Event);
        assert_eq!(
            refused,
            Err(PortfolioError::UnknownCurrency(currency as u32))
        );
    }
    let huge = Rate::new(i64::MAX, 0).unwrap();
    books.mark(euro, i64::MAX).unwrap();
    assert_eq!(
        books.set_rate(1, huge, RateSource::Event),
        Err(PortfolioError::Overflow(u16::MAX))
    );
    assert_eq!(books.check_conservation(), Ok(()));
}

/// Two agents on either side of one instrument: the account holds nothing, each of them does.
#[test]
fn agents_that_hold_against_each_other_are_valued_though_the_account_is_flat() {
    let (mut books, _) = books();
    let id = InstrumentId(2);
    books
        .apply_agent_fill(2, id, Side::Bid, 10_000, 10_000, Money::ZERO)
        .unwrap();
    books
        .apply_agent_fill(5, id, Side::Ask, 10_000, 10_000, Money::ZERO)
        .unwrap();
    books.mark(id, 15_000).unwrap();
    assert_eq!(books.position(id).quantity, 0);
    assert_eq!(
        (books.agent_quantity(2, id), books.agent_quantity(5, id)),
        (10_000, -10_000)
    );
    let half = Money(Money::ONE.0 / 2);
    assert_eq!(
        (books.agent_profit(2), books.agent_profit(5)),
        (half, -half)
    );
    assert_eq!(books.agent_exposure(2), Money::ONE + half);
    assert_eq!(books.gross_exposure(), Money::ZERO);
    assert_eq!(books.check_conservation(), Ok(()));
}

#[test]
fn groups_are_numbered_in_the_order_of_the_instruments() {
    let groups = Groups::new(&table(), "EUR");
    assert_eq!(groups.currencies(), ["EUR", "USD"]);
    assert_eq!(groups.venues(), ["one", "two"]);
    assert_eq!(groups.bases(), ["BTC", "ETH"]);
    let euro = groups.of(InstrumentId(1));
    assert_eq!((euro.venue, euro.base, euro.currency), (0, 0, 0));
    let last = groups.of(InstrumentId(3));
    assert_eq!((last.venue, last.base, last.currency), (1, 1, 1));
    assert_eq!(groups.link(1), None);
    let pairs = Instruments::new(vec![row("x", "USD", "JPY"), row("x", "EUR", "USD")]).unwrap();
    let groups = Groups::new(&pairs, "USD");
    assert_eq!(groups.currencies(), ["USD", "JPY"]);
    let link = groups.link(1).unwrap();
    assert!(link.is_reciprocal && link.instrument == InstrumentId(0));
}
