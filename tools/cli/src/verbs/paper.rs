//! The paper venue by the configuration: fixed latencies, or those of a fitted model.

use std::path::Path;

use acth_core::instrument::Instruments;
use acth_sim::paper::{self, LatencyModel, PaperConfig, PaperSink, PaperState};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::{
    config::{Config, duration_ns, file::parse, funding},
    exit::Failure,
};

/// The paper venue's settings, checked against the instruments before anything is begun.
pub(super) struct PaperSetup {
    config: PaperConfig,
    model: Option<LatencyModel>,
    seed: u64,
    /// What the account holds beyond the hub's own trades, quantity mantissas in the order of the instruments.
    pub(super) holdings: Vec<i64>,
    /// For the summary.
    pub(super) notes: Vec<String>,
}

impl PaperSetup {
    /// Reads the settings, and the model where there is one.
    ///
    /// # Errors
    /// When a latency is no duration, or the model cannot be read or lacks a venue.
    pub(super) fn read(config: &Config, instruments: &Instruments) -> Result<Self, Failure> {
        let path = &config.paper.latency_model;
        let (funding_rate, funding_interval_ns) = funding(&config.paper)?;
        let mut setup = Self {
            config: PaperConfig {
                order_latency_ns: duration_ns("paper.order_latency", &config.paper.order_latency)?,
                report_latency_ns: duration_ns(
                    "paper.report_latency",
                    &config.paper.report_latency,
                )?,
                funding_rate,
                funding_interval_ns,
                ..PaperConfig::default()
            },
            model: None,
            seed: config.seed,
            holdings: holdings(config, instruments)?,
            notes: Vec::new(),
        };
        if !path.is_empty() {
            let model = read_model(Path::new(path))?;
            let from = &model.fitted_from.journal;
            let origin = if from.is_empty() {
                String::new()
            } else {
                format!(" (fitted from {from})")
            };
            setup.notes.push(format!(
                "paper latencies are drawn from {path}{origin}; paper.order_latency and paper.report_latency are not used"
            ));
            setup.model = Some(model);
            // What a venue lacks is told before a journal is begun.
            setup.open(instruments)?;
        }
        Ok(setup)
    }

    /// Both ends of the venue.
    ///
    /// # Errors
    /// When the model lacks a venue of these instruments.
    pub(super) fn open(
        &self,
        instruments: &Instruments,
    ) -> Result<(PaperSink, PaperState), Failure> {
        let (sink, state) = paper::channel(self.config, instruments);
        let state = match &self.model {
            None => state,
            Some(model) => state
                .with_latency_model(model, self.seed)
                .map_err(|error| Failure::could_not(format!("paper.latency_model: {error}")))?,
        };
        Ok((sink, state))
    }

    /// What the manifest keeps of it: the whole model. Nothing where latencies are fixed, as in journals from before there were models.
    ///
    /// # Errors
    /// When the model has no JSON form.
    pub(super) fn to_value(&self) -> Result<Option<Value>, Failure> {
        let value = |model| serde_json::to_value(model).map_err(Failure::could_not);
        let model = self.model.as_ref().map(value).transpose()?;
        Ok(model.map(|model| json!({"latency_model": model})))
    }
}

/// The configured holdings by instrument.
fn holdings(config: &Config, instruments: &Instruments) -> Result<Vec<i64>, Failure> {
    let mut held = vec![0; instruments.count()];
    for (name, quantity) in &config.paper.holdings {
        let refuse =
            |cause: String| Failure::could_not(format!("paper.holdings.\"{name}\": {cause}"));
        let mut rows = instruments.iter();
        let (id, row) = rows
            .find(|(_, row)| row.name() == *name)
            .ok_or_else(|| refuse("no instrument has this name".to_owned()))?;
        let one = Decimal::from(10i64.pow(u32::from(row.quantity_exponent)));
        let scaled = quantity.checked_mul(one).filter(Decimal::is_integer);
        let mantissa = scaled.and_then(|scaled| i64::try_from(scaled).ok());
        held[id.index()] = mantissa.ok_or_else(|| {
            refuse(format!(
                "{quantity} is no quantity of at most {} decimal places",
                row.quantity_exponent
            ))
        })?;
    }
    Ok(held)
}

/// Reads and checks a model; what is wrong is told with the file, and with line and column or the key.
fn read_model(path: &Path) -> Result<LatencyModel, Failure> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|cause| Failure::could_not(format!("paper.latency_model: {name}: {cause}")))?;
    let model: LatencyModel = parse(&name, &text)?;
    match model.check() {
        Ok(()) => Ok(model),
        Err(error) => Err(Failure::could_not(format!("{name}: {error}"))),
    }
}
