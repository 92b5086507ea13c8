//! A snapshot belongs to one configuration and one strategy, and says where the present ones differ.

use acth_core::{
    config::{AccountConfig, CoreConfig},
    core::{Core, Input},
    decision::Decisions,
    event::{Event, EventKind},
    instrument::Instrument,
    prelude::*,
    snapshot::{SNAPSHOT_FORMAT, SnapshotError, SnapshotHeader, Tag, snapshot_sequence},
    strategies::basis_lead_lag::{BasisLeadLag, BasisLeadLagConfig},
};

use super::{
    feed::{config, long_steps},
    hectic::Hectic,
    hub::{Hub, Subject, reseal, restore},
};

fn snapshot() -> Vec<u8> {
    Hub::<Hectic>::after(&long_steps(31, 500)).snapshot()
}

fn refusal(config: &CoreConfig) -> String {
    let error = Core::restore(config, Hectic::fresh(), &snapshot()).unwrap_err();
    assert!(matches!(error, SnapshotError::Config(_)), "{error}");
    error.to_string()
}

fn with_instrument(change: impl Fn(&mut Instrument)) -> CoreConfig {
    let mut rows = config().instruments.rows().to_vec();
    change(&mut rows[1]);
    CoreConfig {
        instruments: Instruments::new(rows).unwrap(),
        ..config()
    }
}

#[test]
fn another_hub_cash_or_half_life_is_named() {
    let hub_id = CoreConfig {
        hub_id: 8,
        ..config()
    };
    let text = refusal(&hub_id);
    assert!(
        text.ends_with("hub_id is 7 in the snapshot, 8 in the configuration"),
        "{text}"
    );
    let cash = CoreConfig {
        cash: Money::from_units(1),
        ..config()
    };
    assert!(refusal(&cash).contains("cash is 10000000 in the snapshot, 1 in"));
    let half_life = CoreConfig {
        correlation_half_life_samples: 21.0,
        account: acth_core::config::AccountConfig::default(),
        ..config()
    };
    assert!(refusal(&half_life).contains("correlation_half_life_samples"));
}

#[test]
fn other_instruments_are_named() {
    let fewer = CoreConfig {
        instruments: Instruments::new(config().instruments.rows()[..2].to_vec()).unwrap(),
        account: AccountConfig::default(),
        ..config()
    };
    let mut euros = config();
    euros.account = AccountConfig {
        currency: "EUR".into(),
        ..AccountConfig::default()
    };
    let text = refusal(&euros);
    assert!(
        text.contains("the account's currency is USD in the snapshot, EUR in"),
        "{text}"
    );
    assert!(refusal(&fewer).contains("the number of instruments is 3 in the snapshot, 2 in"));
    let changes: [fn(&mut Instrument); 9] = [
        |row| row.venue = "elsewhere".into(),
        |row| row.symbol = "BTC2".into(),
        |row| row.base = "XBT".into(),
        |row| row.quote = "EUR".into(),
        |row| row.contract = Contract::Future,
        |row| row.price_exponent = 3,
        |row| row.quantity_exponent = 2,
        |row| row.tick = 1,
        |row| row.lot = 10,
    ];
    for change in changes {
        let text = refusal(&with_instrument(change));
        assert!(text.contains("instrument 1 is `"), "{text}");
    }
}

#[test]
fn limits_and_fees_may_change_between_two_runs() {
    let mut config = with_instrument(|row| row.taker_fee_ppm = 77);
    config.limits.orders_per_second = 3;
    assert!(Core::restore(&config, Hectic::fresh(), &snapshot()).is_ok());
}

#[test]
fn a_configuration_that_makes_no_core_is_its_own_error() {
    let empty = CoreConfig {
        instruments: Instruments::new(vec![]).unwrap(),
        ..config()
    };
    let error = Core::restore(&empty, Hectic::fresh(), &snapshot()).unwrap_err();
    assert!(matches!(error, SnapshotError::Core(_)), "{error}");
}

#[test]
fn another_strategy_is_named() {
    let error = restore::<BasisLeadLag>(&snapshot()).unwrap_err();
    let text = "the snapshot holds the strategy `hectic`, expected `basis-lead-lag`";
    assert_eq!(error.to_string(), text);
}

#[test]
fn other_parameters_of_the_strategy_are_refused() {
    let bytes = Hub::<BasisLeadLag>::after(&long_steps(32, 500)).snapshot();
    let with = |config_other: BasisLeadLagConfig| {
        let strategy = BasisLeadLag::new(&config_other, &config().instruments).unwrap();
        Core::restore(&config(), strategy, &bytes).unwrap_err()
    };
    let lags = with(BasisLeadLagConfig {
        lag_ticks_max: 6,
        ..BasisLeadLagConfig::default()
    });
    assert!(lags.to_string().contains("STRA"), "{lags}");
    assert!(lags.to_string().contains("lag_ticks_max"), "{lags}");
    let half_life = with(BasisLeadLagConfig {
        basis_half_life_ms: 1,
        ..BasisLeadLagConfig::default()
    });
    assert!(
        matches!(half_life, SnapshotError::StateHash { .. }),
        "{half_life}"
    );
}

/// Counts timers and digests the count, but forgets to save it.
#[derive(Debug, Default)]
struct Forgetful {
    timers: u64,
}

impl Strategy for Forgetful {
    type Config = NoConfig;
    const NAME: &'static str = "forgetful";

    fn new(_: &NoConfig, _: &Instruments) -> Result<Self, StrategyError> {
        Ok(Self::default())
    }

    fn on_timer(&mut self, _: &mut Context<'_>) {
        self.timers += 1;
    }

    fn digest(&self, hash: &mut StateHasher) {
        hash.word(self.timers);
    }
}

#[test]
fn a_strategy_that_forgets_to_save_is_caught() {
    let mut core = Core::new(&config(), Forgetful::default()).unwrap();
    let mut bytes = Vec::new();
    core.encode_snapshot(&mut bytes);
    assert!(Core::restore(&config(), Forgetful::default(), &bytes).is_ok());
    let event = Event::new(EventKind::TimerFired, InstrumentId(0));
    let input = Input {
        sequence: 1,
        ts_core_ns: 1,
        event: &event,
    };
    core.apply(input, &mut Decisions::new());
    core.encode_snapshot(&mut bytes);
    let error = Core::restore(&config(), Forgetful::default(), &bytes).unwrap_err();
    assert!(matches!(error, SnapshotError::StateHash { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("does not save all that it digests")
    );
}

/// Reads more than it saved, or less.
#[derive(Debug)]
struct Greedy<const SAVED: usize, const LOADED: usize>;

impl<const SAVED: usize, const LOADED: usize> Strategy for Greedy<SAVED, LOADED> {
    type Config = NoConfig;
    const NAME: &'static str = "greedy";

    fn new(_: &NoConfig, _: &Instruments) -> Result<Self, StrategyError> {
        Ok(Self)
    }

    fn save(&self, out: &mut Encoder) {
        (0..SAVED).for_each(|_| out.u64(1));
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        (0..LOADED).try_for_each(|_| from.u64().map(drop))
    }
}

fn greedy<const SAVED: usize, const LOADED: usize>() -> SnapshotError {
    let core = Core::new(&config(), Greedy::<SAVED, LOADED>).unwrap();
    let mut bytes = Vec::new();
    core.encode_snapshot(&mut bytes);
    Core::restore(&config(), Greedy::<SAVED, LOADED>, &bytes).unwrap_err()
}

#[test]
fn a_strategy_that_loads_other_than_it_saved_is_caught() {
    let less = greedy::<2, 1>();
    assert!(matches!(less, SnapshotError::Section { .. }), "{less}");
    let more = greedy::<1, 2>();
    let strategy = Tag(*b"STRA");
    assert!(
        matches!(more, SnapshotError::Truncated { section, .. } if section == strategy),
        "{more}"
    );
}

#[test]
fn the_header_says_where_the_journal_goes_on() {
    let hub = Hub::<Hectic>::after(&long_steps(33, 300));
    let bytes = hub.snapshot();
    let header = SnapshotHeader::read(&bytes[..40]).unwrap();
    assert_eq!(header.sequence, hub.core.last_input_sequence());
    assert_eq!(header.now_ns, hub.core.now_ns());
    assert_eq!(header.state_hash, hub.core.state_hash());
    assert_eq!(snapshot_sequence(&bytes), Ok(header.sequence));
    assert!(snapshot_sequence(&bytes[..39]).is_err());
}

#[test]
fn another_format_is_refused_before_anything_else() {
    let mut bytes = snapshot();
    bytes[..4].copy_from_slice(&(SNAPSHOT_FORMAT + 1).to_le_bytes());
    reseal(&mut bytes);
    let error = restore::<Hectic>(&bytes).unwrap_err();
    let (expected, found) = (SNAPSHOT_FORMAT, SNAPSHOT_FORMAT + 1);
    assert_eq!(error, SnapshotError::Format { expected, found });
}
