//! `acth latency fit`: a latency model for the paper venue.

use std::path::Path;

use acth_latency::{Fitted, fit};
use acth_sim::paper::LatencyModel;
use serde_json::json;

use super::{explain, read};
use crate::{
    args::FitArgs,
    exit::Failure,
    output::{print, print_json},
    summary::grouped,
};

/// What the file says about itself.
const HEAD: &str = "\
# Latencies of orders and reports by venue, for the paper venue: `latency_model` under `[paper]` of the configuration.
# Every table gives one quantile in ns for each entry of `percent`. `order_ns`: a command sent until the venue acts on it.
# `report_ns`: the venue acts until its report is read. `split = \"measured\"`: both are the venue's own word, by its clock;
# `split = \"halves\"`: it gave none that fits our clock, so each way takes half of the time from sending to acknowledgement.
# `feed_ns`, market data from the venue's time until read, is for information.

";

/// Runs the verb.
pub(super) fn run(args: &FitArgs) -> Result<(), Failure> {
    let measured = read(&args.journal, args.json)?;
    let name = args.journal.display().to_string();
    let Fitted { model, notes } =
        fit(&measured, &name, args.samples_min).map_err(|error| explain(&args.journal, error))?;
    let text = toml::to_string(&model).map_err(Failure::could_not)?;
    write(&args.output, &format!("{HEAD}{text}"))?;
    if args.json {
        return print_json(&json!({
            "output": args.output.display().to_string(), "model": model, "notes": notes,
        }));
    }
    let mut text = format!("  model          {}\n", args.output.display());
    for (name, venue) in &model.venues {
        text += &format!(
            "  {name:<14} {} acknowledged orders, {} messages of market data\n",
            grouped(venue.samples),
            grouped(venue.feed_samples)
        );
    }
    for note in notes {
        text += &format!("  note           {note}\n");
    }
    text += &summary(&model);
    print(&text)
}

fn summary(model: &LatencyModel) -> String {
    let mut text = format!(
        "\n  {:<16} {:>8} {:>12} {:>12}\n",
        "venue", "percent", "order", "report"
    );
    for (name, venue) in &model.venues {
        let ways = venue.order_ns.iter().zip(&venue.report_ns);
        for (percent, (order_ns, report_ns)) in model.percent.iter().zip(ways) {
            let way = |ns: &i64| acth_latency::duration_text(ns.unsigned_abs());
            text += &format!(
                "  {name:<16} {percent:>8} {:>12} {:>12}\n",
                way(order_ns),
                way(report_ns)
            );
        }
    }
    text
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text)
        .map_err(|cause| Failure::could_not(format!("{}: {cause}", path.display())))
}
