//! Instruments, requests and views that the tests start from.

use acth_core::{
    currency::Rate,
    event::Side,
    hash::StateHasher,
    instrument::{AssetClass, Contract, Instrument, InstrumentId, Instruments},
    money::Money,
    risk::{Limits, OrderRequest, RiskView, Terms, TradingState},
};

pub(crate) const BTC: InstrumentId = InstrumentId(0);
pub(crate) const ETH: InstrumentId = InstrumentId(1);

pub(crate) fn instrument(symbol: &str, price_exponent: u8, quantity_exponent: u8) -> Instrument {
    Instrument {
        venue: "sim".into(),
        symbol: symbol.into(),
        base: symbol.into(),
        quote: "USD".into(),
        asset_class: AssetClass::Crypto,
        contract: Contract::Spot,
        price_exponent,
        quantity_exponent,
        tick: 1,
        lot: 1,
        quantity_min: 1,
        maker_fee_ppm: 0,
        taker_fee_ppm: 0,
    }
}

/// Two instruments: prices in cents and quantities in thousandths, and whole numbers of both.
pub(crate) fn instruments() -> Instruments {
    Instruments::new(vec![instrument("BTC", 2, 3), instrument("ETH", 0, 0)]).unwrap()
}

/// A buy of 10 at 100, both whole numbers: notional 1000.
pub(crate) fn request() -> OrderRequest {
    OrderRequest::limit(ETH, Side::Bid, 100, 10).by(1)
}

/// A calm moment with room for everything.
pub(crate) fn view() -> RiskView {
    RiskView {
        trading_state: TradingState::Active,
        terms: Some(Terms::of(&instrument("ETH", 0, 0))),
        rate: Rate::ONE,
        decisions_room: 64,
        is_id_used: false,
        position: 0,
        open_bid_quantity: 0,
        open_ask_quantity: 0,
        own_opposite_price: None,
        reference_price: 100,
        best_bid: 99,
        best_ask: 101,
        is_book_live: true,
        quote_age_ns: 0,
        open_orders: 0,
        open_orders_instrument: 0,
        orders_last_second: 0,
        messages_last_second: 0,
        venue_messages_last_second: 0,
        equity: Money::from_units(1_000_000),
        equity_max: Money::from_units(1_000_000),
        gross_exposure: Money::ZERO,
        open_notional: Money::ZERO,
        net_exposure: Money::ZERO,
        open_notional_side: Money::ZERO,
        venue_exposure: Money::ZERO,
        agent_exposure: Money::ZERO,
        base_exposure: Money::ZERO,
        base_open_side: Money::ZERO,
        equity_day: Money::from_units(1_000_000),
        agent_loss: Money::ZERO,
        margin_millionths: Money::ZERO,
        correlation_ppm: 0,
        volume_24h: Money::from_units(1_000_000_000),
    }
}

/// Limits so wide that a test narrows only the one it is about.
pub(crate) fn wide() -> Limits {
    Limits {
        position_share_ppm: 1_000_000,
        order_share_ppm: 1_000_000,
        order_notional_max: Money::from_units(1_000_000_000),
        risk_per_trade_ppm: 1_000_000,
        stop_distance_ppm: 1_000_000,
        collar_ppm: 1_000_000,
        collar_passive_ppm: 1_000_000,
        orders_per_second: 1024,
        open_orders: 256,
        open_orders_per_instrument: 256,
        stale_after_ns: i64::MAX,
        correlation_ppm: 1_000_000,
        volume_24h_min: Money::ZERO,
        gross_exposure_ppm: 100_000_000,
        drawdown_ppm: 1_000_000,
        net_exposure_ppm: 100_000_000,
        venue_exposure_ppm: 100_000_000,
        agent_exposure_ppm: 100_000_000,
        concentration_ppm: 100_000_000,
        daily_loss_ppm: 1_000_000,
        agent_loss_ppm: 1_000_000,
        messages_per_second: 1024,
        venue_messages_per_second: 1024,
        margin_ppm: 0,
    }
}

pub(crate) fn hash_of(digest: impl FnOnce(&mut StateHasher)) -> u64 {
    let mut hasher = StateHasher::new();
    digest(&mut hasher);
    hasher.finish()
}
