//! Conventions that are tests: who may depend on whom, how long a file may be, what the core may not call.

#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    reason = "a broken assumption of a test fails the test"
)]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The edges between our crates that may exist; dev-dependencies are free within the table of the test crates.
const EDGES: [(&str, &[&str]); 16] = [
    ("acth-nn", &[]),
    ("acth-core", &["acth-nn"]),
    ("acth-journal", &[]),
    ("acth-engine", &["acth-core", "acth-journal"]),
    ("acth-wire", &["acth-core"]),
    ("acth-net", &[]),
    ("acth-venues", &["acth-core", "acth-net", "acth-wire"]),
    ("acth-sim", &["acth-core"]),
    ("acth-doctor", &[]),
    ("acth-export", &["acth-core", "acth-engine", "acth-journal"]),
    (
        "acth-latency",
        &["acth-core", "acth-engine", "acth-journal", "acth-sim"],
    ),
    (
        "acth-report",
        &["acth-core", "acth-engine", "acth-journal", "acth-latency"],
    ),
    (
        "acth",
        &[
            "acth-core",
            "acth-doctor",
            "acth-engine",
            "acth-export",
            "acth-journal",
            "acth-latency",
            "acth-learn",
            "acth-net",
            "acth-nn",
            "acth-report",
            "acth-sim",
            "acth-venues",
            "acth-wire",
        ],
    ),
    (
        "acth-learn",
        &["acth-core", "acth-nn", "acth-journal", "acth-sim"],
    ),
    ("acth-bench", ALL),
    ("acth-tests", ALL),
];

const ALL: &[&str] = &[
    "acth",
    "acth-core",
    "acth-doctor",
    "acth-engine",
    "acth-export",
    "acth-journal",
    "acth-latency",
    "acth-learn",
    "acth-net",
    "acth-nn",
    "acth-report",
    "acth-sim",
    "acth-venues",
    "acth-wire",
];

/// Crates that must forbid unsafe code altogether.
const SAFE_CRATES: [&str; 10] = [
    "adapters/sim",
    "adapters/venues",
    "adapters/wire",
    "engine/core",
    "engine/nn",
    "tools/cli",
    "tools/export",
    "tools/latency",
    "tools/learn",
    "tools/report",
];

/// Longest source file.
const FILE_LINES_MAX: usize = 800;
/// Widest line of code, where the formatter cannot keep to 100.
const LINE_CHARS_MAX: usize = 160;

/// What the core must not name: clocks, threads, hashed maps, fused or platform float operations.
const CORE_BANNED: [&str; 12] = [
    "std::",
    "HashMap",
    "HashSet",
    "Instant",
    "SystemTime",
    "mul_add",
    ".powf(",
    ".exp()",
    ".ln()",
    ".tanh()",
    ".sqrt()",
    "unsafe ",
];

fn manifests() -> BTreeMap<String, toml::Table> {
    let root = acth_tests::root();
    let workspace = read_toml(&root.join("Cargo.toml"));
    let members = workspace["workspace"]["members"]
        .as_array()
        .expect("a list of members")
        .clone();
    let tables = members.iter().map(|member| {
        let table = read_toml(
            &root
                .join(member.as_str().expect("a path"))
                .join("Cargo.toml"),
        );
        (
            table["package"]["name"]
                .as_str()
                .expect("a name")
                .to_owned(),
            table,
        )
    });
    tables.collect()
}

fn read_toml(path: &Path) -> toml::Table {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.parse()
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder)
        .expect("a readable folder")
        .flatten()
    {
        let path = entry.path();
        let name = entry.file_name().into_string().expect("a plain name");
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            sources(&path, found);
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<(String, String)> {
    let root = acth_tests::root();
    let mut found = Vec::new();
    for folder in ["engine", "journal", "adapters", "bench", "tests", "tools"] {
        sources(&root.join(folder), &mut found);
    }
    let read = |path: PathBuf| {
        let name = path
            .strip_prefix(&root)
            .expect("inside")
            .display()
            .to_string();
        (name, std::fs::read_to_string(&path).expect("readable"))
    };
    found.into_iter().map(read).collect()
}

#[test]
fn crates_depend_only_on_whom_they_may() {
    let allowed: BTreeMap<&str, &[&str]> = EDGES.into_iter().collect();
    for (name, table) in manifests() {
        let may = allowed
            .get(name.as_str())
            .unwrap_or_else(|| panic!("{name} is not in the table"));
        let Some(dependencies) = table.get("dependencies").and_then(|d| d.as_table()) else {
            continue;
        };
        for dependency in dependencies.keys().filter(|key| key.starts_with("acth")) {
            assert!(
                may.contains(&dependency.as_str()),
                "{name} must not depend on {dependency}"
            );
        }
    }
}

#[test]
fn every_crate_takes_the_shared_lints() {
    for (name, table) in manifests() {
        assert_eq!(table["lints"]["workspace"].as_bool(), Some(true), "{name}");
    }
}

#[test]
fn files_stay_readable() {
    for (name, text) in all_sources() {
        let lines = text.lines().count();
        assert!(lines <= FILE_LINES_MAX, "{name} has {lines} lines");
        for (number, line) in text.lines().enumerate() {
            // Comments and texts are the writer's own; the formatter leaves them alone.
            let is_text = line.contains("//") || line.contains('"');
            let width = if is_text { 0 } else { line.chars().count() };
            assert!(
                width <= LINE_CHARS_MAX,
                "{name}:{} is {width} wide",
                number + 1
            );
        }
        assert!(
            text.starts_with("//!") || text.starts_with("#!"),
            "{name} has no module head"
        );
    }
}

#[test]
fn the_core_calls_nothing_that_could_differ_between_runs() {
    let core = all_sources()
        .into_iter()
        .filter(|(name, _)| name.starts_with("engine/core/src"));
    for (name, text) in core {
        let code = text
            .lines()
            .take_while(|line| !line.contains("#[cfg(test)]"));
        for (number, line) in code
            .enumerate()
            .filter(|(_, line)| !line.trim().starts_with("//"))
        {
            for banned in CORE_BANNED {
                assert!(!line.contains(banned), "{name}:{}: {banned}", number + 1);
            }
        }
    }
}

#[test]
fn safe_crates_forbid_unsafe_code() {
    for folder in SAFE_CRATES {
        let path = acth_tests::root().join(folder).join("src/lib.rs");
        let text = std::fs::read_to_string(&path).expect("readable");
        assert!(
            text.contains("#![forbid(unsafe_code)]"),
            "{}",
            path.display()
        );
    }
}
