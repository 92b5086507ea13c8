//! WebSocket frames against `tungstenite`: what it writes we read, what we write it reads, and what it refuses we refuse.

#![allow(clippy::unwrap_used)]

use std::io::{Cursor, ErrorKind, Read, Write};

use acth_wire::websocket::{
    Frame, FrameError, FrameReader, MESSAGE_BYTES_MAX, Opcode, READ_BYTES_MIN, write_close,
    write_frame,
};
use proptest::prelude::*;
use tungstenite::{
    Message, WebSocket,
    protocol::{
        Role,
        frame::{
            Frame as TheirFrame, FrameHeader,
            coding::{Control, Data, OpCode},
        },
    },
};

/// A message as both sides tell it.
type Told = (Opcode, Vec<u8>);

/// A stream that gives what it holds, then says that there is nothing just now; what is written to it is dropped.
struct Wire(Cursor<Vec<u8>>);

impl Read for Wire {
    fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(target)? {
            0 => Err(ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What `tungstenite` reads, and whether it ended in an error.
fn read_by_oracle(bytes: &[u8], role: Role) -> (Vec<Told>, bool) {
    let mut socket = WebSocket::from_raw_socket(Wire(Cursor::new(bytes.to_vec())), role, None);
    let mut told = Vec::new();
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => told.push((Opcode::Text, text.as_bytes().to_vec())),
            Ok(Message::Binary(bytes)) => told.push((Opcode::Binary, bytes.to_vec())),
            Ok(Message::Ping(bytes)) => told.push((Opcode::Ping, bytes.to_vec())),
            Ok(Message::Pong(bytes)) => told.push((Opcode::Pong, bytes.to_vec())),
            Ok(Message::Close(frame)) => {
                let payload = frame.map_or_else(Vec::new, |frame| {
                    let code: u16 = frame.code.into();
                    [&code.to_be_bytes(), frame.reason.as_bytes()].concat()
                });
                told.push((Opcode::Close, payload));
                return (told, false);
            }
            Ok(Message::Frame(_)) => panic!("raw frames are not read"),
            Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                return (told, false);
            }
            Err(_) => return (told, true),
        }
    }
}

/// What our reader reads when the bytes come in pieces of `piece` bytes at most.
fn read_by_us(bytes: &[u8], piece: usize, capacity: usize) -> (Vec<Told>, Option<FrameError>) {
    let mut reader = FrameReader::new(capacity);
    let mut told = Vec::new();
    for mut piece in bytes.chunks(piece.max(1)) {
        while !piece.is_empty() {
            let count = reader.receive(piece);
            assert!(count > 0, "no room");
            piece = &piece[count..];
            loop {
                match reader.next_frame() {
                    Ok(Some(frame)) => told.push((frame.opcode, frame.payload.to_vec())),
                    Ok(None) => break,
                    Err(error) => return (told, Some(error)),
                }
            }
            assert!(
                reader.spare().len() >= READ_BYTES_MIN,
                "the spare room ran out"
            );
        }
    }
    (told, None)
}

fn server_frame(opcode: OpCode, payload: &[u8], is_final: bool, target: &mut Vec<u8>) {
    let header = FrameHeader {
        is_final,
        opcode,
        ..FrameHeader::default()
    };
    TheirFrame::from_payload(header, payload.to_vec().into())
        .format(target)
        .unwrap();
}

/// One message in fragments, with a ping between each two.
fn fragmented(opcode: Data, parts: &[Vec<u8>], target: &mut Vec<u8>) {
    for (index, part) in parts.iter().enumerate() {
        let opcode = if index == 0 { opcode } else { Data::Continue };
        let is_final = index + 1 == parts.len();
        server_frame(OpCode::Data(opcode), part, is_final, target);
        if !is_final {
            server_frame(OpCode::Control(Control::Ping), &[index as u8], true, target);
        }
    }
}

fn any_stream() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        prop::collection::vec(any::<u8>(), 60_000..70_000),
    ];
    let whole = (payload.clone(), any::<bool>()).prop_map(|(payload, is_text)| {
        let mut target = Vec::new();
        if is_text {
            let text = String::from_utf8_lossy(&payload).into_owned();
            server_frame(OpCode::Data(Data::Text), text.as_bytes(), true, &mut target);
        } else {
            server_frame(OpCode::Data(Data::Binary), &payload, true, &mut target);
        }
        target
    });
    let parts = prop::collection::vec(payload, 1..6).prop_map(|parts| {
        let mut target = Vec::new();
        fragmented(Data::Binary, &parts, &mut target);
        target
    });
    let text = ("\\PC{0,40}", 1..10_usize).prop_map(|(text, size)| {
        let mut target = Vec::new();
        let parts: Vec<Vec<u8>> = text.as_bytes().chunks(size).map(<[u8]>::to_vec).collect();
        fragmented(Data::Text, &parts, &mut target);
        target
    });
    prop::collection::vec(prop_oneof![whole, parts, text], 0..6).prop_map(|frames| frames.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_it_writes_we_read(stream in any_stream(), piece in 1..40_000_usize, capacity in 0..200_000_usize) {
        let (expected, failed) = read_by_oracle(&stream, Role::Client);
        prop_assert!(!failed);
        prop_assert_eq!(read_by_us(&stream, piece, capacity), (expected, None));
    }

    #[test]
    fn what_we_write_it_reads(
        payloads in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..70_000), any::<[u8; 4]>()), 1..4),
    ) {
        let mut stream = Vec::new();
        let mut expected = Vec::new();
        for (payload, mask) in payloads {
            write_frame(Opcode::Binary, &payload, mask, &mut stream);
            let control = payload[..payload.len().min(125)].to_vec();
            write_frame(Opcode::Pong, &payload, mask, &mut stream);
            expected.push((Opcode::Binary, payload));
            expected.push((Opcode::Pong, control));
        }
        write_close(1000, "é is cut at a character ".repeat(9).as_str(), [1, 2, 3, 4], &mut stream);
        let (told, failed) = read_by_oracle(&stream, Role::Server);
        prop_assert!(!failed);
        let (close, rest) = told.split_last().unwrap();
        prop_assert_eq!(rest, expected.as_slice());
        prop_assert_eq!(close.0, Opcode::Close);
        prop_assert!(close.1.starts_with(&1000_u16.to_be_bytes()) && close.1.len() > 100);
    }

}

// Short streams, so many: a breach that takes three frames to show is rare among random bytes.
proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// Damaged or random bytes: no panic, and never a message that the oracle does not see. Ours may refuse more (a
    /// length that is not in its shortest form), never less.
    #[test]
    fn what_it_refuses_we_refuse(
        stream in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..60),
            prop::collection::vec(prop_oneof![Just(0x81_u8), Just(0x01), Just(0x00), Just(0x80), Just(0x88), Just(0x89), 0..9_u8, any::<u8>()], 0..40),
        ],
        piece in 1..10_usize,
    ) {
        let (expected, oracle_failed) = read_by_oracle(&stream, Role::Client);
        let (found, error) = read_by_us(&stream, piece, 0);
        if oracle_failed {
            // The oracle stops at the first close frame and at the first error of its own.
            prop_assert!(error.is_some(), "{:?} but {:?}", expected, found);
        }
        let common = found.len().min(expected.len());
        prop_assert_eq!(&found[..common], &expected[..common]);
    }
}

#[test]
fn every_split_of_a_stream_gives_the_same_messages() {
    let mut stream = Vec::new();
    server_frame(
        OpCode::Data(Data::Text),
        "größer".as_bytes(),
        true,
        &mut stream,
    );
    let parts = ["{\"e\":", "\"tra", "", "de\"}"].map(|part| part.as_bytes().to_vec());
    fragmented(Data::Text, &parts, &mut stream);
    server_frame(OpCode::Data(Data::Binary), &[7; 300], true, &mut stream);
    server_frame(
        OpCode::Control(Control::Close),
        &[0x03, 0xe8, b'b', b'y', b'e'],
        true,
        &mut stream,
    );
    let (expected, failed) = read_by_oracle(&stream, Role::Client);
    assert!(!failed && expected.len() == 7);
    for split in 0..=stream.len() {
        let mut reader = FrameReader::new(0);
        let mut told = Vec::new();
        for piece in [&stream[..split], &stream[split..]] {
            assert_eq!(reader.receive(piece), piece.len());
            while let Some(frame) = reader.next_frame().unwrap() {
                told.push((frame.opcode, frame.payload.to_vec()));
            }
        }
        assert_eq!(told, expected, "split at {split}");
        assert_eq!(reader.finish(), Ok(()));
    }
}

/// The error that these bytes lead to, and that it stays broken afterwards.
fn error_of(bytes: &[u8]) -> FrameError {
    let mut reader = FrameReader::new(0);
    reader.receive(bytes);
    loop {
        match reader.next_frame() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("no error in {bytes:02x?}"),
            Err(error) => {
                assert_eq!(reader.next_frame(), Err(FrameError::Broken));
                return error;
            }
        }
    }
}

#[test]
fn every_breach_has_its_own_error() {
    let long_control = [&[0x89, 126, 0, 126][..], &[0; 126]].concat();
    for (bytes, error) in [
        (&[0xc1, 0][..], FrameError::ReservedBits(0)),
        (
            &[0x83, 0],
            FrameError::Opcode {
                position: 0,
                opcode: 3,
            },
        ),
        (&[0x81, 0x81, 0, 0, 0, 0, b'a'], FrameError::Masked(0)),
        (&[0x81, 126, 0, 5], FrameError::Length(0)),
        (
            &[0x81, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
            FrameError::Length(0),
        ),
        (
            &[0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0],
            FrameError::Length(0),
        ),
        (
            &long_control,
            FrameError::ControlTooLong {
                position: 0,
                length: 126,
            },
        ),
        (&[0x09, 0], FrameError::ControlFragmented(0)),
        (&[0x80, 0], FrameError::ContinuationAlone(0)),
        (
            &[0x01, 1, b'a', 0x81, 1, b'b'],
            FrameError::ContinuationMissing(3),
        ),
        (&[0x89, 0, 0x81, 1, 0xff], FrameError::Utf8(2)),
        (&[0x01, 1, 0x80], FrameError::Utf8(0)),
        (&[0x01, 1, 0xc3, 0x00, 1, b'a'], FrameError::Utf8(3)),
        (&[0x88, 1, 3], FrameError::CloseCode(0)),
        (&[0x88, 2, 0x03, 0xed], FrameError::CloseCode(0)),
        (&[0x88, 3, 0x03, 0xe8, 0xff], FrameError::Utf8(0)),
        (
            &[0x82, 127, 0, 0, 0, 0, 0, 0x80, 0, 1],
            FrameError::TooLong {
                position: 0,
                length: MESSAGE_BYTES_MAX as u64 + 1,
                bound: MESSAGE_BYTES_MAX as u64,
            },
        ),
    ] {
        assert_eq!(error_of(bytes), error);
    }
}

#[test]
fn an_end_inside_a_message_is_an_error() {
    for (bytes, is_whole) in [
        (&[][..], true),
        (&[0x81, 1, b'a'], true),
        (&[0x81], false),
        (&[0x81, 2, b'a'], false),
        (&[0x01, 1, b'a'], false),
    ] {
        let mut reader = FrameReader::new(0);
        reader.receive(bytes);
        while reader.next_frame().unwrap().is_some() {}
        assert_eq!(reader.finish().is_ok(), is_whole, "{bytes:02x?}");
    }
}

/// Fragments that fill the buffer without any frame being cut off: there must be room for the next one all the same.
#[test]
fn joined_fragments_leave_room_to_receive() {
    let mut reader = FrameReader::new(0);
    let mut stream = Vec::new();
    for index in 0..8 {
        let opcode = if index == 0 {
            Data::Binary
        } else {
            Data::Continue
        };
        let payload = vec![index; reader.capacity_bytes() / 8 - 4];
        server_frame(OpCode::Data(opcode), &payload, false, &mut stream);
    }
    assert_eq!(stream.len(), reader.capacity_bytes());
    assert_eq!(reader.receive(&stream), stream.len());
    assert_eq!(reader.next_frame(), Ok(None));
    assert!(reader.spare().len() >= READ_BYTES_MIN);
    reader.receive(&[0x80, 1, 9]);
    let frame = reader.next_frame().unwrap().unwrap();
    assert_eq!(
        (frame.payload.len(), frame.payload.last()),
        (stream.len() - 8 * 4 + 1, Some(&9))
    );
}

#[test]
fn the_buffer_grows_once_and_only_for_a_frame_that_needs_it() {
    let mut reader = FrameReader::new(0);
    let small = reader.capacity_bytes();
    let payload = vec![5; MESSAGE_BYTES_MAX];
    let mut stream = Vec::new();
    server_frame(
        OpCode::Data(Data::Binary),
        &payload[..small / 4],
        true,
        &mut stream,
    );
    assert_eq!(reader.receive(&stream), stream.len());
    assert!(reader.next_frame().unwrap().is_some());
    assert_eq!(reader.capacity_bytes(), small);

    stream.clear();
    server_frame(OpCode::Data(Data::Binary), &payload, true, &mut stream);
    let mut rest = stream.as_slice();
    let found = loop {
        rest = &rest[reader.receive(rest)..];
        if let Some(Frame { payload, .. }) = reader.next_frame().unwrap() {
            break payload.len();
        }
    };
    assert_eq!(found, MESSAGE_BYTES_MAX);
    assert!(reader.capacity_bytes() < MESSAGE_BYTES_MAX + (1 << 16));
}
