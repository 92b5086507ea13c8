//! The core looked at in fixed steps of its own time.
//!
//! A sample shows the state before the first input at or behind its time. Where the journal is longer than the samples
//! reach, every second one is given up and the step doubled, as often as needed.

use std::any::Any;

use acth_core::{
    core::Core, findings::Findings, instrument::InstrumentId,
    strategies::agent_network::AgentNetwork, strategy::Strategy,
};

/// Most samples; one more halves their number.
pub const POINTS_MAX: usize = 2_000;
/// Shortest step, ns.
pub const STEP_NS_MIN: i64 = 1_000_000;
/// Samples that a step chosen by itself aims at.
const POINTS_AIMED: i64 = 600;
/// Hundredths: a correlation of 1 in a sample.
const HUNDREDTHS: f64 = 100.0;
/// Steps to choose from, ns.
const STEPS_NS: [i64; 13] = [
    10_000_000,
    20_000_000,
    50_000_000,
    100_000_000,
    200_000_000,
    500_000_000,
    1_000_000_000,
    2_000_000_000,
    5_000_000_000,
    10_000_000_000,
    30_000_000_000,
    60_000_000_000,
    300_000_000_000,
];

/// The core at one time. Money is in account currency.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sample {
    /// When, ns since the Unix epoch.
    pub(crate) ts_ns: i64,
    pub(crate) equity: f64,
    /// How far equity is below its highest so far, as a share of that.
    pub(crate) drawdown: f64,
    pub(crate) gross: f64,
    pub(crate) net: f64,
    /// Edges of the correlation graph.
    pub(crate) edge_count: usize,
    /// Share of capital of each agent, the house first.
    pub(crate) shares: Vec<f64>,
    /// Profit after fees of each agent, the house first.
    pub(crate) profits: Vec<f64>,
    /// Chance of each regime.
    pub(crate) regimes: Vec<f64>,
    /// Regret of the shares, and what it cannot exceed.
    pub(crate) regret: Option<(f64, f64)>,
    /// Correlation of every pair in hundredths, as `pair_index` numbers them; see `strongest`.
    pub(crate) correlations: Vec<i8>,
}

/// Place of a pair, `first < second`, among all pairs of `count` instruments.
pub(crate) const fn pair_index(first: usize, second: usize, count: usize) -> usize {
    first * (2 * count - first - 1) / 2 + second - first - 1
}

/// All pairs of `count` instruments, in the order of `pair_index`.
pub(crate) fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).flat_map(move |first| (first + 1..count).map(move |second| (first, second)))
}

/// Correlation of the returns of two instruments: that of the network's structure if it is the strategy, else the core's.
pub(crate) fn correlation<S: Strategy + 'static>(
    core: &Core<S>,
    first: usize,
    second: usize,
) -> f64 {
    match (core as &dyn Any).downcast_ref::<Core<AgentNetwork>>() {
        Some(network) => network.strategy().structure().correlation(first, second),
        None => {
            let id = |index: usize| InstrumentId(index as u16);
            core.returns().correlation(id(first), id(second))
        }
    }
}

/// Correlations of all pairs, each at the lag at which it is strongest where the network's graph has an edge, else at the same time.
pub(crate) fn strongest<S: Strategy + 'static>(core: &Core<S>) -> Vec<f64> {
    let count = core.instruments().count();
    let mut found: Vec<f64> = pairs(count)
        .map(|(first, second)| correlation(core, first, second))
        .collect();
    if let Some(network) = (core as &dyn Any).downcast_ref::<Core<AgentNetwork>>() {
        for edge in network.strategy().structure().edges() {
            found[pair_index(edge.first, edge.second, count)] = edge.correlation;
        }
    }
    found
}

impl Sample {
    fn of<S: Strategy + 'static>(core: &Core<S>, ts_ns: i64) -> Self {
        let portfolio = core.portfolio();
        let findings = core.findings();
        let hundredths = |correlation: f64| (correlation * HUNDREDTHS).round() as i8;
        Self {
            ts_ns,
            equity: portfolio.equity().to_f64(),
            drawdown: drawdown(core),
            gross: portfolio.gross_exposure().to_f64(),
            net: portfolio.net_exposure().to_f64(),
            edge_count: findings.edges.len(),
            correlations: strongest(core).into_iter().map(hundredths).collect(),
            ..Self::of_findings(&findings)
        }
    }

    fn of_findings(findings: &Findings) -> Self {
        let agents = &findings.agents;
        Self {
            shares: agents.iter().map(|agent| agent.share).collect(),
            profits: agents.iter().map(|agent| agent.profit.to_f64()).collect(),
            regimes: findings
                .regime
                .as_ref()
                .map_or_else(Vec::new, |regime| regime.probabilities.clone()),
            regret: findings
                .sharing
                .as_ref()
                .map(|sharing| (sharing.regret, sharing.bound)),
            ..Self::default()
        }
    }
}

/// How far equity is below its highest so far, as a share of that.
pub(crate) fn drawdown<S: Strategy>(core: &Core<S>) -> f64 {
    let portfolio = core.portfolio();
    let peak = portfolio.equity_max().to_f64();
    if peak > 0.0 {
        ((peak - portfolio.equity().to_f64()) / peak).max(0.0)
    } else {
        0.0
    }
}

/// The samples and when the next one is due.
#[derive(Debug)]
pub(crate) struct Sampler {
    samples: Vec<Sample>,
    step_ns: i64,
    ts_start_ns: Option<i64>,
    ts_due_ns: i64,
}

impl Sampler {
    /// Samples every `step_ns`; without it, in a step that suits a journal of this length.
    pub(crate) fn new(step_ns: Option<i64>, span_ns: i64) -> Self {
        let suits = |step_ns: &i64| span_ns / step_ns <= POINTS_AIMED;
        let longest = STEPS_NS[STEPS_NS.len() - 1];
        let suited = STEPS_NS.into_iter().find(suits).unwrap_or(longest);
        Self {
            samples: Vec::new(),
            step_ns: step_ns.unwrap_or(suited).max(STEP_NS_MIN),
            ts_start_ns: None,
            ts_due_ns: i64::MIN,
        }
    }

    /// An input of this time is about to be applied.
    pub(crate) fn before<S: Strategy + 'static>(&mut self, core: &Core<S>, ts_ns: i64) {
        if ts_ns < self.ts_due_ns {
            return;
        }
        let Some(ts_start_ns) = self.ts_start_ns else {
            self.ts_start_ns = Some(ts_ns);
            self.ts_due_ns = ts_ns.saturating_add(self.step_ns);
            return self.push(Sample::of(core, ts_ns));
        };
        let sample = Sample::of(core, self.ts_due_ns);
        let steps = (ts_ns - ts_start_ns) / self.step_ns;
        let ts_last_ns = ts_start_ns + steps * self.step_ns;
        let after_silence = (ts_last_ns > self.ts_due_ns).then(|| Sample {
            ts_ns: ts_last_ns,
            ..sample.clone()
        });
        self.push(sample);
        // Nothing changed in between: a second sample keeps a line level over a silence.
        after_silence.into_iter().for_each(|again| self.push(again));
        let steps = (ts_ns - ts_start_ns) / self.step_ns + 1;
        self.ts_due_ns = ts_start_ns.saturating_add(steps.saturating_mul(self.step_ns));
    }

    fn push(&mut self, sample: Sample) {
        self.samples.push(sample);
        if self.samples.len() > POINTS_MAX {
            let mut index = 0;
            self.samples.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.step_ns = self.step_ns.saturating_mul(2);
        }
    }

    /// The journal is over: the last sample is that of its end.
    pub(crate) fn end<S: Strategy + 'static>(&mut self, core: &Core<S>, ts_ns: i64) {
        if self.samples.last().is_some_and(|last| last.ts_ns >= ts_ns) && self.samples.len() > 1 {
            self.samples.pop();
        }
        if self.ts_start_ns.is_some() {
            self.samples.push(Sample::of(core, ts_ns));
        }
    }

    pub(crate) fn samples(&self) -> &[Sample] {
        &self.samples
    }

    pub(crate) const fn step_ns(&self) -> i64 {
        self.step_ns
    }
}

#[cfg(test)]
mod tests {
    use acth_core::{
        config::CoreConfig,
        instrument::{AssetClass, Contract, Instrument, Instruments},
        money::Money,
        risk::Limits,
        strategies::spread_watcher::SpreadWatcher,
    };

    use super::*;

    fn core() -> Core<SpreadWatcher> {
        let instrument = |symbol: &str| Instrument {
            venue: String::from("v"),
            symbol: String::from(symbol),
            base: String::from(symbol),
            quote: String::from("USD"),
            asset_class: AssetClass::Fx,
            contract: Contract::Spot,
            price_exponent: 2,
            quantity_exponent: 2,
            tick: 1,
            lot: 1,
            quantity_min: 1,
            maker_fee_ppm: 0,
            taker_fee_ppm: 0,
        };
        let instruments = Instruments::new(vec![instrument("A"), instrument("B")]).unwrap();
        let strategy = SpreadWatcher::new(
            &<SpreadWatcher as Strategy>::Config::default(),
            &instruments,
        );
        let config = CoreConfig {
            hub_id: 1,
            cash: Money::from_units(1_000),
            instruments,
            limits: Limits::default(),
            correlation_half_life_samples: 100.0,
            account: acth_core::config::AccountConfig::default(),
        };
        Core::new(&config, strategy.unwrap()).unwrap()
    }

    #[test]
    fn every_pair_has_a_place_of_its_own() {
        for count in [0, 1, 2, 5, 33] {
            for (place, (first, second)) in pairs(count).enumerate() {
                assert_eq!(pair_index(first, second, count), place);
            }
        }
    }

    #[test]
    fn a_long_journal_widens_the_step_and_keeps_the_grid() {
        let core = core();
        let mut sampler = Sampler::new(Some(STEP_NS_MIN), 0);
        let (start_ns, count) = (7, 10_000);
        for input in 0..count {
            sampler.before(&core, start_ns + input * STEP_NS_MIN);
        }
        sampler.end(&core, start_ns + count * STEP_NS_MIN);
        let samples = sampler.samples();
        assert!(samples.len() <= POINTS_MAX + 1 && samples.len() > POINTS_MAX / 2 - 1);
        assert_eq!(sampler.step_ns(), 8 * STEP_NS_MIN);
        assert_eq!(samples[0].ts_ns, start_ns);
        let last = samples.len() - 1;
        for (index, sample) in samples[..last].iter().enumerate() {
            assert_eq!(sample.ts_ns, start_ns + index as i64 * sampler.step_ns());
        }
        assert_eq!(samples[last].ts_ns, start_ns + count * STEP_NS_MIN);
    }

    #[test]
    fn a_silence_takes_two_samples_however_long() {
        let core = core();
        let mut sampler = Sampler::new(Some(1_000_000_000), 0);
        for second in [0, 1, 2, 1_000_000] {
            sampler.before(&core, second * 1_000_000_000);
        }
        let times: Vec<i64> = sampler.samples().iter().map(|s| s.ts_ns).collect();
        assert_eq!(times.len(), 5, "{times:?}");
        assert_eq!(times[3..], [3_000_000_000, 1_000_000_000_000_000]);
    }

    #[test]
    fn a_step_chosen_by_itself_suits_the_journal() {
        for (span_ns, step_ns) in [
            (0, 10_000_000),
            (60_000_000_000, 100_000_000),
            (120_000_000_000, 200_000_000),
            (86_400_000_000_000, 300_000_000_000),
        ] {
            assert_eq!(Sampler::new(None, span_ns).step_ns(), step_ns);
        }
    }
}
