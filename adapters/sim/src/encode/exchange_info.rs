//! The instrument list: `exchangeInfo`.

use acth_core::instrument::{AssetClass, Instrument};

use super::{
    Market,
    number::{push_ms, push_u64},
};

/// Smallest order by notional, in units of the quote currency.
const NOTIONAL_MIN: i64 = 5;
/// Largest price, in ticks, that a filter allows.
const PRICE_TICKS_MAX: i64 = 100_000_000;
/// Largest quantity, in lots, that a filter allows.
const QUANTITY_LOTS_MAX: i64 = 1_000_000_000;

/// Appends the list of these instruments, all of one market.
pub fn exchange_info<'a>(
    out: &mut String,
    market: Market,
    ts_ns: i64,
    instruments: impl Iterator<Item = &'a Instrument>,
) {
    out.push_str("{\"timezone\":\"UTC\",\"serverTime\":");
    push_ms(out, ts_ns);
    out.push_str(match market {
        Market::Spot => {
            ",\"rateLimits\":[{\"rateLimitType\":\"REQUEST_WEIGHT\",\"interval\":\"MINUTE\",\"intervalNum\":1,\
             \"limit\":6000}],\"exchangeFilters\":[],\"symbols\":["
        }
        Market::UsdFutures => {
            ",\"futuresType\":\"U_MARGINED\",\"rateLimits\":[{\"rateLimitType\":\"REQUEST_WEIGHT\",\
             \"interval\":\"MINUTE\",\"intervalNum\":1,\"limit\":2400}],\"exchangeFilters\":[],\"assets\":[],\
             \"symbols\":["
        }
    });
    for (index, instrument) in instruments.enumerate() {
        if index > 0 {
            out.push(',');
        }
        match market {
            Market::Spot => spot_symbol(out, instrument),
            Market::UsdFutures => futures_symbol(out, instrument),
        }
    }
    out.push_str("]}");
}

fn spot_symbol(out: &mut String, instrument: &Instrument) {
    push_field(out, "{", "symbol", &instrument.symbol);
    push_field(out, ",", "status", "TRADING");
    push_field(out, ",", "baseAsset", &instrument.base);
    out.push_str(",\"baseAssetPrecision\":8");
    push_field(out, ",", "quoteAsset", &instrument.quote);
    out.push_str(
        ",\"quotePrecision\":8,\"quoteAssetPrecision\":8,\"baseCommissionPrecision\":8,\
         \"quoteCommissionPrecision\":8,\"orderTypes\":[\"LIMIT\",\"LIMIT_MAKER\",\"MARKET\"],\
         \"icebergAllowed\":false,\"ocoAllowed\":false,\"isSpotTradingAllowed\":true,\
         \"isMarginTradingAllowed\":false,\"filters\":[",
    );
    price_and_lot_filters(out, Market::Spot, instrument);
    out.push_str(",{\"filterType\":\"NOTIONAL\",\"minNotional\":");
    super::number::push_quoted(out, NOTIONAL_MIN, 0, super::SPOT_PLACES);
    out.push_str(
        ",\"applyMinToMarket\":true,\"maxNotional\":\"9000000.00000000\",\"applyMaxToMarket\":false,\
         \"avgPriceMins\":5},{\"filterType\":\"MAX_NUM_ORDERS\",\"maxNumOrders\":200}],\
         \"permissions\":[],\"permissionSets\":[[\"SPOT\"]]}",
    );
}

fn futures_symbol(out: &mut String, instrument: &Instrument) {
    push_field(out, "{", "symbol", &instrument.symbol);
    push_field(out, ",", "pair", &instrument.symbol);
    out.push_str(
        ",\"contractType\":\"PERPETUAL\",\"deliveryDate\":4133404800000,\"onboardDate\":1569398400000,\
         \"status\":\"TRADING\"",
    );
    push_field(out, ",", "baseAsset", &instrument.base);
    push_field(out, ",", "quoteAsset", &instrument.quote);
    push_field(out, ",", "marginAsset", &instrument.quote);
    out.push_str(",\"pricePrecision\":");
    push_u64(out, u64::from(instrument.price_exponent));
    out.push_str(",\"quantityPrecision\":");
    push_u64(out, u64::from(instrument.quantity_exponent));
    let underlying = match instrument.asset_class {
        AssetClass::Crypto => "COIN",
        AssetClass::Fx | AssetClass::Equity | AssetClass::Commodity | AssetClass::Rates => "INDEX",
    };
    out.push_str(",\"baseAssetPrecision\":8,\"quotePrecision\":8");
    push_field(out, ",", "underlyingType", underlying);
    out.push_str(",\"filters\":[");
    price_and_lot_filters(out, Market::UsdFutures, instrument);
    out.push_str(",{\"limit\":200,\"filterType\":\"MAX_NUM_ORDERS\"},{\"notional\":");
    super::number::push_quoted(out, NOTIONAL_MIN, 0, 0);
    out.push_str(
        ",\"filterType\":\"MIN_NOTIONAL\"}],\"orderTypes\":[\"LIMIT\",\"MARKET\"],\
         \"timeInForce\":[\"GTC\",\"IOC\",\"FOK\",\"GTX\"]}",
    );
}

fn price_and_lot_filters(out: &mut String, market: Market, instrument: &Instrument) {
    let (tick, lot) = (instrument.tick, instrument.lot);
    let prices = [
        ("minPrice", tick),
        ("maxPrice", tick.saturating_mul(PRICE_TICKS_MAX)),
        ("tickSize", tick),
    ];
    out.push_str("{\"filterType\":\"PRICE_FILTER\"");
    for (key, price) in prices {
        push_key(out, key);
        market.push_price(out, instrument, price);
    }
    let quantities = [
        ("minQty", instrument.quantity_min),
        ("maxQty", lot.saturating_mul(QUANTITY_LOTS_MAX)),
        ("stepSize", lot),
    ];
    out.push_str("},{\"filterType\":\"LOT_SIZE\"");
    for (key, quantity) in quantities {
        push_key(out, key);
        market.push_quantity(out, instrument, quantity);
    }
    out.push('}');
}

fn push_key(out: &mut String, key: &str) {
    out.push_str(",\"");
    out.push_str(key);
    out.push_str("\":");
}

/// A text field; names of instruments are plain letters and digits, which need no escapes.
fn push_field(out: &mut String, before: &str, key: &str, value: &str) {
    out.push_str(before);
    out.push('"');
    out.push_str(key);
    out.push_str("\":\"");
    out.push_str(value);
    out.push('"');
}
