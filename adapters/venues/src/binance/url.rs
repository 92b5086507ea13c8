//! Addresses of plain connections: `ws://host:port/path` and `http://host:port/path`.

use acth_core::{
    instrument::{Contract, Instrument},
    port::PortError,
};
use acth_wire::binance::Market;

/// Port of a plain connection that names none.
const PORT_DEFAULT: u16 = 80;

/// Where to connect, and the path to put before every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// Name or address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Host and port as written: what requests name.
    pub(super) authority: String,
    /// Empty, or begins with a slash; never ends with one.
    pub(super) path: String,
}

/// Reads an address of the plain scheme `ws` or `http`.
pub(super) fn parse(text: &str, scheme: &str) -> Result<Endpoint, PortError> {
    let refuse = |cause: String| Err(PortError::new(text, cause));
    let form = format!("expected {scheme}://host:port");
    let Some((found, rest)) = text.split_once("://") else {
        return refuse(format!("has no scheme; {form}"));
    };
    if found == "wss" || found == "https" {
        return refuse(format!(
            "needs TLS, which this session does not speak; {form}, for example of a local TLS proxy"
        ));
    }
    if found != scheme {
        return refuse(format!("has the scheme {found}; {form}"));
    }
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    if text.bytes().any(|byte| !byte.is_ascii_graphic()) || path.contains(['?', '#']) {
        return refuse(format!("has blanks, control characters or a query; {form}"));
    }
    let (host, port) = match split_port(authority) {
        Some((host, port)) if !host.is_empty() => (host, port),
        _ => return refuse(format!("has no valid host and port; {form}")),
    };
    Ok(Endpoint {
        host: host.to_owned(),
        port,
        authority: authority.to_owned(),
        path: path.trim_end_matches('/').to_owned(),
    })
}

fn split_port(authority: &str) -> Option<(&str, u16)> {
    if let Some(bracketed) = authority.strip_prefix('[') {
        let (host, rest) = bracketed.split_once(']')?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, port.parse().ok()?)),
            None => rest.is_empty().then_some((host, PORT_DEFAULT)),
        };
    }
    match authority.split_once(':') {
        Some((host, port)) => Some((host, port.parse().ok()?)),
        None => Some((authority, PORT_DEFAULT)),
    }
}

/// What to ask the stream server for: depth, best bid and offer and trades of every symbol, and the mark price and next funding
/// of every perpetual, over one connection.
pub(super) fn streams_target<'a>(
    endpoint: &Endpoint,
    market: Market,
    instruments: impl Iterator<Item = &'a Instrument>,
) -> String {
    let mut target = format!("{}/stream?streams=", endpoint.path);
    for (index, instrument) in instruments.enumerate() {
        let name = escaped(&instrument.symbol.to_lowercase());
        let separator = if index == 0 { "" } else { "/" };
        target += &format!("{separator}{name}@depth@100ms/{name}@bookTicker/{name}@trade");
        if market == Market::UsdM && instrument.contract == Contract::Perpetual {
            target += &format!("/{name}@markPrice@1s");
        }
    }
    target
}

/// What to ask the REST server for: the deepest snapshot of one symbol.
pub(super) fn snapshot_target(endpoint: &Endpoint, market: Market, symbol: &str) -> String {
    let (path, limit) = match market {
        Market::Spot => ("/api/v3/depth", 5_000),
        Market::UsdM => ("/fapi/v1/depth", 1_000),
    };
    let symbol = escaped(symbol);
    format!("{}{path}?symbol={symbol}&limit={limit}", endpoint.path)
}

/// Where to ask for what the account holds: balances on spot, positions on USD-M.
pub(super) fn holdings_path(endpoint: &Endpoint, market: Market) -> String {
    let path = match market {
        Market::Spot => "/api/v3/account",
        Market::UsdM => "/fapi/v2/positionRisk",
    };
    format!("{}{path}", endpoint.path)
}

/// Where to ask for the cancel of all open orders of one symbol.
pub(super) fn cancel_all_path(endpoint: &Endpoint, market: Market) -> String {
    let path = match market {
        Market::Spot => "/api/v3/openOrders",
        Market::UsdM => "/fapi/v1/allOpenOrders",
    };
    format!("{}{path}", endpoint.path)
}

/// Where to ask for the venue's clock.
pub(super) fn time_target(endpoint: &Endpoint, market: Market) -> String {
    let path = match market {
        Market::Spot => "/api/v3/time",
        Market::UsdM => "/fapi/v1/time",
    };
    format!("{}{path}", endpoint.path)
}

/// What to ask the REST server for: the rules of every symbol.
pub(super) fn listing_target(endpoint: &Endpoint, market: Market) -> String {
    let path = match market {
        Market::Spot => "/api/v3/exchangeInfo",
        Market::UsdM => "/fapi/v1/exchangeInfo",
    };
    format!("{}{path}", endpoint.path)
}

/// Percent-encodes whatever is not a letter, digit or one of `-_.`: some symbols are not ASCII.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped += &format!("%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_port_and_path_are_found() {
        let parts = |text: &str, scheme: &str| {
            let endpoint = parse(text, scheme).unwrap();
            (endpoint.host, endpoint.port, endpoint.path)
        };
        let expected = |host: &str, port, path: &str| (host.to_owned(), port, path.to_owned());
        assert_eq!(
            parts("ws://localhost:9", "ws"),
            expected("localhost", 9, "")
        );
        assert_eq!(
            parts("ws://a.b/public/", "ws"),
            expected("a.b", 80, "/public")
        );
        assert_eq!(
            parts("http://[::1]:8080/x/y", "http"),
            expected("::1", 8080, "/x/y")
        );
    }

    #[test]
    fn what_cannot_be_spoken_is_refused_in_a_sentence() {
        for text in [
            "",
            "localhost:9",
            "ws://",
            "ws://:9",
            "ws://a:b",
            "ws://a:70000",
            "ws://a b",
        ] {
            assert!(parse(text, "ws").is_err(), "{text}");
        }
        let error = parse("wss://stream.binance.com:9443", "ws").unwrap_err();
        assert!(error.to_string().contains("needs TLS"), "{error}");
        assert!(parse("http://a:1", "ws").is_err());
    }
}
