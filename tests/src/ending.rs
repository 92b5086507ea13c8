//! How a command may fail: an exit code, one sentence, never a panic.

use std::process::Output;

/// Checks that the command failed with this exit code and one sentence, and returns the sentence without `acth: `.
///
/// # Panics
/// When it did not.
pub fn refusal(output: &Output, exit_code: i32) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_no_panic(output);
    assert_eq!(output.status.code(), Some(exit_code), "{error}");
    let sentences: Vec<&str> = error
        .lines()
        .filter_map(|line| line.strip_prefix("acth: "))
        .collect();
    assert_eq!(sentences.len(), 1, "expected one sentence in: {error}");
    for line in error.lines().filter(|line| !line.starts_with("acth: ")) {
        // Lines of the log begin with their time; nothing else belongs there.
        let is_log = line.starts_with("20") && line.contains("Z ");
        assert!(is_log, "a line that is neither log nor sentence: {line:?}");
    }
    sentences[0].to_owned()
}

/// Checks that nothing of the command panicked and no signal ended it.
///
/// # Panics
/// When it did.
pub fn assert_no_panic(output: &Output) {
    let error = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code();
    assert!(code.is_some_and(|code| code != 101), "{code:?}: {error}");
    assert!(!error.contains("panicked"), "{error}");
}

/// Checks that the sentence has all these parts.
///
/// # Panics
/// When one is missing.
pub fn assert_names(sentence: &str, parts: &[&str]) {
    for part in parts {
        assert!(sentence.contains(part), "no `{part}` in: {sentence}");
    }
}
