//! What can be asked of an account over signed REST requests: what it holds, and the cancel of everything that is open.
//!
//! An `AccountDesk` asks and waits. An `AccountSink` is a sink of commands around another one: orders and cancels go where
//! they went before, and `cancel_all` also has the venue itself cancel, with its one request for it per symbol, from threads of
//! its own; so a kill needs neither the core nor an order session that still lives.
//!
//! Invariant: no call of the sink waits for the venue. A request whose outcome is unknown is sent again: cancelling twice does no harm.

use std::{
    io, thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use acth_core::{
    decision::Outbound,
    port::{CommandSink, PortError},
};
use acth_wire::{
    binance::{self, ApiKey, Holding, Market},
    http::keyed_request,
};

use super::{
    rest::{Answer, exchange, fetch},
    url::{self, Endpoint},
};
use crate::helper::Helper;

/// Times that a cancel of a symbol is asked for until the venue says that it is done.
const CANCEL_TRIES: u32 = 5;
/// Rest between two of them.
const CANCEL_REST: Duration = Duration::from_millis(50);
/// The venue's code for "nothing of that is open".
const NOTHING_OPEN: i64 = -2_011;

/// Asks one market for one account.
#[derive(Clone, Debug)]
pub struct AccountDesk {
    market: Market,
    rest_url: String,
    endpoint: Endpoint,
    key: ApiKey,
    timeout: Duration,
    /// What the venue's clock is ahead of ours, ms.
    ahead_ms: i64,
}

impl AccountDesk {
    /// A desk whose requests are stamped by the venue's clock, which is asked for here. Blocks up to `timeout`, as every
    /// request.
    ///
    /// # Errors
    /// When the address cannot be used, or the venue does not tell its time.
    pub fn open(
        market: Market,
        rest_url: &str,
        key: ApiKey,
        timeout: Duration,
    ) -> Result<Self, PortError> {
        let endpoint = url::parse(rest_url, "http")?;
        let refuse = |cause: String| PortError::new(format!("{rest_url}: time"), cause);
        let target = url::time_target(&endpoint, market);
        let body = fetch(&endpoint, &target, timeout).map_err(|error| refuse(error.to_string()))?;
        let venue_ms = binance::server_time(&body).map_err(|error| refuse(error.to_string()))?;
        Ok(Self {
            market,
            rest_url: rest_url.to_owned(),
            endpoint,
            key,
            timeout,
            ahead_ms: venue_ms.saturating_sub(present_ms()),
        })
    }

    /// Which market it asks.
    pub const fn market(&self) -> Market {
        self.market
    }

    /// What the account holds: balances by asset on spot, positions by symbol on USD-M. What is not named is not held.
    ///
    /// # Errors
    /// When no answer comes, the venue refuses, or the answer cannot be read.
    pub fn holdings(&self) -> Result<Vec<Holding>, PortError> {
        let path = url::holdings_path(&self.endpoint, self.market);
        let answer = self.ask("GET", &path, "")?;
        let read = match self.market {
            Market::Spot => binance::balances(&answer.body),
            Market::UsdM => binance::positions(&answer.body),
        };
        read.map_err(|error| self.refuse(&path, error.to_string()))
    }

    /// Has the venue cancel everything of ours that is open in a symbol. Nothing open is no failure.
    ///
    /// # Errors
    /// When no answer comes or the venue refuses: what is open may or may not be cancelled then.
    pub fn cancel_all(&self, symbol: &str) -> Result<(), PortError> {
        let path = url::cancel_all_path(&self.endpoint, self.market);
        let parameters = format!("symbol={}", url::escaped(symbol));
        self.ask("DELETE", &path, &parameters).map(|_| ())
    }

    fn refuse(&self, path: &str, cause: String) -> PortError {
        PortError::new(format!("{}: {path}", self.rest_url), cause)
    }

    fn ask(&self, method: &str, path: &str, parameters: &str) -> Result<Answer, PortError> {
        let refuse = |cause: String| self.refuse(path, cause);
        let ts_ms = present_ms().saturating_add(self.ahead_ms);
        let query = self.key.signed_query(parameters, ts_ms);
        let target = format!("{path}?{query}");
        let request = keyed_request(method, &self.endpoint.authority, &target, self.key.name())
            .map_err(|_| refuse("cannot be written as a request".to_owned()))?;
        let answer = exchange(&self.endpoint, &request, self.timeout).map_err(refuse)?;
        match (answer.status, binance::refusal(&answer.body)) {
            (200, _) | (_, Some((NOTHING_OPEN, _))) => Ok(answer),
            (status, Some((code, words))) => {
                Err(refuse(format!("status {status}, code {code}: {words}")))
            }
            (status, None) => Err(refuse(format!("status {status}; expected 200"))),
        }
    }
}

fn present_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let ms = since.map_or(0, |since| since.as_millis());
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// A sink of commands whose `cancel_all` also goes to the venue's own request for it.
#[derive(Debug)]
pub struct AccountSink<S> {
    inner: S,
    lines: Vec<Line>,
}

/// One market: a thread that cancels symbol after symbol.
#[derive(Debug)]
struct Line {
    name: String,
    helper: Helper<(), ()>,
}

impl<S: CommandSink> AccountSink<S> {
    /// A sink that sends what `inner` sends, and has each desk cancel its symbols.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn new(inner: S, desks: Vec<(AccountDesk, Vec<String>)>) -> Result<Self, PortError> {
        let lines = desks.into_iter().map(|(desk, symbols)| {
            let name = desk.rest_url.clone();
            let refuse =
                |error: io::Error| PortError::new(&*name, format!("no helper thread: {error}"));
            let thread = format!("cancel-{}", super::venue_name(desk.market));
            let work = move |()| symbols.iter().for_each(|symbol| cancel(&desk, symbol));
            let helper = Helper::spawn(thread, 1, work).map_err(refuse)?;
            Ok(Line { name, helper })
        });
        Ok(Self {
            inner,
            lines: lines.collect::<Result<_, PortError>>()?,
        })
    }
}

/// Asks until the venue says that it is done, or has not said so often enough.
fn cancel(desk: &AccountDesk, symbol: &str) {
    for attempt in 1..=CANCEL_TRIES {
        match desk.cancel_all(symbol) {
            Ok(()) => return,
            Err(error) => {
                tracing::error!(symbol, attempt, %error, "the venue did not confirm the cancel of everything");
            }
        }
        if attempt < CANCEL_TRIES {
            thread::sleep(CANCEL_REST);
        }
    }
}

impl<S: CommandSink> CommandSink for AccountSink<S> {
    fn submit(&mut self, outbound: &Outbound) -> Result<(), PortError> {
        self.inner.submit(outbound)
    }

    fn flush(&mut self) -> Result<(), PortError> {
        self.inner.flush()
    }

    fn cancel_all(&mut self) -> Result<(), PortError> {
        let mut result = self.inner.cancel_all();
        for line in &self.lines {
            // What an earlier request came to is in the log.
            let is_alive = line.helper.try_answer().is_ok();
            // A request that waits already covers this one.
            let _ = line.helper.try_request(());
            if !is_alive {
                let gone = PortError::new(&*line.name, "the thread that cancels ended");
                result = result.and(Err(gone));
            }
        }
        result
    }
}
