//! REST depth snapshots, fetched by a helper thread: one request after the other.
//!
//! Invariant: the polling thread never waits for an answer.

use std::{io, time::Duration};

use acth_core::instrument::InstrumentId;
use acth_wire::binance::Market;

use super::{
    rest::{FetchError, fetch},
    url::{Endpoint, snapshot_target},
};
use crate::helper::{Gone, Helper};

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
