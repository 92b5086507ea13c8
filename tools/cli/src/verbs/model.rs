//! `acth model show`: what a model's files say, without using it.

use std::path::Path;

use acth_core::{
    agents::OUTPUTS_MAX,
    event::MODEL_PART_BYTES,
    features::{FEATURE_COUNT, FEATURES},
    predict::{Model, OutputKind},
    strategies::agent_network::{OBSERVATION_COUNT, observation_hash},
};
use acth_learn::{Manifest, files};
use serde_json::json;

use crate::{
    args::{ModelArgs, ModelVerb},
    exit::Failure,
    output::{print, print_json},
};

/// Runs the verb.
///
/// # Errors
/// As documented for the exit codes.
pub fn run(verb: &ModelVerb) -> Result<(), Failure> {
    match verb {
        ModelVerb::Show(args) => show(args),
    }
}

fn show(args: &ModelArgs) -> Result<(), Failure> {
    let model = files::load(&args.file).map_err(Failure::could_not)?;
    let manifest = files::manifest_of(&model).map_err(Failure::could_not)?;
    if args.json {
        return print_json(&json!({
            "file": args.file.display().to_string(),
            "byte_count": model.encode().len(),
            "part_count": model.encode().len().div_ceil(MODEL_PART_BYTES),
            "input_count": model.input_count(),
            "output_count": model.output_count(),
            "observations": format!("{:016x}", observation_hash()),
            "fits_agent_network": fits_network(&model),
            "model": manifest,
        }));
    }
    print(&text(&args.file, &model, &manifest))
}

/// Whether the learned policy of the network of agents would ask it.
fn fits_network(model: &Model) -> bool {
    model.feature_hash() == observation_hash()
        && model.input_count() == OBSERVATION_COUNT
        && model.output_kind() == OutputKind::Actions
        && model.output_count() <= OUTPUTS_MAX
}

/// What an input of an observation is.
fn observation_name(index: usize) -> String {
    let leader = index.checked_sub(FEATURE_COUNT);
    match (
        leader,
        leader.and_then(|place| place.checked_sub(FEATURE_COUNT)),
    ) {
        (_, Some(agent)) => format!("signal of agent {agent}, ppm"),
        (Some(place), None) => format!("leader's {}", FEATURES[place].name),
        (None, _) => FEATURES[index].name.to_owned(),
    }
}

fn text(file: &Path, model: &Model, manifest: &Manifest) -> String {
    let mut path = vec![format!("{} inputs", model.input_count())];
    if manifest.hidden > 0 {
        path.push(format!("{} recurrent units", manifest.hidden));
    }
    for layer in &manifest.layers {
        path.push(format!("{} ({})", layer.outputs, layer.activation));
    }
    let (bytes, parts) = (
        model.encode().len(),
        model.encode().len().div_ceil(MODEL_PART_BYTES),
    );
    let mut text = format!(
        "  file           {}\n  model          {}\n  features       {}\n  topology       {}\n  outputs        {}\n  size           {bytes} bytes, {parts} parts in a journal\n",
        file.display(),
        manifest.model_hash.as_deref().unwrap_or("unknown"),
        manifest.feature_hash,
        path.join(" > "),
        manifest.output_kind,
    );
    let verdict = if fits_network(model) {
        "fits"
    } else {
        "does not fit"
    };
    text += &format!(
        "  observations   {verdict} those of agent-network: {OBSERVATION_COUNT} inputs with the hash {}, scores of at most {OUTPUTS_MAX} actions\n",
        format_args!("{:016x}", observation_hash())
    );
    text += &format!(
        "\n  {:>5} {:>13} {:>13} {:>8} {:>13} {:>13}\n",
        "input", "mean", "scale", "clip", "least", "greatest"
    );
    for (index, input) in manifest.inputs.iter().enumerate() {
        let name = if model.feature_hash() == observation_hash() {
            observation_name(index)
        } else {
            String::new()
        };
        let row = format!(
            "  {index:>5} {:>13.6} {:>13.6} {:>8} {:>13.6} {:>13.6}  {name}",
            input.mean, input.scale, input.clip, input.least, input.greatest
        );
        text += row.trim_end();
        text.push('\n');
    }
    if !manifest.quantiles.is_empty() {
        text += "\n  residuals\n";
        for quantile in &manifest.quantiles {
            let percent = 100.0 * f64::from(quantile.level);
            text += &format!("  {percent:>6.1} % {:>13.6}\n", quantile.value);
        }
    }
    text
}
