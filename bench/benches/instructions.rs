//! Instructions of the hot paths, counted under valgrind and compared with a committed baseline.
//!
//! ```text
//! cargo bench -p acth-bench --bench instructions              compares; exit code 1 when one grew by more than 5 %
//! cargo bench -p acth-bench --bench instructions -- --save    writes the baseline anew
//! ```
//!
//! Times on a shared machine move by tens of per cent, counts of instructions by none: the same program with the same input
//! executes the same instructions. Each case is run twice in a process of its own, once without and once with its rounds;
//! the difference is what the rounds cost, whatever the set-up did. The price of a cache miss is not in it: that is what
//! the ratios of `acth-bench` are for.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench may panic, and prints what it found"
)]
#![forbid(unsafe_code)]

use std::{
    collections::BTreeMap,
    env, fs,
    hint::black_box,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use acth_bench::load::{
    frames,
    hub::Hub,
    numbers::Numbers,
    streams,
    typed::{decoder, quantity_exponent},
};
use acth_core::{
    book::Book,
    decision::{Decision, DecisionKind, OrderType, TimeInForce},
    event::{Event, Level, Side},
};
use acth_engine::{
    ring::{RING_SLOTS_DEFAULT, ring},
    wait::{WaitStrategy, Waiter},
};
use acth_journal::{HelperMode, JournalOptions, Reader, SyncMode, Writer};
use acth_nn::{Activation, Dense, Network};
use acth_wire::binance::{Market, OrderSymbol, order_request};

/// Growth from which a case fails.
const GROWTH_MAX: f64 = 0.05;
/// Rounds of each case.
const ROUNDS: u64 = 2000;

/// The work of one case, ready to run any number of rounds.
type Work = Box<dyn FnMut()>;

/// One case: its name, and how its work is made ready.
type Case = (&'static str, fn() -> Work);

/// Every case.
const CASES: [Case; 13] = [
    ("decode depth-20", || {
        decode(Market::UsdM, |n| frames::depth_usdm(n, 20))
    }),
    ("decode bookTicker", || {
        decode(Market::Spot, frames::ticker_spot)
    }),
    ("decode trade", || decode(Market::Spot, frames::trade_spot)),
    ("book depth-20", book_depth),
    ("book top-5", book_top),
    ("apply bookTicker", || apply(streams::tickers(), true)),
    ("apply trade", || apply(streams::trades(), false)),
    ("apply depth-20", || apply(streams::depths(), true)),
    ("ring hand-over", ring_hop),
    ("journal append", journal_append),
    ("journal scan", journal_scan),
    ("network 64-64-64-8", network),
    ("order text", order_text),
];

fn decode(market: Market, frame: impl Fn(&mut Numbers) -> String) -> Work {
    let frames = frames::made(64, frame);
    let mut decoder = decoder(market);
    let mut next = 0;
    Box::new(move || {
        next = (next + 1) % frames.len();
        let _ = black_box(decoder.decode(black_box(frames[next].as_bytes())).unwrap());
    })
}

fn filled_book() -> (Book, Vec<(Side, Level)>) {
    let mut book = Book::new(10);
    let mut numbers = Numbers::new(9);
    let mut change = |_| {
        let side = [Side::Bid, Side::Ask][numbers.below(2) as usize];
        let behind = numbers.below(200).cast_signed();
        let price = (618_000 - side.sign() * (1 + behind)) * 10;
        let quantity = numbers.below(3).cast_signed() * 100;
        (side, Level { price, quantity })
    };
    let changes: Vec<_> = (0..4000).map(&mut change).collect();
    for &(side, level) in &changes {
        book.set(side, level);
    }
    (book, changes)
}

fn book_depth() -> Work {
    let (mut book, changes) = filled_book();
    let mut place = 0;
    Box::new(move || {
        for &(side, level) in &changes[place..place + 20] {
            book.set(side, level);
        }
        black_box((book.best(Side::Bid), book.best(Side::Ask)));
        place = (place + 20) % changes.len();
    })
}

fn book_top() -> Work {
    let (book, _) = filled_book();
    let mut top = [Level::default(); 5];
    Box::new(move || {
        for side in [Side::Bid, Side::Ask] {
            black_box(book.top(black_box(side), &mut top));
            black_box(&top);
        }
    })
}

fn apply(load: Vec<Vec<Event>>, is_quoting: bool) -> Work {
    let tickers = streams::tickers();
    let mut hub = if is_quoting {
        Hub::warmed(&[&load])
    } else {
        Hub::warmed(&[&tickers, &load])
    };
    let mut next = 0;
    Box::new(move || {
        hub.message(black_box(&load[next]));
        next = (next + 1) % load.len();
    })
}

fn ring_hop() -> Work {
    let (mut near, mut far) = ring(RING_SLOTS_DEFAULT, Event::EMPTY).unwrap();
    let mut waiter = Waiter::new(WaitStrategy::Spin);
    Box::new(move || {
        near.publish(&mut waiter, |slot| *slot = Event::EMPTY, || true)
            .unwrap();
        let taken = far.take(1, |event, _| {
            black_box(event);
            Ok::<(), std::convert::Infallible>(())
        });
        let _ = black_box(taken);
    })
}

fn journal_options() -> JournalOptions {
    JournalOptions {
        helpers: HelperMode::Inline,
        sync: SyncMode::Process,
        ..JournalOptions::default()
    }
}

fn journal_append() -> Work {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(dir.path().join("journal"), &journal_options()).unwrap();
    let payload = [7; 64];
    Box::new(move || {
        let _ = black_box(&dir);
        black_box(writer.append(0x0100, 5, 0, black_box(&payload)).unwrap());
    })
}

fn journal_scan() -> Work {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let mut writer = Writer::create(&path, &journal_options()).unwrap();
    for _ in 0..=ROUNDS {
        writer.append(0x0100, 5, 0, &[7; 64]).unwrap();
    }
    writer.seal().unwrap();
    let mut reader = Reader::open(&path).unwrap();
    Box::new(move || {
        let _ = black_box(&dir);
        black_box(reader.next().unwrap().map(|frame| frame.sequence));
    })
}

fn network() -> Work {
    let mut numbers = Numbers::new(3);
    let mut some = |count: usize| -> Vec<f32> {
        (0..count)
            .map(|_| numbers.below(2001) as f32 / 5000.0 - 0.2)
            .collect()
    };
    let layers = [64usize, 64, 64, 8].windows(2).map(|pair| {
        let (weights, biases) = (some(pair[0] * pair[1]), some(pair[1]));
        Dense::new(pair[0], &weights, &biases, Activation::Relu).unwrap()
    });
    let mut network = Network::new(layers.collect()).unwrap();
    let input = [0.25; 64];
    Box::new(move || {
        black_box(network.forward(black_box(&input)));
    })
}

fn order_text() -> Work {
    let symbol = OrderSymbol {
        market: Market::Spot,
        symbol: "BTCUSDT".to_owned(),
        price_exponent: 2,
        quantity_exponent: quantity_exponent(Market::Spot),
    };
    let order = Decision {
        kind: DecisionKind::PlaceOrder as u8,
        side: Side::Bid as u8,
        client_order_id: 281_474_976_710_673,
        price: 6_010_000,
        quantity: 1_000_000,
        order_type: OrderType::Limit as u8,
        time_in_force: TimeInForce::GoodTillCancelled as u8,
        ..Decision::default()
    };
    let mut target = Vec::with_capacity(512);
    Box::new(move || {
        target.clear();
        order_request(
            black_box(&order),
            &symbol,
            1_760_000_000_000_000_000,
            &mut target,
        )
        .unwrap();
        black_box(&target);
    })
}

/// The measured process: one case, so many rounds.
fn run_case(name: &str, rounds: u64) {
    let (_, make) = CASES.iter().find(|(case, _)| *case == name).unwrap();
    let mut work = make();
    // One round belongs to both runs: it takes whatever happens the first time only.
    work();
    for _ in 0..rounds {
        work();
    }
}

/// All instructions of a process that runs the case.
fn count(name: &str, rounds: u64) -> u64 {
    let output = Command::new("valgrind")
        .args([
            "--tool=cachegrind",
            "--cache-sim=no",
            "--cachegrind-out-file=/dev/null",
        ])
        .arg(env::current_exe().unwrap())
        .args(["--case", name, &rounds.to_string()])
        .output()
        .unwrap_or_else(|error| panic!("valgrind (Debian: apt-get install valgrind): {error}"));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{name}: {text}");
    // `==7== I   refs:      15,208,572`
    let number = text.lines().find_map(|line| {
        let (head, number) = line.split_once("refs:")?;
        head.trim_end().ends_with('I').then_some(number)
    });
    let digits = number.unwrap_or_else(|| panic!("{name}: no count in: {text}"));
    digits.replace([',', ' '], "").parse().unwrap()
}

fn baseline_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.json")
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [flag, name, rounds] = &arguments[..]
        && flag == "--case"
    {
        run_case(name, rounds.parse().unwrap());
        return ExitCode::SUCCESS;
    }
    let saves = arguments.iter().any(|argument| argument == "--save");
    let baseline: BTreeMap<String, u64> = fs::read_to_string(baseline_path())
        .ok()
        .map(|text| serde_json::from_str(&text).unwrap())
        .unwrap_or_default();
    let mut found = BTreeMap::new();
    let mut grown = Vec::new();
    println!("instructions a round        before        now     change");
    for (name, _) in CASES {
        let now = (count(name, ROUNDS) - count(name, 0)) / ROUNDS;
        let before = baseline.get(name).copied();
        let change = before.map_or(0.0, |before| now as f64 / before as f64 - 1.0);
        let shown = before.map_or_else(|| "-".to_owned(), |before| before.to_string());
        println!("{name:<22} {shown:>11} {now:>10} {:>8.1} %", change * 100.0);
        if change > GROWTH_MAX || (before.is_none() && !saves) {
            grown.push(name);
        }
        found.insert(name.to_owned(), now);
    }
    if saves {
        let text = serde_json::to_string_pretty(&found).unwrap();
        fs::write(baseline_path(), text + "\n").unwrap();
        println!("written to {}", baseline_path().display());
        return ExitCode::SUCCESS;
    }
    if grown.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!(
        "{} grew by more than 5 % or stand in no baseline; if that is meant, run again with --save and commit {}",
        grown.join(", "),
        baseline_path().file_name().unwrap().display()
    );
    ExitCode::FAILURE
}
