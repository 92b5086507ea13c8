//! Recordings of the Lean format: small zips made here, and the recorded days where they are.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]

mod support;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use acth_core::{
    event::{Event, EventKind, EventView, Side},
    instrument::{AssetClass, Contract, Instrument},
    port::{EventSource, PortError, Progress},
};
use acth_venues::{
    binance::catalogue::{self, Catalogued},
    capture::{CaptureSource, CaptureSpec, Pace, lean::LeanStats},
};
use support::{Collector, data_file};
use tempfile::TempDir;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

const SECOND_NS: i64 = 1_000_000_000;
const MINUTE_NS: i64 = 60 * SECOND_NS;
/// Midnight of 2013-10-08 in universal time.
const DAY_NS: i64 = 1_381_190_400 * SECOND_NS;
const HOUR_NS: i64 = 60 * MINUTE_NS;

fn write_zip(folder: &TempDir, name: &str, texts: &[(&str, &str)]) -> PathBuf {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut writer = ZipWriter::new(File::create(&path).unwrap());
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (entry, text) in texts {
        writer.start_file(*entry, options).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap();
    path
}

fn spec(path: &Path) -> CaptureSpec {
    CaptureSpec::parse(path.to_str().unwrap())
}

struct Played {
    known: Catalogued,
    events: Vec<Event>,
    stats: LeanStats,
    rows: u64,
    ended: Result<(), PortError>,
}

impl Played {
    fn row(&self, name: &str) -> &Instrument {
        let rows = self.known.instruments.rows();
        rows.iter().find(|row| row.name() == name).unwrap()
    }
}

fn play(specs: &[CaptureSpec]) -> Played {
    let known = catalogue::for_captures(specs, &[]).unwrap();
    let mut source = CaptureSource::open(specs, &known.instruments, Pace::FlatOut, 7).unwrap();
    let mut sink = Collector::default();
    let ended = loop {
        match source.poll(&mut sink) {
            Ok(Progress::Ended) => break Ok(()),
            Ok(_) => {}
            Err(error) => break Err(error),
        }
    };
    let mut stats = LeanStats::default();
    source.lean_stats().for_each(|row| stats.add(&row));
    if ended.is_ok() {
        let progress = source.progress();
        assert_eq!(progress.bytes_read(), progress.bytes_total());
    }
    for pair in sink.events.windows(2) {
        assert!(pair[0].ts_ingress_ns <= pair[1].ts_ingress_ns);
    }
    sink.events.iter().for_each(|event| event.check().unwrap());
    Played {
        known,
        events: sink.events,
        stats,
        rows: source.stats().lines,
        ended,
    }
}

/// Time, and bid, bid size, ask and ask size of every quote that can be traded on.
fn quotes(events: &[Event]) -> Vec<(i64, [i64; 4])> {
    let quote = |event: &Event| match event.view() {
        EventView::BookDelta(delta) => {
            let [bid, ask] = delta.levels;
            let numbers = [bid.price, bid.quantity, ask.price, ask.quantity];
            Some((event.ts_ingress_ns, numbers))
        }
        _ => None,
    };
    events.iter().filter_map(quote).collect()
}

/// Time, aggressor, price and quantity of every trade.
fn trades(events: &[Event]) -> Vec<(i64, Side, i64, i64)> {
    let trade = |event: &Event| match event.view() {
        EventView::Trade(trade) => {
            let aggressor = Side::from_code(event.detail).unwrap();
            Some((event.ts_ingress_ns, aggressor, trade.price, trade.quantity))
        }
        _ => None,
    };
    events.iter().filter_map(trade).collect()
}

const SPY_QUOTES: &str = "\
34200000,1669500,1670000,1669000,1669800,200,1670000,1671000,1669900,1670000,100
34201000,1669800,1669800,1669800,1669800,200,1669800,1670000,1669800,1669800,300
34203000,1669700,1669700,1669700,1669700,900,1669900,1669900,1669900,1669900,300\r
";
const SPY_TRADES: &str = "\
34200000,1669900,1669900,1669900,1670000,700
34203000,1669800,1669800,1669700,1669700,40
";

#[test]
fn a_bar_is_told_when_it_has_ended() {
    let folder = TempDir::new().unwrap();
    let quote = ("20131008_spy_second_quote.csv", SPY_QUOTES);
    let trade = ("20131008_spy_second_trade.csv", SPY_TRADES);
    let quote = write_zip(&folder, "equity/spy_quote.zip", &[quote]);
    let trade = write_zip(&folder, "equity/spy_trade.zip", &[trade]);
    let played = play(&[spec(&quote), spec(&trade)]);
    played.ended.as_ref().unwrap();

    // 9:30 in New York, four hours behind; the first bar is over a second later.
    let open_ns = DAY_NS + (13 * 60 + 30) * MINUTE_NS;
    let expected = [
        (open_ns + SECOND_NS, [1_669_800, 200, 1_670_000, 100]),
        (open_ns + 4 * SECOND_NS, [1_669_700, 900, 1_669_900, 300]),
    ];
    assert_eq!(quotes(&played.events), expected);
    let expected = [
        (open_ns + SECOND_NS, Side::Bid, 1_670_000, 700),
        (open_ns + 4 * SECOND_NS, Side::Ask, 1_669_700, 40),
    ];
    assert_eq!(trades(&played.events), expected);
    // The bar whose sides are equal is told as what cannot be traded on.
    let kinds: Vec<u8> = played.events.iter().map(|event| event.kind).collect();
    let wanted = [
        EventKind::BookDelta,
        EventKind::BookStateChanged,
        EventKind::Trade,
        EventKind::Bbo,
        EventKind::BookDelta,
        EventKind::Trade,
    ];
    assert_eq!(kinds, wanted.map(|kind| kind as u8));
    let counts = (played.stats.quotes, played.stats.untradable, played.rows);
    assert_eq!(counts, (2, 1, 5));

    let row = played.row("us-equities:SPY");
    assert_eq!((row.price_exponent, row.tick, row.lot), (4, 100, 1));
    // 0.003 dollars a share at 166.98 dollars, rounded up.
    assert_eq!((row.maker_fee_ppm, row.taker_fee_ppm), (0, 18));
    let bars = [(String::from("us-equities:SPY"), SECOND_NS)];
    assert_eq!(played.known.bars_ns, bars);
    assert!(played.known.notes.is_empty(), "{:?}", played.known.notes);
}

#[test]
fn currencies_go_by_the_clock_of_their_venue() {
    let folder = TempDir::new().unwrap();
    let text = "374,1.39147,1.39148\n375,1.39148,1.39148\n376,1.3915,1.39147\n400,1.3914,1.39148\n";
    let entry = [("20131008_eurusd_tick_quote.csv", text)];
    let gold = [(
        "20131008_xauusd_tick_quote.csv",
        "42.4312,1290.3305,1290.66\n",
    )];
    let paths = [
        write_zip(&folder, "forex/fxcm/tick/eurusd/20131008_quote.zip", &entry),
        write_zip(&folder, "oanda_eurusd.zip", &entry),
        write_zip(&folder, "cfd/oanda/xauusd.zip", &gold),
    ];
    let played = play(&paths.each_ref().map(|path| spec(path)));
    played.ended.as_ref().unwrap();
    let of = |name: &str| {
        let id = played
            .known
            .instruments
            .iter()
            .find(|(_, row)| row.name() == name);
        let id = id.unwrap().0;
        let events = played.events.iter();
        let own: Vec<Event> = events
            .filter(|event| event.instrument_id() == id)
            .copied()
            .collect();
        quotes(&own)
    };
    let first = [139_147, 1_000_000, 139_148, 1_000_000];
    let final_one = [139_140, 1_000_000, 139_148, 1_000_000];
    let (soon_ns, later_ns) = (374_000_000, 400_000_000);
    let oanda = [(DAY_NS + soon_ns, first), (DAY_NS + later_ns, final_one)];
    assert_eq!(of("oanda:EURUSD"), oanda);
    let fxcm = oanda.map(|(ts_ns, quote)| (ts_ns + 5 * HOUR_NS, quote));
    assert_eq!(of("fxcm:EURUSD"), fxcm);
    let gold = (DAY_NS + 42_431_200, [12_903_305, 1_000, 12_906_600, 1_000]);
    assert_eq!(of("oanda:XAUUSD"), [gold]);
    assert_eq!(played.stats.untradable, 4, "one equal, one crossed, twice");

    let row = played.row("fxcm:EURUSD");
    assert_eq!((row.base.as_str(), row.quote.as_str()), ("EUR", "USD"));
    assert_eq!((row.price_exponent, row.tick, row.lot), (5, 1, 1_000));
    assert_eq!((row.maker_fee_ppm, row.taker_fee_ppm), (20, 20));
    let row = played.row("oanda:XAUUSD");
    assert_eq!(row.asset_class, AssetClass::Commodity);
    assert_eq!((row.price_exponent, row.tick, row.lot), (4, 1, 1));
}

const ES_QUOTES: [(&str, &str); 2] = [
    (
        "20131008_es_minute_quote_201403.csv",
        "0,1660.75,1660.75,1660.5,1660.5,86,1661.25,1661.25,1660.75,1661,203\n\
         60000,1660.5,1661,1660.5,1660.5,86,1661,1661.5,1661,1661,205\n\
         120000,1660.5,1661,1660.5,1660.5,86,1661,1661.5,1661,1661,205\n",
    ),
    (
        "20131008_es_minute_quote_201312.csv",
        "0,1667.5,1667.5,1667.25,1667.25,31,1667.75,1667.75,1667.5,1667.5,24\n\
         60000,,,,,0,1667.5,1668,1667.5,1667.75,16\n",
    ),
];
const ES_TRADES: [(&str, &str); 2] = [
    (
        "20131008_es_minute_trade_201312.csv",
        "0,1667.5,1667.75,1667.25,1667.5,48\n",
    ),
    (
        "20131008_es_minute_trade_201403.csv",
        "0,1660.25,1660.25,1660.25,1660.25,1\n60000,1660,1660,1660,1660,0\n",
    ),
];

#[test]
fn of_several_contracts_the_busiest_is_played_or_the_named_one() {
    let folder = TempDir::new().unwrap();
    let alone = write_zip(&folder, "alone_quote.zip", &ES_QUOTES);
    let played = play(&[spec(&alone)]);
    assert_eq!(played.known.instruments.rows()[0].symbol, "ES201403");
    let (quote, trade) = (
        write_zip(&folder, "es_quote.zip", &ES_QUOTES),
        write_zip(&folder, "es_trade.zip", &ES_TRADES),
    );
    let played = play(&[spec(&quote), spec(&trade)]);
    assert_eq!(played.known.instruments.count(), 1);
    let row = played.row("cme:ES201312");
    assert_eq!(row.contract, Contract::Future);
    assert_eq!((row.tick, row.lot, row.quantity_min), (25, 50, 50));
    // A bar of universal time ends after a minute; sizes are in units of the index. A side that is not told stays.
    let expected = [
        (DAY_NS + MINUTE_NS, [166_725, 31 * 50, 166_750, 24 * 50]),
        (DAY_NS + 2 * MINUTE_NS, [166_725, 31 * 50, 166_775, 16 * 50]),
    ];
    assert_eq!(quotes(&played.events), expected);
    let trade_ns = DAY_NS + MINUTE_NS;
    let expected = [(trade_ns, Side::Bid, 166_750, 48 * 50)];
    assert_eq!(trades(&played.events), expected);
    assert_eq!(played.known.notes.len(), 2, "{:?}", played.known.notes);

    for contract in ["es_201403", "201403", "es_20140321"] {
        let named = format!("lean:{}#{contract}", quote.display());
        let played = play(&[CaptureSpec::parse(&named)]);
        assert_eq!(played.known.instruments.rows()[0].symbol, "ES201403");
    }
    let named = format!("{}#es_201409", quote.display());
    let error = catalogue::for_captures(&[CaptureSpec::parse(&named)], &[]).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("`es_201409`; expected one of 201403, 201312"),
        "{text}"
    );
}

#[test]
fn trades_alone_make_quotes() {
    let folder = TempDir::new().unwrap();
    let text = "374,1323.4,1,usa,,0\n500,1323.5,2,usa,,0\n600,1323.5,0,usa,,0\n700,1323.5,3,usa,,0\n\
                800,1323.3,1,usa,,1\n900,1323.4,1,usa,,0\n";
    let path = write_zip(
        &folder,
        "gc_trade.zip",
        &[("20131008_gc_tick_trade_201312.csv", text)],
    );
    let played = play(&[spec(&path)]);
    let told: Vec<[i64; 4]> = quotes(&played.events).iter().map(|quote| quote.1).collect();
    let quote = |middle: i64, lots: i64| [middle - 1, lots * 100, middle + 1, lots * 100];
    let expected = [
        quote(13_234, 1),
        quote(13_235, 2),
        quote(13_235, 3),
        quote(13_234, 1),
    ];
    assert_eq!(told, expected);
    let sides: Vec<Side> = trades(&played.events).iter().map(|trade| trade.1).collect();
    assert_eq!(sides, [Side::Bid, Side::Bid, Side::Bid, Side::Ask]);
    let counts = (played.stats.sizeless, played.stats.suspicious);
    assert_eq!(counts, (1, 1));
    assert!(
        played.known.notes[0].contains("comex:GC201312 has trades only"),
        "{:?}",
        played.known.notes
    );
}

#[test]
fn damage_is_told_with_text_and_line_after_what_came_before() {
    let folder = TempDir::new().unwrap();
    let cases = [
        ("9,1,2\n10,1.3,2,\n", "expected 3 columns, found 4"),
        ("9,1,2\n10,x,2\n", "column 2, byte 0: expected a digit"),
        ("9,1,2\n8,1,2\n", "goes back in time"),
        ("9,1,2\n\n10,1,2\n", "expected 3 columns, found 1"),
        ("9,1,2\n86400000,1,2\n", "below 86400000"),
    ];
    for (text, cause) in cases {
        let entry = [("20131008_eurusd_tick_quote.csv", text)];
        let path = write_zip(&folder, "fxcm_eurusd.zip", &entry);
        let played = play(&[spec(&path)]);
        assert_eq!(quotes(&played.events).len(), 1, "{text}");
        let told = played.ended.unwrap_err().to_string();
        let place = "fxcm_eurusd.zip/20131008_eurusd_tick_quote.csv:2";
        assert!(told.contains(place) && told.contains(cause), "{told}");
    }
    let bar = "0,1667.5,1667.5,1667.5,1667.30,31,1667.75,1667.75,1667.5,1667.5,24\n";
    let path = write_zip(
        &folder,
        "es.zip",
        &[("20131008_es_minute_quote_201312.csv", bar)],
    );
    let told = play(&[spec(&path)]).ended.unwrap_err().to_string();
    assert!(told.contains("csv:1") && told.contains("tick"), "{told}");
}

fn refused(path: &Path) -> String {
    let spec = CaptureSpec::parse(&format!("lean:{}", path.display()));
    let error = catalogue::for_captures(&[spec], &[]).unwrap_err();
    error.to_string()
}

#[test]
fn what_is_no_such_zip_is_refused() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    assert!(refused(&at("missing.zip")).contains("cannot be read"));
    fs::write(at("text.zip"), "9,1,2\n").unwrap();
    assert!(refused(&at("text.zip")).contains("expected an intact zip"));
    let fx = [("20131008_eurusd_tick_quote.csv", "9,1,2\n")];
    let whole = write_zip(&folder, "fxcm.zip", &fx);
    let bytes = fs::read(&whole).unwrap();
    for length in 0..bytes.len() {
        fs::write(at("fxcm_cut.zip"), &bytes[..length]).unwrap();
        assert!(refused(&at("fxcm_cut.zip")).contains("fxcm_cut.zip"));
    }
    assert!(refused(&write_zip(&folder, "fxcm_empty.zip", &[])).contains("empty"));
    let path = write_zip(&folder, "nowhere.zip", &fx);
    assert!(refused(&path).contains("expected fxcm, oanda or equity"));
    let odd = [("20131008_nq_minute_quote_201312.csv", "")];
    let path = write_zip(&folder, "nq.zip", &odd);
    assert!(refused(&path).contains("known futures are ES, GC"));
    let path = write_zip(&folder, "daily.zip", &[("spy.csv", "")]);
    assert!(refused(&path).contains("holds `spy.csv`"));
}

/// Every byte of a zip changed once: refused or played, never a panic; what the checksum covers is noticed.
#[test]
fn changed_bytes_are_refused_or_harmless() {
    let folder = TempDir::new().unwrap();
    let entry = [("20131008_eurusd_tick_quote.csv", "9,1.1,1.2\n10,1.1,1.3\n")];
    let whole = write_zip(&folder, "oanda.zip", &entry);
    let bytes = fs::read(&whole).unwrap();
    let path = folder.path().join("oanda_changed.zip");
    let specs = [spec(&path)];
    let mut refused_count = 0;
    for position in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[position] ^= 0x10;
        fs::write(&path, &changed).unwrap();
        let Ok(known) = catalogue::for_captures(&specs, &[]) else {
            refused_count += 1;
            continue;
        };
        let opened = CaptureSource::open(&specs, &known.instruments, Pace::FlatOut, 7);
        if let Ok(mut source) = opened {
            let mut sink = Collector::default();
            while matches!(source.poll(&mut sink), Ok(Progress::Busy | Progress::Idle)) {}
        }
    }
    assert!(refused_count > 60, "{refused_count} of {}", bytes.len());
}

/// The source's own second bars are the last record of each side in its ticks, doubtful ones left out: so the last
/// records are the best quotes of all exchanges together, and ticks and bars must end every second alike.
#[test]
fn ticks_and_bars_of_a_share_agree() {
    for (symbol, seconds) in [("bac", 19_477), ("ibm", 12_801)] {
        let ticks = data_file(&format!("equities/ticks/{symbol}_20131008_quote.zip"));
        let bars = data_file(&format!("equities/seconds/{symbol}_20131008_quote.zip"));
        let (Some(ticks), Some(bars)) = (ticks, bars) else {
            return;
        };
        let by_second = |path: &Path, is_bar: bool| -> BTreeMap<i64, [i64; 4]> {
            let played = play(&[spec(path)]);
            played.ended.unwrap();
            let both = played.events.iter().filter_map(|event| {
                let [bid, ask] = match event.view() {
                    EventView::BookDelta(delta) => delta.levels,
                    EventView::Bbo(bbo) => [bbo.bid, bbo.ask],
                    _ => return None,
                };
                let ended_ns = event.ts_ingress_ns - if is_bar { SECOND_NS } else { 0 };
                let numbers = [bid.price, bid.quantity, ask.price, ask.quantity];
                Some((ended_ns / SECOND_NS, numbers))
            });
            both.collect()
        };
        let (of_ticks, of_bars) = (by_second(&ticks, false), by_second(&bars, true));
        let same = of_bars
            .iter()
            .filter(|(second, quote)| of_ticks.get(second) == Some(quote));
        assert_eq!(
            (same.count(), of_bars.len()),
            (seconds, seconds),
            "{symbol}"
        );
    }
}

/// The clocks: what the same event did at two venues is seen at the same moment.
#[test]
fn two_venues_move_together() {
    let paths = ["fxcm", "oanda"]
        .map(|venue| data_file(&format!("fx/ticks/{venue}_eurusd_20140508_quote.zip")));
    let [Some(fxcm), Some(oanda)] = paths else {
        return;
    };
    let minutes = |path: &Path| -> BTreeMap<i64, i64> {
        let played = play(&[spec(path)]);
        played.ended.unwrap();
        let all = quotes(&played.events).into_iter();
        all.map(|(ts_ns, quote)| (ts_ns / MINUTE_NS, quote[0] + quote[2]))
            .collect()
    };
    let (fxcm, oanda) = (minutes(&fxcm), minutes(&oanda));
    let far = |shift: i64| {
        let pairs = fxcm
            .iter()
            .filter_map(|(minute, mid)| Some((mid - oanda.get(&(minute + shift))?).abs()));
        let distances: Vec<i64> = pairs.collect();
        distances.iter().sum::<i64>() / i64::try_from(distances.len()).unwrap()
    };
    let together = far(0);
    for hours in [-5, -4, -1, 1, 4, 5] {
        let apart = far(60 * hours);
        assert!(apart > 8 * together, "{hours} h: {apart} {together}");
    }
}
