//! No allocation per hot message once a decoder is made, and none per frame of a WebSocket.

#![allow(clippy::unwrap_used, unsafe_code)]

mod common;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    hint::black_box,
};

use acth_wire::{
    binance::{Market, Message},
    websocket::FrameReader,
};
use common::{sample_decoder, samples};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// Counts allocations of the thread that makes them.
struct Counting;

// SAFETY: every call is handed on to the system allocator unchanged; counting touches only a thread-local cell that
// itself never allocates.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises about `layout` are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `alloc` above, that is from `System`, with this `layout`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations_of(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations_of(|| drop(black_box(vec![1_u8]))), 1);
}

#[test]
fn hot_messages_allocate_nothing() {
    for market in [Market::Spot, Market::UsdM] {
        let mut decoder = sample_decoder(market);
        for frame in samples(market) {
            let count = allocations_of(|| {
                let message = decoder.decode(black_box(frame.as_bytes()));
                assert!(!matches!(message, Ok(Message::Unknown) | Err(_)));
                black_box(&message);
            });
            assert_eq!(count, 0, "{frame}");
        }
    }
}

#[test]
fn the_deepest_message_allocates_nothing() {
    let level = r#"["61837.63000000","3.78826000"]"#;
    let levels = vec![level; 5_000].join(",");
    let frame = format!(r#"{{"lastUpdateId":5,"bids":[{levels}],"asks":[{levels}]}}"#);
    let mut decoder = sample_decoder(Market::Spot);
    let count = allocations_of(|| {
        let message = decoder.decode(black_box(frame.as_bytes()));
        assert!(matches!(message, Ok(Message::Snapshot(snapshot)) if snapshot.asks.len() == 5_000));
    });
    assert_eq!(count, 0);
}

#[test]
fn websocket_frames_allocate_nothing() {
    let mut reader = FrameReader::new(1 << 16);
    let count = allocations_of(|| {
        for _ in 0..10_000 {
            assert_eq!(reader.receive(b"\x81\x05hello\x89\x00"), 9);
            assert_eq!(reader.next_frame().unwrap().unwrap().payload, b"hello");
            assert!(reader.next_frame().unwrap().unwrap().payload.is_empty());
            assert!(reader.next_frame().unwrap().is_none());
        }
    });
    assert_eq!(count, 0);
}
