//! The simulated world: one of those with a name, changed by what the file says in `[world]`.
//!
//! A key of the file replaces the preset's; within tables (`regime`, `jumps`, `flow`) key by key, lists as a whole.

use acth_sim::world::{PRESETS, WorldConfig};
use toml::{Table, Value};

use super::nearest::nearest;
use crate::exit::Failure;

/// Name of the world of a configuration that says nothing.
pub(super) const DEFAULT: &str = "default";

/// The named world with these changes.
///
/// # Errors
/// When no world has the name, or the changes do not fit.
pub(super) fn build(name: &str, changes: &Table) -> Result<WorldConfig, Failure> {
    let Some(preset) = WorldConfig::preset(name) else {
        return Err(Failure::could_not(format!(
            "world_preset: {}",
            unknown(name)
        )));
    };
    if changes.is_empty() {
        return Ok(preset);
    }
    let mut world = Table::try_from(preset).map_err(Failure::could_not)?;
    merge(&mut world, changes);
    world
        .try_into()
        .map_err(|cause| Failure::could_not(format!("[world]: {cause}")))
}

/// Takes the name of a world from the command line.
///
/// # Errors
/// A sentence with the nearest name there is.
pub(crate) fn parse_name(name: &str) -> Result<String, String> {
    match WorldConfig::preset(name) {
        Some(_) => Ok(name.to_owned()),
        None => Err(unknown(name)),
    }
}

/// Every name with what it is, for help texts.
pub(crate) fn listed() -> String {
    let rows = PRESETS.iter().map(|(name, what)| format!("{name}: {what}"));
    rows.collect::<Vec<_>>().join(". ")
}

fn unknown(name: &str) -> String {
    let names = || PRESETS.iter().map(|(name, _)| *name);
    let hint = match nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known: {}", names().collect::<Vec<_>>().join(", ")),
    };
    format!("no world is named `{name}`; {hint}")
}

fn merge(base: &mut Table, changes: &Table) {
    for (key, change) in changes {
        match (base.get_mut(key), change) {
            (Some(Value::Table(inner)), Value::Table(changes)) => merge(inner, changes),
            _ => {
                base.insert(key.clone(), change.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_changes_single_fields_of_a_preset() {
        let changes = "step_ns = 20_000_000\n[flow]\nnoise_takers_per_s = 9\n".parse();
        let world = build("wide", &changes.expect("is TOML")).expect("fits");
        let mut expected = WorldConfig::preset("wide").expect("is known");
        expected.step_ns = 20_000_000;
        expected.flow.noise_takers_per_s = 9.0;
        assert_eq!(world, expected);
    }

    #[test]
    fn every_preset_survives_its_own_table() {
        for (name, _) in PRESETS {
            let preset = WorldConfig::preset(name).expect("is known");
            let table = Table::try_from(&preset).expect("has a TOML form");
            // Over any other preset: a whole table leaves nothing of what is below it.
            assert_eq!(build("wide", &table).expect("fits"), preset, "{name}");
        }
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_nearest() {
        assert_eq!(
            parse_name("wdie"),
            Err(String::from(
                "no world is named `wdie`; did you mean `wide`?"
            ))
        );
        assert_eq!(
            build("xyzzyxyzzy", &Table::new())
                .expect_err("was taken")
                .to_string(),
            "world_preset: no world is named `xyzzyxyzzy`; known: default, wide, seasons, walks, venues, currencies"
        );
    }
}
