//! Streams and datagrams over the loopback interface: every byte arrives, with a stamp, in batches, from a group, and what is lost is
//! counted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test may panic, and says what it leaves out"
)]

use std::{
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::Mutex,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use acth_net::{
    Datagrams, KernelStream, Received, SocketOptions, StampKeeper, Stream, UdpFeed, UdpSettings,
};

const STAMPED: SocketOptions = SocketOptions {
    busy_poll_us: 0,
    is_stamped: true,
};
/// No test waits longer.
const PATIENCE: Duration = Duration::from_secs(10);

fn now_ns() -> i64 {
    let age = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(age.as_nanos()).unwrap()
}

/// Waits until the kernel stamps packets: it begins some milliseconds after the first socket has asked, and goes on while one is
/// open that did, so one is kept.
fn await_stamps() {
    static KEEPER: Mutex<Option<StampKeeper>> = Mutex::new(None);
    let mut kept = KEEPER.lock().unwrap();
    if kept.is_some() {
        return;
    }
    let settings = UdpSettings {
        address: "127.0.0.1:0".parse().unwrap(),
        interface: None,
        buffer_bytes: 0,
        options: STAMPED,
    };
    *kept = Some(StampKeeper::begin().unwrap());
    let (mut feed, _) = UdpFeed::open(&settings).unwrap();
    let (start, mut is_stamped) = (Instant::now(), false);
    while !is_stamped {
        sender()
            .send_to(b"?", feed.local_address().unwrap())
            .unwrap();
        feed.receive(|datagram| is_stamped = datagram.ts_kernel_ns.is_some())
            .unwrap();
        assert!(start.elapsed() < PATIENCE, "the kernel stamps nothing");
        thread::sleep(Duration::from_millis(1));
    }
}

fn pair(options: SocketOptions) -> (KernelStream<TcpStream>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    near.set_nonblocking(true).unwrap();
    let (far, _) = listener.accept().unwrap();
    let (stream, refusals) = KernelStream::new(near, &options);
    assert!(refusals.is_empty(), "{refusals:?}");
    (stream, far)
}

/// Polls until something comes.
fn read_soon(stream: &mut impl Stream, spare: &mut [u8]) -> Received {
    let start = Instant::now();
    loop {
        match stream.read(spare) {
            Ok(received) => return received,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        assert!(start.elapsed() < PATIENCE, "nothing came");
        thread::yield_now();
    }
}

#[test]
fn a_stream_tells_how_long_its_bytes_waited() {
    await_stamps();
    let (mut stream, mut far) = pair(STAMPED);
    let mut spare = [0; 64];
    assert_eq!(
        stream.read(&mut spare).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    far.write_all(b"first").unwrap();
    thread::sleep(Duration::from_millis(60));
    let late = read_soon(&mut stream, &mut spare);
    assert_eq!(&spare[..late.bytes_count], b"first");
    let late_ns = late.waited_ns.expect("stamped");
    assert!(late_ns >= 50_000_000, "{late_ns} ns after 60 ms");
    far.write_all(b"second").unwrap();
    let soon = read_soon(&mut stream, &mut spare);
    assert_eq!(&spare[..soon.bytes_count], b"second");
    assert!(soon.waited_ns.expect("stamped") < late_ns);
    assert_eq!(stream.write(b"answer").unwrap(), 6);
    far.read_exact(&mut [0; 6]).unwrap();
    drop(far);
    assert_eq!(
        read_soon(&mut stream, &mut spare).bytes_count,
        0,
        "the peer has closed"
    );
}

#[test]
fn a_stream_without_stamps_says_nothing_about_time() {
    let (mut stream, mut far) = pair(SocketOptions::default());
    far.write_all(b"plain").unwrap();
    let mut spare = [0; 3];
    let received = read_soon(&mut stream, &mut spare);
    assert_eq!((received.bytes_count, received.waited_ns), (3, None));
    assert_eq!(
        read_soon(&mut stream, &mut spare).bytes_count,
        2,
        "the rest"
    );
}

#[test]
fn a_refused_option_is_told_and_the_socket_works() {
    // A file is no socket: whatever is asked of it is refused.
    let file = std::fs::File::open("/dev/null").unwrap();
    let options = SocketOptions {
        busy_poll_us: 50,
        is_stamped: true,
    };
    let refusals: Vec<String> = options
        .apply(&file)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(refusals.len(), 2);
    assert!(
        refusals[0].starts_with("SO_BUSY_POLL 50 us is refused: "),
        "{refusals:?}"
    );
    assert!(
        refusals[1].starts_with("SO_TIMESTAMPING is refused: "),
        "{refusals:?}"
    );
}

fn feed(address: &str, buffer_bytes: u32) -> UdpFeed {
    await_stamps();
    let settings = UdpSettings {
        address: address.parse().unwrap(),
        interface: Some(Ipv4Addr::LOCALHOST),
        buffer_bytes,
        options: STAMPED,
    };
    let (feed, refusals) = UdpFeed::open(&settings).unwrap();
    assert!(refusals.is_empty(), "{refusals:?}");
    feed
}

/// Polls until `count` packets have come; their contents, and how many calls brought any.
fn receive(feed: &mut impl Datagrams, count: usize) -> (Vec<Vec<u8>>, usize) {
    let (start, mut packets, mut calls) = (Instant::now(), Vec::new(), 0);
    while packets.len() < count {
        let before_ns = now_ns();
        let came = feed.receive(|datagram| {
            let ts_kernel_ns = datagram.ts_kernel_ns.expect("stamped");
            assert!(before_ns - ts_kernel_ns < 10_000_000_000 && ts_kernel_ns <= now_ns());
            assert!(!datagram.is_cut);
            packets.push(datagram.bytes.to_vec());
        });
        calls += usize::from(came.unwrap() > 0);
        assert!(
            start.elapsed() < PATIENCE,
            "{} of {count} came",
            packets.len()
        );
    }
    (packets, calls)
}

fn sender() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_multicast_loop_v4(true).unwrap();
    socket
}

#[test]
fn packets_come_in_order_and_in_batches() {
    let mut feed = feed("127.0.0.1:0", 1 << 20);
    assert_eq!(feed.receive(|_| panic!("nothing was sent")).unwrap(), 0);
    let (sender, target) = (sender(), feed.local_address().unwrap());
    for number in 0..100_u32 {
        sender.send_to(&number.to_le_bytes(), target).unwrap();
    }
    let (packets, calls) = receive(&mut feed, 100);
    let sent: Vec<Vec<u8>> = (0..100_u32)
        .map(|number| number.to_le_bytes().to_vec())
        .collect();
    assert_eq!(packets, sent);
    assert!(calls <= 8, "{calls} calls for 100 packets");
    assert_eq!(feed.dropped_count(), 0);
}

#[test]
fn a_packet_that_is_too_long_is_cut_and_said_so() {
    let mut feed = feed("127.0.0.1:0", 0);
    sender()
        .send_to(&[7; 3000], feed.local_address().unwrap())
        .unwrap();
    let (start, mut seen) = (Instant::now(), None);
    while seen.is_none() {
        feed.receive(|datagram| seen = Some((datagram.bytes.len(), datagram.is_cut)))
            .unwrap();
        assert!(start.elapsed() < PATIENCE);
    }
    assert_eq!(seen, Some((2048, true)));
}

#[test]
fn what_the_buffer_could_not_hold_is_counted() {
    // The smallest buffer that the kernel gives.
    let mut feed = feed("127.0.0.1:0", 1);
    let (sender, target) = (sender(), feed.local_address().unwrap());
    for _ in 0..200 {
        sender.send_to(&[1; 500], target).unwrap();
    }
    let mut came = 0;
    while feed.receive(|_| came += 1).unwrap() > 0 {}
    assert!(came > 0 && came < 200, "{came} came");
    // The count comes beside the next packet.
    sender.send_to(&[1; 500], target).unwrap();
    receive(&mut feed, 1);
    assert_eq!(feed.dropped_count(), 200 - came);
}

#[test]
fn a_group_is_joined_and_heard_by_several() {
    await_stamps();
    let group = SocketAddr::from(([239, 255, 77, 1], 0));
    let settings = UdpSettings {
        address: group,
        interface: Some(Ipv4Addr::LOCALHOST),
        buffer_bytes: 0,
        options: STAMPED,
    };
    let opened = UdpFeed::open(&settings);
    let Ok((mut first, _)) = opened else {
        println!("no multicast here: {opened:?}");
        return;
    };
    let target = first.local_address().unwrap();
    let (mut second, _) = UdpFeed::open(&UdpSettings {
        address: target,
        ..settings
    })
    .unwrap();
    let sender = sender();
    if let Err(error) = sender.send_to(b"to all", target) {
        println!("no multicast here: {error}");
        return;
    }
    assert_eq!(receive(&mut first, 1).0, [b"to all"]);
    assert_eq!(receive(&mut second, 1).0, [b"to all"]);
}
