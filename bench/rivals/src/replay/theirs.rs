//! The same work by hftbacktest: both assets, constant latency, the book over a range of ticks, five levels of both at each feed event.

use std::time::{Duration, Instant};

use acth_core::instrument::Instrument;
use hftbacktest::{
    backtest::{
        Backtest, BacktestError, DataSource, ExchangeKind, L2AssetBuilder,
        assettype::LinearAsset,
        data::Data,
        models::{CommonFees, ConstantLatency, RiskAdverseQueueModel, TradingValueFeeModel},
    },
    prelude::{Bot, ElapseResult, MarketDepth, OrdType, ROIVectorMarketDepth, Status, TimeInForce},
    types::{Event as Row, LOCAL_EVENT, TRADE_EVENT},
};

use crate::Failure;

type Engine = Backtest<ROIVectorMarketDepth>;

/// Levels of a side that the strategy looks at.
const LEVELS: usize = 5;
/// Feed events from one order to the next.
const ORDER_INTERVAL_EVENTS: u64 = 1000;
/// One way, ns.
const LATENCY_NS: i64 = 1_000_000;
/// The range of its book: this share of the first trade's price on both sides. Levels beyond it cost it nothing.
const RANGE_SHARE: f64 = 0.1;
/// Waits no longer than this for a feed event, ns.
const PATIENCE_NS: i64 = 60_000_000_000;
/// The bits of a row that say what it is.
const KIND_BITS: u64 = 0xff;

/// What a pass came to.
pub(crate) struct Pass {
    pub(crate) elapsed: Duration,
    pub(crate) feeds: u64,
    pub(crate) orders: u64,
    /// Imbalance of each book, summed over all feed events.
    pub(crate) all_sums: Vec<f64>,
    /// The same over the events of the own book alone; only of a pass that looks.
    pub(crate) own_sums: Vec<f64>,
}

/// Rows of one asset, ready to be played any number of times.
pub(crate) struct Asset {
    pub(crate) instrument: Instrument,
    pub(crate) data: Data<Row>,
    price: f64,
    /// When a message of its book arrives, rising.
    book_times: Vec<i64>,
}

impl Asset {
    pub(crate) fn new(instrument: &Instrument, rows: &[Row]) -> Self {
        let trade = rows.iter().find(|row| row.ev & KIND_BITS == TRADE_EVENT);
        let of_book = rows
            .iter()
            .filter(|row| row.ev & LOCAL_EVENT != 0 && row.ev & KIND_BITS != TRADE_EVENT);
        let mut book_times: Vec<i64> = of_book.map(|row| row.local_ts).collect();
        book_times.dedup();
        Self {
            instrument: instrument.clone(),
            data: Data::from_data(rows),
            price: trade.map_or(1.0, |row| row.px),
            book_times,
        }
    }
}

impl Asset {
    fn has_book_message(&self, ts_ns: i64) -> bool {
        self.book_times.binary_search(&ts_ns).is_ok()
    }
}

fn engine(assets: &[Asset]) -> Result<Engine, Failure> {
    let mut builder = Engine::builder();
    for asset in assets {
        let tick = asset.instrument.price_f64(asset.instrument.tick);
        let lot = asset.instrument.quantity_f64(asset.instrument.lot);
        let (low, high) = (
            asset.price * (1.0 - RANGE_SHARE),
            asset.price * (1.0 + RANGE_SHARE),
        );
        let built = L2AssetBuilder::new()
            .data(vec![DataSource::Data(asset.data.clone())])
            .latency_model(ConstantLatency::new(LATENCY_NS, LATENCY_NS))
            .asset_type(LinearAsset::new(1.0))
            .fee_model(TradingValueFeeModel::new(CommonFees::new(0.0002, 0.0005)))
            .exchange(ExchangeKind::NoPartialFillExchange)
            .queue_model(RiskAdverseQueueModel::new())
            .depth(move || ROIVectorMarketDepth::new(tick, lot, low, high))
            .build()
            .map_err(|cause| format!("hftbacktest: {cause:?}"))?;
        builder = builder.add_asset(built);
    }
    builder
        .build()
        .map_err(|cause| format!("hftbacktest: {cause:?}").into())
}

/// Plays everything once. `LOOKS`: finds out as well of which book each event is, which costs time.
pub(crate) fn pass<const LOOKS: bool>(assets: &[Asset]) -> Result<Pass, Failure> {
    let mut engine = engine(assets)?;
    let mut pass = Pass {
        elapsed: Duration::ZERO,
        feeds: 0,
        orders: 0,
        all_sums: vec![0.0; assets.len()],
        own_sums: vec![0.0; assets.len()],
    };
    let start = Instant::now();
    play::<LOOKS>(&mut engine, assets, &mut pass)
        .map_err(|cause| format!("hftbacktest: {cause:?}"))?;
    pass.elapsed = start.elapsed();
    Ok(pass)
}

fn play<const LOOKS: bool>(
    engine: &mut Engine,
    assets: &[Asset],
    pass: &mut Pass,
) -> Result<(), BacktestError> {
    let mut open = None;
    loop {
        match engine.wait_next_feed(false, PATIENCE_NS)? {
            // The last event of all comes together with the end.
            ElapseResult::EndOfData => {
                see::<LOOKS>(engine, assets, pass);
                return Ok(());
            }
            ElapseResult::MarketFeed => {}
            _ => continue,
        }
        see::<LOOKS>(engine, assets, pass);
        if let Some(id) = open {
            match engine.orders(0).get(&id) {
                Some(order) if is_working(order) => {
                    engine.cancel(0, id, false)?;
                    open = None;
                }
                Some(order) if order.status == Status::None => {}
                _ => open = None,
            }
        } else if pass.feeds.is_multiple_of(ORDER_INTERVAL_EVENTS) {
            let depth = engine.depth(0);
            let price = (depth.best_bid_tick() - LEVELS as i64) as f64 * depth.tick_size();
            let quantity = depth.lot_size();
            engine.clear_inactive_orders(None);
            pass.orders += 1;
            let id = pass.orders;
            let (post_only, limit) = (TimeInForce::GTX, OrdType::Limit);
            engine.submit_buy_order(0, id, price, quantity, post_only, limit, false)?;
            open = Some(id);
        }
    }
}

/// Reads the five best levels of every book.
fn see<const LOOKS: bool>(engine: &Engine, assets: &[Asset], pass: &mut Pass) {
    pass.feeds += 1;
    for (index, asset) in assets.iter().enumerate() {
        let value = imbalance(engine.depth(index));
        pass.all_sums[index] += value;
        if LOOKS && asset.has_book_message(engine.current_timestamp()) {
            pass.own_sums[index] += value;
        }
    }
}

fn is_working(order: &hftbacktest::types::Order) -> bool {
    order.status == Status::New && order.cancellable()
}

/// Of the five best levels: bids minus asks as a share of both.
fn imbalance(depth: &ROIVectorMarketDepth) -> f64 {
    let (low, high) = depth.roi_tick();
    let (bid_tick, ask_tick) = (depth.best_bid_tick(), depth.best_ask_tick());
    if bid_tick < low || ask_tick > high {
        return 0.0;
    }
    let (bid_place, ask_place) = ((bid_tick - low) as usize, (ask_tick - low) as usize);
    let bids = top(depth.bid_depth()[..=bid_place].iter().rev());
    let asks = top(depth.ask_depth()[ask_place..].iter());
    let both = bids + asks;
    if both > 0.0 {
        (bids - asks) / both
    } else {
        0.0
    }
}

fn top<'a>(quantities: impl Iterator<Item = &'a f64>) -> f64 {
    quantities
        .filter(|quantity| **quantity > 0.0)
        .take(LEVELS)
        .sum()
}
