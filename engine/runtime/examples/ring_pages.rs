//! Do huge pages help a ring? Cost of an event through rings of several sizes, and how much of the process lies in huge pages.
//!
//! Run it twice, in turn, and compare: as it is, and with `GLIBC_TUNABLES=glibc.malloc.hugetlb=1`, which lets the allocator
//! ask for huge pages (transparent_hugepage/enabled must be `madvise` or `always`).

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "an example prints"
)]

use std::{convert::Infallible, time::Instant};

use acth_core::event::Event;
use acth_engine::ring::ring;

/// Passes over each ring; the best counts, since the machine is shared.
const PASSES: usize = 30;
/// Events between taking turns.
const BATCH: u64 = 32;

fn main() {
    for slots in [4096, 65_536, 1 << 20] {
        let (best_ns, in_huge_pages) = best_of(slots);
        println!(
            "{:>9} slots ({:>6} KiB): {best_ns:.2} ns an event; {in_huge_pages} in huge pages",
            slots,
            slots * 64 / 1024,
        );
    }
}

/// Least time of an event, published and taken on one thread, ns; and what of the process is in huge pages meanwhile.
fn best_of(slots: usize) -> (f64, String) {
    let (mut producer, mut consumer) = ring(slots, Event::EMPTY).unwrap();
    let (mut best_ns, mut sum) = (f64::MAX, 0_i64);
    let rounds = (slots as u64 / BATCH).max(4096);
    for _ in 0..PASSES {
        let start = Instant::now();
        for round in 0..rounds {
            for _ in 0..BATCH {
                let at_ns = round.cast_signed();
                producer
                    .try_publish(|slot| *slot = Event::EMPTY.at(at_ns, at_ns))
                    .unwrap();
            }
            consumer
                .take(BATCH, |event, _| {
                    sum += event.ts_ingress_ns;
                    Ok::<(), Infallible>(())
                })
                .unwrap();
        }
        let elapsed_ns = start.elapsed().as_nanos() as f64;
        best_ns = best_ns.min(elapsed_ns / (rounds * BATCH) as f64);
    }
    std::hint::black_box(sum);
    (best_ns, huge_pages())
}

/// Memory of this process in huge pages, as the kernel counts it.
fn huge_pages() -> String {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let row = text
        .lines()
        .find_map(|line| line.strip_prefix("AnonHugePages:"));
    row.map_or_else(|| "unknown".to_owned(), |row| row.trim().to_owned())
}
