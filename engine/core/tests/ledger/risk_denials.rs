//! Every verdict is reached by one named test, and its code never changes.

use acth_core::{
    currency::Rate,
    event::Side,
    instrument::{InstrumentId, Instruments},
    money::Money,
    orders::OPEN_ORDERS_MAX,
    risk::{
        Denial, Limits, LimitsError, OrderRequest, RiskView, StateReason, Terms, TradingState,
        check,
    },
};

use crate::support::{instrument, request, view, wide};

/// One change to a calm moment must lead to the verdict that is due, and without it to none.
fn denied(change: impl FnOnce(&mut OrderRequest, &mut RiskView, &mut Limits)) -> Denial {
    let (mut request, mut view, mut limits) = (request(), view(), wide());
    assert_eq!(
        check(&request, &view, &limits),
        Ok(()),
        "the calm moment passes"
    );
    change(&mut request, &mut view, &mut limits);
    check(&request, &view, &limits).unwrap_err()
}

/// The same for a sale of 10 that reduces a position of 100: it must pass.
fn passes_reducing(change: impl FnOnce(&mut OrderRequest, &mut RiskView, &mut Limits)) {
    let (mut request, mut view, mut limits) = (request(), view(), wide());
    request.side = Side::Ask;
    view.position = 100;
    change(&mut request, &mut view, &mut limits);
    assert_eq!(check(&request, &view, &limits), Ok(()));
}

macro_rules! reached {
    ($($test:ident: $verdict:ident by $change:expr;)*) => {
        $(
            #[test]
            fn $test() {
                assert_eq!(denied($change), Denial::$verdict);
            }
        )*

        #[test]
        fn every_verdict_has_its_test() {
            let tested = [$(Denial::$verdict),*];
            for verdict in Denial::ALL {
                assert!(tested.contains(&verdict), "{}", verdict.name());
            }
        }
    };
}

reached! {
    halted: Halted by |_, view, _| view.trading_state = TradingState::Halted;
    reducing: Reducing by |_, view, _| view.trading_state = TradingState::Reducing;
    position_limit: PositionLimit by |_, _, limits| limits.position_share_ppm = 100;
    order_quantity: OrderQuantity by |_, _, limits| limits.order_share_ppm = 100;
    order_notional: OrderNotional by |_, _, limits| limits.order_notional_max = Money::ONE;
    price_collar: PriceCollar by |_, view, limits| {
        view.reference_price = 99;
        limits.collar_ppm = 0;
    };
    order_rate: OrderRate by |_, view, _| view.orders_last_second = 1024;
    open_orders: OpenOrders by |_, view, _| view.open_orders = OPEN_ORDERS_MAX as u32;
    stale_book: StaleBook by |_, view, _| view.is_book_live = false;
    duplicate_id: DuplicateId by |_, view, _| view.is_id_used = true;
    bad_tick: BadTick by |request, _, _| request.price = 0;
    bad_lot: BadLot by |request, _, _| request.quantity = 0;
    below_minimum: BelowMinimum by |_, view, _| {
        view.terms.as_mut().unwrap().quantity_min = 11;
    };
    order_risk: OrderRisk by |_, _, limits| limits.risk_per_trade_ppm = 100;
    correlation_limit: CorrelationLimit by |_, view, _| view.correlation_ppm = 1_000_001;
    volume_too_low: VolumeTooLow by |_, view, limits| {
        limits.volume_24h_min = view.volume_24h + Money(1);
    };
    gross_exposure: GrossExposure by |_, _, limits| limits.gross_exposure_ppm = 100;
    drawdown: Drawdown by |_, view, limits| {
        view.equity_max += Money::ONE;
        limits.drawdown_ppm = 0;
    };
    own_cross: OwnCross by |_, view, _| view.own_opposite_price = Some(100);
    no_reference: NoReference by |_, view, _| view.reference_price = 0;
    overflow: Overflow by |request, view, _| {
        request.quantity = i64::MAX;
        view.position = i64::MIN;
    };
    decisions_full: DecisionsFull by |_, view, _| view.decisions_room = 0;
    unknown_instrument: UnknownInstrument by |_, view, _| view.terms = None;
    contradiction: Contradiction by |request, _, _| {
        *request = request.post_only().immediate_or_cancel();
    };
    would_take: WouldTake by |request, view, _| {
        *request = request.post_only();
        view.best_ask = 100;
    };
    unknown_agent: UnknownAgent by |request, _, _| request.agent = 17;
    no_rate: NoRate by |_, view, _| view.rate = Rate::UNKNOWN;
    message_rate: MessageRate by |_, view, _| view.messages_last_second = 1024;
    venue_message_rate: VenueMessageRate by |_, view, _| {
        view.venue_messages_last_second = 1024;
    };
    daily_loss: DailyLoss by |_, view, limits| {
        view.equity_day += Money::ONE;
        limits.daily_loss_ppm = 0;
    };
    agent_loss: AgentLoss by |_, view, limits| {
        view.agent_loss = Money::ONE;
        limits.agent_loss_ppm = 0;
    };
    net_exposure: NetExposure by |_, _, limits| limits.net_exposure_ppm = 100;
    venue_exposure: VenueExposure by |_, _, limits| limits.venue_exposure_ppm = 100;
    agent_exposure: AgentExposure by |_, _, limits| limits.agent_exposure_ppm = 100;
    concentration: Concentration by |_, _, limits| limits.concentration_ppm = 100;
    margin: Margin by |_, view, limits| {
        view.margin_millionths = Money(view.equity.0 * 1_000_000);
        limits.margin_ppm = 1;
    };
}

#[test]
fn codes_and_names_are_stable() {
    let expected = [
        (1, "Halted"),
        (2, "Reducing"),
        (3, "PositionLimit"),
        (4, "OrderQuantity"),
        (5, "OrderNotional"),
        (6, "PriceCollar"),
        (7, "OrderRate"),
        (8, "OpenOrders"),
        (9, "StaleBook"),
        (10, "DuplicateId"),
        (11, "BadTick"),
        (12, "BadLot"),
        (13, "BelowMinimum"),
        (14, "OrderRisk"),
        (15, "CorrelationLimit"),
        (16, "VolumeTooLow"),
        (17, "GrossExposure"),
        (18, "Drawdown"),
        (19, "OwnCross"),
        (20, "NoReference"),
        (21, "Overflow"),
        (22, "DecisionsFull"),
        (23, "UnknownInstrument"),
        (24, "Contradiction"),
        (25, "WouldTake"),
        (26, "UnknownAgent"),
        (27, "NoRate"),
        (28, "MessageRate"),
        (29, "VenueMessageRate"),
        (30, "DailyLoss"),
        (31, "AgentLoss"),
        (32, "NetExposure"),
        (33, "VenueExposure"),
        (34, "AgentExposure"),
        (35, "Concentration"),
        (36, "Margin"),
    ];
    assert_eq!(
        Denial::ALL.map(|denial| (denial.code(), denial.name())),
        expected
    );
    for denial in Denial::ALL {
        assert_eq!(Denial::from_code(denial.code()), Some(denial));
        let sentence = denial.describe();
        assert!(sentence.ends_with('.') && sentence.len() > 20, "{sentence}");
    }
    assert_eq!(Denial::from_code(0), None);
    assert_eq!(Denial::from_code(37), None);
}

#[test]
fn codes_of_states_and_their_reasons_are_stable() {
    let states = [
        TradingState::Active,
        TradingState::Reducing,
        TradingState::Halted,
    ];
    let codes = states.map(|state| (state as u8, state.name()));
    assert_eq!(codes, [(1, "Active"), (2, "Reducing"), (3, "Halted")]);
    for code in 0..=255u8 {
        let state = states.into_iter().find(|state| *state as u8 == code);
        assert_eq!(TradingState::from_code(code), state);
    }
    let names = [
        "Start",
        "Operator",
        "Drawdown",
        "DenialRun",
        "JournalFailing",
        "StaleData",
        "Shutdown",
        "SlowConsumer",
        "ClockStep",
        "IllegalReport",
        "TableFull",
        "ConnectionLost",
        "BooksFailing",
        "DiskLow",
        "DiskFull",
        "DurabilityBehind",
        "IngressBehind",
        "KillFlag",
        "RunEnded",
        "DailyLoss",
    ];
    assert_eq!(StateReason::ALL.map(StateReason::name), names);
    for (index, reason) in StateReason::ALL.into_iter().enumerate() {
        assert_eq!(reason as usize, index + 1);
        assert_eq!(StateReason::from_code(reason as u16), Some(reason));
    }
    assert_eq!(StateReason::from_code(0), None);
    assert_eq!(StateReason::from_code(21), None);
}

#[test]
fn reducing_orders_pass_the_limits_that_guard_growth() {
    passes_reducing(|_, view, _| view.trading_state = TradingState::Reducing);
    passes_reducing(|_, _, limits| limits.position_share_ppm = 0);
    passes_reducing(|_, _, limits| limits.order_share_ppm = 0);
    passes_reducing(|_, _, limits| limits.risk_per_trade_ppm = 0);
    passes_reducing(|_, _, limits| limits.gross_exposure_ppm = 0);
    passes_reducing(|_, view, limits| {
        limits.drawdown_ppm = 0;
        view.equity = Money(i128::MIN);
    });
    passes_reducing(|_, view, limits| {
        limits.daily_loss_ppm = 0;
        limits.agent_loss_ppm = 0;
        view.equity_day = Money(i128::MAX);
        view.agent_loss = Money(i128::MAX);
    });
    passes_reducing(|_, _, limits| limits.net_exposure_ppm = 0);
    passes_reducing(|_, _, limits| limits.venue_exposure_ppm = 0);
    passes_reducing(|_, _, limits| limits.agent_exposure_ppm = 0);
    passes_reducing(|_, _, limits| limits.concentration_ppm = 0);
    passes_reducing(|_, view, limits| {
        limits.margin_ppm = 1_000_000;
        view.margin_millionths = Money(i128::MAX);
    });
    passes_reducing(|_, view, _| view.rate = Rate::UNKNOWN);
    passes_reducing(|_, view, _| view.correlation_ppm = i64::MAX);
    passes_reducing(|_, view, _| view.volume_24h = Money(-1));
    passes_reducing(|_, view, limits| {
        limits.open_orders = 0;
        limits.open_orders_per_instrument = 0;
        view.open_orders = OPEN_ORDERS_MAX as u32 - 1;
    });
}

#[test]
fn reducing_orders_do_not_pass_the_others() {
    type Change = fn(&mut OrderRequest, &mut RiskView, &mut Limits);
    let rows: [(Denial, Change); 11] = [
        (Denial::Halted, |_, view, _| {
            view.trading_state = TradingState::Halted
        }),
        (Denial::DuplicateId, |_, view, _| view.is_id_used = true),
        (Denial::StaleBook, |_, view, _| view.is_book_live = false),
        (Denial::PriceCollar, |request, _, limits| {
            request.price = 98;
            limits.collar_ppm = 10_000;
        }),
        (Denial::OrderRate, |_, _, limits| {
            limits.orders_per_second = 0
        }),
        (Denial::UnknownAgent, |request, _, _| request.agent = 0),
        (Denial::MessageRate, |_, _, limits| {
            limits.messages_per_second = 0
        }),
        (Denial::VenueMessageRate, |_, _, limits| {
            limits.venue_messages_per_second = 0
        }),
        (Denial::OrderNotional, |_, _, limits| {
            limits.order_notional_max = Money(0)
        }),
        (Denial::OwnCross, |_, view, _| {
            view.own_opposite_price = Some(100)
        }),
        (Denial::OpenOrders, |_, view, _| {
            view.open_orders = OPEN_ORDERS_MAX as u32
        }),
    ];
    for (verdict, change) in rows {
        let (mut request, mut view, mut limits) = (request(), view(), wide());
        request.side = Side::Ask;
        view.position = 100;
        assert_eq!(check(&request, &view, &limits), Ok(()));
        change(&mut request, &mut view, &mut limits);
        assert_eq!(check(&request, &view, &limits), Err(verdict));
    }
}

#[test]
fn every_field_of_the_default_limits_can_be_meant() {
    assert_eq!(Limits::default().check(), Ok(()));
    assert_eq!(wide().check(), Ok(()));
    let change = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        limits.check().map_err(|error| error.field)
    };
    assert_eq!(
        change(|l| l.position_share_ppm = 100_000_001),
        Err("position_share_ppm")
    );
    assert_eq!(
        change(|l| l.gross_exposure_ppm = 100_000_001),
        Err("gross_exposure_ppm")
    );
    assert_eq!(
        change(|l| l.order_share_ppm = 1_000_001),
        Err("order_share_ppm")
    );
    assert_eq!(
        change(|l| l.risk_per_trade_ppm = 1_000_001),
        Err("risk_per_trade_ppm")
    );
    assert_eq!(
        change(|l| l.stop_distance_ppm = 1_000_001),
        Err("stop_distance_ppm")
    );
    assert_eq!(
        change(|l| l.stop_distance_ppm = 0),
        Err("stop_distance_ppm")
    );
    assert_eq!(change(|l| l.collar_ppm = 1_000_001), Err("collar_ppm"));
    assert_eq!(
        change(|l| l.collar_passive_ppm = 1_000_001),
        Err("collar_passive_ppm")
    );
    assert_eq!(
        change(|l| l.correlation_ppm = 1_000_001),
        Err("correlation_ppm")
    );
    assert_eq!(change(|l| l.drawdown_ppm = 1_000_001), Err("drawdown_ppm"));
    assert_eq!(
        change(|l| l.orders_per_second = 1025),
        Err("orders_per_second")
    );
    type Field = (&'static str, fn(&mut Limits), fn(&mut Limits));
    let fields: [Field; 9] = [
        (
            "net_exposure_ppm",
            |l| l.net_exposure_ppm = 100_000_000,
            |l| l.net_exposure_ppm += 1,
        ),
        (
            "venue_exposure_ppm",
            |l| l.venue_exposure_ppm = 100_000_000,
            |l| {
                l.venue_exposure_ppm += 1;
            },
        ),
        (
            "agent_exposure_ppm",
            |l| l.agent_exposure_ppm = 100_000_000,
            |l| {
                l.agent_exposure_ppm += 1;
            },
        ),
        (
            "concentration_ppm",
            |l| l.concentration_ppm = 100_000_000,
            |l| l.concentration_ppm += 1,
        ),
        (
            "daily_loss_ppm",
            |l| l.daily_loss_ppm = 1_000_000,
            |l| l.daily_loss_ppm += 1,
        ),
        (
            "agent_loss_ppm",
            |l| l.agent_loss_ppm = 1_000_000,
            |l| l.agent_loss_ppm += 1,
        ),
        (
            "messages_per_second",
            |l| l.messages_per_second = 1024,
            |l| l.messages_per_second += 1,
        ),
        (
            "venue_messages_per_second",
            |l| l.venue_messages_per_second = 1024,
            |l| {
                l.venue_messages_per_second += 1;
            },
        ),
        (
            "margin_ppm",
            |l| l.margin_ppm = 1_000_000,
            |l| l.margin_ppm += 1,
        ),
    ];
    for (field, most, beyond) in fields {
        let mut limits = Limits::default();
        most(&mut limits);
        assert_eq!(limits.check(), Ok(()), "{field}");
        beyond(&mut limits);
        assert_eq!(limits.check().map_err(|error| error.field), Err(field));
    }
    assert_eq!(change(|l| l.open_orders = 257), Err("open_orders"));
    assert_eq!(change(|l| l.open_orders_per_instrument = 256), Ok(()));
    assert_eq!(
        change(|l| l.open_orders_per_instrument = 257),
        Err("open_orders_per_instrument")
    );
    assert_eq!(change(|l| l.stale_after_ns = -1), Err("stale_after_ns"));
    assert_eq!(
        change(|l| l.order_notional_max = Money(-1)),
        Err("order_notional_max")
    );
    assert_eq!(
        change(|l| l.volume_24h_min = Money(-1)),
        Err("volume_24h_min")
    );
    assert_eq!(change(|l| l.stale_after_ns = 0), Ok(()));
    assert_eq!(change(|l| l.order_notional_max = Money::ZERO), Ok(()));
    let error: LimitsError = Limits {
        open_orders: 300,
        ..wide()
    }
    .check()
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "limit open_orders: expected at most 256, not 300"
    );
}

#[test]
fn terms_follow_the_exponents() {
    let table = Instruments::new(vec![instrument("A", 2, 3), instrument("B", 6, 6)]).unwrap();
    for id in [InstrumentId(0), InstrumentId(1)] {
        let row = table.get(id).unwrap();
        let terms = Terms::of(row);
        assert_eq!(terms.exact(-12345, 678), Some(row.notional(-12345, 678)));
        assert_eq!(terms.notional(12345, 678), Some(row.notional(12345, 678)));
    }
}
