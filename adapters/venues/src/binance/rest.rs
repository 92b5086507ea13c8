//! One REST request over a connection of its own, blocking, with a time limit.
//!
//! Invariant: an answer that is late, too long or no answer at all becomes an error with a sentence, within the time
//! allowed.

use std::{
    io::{self, Read, Write},
    time::{Duration, Instant},
};

use acth_wire::http::{ResponseReader, get_request};

use super::{
    connector::{Timed, open_tcp},
    url::Endpoint,
};

/// Statuses by which the venue says that we ask too often: too many requests, and banned for going on.
const TOO_OFTEN: [u16; 2] = [429, 418];

/// Why an answer did not come.
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

/// A whole answer, whatever its status.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) retry_after_s: Option<u64>,
}

/// Asks for `target` and waits for the whole answer.
pub(super) fn fetch(
    endpoint: &Endpoint,
    target: &str,
    timeout: Duration,
) -> Result<Vec<u8>, FetchError> {
    let request = get_request(&endpoint.authority, target)
        .map_err(|error| FetchError::Failed(error.to_string()))?;
    let answer = exchange(endpoint, &request, timeout).map_err(FetchError::Failed)?;
    match answer.status {
        200 => Ok(answer.body),
        status if TOO_OFTEN.contains(&status) => Err(FetchError::TooOften {
            status,
            retry_after_s: answer.retry_after_s,
        }),
        status => Err(FetchError::Status(status)),
    }
}

/// Sends the text of a request and waits for the whole answer; what went wrong, in a sentence, when there is none.
pub(super) fn exchange(
    endpoint: &Endpoint,
    request: &str,
    timeout: Duration,
) -> Result<Answer, String> {
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    let deadline = Instant::now() + timeout;
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
                return Err("timed out".to_owned());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(&error)),
        }
    }
    Ok(Answer {
        status: reader.status(),
        body: reader.body().to_vec(),
        retry_after_s: reader.retry_after_s(),
    })
}
