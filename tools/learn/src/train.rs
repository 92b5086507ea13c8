//! Supervised prediction: from a series of inputs and outcomes to a model.
//!
//! The series is normalised by its own means and deviations, cut into windows of equal length, and taken through in batches of windows in a
//! seeded order. After each epoch the validation series is run through from end to end, as the model will be used; the best numbers are kept,
//! and training stops when they have not improved for some epochs. With a recurrent part each window begins with an empty memory.

use acth_nn::{
    ShapeError,
    model::{Blueprint, InputRange, Model, ModelError, OutputKind, Quantile},
    train::{Adam, AdamConfig, Tape, Topology, Trainee},
};

use crate::{
    loss::{expectation, loss},
    random::Random,
};

/// Largest normalised input.
const CLIP: f32 = 8.0;
/// Levels of the residuals' quantiles.
const LEVELS: [f32; 9] = [0.005, 0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975, 0.995];
/// Least deviation that an input is divided by.
const SCALE_MIN: f64 = 1e-12;

/// Inputs and outcomes, step by step.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// `[step][input]`.
    pub inputs: Vec<f32>,
    /// `[step][outcome]`.
    pub outcomes: Vec<f32>,
}

/// How to train.
#[derive(Clone, Debug)]
pub struct TrainConfig {
    /// What the network is made of.
    pub topology: Topology,
    /// What its outputs mean, and so what it is trained by.
    pub output_kind: OutputKind,
    /// Hash of the table of features that the inputs are.
    pub feature_hash: u64,
    /// Seed of the first numbers and of the order of the windows.
    pub seed: u64,
    /// Steps of a window.
    pub window: usize,
    /// Windows of a batch.
    pub batch: usize,
    /// Most epochs.
    pub epochs: usize,
    /// Epochs without improvement after which training stops.
    pub patience: usize,
    /// Size of the first steps; it falls along half a cosine towards a twentieth of it.
    pub rate: f32,
}

/// Why nothing can be trained.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TrainError {
    /// The topology fits nothing.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// A series does not fit.
    #[error("the {which} series: expected {expected}, found {found}")]
    Series {
        /// Which one.
        which: &'static str,
        /// What was expected.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A size is zero.
    #[error("training: window, batch and epochs must be at least 1")]
    Sizes,
    /// The loss or a gradient was not finite.
    #[error("training: the loss is not finite in epoch {epoch}")]
    Diverged {
        /// When, from 0.
        epoch: usize,
    },
    /// What was trained is no model.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The model.
    pub model: Model,
    /// Mean loss of a step on the validation series, after each epoch.
    pub validation: Vec<f64>,
    /// The best of them, which the model is from.
    pub best: f64,
}

/// Trains a model; `told` hears the validation loss after each epoch.
///
/// # Errors
/// The configuration and the series do not fit, or the loss is not finite.
pub fn train(
    config: &TrainConfig,
    training: &Series,
    validation: &Series,
    told: &mut dyn FnMut(usize, f64),
) -> Result<Trained, TrainError> {
    if config.window == 0 || config.batch == 0 || config.epochs == 0 {
        return Err(TrainError::Sizes);
    }
    let mut random = Random::new(config.seed);
    let mut trainee = Trainee::new(config.topology.clone())?;
    trainee.initialise(|| random.uniform());
    let width = outcome_width(config.output_kind, trainee.outputs());
    check(config, "training", training, width)?;
    check(config, "validation", validation, width)?;
    let ranges = ranges(config.topology.inputs, &training.inputs);
    let inputs = normalised(&ranges, &training.inputs);
    let mut school = School {
        config,
        width,
        tape: Tape::new(&trainee, config.window),
        gradients: vec![0.0; trainee.parameters().len()],
        adam: Adam::new(AdamConfig::default(), trainee.parameters().len()),
        trainee,
    };
    let mut order: Vec<usize> = (0..steps(config, training) / config.window).collect();
    let (mut best, mut best_parameters) = (f64::INFINITY, school.trainee.parameters().to_vec());
    let (mut losses, mut since_best) = (Vec::new(), 0);
    for epoch in 0..config.epochs {
        random.shuffle(&mut order);
        school.epoch(epoch, &order, &inputs, &training.outcomes)?;
        let model = model(config, &school.trainee, &ranges, Vec::new())?;
        let found = evaluate(&model, validation).ok_or(TrainError::Diverged { epoch })?;
        losses.push(found);
        told(epoch, found);
        since_best += 1;
        if found < best {
            (best, since_best) = (found, 0);
            best_parameters.copy_from_slice(school.trainee.parameters());
        }
        if since_best > config.patience {
            break;
        }
    }
    school
        .trainee
        .parameters_mut()
        .copy_from_slice(&best_parameters);
    let without = model(config, &school.trainee, &ranges, Vec::new())?;
    let quantiles = quantiles(&without, validation);
    Ok(Trained {
        model: model(config, &school.trainee, &ranges, quantiles)?,
        validation: losses,
        best,
    })
}

/// How many outcomes a step has.
const fn outcome_width(kind: OutputKind, outputs: usize) -> usize {
    match kind {
        OutputKind::Values => outputs,
        OutputKind::Actions | OutputKind::Normal | OutputKind::Mixture => 1,
    }
}

fn steps(config: &TrainConfig, series: &Series) -> usize {
    series.inputs.len() / config.topology.inputs
}

fn check(
    config: &TrainConfig,
    which: &'static str,
    series: &Series,
    width: usize,
) -> Result<(), TrainError> {
    let steps = steps(config, series);
    let numbers = series.inputs.iter().chain(&series.outcomes);
    let (expected, is_met) = if steps < config.window {
        ("at least one window of steps", false)
    } else if steps * config.topology.inputs != series.inputs.len()
        || steps * width != series.outcomes.len()
    {
        (
            "as many inputs and outcomes a step as the network has",
            false,
        )
    } else {
        let mut numbers = numbers;
        ("finite numbers", numbers.all(|number| number.is_finite()))
    };
    if is_met {
        return Ok(());
    }
    let (inputs, outcomes) = (series.inputs.len(), series.outcomes.len());
    Err(TrainError::Series {
        which,
        expected,
        found: format!("{inputs} inputs and {outcomes} outcomes"),
    })
}

/// Mean, deviation and range of every input.
fn ranges(count: usize, inputs: &[f32]) -> Vec<InputRange> {
    let column = |index: usize| inputs.iter().skip(index).step_by(count);
    let range = |index: usize| {
        let steps = (inputs.len() / count) as f64;
        let mean = column(index).map(|&value| f64::from(value)).sum::<f64>() / steps;
        let squares = column(index).map(|&value| (f64::from(value) - mean).powi(2));
        let deviation = libm::sqrt(squares.sum::<f64>() / steps);
        InputRange {
            mean: mean as f32,
            scale: if deviation > SCALE_MIN {
                deviation as f32
            } else {
                1.0
            },
            clip: CLIP,
            least: column(index).copied().fold(f32::INFINITY, f32::min),
            greatest: column(index).copied().fold(f32::NEG_INFINITY, f32::max),
        }
    };
    (0..count).map(range).collect()
}

fn normalised(ranges: &[InputRange], inputs: &[f32]) -> Vec<f32> {
    let pairs = inputs.iter().zip(ranges.iter().cycle());
    pairs
        .map(|(input, range)| range.normalise(*input))
        .collect()
}

fn model(
    config: &TrainConfig,
    trainee: &Trainee,
    ranges: &[InputRange],
    quantiles: Vec<Quantile>,
) -> Result<Model, ModelError> {
    Model::new(&Blueprint {
        feature_hash: config.feature_hash,
        output_kind: config.output_kind,
        inputs: ranges.to_vec(),
        quantiles,
        gru: trainee.gru_weights(),
        layers: trainee.layers(),
    })
}

/// Mean loss of a step over a series, run through from end to end; `None` when an answer or a loss is missing.
pub fn evaluate(model: &Model, series: &Series) -> Option<f64> {
    let mut memory = model.memory();
    let width = outcome_width(model.output_kind(), model.output_count());
    let mut gradient = vec![0.0; model.output_count()];
    let (mut sum, mut count) = (0.0, 0_u64);
    let inputs = series.inputs.chunks_exact(model.input_count());
    for (inputs, outcome) in inputs.zip(series.outcomes.chunks_exact(width)) {
        let outputs = model.infer(inputs, &mut memory).ok()?;
        sum += loss(model.output_kind(), outputs, outcome, &mut gradient)?;
        count += 1;
    }
    Some(sum / count.max(1) as f64)
}

/// Quantiles of outcome minus expectation, where the outputs have one.
fn quantiles(model: &Model, series: &Series) -> Vec<Quantile> {
    let mut memory = model.memory();
    let mut residuals = Vec::with_capacity(series.outcomes.len());
    let inputs = series.inputs.chunks_exact(model.input_count());
    for (inputs, outcome) in inputs.zip(&series.outcomes) {
        let Ok(outputs) = model.infer(inputs, &mut memory) else {
            return Vec::new();
        };
        let Some(expected) = expectation(model.output_kind(), outputs) else {
            return Vec::new();
        };
        residuals.push((f64::from(*outcome) - expected) as f32);
    }
    residuals.sort_by(f32::total_cmp);
    let quantile = |level: f32| {
        let place = (f64::from(level) * (residuals.len() - 1) as f64) as usize;
        Quantile {
            level,
            value: residuals[place],
        }
    };
    LEVELS.map(quantile).to_vec()
}

/// What a training run works with.
struct School<'a> {
    config: &'a TrainConfig,
    width: usize,
    trainee: Trainee,
    tape: Tape,
    gradients: Vec<f32>,
    adam: Adam,
}

impl School<'_> {
    /// All windows once, in this order.
    fn epoch(
        &mut self,
        epoch: usize,
        order: &[usize],
        inputs: &[f32],
        outcomes: &[f32],
    ) -> Result<(), TrainError> {
        let (window, count) = (self.config.window, self.config.topology.inputs);
        let batches = order.len().div_ceil(self.config.batch);
        for (number, batch) in order.chunks(self.config.batch).enumerate() {
            self.gradients.fill(0.0);
            let scale = 1.0 / (batch.len() * window) as f32;
            for &place in batch {
                let inputs = &inputs[place * window * count..(place + 1) * window * count];
                let span = window * self.width;
                let outcomes = &outcomes[place * span..(place + 1) * span];
                self.window(inputs, outcomes, scale)
                    .ok_or(TrainError::Diverged { epoch })?;
            }
            let done = (epoch * batches + number) as f64 / (self.config.epochs * batches) as f64;
            let falling = 0.5 + 0.5 * libm::cos(core::f64::consts::PI * done);
            self.adam
                .set_rate(self.config.rate * (0.05 + 0.95 * falling) as f32);
            if !self
                .adam
                .step(self.trainee.parameters_mut(), &self.gradients)
            {
                return Err(TrainError::Diverged { epoch });
            }
        }
        Ok(())
    }

    /// Adds the gradient of one window.
    fn window(&mut self, inputs: &[f32], outcomes: &[f32], scale: f32) -> Option<()> {
        let outputs = self.trainee.forward(inputs, &mut self.tape);
        let mut gradients = vec![0.0; outputs.len()];
        let outputs_count = self.trainee.outputs();
        let rows = outputs.chunks_exact(outputs_count);
        let places = gradients.chunks_exact_mut(outputs_count);
        for ((outputs, outcome), gradient) in
            rows.zip(outcomes.chunks_exact(self.width)).zip(places)
        {
            loss(self.config.output_kind, outputs, outcome, gradient)?;
            gradient.iter_mut().for_each(|value| *value *= scale);
        }
        let (tape, all) = (&self.tape, &mut self.gradients);
        self.trainee.backward(inputs, &gradients, tape, all);
        Some(())
    }
}
