//! The agents' books: what is crossed between two creates nothing, and profit is what cash and positions say.

use acth_core::{
    agents::{HOUSE, Ledger},
    event::Side,
    instrument::{AssetClass, Contract, Instrument, InstrumentId, Instruments},
    money::Money,
    snapshot::{Decoder, Encoder},
};
use proptest::prelude::*;

fn instruments() -> Instruments {
    let row = |symbol: &str| Instrument {
        venue: "sim".into(),
        symbol: symbol.into(),
        base: symbol.into(),
        quote: "USD".into(),
        asset_class: AssetClass::Crypto,
        contract: Contract::Spot,
        price_exponent: 2,
        quantity_exponent: 3,
        tick: 1,
        lot: 1,
        quantity_min: 1,
        maker_fee_ppm: 0,
        taker_fee_ppm: 100,
    };
    Instruments::new(vec![row("ONE"), row("TWO")]).unwrap()
}

#[test]
fn profit_is_cash_less_fees_and_what_is_held_at_the_mark() {
    let instruments = instruments();
    let id = InstrumentId(0);
    let rules = &instruments.rows()[0];
    let mut ledger = Ledger::new(2, 2);
    // Two units bought at 100.00 and one sold at 110.00, fees of 1 and 2; the mark is 120.00.
    let bought = rules.notional(10_000, 2_000);
    ledger.book(1, id, Side::Bid, 2_000, bought, Money::from_units(1));
    let sold = rules.notional(11_000, 1_000);
    ledger.book(1, id, Side::Ask, 1_000, sold, Money::from_units(2));
    let profit = ledger.profit(1, &instruments, |_| 12_000, |_, amount| amount);
    assert_eq!(profit, Money::from_units(-200 + 110 - 3 + 120));
    assert_eq!(ledger.account(1, id).volume, Money::from_units(310));
    assert_eq!(ledger.quantity(1, id), 1_000);
    assert_eq!(ledger.quantity(HOUSE, id), 0);
}

#[test]
fn funding_is_paid_by_the_long_to_the_short_and_what_rounding_leaves_is_the_house_s() {
    let id = InstrumentId(0);
    let mut ledger = Ledger::new(3, 2);
    let funding = |ledger: &Ledger| [0, 1, 2, 3].map(|row| ledger.account(row, id).funding.0);
    // Nothing is held: whatever came is the house's.
    ledger.fund(id, Money(-5));
    assert_eq!(funding(&ledger), [-5, 0, 0, 0]);
    // 6 long, 3 short, 4 long and none with the house: 7 together.
    for (row, side, quantity) in [(1, Side::Bid, 6), (2, Side::Ask, 3), (3, Side::Bid, 4)] {
        ledger.book(row, id, side, quantity, Money::ZERO, Money::ZERO);
    }
    ledger.fund(id, Money(-70));
    assert_eq!(funding(&ledger), [-5, -60, 30, -40]);
    // 6/7, -3/7 and 4/7 of 10 are 8.57, -4.29 and 5.71: the unit that is left falls to the house.
    ledger.fund(id, Money(10));
    assert_eq!(funding(&ledger), [-4, -52, 26, -35]);
    // What the house holds is its own part too.
    ledger.book(HOUSE, id, Side::Bid, 3, Money::ZERO, Money::ZERO);
    ledger.fund(id, Money(-10));
    assert_eq!(funding(&ledger), [-7, -58, 29, -39]);
    // Together nothing: whatever came is the house's.
    ledger.book(HOUSE, id, Side::Ask, 10, Money::ZERO, Money::ZERO);
    ledger.fund(id, Money(9));
    assert_eq!(funding(&ledger), [2, -58, 29, -39]);
    let other = ledger.account(1, InstrumentId(1)).funding;
    assert_eq!(other, Money::ZERO);
    let total = ledger.total(2, |_, amount| amount);
    assert_eq!(total.funding, Money(29));
}

/// Parts that 128 bits cannot hold on the way are exact, and those that they cannot hold at all are the house's.
#[test]
fn funding_is_shared_out_at_the_ends_of_the_integers() {
    let id = InstrumentId(0);
    let mut ledger = Ledger::new(2, 1);
    ledger.book(1, id, Side::Bid, i64::MAX, Money::ZERO, Money::ZERO);
    ledger.book(HOUSE, id, Side::Ask, 1, Money::ZERO, Money::ZERO);
    let received = Money(-(1 << 100));
    ledger.fund(id, received);
    // 2^100 * (2^63 - 1) / (2^63 - 2): 2^37 more than 2^100, and a rest.
    let part = -((1i128 << 100) + (1 << 37));
    assert_eq!(ledger.account(1, id).funding, Money(part));
    assert_eq!(ledger.account(HOUSE, id).funding, Money(received.0 - part));

    let mut ledger = Ledger::new(2, 1);
    ledger.book(1, id, Side::Bid, i64::MAX, Money::ZERO, Money::ZERO);
    ledger.book(2, id, Side::Ask, i64::MAX - 1, Money::ZERO, Money::ZERO);
    ledger.fund(id, received);
    let parts = [HOUSE, 1, 2].map(|row| ledger.account(row, id).funding);
    assert_eq!(parts, [received, Money::ZERO, Money::ZERO]);
}

type Act = (u8, usize, usize, u16, bool, i64, i64, i64);

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = (
        0u8..3,
        0usize..4,
        0usize..4,
        0u16..2,
        any::<bool>(),
        1i64..1_000_000,
        1i64..1_000_000,
        -1_000i64..1_000,
    );
    prop::collection::vec(act, 1..60)
}

proptest! {
    #[test]
    fn nothing_is_created(acts in acts(), mark in 1i64..1_000_000) {
        let instruments = instruments();
        let mut ledger = Ledger::new(3, 2);
        let mut hub = [0i64; 2];
        let mut cash = 0i128;
        for (kind, one, other, index, is_buy, price, quantity, fee) in acts {
            let id = InstrumentId(index);
            let notional = instruments.rows()[usize::from(index)].notional(price, quantity);
            if kind == 0 {
                let side = if is_buy { Side::Bid } else { Side::Ask };
                ledger.book(one, id, side, quantity, notional, Money(fee.into()));
                hub[usize::from(index)] += side.sign() * quantity;
                cash -= i128::from(side.sign()) * notional.0 + i128::from(fee);
            } else if kind == 1 {
                // As the hub's books reckon: on what it holds, rounded against it.
                let worth = instruments.rows()[usize::from(index)].notional(price, hub[usize::from(index)]);
                let received = (worth.0 * i128::from(-fee)).div_euclid(1_000_003);
                ledger.fund(id, Money(received));
                cash += received;
            } else if one != other {
                ledger.cross(one, other, id, quantity, notional);
            }
        }
        let mut worth = cash;
        for (index, quantity) in hub.into_iter().enumerate() {
            let id = InstrumentId(index as u16);
            let sum: i64 = (0..ledger.rows()).map(|row| ledger.quantity(row, id)).sum();
            prop_assert_eq!(sum, quantity);
            worth += instruments.rows()[index].notional(mark, quantity).0;
        }
        let all: Money = (0..ledger.rows())
            .map(|row| ledger.profit(row, &instruments, |_| mark, |_, amount| amount))
            .sum();
        prop_assert_eq!(all.0, worth);
        let mut out = Encoder::default();
        ledger.write(&mut out);
        ledger.write_funding(&mut out);
        let bytes = out.into_bytes();
        let mut loaded = Ledger::new(3, 2);
        let mut from = Decoder::over(&bytes);
        loaded.load(&mut from).unwrap();
        loaded.load_funding(&mut from).unwrap();
        let mut again = Encoder::default();
        loaded.write(&mut again);
        loaded.write_funding(&mut again);
        prop_assert_eq!(bytes, again.into_bytes());
    }
}
