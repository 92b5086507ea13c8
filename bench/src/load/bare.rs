//! The bare scanner: the least work that reads a frame whose form is known.
//!
//! It checks every byte that it steps over and turns every number into an integer, byte by byte, into a kept list. It
//! knows one form, one symbol and no scale but the given one, looks nothing up and recovers from nothing: what our decoder
//! may cost more than this is the price of many symbols, of streams and of a way out for what does not fit.

use acth_core::event::Level;

use super::typed::{Form, PRICE_EXPONENT};

/// What stands between two fields of one form.
#[derive(Clone, Copy, Debug)]
struct Names {
    /// From the first byte to the first number.
    head: &'static str,
    /// Between numbers, in order.
    between: &'static [&'static str],
}

/// A bare scanner of one form of frames.
#[derive(Debug)]
pub struct Bare {
    form: Form,
    names: Names,
    quantity_exponent: u8,
    levels: Vec<Level>,
}

const DEPTH_USDM: Names = Names {
    head: "{\"stream\":\"btcusdt@depth@0ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":",
    between: &[
        ",\"T\":",
        ",\"s\":\"BTCUSDT\",\"U\":",
        ",\"u\":",
        ",\"pu\":",
        ",\"b\":[",
    ],
};
const DEPTH_SPOT: Names = Names {
    head: "{\"stream\":\"btcusdt@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":",
    between: &[",\"s\":\"BTCUSDT\",\"U\":", ",\"u\":", ",\"b\":["],
};
const TICKER_SPOT: Names = Names {
    head: "{\"stream\":\"btcusdt@bookTicker\",\"data\":{\"u\":",
    between: &[",\"s\":\"BTCUSDT\",\"b\":\""],
};
const TICKER_USDM: Names = Names {
    head: "{\"stream\":\"btcusdt@bookTicker\",\"data\":{\"e\":\"bookTicker\",\"u\":",
    between: &[",\"s\":\"BTCUSDT\",\"b\":\""],
};
const TRADE_SPOT: Names = Names {
    head: "{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":",
    between: &[",\"s\":\"BTCUSDT\",\"t\":", ",\"p\":\""],
};
const AGGREGATE_USDM: Names = Names {
    head: "{\"stream\":\"btcusdt@aggTrade\",\"data\":{\"e\":\"aggTrade\",\"E\":",
    between: &[",\"a\":", ",\"s\":\"BTCUSDT\",\"p\":\""],
};

/// What is left of a frame.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    #[inline(always)]
    fn literal(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(text.as_bytes())?;
        Some(())
    }

    #[inline(always)]
    fn unsigned(&mut self) -> Option<u64> {
        let (mut value, mut count) = (0u64, 0);
        while let Some(digit) = self.0.get(count).map(|byte| byte.wrapping_sub(b'0'))
            && digit < 10
        {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            count += 1;
        }
        self.0 = &self.0[count..];
        (count > 0).then_some(value)
    }

    /// A decimal up to its closing quote.
    #[inline(always)]
    fn decimal(&mut self, exponent: u8) -> Option<i64> {
        let (mut value, mut count, mut places, mut is_behind) = (0i64, 0, 0u8, false);
        loop {
            let byte = *self.0.get(count)?;
            count += 1;
            let digit = byte.wrapping_sub(b'0');
            if digit < 10 {
                if places < exponent || !is_behind {
                    value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
                    places += u8::from(is_behind);
                } else if digit != 0 {
                    return None;
                }
            } else if byte == b'.' && !is_behind {
                is_behind = true;
            } else if byte == b'"' {
                break;
            } else {
                return None;
            }
        }
        while places < exponent {
            value = value.wrapping_mul(10);
            places += 1;
        }
        self.0 = &self.0[count..];
        Some(value)
    }
}

impl Bare {
    /// A scanner for frames of this form; `is_spot` tells the market's own spelling.
    pub fn new(form: Form, is_spot: bool) -> Self {
        let names = match (form, is_spot) {
            (Form::Depth, false) => DEPTH_USDM,
            (Form::Depth, true) => DEPTH_SPOT,
            (Form::Ticker, false) => TICKER_USDM,
            (Form::Ticker, true) => TICKER_SPOT,
            (Form::Print, false) => AGGREGATE_USDM,
            (Form::Print, true) => TRADE_SPOT,
        };
        Self {
            form,
            names,
            quantity_exponent: if is_spot { 8 } else { 3 },
            levels: Vec::with_capacity(128),
        }
    }

    /// The levels of a frame: bids, then asks; of a trade its price and quantity. `None` for any other form.
    #[inline(never)]
    pub fn read(&mut self, frame: &str) -> Option<&[Level]> {
        let mut rest = Rest(frame.as_bytes());
        self.levels.clear();
        rest.literal(self.names.head)?;
        for text in self.names.between {
            std::hint::black_box(rest.unsigned()?);
            rest.literal(text)?;
        }
        match self.form {
            Form::Depth => {
                self.side(&mut rest)?;
                rest.literal(",\"a\":[")?;
                self.side(&mut rest)?;
                rest.literal("}}")?;
            }
            Form::Ticker => {
                self.one(&mut rest, ",\"B\":\"")?;
                rest.literal(",\"a\":\"")?;
                self.one(&mut rest, ",\"A\":\"")?;
            }
            Form::Print => self.one(&mut rest, ",\"q\":\"")?,
        }
        if self.form != Form::Depth {
            while rest.0.first() == Some(&b',') {
                Self::trailing(&mut rest)?;
            }
            rest.literal("}}")?;
        }
        Some(&self.levels)
    }

    #[inline(always)]
    fn one(&mut self, rest: &mut Rest<'_>, between: &str) -> Option<()> {
        let price = rest.decimal(PRICE_EXPONENT)?;
        rest.literal(between)?;
        let quantity = rest.decimal(self.quantity_exponent)?;
        self.levels.push(Level { price, quantity });
        Some(())
    }

    #[inline(always)]
    fn side(&mut self, rest: &mut Rest<'_>) -> Option<()> {
        loop {
            rest.literal("[\"")?;
            self.one(rest, ",\"")?;
            rest.literal("]")?;
            if rest.literal(",").is_none() {
                return rest.literal("]");
            }
        }
    }

    /// One of the fields behind the numbers: `,"T":123` or `,"m":true`.
    #[inline(always)]
    fn trailing(rest: &mut Rest<'_>) -> Option<()> {
        let key = rest.0.get(..5)?;
        if key[1] != b'"' || key[3] != b'"' || key[4] != b':' {
            return None;
        }
        rest.0 = &rest.0[5..];
        if rest.literal("true").is_some() || rest.literal("false").is_some() {
            return Some(());
        }
        std::hint::black_box(rest.unsigned()?);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::frames;
    use super::*;

    /// The bare scanner must do the work that it stands for: the same numbers as our decoder.
    #[test]
    fn reads_what_our_decoder_reads() {
        use acth_wire::binance::{Market, Message};
        let frames = frames::made(50, |numbers| frames::depth_usdm(numbers, 20));
        let mut bare = Bare::new(Form::Depth, false);
        let mut decoder = super::super::typed::decoder(Market::UsdM);
        for frame in &frames {
            let Ok(Message::Depth(depth)) = decoder.decode(frame.as_bytes()) else {
                panic!("{frame} is no depth message");
            };
            let expected: Vec<_> = depth.bids.iter().chain(depth.asks).copied().collect();
            assert_eq!(bare.read(frame), Some(&expected[..]), "{frame}");
        }
        for (form, is_spot, frame) in [
            (Form::Ticker, true, frames::made(1, frames::ticker_spot)),
            (Form::Ticker, false, frames::made(1, frames::ticker_usdm)),
            (Form::Print, true, frames::made(1, frames::trade_spot)),
            (Form::Print, false, frames::made(1, frames::aggregate_usdm)),
        ] {
            let count = Bare::new(form, is_spot).read(&frame[0]).map(<[Level]>::len);
            let expected = if form == Form::Ticker { 2 } else { 1 };
            assert_eq!(count, Some(expected), "{}", frame[0]);
        }
        assert_eq!(bare.read("{\"stream\":"), None);
    }
}
