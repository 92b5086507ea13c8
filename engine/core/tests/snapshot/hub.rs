//! A core together with the world that feeds it, and the comparison of two that must be the same.

use acth_core::{
    core::{Core, Input},
    decision::{Decision, Decisions},
    event::Event,
    prelude::*,
    snapshot::{HEADER_BYTES, SnapshotError},
    strategies::{
        agent_network::{AgentNetwork, AgentNetworkConfig},
        basis_lead_lag::{BasisLeadLag, BasisLeadLagConfig},
    },
};
use zerocopy::IntoBytes;

use super::{
    feed::{Feed, Step, config},
    hectic::Hectic,
};

/// A strategy of these tests: one that knows its own parameters.
pub(crate) trait Subject: Strategy {
    fn fresh() -> Self;
}

impl Subject for Hectic {
    fn fresh() -> Self {
        Self::new(&NoConfig {}, &config().instruments).unwrap()
    }
}

impl Subject for BasisLeadLag {
    /// Eager: it chooses leaders and trades within a few ticks.
    fn fresh() -> Self {
        let config_eager = BasisLeadLagConfig {
            basis_half_life_ms: 500,
            structure_half_life_ticks: 10.0,
            warm_up_ticks: 3,
            leader_correlation_min: 0.01,
            basis_z_min: 0.1,
            take_edge_ppm: -1_000.0,
            rest_edge_ppm: -2_000.0,
            position_share_ppm: 100,
            hold_ms_max: 300,
            rest_ms_min: 20,
            ..BasisLeadLagConfig::default()
        };
        Self::new(&config_eager, &config().instruments).unwrap()
    }
}

pub(crate) struct Hub<S> {
    pub(crate) core: Core<S>,
    pub(crate) feed: Feed,
    decisions: Decisions,
}

impl Subject for AgentNetwork {
    /// Eager: everyone trades within a few ticks, whatever it costs.
    fn fresh() -> Self {
        Self::new(&config_eager_network(), &config().instruments).unwrap()
    }
}

/// Agents that need no reason and no time.
pub(crate) fn config_eager_network() -> AgentNetworkConfig {
    let mut config = AgentNetworkConfig::default();
    config.kinds.lead_lag.correlation_min = 0.0;
    config.kinds.lead_lag.edge_ppm_min = -1_000.0;
    config.kinds.cointegration.edge_ppm_min = -1e6;
    config.kinds.market_maker.warm_up_ticks = 2;
    config.kinds.market_maker.quote_share = 0.01;
    config.kinds.cross_section.warm_up_periods = 1;
    config.kinds.cross_section.edge_ppm_min = -1_000.0;
    config.kinds.cross_section.period_ticks = 2;
    config.kinds.online.warm_up_samples = 5;
    config.kinds.online.edge_ppm_min = -1_000.0;
    config.execution.rest_ms_min = 5;
    config.execution.child_ms = 10;
    config.execution.improve_ms = 20;
    config.execution.cross_ms = 50;
    config.execution.denied_ms = 10;
    config.execution.quotes_per_second = 500;
    config.execution.participation = 1.0;
    config
}

impl<S: Subject> Hub<S> {
    pub(crate) fn fresh() -> Self {
        Self {
            core: Core::new(&config(), S::fresh()).unwrap(),
            feed: Feed::new(),
            decisions: Decisions::new(),
        }
    }

    /// A hub whose markets are open.
    pub(crate) fn open() -> Self {
        let mut hub = Self::fresh();
        for event in hub.feed.opening() {
            hub.apply(&event);
        }
        hub
    }

    /// An open hub after some steps.
    pub(crate) fn after(steps: &[Step]) -> Self {
        let mut hub = Self::open();
        hub.take(steps);
        hub
    }

    pub(crate) fn take(&mut self, steps: &[Step]) {
        for step in steps {
            let event = self.feed.event(*step);
            self.apply(&event);
        }
    }

    pub(crate) fn apply(&mut self, event: &Event) -> &[Decision] {
        event.check().unwrap();
        self.decisions.clear();
        let input = Input {
            sequence: self.feed.sequence,
            ts_core_ns: self.feed.ts_ns,
            event,
        };
        self.core.apply(input, &mut self.decisions);
        self.feed.hear(self.decisions.as_slice());
        self.decisions.as_slice()
    }

    pub(crate) fn snapshot(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.core.encode_snapshot(&mut bytes);
        bytes
    }

    /// The same hub from its snapshot, held against the original at once.
    pub(crate) fn restored(&self) -> Self {
        let bytes = self.snapshot();
        let restored = Self {
            core: restore(&bytes).unwrap(),
            feed: self.feed.clone(),
            decisions: Decisions::new(),
        };
        assert!(restored.snapshot() == bytes, "encoded again, other bytes");
        assert_same(self, &restored);
        restored
    }
}

pub(crate) fn restore<S: Subject>(bytes: &[u8]) -> Result<Core<S>, SnapshotError> {
    Core::restore(&config(), S::fresh(), bytes)
}

/// Everything that can be asked of a core.
pub(crate) fn assert_same<S: Subject>(first: &Hub<S>, second: &Hub<S>) {
    let (first, second) = (&first.core, &second.core);
    assert_eq!(first.state_hash(), second.state_hash());
    assert_eq!(first.progress_hash(), second.progress_hash());
    assert_eq!(first.stats(), second.stats());
    assert_eq!(first.denials(), second.denials());
    assert_eq!(first.book_checks(), second.book_checks());
    assert_eq!(first.crossed_count(), second.crossed_count());
    assert_eq!(first.trading_state(), second.trading_state());
    assert_eq!(first.trading_state_reason(), second.trading_state_reason());
    assert_eq!(first.last_input_sequence(), second.last_input_sequence());
    assert_eq!(first.now_ns(), second.now_ns());
    assert!(first.open_orders().eq(second.open_orders()));
    for (id, _) in first.instruments().iter() {
        let (one, other) = (first.portfolio(), second.portfolio());
        assert_eq!(one.position(id), other.position(id));
        let announced = |core: &Core<S>| core.announced_funding(id).copied();
        assert_eq!(announced(first), announced(second));
        let (one, other) = (first.market(id).unwrap(), second.market(id).unwrap());
        assert_eq!(one.last_trade(), other.last_trade());
        assert_eq!(one.quote(), other.quote());
    }
    assert_eq!(second.portfolio().check_conservation(), Ok(()));
}

/// The same steps to both, compared decision by decision.
pub(crate) fn assert_go_on_alike<S: Subject>(
    first: &mut Hub<S>,
    second: &mut Hub<S>,
    steps: &[Step],
) {
    for step in steps {
        let event = first.feed.event(*step);
        second.feed.ts_ns = first.feed.ts_ns;
        let decided = first.apply(&event);
        assert_eq!(decided.as_bytes(), second.apply(&event).as_bytes());
    }
    assert_same(first, second);
    assert!(
        first.snapshot() == second.snapshot(),
        "other states at the end"
    );
}

/// Writes the content hash that belongs to changed bytes, so that they get past the first net.
pub(crate) fn reseal(bytes: &mut [u8]) {
    if bytes.len() < HEADER_BYTES {
        return;
    }
    let mut hash = StateHasher::new();
    hash.bytes(&bytes[..HEADER_BYTES - 8]);
    hash.bytes(&bytes[HEADER_BYTES..]);
    bytes[HEADER_BYTES - 8..HEADER_BYTES].copy_from_slice(&hash.finish().to_le_bytes());
}
