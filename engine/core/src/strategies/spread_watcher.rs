//! The smallest useful strategy, to copy from: wherever the spread is wide it rests one order inside it, and takes
//! profit at the other side.

use serde::{Deserialize, Serialize};

use crate::prelude::*;

/// Parameters of `SpreadWatcher`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpreadWatcherConfig {
    /// Narrowest spread that is worth quoting in, in ticks.
    pub spread_ticks_min: i64,
}

impl Default for SpreadWatcherConfig {
    fn default() -> Self {
        Self {
            spread_ticks_min: 3,
        }
    }
}

/// Quotes one minimum order inside wide spreads. It looks at the hub's state only and keeps none of its own, so it has
/// nothing to digest and nothing to save.
#[derive(Debug)]
pub struct SpreadWatcher {
    config: SpreadWatcherConfig,
}

impl Strategy for SpreadWatcher {
    type Config = SpreadWatcherConfig;
    const NAME: &'static str = "spread-watcher";

    fn new(config: &SpreadWatcherConfig, _: &Instruments) -> Result<Self, StrategyError> {
        Ok(Self { config: *config })
    }

    fn on_book(&mut self, ctx: &mut Context<'_>, instrument: InstrumentId) {
        if ctx.open_orders(instrument).next().is_some() {
            return;
        }
        let Some(quote) = ctx.quote(instrument) else {
            return;
        };
        let (tick, quantity) = (
            ctx.instrument(instrument).tick,
            ctx.instrument(instrument).quantity_min,
        );
        let order = match ctx.position(instrument).quantity {
            0 if quote.spread() >= tick * self.config.spread_ticks_min => {
                OrderRequest::limit(instrument, Side::Bid, quote.bid.price + tick, quantity)
            }
            0 => return,
            held if held > 0 => OrderRequest::limit(instrument, Side::Ask, quote.ask.price, held),
            held => OrderRequest::limit(instrument, Side::Bid, quote.bid.price, -held),
        };
        // A denial is journaled with its reason; there is nothing more to do about it here.
        let _ = ctx.place(order.post_only());
    }
}
