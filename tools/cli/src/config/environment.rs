//! Settings from the environment and from a `.env` file in the working directory. The environment wins over `.env`.
//!
//! | name | meaning |
//! |---|---|
//! | MAX_POSITION_SIZE | largest position of one instrument, as a share of equity (`0.10` or `10%`) |
//! | RISK_PER_TRADE | largest loss of one trade at its stop, as a share of equity |
//! | MAX_CORRELATION_THRESHOLD | largest correlation of a new position with the rest of the book |
//! | MIN_VOLUME_THRESHOLD | least quote volume of 24 hours for an instrument to be traded |
//! | LOG_LEVEL | error, warn, info, debug or trace |
//! | DATA_UPDATE_INTERVAL | period at which returns are sampled; a bare number means seconds |
//! | HEARTBEAT_INTERVAL | period of the heartbeat line; a bare number means seconds |

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::Config;
use crate::exit::Failure;

type Setter = fn(&mut Config, &str) -> Result<(), String>;

/// Every name that is read, with what it sets.
const SETTINGS: [(&str, Setter); 7] = [
    ("MAX_POSITION_SIZE", |config, text| {
        set_share(&mut config.risk.max_position_size, text)
    }),
    ("RISK_PER_TRADE", |config, text| {
        set_share(&mut config.risk.risk_per_trade, text)
    }),
    ("MAX_CORRELATION_THRESHOLD", |config, text| {
        set_share(&mut config.risk.max_correlation_threshold, text)
    }),
    ("MIN_VOLUME_THRESHOLD", |config, text| {
        config.risk.min_volume_threshold = decimal(text)?;
        Ok(())
    }),
    ("LOG_LEVEL", |config, text| {
        config.log_level = text.to_ascii_lowercase();
        Ok(())
    }),
    ("DATA_UPDATE_INTERVAL", |config, text| {
        config.intervals.data_update = duration(text)?;
        Ok(())
    }),
    ("HEARTBEAT_INTERVAL", |config, text| {
        config.intervals.heartbeat = duration(text)?;
        Ok(())
    }),
];

/// Applies `.env` and the environment.
///
/// # Errors
/// One sentence that names the variable and what was expected.
pub(super) fn apply(config: &mut Config) -> Result<(), Failure> {
    let dotenv = read_dotenv()?;
    for (name, set) in SETTINGS {
        let from_process = match std::env::var(name) {
            Ok(text) => Some(("environment", text)),
            Err(std::env::VarError::NotPresent) => None,
            Err(cause) => return Err(Failure::could_not(format!("environment: {name}: {cause}"))),
        };
        let setting = from_process.or_else(|| Some((".env", dotenv.get(name)?.clone())));
        let Some((place, text)) = setting else {
            continue;
        };
        if text.trim().is_empty() {
            continue;
        }
        set(config, text.trim())
            .map_err(|cause| Failure::could_not(format!("{place}: {name}: {cause}")))?;
    }
    Ok(())
}

fn read_dotenv() -> Result<BTreeMap<String, String>, Failure> {
    let path = std::path::Path::new(".env");
    if !path.is_file() {
        return Ok(BTreeMap::new());
    }
    let entries = dotenvy::from_path_iter(path)
        .map_err(|cause| Failure::could_not(format!(".env: {cause}")))?;
    // The text of a bad line could be half of a secret: it is not repeated.
    entries
        .collect::<Result<_, _>>()
        .map_err(|_| Failure::could_not(".env: a line is not of the form NAME=value"))
}

fn decimal(text: &str) -> Result<Decimal, String> {
    let plain = text.replace('_', "");
    plain
        .parse()
        .map_err(|_| format!("`{text}` is not a decimal number"))
}

fn set_share(target: &mut Decimal, text: &str) -> Result<(), String> {
    *target = match text.strip_suffix('%') {
        Some(percent) => decimal(percent.trim())? / Decimal::ONE_HUNDRED,
        None => decimal(text)?,
    };
    Ok(())
}

fn duration(text: &str) -> Result<String, String> {
    crate::args::parse_duration_ns(text)?;
    Ok(String::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, text: &str) -> Result<Config, String> {
        let mut config = Config::default();
        let (_, setter) = SETTINGS
            .iter()
            .find(|(known, _)| *known == name)
            .expect("known");
        setter(&mut config, text).map(|()| config)
    }

    #[test]
    fn shares_may_be_fractions_or_percentages() {
        for text in ["0.25", "25%"] {
            let config = set("MAX_POSITION_SIZE", text).expect("is taken");
            assert_eq!(config.risk.max_position_size, Decimal::new(25, 2));
        }
        assert!(set("RISK_PER_TRADE", "much").is_err());
    }

    #[test]
    fn intervals_may_have_units() {
        let config = set("DATA_UPDATE_INTERVAL", "250ms").expect("is taken");
        assert_eq!(
            config.timer_interval_ns().expect("is positive"),
            250_000_000
        );
        let config = set("HEARTBEAT_INTERVAL", "2").expect("is taken");
        assert_eq!(
            config.heartbeat_interval_ns().expect("is positive"),
            2_000_000_000
        );
    }
}
