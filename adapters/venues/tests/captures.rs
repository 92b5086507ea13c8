//! The recordings of 2024-08-08 through `CaptureSource`: no gap, never crossed, and the top of the book equal to
//! every best bid and offer with the same update id.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]

mod support;

use std::collections::VecDeque;

use acth_core::{
    event::{Bbo, BookState, Event, EventView, flags},
    port::{EventSink, EventSource, Progress, Stopped},
};
use acth_venues::{
    binance::catalogue,
    capture::{CaptureSource, CaptureSpec, Pace},
};
use support::{NaiveBook, data_file};

/// Tickers and tops of book that wait for their counterpart of the same update id.
const WAITING_MAX: usize = 64;

const FILES: [(&str, u64, u64); 4] = [
    ("crypto/binance/spot/btcusdt_20240808.gz", 41_249, 564),
    ("crypto/binance/spot/ethusdt_20240808.gz", 33_618, 577),
    ("crypto/binance/usdm/btcusdt_20240808.gz", 93_954, 629),
    ("crypto/binance/usdm/ethusdt_20240808.gz", 74_655, 551),
];

/// One instrument's book, checked as it goes.
#[derive(Default)]
struct Checked {
    book: NaiveBook,
    tickers: VecDeque<Bbo>,
    tops: VecDeque<Bbo>,
    compared: u64,
    unequal: u64,
    crossed: u64,
    became_live: u64,
    became_stale: u64,
    trades: u64,
}

fn keep(list: &mut VecDeque<Bbo>, bbo: Bbo) {
    if list.len() == WAITING_MAX {
        list.pop_front();
    }
    list.push_back(bbo);
}

impl Checked {
    fn compare(&mut self, ours: &Bbo, theirs: &Bbo) {
        self.compared += 1;
        self.unequal += u64::from(ours != theirs);
    }

    fn on_whole_book(&mut self) {
        self.crossed += u64::from(self.book.is_crossed());
        let top = Bbo {
            bid: self.book.best_bid().unwrap(),
            ask: self.book.best_ask().unwrap(),
            update_id: self.book.update_id,
        };
        let same = |ticker: &&Bbo| ticker.update_id == top.update_id;
        if let Some(ticker) = self.tickers.iter().find(same).copied() {
            self.compare(&top, &ticker);
        } else {
            keep(&mut self.tops, top);
        }
    }

    fn on_event(&mut self, event: &Event) {
        self.book.apply(event);
        match event.view() {
            EventView::BookDelta(_) if event.has(flags::LAST) && !event.has(flags::SNAPSHOT) => {
                self.on_whole_book();
            }
            EventView::Bbo(ticker) => {
                let same = |top: &&Bbo| top.update_id == ticker.update_id;
                if let Some(top) = self.tops.iter().rev().find(same).copied() {
                    self.compare(&top, ticker);
                } else {
                    keep(&mut self.tickers, *ticker);
                }
            }
            EventView::Trade(_) => self.trades += 1,
            EventView::BookStateChanged(_) => {
                self.became_live += u64::from(event.detail == BookState::Live as u8);
                self.became_stale += u64::from(event.detail == BookState::Stale as u8);
            }
            _ => {}
        }
    }
}

#[derive(Default)]
struct Checker {
    rows: Vec<Checked>,
    events: u64,
    ts_final_ns: i64,
}

impl EventSink for Checker {
    fn emit_with(&mut self, fill: impl FnOnce(&mut Event)) -> Result<(), Stopped> {
        let mut event = Event::EMPTY;
        fill(&mut event);
        event.check().unwrap();
        assert!(
            event.ts_ingress_ns >= self.ts_final_ns,
            "merged in order of time"
        );
        self.ts_final_ns = event.ts_ingress_ns;
        assert_eq!(event.source, 7 + event.instrument);
        self.events += 1;
        self.rows[event.instrument_id().index()].on_event(&event);
        Ok(())
    }

    fn now_ns(&self) -> i64 {
        0
    }
}

#[test]
fn four_recordings_at_once_give_exact_books() {
    let paths: Option<Vec<_>> = FILES.iter().map(|(name, ..)| data_file(name)).collect();
    let Some(paths) = paths else { return };
    let specs: Vec<CaptureSpec> = paths
        .iter()
        .map(|path| CaptureSpec::parse(path.to_str().unwrap()))
        .collect();
    let known = catalogue::for_captures(&specs, &[]).unwrap();
    assert!(known.notes.is_empty(), "{:?}", known.notes);

    let mut source = CaptureSource::open(&specs, &known.instruments, Pace::FlatOut, 7).unwrap();
    let mut sink = Checker::default();
    sink.rows.resize_with(FILES.len(), Checked::default);
    while source.poll(&mut sink).unwrap() != Progress::Ended {}

    let stats = source.stats();
    assert_eq!(stats.lines, 243_476);
    assert_eq!(stats.feeds.frames, 243_476);
    assert_eq!(
        (
            stats.feeds.fallbacks,
            stats.feeds.unknown,
            stats.feeds.errors
        ),
        (0, 0, 0)
    );
    assert_eq!(
        (
            stats.feeds.gaps,
            stats.feeds.resyncs,
            stats.feeds.books_stale
        ),
        (0, 0, 0)
    );
    assert_eq!((stats.feeds.syncs, stats.feeds.books_live), (4, 4));
    for (row, (name, lines, compared)) in sink.rows.iter().zip(FILES) {
        eprintln!(
            "{name}: {lines} lines, {} compared, {} trades",
            row.compared, row.trades
        );
        assert_eq!((row.crossed, row.unequal), (0, 0), "{name}");
        assert_eq!((row.became_live, row.became_stale), (1, 0), "{name}");
        assert_eq!(row.compared, compared, "{name}");
        assert!(row.trades > 6_000, "{name}");
    }
    let feed_lines: Vec<u64> = source.feed_stats().map(|stats| stats.frames).collect();
    assert_eq!(feed_lines, FILES.map(|(_, lines, _)| lines));
    let progress = source.progress();
    assert_eq!(progress.lines(), 243_476);
    assert_eq!(progress.bytes_read(), progress.bytes_total());
}
