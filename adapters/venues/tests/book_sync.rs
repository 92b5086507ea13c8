//! `BookSync` against a venue that is simulated update by update: whatever is dropped, doubled or swapped on the way,
//! a book that calls itself live equals the venue's book at the same id.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]

mod support;

use acth_core::event::{Level, Side};
use acth_venues::binance::{
    Market,
    book_sync::{BookSync, DiffIds, DiffVerdict, OLD_DIFFS_MAX, SnapshotVerdict, SyncState},
    diff_buffer::{DIFFS_MAX, LEVELS_MAX},
};
use proptest::{prelude::*, test_runner::FileFailurePersistence};
use support::NaiveBook;

/// One change of one level, under its own update id.
#[derive(Clone, Copy, Debug)]
struct Update {
    id: u64,
    side: Side,
    level: Level,
}

#[derive(Clone, Debug)]
struct Diff {
    ids: DiffIds,
    bids: Vec<Level>,
    asks: Vec<Level>,
}

/// The venue: its whole history, known beforehand.
#[derive(Debug)]
struct Venue {
    market: Market,
    updates: Vec<Update>,
    diffs: Vec<Diff>,
}

impl Venue {
    /// `steps`: side, price, quantity and how far the id moves on; `sizes`: updates in each diff.
    fn new(market: Market, steps: &[(bool, i64, i64, u64)], sizes: &[usize]) -> Self {
        let mut id = 1_000;
        let mut updates = Vec::new();
        for &(is_bid, price, quantity, stride) in steps {
            // Spot ids count this book's updates; USD-M ids also count those of other books.
            id += if market == Market::Spot { 1 } else { stride };
            let side = if is_bid { Side::Bid } else { Side::Ask };
            let level = Level { price, quantity };
            updates.push(Update { id, side, level });
        }
        let mut diffs: Vec<Diff> = Vec::new();
        let mut rest = updates.as_slice();
        for &size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (group, after) = rest.split_at(size.min(rest.len()));
            rest = after;
            let previous = diffs.last().map_or(999, |diff| diff.ids.last);
            diffs.push(diff_of(market, group, previous));
        }
        Self {
            market,
            updates,
            diffs,
        }
    }

    /// The book after all updates up to `id`.
    fn book_at(&self, id: u64) -> NaiveBook {
        let mut book = NaiveBook::default();
        for update in self.updates.iter().take_while(|update| update.id <= id) {
            book.set(update.side, update.level);
        }
        book
    }
}

fn diff_of(market: Market, group: &[Update], previous: u64) -> Diff {
    let side = |wanted: Side| {
        let mut levels: Vec<Level> = Vec::new();
        for update in group.iter().filter(|update| update.side == wanted) {
            levels.retain(|level| level.price != update.level.price);
            levels.push(update.level);
        }
        levels
    };
    let (Some(first), Some(last)) = (group.first(), group.last()) else {
        panic!("a diff has at least one update");
    };
    Diff {
        ids: DiffIds {
            first: first.id,
            last: last.id,
            previous: if market == Market::Spot { 0 } else { previous },
        },
        bids: side(Side::Bid),
        asks: side(Side::Ask),
    }
}

/// The receiver: a machine under test and the book that follows its verdicts.
struct Receiver<'a> {
    venue: &'a Venue,
    sync: BookSync,
    book: NaiveBook,
    live_checks: u32,
}

impl<'a> Receiver<'a> {
    fn new(venue: &'a Venue) -> Self {
        let sync = BookSync::new(venue.market);
        let book = NaiveBook::default();
        Self {
            venue,
            sync,
            book,
            live_checks: 0,
        }
    }

    fn apply(&mut self, bids: &[Level], asks: &[Level]) {
        bids.iter()
            .for_each(|level| self.book.set(Side::Bid, *level));
        asks.iter()
            .for_each(|level| self.book.set(Side::Ask, *level));
    }

    fn on_diff(&mut self, diff: &Diff) -> DiffVerdict {
        let verdict = self.sync.on_diff(diff.ids, 0, &diff.bids, &diff.asks);
        if matches!(verdict, DiffVerdict::Applied | DiffVerdict::Bridged) {
            self.apply(&diff.bids, &diff.asks);
        }
        self.check();
        verdict
    }

    fn on_snapshot(&mut self, id: u64) -> SnapshotVerdict {
        let verdict = self.sync.on_snapshot(id);
        if matches!(verdict, SnapshotVerdict::Taken | SnapshotVerdict::Joined) {
            self.book = self.venue.book_at(id);
        }
        if verdict == SnapshotVerdict::Joined {
            let waiting: Vec<_> = self
                .sync
                .waiting()
                .map(|diff| (diff.bids.to_vec(), diff.asks.to_vec()))
                .collect();
            waiting
                .iter()
                .for_each(|(bids, asks)| self.apply(bids, asks));
            self.sync.joined();
        }
        self.check();
        verdict
    }

    /// The one promise that matters.
    fn check(&mut self) {
        if self.sync.state() == SyncState::Live {
            self.live_checks += 1;
            assert_eq!(self.book, self.venue.book_at(self.sync.book_id()));
        }
    }
}

/// What happens to the stream.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Deliver,
    Drop,
    /// The diff so many before the next one comes again.
    Repeat(usize),
    /// The next two come in the wrong order.
    Swap,
    /// A snapshot at so many updates before (negative) or behind the stream.
    Snapshot(i64),
    Lose,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        8 => Just(Fate::Deliver),
        1 => Just(Fate::Drop),
        1 => (0usize..4).prop_map(Fate::Repeat),
        1 => Just(Fate::Swap),
        3 => (-6i64..12).prop_map(Fate::Snapshot),
        1 => Just(Fate::Lose),
    ]
}

fn play(venue: &Venue, fates: &[Fate]) -> u32 {
    let mut receiver = Receiver::new(venue);
    let mut next = 0;
    for fate in fates {
        if next + 1 >= venue.diffs.len() {
            break;
        }
        match *fate {
            Fate::Deliver => {
                receiver.on_diff(&venue.diffs[next]);
                next += 1;
            }
            Fate::Drop => next += 1,
            Fate::Repeat(back) => {
                if let Some(index) = next.checked_sub(back + 1) {
                    receiver.on_diff(&venue.diffs[index]);
                }
            }
            Fate::Swap => {
                receiver.on_diff(&venue.diffs[next + 1]);
                receiver.on_diff(&venue.diffs[next]);
                next += 2;
            }
            Fate::Snapshot(offset) => {
                let at = venue
                    .updates
                    .partition_point(|update| update.id < venue.diffs[next].ids.first);
                let index = (at as i64 + offset).clamp(0, venue.updates.len() as i64 - 1);
                receiver.on_snapshot(venue.updates[index as usize].id);
            }
            Fate::Lose => receiver.sync.lose(),
        }
    }
    receiver.live_checks
}

fn market() -> impl Strategy<Value = Market> {
    prop_oneof![Just(Market::Spot), Just(Market::UsdM)]
}

fn steps() -> impl Strategy<Value = Vec<(bool, i64, i64, u64)>> {
    prop::collection::vec((any::<bool>(), 1i64..6, 0i64..4, 1u64..5), 40..160)
}

/// Failing seeds are printed and kept beside the crate.
fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 2_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "proptest-regressions/book_sync.txt",
        ))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn live_means_equal_to_the_venue(
        market in market(),
        steps in steps(),
        sizes in prop::collection::vec(1usize..5, 1..8),
        fates in prop::collection::vec(fate(), 10..120),
    ) {
        play(&Venue::new(market, &steps, &sizes), &fates);
    }

    #[test]
    fn an_undisturbed_stream_becomes_live_and_stays_so(
        market in market(),
        steps in steps(),
        sizes in prop::collection::vec(1usize..5, 1..8),
        waiting in 1usize..6,
        ahead in 0usize..8,
    ) {
        let venue = Venue::new(market, &steps, &sizes);
        let mut receiver = Receiver::new(&venue);
        let mut diffs = venue.diffs.iter();
        for diff in diffs.by_ref().take(waiting) {
            prop_assert_eq!(receiver.on_diff(diff), DiffVerdict::Buffered);
        }
        prop_assert!(receiver.sync.take_snapshot_wish());
        let index = (waiting + ahead).min(venue.updates.len() - 1);
        let snapshot = receiver.on_snapshot(venue.updates[index].id);
        let is_taken = matches!(snapshot, SnapshotVerdict::Taken | SnapshotVerdict::Joined);
        for diff in diffs {
            receiver.on_diff(diff);
        }
        if is_taken && receiver.sync.book_id() == venue.diffs.last().map_or(0, |diff| diff.ids.last) {
            prop_assert_eq!(receiver.sync.state(), SyncState::Live);
        }
        prop_assert!(is_taken || receiver.sync.wants_snapshot());
    }
}

/// The random fates above must not pass because nothing ever becomes live.
#[test]
fn random_streams_are_live_often_enough_to_mean_something() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut live_checks = [0; 2];
    for _ in 0..200 {
        let steps = steps().new_tree(&mut runner).unwrap().current();
        let fates = prop::collection::vec(fate(), 60..120)
            .new_tree(&mut runner)
            .unwrap()
            .current();
        for (checks, market) in live_checks.iter_mut().zip([Market::Spot, Market::UsdM]) {
            *checks += play(&Venue::new(market, &steps, &[2, 1, 3]), &fates);
        }
    }
    eprintln!("checks of live books: {live_checks:?}");
    assert!(
        live_checks.iter().all(|checks| *checks > 500),
        "{live_checks:?}"
    );
}

const fn ids(first: u64, last: u64, previous: u64) -> DiffIds {
    DiffIds {
        first,
        last,
        previous,
    }
}

fn feed_ids(sync: &mut BookSync, ids: DiffIds) -> DiffVerdict {
    sync.on_diff(ids, 0, &[], &[])
}

#[test]
fn the_spot_rule_to_the_letter() {
    let mut sync = BookSync::new(Market::Spot);
    assert_eq!(feed_ids(&mut sync, ids(100, 105, 0)), DiffVerdict::Buffered);
    assert!(sync.take_snapshot_wish() && !sync.take_snapshot_wish());
    assert_eq!(
        sync.on_snapshot(99),
        SnapshotVerdict::TooOld,
        "N < U of the first event"
    );
    assert!(sync.take_snapshot_wish());
    assert_eq!(feed_ids(&mut sync, ids(106, 110, 0)), DiffVerdict::Buffered);
    assert_eq!(
        sync.on_snapshot(105),
        SnapshotVerdict::Joined,
        "U = N + 1 bridges"
    );
    assert_eq!(
        sync.waiting()
            .map(|diff| diff.ids.first)
            .collect::<Vec<_>>(),
        [106]
    );
    sync.joined();
    assert_eq!((sync.state(), sync.book_id()), (SyncState::Live, 110));
    assert_eq!(feed_ids(&mut sync, ids(101, 110, 0)), DiffVerdict::Old);
    assert_eq!(
        feed_ids(&mut sync, ids(109, 112, 0)),
        DiffVerdict::Applied,
        "overlap is no gap"
    );
    assert_eq!(sync.on_snapshot(500), SnapshotVerdict::Unneeded);
    let gap = DiffVerdict::Gap {
        expected: 113,
        received: 114,
    };
    assert_eq!(feed_ids(&mut sync, ids(114, 115, 0)), gap);
    assert!(sync.take_snapshot_wish());
    assert_eq!(sync.state(), SyncState::Waiting);
    assert_eq!(
        sync.on_snapshot(114),
        SnapshotVerdict::Joined,
        "the diff behind the gap was kept"
    );
}

#[test]
fn the_usdm_rule_to_the_letter() {
    let mut sync = BookSync::new(Market::UsdM);
    assert_eq!(
        feed_ids(&mut sync, ids(100, 105, 90)),
        DiffVerdict::Buffered
    );
    assert_eq!(
        feed_ids(&mut sync, ids(120, 130, 105)),
        DiffVerdict::Buffered,
        "U need not be u + 1"
    );
    assert_eq!(
        sync.on_snapshot(110),
        SnapshotVerdict::TooOld,
        "N lies before U = 120"
    );
    assert!(sync.take_snapshot_wish());
    assert_eq!(
        sync.on_snapshot(130),
        SnapshotVerdict::Joined,
        "u = N is applied, not dropped"
    );
    sync.joined();
    assert_eq!(
        feed_ids(&mut sync, ids(150, 160, 130)),
        DiffVerdict::Applied
    );
    let gap = DiffVerdict::Gap {
        expected: 160,
        received: 159,
    };
    assert_eq!(feed_ids(&mut sync, ids(161, 170, 159)), gap);
}

#[test]
fn a_snapshot_before_any_diff_is_live_only_with_the_diff_that_bridges_it() {
    for (market, old, bridging, beyond) in [
        (
            Market::Spot,
            ids(195, 199, 0),
            ids(199, 205, 0),
            ids(202, 205, 0),
        ),
        (
            Market::UsdM,
            ids(190, 199, 1),
            ids(199, 205, 1),
            ids(201, 205, 200),
        ),
    ] {
        let mut sync = BookSync::new(market);
        assert_eq!(sync.on_snapshot(200), SnapshotVerdict::Taken);
        assert_eq!(
            sync.on_snapshot(150),
            SnapshotVerdict::Unneeded,
            "never back"
        );
        assert_eq!(feed_ids(&mut sync, old), DiffVerdict::Old);
        assert_eq!(sync.state(), SyncState::Bridging);
        assert_eq!(feed_ids(&mut sync, bridging), DiffVerdict::Bridged);
        assert_eq!(sync.state(), SyncState::Live);

        let mut sync = BookSync::new(market);
        sync.on_snapshot(200);
        assert!(matches!(
            feed_ids(&mut sync, beyond),
            DiffVerdict::Gap { .. }
        ));
        assert!(sync.take_snapshot_wish());
    }
}

#[test]
fn full_buffers_start_over_aloud() {
    let mut sync = BookSync::new(Market::Spot);
    for id in 1..=DIFFS_MAX as u64 {
        assert_eq!(feed_ids(&mut sync, ids(id, id, 0)), DiffVerdict::Buffered);
    }
    assert!(sync.take_snapshot_wish());
    let received = DIFFS_MAX as u64 + 1;
    let overflow = DiffVerdict::Overflow {
        expected: 1,
        received,
    };
    assert_eq!(feed_ids(&mut sync, ids(received, received, 0)), overflow);
    assert!(
        sync.take_snapshot_wish(),
        "only a newer snapshot can join now"
    );
    assert_eq!(sync.on_snapshot(DIFFS_MAX as u64), SnapshotVerdict::TooOld);
    assert_eq!(sync.on_snapshot(received), SnapshotVerdict::Joined);

    let mut sync = BookSync::new(Market::Spot);
    let levels = vec![
        Level {
            price: 1,
            quantity: 1
        };
        LEVELS_MAX
    ];
    assert_eq!(
        sync.on_diff(ids(1, 1, 0), 0, &levels, &[]),
        DiffVerdict::Buffered
    );
    let overflow = DiffVerdict::Overflow {
        expected: 1,
        received: 2,
    };
    assert_eq!(sync.on_diff(ids(2, 2, 0), 0, &levels[..1], &[]), overflow);
    let verdict = sync.on_diff(ids(3, 3, 0), 0, &levels, &levels[..1]);
    assert_eq!(
        verdict,
        DiffVerdict::Overflow {
            expected: 3,
            received: 3
        },
        "too large for any"
    );
}

#[test]
fn a_snapshot_that_ends_with_the_newest_diff_needs_no_further_one() {
    for (market, previous) in [(Market::Spot, 0), (Market::UsdM, 9)] {
        let mut sync = BookSync::new(market);
        feed_ids(&mut sync, ids(10, 20, previous));
        assert_eq!(sync.on_snapshot(20), SnapshotVerdict::Joined);
        sync.joined();
        assert_eq!((sync.state(), sync.book_id()), (SyncState::Live, 20));

        // The same, with the diff behind the snapshot.
        let mut sync = BookSync::new(market);
        assert_eq!(sync.on_snapshot(20), SnapshotVerdict::Taken);
        assert_eq!(
            feed_ids(&mut sync, ids(10, 20, previous)),
            DiffVerdict::Bridged
        );
        assert_eq!((sync.state(), sync.book_id()), (SyncState::Live, 20));
    }
}

#[test]
fn ids_that_went_back_are_noticed() {
    let mut sync = BookSync::new(Market::Spot);
    sync.on_snapshot(1_000);
    assert_eq!(
        feed_ids(&mut sync, ids(1_001, 1_001, 0)),
        DiffVerdict::Bridged
    );
    for id in 1..u64::from(OLD_DIFFS_MAX) {
        assert_eq!(feed_ids(&mut sync, ids(id, id, 0)), DiffVerdict::Old);
    }
    let last = u64::from(OLD_DIFFS_MAX);
    assert!(matches!(
        feed_ids(&mut sync, ids(last, last, 0)),
        DiffVerdict::Gap { .. }
    ));
    assert!(sync.take_snapshot_wish());
}
