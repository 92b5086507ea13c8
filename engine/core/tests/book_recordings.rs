//! The fast book against the naive one, and against what the venue itself stated, on recorded streams.

mod recordings;

use acth_core::{
    book::{Book, naive},
    event::{Level, Side},
    hash::StateHasher,
};
use recordings::{RECORDINGS, Recording};

const SIDES: [Side; 2] = [Side::Bid, Side::Ask];
const TOP_COUNT: usize = 10;
const MESSAGES_BETWEEN_FULL_COMPARISONS: usize = 100;

#[test]
fn both_books_agree_on_every_recording() {
    for (name, tick) in RECORDINGS {
        if let Some(recording) = recordings::load(name, tick) {
            compare(&recording);
        }
    }
}

fn compare(recording: &Recording) {
    let mut fast = Book::new(recording.tick);
    let mut plain = naive::Book::new(recording.tick);
    let mut stated_count = 0;
    for (index, message) in recording.messages.iter().enumerate() {
        if message.is_snapshot {
            fast.clear();
            plain.clear();
        }
        for (side, level) in &message.levels {
            fast.set(*side, *level);
            plain.set(*side, *level);
        }
        let place = format!("{} message {index}", recording.name);
        assert!(!fast.is_crossed(), "{place}");
        compare_top(&fast, &plain, &place);
        if index % MESSAGES_BETWEEN_FULL_COMPARISONS == 0 {
            compare_whole(&fast, &plain, &place);
        }
        if let Some((bid, ask)) = recording.tickers.get(&message.update_id) {
            assert_eq!(fast.best(Side::Bid), Some(*bid), "{place}");
            assert_eq!(fast.best(Side::Ask), Some(*ask), "{place}");
            stated_count += 1;
        }
    }
    compare_whole(&fast, &plain, recording.name);
    assert_eq!(fast.dropped_count(), 0, "{}", recording.name);
    assert!(
        stated_count > 500,
        "{}: {stated_count} tickers compared",
        recording.name
    );
}

fn compare_top(fast: &Book, plain: &naive::Book, place: &str) {
    for side in SIDES {
        assert_eq!(fast.best(side), plain.best(side), "{place}");
        assert_eq!(fast.depth(side), plain.depth(side), "{place}");
        let mut tops = [[Level::default(); TOP_COUNT]; 2];
        let counts = [fast.top(side, &mut tops[0]), plain.top(side, &mut tops[1])];
        assert_eq!(counts[0], counts[1], "{place}");
        assert_eq!(tops[0], tops[1], "{place}");
    }
}

fn compare_whole(fast: &Book, plain: &naive::Book, place: &str) {
    for side in SIDES {
        assert!(fast.levels(side).eq(plain.levels(side)), "{place}");
        for level in plain.levels(side) {
            assert_eq!(
                fast.quantity_at(side, level.price),
                level.quantity,
                "{place}"
            );
        }
    }
    let mut hashers = [StateHasher::new(); 2];
    fast.digest(&mut hashers[0]);
    plain.digest(&mut hashers[1]);
    assert_eq!(hashers[0].finish(), hashers[1].finish(), "{place}");
}
