//! The books by example: every kind of fill, rounding, and the bounds of the integers.

use acth_core::{
    event::Side,
    instrument::{InstrumentId, Instruments},
    money::Money,
    portfolio::{Portfolio, PortfolioError, PositionChange},
};

use crate::support::{BTC, ETH, hash_of, instrument, instruments};

fn units(amount: i64) -> Money {
    Money::from_units(amount)
}

fn books() -> Portfolio {
    Portfolio::new(&instruments(), units(1000))
}

#[test]
fn open_add_reduce_close_and_flip() {
    let mut books = books();
    // side, price, quantity -> change, quantity after, realised by it, cost after
    let rows = [
        (Side::Bid, 100, 10, PositionChange::Opened, 10, 0, 1000),
        (Side::Bid, 110, 10, PositionChange::Added, 20, 0, 2100),
        (Side::Ask, 120, 5, PositionChange::Reduced, 15, 75, 1575),
        (Side::Ask, 90, 15, PositionChange::Closed, 0, -225, 0),
        (Side::Ask, 100, 4, PositionChange::Opened, -4, 0, -400),
        (Side::Ask, 200, 4, PositionChange::Added, -8, 0, -1200),
        (Side::Bid, 100, 2, PositionChange::Reduced, -6, 100, -900),
        (Side::Bid, 160, 10, PositionChange::Flipped, 4, -60, 640),
        (Side::Ask, 170, 7, PositionChange::Flipped, -3, 40, -510),
        (Side::Bid, 170, 3, PositionChange::Closed, 0, 0, 0),
    ];
    let mut realised = Money::ZERO;
    for (number, (side, price, quantity, change, after, gain, cost)) in rows.into_iter().enumerate()
    {
        let effect = books
            .apply_fill(ETH, side, price, quantity, units(1))
            .unwrap();
        realised += units(gain);
        assert_eq!(effect.change, change, "row {number}");
        assert_eq!(
            (effect.quantity, effect.realised),
            (after, units(gain)),
            "row {number}"
        );
        let position = books.position(ETH);
        assert_eq!(
            (position.quantity, position.cost),
            (after, units(cost)),
            "row {number}"
        );
        assert_eq!(books.realised(), realised);
        assert_eq!(books.fees(), units(number as i64 + 1));
        books.check_conservation().unwrap();
    }
    assert_eq!(books.equity(), units(1000) + realised - units(10));
    assert_eq!(books.cash(), books.equity());
    assert_eq!(books.gross_exposure(), Money::ZERO);
}

#[test]
fn marks_move_equity_by_the_open_quantity() {
    let mut books = books();
    books
        .apply_fill(ETH, Side::Ask, 100, 3, Money::ZERO)
        .unwrap();
    assert_eq!(books.position(ETH).mark_price, 100, "the first fill marks");
    books.mark(ETH, 90).unwrap();
    assert_eq!(books.unrealised(ETH), units(30));
    assert_eq!(books.equity(), units(1030));
    books.mark(ETH, 105).unwrap();
    assert_eq!(books.equity(), units(985));
    assert_eq!(books.equity_max(), units(1030));
    assert_eq!(books.exposure(ETH), units(-315));
    assert_eq!(books.net_exposure(), units(-315));
    assert_eq!(books.gross_exposure(), units(315));
    assert_eq!(books.margin_used(), Money::ZERO, "none is asked");
    assert_eq!(books.cash(), units(1300));
    books
        .apply_fill(ETH, Side::Bid, 104, 1, Money::ZERO)
        .unwrap();
    assert_eq!(
        books.position(ETH).mark_price,
        105,
        "a fill leaves a mark alone"
    );
    books.check_conservation().unwrap();
}

#[test]
fn a_mark_before_the_first_fill_is_kept() {
    let mut books = books();
    books.mark(ETH, 120).unwrap();
    books
        .apply_fill(ETH, Side::Bid, 100, 1, Money::ZERO)
        .unwrap();
    assert_eq!(books.unrealised(ETH), units(20));
    assert_eq!(books.cash_at_start(), units(1000));
}

#[test]
fn rounding_of_a_cost_share_goes_towards_zero_and_nothing_is_lost() {
    // Exponents that add up to 12: one mantissa times one mantissa is the smallest amount.
    let table = Instruments::new(vec![instrument("FINE", 6, 6)]).unwrap();
    let fine = InstrumentId(0);
    for (open, close, sign) in [(Side::Bid, Side::Ask, 1), (Side::Ask, Side::Bid, -1)] {
        let mut books = Portfolio::new(&table, Money::ZERO);
        books.apply_fill(fine, open, 5, 1, Money::ZERO).unwrap();
        books.apply_fill(fine, open, 3, 2, Money::ZERO).unwrap();
        assert_eq!(books.position(fine).cost, Money(sign * 11));
        // 11 / 3 = 3.67: the share is 3 either way, and 8 stay.
        let first = books.apply_fill(fine, close, 10, 1, Money::ZERO).unwrap();
        assert_eq!(first.realised, Money(sign * 7));
        assert_eq!(books.position(fine).cost, Money(sign * 8));
        let second = books.apply_fill(fine, close, 10, 2, Money::ZERO).unwrap();
        assert_eq!(second.realised, Money(sign * 12));
        assert_eq!(books.equity(), Money(sign * 19), "30 for what cost 11");
        books.check_conservation().unwrap();
    }
}

#[test]
fn a_cost_share_is_the_exact_quotient_cut_off() {
    let table = Instruments::new(vec![instrument("FINE", 6, 6)]).unwrap();
    let fine = InstrumentId(0);
    for (open, close) in [(Side::Bid, Side::Ask), (Side::Ask, Side::Bid)] {
        for (held, extra, closed) in [(3, 2, 2), (7, 6, 5), (100, 99, 99), (100, 1, 51)] {
            let mut books = Portfolio::new(&table, Money::ZERO);
            books
                .apply_fill(fine, open, 4, held - 1, Money::ZERO)
                .unwrap();
            books.apply_fill(fine, open, extra, 1, Money::ZERO).unwrap();
            let cost = books.position(fine).cost.0;
            books
                .apply_fill(fine, close, 9, closed, Money::ZERO)
                .unwrap();
            let share = cost * i128::from(closed) / i128::from(held);
            assert_eq!(
                books.position(fine).cost.0,
                cost - share,
                "{closed} of {held}"
            );
        }
    }
}

#[test]
fn fees_and_rebates_change_cash_alone() {
    let mut books = books();
    books.apply_fill(ETH, Side::Bid, 100, 1, Money(7)).unwrap();
    books
        .apply_fill(ETH, Side::Bid, 100, 1, Money(-20))
        .unwrap();
    assert_eq!(books.fees(), Money(-13));
    assert_eq!(books.position(ETH).fees, Money(-13));
    assert_eq!(books.volume(), units(200));
    assert_eq!(books.equity(), units(1000) + Money(13));
}

#[test]
fn what_cannot_be_booked_is_refused_whole() {
    let mut books = books();
    books
        .apply_fill(ETH, Side::Bid, 100, 5, Money::ZERO)
        .unwrap();
    let before = hash_of(|hasher| books.digest(hasher));
    let refused = |quantity| {
        Err(PortfolioError::Quantity {
            instrument: 1,
            quantity,
        })
    };
    for quantity in [0, -1, i64::MIN] {
        assert_eq!(
            books.apply_fill(ETH, Side::Bid, 100, quantity, Money::ZERO),
            refused(quantity)
        );
    }
    let stranger = InstrumentId(2);
    let unknown = PortfolioError::UnknownInstrument(2);
    assert_eq!(
        books.apply_fill(stranger, Side::Bid, 1, 1, Money::ZERO),
        Err(unknown)
    );
    assert_eq!(books.mark(stranger, 1), Err(unknown));
    assert_eq!(books.position(stranger).quantity, 0);
    let overflow = Err(PortfolioError::Overflow(1));
    // Quantity, notional, fee, and the mark.
    assert_eq!(
        books.apply_fill(ETH, Side::Bid, 1, i64::MAX, Money::ZERO),
        overflow
    );
    assert_eq!(
        books.apply_fill(ETH, Side::Ask, i64::MAX, i64::MAX, Money::ZERO),
        overflow
    );
    assert_eq!(
        books.apply_fill(ETH, Side::Ask, i64::MIN, i64::MAX, Money::ZERO),
        overflow
    );
    assert_eq!(
        books.apply_fill(ETH, Side::Bid, 1, 1, Money(i128::MIN)),
        overflow
    );
    books
        .apply_fill(BTC, Side::Bid, 1, i64::MAX, Money::ZERO)
        .unwrap();
    assert_eq!(books.mark(BTC, i64::MAX), Err(PortfolioError::Overflow(0)));
    books
        .apply_fill(BTC, Side::Ask, 1, i64::MAX, Money::ZERO)
        .unwrap();
    books.check_conservation().unwrap();
    assert_ne!(
        hash_of(|hasher| books.digest(hasher)),
        before,
        "BTC was traded"
    );
    assert_eq!(books.position(ETH).quantity, 5);
    assert_eq!(books.equity(), units(1000));
}

#[test]
fn cost_shares_beyond_128_bits_are_exact() {
    let table = Instruments::new(vec![instrument("WHALE", 6, 6)]).unwrap();
    let whale = InstrumentId(0);
    let mut books = Portfolio::new(&table, Money::ZERO);
    let (price, quantity) = (i64::MAX / 2, i64::MAX - 8);
    books
        .apply_fill(whale, Side::Bid, price, quantity, Money::ZERO)
        .unwrap();
    // The product of cost and quantity needs 188 bits. Sold at cost, nothing may be gained or lost.
    for part in [1, quantity / 3, quantity / 2, 12345] {
        let effect = books
            .apply_fill(whale, Side::Ask, price, part, Money::ZERO)
            .unwrap();
        assert_eq!(effect.realised, Money::ZERO);
        books.check_conservation().unwrap();
    }
    assert_eq!(books.equity(), Money::ZERO);
}

/// Value and cost need 127 bits each: their difference fits, their sum would not.
#[test]
fn a_position_at_the_edge_of_its_integer_is_taken_where_its_profit_fits() {
    let table = Instruments::new(vec![instrument("WHALE", 6, 5)]).unwrap();
    let whale = InstrumentId(0);
    let mut books = Portfolio::new(&table, Money::ZERO);
    let quantity = i64::MAX / 7;
    books
        .apply_fill(whale, Side::Bid, i64::MAX, quantity, Money::ZERO)
        .unwrap();
    assert_eq!(books.equity(), Money::ZERO);
    // The profit of the other extreme does not fit.
    let overflow = Err(PortfolioError::Overflow(0));
    assert_eq!(books.mark(whale, -i64::MAX), overflow);
    books.mark(whale, 0).unwrap();
    assert_eq!(books.equity(), -books.position(whale).cost);
    books.check_conservation().unwrap();
}

/// One agent's rebates are another's fees, so the account has room for what the agent has none for.
#[test]
fn an_agent_whose_profit_would_overflow_is_refused_though_the_account_has_room() {
    let table = Instruments::new(vec![instrument("FINE", 6, 6)]).unwrap();
    let fine = InstrumentId(0);
    let mut books = Portfolio::new(&table, Money::ZERO);
    let most = Money(i128::MAX - 100);
    books
        .apply_agent_fill(5, fine, Side::Bid, 10, 1, most)
        .unwrap();
    books
        .apply_agent_fill(2, fine, Side::Bid, 10, 1, -most)
        .unwrap();
    assert_eq!(books.agent_profit(2), most);
    let before = hash_of(|hasher| books.digest(hasher));
    let overflow = PortfolioError::Overflow(0);
    // Each would bring more than the hundred that are left, and one that brings exactly these is taken.
    let fill = books.apply_agent_fill(2, fine, Side::Bid, 0, 11, Money::ZERO);
    assert_eq!(fill, Err(overflow));
    assert_eq!(books.mark(fine, 111), Err(overflow));
    let rate = -10i64.pow(12);
    assert_eq!(books.settle_funding(fine, rate, 101), Err(overflow));
    assert_eq!(hash_of(|hasher| books.digest(hasher)), before);
    books.check_conservation().unwrap();
    books.mark(fine, 110).unwrap();
    assert_eq!(books.agent_profit(2), Money(i128::MAX));
    books.mark(fine, 10).unwrap();
    books.settle_funding(fine, rate, 100).unwrap();
    assert_eq!(books.agent_profit(2), Money(i128::MAX));
    books.check_conservation().unwrap();
}
