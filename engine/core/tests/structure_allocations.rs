//! The structure allocates nothing after its construction. The only unsafe code here is the allocator's passing on.

#![allow(
    clippy::expect_used,
    reason = "a broken assumption of a test fails the test"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use acth_core::structure::{Structure, StructureConfig};

/// Counts what each thread asks of the system's allocator.
struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

fn count_one() {
    // A thread that is ending has no counter any more; it is not measured either.
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call goes to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count_one();
        // SAFETY: the caller's promises about `layout` are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `alloc` above with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count_one();
        // SAFETY: `pointer` came from `alloc` above with this layout; `size` is the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn nothing_is_allocated_after_construction() {
    let count = 24;
    let mut structure = Structure::new(&StructureConfig::default(), count).expect("sound");
    let mut prices = vec![4.0; count];
    let mut noise = 1u64;
    let mut next = || {
        noise = noise
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (noise >> 40) as f64 / (1u64 << 24) as f64 - 0.5
    };
    let before = COUNT.with(Cell::get);
    let (mut changes, mut pairs) = (0, 0);
    for step in 0..14_000i64 {
        let now_ns = step * 50_000_000;
        let factor = next() * 1e-4;
        for (index, price) in prices.iter_mut().enumerate() {
            // Half move together, and eight of those return to one level again and again.
            *price += next() * 1e-4 + if index < 12 { factor } else { 0.0 };
            if index < 8 {
                *price += 0.02 * (4.0 - *price);
            }
            structure.on_price(index, now_ns, *price);
        }
        if step % 2 == 0 {
            structure.on_timer(now_ns);
        }
        if step % 500 == 0 {
            changes += structure.take_changes().count();
            pairs = pairs.max(structure.pairs().len());
        }
    }
    let allocated = COUNT.with(Cell::get) - before;
    assert!(
        changes > 50 && pairs > 5,
        "{changes} changes, {pairs} pairs"
    );
    assert_eq!(allocated, 0);
}
