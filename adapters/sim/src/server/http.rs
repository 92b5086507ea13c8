//! As much HTTP/1.1 as the venue needs: heads of requests in, short answers out.
//!
//! Invariant: nothing is believed beyond `HEAD_BYTES_MAX`; a body is never read.

use tungstenite::handshake::derive_accept_key;

/// Longest head of a request.
pub(super) const HEAD_BYTES_MAX: usize = 16 * 1_024;

/// The head of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RequestHead {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    /// Client wants this connection for the next request too.
    pub(super) keeps_alive: bool,
    /// Present when a WebSocket is asked for: the client's key.
    pub(super) socket_key: Option<String>,
    /// The account's key, where the client names one.
    pub(super) api_key: Option<String>,
    /// Length of the head with its empty line.
    pub(super) length_bytes: usize,
}

/// Why a head cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeadError {
    /// Longer than the bound.
    TooLong,
    /// Not HTTP/1.1, or a line without its colon.
    Malformed,
}

/// Reads a head; `None` while it is incomplete.
pub(super) fn parse_head(bytes: &[u8]) -> Result<Option<RequestHead>, HeadError> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if bytes.len() >= HEAD_BYTES_MAX {
            Err(HeadError::TooLong)
        } else {
            Ok(None)
        };
    };
    let text = core::str::from_utf8(&bytes[..end]).map_err(|_| HeadError::Malformed)?;
    let mut lines = text.split("\r\n");
    let mut head = parse_request_line(lines.next().unwrap_or_default())?;
    head.length_bytes = end + 4;
    let (mut wants_upgrade, mut key) = (false, None);
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(HeadError::Malformed)?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("connection") {
            let has = |word: &str| {
                value
                    .split(',')
                    .any(|one| one.trim().eq_ignore_ascii_case(word))
            };
            head.keeps_alive = !has("close");
        } else if name.eq_ignore_ascii_case("upgrade") {
            wants_upgrade = value.eq_ignore_ascii_case("websocket");
        } else if name.eq_ignore_ascii_case("sec-websocket-key") {
            key = Some(value.to_owned());
        } else if name.eq_ignore_ascii_case("x-mbx-apikey") {
            head.api_key = Some(value.to_owned());
        }
    }
    head.socket_key = key.filter(|_| wants_upgrade);
    Ok(Some(head))
}

fn parse_request_line(line: &str) -> Result<RequestHead, HeadError> {
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1"), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(HeadError::Malformed);
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Ok(RequestHead {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        keeps_alive: true,
        ..RequestHead::default()
    })
}

/// An answer with a JSON body.
pub(super) fn answer(status: u16, body: &str, keeps_alive: bool) -> Vec<u8> {
    let reason = match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        431 => "Request Header Fields Too Large",
        _ => "Service Unavailable",
    };
    let connection = if keeps_alive { "keep-alive" } else { "close" };
    format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: {}\r\n\
         x-mbx-used-weight-1m: 1\r\nConnection: {connection}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The answer that turns the connection into a WebSocket.
pub(super) fn switch_protocols(socket_key: &str) -> Vec<u8> {
    let accept = derive_accept_key(socket_key.as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
    .into_bytes()
}

/// The value of a query parameter, percent-decoded.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    percent_decode(value)
}

/// `None` for a broken escape or text that is not UTF-8.
pub(super) fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push((high * 16 + low) as u8);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_or_refused() {
        let text =
            b"GET /ws/a@b?x=1 HTTP/1.1\r\nHost: h\r\nCONNECTION: Upgrade\r\nupgrade: WebSocket\r\n\
                     Sec-WebSocket-Key: k==\r\n\r\nrest";
        let head = parse_head(text).unwrap().unwrap();
        assert_eq!(
            (head.path.as_str(), head.query.as_str()),
            ("/ws/a@b", "x=1")
        );
        assert_eq!(head.socket_key.as_deref(), Some("k=="));
        assert_eq!(&text[head.length_bytes..], b"rest");
        assert_eq!(parse_head(b"GET / HTTP/1.1\r\nHost"), Ok(None));
        assert_eq!(parse_head(b"GET /\r\n\r\n"), Err(HeadError::Malformed));
        assert_eq!(parse_head(&[b'x'; HEAD_BYTES_MAX]), Err(HeadError::TooLong));
    }

    #[test]
    fn parameters_are_decoded() {
        let query = "limit=5&symbols=%5B%22A%22%5D&bad=%4";
        assert_eq!(parameter(query, "limit").as_deref(), Some("5"));
        assert_eq!(parameter(query, "symbols").as_deref(), Some("[\"A\"]"));
        assert_eq!(parameter(query, "bad"), None);
        assert_eq!(parameter(query, "none"), None);
    }
}
