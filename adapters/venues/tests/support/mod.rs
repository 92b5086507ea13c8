//! What the tests share: a naive book, a sink that collects, and the way to the recorded data.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use acth_core::{
    event::{BookState, Event, EventView, Level, Side, flags},
    port::{EventSink, Stopped},
};

/// The folder of recorded data, if it is there.
pub(crate) fn data_file(name: &str) -> Option<PathBuf> {
    let folder = match std::env::var_os("ACTH_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    let path = folder.join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not there (set ACTH_DATA)", path.display());
    None
}

/// The wall clock.
pub(crate) fn wall_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_nanos()).unwrap()
}

/// Collects events; its clock is the wall clock, or what the test sets.
#[derive(Default)]
pub(crate) struct Collector {
    pub(crate) events: Vec<Event>,
    pub(crate) now_ns: Option<i64>,
    /// What it gives for stamps; none, as in event time, unless the test sets it.
    pub(crate) stamp_ns: Option<i64>,
    /// Refuses events from this count on.
    pub(crate) stops_at: Option<usize>,
}

impl EventSink for Collector {
    fn emit_with(&mut self, fill: impl FnOnce(&mut Event)) -> Result<(), Stopped> {
        if self.stops_at == Some(self.events.len()) {
            return Err(Stopped);
        }
        let mut event = Event::EMPTY;
        fill(&mut event);
        event.check().unwrap();
        self.events.push(event);
        Ok(())
    }

    fn now_ns(&self) -> i64 {
        self.now_ns.unwrap_or_else(wall_ns)
    }

    fn stamp_ns(&self) -> Option<i64> {
        self.stamp_ns
    }
}

/// A book as plain as can be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NaiveBook {
    pub(crate) bids: BTreeMap<i64, i64>,
    pub(crate) asks: BTreeMap<i64, i64>,
    pub(crate) update_id: u64,
    pub(crate) state: Option<BookState>,
    /// False between the first and the last event of one message.
    pub(crate) is_whole: bool,
}

impl NaiveBook {
    pub(crate) fn set(&mut self, side: Side, level: Level) {
        let levels = match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        };
        if level.quantity == 0 {
            levels.remove(&level.price);
        } else {
            levels.insert(level.price, level.quantity);
        }
    }

    pub(crate) fn apply(&mut self, event: &Event) {
        match event.view() {
            EventView::BookDelta(delta) => {
                if event.has(flags::CLEAR) {
                    assert!(event.has(flags::SNAPSHOT));
                    self.bids.clear();
                    self.asks.clear();
                }
                for index in 0..event.level_count() {
                    self.set(event.level_side(index), delta.levels[index]);
                }
                assert!(self.is_whole || self.update_id == delta.update_id || self.update_id == 0);
                self.update_id = delta.update_id;
                self.is_whole = event.has(flags::LAST);
            }
            EventView::BookStateChanged(_) => self.state = BookState::from_code(event.detail),
            _ => {}
        }
    }

    pub(crate) fn is_live(&self) -> bool {
        self.state == Some(BookState::Live)
    }

    pub(crate) fn best_bid(&self) -> Option<Level> {
        let (&price, &quantity) = self.bids.last_key_value()?;
        Some(Level { price, quantity })
    }

    pub(crate) fn best_ask(&self) -> Option<Level> {
        let (&price, &quantity) = self.asks.first_key_value()?;
        Some(Level { price, quantity })
    }

    pub(crate) fn is_crossed(&self) -> bool {
        match (self.best_bid(), self.best_ask()) {
            (Some(bid), Some(ask)) => bid.price >= ask.price,
            _ => false,
        }
    }
}
