//! Requests to a stream socket: the text of subscribing and unsubscribing.

use core::fmt::Write;

/// Most streams on one connection, by the venue's rules.
pub const STREAMS_MAX: usize = 1_024;

/// Why a request was not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// No stream, or more than a connection may have.
    #[error("expected 1 to 1024 streams, found {0}")]
    Count(usize),
    /// A name that is not made of letters, digits and `_@!.`.
    #[error("stream {0:?}: expected letters, digits, and the signs _ @ ! .")]
    Name(String),
}

/// The text that subscribes to `streams`, e.g. `btcusdt@depth@100ms`; the venue answers with `id`.
///
/// # Errors
/// `RequestError` for no stream, too many, or a name that could not stand in the text as it is.
pub fn subscribe_request(id: u64, streams: &[&str]) -> Result<String, RequestError> {
    request("SUBSCRIBE", id, streams)
}

/// The text that unsubscribes from `streams`.
///
/// # Errors
/// As `subscribe_request`.
pub fn unsubscribe_request(id: u64, streams: &[&str]) -> Result<String, RequestError> {
    request("UNSUBSCRIBE", id, streams)
}

fn request(method: &str, id: u64, streams: &[&str]) -> Result<String, RequestError> {
    if streams.is_empty() || streams.len() > STREAMS_MAX {
        return Err(RequestError::Count(streams.len()));
    }
    let mut text = format!("{{\"method\":\"{method}\",\"params\":[");
    for (index, stream) in streams.iter().enumerate() {
        if stream.is_empty() || !stream.chars().all(is_stream_char) {
            return Err(RequestError::Name((*stream).to_owned()));
        }
        if index > 0 {
            text.push(',');
        }
        text.push('"');
        text.push_str(stream);
        text.push('"');
    }
    // Writing to a `String` cannot fail.
    let _ = write!(text, "],\"id\":{id}}}");
    Ok(text)
}

/// Letters of any script: some symbols are not ASCII.
fn is_stream_char(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '@' | '!' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_text_is_written() {
        assert_eq!(
            subscribe_request(1, &["btcusdt@depth@100ms", "btcusdt@trade"]).unwrap(),
            r#"{"method":"SUBSCRIBE","params":["btcusdt@depth@100ms","btcusdt@trade"],"id":1}"#
        );
        assert_eq!(
            unsubscribe_request(7, &["!bookTicker"]).unwrap(),
            r#"{"method":"UNSUBSCRIBE","params":["!bookTicker"],"id":7}"#
        );
    }

    #[test]
    fn what_would_break_the_text_is_refused() {
        for name in ["", "a\"b", "a\\b", "a b", "a\nb"] {
            assert_eq!(
                subscribe_request(1, &[name]),
                Err(RequestError::Name(name.to_owned()))
            );
        }
        assert_eq!(subscribe_request(1, &[]), Err(RequestError::Count(0)));
        let many = vec!["a"; STREAMS_MAX + 1];
        assert_eq!(
            subscribe_request(1, &many),
            Err(RequestError::Count(STREAMS_MAX + 1))
        );
    }
}
