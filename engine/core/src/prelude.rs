//! What a strategy needs, in one line: `use acth_core::prelude::*;`.

pub use crate::{
    decision::{ClientOrderId, OrderType, TimeInForce},
    event::{Bbo, BookState, Level, MarkFunding, ReportReason, Side, Trade},
    hash::StateHasher,
    instrument::{AssetClass, Contract, Instrument, InstrumentId, Instruments},
    market::{Market, Quote},
    money::Money,
    orders::{Order, OrderState},
    portfolio::Position,
    predict::{Inference, Model, ModelSlots},
    risk::{Denial, OrderRequest, TradingState},
    snapshot::{Decoder, Encoder, SnapshotError},
    strategy::{Context, Fill, Funding, NoConfig, OrderUpdate, Strategy, StrategyError},
};
