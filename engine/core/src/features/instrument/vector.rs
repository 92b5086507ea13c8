//! One instrument's features as a vector.

use super::{FEATURE_MAX, InstrumentFeatures, PPM, RETURN_TICKS, microprice, mid};
use crate::features::{FEATURE_COUNT, Feature, is_weekend, time_of_day};

impl InstrumentFeatures {
    /// Writes the features of this instrument alone; `Carry` and `MarketReturn1s`, which need others, stay 0. Each is
    /// finite and at most `FEATURE_MAX`. What a quote tells is 0 while there is none to trust.
    pub fn vector(&self, now_ns: i64, out: &mut [f32; FEATURE_COUNT]) {
        *out = [0.0; FEATURE_COUNT];
        let mut set = |feature: Feature, value: f64| out[feature as usize] = bounded(value);
        if self.is_live {
            let mid = mid(&self.quote);
            let spread = self.quote.spread() as f64;
            set(
                Feature::MicropriceOffset,
                (microprice(&self.quote) - mid) / mid * PPM,
            );
            set(Feature::Spread, spread / mid * PPM);
            let (bid, ask) = (self.quote.bid.quantity, self.quote.ask.quantity);
            set(Feature::ImbalanceTop, imbalance(bid, ask));
            set(
                Feature::ImbalanceFive,
                imbalance(self.depth.bid, self.depth.ask),
            );
            set(
                Feature::Return100ms,
                self.return_over(RETURN_TICKS[0]) * PPM,
            );
            set(Feature::Return1s, self.return_over(RETURN_TICKS[1]) * PPM);
            set(Feature::Return10s, self.return_over(RETURN_TICKS[2]) * PPM);
        }
        let flows = self.flows_at(now_ns);
        let (order_flow, trade_sign) = (flows.order_flow(), flows.trade_sign());
        let trade_rate = flows.trade_rate();
        set(Feature::OrderFlow1s, order_flow[0]);
        set(Feature::OrderFlow10s, order_flow[1]);
        set(Feature::TradeSign1s, trade_sign[0]);
        set(Feature::TradeSign10s, trade_sign[1]);
        set(Feature::TradeRate1s, trade_rate[0]);
        set(Feature::TradeRate10s, trade_rate[1]);
        set(Feature::QuoteRate1s, flows.quote_rate());
        set(Feature::VolatilityTime, self.by_time.root() * PPM);
        set(Feature::VolatilityEvent, self.by_event.root() * PPM);
        set(Feature::VolatilityVolume, self.by_volume.root() * PPM);
        let [sine, cosine] = time_of_day(now_ns);
        set(Feature::SessionSine, sine);
        set(Feature::SessionCosine, cosine);
        set(Feature::Weekend, f64::from(u8::from(is_weekend(now_ns))));
        set(Feature::Funding, self.outside.funding_ppm);
        set(Feature::LeaderMove, self.outside.leader_move_ppm);
        set(Feature::PairZ, self.outside.pair_z);
        set(Feature::RegimeBusy, self.outside.regime_busy);
    }
}

/// (bid - ask) / both; 0 where nothing stands.
fn imbalance(bid: i64, ask: i64) -> f64 {
    let (bid, ask) = (bid as f64, ask as f64);
    let total = bid + ask;
    if total > 0.0 {
        (bid - ask) / total
    } else {
        0.0
    }
}

/// A feature as it is stored: within `FEATURE_MAX`.
pub(in crate::features) fn bounded(value: f64) -> f32 {
    value.clamp(-FEATURE_MAX, FEATURE_MAX) as f32
}
