//! REST depth snapshots, fetched by a helper thread: one request after the other, each over its own connection.
//!
//! Invariant: the polling thread never waits for an answer; an answer that is late, too long or no answer at all
//! becomes an error with a sentence, within the time allowed.

use std::{
    io::{self, Read, Write},
    time::{Duration, Instant},
};

use acth_core::instrument::InstrumentId;
use acth_wire::{
    binance::Market,
    http::{ResponseReader, get_request},
};

use super::{
    connector::{Timed, open_tcp},
    url::{Endpoint, snapshot_target},
};
use crate::helper::{Gone, Helper};

/// Statuses by which the venue says that we ask too often: too many requests, and banned for going on.
const TOO_OFTEN: [u16; 2] = [429, 418];

/// Why a snapshot did not come.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FetchError {
    /// The venue wants fewer requests.
    #[error("status {status}: the venue wants fewer requests")]
    TooOften {
        /// The HTTP status.
        status: u16,
        /// How long it wants us to wait, where it says so.
        retry_after_s: Option<u64>,
    },
    /// Another status than 200.
    #[error("status {0}; expected 200")]
    Status(u16),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// The end of one request.
#[derive(Debug)]
pub(super) struct SnapshotAnswer {
    pub(super) instrument: InstrumentId,
    pub(super) body: Result<Vec<u8>, FetchError>,
}

/// The near end of the fetcher.
#[derive(Debug)]
pub(super) struct SnapshotFetcher {
    helper: Helper<InstrumentId, SnapshotAnswer>,
}

impl SnapshotFetcher {
    /// Starts the thread; each instrument may have one request waiting.
    pub(super) fn spawn(
        name: String,
        market: Market,
        endpoint: Endpoint,
        symbols: Vec<(InstrumentId, String)>,
        timeout: Duration,
    ) -> io::Result<Self> {
        let capacity = symbols.len();
        let helper = Helper::spawn(name, capacity, move |instrument: InstrumentId| {
            let symbol = symbols.iter().find(|(id, _)| *id == instrument);
            let body = match symbol {
                Some((_, symbol)) => fetch(
                    &endpoint,
                    &snapshot_target(&endpoint, market, symbol),
                    timeout,
                ),
                None => Err(FetchError::Failed("no symbol of this session".to_owned())),
            };
            SnapshotAnswer { instrument, body }
        })?;
        Ok(Self { helper })
    }

    /// Asks for a snapshot. False when no request fits in just now.
    pub(super) fn try_request(&self, instrument: InstrumentId) -> bool {
        self.helper.try_request(instrument)
    }

    /// An answer, if one is there.
    pub(super) fn try_answer(&self) -> Result<Option<SnapshotAnswer>, Gone> {
        self.helper.try_answer()
    }
}

fn fetch(endpoint: &Endpoint, target: &str, timeout: Duration) -> Result<Vec<u8>, FetchError> {
    let failed = |error: &dyn std::fmt::Display| FetchError::Failed(error.to_string());
    let deadline = Instant::now() + timeout;
    let request = get_request(&endpoint.authority, target).map_err(|error| failed(&error))?;
    let stream = open_tcp(endpoint, timeout).map_err(|error| failed(&error))?;
    let mut stream = Timed { stream, deadline };
    stream
        .write_all(request.as_bytes())
        .map_err(|error| failed(&error))?;
    let mut reader = ResponseReader::new();
    let mut piece = vec![0; 64 * 1024];
    while !reader.is_complete() {
        match stream.read(&mut piece) {
            Ok(0) => {
                reader.finish().map_err(|error| failed(&error))?;
                break;
            }
            Ok(count) => reader
                .receive(&piece[..count])
                .map(|_| ())
                .map_err(|error| failed(&error))?,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(FetchError::Failed("timed out".to_owned()));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(&error)),
        }
    }
    match reader.status() {
        200 => Ok(reader.body().to_vec()),
        status if TOO_OFTEN.contains(&status) => Err(FetchError::TooOften {
            status,
            retry_after_s: reader.retry_after_s(),
        }),
        status => Err(FetchError::Status(status)),
    }
}
