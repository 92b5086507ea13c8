//! HTTP answers: every form, every split, every breach.

#![allow(clippy::unwrap_used)]

use acth_wire::http::{HttpError, ResponseReader, get_request};
use proptest::prelude::*;

const SIZED: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ncontent-length: 11\r\n\
    X-MBX-USED-WEIGHT-1M: 53\r\n\r\n{\"a\":\"b\\n\"}";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
    5\r\n{\"a\":\r\nA;note=1\r\n\"01234567}\r\n0\r\nTrailer: x\r\n\r\n";
const LIMITED: &str = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 429 Too Many Requests\r\nRetry-After: 17\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

fn read(text: &str) -> ResponseReader {
    let mut reader = ResponseReader::new();
    assert_eq!(reader.receive(text.as_bytes()).unwrap(), text.len());
    assert!(reader.is_complete());
    reader
}

#[test]
fn the_three_forms_of_a_body() {
    let sized = read(SIZED);
    assert_eq!(
        (sized.status(), sized.body()),
        (200, &b"{\"a\":\"b\\n\"}"[..])
    );
    assert_eq!(
        (sized.used_weight(), sized.retry_after_s()),
        (Some(53), None)
    );
    assert!(sized.is_reusable());

    let chunked = read(CHUNKED);
    assert_eq!(chunked.body(), b"{\"a\":\"01234567}");
    assert!(chunked.is_reusable());

    let limited = read(LIMITED);
    assert_eq!((limited.status(), limited.retry_after_s()), (429, Some(17)));
    assert!(limited.body().is_empty() && !limited.is_reusable());

    let mut unsized_body = ResponseReader::new();
    unsized_body.receive(b"HTTP/1.0 200 OK\r\n\r\nabc").unwrap();
    assert!(!unsized_body.is_complete());
    unsized_body.finish().unwrap();
    assert_eq!(unsized_body.body(), b"abc");
    assert!(!unsized_body.is_reusable());
}

#[test]
fn every_split_gives_the_same_answer() {
    for text in [SIZED, CHUNKED, LIMITED] {
        let whole = read(text);
        for split in 0..text.len() {
            let mut reader = ResponseReader::new();
            let (head, tail) = text.as_bytes().split_at(split);
            assert_eq!(reader.receive(head).unwrap(), head.len());
            assert!(!reader.is_complete(), "{split}");
            // An early end is an error and changes nothing.
            assert_eq!(reader.finish(), Err(HttpError::Truncated(split as u64)));
            assert_eq!(reader.receive(tail).unwrap(), tail.len());
            assert_eq!(reader.status(), whole.status());
            assert_eq!(reader.body(), whole.body());
            assert!(reader.is_complete());
        }
    }
}

#[test]
fn bytes_of_the_next_answer_are_left() {
    let mut reader = ResponseReader::new();
    let two = format!("{SIZED}{SIZED}");
    assert_eq!(reader.receive(two.as_bytes()).unwrap(), SIZED.len());
    assert_eq!(reader.receive(b"more").unwrap(), 0);
}

#[test]
fn answers_that_could_be_read_in_two_ways_are_refused() {
    for headers in [
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Content-Encoding: gzip",
        "Content-Length: -1",
        "Content-Length: +5",
        "Content-Length: 5, 5",
        "Content-Length: 99999999999999999999",
        "Content-Length: 33554433",
        "no colon",
        "Content-Length : 5",
        "Folded: a\r\n b: c",
        "Bare: a\nb: c",
    ] {
        let text = format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n");
        assert!(
            ResponseReader::new().receive(text.as_bytes()).is_err(),
            "{headers}"
        );
    }
    for status in [
        "HTTP/2 200 OK",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 2000",
        "HTTP/1.1",
        "",
        "HTTP/1.1 099 X",
    ] {
        let text = format!("{status}\r\nA: b\r\n\r\n");
        assert!(
            ResponseReader::new().receive(text.as_bytes()).is_err(),
            "{status}"
        );
    }
    for chunks in [
        "x\r\n",
        "-1\r\n",
        "+1\r\na\r\n",
        "\r\n",
        "ffffffffffffffffff\r\n",
        "1\r\nab\r\n",
        "1\na",
    ] {
        let text = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
        assert!(
            ResponseReader::new().receive(text.as_bytes()).is_err(),
            "{chunks:?}"
        );
    }
}

#[test]
fn every_part_is_bounded() {
    let endless = [
        "a: b\r\n".repeat(1 << 14),
        "b".repeat(1 << 15),
        "\n".repeat(1 << 15),
    ];
    for part in endless {
        let text = format!("HTTP/1.1 200 OK\r\n{part}");
        assert!(matches!(
            ResponseReader::new().receive(text.as_bytes()),
            Err(HttpError::TooLong { part: "a head", .. })
        ));
    }
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for chunks in [
        format!("5;{}", "x".repeat(2_000)),
        format!("0\r\n{}", "a: b\r\n".repeat(1_000)),
    ] {
        let text = format!("{head}{chunks}");
        let error = ResponseReader::new().receive(text.as_bytes());
        assert!(matches!(error, Err(HttpError::TooLong { .. })), "{error:?}");
    }
    let mut reader = ResponseReader::new();
    let mut chunk = format!("{:x}\r\n", 1 << 20).into_bytes();
    chunk.extend_from_slice(&vec![b'x'; 1 << 20]);
    chunk.extend_from_slice(b"\r\n");
    reader.receive(head.as_bytes()).unwrap();
    for _ in 0..32 {
        reader.receive(&chunk).unwrap();
    }
    assert!(matches!(
        reader.receive(&chunk),
        Err(HttpError::TooLong { part: "a body", .. })
    ));
    let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(9);
    assert!(ResponseReader::new().receive(interim.as_bytes()).is_err());
}

#[test]
fn requests_cannot_carry_a_second_header() {
    let text = get_request("api.binance.com", "/api/v3/depth?symbol=BTCUSDT&limit=5000").unwrap();
    assert!(text.starts_with(
        "GET /api/v3/depth?symbol=BTCUSDT&limit=5000 HTTP/1.1\r\nHost: api.binance.com\r\n"
    ));
    assert!(text.ends_with("\r\n\r\n"));
    for (host, target) in [
        ("a\r\nb", "/"),
        ("a", "/ b"),
        ("a", "/\r\nX: y"),
        ("", "/"),
        ("a", ""),
    ] {
        assert!(get_request(host, target).is_err());
    }
}

proptest! {
    #[test]
    fn chunked_bodies_round_trip(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..8),
        piece in 1..50_usize,
    ) {
        let mut bytes = b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n".to_vec();
        for part in &parts {
            bytes.extend_from_slice(format!("{:X}\r\n", part.len()).as_bytes());
            bytes.extend_from_slice(part);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
        let mut reader = ResponseReader::new();
        for piece in bytes.chunks(piece) {
            prop_assert_eq!(reader.receive(piece).unwrap(), piece.len());
        }
        prop_assert!(reader.is_complete());
        prop_assert_eq!(reader.body(), parts.concat());
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200), edit in any::<prop::sample::Index>(), byte: u8) {
        let _ = ResponseReader::new().receive(&bytes);
        for text in [SIZED, CHUNKED, LIMITED] {
            let mut damaged = text.as_bytes().to_vec();
            let place = edit.index(damaged.len());
            damaged[place] = byte;
            let _ = ResponseReader::new().receive(&damaged);
        }
    }
}
