//! A pair of which one leg never comes: the other is unwound, and the pair is left alone for a while.

use acth_core::{
    event::{EventKind, Side},
    instrument::Instrument,
    strategies::agent_network::AgentNetworkConfig,
};

use crate::support::{Hub, listed};

const SECOND_NS: i64 = 1_000_000_000;

fn asset(base: &str) -> Instrument {
    Instrument {
        symbol: base.into(),
        base: base.into(),
        ..listed("one", 0, 3)
    }
}

/// Prices of two assets that belong together: one wanders, the other is drawn back to it.
struct Pair {
    state: u64,
    level: f64,
    gap: f64,
    /// Share of the gap that is taken back each step.
    pull: f64,
}

impl Pair {
    /// Sum of twelve uniform numbers: near enough to normal for steps of a price.
    fn normal(&mut self) -> f64 {
        let mut uniform = || {
            self.state = self.state.wrapping_mul(6_364_136_223_846_793_005);
            self.state = self.state.wrapping_add(1_442_695_040_888_963_407);
            (self.state >> 11) as f64 / (1u64 << 53) as f64
        };
        (0..12).map(|_| uniform()).sum::<f64>() - 6.0
    }

    fn step(&mut self) {
        self.level += 4e-4 * self.normal();
        self.gap += -self.pull * self.gap + 5e-4 * self.normal();
    }

    fn quote(&self, hub: &mut Hub) {
        for (index, log_price) in [(0, self.level), (1, self.level + self.gap)] {
            let price = (1_000_000.0 * (1.0 + log_price)) as i64;
            hub.quote(index, price, price + 10, 100_000);
        }
    }
}

/// A hub that has found the pair and has just ordered both legs.
fn entered(seed: u64) -> (Hub, Pair) {
    let parameters = AgentNetworkConfig {
        agents: vec!["cointegration".into()],
        fixed_shares: vec![1.0],
        capital_ppm: 1_000_000,
        ..AgentNetworkConfig::default()
    };
    let mut hub = Hub::new(vec![asset("AAA"), asset("BBB")], &parameters);
    let mut pair = Pair {
        state: seed,
        level: 0.0,
        gap: 0.0,
        pull: 0.15,
    };
    for _ in 0..40_000 {
        hub.timer();
        pair.step();
        pair.quote(&mut hub);
        if !hub.orders.is_empty() {
            return (hub, pair);
        }
    }
    panic!("nothing was traded");
}

#[test]
fn a_lonely_leg_is_unwound_in_time_and_the_pair_left_alone() {
    let (mut hub, pair) = entered(7);
    assert_eq!(hub.core.strategy().structure().pairs().len(), 1);
    let (mut handled, mut others, mut unwound_ns) = (0, 0, 0);
    let ts_entered_ns = hub.now_ns;
    let mut side = None;
    // The prices stand still from here on: what is wanted stays wanted.
    while hub.now_ns - ts_entered_ns < 15 * SECOND_NS {
        while let Some(order) = hub.orders.get(handled).copied() {
            handled += 1;
            hub.report(&order, EventKind::OrderAccepted);
            if order.instrument == 1 {
                // The other leg never comes.
                others += 1;
                hub.report(&order, EventKind::OrderCancelled);
                continue;
            }
            let first = *side.get_or_insert(order.side());
            if order.side() != first && unwound_ns == 0 {
                unwound_ns = hub.now_ns;
            }
            hub.fill(&order, order.quantity);
        }
        hub.timer();
        pair.quote(&mut hub);
    }
    assert!(matches!(side, Some(Some(Side::Bid | Side::Ask))));
    assert!(others > 1, "the missing leg is tried again: {others}");
    let waited_ms = (unwound_ns - ts_entered_ns) / 1_000_000;
    assert!((2_000..2_500).contains(&waited_ms), "{waited_ms} ms");
    assert_eq!((hub.held(0), hub.held(1)), (0, 0));
    let seen = hub.orders.len();
    assert!(
        hub.orders[seen - 1].instrument == 0,
        "the last order was the way out"
    );
    // Ten times as long as a leg may be alone the pair rests; after that it is tried again.
    while hub.now_ns - unwound_ns < 25 * SECOND_NS {
        hub.timer();
        pair.quote(&mut hub);
        let is_resting = hub.now_ns - unwound_ns < 19 * SECOND_NS;
        assert!(!is_resting || hub.orders.len() == seen);
    }
    assert!(hub.orders.len() > seen, "it is entered again");
}

/// Fills whatever was ordered and lets a tenth of a second pass.
fn live(hub: &mut Hub, pair: &Pair, handled: &mut usize) {
    while let Some(order) = hub.orders.get(*handled).copied() {
        *handled += 1;
        hub.report(&order, EventKind::OrderAccepted);
        hub.fill(&order, order.quantity);
    }
    hub.timer();
    pair.quote(hub);
}

#[test]
fn a_pair_that_is_no_longer_one_is_left() {
    let mut were_held = 0;
    for seed in 0..20 {
        let (mut hub, mut pair) = entered(seed);
        let mut handled = 0;
        pair.pull = 0.0;
        while !hub.core.strategy().structure().pairs().is_empty() {
            pair.step();
            live(&mut hub, &pair, &mut handled);
        }
        // From here on nothing moves, so nothing else than the loss of the pair can end the position.
        were_held += u32::from(hub.held(0) != 0);
        for _ in 0..100 {
            live(&mut hub, &pair, &mut handled);
        }
        assert_eq!((hub.held(0), hub.held(1)), (0, 0), "seed {seed}");
    }
    assert!(were_held > 2, "{were_held} of 20");
}
