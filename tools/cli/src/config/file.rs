//! Reading the TOML file: a wrong type or an unknown key is refused with its place and, for a key, the nearest known.

use std::path::Path;

use serde::de::DeserializeOwned;

use super::{Config, nearest::nearest};
use crate::exit::Failure;

/// Reads and checks a configuration file.
///
/// # Errors
/// One sentence with file, line, column and what was expected.
pub(super) fn read(path: &Path) -> Result<Config, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|cause| Failure::could_not(format!("{}: {cause}", path.display())))?;
    let mut config: Config = parse(&path.display().to_string(), &text)?;
    config.world_changes = world_changes(&text);
    Ok(config)
}

/// The table `[world]` of a text that has been parsed, with only what stands there.
fn world_changes(text: &str) -> toml::Table {
    let table = text.parse::<toml::Table>().ok();
    match table.and_then(|mut table| table.remove("world")) {
        Some(toml::Value::Table(world)) => world,
        _ => toml::Table::new(),
    }
}

/// Reads a TOML text that is called `name`.
///
/// # Errors
/// As `read`.
pub(crate) fn parse<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, Failure> {
    toml::from_str(text).map_err(|error| {
        let (line, column) = place(text, error.span().map_or(0, |span| span.start));
        let message = explain(error.message());
        Failure::could_not(format!("{name}:{line}:{column}: {message}"))
    })
}

/// Line and column, counted from one, of a byte offset.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |rest| rest.chars().count())
        + 1;
    (line, column)
}

/// Shortens serde's list of all known keys to the nearest one.
pub(crate) fn explain(message: &str) -> String {
    let message = message.trim().replace('\n', " ");
    let Some(rest) = message.strip_prefix("unknown field `") else {
        return message;
    };
    let mut words = rest.split('`');
    let unknown = words.next().unwrap_or_default();
    let known = words.skip(1).step_by(2);
    match nearest(unknown, known) {
        Some(known) => format!("unknown key `{unknown}`; did you mean `{known}`?"),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        parse::<Config>("acth.toml", text)
            .expect_err("was taken")
            .to_string()
    }

    #[test]
    fn unknown_keys_are_refused_with_the_nearest_known() {
        assert_eq!(
            refusal("[risk]\nmax_positon_size = 0.1\n"),
            "acth.toml:2:1: unknown key `max_positon_size`; did you mean `max_position_size`?"
        );
        assert_eq!(
            refusal("sede = 4\n"),
            "acth.toml:1:1: unknown key `sede`; did you mean `seed`?"
        );
    }

    #[test]
    fn wrong_types_are_refused_with_their_place() {
        let message = refusal("seed = 1\nhub_id = \"seven\"\n");
        assert!(
            message.starts_with("acth.toml:2:10: invalid type: string \"seven\""),
            "{message}"
        );
    }

    #[test]
    fn the_whole_default_configuration_can_be_read_back() {
        let text = Config::default().to_toml().expect("has a TOML form");
        let again = parse::<Config>("defaults", &text)
            .expect("reads back")
            .to_toml()
            .expect("writes");
        assert_eq!(text, again);
    }
}
