//! What a stream connection listens to, and the messages by which it says so.

use acth_core::instrument::{InstrumentId, Instruments};
use serde_json::Value;

use crate::{encode::Market, world::MessageBody};

/// Most streams of one connection.
pub(super) const STREAMS_MAX: usize = 1_024;
/// Longest id of a control message given as text.
const ID_CHARS_MAX: usize = 36;

/// The kinds of streams that the world feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamKind {
    Trade,
    AggregateTrade,
    BookTicker,
    Depth,
    MarkPrice,
}

impl StreamKind {
    pub(super) const fn of(body: &MessageBody<'_>) -> Self {
        match body {
            MessageBody::Trade { .. } => Self::Trade,
            MessageBody::AggregateTrade { .. } => Self::AggregateTrade,
            MessageBody::BookTicker { .. } => Self::BookTicker,
            MessageBody::DepthDiff { .. } => Self::Depth,
            MessageBody::MarkPrice { .. } => Self::MarkPrice,
        }
    }

    /// Every speed of a depth or mark price stream is served at the world's own.
    fn parse(text: &str) -> Option<Self> {
        match text {
            "trade" => Some(Self::Trade),
            "aggTrade" => Some(Self::AggregateTrade),
            "bookTicker" => Some(Self::BookTicker),
            "depth" | "depth@0ms" | "depth@100ms" | "depth@250ms" | "depth@500ms"
            | "depth@1000ms" => Some(Self::Depth),
            "markPrice" | "markPrice@1s" => Some(Self::MarkPrice),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
struct Subscription {
    name: String,
    /// `None` for a name that nothing feeds: acknowledged, then silent, as at the venue.
    fed_by: Option<(InstrumentId, StreamKind)>,
}

/// The streams of one connection.
#[derive(Clone, Debug)]
pub(super) struct Subscriptions {
    market: Market,
    is_combined: bool,
    rows: Vec<Subscription>,
}

impl Subscriptions {
    pub(super) const fn new(market: Market, is_combined: bool) -> Self {
        Self {
            market,
            is_combined,
            rows: Vec::new(),
        }
    }

    pub(super) const fn is_combined(&self) -> bool {
        self.is_combined
    }

    pub(super) const fn market(&self) -> Market {
        self.market
    }

    /// The names under which a message goes to this connection.
    pub(super) fn names(&self, id: InstrumentId, kind: StreamKind) -> impl Iterator<Item = &str> {
        let rows = self.rows.iter();
        rows.filter(move |row| row.fed_by == Some((id, kind)))
            .map(|row| row.name.as_str())
    }

    /// Adds a stream; false when there are too many.
    pub(super) fn add(&mut self, name: &str, instruments: &Instruments) -> bool {
        if self.rows.iter().any(|row| row.name == name) {
            return true;
        }
        if self.rows.len() == STREAMS_MAX {
            return false;
        }
        self.rows.push(Subscription {
            name: name.to_owned(),
            fed_by: self.resolve(name, instruments),
        });
        true
    }

    /// Acts on a control message; what to answer.
    pub(super) fn control(&mut self, text: &str, instruments: &Instruments) -> String {
        match self.try_control(text, instruments) {
            Ok((result, id)) => format!("{{\"result\":{result},\"id\":{id}}}"),
            Err((code, cause)) => {
                let message = Value::String(cause);
                format!("{{\"code\":{code},\"msg\":{message}}}")
            }
        }
    }

    fn try_control(
        &mut self,
        text: &str,
        instruments: &Instruments,
    ) -> Result<(Value, Value), (u8, String)> {
        let invalid = |cause: &str| (2, format!("Invalid request: {cause}"));
        let request: Value =
            serde_json::from_str(text).map_err(|error| (3, format!("Invalid JSON: {error}")))?;
        let id = request.get("id").cloned().unwrap_or(Value::Null);
        let is_id = match &id {
            Value::Null => true,
            Value::Number(number) => number.is_i64() || number.is_u64(),
            Value::String(text) => text.chars().count() <= ID_CHARS_MAX,
            _ => false,
        };
        if !is_id {
            return Err(invalid("request ID must be an integer, a string or null"));
        }
        let params = request.get("params").and_then(Value::as_array);
        let params = params.map_or(&[][..], Vec::as_slice);
        let result = match request.get("method").and_then(Value::as_str) {
            Some("SUBSCRIBE") => self.subscribe(params, instruments)?,
            Some("UNSUBSCRIBE") => self.unsubscribe(params)?,
            Some("LIST_SUBSCRIPTIONS") => {
                Value::from_iter(self.rows.iter().map(|row| row.name.clone()))
            }
            Some("SET_PROPERTY") => match params {
                [Value::String(name), Value::Bool(value)] if name == "combined" => {
                    self.is_combined = *value;
                    Value::Null
                }
                _ => return Err((0, "Unknown property or value type".to_owned())),
            },
            Some("GET_PROPERTY") => match params {
                [Value::String(name)] if name == "combined" => Value::Bool(self.is_combined),
                _ => return Err((0, "Unknown property".to_owned())),
            },
            Some(_) => return Err(invalid("unknown variant of `method`")),
            None => return Err(invalid("missing field `method`")),
        };
        Ok((result, id))
    }

    fn subscribe(
        &mut self,
        params: &[Value],
        instruments: &Instruments,
    ) -> Result<Value, (u8, String)> {
        for name in names(params)? {
            if !self.add(name, instruments) {
                return Err((2, "Invalid request: too many streams".to_owned()));
            }
        }
        Ok(Value::Null)
    }

    fn unsubscribe(&mut self, params: &[Value]) -> Result<Value, (u8, String)> {
        let names = names(params)?;
        self.rows.retain(|row| !names.contains(&row.name.as_str()));
        Ok(Value::Null)
    }

    fn resolve(&self, name: &str, instruments: &Instruments) -> Option<(InstrumentId, StreamKind)> {
        let (symbol, kind) = name.split_once('@')?;
        if symbol.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        let kind = StreamKind::parse(kind)?;
        let mut rows = instruments.iter();
        let is_meant = |row: &acth_core::instrument::Instrument| {
            Market::of(row) == self.market && row.symbol.eq_ignore_ascii_case(symbol)
        };
        let (id, _) = rows.find(|(_, row)| is_meant(row))?;
        Some((id, kind))
    }
}

fn names(params: &[Value]) -> Result<Vec<&str>, (u8, String)> {
    let name = |value| {
        Value::as_str(value).ok_or_else(|| {
            (
                2,
                "Invalid request: stream names must be strings".to_owned(),
            )
        })
    };
    params.iter().map(name).collect()
}
