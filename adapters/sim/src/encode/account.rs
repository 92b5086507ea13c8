//! What an account holds: the answers to `account` on spot and to `positionRisk` on futures.

use acth_core::instrument::Instrument;

use super::{
    Market,
    number::{push_quoted, push_u64},
};

/// Appends a spot account that holds so much of each asset: decimal places and mantissa. What is named twice is added up. All
/// of it is free.
pub fn spot_account<'a>(out: &mut String, holdings: impl Iterator<Item = (&'a str, u8, i64)>) {
    let mut assets: Vec<(&str, u8, i64)> = Vec::new();
    for (name, exponent, held) in holdings {
        match assets.iter_mut().find(|asset| asset.0 == name) {
            Some((_, places, sum)) => {
                let finest = exponent.max(*places);
                let scaled = |mantissa: i64, places: u8| {
                    mantissa.saturating_mul(10i64.pow(u32::from(finest - places)))
                };
                *sum = scaled(*sum, *places).saturating_add(scaled(held, exponent));
                *places = finest;
            }
            None => assets.push((name, exponent, held)),
        }
    }
    out.push_str("{\"makerCommission\":0,\"takerCommission\":0,\"canTrade\":true,\"accountType\":\"SPOT\",\"balances\":[");
    for (index, (asset, exponent, held)) in assets.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str("{\"asset\":\"");
        out.push_str(asset);
        out.push_str("\",\"free\":");
        push_quoted(out, held, exponent, Market::Spot.places_min());
        out.push_str(",\"locked\":\"0.00000000\"}");
    }
    out.push_str("],\"permissions\":[\"SPOT\"],\"uid\":1}");
}

/// Appends the positions of a futures account, one way mode: so much (quantity mantissa, negative = short) of each instrument.
pub fn position_risk<'a>(out: &mut String, holdings: impl Iterator<Item = (&'a Instrument, i64)>) {
    out.push('[');
    for (index, (instrument, held)) in holdings.enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str("{\"symbol\":\"");
        out.push_str(&instrument.symbol);
        out.push_str("\",\"positionAmt\":");
        push_quoted(out, held, instrument.quantity_exponent, 0);
        out.push_str(",\"leverage\":\"");
        push_u64(out, 20);
        out.push_str("\",\"marginType\":\"cross\",\"positionSide\":\"BOTH\"}");
    }
    out.push(']');
}
