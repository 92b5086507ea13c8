//! The host and the command: `acth doctor`, `run --check`, and word to the service manager.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]

use std::{
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram},
    },
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
    time::Duration,
};

use acth_tests::{command, parse, run};

/// A configuration that no host can fulfil: the core is beyond any machine's.
fn impossible(dir: &Path) -> PathBuf {
    let path = dir.join("acth.toml");
    std::fs::write(&path, "[engine]\ncores = [60000]\n").unwrap();
    path
}

fn code(arguments: &[&str]) -> i32 {
    run(arguments).status.code().unwrap()
}

#[test]
fn doctor_fails_the_check_on_what_hurts_and_only_then() {
    let dir = tempfile::tempdir().unwrap();
    let config = impossible(dir.path());
    let config = config.to_str().unwrap();
    let bad = run(&[
        "doctor",
        "--config",
        config,
        "--threads",
        "single",
        "--only",
        "cores,swap",
        "--json",
    ]);
    assert_eq!(bad.status.code(), Some(1));
    let value = parse(&bad);
    assert_eq!(value["is_fit"], false);
    assert_eq!(value["checks"][0]["id"], "cores");
    assert_eq!(value["checks"][0]["severity"], "bad");
    assert_eq!(value["checks"].as_array().unwrap().len(), 2);
    let sentence = String::from_utf8(bad.stderr).unwrap();
    assert!(sentence.contains("would hurt trading: cores"), "{sentence}");
    // The same configuration without that check is nothing to complain about.
    assert_eq!(
        code(&[
            "doctor",
            "--config",
            config,
            "--only",
            "cores,mitigations",
            "--skip",
            "cores"
        ]),
        0
    );
    assert_eq!(code(&["doctor", "--only", "mitigations"]), 0);
}

#[test]
fn doctor_refuses_what_it_does_not_know() {
    let refused = run(&["doctor", "--only", "swop"]);
    assert_eq!(refused.status.code(), Some(2));
    let sentence = String::from_utf8(refused.stderr).unwrap();
    assert!(sentence.contains("no check is called `swop`"), "{sentence}");
    assert_eq!(code(&["doctor", "--config", "/no/such/file.toml"]), 2);
    assert_eq!(code(&["doctor", "--explain", "swop"]), 2);
}

#[test]
fn doctor_explains_and_lists() {
    let text = String::from_utf8(run(&["doctor", "--explain", "rt-throttling"]).stdout).unwrap();
    assert!(
        text.contains("fair server") && text.contains("47 ms"),
        "{text}"
    );
    let list = String::from_utf8(run(&["doctor", "--list"]).stdout).unwrap();
    assert!(list.lines().count() >= 30, "{list}");
    let whole = run(&["doctor"]);
    let table = String::from_utf8(whole.stdout).unwrap();
    for line in list.lines() {
        let id = line.split_whitespace().nth(1).unwrap();
        assert!(table.contains(id), "{id} is not in the table");
    }
}

#[test]
fn run_goes_live_only_on_a_host_that_passes() {
    let dir = tempfile::tempdir().unwrap();
    let config = impossible(dir.path());
    let journal = dir.path().join("journal");
    let (config, place) = (config.to_str().unwrap(), journal.to_str().unwrap());
    let run_with = |check: &[&str]| {
        let mut arguments = vec![
            "run",
            "--threads",
            "single",
            "--duration",
            "200ms",
            "--journal",
            place,
            "--json",
        ];
        arguments.extend(check);
        run(&arguments)
    };
    let refused = run_with(&["--config", config, "--check=open-files,cores"]);
    assert_eq!(refused.status.code(), Some(2));
    let sentence = String::from_utf8(refused.stderr).unwrap();
    assert!(
        sentence.contains("did not go live") && sentence.contains("cores (core 60000"),
        "{sentence}"
    );
    assert!(
        sentence.contains("`acth doctor`") && !sentence.contains("open-files ("),
        "{sentence}"
    );
    assert!(!journal.exists(), "nothing was begun");
    assert_eq!(run_with(&["--check=swop"]).status.code(), Some(2));

    let required = dir.path().join("required.toml");
    std::fs::write(
        &required,
        "[engine]\ncores = [60000]\n[host]\nrequired = [\"cores\"]\n",
    )
    .unwrap();
    let refused = run_with(&["--config", required.to_str().unwrap()]);
    assert_eq!(
        refused.status.code(),
        Some(2),
        "the configuration asks for it as well"
    );

    // By default nothing is looked at, and a core that is not there is a warning only.
    let allowed = run_with(&["--config", config]);
    assert_eq!(
        allowed.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&allowed.stderr)
    );
    let passed = run_with(&["--check=mitigations"]);
    assert_eq!(
        passed.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&passed.stderr)
    );
}

/// Collects what is said on a socket, one line each, until the run says that it is stopping. A queue that nobody reads holds a
/// few words only, and the run does not wait for it.
fn listen(socket: UnixDatagram) -> JoinHandle<Vec<String>> {
    socket
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    thread::spawn(move || {
        let mut lines: Vec<String> = Vec::new();
        let mut buffer = [0; 4096];
        while !lines.iter().any(|line| line == "STOPPING=1") {
            let count = socket.recv(&mut buffer).unwrap();
            let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
            lines.extend(text.lines().map(str::to_owned));
        }
        lines
    })
}

fn run_under_a_manager(name: &str, dir: &Path) -> bool {
    let journal = dir.join("journal");
    let output = command(&[
        "run",
        "--threads",
        "single",
        "--duration",
        "1500ms",
        "--json",
        "--journal",
    ])
    .arg(journal)
    .env("NOTIFY_SOCKET", name)
    .env("WATCHDOG_USEC", "400000")
    .output()
    .unwrap();
    output.status.success()
}

#[test]
fn the_service_manager_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let name = format!("acth-test-{}", std::process::id());
    let sockets = [
        (
            path.to_str().unwrap().to_owned(),
            UnixDatagram::bind(&path).unwrap(),
        ),
        (
            format!("@{name}"),
            UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap(),
        ),
    ];
    for (name, socket) in sockets {
        let dir = tempfile::tempdir().unwrap();
        let listening = listen(socket);
        assert!(run_under_a_manager(&name, dir.path()), "{name}");
        let lines = listening.join().unwrap();
        let place = |wanted: &str| lines.iter().position(|line| line == wanted);
        let ready = place("READY=1").unwrap_or_else(|| panic!("{lines:?}"));
        let stopping = place("STOPPING=1").unwrap_or_else(|| panic!("{lines:?}"));
        let beats = lines.iter().filter(|line| *line == "WATCHDOG=1").count();
        assert_eq!(ready, 0, "{lines:?}");
        assert!(beats >= 4, "one each 100 ms: {lines:?}");
        assert!(
            lines[stopping..].iter().all(|line| line != "WATCHDOG=1"),
            "{lines:?}"
        );
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with("STATUS=trading: ")),
            "{lines:?}"
        );
    }
}

#[test]
fn a_manager_that_is_not_there_is_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    assert!(
        run_under_a_manager("/no/such/socket", dir.path()),
        "told nobody and went on"
    );
}
