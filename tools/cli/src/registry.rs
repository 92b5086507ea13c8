//! Strategies by name. This is the only place where a strategy's type is forgotten; everything below a verb is
//! compiled for the one type.

use std::marker::PhantomData;

use acth_core::{config::CoreConfig, core::Core, instrument::Instruments, strategy::Strategy};
use acth_engine::manifest::RunManifest;
use serde_json::{Value, json};

use crate::{
    args::{BacktestArgs, ReplayArgs, ReportArgs, RunArgs, SnapshotArgs},
    config::{Config, file::explain},
    exit::Failure,
    verbs,
};

/// A strategy that the command knows.
pub type Registered = Box<dyn Runner>;

/// Registers a strategy for `main_with`.
pub fn strategy<S: Strategy + Send + 'static>() -> Registered {
    Box::new(Of::<S>(PhantomData))
}

/// The verbs for one strategy.
pub trait Runner {
    /// Its name.
    fn name(&self) -> &'static str;
    /// Its parameters with every default written out.
    ///
    /// # Errors
    /// When a parameter is unknown or of the wrong type.
    fn parameters(&self, given: &toml::Table) -> Result<toml::Table, Failure>;
    /// `acth run`.
    ///
    /// # Errors
    /// As documented for the exit codes.
    fn run(&self, args: &RunArgs, config: &Config) -> Result<(), Failure>;
    /// `acth backtest`.
    ///
    /// # Errors
    /// As documented for the exit codes.
    fn backtest(&self, args: &BacktestArgs, config: &Config) -> Result<(), Failure>;
    /// `acth replay` of a journal that this strategy wrote.
    ///
    /// # Errors
    /// As documented for the exit codes.
    fn replay(&self, args: &ReplayArgs) -> Result<(), Failure>;
    /// `acth report` about a journal that this strategy wrote.
    ///
    /// # Errors
    /// As documented for the exit codes.
    fn report(&self, args: &ReportArgs) -> Result<(), Failure>;
    /// `acth journal snapshot` of a journal that this strategy wrote.
    ///
    /// # Errors
    /// As documented for the exit codes.
    fn snapshot(&self, args: &SnapshotArgs) -> Result<(), Failure>;
}

struct Of<S>(PhantomData<fn() -> S>);

impl<S: Strategy + Send + 'static> Runner for Of<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn parameters(&self, given: &toml::Table) -> Result<toml::Table, Failure> {
        toml::Table::try_from(read_parameters::<S>(given)?).map_err(Failure::could_not)
    }

    fn run(&self, args: &RunArgs, config: &Config) -> Result<(), Failure> {
        verbs::run::run::<S>(args, config)
    }

    fn backtest(&self, args: &BacktestArgs, config: &Config) -> Result<(), Failure> {
        verbs::backtest::run::<S>(args, config)
    }

    fn replay(&self, args: &ReplayArgs) -> Result<(), Failure> {
        verbs::replay::of::<S>(args)
    }

    fn report(&self, args: &ReportArgs) -> Result<(), Failure> {
        verbs::report::of::<S>(args)
    }

    fn snapshot(&self, args: &SnapshotArgs) -> Result<(), Failure> {
        verbs::snapshot::run::<S>(args)
    }
}

/// The strategy with this name.
///
/// # Errors
/// When there is none; the sentence lists those there are.
pub(crate) fn find<'a>(
    strategies: &'a [Registered],
    name: &str,
) -> Result<&'a dyn Runner, Failure> {
    let found = strategies.iter().find(|strategy| strategy.name() == name);
    // A binary around one strategy need not repeat its name in the configuration.
    let only = (strategies.len() == 1).then(|| &strategies[0]);
    found.or(only).map(|strategy| &**strategy).ok_or_else(|| {
        let names: Vec<&str> = strategies.iter().map(|strategy| strategy.name()).collect();
        Failure::could_not(format!(
            "no strategy is named `{name}`; known: {}",
            names.join(", ")
        ))
    })
}

fn read_parameters<S: Strategy>(given: &toml::Table) -> Result<S::Config, Failure> {
    let refuse = |cause: toml::de::Error| {
        let text = explain(cause.message());
        Failure::could_not(format!("[parameters] of strategy {}: {text}", S::NAME))
    };
    given.clone().try_into().map_err(refuse)
}

/// What a core is built from: the part of the manifest that replay needs.
pub(crate) struct Recipe<S: Strategy> {
    /// The core's configuration.
    pub(crate) core: CoreConfig,
    /// The strategy's.
    pub(crate) parameters: S::Config,
}

impl<S: Strategy> Recipe<S> {
    /// For these instruments, by the configuration.
    ///
    /// # Errors
    /// When a value is out of its range.
    pub(crate) fn from_config(config: &Config, instruments: &Instruments) -> Result<Self, Failure> {
        Ok(Self {
            core: config.core(instruments.rows().to_vec())?,
            parameters: read_parameters::<S>(&config.parameters)?,
        })
    }

    /// As a journal's manifest has it.
    ///
    /// # Errors
    /// When the manifest was written by another version.
    pub(crate) fn from_manifest(manifest: &RunManifest) -> Result<Self, Failure> {
        if manifest.strategy != S::NAME {
            return Err(Failure::could_not(format!(
                "the journal was written with strategy {}, now {}; go on with the same, or choose a new directory with --journal",
                manifest.strategy,
                S::NAME
            )));
        }
        let part = |name: &str| manifest.core.get(name).cloned().unwrap_or(Value::Null);
        let refuse = |cause: serde_json::Error| {
            Failure::could_not(format!(
                "manifest written by acth {}: {cause}; replay it with that version",
                manifest.build.version
            ))
        };
        Ok(Self {
            core: serde_json::from_value(part("core")).map_err(refuse)?,
            parameters: serde_json::from_value(part("parameters")).map_err(refuse)?,
        })
    }

    /// The form in which the manifest keeps it.
    ///
    /// # Errors
    /// When a value has no JSON form.
    pub(crate) fn to_value(&self) -> Result<Value, Failure> {
        Ok(json!({
            "core": serde_json::to_value(&self.core).map_err(Failure::could_not)?,
            "parameters": serde_json::to_value(&self.parameters).map_err(Failure::could_not)?,
        }))
    }

    /// The core in the state of a snapshot.
    ///
    /// # Errors
    /// When the snapshot does not fit, or the strategy refuses its parameters.
    pub(crate) fn restore(&self, state: &[u8]) -> Result<Core<S>, Failure> {
        let strategy =
            S::new(&self.parameters, &self.core.instruments).map_err(Failure::could_not)?;
        Core::restore(&self.core, strategy, state).map_err(Failure::could_not)
    }

    /// The core.
    ///
    /// # Errors
    /// When the strategy refuses its parameters.
    pub(crate) fn build(&self) -> Result<Core<S>, Failure> {
        let strategy =
            S::new(&self.parameters, &self.core.instruments).map_err(Failure::could_not)?;
        Core::new(&self.core, strategy).map_err(Failure::could_not)
    }
}
