//! A small recording made up here, in the form of the real ones: for tests that damage it.

use std::fmt::Write as _;

/// ns since the Unix epoch of its first line.
const START_NS: u64 = 1_723_161_253_000_000_000;

/// `line_count` lines of BTCUSDT on the spot market: two depth updates, the snapshot, then tickers, trades and depth.
pub fn text(line_count: u64) -> String {
    let mut text = String::new();
    let mut update_id = 1_000;
    for index in 0..line_count {
        let ts_ns = START_NS + index * 1_000_000;
        let frame = match index {
            0 | 1 => depth(index, &mut update_id),
            2 => snapshot(update_id),
            _ => match index % 3 {
                0 => ticker(index, update_id),
                1 => trade(index),
                _ => depth(index, &mut update_id),
            },
        };
        let _ = writeln!(text, "{ts_ns} {frame}");
    }
    text
}

fn ts_ms(index: u64) -> u64 {
    START_NS / 1_000_000 + index
}

fn depth(index: u64, update_id: &mut u64) -> String {
    let (first, last) = (*update_id + 1, *update_id + 2);
    *update_id = last;
    format!(
        r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":{},"s":"BTCUSDT","U":{first},"u":{last},"b":[["61837.{:02}000000","0.70000000"]],"a":[["61839.{:02}000000","0.40000000"]]}}}}"#,
        ts_ms(index),
        index % 60,
        index % 90
    )
}

fn snapshot(update_id: u64) -> String {
    format!(
        r#"{{"lastUpdateId":{update_id},"bids":[["61837.63000000","3.78826000"],["61830.17000000","0.61700000"]],"asks":[["61838.64000000","1.54698000"],["61839.86000000","0.50000000"]]}}"#
    )
}

fn ticker(index: u64, update_id: u64) -> String {
    format!(
        r#"{{"stream":"btcusdt@bookTicker","data":{{"u":{},"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61838.64000000","A":"1.{:05}000"}}}}"#,
        update_id * 1_000 + index,
        index % 90_000
    )
}

fn trade(index: u64) -> String {
    let ts_ms = ts_ms(index);
    format!(
        r#"{{"stream":"btcusdt@trade","data":{{"e":"trade","E":{ts_ms},"s":"BTCUSDT","t":{},"p":"61837.63000000","q":"0.02000000","T":{ts_ms},"m":true,"M":true}}}}"#,
        3_735_683_259 + index
    )
}
