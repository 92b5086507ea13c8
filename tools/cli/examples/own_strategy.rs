//! A command of one's own around one's own strategy: it has every verb of `acth`, and its runs replay like any other.
//!
//! `cargo run -p acth --example own_strategy -- backtest --duration 10s`

use acth::core::prelude::*;

/// Buys the smallest quantity at the ask when somebody else did, and sells it at the next chance.
struct FollowTheTrade;

impl Strategy for FollowTheTrade {
    type Config = NoConfig;
    const NAME: &'static str = "follow-the-trade";

    fn new(_: &NoConfig, _: &Instruments) -> Result<Self, StrategyError> {
        Ok(Self)
    }

    fn on_trade(&mut self, ctx: &mut Context<'_>, id: InstrumentId, aggressor: Side, _: &Trade) {
        let (Some(quote), held) = (ctx.quote(id), ctx.position(id).quantity) else {
            return;
        };
        let order = match aggressor {
            Side::Bid if held == 0 => (quote.ask.price, ctx.instrument(id).quantity_min),
            Side::Ask if held > 0 => (quote.bid.price, held),
            _ => return,
        };
        // A denial is journaled with its reason; there is nothing more to do about it here.
        let _ = ctx.place(OrderRequest::limit(id, aggressor, order.0, order.1));
    }
}

fn main() -> std::process::ExitCode {
    acth::main_with(&[acth::strategy::<FollowTheTrade>()])
}
