//! Saved orders that no life can have led to: each is refused by the rule that it breaks.

use alloc::vec::Vec;

use super::*;
use crate::{
    instrument::{AssetClass, Contract, Instrument},
    risk::OrderRequest,
};

/// Where the first open order begins: behind the tag and the length.
const FIRST: usize = 8;
const SECOND: usize = FIRST + ORDER_BYTES;
/// The finished order comes after the length of its chain.
const ENDED: usize = SECOND + ORDER_BYTES + 4;
/// Behind the orders: their fold, five counts, and the head of the fills.
const FILLS: usize = ENDED + ORDER_BYTES + 8 + 5 * 8 + 4 + 8 + 8;

/// Places of fields within a saved order.
const ID: usize = 0;
const INSTRUMENT: usize = 8;
const PRICE: usize = 11;
const QUANTITY: usize = 19;
const FILLED: usize = 27;
const STATE: usize = 37;
const BENEATH: usize = 38;

fn instruments() -> Instruments {
    let row = |symbol: &str| Instrument {
        venue: "sim".into(),
        symbol: symbol.into(),
        base: symbol.into(),
        quote: "USD".into(),
        asset_class: AssetClass::Crypto,
        contract: Contract::Spot,
        price_exponent: 2,
        quantity_exponent: 0,
        tick: 1,
        lot: 1,
        quantity_min: 1,
        maker_fee_ppm: 0,
        taker_fee_ppm: 0,
    };
    Instruments::new([row("BTC"), row("ETH")].into()).expect("a table of instruments")
}

/// One order filled in part, one that waits for its cancel, and one that has ended.
fn table() -> OrderTable {
    let mut table = OrderTable::new(&instruments());
    for id in 1..4 {
        let request = OrderRequest::limit(InstrumentId(1), Side::Bid, 100, 10);
        let order = Order::from_request(ClientOrderId(id), &request, 0);
        table.insert(order).expect("a new order");
    }
    let signals = [
        (2, OrderSignal::Accept),
        (2, OrderSignal::RequestCancel),
        (3, OrderSignal::Cancel),
    ];
    for (id, signal) in signals {
        let change = table.apply(ClientOrderId(id), signal, ReportReason::None);
        change.expect("a known order");
    }
    for execution_id in [7, 8] {
        let change = table.apply_fill(ClientOrderId(1), 2, execution_id);
        change.expect("a new fill");
    }
    table
}

fn saved() -> Vec<u8> {
    let mut out = Encoder::default();
    table().save(&mut out);
    out.into_bytes()
}

fn load(bytes: &[u8]) -> Result<OrderTable, SnapshotError> {
    let mut table = OrderTable::new(&instruments());
    table.load(&mut Decoder::over(bytes)).map(|()| table)
}

fn hash(table: &OrderTable) -> u64 {
    let mut hasher = StateHasher::new();
    table.digest(&mut hasher);
    hasher.finish()
}

/// Loads with some bytes overwritten; what was expected instead, if that is refused.
fn expected_instead(changes: &[(usize, &[u8])]) -> Option<&'static str> {
    let mut bytes = saved();
    for (place, change) in changes {
        bytes[*place..*place + change.len()].copy_from_slice(change);
    }
    match load(&bytes) {
        Ok(_) => None,
        Err(SnapshotError::Value { expected, .. }) => Some(expected),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn what_was_saved_comes_back() {
    let (before, after) = (table(), load(&saved()).expect("a saved table"));
    assert_eq!(hash(&before), hash(&after));
    assert!(before.open().eq(after.open()) && before.recent().eq(after.recent()));
    assert!(
        before
            .open_of(InstrumentId(1))
            .eq(after.open_of(InstrumentId(1)))
    );
    assert_eq!(before.open_notional(), after.open_notional());
    let quantity = |table: &OrderTable| table.open_quantity(InstrumentId(1), Side::Bid);
    assert_eq!((quantity(&before), quantity(&after)), (16, 16));
    assert_eq!(before.counts(), after.counts());
    let place = FILLS..FILLS + 8;
    assert_eq!(saved()[place], 1u64.to_le_bytes(), "where the fills begin");
}

#[test]
fn orders_stand_in_the_chain_of_their_state() {
    let cancelled = [6, 6];
    let open = expected_instead(&[(FIRST + STATE, &cancelled)]);
    assert_eq!(open, Some("an open order"));
    let working = [2, 2];
    let ended = expected_instead(&[(ENDED + STATE, &working)]);
    assert_eq!(ended, Some("a finished order"));
}

#[test]
fn orders_are_of_known_instruments_and_known_once() {
    for order in [FIRST, ENDED] {
        let stranger = expected_instead(&[(order + INSTRUMENT, &[2])]);
        assert_eq!(stranger, Some("an instrument of the table"));
        assert_eq!(expected_instead(&[(order + INSTRUMENT, &[0])]), None);
    }
    for order in [SECOND, ENDED] {
        let twice = expected_instead(&[(order + ID, &[1])]);
        assert_eq!(twice, Some("an id that is used once"));
    }
    let fill = expected_instead(&[(FILLS + 16 + 8, &[7])]);
    assert_eq!(fill, Some("a fill that is remembered once"));
}

#[test]
fn what_lies_beneath_a_state_fits_it() {
    let refused = Some("the order state itself beneath it");
    assert_eq!(expected_instead(&[(FIRST + BENEATH, &[2])]), refused);
    assert_eq!(expected_instead(&[(ENDED + BENEATH, &[7])]), refused);
    // A cancel that waits lies above an open state, and not above another cancel.
    for (beneath, verdict) in [(1, None), (3, None), (4, refused), (5, refused)] {
        let found = expected_instead(&[(SECOND + BENEATH, &[beneath])]);
        assert_eq!(found, verdict, "{beneath}");
    }
}

#[test]
fn what_was_filled_fits_the_order() {
    let refused = Some("a filled quantity that fits the order");
    let filled = |order: usize, filled: i64, quantity: i64| {
        let (filled, quantity) = (filled.to_le_bytes(), quantity.to_le_bytes());
        expected_instead(&[(order + FILLED, &filled), (order + QUANTITY, &quantity)])
    };
    // Something is left while an order is open.
    assert_eq!(filled(FIRST, 0, 1), None);
    assert_eq!(filled(FIRST, 9, 10), None);
    assert_eq!(filled(FIRST, 10, 10), refused);
    assert_eq!(filled(FIRST, 11, 10), refused);
    assert_eq!(filled(FIRST, -1, 10), refused);
    assert_eq!(filled(ENDED, 10, 10), None);
    assert_eq!(filled(ENDED, 11, 10), refused);
    assert_eq!(filled(ENDED, 0, 0), refused);
    assert_eq!(filled(ENDED, 0, -1), refused);
}

#[test]
fn what_is_open_fits_its_sums() {
    let refused = Some("open quantities that fit their sums");
    let price = i64::MIN.to_le_bytes();
    assert_eq!(expected_instead(&[(FIRST + PRICE, &price)]), refused);
    // Free of charge, but together with the other more than a quantity can be.
    let (price, quantity) = (0i64.to_le_bytes(), i64::MAX.to_le_bytes());
    let most: [(usize, &[u8]); 2] = [(FIRST + PRICE, &price), (FIRST + QUANTITY, &quantity)];
    assert_eq!(expected_instead(&most), refused);
}
