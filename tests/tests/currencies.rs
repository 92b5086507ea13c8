//! Two currencies from the command line: the world `currencies` is traded and replayed, and a ledger that knows nothing of the
//! hub's books, kept here from the journal alone, comes to the same integers: cash of every currency, equity, and what trades
//! and rates did to it.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{collections::BTreeMap, fs, path::Path};

use acth_core::{
    decision::{Decision, DecisionKind},
    event::{
        Bbo, BookDelta, BookState, Event, EventView, FundingSettled, Level, OrderFilled, Side,
        flags,
    },
    instrument::{Instrument, InstrumentId},
    money::Money,
};
use acth_engine::frames::{FrameClass, classify};
use acth_journal::Reader;
use acth_sim::world::{World, WorldConfig};
use acth_tests::{ending, run, run_json};
use serde_json::Value;
use zerocopy::FromBytes;

/// Cash at the start, in units of 10^-12.
const CASH: i128 = 1_000_000 * 10i128.pow(12);
const FUNDED: &str = "world_preset = \"currencies\"\n[world]\nfunding_interval_s = 5\n";

/// One instrument as the journal tells it.
#[derive(Default)]
struct Row {
    is_live: bool,
    bids: BTreeMap<i64, i64>,
    asks: BTreeMap<i64, i64>,
    book_update_id: u64,
    ticker: Option<Bbo>,
    /// The middle of the last quote.
    mark: i64,
    position: i64,
}

impl Row {
    fn set(&mut self, side: Side, level: Level) {
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

    /// The newer of ticker and book, while the book is live.
    fn middle(&self) -> Option<i64> {
        let ticker = self
            .ticker
            .filter(|ticker| ticker.update_id > self.book_update_id);
        let (bid, ask) = match ticker {
            Some(ticker) => (ticker.bid.price, ticker.ask.price),
            None => (*self.bids.keys().next_back()?, *self.asks.keys().next()?),
        };
        (self.is_live && bid > 0 && bid < ask).then_some((bid + ask).div_euclid(2))
    }
}

/// What a currency comes to.
#[derive(Default)]
struct Purse {
    cash: i128,
    /// What one unit is worth in the account's currency: mantissa and decimal places.
    rate: (i128, u32),
    /// Cash and positions in the account's currency, rounded down.
    worth: i128,
}

/// A ledger of cash, positions and rates.
struct Ledger {
    instruments: Vec<Instrument>,
    account: String,
    rows: Vec<Row>,
    purses: BTreeMap<String, Purse>,
    sides: BTreeMap<u64, i64>,
    earned: i128,
    revalued: i128,
    funding: i128,
    fees: BTreeMap<String, i128>,
}

fn floor(amount: i128, (mantissa, places): (i128, u32)) -> i128 {
    (amount * mantissa).div_euclid(10i128.pow(places))
}

impl Ledger {
    fn new(instruments: Vec<Instrument>, account: &str) -> Self {
        let mut purses: BTreeMap<String, Purse> = BTreeMap::new();
        for row in &instruments {
            purses.entry(row.quote.clone()).or_default();
        }
        let own = purses.get_mut(account).unwrap();
        (own.cash, own.rate, own.worth) = (CASH, (1, 0), CASH);
        Self {
            rows: instruments.iter().map(|_| Row::default()).collect(),
            instruments,
            account: account.to_owned(),
            purses,
            sides: BTreeMap::new(),
            earned: 0,
            revalued: 0,
            funding: 0,
            fees: BTreeMap::new(),
        }
    }

    /// Reads a journal from its first frame to its last.
    fn read(mut self, journal: &Path) -> Self {
        let mut reader = Reader::open(journal).unwrap();
        while let Some(frame) = reader.next().unwrap() {
            match classify(frame.kind) {
                FrameClass::Input(_) => self.take(&Event::read_from_bytes(frame.payload).unwrap()),
                FrameClass::Decision(DecisionKind::PlaceOrder) => {
                    let order = Decision::read_from_bytes(frame.payload).unwrap();
                    let side = order.side().unwrap().sign();
                    self.sides.insert(order.client_order_id, side);
                }
                _ => {}
            }
        }
        self
    }

    fn take(&mut self, event: &Event) {
        let id = event.instrument_id();
        match event.view() {
            EventView::BookDelta(delta) => self.on_levels(event, delta),
            EventView::Bbo(ticker) => {
                self.rows[id.index()].ticker = Some(*ticker);
                self.mark(id);
            }
            EventView::BookStateChanged(_) => {
                let is_live = event.detail == BookState::Live as u8;
                self.rows[id.index()].is_live = is_live;
                self.mark(id);
            }
            EventView::OrderFilled(fill) => self.on_fill(id, fill),
            EventView::FundingSettled(settled) => self.on_funding(id, settled),
            EventView::TimerFired(_) => self.refresh_rates(),
            _ => {}
        }
    }

    fn on_levels(&mut self, event: &Event, delta: &BookDelta) {
        let id = event.instrument_id();
        let row = &mut self.rows[id.index()];
        if event.has(flags::CLEAR) {
            (row.bids, row.asks) = (BTreeMap::new(), BTreeMap::new());
        }
        for index in 0..event.level_count() {
            row.set(event.level_side(index), delta.levels[index]);
        }
        if event.has(flags::LAST) {
            row.book_update_id = delta.update_id;
            self.mark(id);
        }
    }

    fn mark(&mut self, id: InstrumentId) {
        let row = &mut self.rows[id.index()];
        let Some(middle) = row.middle() else { return };
        row.mark = middle;
        if row.position != 0 {
            self.earned += self.settle(id);
        }
    }

    /// Price times quantity in units of 10^-12.
    fn notional(&self, id: InstrumentId, price: i64, quantity: i64) -> i128 {
        let row = &self.instruments[id.index()];
        let places = u32::from(row.price_exponent + row.quantity_exponent);
        i128::from(price) * i128::from(quantity) * 10i128.pow(12 - places)
    }

    fn purse(&mut self, id: InstrumentId) -> &mut Purse {
        let quote = &self.instruments[id.index()].quote;
        self.purses.get_mut(quote).unwrap()
    }

    fn on_fill(&mut self, id: InstrumentId, fill: &OrderFilled) {
        let signed = self.sides[&fill.client_order_id] * fill.quantity;
        let paid = self.notional(id, fill.price, signed);
        let fee = i128::from(fill.fee) * 10_000;
        self.purse(id).cash -= paid + fee;
        let quote = self.instruments[id.index()].quote.clone();
        *self.fees.entry(quote).or_default() += fee;
        self.rows[id.index()].position += signed;
        self.earned += self.settle(id);
    }

    fn on_funding(&mut self, id: InstrumentId, settled: &FundingSettled) {
        let row = &self.rows[id.index()];
        let price = Some(settled.price).filter(|price| *price > 0);
        let value = self.notional(id, price.unwrap_or(row.mark), row.position);
        let received = (value * -i128::from(settled.rate)).div_euclid(10i128.pow(12));
        self.purse(id).cash += received;
        self.funding += received;
        self.earned += self.settle(id);
    }

    /// Takes the rate that the market of EURUSDT gives, whichever of the two the account is in.
    fn refresh_rates(&mut self) {
        let names = self.instruments.iter();
        let place = names.enumerate().find(|(_, row)| row.symbol == "EURUSDT");
        let (place, row) = place.unwrap();
        let places = u32::from(row.price_exponent);
        let Some(middle) = self.rows[place].middle().map(i128::from) else {
            return;
        };
        let (other, rate) = match self.account.as_str() {
            "USDT" => ("EUR", (middle, places)),
            _ => ("USDT", (10i128.pow(places + 12) / middle, 12)),
        };
        self.purses.get_mut(other).unwrap().rate = rate;
        let mut rows = self.instruments.iter();
        let paid_in_it = rows.position(|row| row.quote == other).unwrap();
        self.revalued += self.settle(InstrumentId(paid_in_it as u16));
    }

    /// Values the currency of an instrument anew; by how much it grew in the account's.
    fn settle(&mut self, id: InstrumentId) -> i128 {
        let equity = self.equity(&self.instruments[id.index()].quote);
        let purse = self.purse(id);
        let before = purse.worth;
        purse.worth = floor(equity, purse.rate);
        purse.worth - before
    }

    /// Cash and positions of a currency, in that currency.
    fn equity(&self, currency: &str) -> i128 {
        let rows = self.instruments.iter().zip(&self.rows).enumerate();
        let paid_in_it = rows.filter(|(_, (row, _))| row.quote == currency);
        let values = paid_in_it.map(|(index, (_, row))| {
            self.notional(InstrumentId(index as u16), row.mark, row.position)
        });
        self.purses[currency].cash + values.sum::<i128>()
    }
}

/// An exact amount of the summary, in units of 10^-12.
fn units(value: &Value) -> i128 {
    value.as_str().unwrap().parse::<Money>().unwrap().0
}

fn currency<'a>(summary: &'a Value, name: &str) -> &'a Value {
    let mut rows = summary["account"]["currencies"].as_array().unwrap().iter();
    rows.find(|row| row["name"] == name).unwrap()
}

fn assert_same(ledger: &Ledger, summary: &Value) {
    let account = &summary["account"];
    assert_eq!(account["currency"], ledger.account.as_str());
    let mut equity = 0;
    for (name, purse) in &ledger.purses {
        let row = currency(summary, name);
        assert_eq!(units(&row["cash"]), purse.cash, "cash in {name}");
        let fees = ledger.fees.get(name).copied().unwrap_or(0);
        assert_eq!(units(&row["fees"]), fees, "fees in {name}");
        let worth = floor(ledger.equity(name), purse.rate);
        assert_eq!(units(&row["equity_in_account"]), worth, "worth of {name}");
        let (source, instrument) = if *name == ledger.account {
            ("Account", Value::Null)
        } else {
            ("Market", Value::from("binance-spot:EURUSDT"))
        };
        assert_eq!(row["rate_source"], source, "{name}");
        assert_eq!(row["rate_instrument"], instrument, "{name}");
        equity += worth;
    }
    assert_eq!(units(&account["earned"]), ledger.earned, "earned");
    assert_eq!(units(&account["revaluation"]), ledger.revalued, "revalued");
    assert_eq!(equity, CASH + ledger.earned + ledger.revalued);
    let told = units(&account["equity"]);
    assert!((told - equity).abs() < 10_000, "{told} for {equity}");
    let profits = ["realised", "unrealised"].map(|part| {
        let rows = account["currencies"].as_array().unwrap().iter();
        let parts = rows.map(|row| {
            floor(
                units(&row[part]),
                ledger.purses[row["name"].as_str().unwrap()].rate,
            )
        });
        (units(&account[part]) - parts.sum::<i128>()).abs()
    });
    assert!(
        profits.iter().all(|away| *away < 10_000),
        "at the present rates, to the hundred-millionth: {profits:?}"
    );
}

/// Trades for a minute with an account in this currency; the summary, and the journal's place below `folder`.
fn traded(folder: &Path, account: &str) -> Value {
    let (config, journal) = (folder.join("acth.toml"), folder.join(account));
    let text =
        format!("strategy = \"agent-network\"\n{FUNDED}[account]\ncurrency = \"{account}\"\n");
    fs::write(&config, text).unwrap();
    let summary = run_json(&[
        "backtest",
        "--world",
        "currencies",
        "--duration",
        "60s",
        "--json",
        "--config",
        config.to_str().unwrap(),
        "--journal",
        journal.to_str().unwrap(),
    ]);
    let replay = run_json(&["replay", journal.to_str().unwrap(), "--json"]);
    assert_eq!(replay["identical"], true, "{replay}");
    assert_eq!(replay["account"], summary["account"]);
    summary
}

/// Trades, and keeps the books again from the journal.
fn assert_conserved(account: &str) {
    let folder = tempfile::tempdir().unwrap();
    let summary = traded(folder.path(), account);
    let world = World::new(WorldConfig::preset("currencies").unwrap(), 1).unwrap();
    let ledger = Ledger::new(world.instruments().rows().to_vec(), account);
    let ledger = ledger.read(&folder.path().join(account));
    // Nothing is shown by sums of nothing.
    assert!(ledger.fees["EUR"] > 0 && ledger.fees["USDT"] > 0);
    assert!(ledger.funding != 0, "funding of the perpetual");
    assert!(ledger.revalued != 0 && ledger.earned != 0);
    assert!(ledger.purses.values().all(|purse| purse.cash % CASH != 0));
    assert_same(&ledger, &summary);
}

#[test]
fn an_account_in_usdt_is_what_its_journal_says() {
    assert_conserved("USDT");
}

#[test]
fn an_account_in_eur_is_what_its_journal_says() {
    assert_conserved("EUR");
}

#[test]
fn the_lag_of_the_books_in_euros_is_found_and_earned_in_euros() {
    let folder = tempfile::tempdir().unwrap();
    let summary = traded(folder.path(), "USDT");
    let leads = summary["findings"]["leads"].as_array().unwrap();
    for (symbol, lag_ms) in [("BTCEUR", 250.0), ("ETHEUR", 350.0)] {
        let found = leads.iter().find(|lead| {
            let follower = lead["follower"].as_str().unwrap();
            follower == format!("binance-spot:{symbol}")
        });
        let found = found.unwrap_or_else(|| panic!("no leader of {symbol}: {leads:?}"));
        assert_eq!(found["lag_ms"].as_f64(), Some(lag_ms), "{symbol}: {found}");
    }
    let euros = currency(&summary, "EUR");
    assert!(units(&euros["equity"]) > 0, "earned in euros: {euros}");
    let page = folder.path().join("page.html");
    let journal = folder.path().join("USDT");
    let places = [journal.to_str().unwrap(), page.to_str().unwrap()];
    let told = run(&["report", places[0], "--output", places[1]]);
    assert!(told.status.success(), "{told:?}");
    let page = fs::read_to_string(page).unwrap();
    for key in ["earned", "revaluation"] {
        let exact = units(&summary["account"][key]);
        let fact = format!("data-fact=\"{key}\" data-exact=\"{}\"", Money(exact));
        assert!(page.contains(&fact), "{fact}");
    }
    assert!(page.contains("the market of binance-spot:EURUSDT"));
}

/// The two numbers of a refusal for the cash in euros.
fn euros_told(words: &str) -> (Money, Money) {
    let begin = "--rearm: the venue and this journal differ: EUR in cash on binance-spot: ";
    let numbers = words.strip_prefix(begin);
    let numbers = numbers.unwrap_or_else(|| panic!("{words}"));
    let (ours, rest) = numbers.split_once(" here, ").unwrap();
    let (theirs, _) = rest.split_once(" at the venue").unwrap();
    (ours.parse().unwrap(), theirs.parse().unwrap())
}

/// The venue has 100 euros more than the hub believes: told always, refused only beyond a tolerance.
#[test]
fn cash_that_differs_is_told_and_stops_a_hub_only_beyond_the_tolerance() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("j");
    let place = journal.to_str().unwrap();
    let config = folder.path().join("acth.toml");
    let arguments = [
        "run",
        "--world",
        "currencies",
        "--duration",
        "1s",
        "--json",
        "--config",
        config.to_str().unwrap(),
        "--journal",
        place,
    ];
    let write = |tolerance: &str| {
        let holdings = "[paper.holdings]\n\"binance-spot:EURUSDT\" = \"100\"";
        // A run of a second may end before the market gives a rate; what nobody can value is beyond every tolerance.
        let account = "[account]\nrates = { EUR = 1.085 }";
        let text = format!("{account}\n{tolerance}\n{holdings}\n");
        fs::write(&config, text).unwrap();
    };
    write("");
    run_json(&arguments);
    let killed = run(&["kill", place, "--wait", "50ms"]);
    assert_eq!(killed.status.code(), Some(1), "nobody answers");
    let rearm = [&arguments[..], &["--rearm"]].concat();

    // 100 euros are between 105 and 115 USDT.
    write("cash_tolerance = 105");
    let words = ending::refusal(&run(&rearm), 2);
    let (ours, theirs) = euros_told(&words);
    assert!(
        (theirs - ours - Money::from_units(100)).abs() < Money(10_000),
        "{words}"
    );
    assert!(folder.path().join("j.kill").exists());

    for tolerance in ["cash_tolerance = 115", ""] {
        run(&["kill", place, "--wait", "50ms"]);
        write(tolerance);
        let rearmed = run_json(&rearm);
        let notes = rearmed["warnings"].as_array().unwrap().iter();
        let told = notes.filter(|note| note.as_str().unwrap().contains("EUR in cash"));
        assert_eq!(told.count(), 1, "{rearmed}");
        assert!(!folder.path().join("j.kill").exists());
    }
}
