//! What venues announce of funding: kept by instrument, hashed, restored, seen by the network, and no reason to value anything
//! anew.

use acth_core::{
    event::{Event, EventKind},
    features::{FEATURE_COUNT, Feature},
    prelude::*,
    strategies::agent_network::AgentNetwork,
};

use super::{feed::long_steps, hectic::Hectic, hub::Hub};

const SPOT: InstrumentId = InstrumentId(0);
const PERPETUAL: InstrumentId = InstrumentId(1);

const FIRST: MarkFunding = MarkFunding {
    mark_price: 6_180_024,
    index_price: 6_179_000,
    rate: -125_000_000,
    ts_next_ns: 28_800_000_000_000,
    reserved: 0,
};

fn announcement(id: InstrumentId, body: &MarkFunding) -> Event {
    Event::new(EventKind::MarkFunding, id).with_body(body)
}

/// Calm markets: no account event, nothing announced by the steps themselves.
fn quiet<S: super::hub::Subject>() -> Hub<S> {
    let mut hub = Hub::<S>::open();
    let steps: Vec<_> = long_steps(71, 400)
        .into_iter()
        .filter(|step| step.0 < 60)
        .collect();
    hub.take(&steps);
    hub
}

#[test]
fn an_announcement_is_kept_and_every_part_of_it_hashed() {
    let hub = quiet::<Hectic>();
    let unheard = hub.core.state_hash();
    assert_eq!(hub.core.announced_funding(PERPETUAL), None);
    let changes: [fn(&mut MarkFunding); 5] = [
        |_| (),
        |body| body.mark_price += 1,
        |body| body.index_price += 1,
        |body| body.rate += 1,
        |body| body.ts_next_ns += 1,
    ];
    let mut hashes = vec![unheard];
    for change in changes {
        let mut body = FIRST;
        change(&mut body);
        let mut heard = hub.restored();
        let equity = heard.core.portfolio().equity();
        heard.apply(&announcement(PERPETUAL, &body));
        assert_eq!(heard.core.announced_funding(PERPETUAL), Some(&body));
        assert_eq!(heard.core.announced_funding(SPOT), None);
        assert_eq!(
            heard.core.portfolio().equity(),
            equity,
            "nothing is valued anew"
        );
        let back = heard.restored();
        assert_eq!(back.core.announced_funding(PERPETUAL), Some(&body));
        hashes.push(heard.core.state_hash());
    }
    // The events are as many, so only what they said can tell the hubs apart.
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 6);
}

#[test]
fn two_hubs_that_heard_other_rates_differ_in_the_journaled_hash() {
    let hub = quiet::<Hectic>();
    let [one, other] = [FIRST.rate, FIRST.rate + 1].map(|rate| {
        let mut hub = hub.restored();
        hub.apply(&announcement(PERPETUAL, &MarkFunding { rate, ..FIRST }));
        hub.core.progress_hash()
    });
    assert_ne!(one, other);
}

/// The feature in tenths of a part per million.
fn funding(hub: &Hub<AgentNetwork>, id: InstrumentId) -> i64 {
    let now_ns = hub.core.now_ns();
    let mut vector = [0.0; FEATURE_COUNT];
    let features = hub.core.strategy().features();
    features.vector(id.index(), now_ns, &mut vector);
    (vector[Feature::Funding as usize] * 10.0) as i64
}

#[test]
fn the_network_sees_the_announced_rate_of_the_instrument_it_is_of() {
    let mut hub = quiet::<AgentNetwork>();
    assert_eq!([SPOT, PERPETUAL].map(|id| funding(&hub, id)), [0; 2]);
    hub.apply(&announcement(PERPETUAL, &FIRST));
    assert_eq!([SPOT, PERPETUAL].map(|id| funding(&hub, id)), [0, -1_250]);
    let mut restored = hub.restored();
    assert_eq!(funding(&restored, PERPETUAL), -1_250);
    let next = MarkFunding {
        rate: 62_500_000,
        ..FIRST
    };
    restored.apply(&announcement(PERPETUAL, &next));
    assert_eq!(funding(&restored, PERPETUAL), 625);
}
