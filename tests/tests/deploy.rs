//! The service unit: the tool of the service manager must find nothing wrong, and it must stay as locked down as it says.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a broken assumption fails the test; what is left out is said"
)]

use std::process::{Command, Output};

/// Where the unit expects the command.
const INSTALLED: &str = "/usr/local/bin/acth";
/// Exposure by `systemd-analyze security`, in tenths: 100 is no protection at all. It measured 24.
const EXPOSURE_MAX: u32 = 30;

fn unit() -> String {
    let path = acth_tests::root().join("tools/deploy/acth.service");
    std::fs::read_to_string(path).expect("readable")
}

/// The unit with a program that is there, looked at by the manager's tool; `None` where there is no such tool.
fn analysed(arguments: &[&str]) -> Option<Output> {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("acth.service");
    std::fs::write(&path, unit().replace(INSTALLED, "/bin/true")).expect("writable");
    let mut command = Command::new("systemd-analyze");
    match command.args(arguments).arg(&path).output() {
        Ok(output) => Some(output),
        Err(cause) => {
            println!("systemd-analyze: {cause}");
            None
        }
    }
}

#[test]
fn the_unit_is_well_formed() {
    let Some(output) = analysed(&["verify", "--man=no"]) else {
        return;
    };
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    let ours: Vec<&str> = complaints
        .lines()
        .filter(|line| line.contains("acth.service"))
        .collect();
    assert!(output.status.success() && ours.is_empty(), "{complaints}");
}

#[test]
fn the_unit_takes_away_what_it_does_not_need() {
    let Some(output) = analysed(&["security", "--offline=true"]) else {
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let verdict = text.split("acth.service:").nth(1);
    let Some(score) = verdict.and_then(|rest| rest.split_whitespace().next()) else {
        println!("this systemd-analyze gives no score: {text}");
        return;
    };
    let tenths: u32 = score.replace('.', "").parse().expect("a score such as 2.4");
    assert!(tenths <= EXPOSURE_MAX, "{score}");
}

#[test]
fn the_unit_and_the_command_mean_the_same() {
    let unit = unit();
    let line = unit
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="));
    let words: Vec<&str> = line.expect("a command").split_whitespace().collect();
    assert_eq!(words[..2], [INSTALLED, "run"]);
    assert!(!words.contains(&"--rearm"), "only a person re-arms");
    let help = acth_tests::run(&["run", "--help"]).stdout;
    let help = String::from_utf8_lossy(&help).into_owned();
    for flag in words.iter().filter(|word| word.starts_with("--")) {
        assert!(help.contains(flag), "{flag} is unknown");
    }
    // An exit code is the program's own word and wants a person; only an unnatural death is worth another try.
    assert!(unit.lines().any(|line| line == "Restart=on-abnormal"));
    assert!(unit.lines().any(|line| line == "Type=notify"));
}
