//! What the core knows of one instrument's market: its book, its ticker, its volume, and whether any of it is fit
//! to trade on.
//!
//! The ticker (`Bbo`) runs ahead of the book's changes and counts in the same sequence of update ids. The quote is
//! whichever of the two is newer. Where both have the same id they must agree: every such pair is compared and
//! counted.
//!
//! Invariant: `quote` is `None` unless the book is live.

use alloc::boxed::Box;

use crate::{
    book::Book,
    event::{Bbo, BookDelta, BookState, Event, Level, Side, Trade, flags},
    hash::StateHasher,
    instrument::Instrument,
    money::Money,
    snapshot::{Decoder, Encoder, SnapshotError, Tag},
};

/// Tickers remembered for comparison with the book of the same update id. On the recordings of 2024-08-08 every
/// match lies within the last 32.
const TICKERS_KEPT: usize = 64;
const SECTION: Tag = Tag(*b"MRKT");

/// The best prices of the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The best bid.
    pub bid: Level,
    /// The best ask.
    pub ask: Level,
}

impl Quote {
    /// The best level of one side.
    pub const fn level(&self, side: Side) -> Level {
        match side {
            Side::Bid => self.bid,
            Side::Ask => self.ask,
        }
    }

    /// Twice the mid price, mantissa: exact where the mid itself would be a half.
    pub const fn mid_doubled(&self) -> i64 {
        self.bid.price + self.ask.price
    }

    /// The mid price rounded down, mantissa.
    pub const fn mid(&self) -> i64 {
        self.mid_doubled().div_euclid(2)
    }

    /// Ask minus bid, mantissa.
    pub const fn spread(&self) -> i64 {
        self.ask.price - self.bid.price
    }

    /// Mid weighted by the opposite sizes, mantissa units as a float: (bid x ask size + ask x bid size) / both sizes.
    pub fn microprice(&self) -> f64 {
        let (bid_size, ask_size) = (self.bid.quantity as f64, self.ask.quantity as f64);
        let total = bid_size + ask_size;
        if total <= 0.0 {
            return self.mid_doubled() as f64 / 2.0;
        }
        (self.bid.price as f64 * ask_size + self.ask.price as f64 * bid_size) / total
    }
}

/// How often ticker and book of the same update id were compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BookChecks {
    /// Comparisons made.
    pub compared: u64,
    /// Comparisons in which all four numbers agreed.
    pub equal: u64,
}

/// One instrument's market.
#[derive(Debug)]
pub struct Market {
    book: Book,
    state: BookState,
    book_update_id: u64,
    bbo: Bbo,
    tickers: Box<[Bbo; TICKERS_KEPT]>,
    tickers_seen: u64,
    ts_quote_ns: i64,
    last_trade: Option<Trade>,
    volume: VolumeWindow,
    checks: BookChecks,
    crossed_count: u64,
}

const NO_BBO: Bbo = Bbo {
    bid: Level {
        price: 0,
        quantity: 0,
    },
    ask: Level {
        price: 0,
        quantity: 0,
    },
    update_id: 0,
};

impl Market {
    /// An empty market: syncing, without prices.
    pub fn new(instrument: &Instrument) -> Self {
        Self {
            book: Book::new(instrument.tick),
            state: BookState::Syncing,
            book_update_id: 0,
            bbo: NO_BBO,
            tickers: Box::new([NO_BBO; TICKERS_KEPT]),
            tickers_seen: 0,
            ts_quote_ns: 0,
            last_trade: None,
            volume: VolumeWindow::default(),
            checks: BookChecks::default(),
            crossed_count: 0,
        }
    }

    /// The book itself, whatever its state.
    pub const fn book(&self) -> &Book {
        &self.book
    }

    /// How far the book can be trusted.
    pub const fn state(&self) -> BookState {
        self.state
    }

    /// When the quote last changed, core time.
    pub const fn ts_quote_ns(&self) -> i64 {
        self.ts_quote_ns
    }

    /// The last trade printed.
    pub const fn last_trade(&self) -> Option<&Trade> {
        self.last_trade.as_ref()
    }

    /// Comparisons of ticker and book so far.
    pub const fn checks(&self) -> BookChecks {
        self.checks
    }

    /// How often a venue message left the book crossed.
    pub const fn crossed_count(&self) -> u64 {
        self.crossed_count
    }

    /// Best bid and offer, from the newer of ticker and book; `None` unless the book is live and has both sides.
    pub fn quote(&self) -> Option<Quote> {
        if self.state != BookState::Live {
            return None;
        }
        let quote = if self.bbo.update_id > self.book_update_id {
            Quote {
                bid: self.bbo.bid,
                ask: self.bbo.ask,
            }
        } else {
            Quote {
                bid: self.book.best(Side::Bid)?,
                ask: self.book.best(Side::Ask)?,
            }
        };
        (quote.bid.price > 0 && quote.bid.price < quote.ask.price).then_some(quote)
    }

    /// Quote volume of 24 hours, scaled up from what was seen while that is less; `None` before ten seconds.
    pub fn volume_24h(&self, now_ns: i64) -> Option<Money> {
        self.volume.daily(now_ns)
    }

    /// Applies one or two levels. Returns true when a venue message is complete and the quote may have changed.
    #[inline]
    pub(crate) fn apply_delta(&mut self, event: &Event, delta: &BookDelta, now_ns: i64) -> bool {
        if event.has(flags::CLEAR) {
            self.book.clear();
        }
        for (index, level) in delta.levels.iter().take(event.level_count()).enumerate() {
            self.book.set(event.level_side(index), *level);
        }
        if !event.has(flags::LAST) {
            return false;
        }
        self.complete(delta.update_id, now_ns);
        true
    }

    /// The last event of a venue message was applied.
    fn complete(&mut self, update_id: u64, now_ns: i64) {
        self.book_update_id = update_id;
        self.ts_quote_ns = now_ns;
        if self.book.is_crossed() {
            self.crossed_count += 1;
            self.state = BookState::Stale;
        }
        self.check_against_earlier_ticker();
    }

    pub(crate) fn apply_bbo(&mut self, bbo: &Bbo, now_ns: i64) {
        self.bbo = *bbo;
        self.ts_quote_ns = now_ns;
        self.tickers[ticker_place(self.tickers_seen)] = *bbo;
        self.tickers_seen += 1;
        if bbo.update_id == self.book_update_id {
            self.compare(bbo);
        }
    }

    pub(crate) fn apply_trade(&mut self, instrument: &Instrument, trade: &Trade, now_ns: i64) {
        self.last_trade = Some(*trade);
        self.volume
            .add(instrument.notional(trade.price, trade.quantity), now_ns);
    }

    pub(crate) fn set_state(&mut self, state: BookState) {
        self.state = state;
    }

    /// Tickers come in rising order of their ids, so the search goes back only to the first smaller one.
    fn check_against_earlier_ticker(&mut self) {
        for back in 1..=self.tickers_kept() {
            let bbo = self.tickers[ticker_place(self.tickers_seen - back)];
            if bbo.update_id == self.book_update_id {
                self.compare(&bbo);
                return;
            }
            if bbo.update_id < self.book_update_id {
                return;
            }
        }
    }

    fn compare(&mut self, bbo: &Bbo) {
        if self.state != BookState::Live || bbo.update_id == 0 {
            return;
        }
        self.checks.compared += 1;
        let top = (self.book.best(Side::Bid), self.book.best(Side::Ask));
        if top == (Some(bbo.bid), Some(bbo.ask)) {
            self.checks.equal += 1;
        }
    }

    /// Writes everything, tickers from the oldest to the newest, and the book.
    pub(crate) fn save(&self, out: &mut Encoder) {
        out.section(SECTION);
        out.u8(self.state as u8);
        out.u64(self.book_update_id);
        save_bbo(&self.bbo, out);
        out.i64(self.ts_quote_ns);
        out.u64(self.tickers_seen);
        for number in self.tickers_seen - self.tickers_kept()..self.tickers_seen {
            save_bbo(&self.tickers[ticker_place(number)], out);
        }
        out.bool(self.last_trade.is_some());
        if let Some(trade) = &self.last_trade {
            out.i64(trade.price);
            out.i64(trade.quantity);
            out.u64(trade.trade_id);
            out.u64(trade.trade_id_final);
        }
        out.u64(self.checks.compared);
        out.u64(self.checks.equal);
        out.u64(self.crossed_count);
        self.volume.save(out);
        self.book.save(out);
    }

    /// Reads into an empty market of the same instrument.
    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        from.section(SECTION)?;
        self.state = from.code(BookState::from_code, "a book state")?;
        self.book_update_id = from.u64()?;
        self.bbo = load_bbo(from)?;
        self.ts_quote_ns = from.time_ns()?;
        self.tickers_seen = from.count()?;
        for number in self.tickers_seen - self.tickers_kept()..self.tickers_seen {
            self.tickers[ticker_place(number)] = load_bbo(from)?;
        }
        self.last_trade = if from.bool()? {
            Some(Trade {
                price: from.i64()?,
                quantity: from.i64()?,
                trade_id: from.u64()?,
                trade_id_final: from.u64()?,
                reserved: 0,
            })
        } else {
            None
        };
        self.checks = BookChecks {
            compared: from.count()?,
            equal: from.count()?,
        };
        self.crossed_count = from.count()?;
        self.volume.load(from)?;
        self.book.load(from)
    }

    /// How many tickers are remembered.
    fn tickers_kept(&self) -> u64 {
        self.tickers_seen.min(TICKERS_KEPT as u64)
    }

    /// Folds in what decides the next quote, without the book's depth.
    pub(crate) fn digest_top(&self, hash: &mut StateHasher) {
        hash.word(self.state as u64);
        hash.word(self.book_update_id);
        for level in [self.bbo.bid, self.bbo.ask] {
            hash.signed(level.price);
            hash.signed(level.quantity);
        }
        hash.word(self.bbo.update_id);
        hash.signed(self.ts_quote_ns);
        hash.word(self.checks.compared);
        hash.word(self.checks.equal);
        hash.word(self.crossed_count);
        self.volume.digest(hash);
    }

    /// Folds in everything, the whole book included.
    pub(crate) fn digest(&self, hash: &mut StateHasher) {
        self.digest_top(hash);
        self.book.digest(hash);
    }
}

/// Where the ticker with this number stands among those kept.
const fn ticker_place(number: u64) -> usize {
    number as usize % TICKERS_KEPT
}

fn save_bbo(bbo: &Bbo, out: &mut Encoder) {
    for level in [bbo.bid, bbo.ask] {
        out.i64(level.price);
        out.i64(level.quantity);
    }
    out.u64(bbo.update_id);
}

fn load_bbo(from: &mut Decoder<'_>) -> Result<Bbo, SnapshotError> {
    let mut level = || -> Result<Level, SnapshotError> {
        Ok(Level {
            price: from.i64()?,
            quantity: from.i64()?,
        })
    };
    Ok(Bbo {
        bid: level()?,
        ask: level()?,
        update_id: from.u64()?,
    })
}

/// Width of one bucket of the volume window.
const VOLUME_BUCKET_NS: i64 = 3_600_000_000_000;
/// Buckets kept: a whole day.
const VOLUME_BUCKETS: usize = 24;
/// Shortest observation from which a day is extrapolated.
const VOLUME_SPAN_NS_MIN: i64 = 10_000_000_000;

/// Quote volume of the last 24 hours in hourly buckets.
#[derive(Clone, Debug, Default)]
struct VolumeWindow {
    buckets: [Money; VOLUME_BUCKETS],
    ts_first_ns: i64,
    bucket_newest: i64,
}

impl VolumeWindow {
    fn add(&mut self, amount: Money, now_ns: i64) {
        if self.ts_first_ns == 0 {
            self.ts_first_ns = now_ns;
            self.bucket_newest = now_ns / VOLUME_BUCKET_NS;
        }
        self.advance(now_ns / VOLUME_BUCKET_NS);
        self.buckets[self.bucket_newest.rem_euclid(VOLUME_BUCKETS as i64) as usize] += amount;
    }

    /// Empties the buckets that time has passed over.
    fn advance(&mut self, bucket: i64) {
        let passed = (bucket - self.bucket_newest).clamp(0, VOLUME_BUCKETS as i64);
        for step in 1..=passed {
            let index = (self.bucket_newest + step).rem_euclid(VOLUME_BUCKETS as i64);
            self.buckets[index as usize] = Money::ZERO;
        }
        self.bucket_newest = self.bucket_newest.max(bucket);
    }

    fn daily(&self, now_ns: i64) -> Option<Money> {
        let day_ns = VOLUME_BUCKET_NS * VOLUME_BUCKETS as i64;
        let span_ns = (now_ns - self.ts_first_ns).min(day_ns);
        if self.ts_first_ns == 0 || span_ns < VOLUME_SPAN_NS_MIN {
            return None;
        }
        // A bucket older than a day still counts until its slot is used again: at most an hour too many.
        let total: Money = self.buckets.iter().copied().sum();
        Some(Money(total.0 / i128::from(span_ns) * i128::from(day_ns)))
    }

    fn save(&self, out: &mut Encoder) {
        out.i64(self.ts_first_ns);
        out.i64(self.bucket_newest);
        for bucket in &self.buckets {
            out.i128(bucket.0);
        }
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.ts_first_ns = from.time_ns()?;
        self.bucket_newest = from.i64()?;
        let is_hour = (0..=i64::MAX / VOLUME_BUCKET_NS).contains(&self.bucket_newest);
        from.expect(is_hour, "the number of an hour")?;
        for bucket in &mut self.buckets {
            *bucket = Money(from.i128()?);
        }
        Ok(())
    }

    fn digest(&self, hash: &mut StateHasher) {
        hash.signed(self.ts_first_ns);
        hash.signed(self.bucket_newest);
        for bucket in &self.buckets {
            hash.wide(bucket.0);
        }
    }
}
