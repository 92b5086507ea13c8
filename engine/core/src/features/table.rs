//! The table of features: one row for each number that a model sees of an instrument.
//!
//! The same table names the columns of the training data, and its hash stands in every model: a model trained on other
//! columns, other units or other windows is refused, not misread.

/// One feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeatureRow {
    /// Its name: the column of the training data.
    pub name: &'static str,
    /// What it is measured in.
    pub unit: &'static str,
    /// The time or number of observations that it looks back on; for fading values the half-life.
    pub window: &'static str,
    /// What it is made from.
    pub source: &'static str,
}

/// How many features there are.
pub const FEATURE_COUNT: usize = 26;

/// Place of each feature in a vector; the order of `FEATURES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
#[allow(
    missing_docs,
    reason = "each is explained by its row of the table below"
)]
pub enum Feature {
    MicropriceOffset,
    Spread,
    ImbalanceTop,
    ImbalanceFive,
    OrderFlow1s,
    OrderFlow10s,
    TradeSign1s,
    TradeSign10s,
    TradeRate1s,
    TradeRate10s,
    QuoteRate1s,
    Return100ms,
    Return1s,
    Return10s,
    VolatilityTime,
    VolatilityEvent,
    VolatilityVolume,
    Carry,
    Funding,
    SessionSine,
    SessionCosine,
    Weekend,
    LeaderMove,
    PairZ,
    RegimeBusy,
    MarketReturn1s,
}

const _: () = assert!(Feature::MarketReturn1s as usize + 1 == FEATURE_COUNT);

const fn row(
    name: &'static str,
    unit: &'static str,
    window: &'static str,
    source: &'static str,
) -> FeatureRow {
    FeatureRow {
        name,
        unit,
        window,
        source,
    }
}

/// All features, in the order of a vector.
pub const FEATURES: [FeatureRow; FEATURE_COUNT] = [
    row(
        "microprice_offset",
        "ppm of mid",
        "now",
        "quote: microprice minus mid",
    ),
    row("spread", "ppm of mid", "now", "quote: ask minus bid"),
    row(
        "imbalance_top",
        "-1 to 1",
        "now",
        "quote: (bid size - ask size) / both",
    ),
    row(
        "imbalance_five",
        "-1 to 1",
        "now",
        "book: the same over five levels a side",
    ),
    row(
        "order_flow_1s",
        "mean top depths",
        "1 s",
        "quotes: order-flow imbalance of the top",
    ),
    row(
        "order_flow_10s",
        "mean top depths",
        "10 s",
        "quotes: order-flow imbalance of the top",
    ),
    row(
        "trade_sign_1s",
        "-1 to 1",
        "1 s",
        "trades: bought minus sold / both",
    ),
    row(
        "trade_sign_10s",
        "-1 to 1",
        "10 s",
        "trades: bought minus sold / both",
    ),
    row("trade_rate_1s", "per second", "1 s", "trades: how many"),
    row("trade_rate_10s", "per second", "10 s", "trades: how many"),
    row(
        "quote_rate_1s",
        "per second",
        "1 s",
        "quotes: changes of the top",
    ),
    row("return_100ms", "ppm", "1 timer tick", "log microprice"),
    row("return_1s", "ppm", "10 timer ticks", "log microprice"),
    row("return_10s", "ppm", "100 timer ticks", "log microprice"),
    row(
        "volatility_time",
        "ppm per root second",
        "30 s",
        "log microprice at the timer",
    ),
    row(
        "volatility_event",
        "ppm per quote",
        "200 quotes",
        "log microprice at changes of the top",
    ),
    row(
        "volatility_volume",
        "ppm per bucket",
        "50 buckets",
        "log microprice as volume trades",
    ),
    row(
        "carry",
        "ppm",
        "now",
        "log of perpetual or future minus log of spot",
    ),
    row(
        "funding",
        "ppm per interval",
        "last known",
        "venue: funding rate",
    ),
    row(
        "session_sine",
        "-1 to 1",
        "day",
        "clock: sine of the time of the UTC day",
    ),
    row(
        "session_cosine",
        "-1 to 1",
        "day",
        "clock: cosine of the time of the UTC day",
    ),
    row(
        "weekend",
        "0 or 1",
        "week",
        "clock: Saturday or Sunday in UTC",
    ),
    row(
        "leader_move",
        "ppm",
        "lag of the pair",
        "structure: leader's move not yet followed",
    ),
    row(
        "pair_z",
        "deviations",
        "of the pair",
        "structure: distance of a pair from its mean",
    ),
    row(
        "regime_busy",
        "0 to 1",
        "of the filter",
        "structure: probability of the busy regime",
    ),
    row(
        "market_return_1s",
        "ppm",
        "10 timer ticks",
        "all instruments: mean return in deviations",
    ),
];

/// Where the feature of this name stands.
pub fn index_of(name: &str) -> Option<usize> {
    FEATURES.iter().position(|row| row.name == name)
}

/// A hash over every text of the table and their order (FNV-1a, 64 bits). It changes when the meaning of any column does.
pub const fn feature_table_hash() -> u64 {
    let mut hash = FNV_OFFSET;
    let mut index = 0;
    while index < FEATURE_COUNT {
        let row = FEATURES[index];
        hash = fold(hash, row.name);
        hash = fold(hash, row.unit);
        hash = fold(hash, row.window);
        hash = fold(hash, row.source);
        index += 1;
    }
    hash
}

/// Offset basis of the 64-bit FNV-1a.
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
/// Prime of the 64-bit FNV-1a.
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// Folds in a text and a zero byte, so that no letter can move from one text into the next unnoticed.
const fn fold(hash: u64, text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut hash = hash;
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u64).wrapping_mul(FNV_PRIME);
        index += 1;
    }
    hash.wrapping_mul(FNV_PRIME)
}
