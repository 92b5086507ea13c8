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

type Act = (bool, usize, usize, u16, bool, i64, i64, i64);

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = (
        any::<bool>(),
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
        for (is_fill, one, other, index, is_buy, price, quantity, fee) in acts {
            let id = InstrumentId(index);
            let notional = instruments.rows()[usize::from(index)].notional(price, quantity);
            if is_fill {
                let side = if is_buy { Side::Bid } else { Side::Ask };
                ledger.book(one, id, side, quantity, notional, Money(fee.into()));
                hub[usize::from(index)] += side.sign() * quantity;
                cash -= i128::from(side.sign()) * notional.0 + i128::from(fee);
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
        let bytes = out.into_bytes();
        let mut loaded = Ledger::new(3, 2);
        loaded.load(&mut Decoder::over(&bytes)).unwrap();
        let mut again = Encoder::default();
        loaded.write(&mut again);
        prop_assert_eq!(bytes, again.into_bytes());
    }
}
