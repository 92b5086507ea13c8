//! What each meaning of the outputs is trained by, and how the loss changes with each output.

use acth_nn::model::OutputKind;

/// The loss of one prediction, and its gradient written to `gradient`, one value an output.
///
/// - values: half the sum of squared differences; as many outcomes as outputs.
/// - actions: minus the log of the share that the softmax gives the action whose number the outcome is.
/// - normal, mixture: minus the log density of the outcome.
///
/// `None` when the outcome does not fit or the loss is not finite.
pub fn loss(
    kind: OutputKind,
    outputs: &[f32],
    outcome: &[f32],
    gradient: &mut [f32],
) -> Option<f64> {
    let loss = match kind {
        OutputKind::Values => squared(outputs, outcome, gradient)?,
        OutputKind::Actions => cross_entropy(outputs, *outcome.first()?, gradient)?,
        OutputKind::Normal | OutputKind::Mixture => {
            let outcome = f64::from(*outcome.first()?);
            let density = kind.log_density(outputs, outcome)?;
            match kind {
                OutputKind::Normal => normal_back(outputs, outcome, gradient),
                _ => mixture_back(outputs, outcome, gradient),
            }
            -density
        }
    };
    loss.is_finite().then_some(loss)
}

/// The one number that stands for a prediction, for residuals: the value, or the mean of the distribution. `None` for actions and for several
/// values.
pub fn expectation(kind: OutputKind, outputs: &[f32]) -> Option<f64> {
    match (kind, outputs) {
        (OutputKind::Values, [value]) | (OutputKind::Normal, [value, _]) => Some((*value).into()),
        (OutputKind::Mixture, _) => {
            let count = outputs.len() / 3;
            let shares = shares(&outputs[..count]);
            let means = &outputs[count..2 * count];
            let terms = shares.iter().zip(means);
            Some(terms.map(|(share, mean)| share * f64::from(*mean)).sum())
        }
        _ => None,
    }
}

fn squared(outputs: &[f32], outcome: &[f32], gradient: &mut [f32]) -> Option<f64> {
    if outcome.len() != outputs.len() {
        return None;
    }
    let mut loss = 0.0;
    for ((output, outcome), gradient) in outputs.iter().zip(outcome).zip(gradient) {
        let difference = output - outcome;
        *gradient = difference;
        loss += 0.5 * f64::from(difference) * f64::from(difference);
    }
    Some(loss)
}

fn cross_entropy(outputs: &[f32], action: f32, gradient: &mut [f32]) -> Option<f64> {
    let action = action as usize;
    let shares = shares(outputs);
    let share = *shares.get(action)?;
    for (index, (gradient, share)) in gradient.iter_mut().zip(&shares).enumerate() {
        *gradient = (share - if index == action { 1.0 } else { 0.0 }) as f32;
    }
    Some(-libm::log(share))
}

/// Softmax in f64, from the first to the last.
fn shares(logits: &[f32]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials = logits
        .iter()
        .map(|&logit| libm::exp(f64::from(logit - largest)));
    let exponentials: Vec<f64> = exponentials.collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.into_iter().map(|value| value / sum).collect()
}

fn normal_back(outputs: &[f32], outcome: f64, gradient: &mut [f32]) {
    let precision = libm::exp(-f64::from(outputs[1]));
    let distance = outcome - f64::from(outputs[0]);
    gradient[0] = (-distance * precision) as f32;
    gradient[1] = (0.5 - 0.5 * distance * distance * precision) as f32;
}

/// Each component takes the part of the gradient that it has in the density (its posterior share).
fn mixture_back(outputs: &[f32], outcome: f64, gradient: &mut [f32]) {
    let count = outputs.len() / 3;
    let shares = shares(&outputs[..count]);
    let component = |index: usize| {
        let (mean, log_variance) = (outputs[count + index], outputs[2 * count + index]);
        let distance = outcome - f64::from(mean);
        let precision = libm::exp(-f64::from(log_variance));
        (distance, precision, f64::from(log_variance))
    };
    let weights: Vec<f32> = (0..count)
        .map(|index| {
            let (distance, precision, log_variance) = component(index);
            (libm::log(shares[index]) - 0.5 * (log_variance + distance * distance * precision))
                as f32
        })
        .collect();
    let posterior = self::shares(&weights);
    for index in 0..count {
        let (distance, precision, _) = component(index);
        gradient[index] = (shares[index] - posterior[index]) as f32;
        gradient[count + index] = (-posterior[index] * distance * precision) as f32;
        let spread = 0.5 - 0.5 * distance * distance * precision;
        gradient[2 * count + index] = (posterior[index] * spread) as f32;
    }
}
