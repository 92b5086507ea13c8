//! A restored core goes on as the one that was saved would have.

use acth_core::{
    core::Core,
    event::{Event, Level, flags},
    prelude::*,
    strategies::{
        agent_network::AgentNetwork,
        basis_lead_lag::BasisLeadLag,
        spread_watcher::{SpreadWatcher, SpreadWatcherConfig},
    },
};
use proptest::prelude::*;

use super::{
    feed::{Step, config, long_steps, steps},
    hectic::Hectic,
    hub::{Hub, Subject, assert_go_on_alike},
};

/// Cases of each property; `ACTH_CASES` asks for more.
fn cases() -> ProptestConfig {
    let asked = std::env::var("ACTH_CASES").ok();
    ProptestConfig {
        cases: asked.map_or(256, |text| text.parse().unwrap()),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn cut_and_go_on<S: Subject>(steps: &[Step], cut: usize) {
    let (before, after) = steps.split_at(cut % steps.len());
    let mut hub = Hub::<S>::after(before);
    let mut restored = hub.restored();
    assert_go_on_alike(&mut hub, &mut restored, after);
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn many_orders(steps in steps(400), cut in any::<usize>()) {
        cut_and_go_on::<Hectic>(&steps, cut);
    }

    #[test]
    fn the_built_in_strategy(steps in steps(400), cut in any::<usize>()) {
        cut_and_go_on::<BasisLeadLag>(&steps, cut);
    }

    #[test]
    fn the_network_of_agents(steps in steps(400), cut in any::<usize>()) {
        cut_and_go_on::<AgentNetwork>(&steps, cut);
    }
}

/// Long enough for every ring to go round: fills remembered, recent orders, order times, tickers. `look` sees the core at
/// every restart.
fn long_life<S: Subject>(steps: &[Step], mut look: impl FnMut(&Core<S>)) -> Hub<S> {
    let mut hub = Hub::<S>::open();
    let mut restored = hub.restored();
    for part in steps.chunks(2_999) {
        assert_go_on_alike(&mut hub, &mut restored, part);
        restored = restored.restored();
        look(&hub.core);
    }
    hub
}

#[test]
fn a_core_that_is_restored_again_and_again_lives_the_same_long_life() {
    let hub = long_life::<Hectic>(&long_steps(11, 130_000), |_| ());
    let stats = hub.core.stats();
    let has_gone_round = stats.orders > 5_000 && stats.fills > 4_096;
    assert!(has_gone_round, "{stats:?}");
    let has_trouble = stats.denials > 1_000 && stats.strange_reports > 1_000;
    assert!(has_trouble, "{stats:?}");
    assert!(hub.core.book_checks().compared > 1_000);
    let mut denials = hub.core.denials().into_iter();
    let gross = denials.find(|(denial, _)| *denial == Denial::GrossExposure);
    assert!(gross.is_some_and(|(_, count)| count > 100), "{gross:?}");
    let book = hub.core.market(InstrumentId(1)).unwrap().book();
    assert!(book.refused_count() > 0);
}

#[test]
fn the_built_in_strategy_lives_the_same_long_life() {
    let mut leader_count = 0;
    let hub = long_life::<BasisLeadLag>(&long_steps(12, 60_000), |core| {
        let leads = |index| core.strategy().leader_of(InstrumentId(index)).is_some();
        leader_count += (0..3).filter(|index| leads(*index)).count();
    });
    let stats = hub.core.stats();
    assert!(stats.orders > 500 && stats.fills > 100, "{stats:?}");
    assert!(leader_count > 5, "{leader_count} leaders at the restarts");
}

/// Whatever the reports say, the agents' books and the house's add up to the hub's.
#[test]
fn the_network_lives_the_same_long_life_and_its_books_add_up() {
    let hub = long_life::<AgentNetwork>(&long_steps(17, 60_000), |core| {
        let position = |id| core.portfolio().position(id).quantity;
        assert!(core.strategy().is_balanced(position));
        assert_nothing_is_lost(core);
    });
    let stats = hub.core.stats();
    assert!(stats.orders > 500 && stats.fills > 100, "{stats:?}");
    let network = hub.core.strategy();
    let ledger = network.ledger();
    let fills = |row: usize| ledger.total(row, |_, amount| amount).fills;
    let busy = (1..ledger.rows()).filter(|row| fills(*row) > 0);
    assert!(busy.count() >= 3, "several agents traded");
    assert_eq!(network.allocator().violations(), 0);
    let funded = (1..ledger.rows())
        .filter(|row| ledger.total(*row, |_, amount| amount).funding != Money::ZERO);
    assert!(funded.count() >= 3, "several agents had funding");
    assert_nothing_is_lost(&hub.core);
}

/// Money is conserved to the last unit, in the currency in which it was paid: what all rows have is what the hub has.
fn assert_nothing_is_lost(core: &Core<AgentNetwork>) {
    let ledger = core.strategy().ledger();
    for (id, rules) in core.instruments().iter() {
        let position = core.portfolio().position(id);
        let rows = || 0..ledger.rows();
        let fees: Money = rows().map(|row| ledger.account(row, id).fees).sum();
        let volume: Money = rows().map(|row| ledger.account(row, id).volume).sum();
        assert_eq!((fees, volume), (position.fees, position.volume));
        let funding: Money = rows().map(|row| ledger.account(row, id).funding).sum();
        assert_eq!(funding, position.funding);
        let mark = position.mark_price;
        let profit: Money = rows()
            .map(|row| ledger.profit_in(row, id, rules, mark))
            .sum();
        let open = rules.notional(mark, position.quantity) - position.cost;
        let kept = position.realised + open + position.funding - position.fees;
        assert_eq!(profit, kept);
    }
}

/// A side beyond its bound, far levels, and windows that have moved.
#[test]
fn full_books_come_back_with_their_windows() {
    let mut hub = Hub::<Hectic>::open();
    for step in 0..17_000 {
        for (side, sign) in [(Side::Bid, -1), (Side::Ask, 1)] {
            let level = Level {
                price: (100_000 + sign * (20 + step * 3)) * 5,
                quantity: 1 + step,
            };
            let event = Event::book_delta(InstrumentId(1), 1_000_000, &[(side, level)]);
            hub.apply(&event);
        }
    }
    let book = hub.core.market(InstrumentId(1)).unwrap().book();
    assert!(book.evicted_count() > 0 && book.depth(Side::Bid) > 15_000);
    let mut restored = hub.restored();
    let jump = Level {
        price: 160_000 * 5,
        quantity: 3,
    };
    let levels = [(Side::Bid, jump)];
    for bits in [0, flags::CLEAR | flags::LAST] {
        let event = Event::book_delta(InstrumentId(1), 1_000_001, &levels).with_flags(bits);
        assert_eq!(hub.apply(&event), restored.apply(&event));
    }
    assert_go_on_alike(&mut hub, &mut restored, &long_steps(13, 500));
}

#[test]
fn a_core_before_its_first_input_comes_back() {
    let mut hub = Hub::<Hectic>::fresh();
    let mut restored = hub.restored();
    for event in hub.feed.clone().opening() {
        assert_eq!(hub.apply(&event), restored.apply(&event));
    }
    Hub::<BasisLeadLag>::fresh().restored();
}

impl Subject for SpreadWatcher {
    fn fresh() -> Self {
        let config_wide = SpreadWatcherConfig {
            spread_ticks_min: 3,
        };
        Self::new(&config_wide, &config().instruments).unwrap()
    }
}

#[test]
fn a_strategy_without_state_needs_no_code() {
    let steps = long_steps(14, 3_000);
    cut_and_go_on::<SpreadWatcher>(&steps, 1_500);
}

/// Cancelling more than one input has room for goes on where it was.
#[test]
fn a_halt_that_is_not_done_yet_is_finished_after_the_restart() {
    let mut hub = Hub::<Hectic>::open();
    let is_cancellable = |order: &&Order| order.state != OrderState::PendingCancel;
    // Nothing that ends an order.
    let calm = |step: &Step| (32..60).contains(&step.0);
    let mut count = 0;
    for step in long_steps(15, 40_000).into_iter().filter(calm) {
        hub.take(&[step]);
        count = hub.core.open_orders().filter(is_cancellable).count();
        if count > 66 {
            break;
        }
    }
    assert!(count > 66, "{count} orders can be cancelled");
    let halt = Event::new(
        acth_core::event::EventKind::OperatorCommanded,
        InstrumentId(0),
    );
    hub.apply(&halt.with_detail(1));
    let mut restored = hub.restored();
    let rest = hub.apply(&halt.with_detail(1)).to_vec();
    assert!(!rest.is_empty(), "something was left to cancel");
    assert_eq!(rest, restored.apply(&halt.with_detail(1)));
}

/// The buffer's old content does not matter, and its memory is used again.
#[test]
fn encoding_replaces_what_the_buffer_held() {
    let core = Core::new(&config(), Hectic::fresh()).unwrap();
    let (mut fresh, mut used) = (Vec::new(), vec![7; 1 << 20]);
    let place = used.as_ptr();
    core.encode_snapshot(&mut fresh);
    core.encode_snapshot(&mut used);
    assert!(fresh == used);
    assert_eq!(used.as_ptr(), place);
}
