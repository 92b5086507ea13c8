//! How fast recordings play flat out, and where the time goes: reading and unpacking, decoding, emitting.
//!
//! `cargo run --release -p acth-venues --example capture_speed -- FILE...`
//!
//! Each stage is timed as the best of several passes over the whole file; a later stage contains the ones before it.

use std::{
    error::Error,
    hint::black_box,
    io::Write,
    sync::{Arc, atomic::AtomicU64},
    time::Instant,
};

use acth_core::{
    event::Event,
    port::{EventSink, EventSource, Progress, Stopped},
};
use acth_venues::{
    binance::catalogue,
    capture::{CaptureSource, CaptureSpec, LineReader, Pace, identify},
};
use acth_wire::binance::{Decoder, Symbol, Symbols};

/// Passes of each stage; the best counts.
const PASSES: usize = 15;

#[derive(Default)]
struct Counter {
    events: u64,
    slot: Option<Event>,
}

impl EventSink for Counter {
    fn emit_with(&mut self, fill: impl FnOnce(&mut Event)) -> Result<(), Stopped> {
        let slot = self.slot.get_or_insert(Event::EMPTY);
        fill(slot);
        black_box(slot);
        self.events += 1;
        Ok(())
    }

    fn now_ns(&self) -> i64 {
        0
    }
}

fn best_s(mut pass: impl FnMut() -> Result<(), Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let mut best = f64::MAX;
    for _ in 0..PASSES {
        let start = Instant::now();
        pass()?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(best)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout();
    for argument in std::env::args().skip(1) {
        let spec = CaptureSpec::parse(&argument);
        let specs = [spec.clone()];
        let known = catalogue::for_captures(&specs, &[])?;
        let mut lines = 0u64;
        let unpack_s = best_s(|| {
            let mut reader = LineReader::open(&spec.path, Arc::new(AtomicU64::new(0)))?;
            while reader.advance()? {
                black_box(reader.frame());
            }
            lines = reader.line_number();
            Ok(())
        })?;
        let market = identify(&spec)?.market;
        let decode_s = best_s(|| {
            let mut symbols = Symbols::new();
            for (instrument, row) in known.instruments.iter() {
                let symbol = Symbol {
                    instrument,
                    price_exponent: row.price_exponent,
                    quantity_exponent: row.quantity_exponent,
                };
                symbols.insert(&row.symbol, symbol)?;
            }
            let mut decoder = Decoder::new(market, symbols);
            let mut reader = LineReader::open(&spec.path, Arc::new(AtomicU64::new(0)))?;
            while reader.advance()? {
                black_box(decoder.decode(reader.frame())?);
            }
            Ok(())
        })?;
        let mut events = 0;
        let all_s = best_s(|| {
            let mut source = CaptureSource::open(&specs, &known.instruments, Pace::FlatOut, 0)?;
            let mut sink = Counter::default();
            while source.poll(&mut sink)? != Progress::Ended {}
            events = sink.events;
            Ok(())
        })?;
        writeln!(
            out,
            "{argument}: {lines} lines, {events} events in {:.1} ms = {:.2} M lines/s; read and unpack {:.1} ms, \
             decode {:.1} ms, sync and emit {:.1} ms",
            all_s * 1e3,
            lines as f64 / all_s / 1e6,
            unpack_s * 1e3,
            (decode_s - unpack_s) * 1e3,
            (all_s - decode_s) * 1e3,
        )?;
    }
    Ok(())
}
