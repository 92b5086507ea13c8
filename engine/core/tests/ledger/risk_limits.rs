//! Each limit one below, at, and one above its edge, for buyers and for sellers; and the sizing helper at its edges.

use acth_core::{
    event::Side,
    money::Money,
    orders::OPEN_ORDERS_MAX,
    risk::{
        Denial, Limits, MONEY_MAX, OrderRequest, RiskView, TradingState, check, quantity_for_risk,
    },
};

use crate::support::{instrument, request, view, wide};

const SIDES: [Side; 2] = [Side::Bid, Side::Ask];

/// Runs `set` with one below, the edge and one above: the first two pass, the third is denied.
fn edge(
    verdict: Denial,
    edge: i64,
    set: impl Fn(i64, &mut OrderRequest, &mut RiskView, &mut Limits),
) {
    for side in SIDES {
        for (value, expected) in [(edge - 1, Ok(())), (edge, Ok(())), (edge + 1, Err(verdict))] {
            let (mut request, mut view, mut limits) = (request(), view(), wide());
            request.side = side;
            set(value, &mut request, &mut view, &mut limits);
            let found = check(&request, &view, &limits);
            assert_eq!(found, expected, "{verdict:?} at {value} for {side:?}");
        }
    }
}

#[test]
fn position_counts_what_is_held_what_is_open_and_the_order() {
    // A tenth of a million at a price of 100: 1000.
    edge(Denial::PositionLimit, 1000, |value, request, _, limits| {
        limits.position_share_ppm = 100_000;
        request.quantity = value;
    });
    edge(
        Denial::PositionLimit,
        990,
        |value, request, view, limits| {
            limits.position_share_ppm = 100_000;
            view.position = request.side.sign() * value;
        },
    );
    edge(
        Denial::PositionLimit,
        990,
        |value, request, view, limits| {
            limits.position_share_ppm = 100_000;
            match request.side {
                Side::Bid => view.open_bid_quantity = value,
                Side::Ask => view.open_ask_quantity = value,
            }
        },
    );
    // Through nothing to the other side, and with orders of the other side that must not help.
    edge(
        Denial::PositionLimit,
        1500,
        |value, request, view, limits| {
            limits.position_share_ppm = 100_000;
            limits.order_share_ppm = 2_000_000;
            view.position = -request.side.sign() * 500;
            request.quantity = value;
            match request.side {
                Side::Bid => view.open_ask_quantity = 5000,
                Side::Ask => view.open_bid_quantity = 5000,
            }
        },
    );
}

#[test]
fn position_is_valued_at_the_worse_of_price_and_reference() {
    for (price, reference) in [(80, 100), (100, 80)] {
        edge(
            Denial::PositionLimit,
            1000,
            |value, request, view, limits| {
                limits.position_share_ppm = 100_000;
                request.quantity = value;
                request.price = price;
                view.reference_price = reference;
                (view.best_bid, view.best_ask) = (0, 0);
            },
        );
    }
}

#[test]
fn order_size_as_share_and_as_money() {
    // Half of a tenth of a million at 100: 500.
    edge(Denial::OrderQuantity, 500, |value, request, _, limits| {
        limits.position_share_ppm = 100_000;
        limits.order_share_ppm = 500_000;
        request.quantity = value;
    });
    edge(Denial::OrderNotional, 77, |value, request, _, limits| {
        limits.order_notional_max = Money::from_units(7700);
        request.quantity = value;
    });
    // In units of 10^-12.
    let notional = Money::from_units(1000);
    for (limit, expected) in [
        (notional - Money(1), Err(Denial::OrderNotional)),
        (notional, Ok(())),
        (notional + Money(1), Ok(())),
    ] {
        let limits = Limits {
            order_notional_max: limit,
            ..wide()
        };
        assert_eq!(check(&request(), &view(), &limits), expected);
    }
}

#[test]
fn loss_at_the_stop() {
    // 1 % of a million at risk, the stop 2 % away: half a million of notional, 5000 at 100.
    edge(Denial::OrderRisk, 5000, |value, request, _, limits| {
        limits.risk_per_trade_ppm = 10_000;
        limits.stop_distance_ppm = 20_000;
        request.quantity = value;
    });
}

#[test]
fn collar_on_the_aggressive_and_the_passive_side() {
    for side in SIDES {
        let sign = side.sign();
        let verdict = |beyond: i64| {
            let limits = Limits {
                collar_ppm: 20_000,
                collar_passive_ppm: 300_000,
                ..wide()
            };
            let mut view = view();
            view.reference_price = 10_000;
            (view.best_bid, view.best_ask) = (0, 0);
            let mut request = request();
            request.side = side;
            request.price = 10_000 + sign * beyond;
            check(&request, &view, &limits)
        };
        assert_eq!(verdict(199), Ok(()));
        assert_eq!(verdict(200), Ok(()));
        assert_eq!(
            verdict(201),
            Err(Denial::PriceCollar),
            "{side:?} gives too much"
        );
        assert_eq!(verdict(-2999), Ok(()));
        assert_eq!(verdict(-3000), Ok(()));
        assert_eq!(
            verdict(-3001),
            Err(Denial::PriceCollar),
            "{side:?} absurdly passive"
        );
    }
}

#[test]
fn counts_and_ages() {
    edge(Denial::OrderRate, 49, |value, _, view, limits| {
        limits.orders_per_second = 50;
        view.orders_last_second = value as u32;
    });
    edge(Denial::OpenOrders, 29, |value, _, view, limits| {
        limits.open_orders = 30;
        view.open_orders = value as u32;
    });
    edge(Denial::OpenOrders, 4, |value, _, view, limits| {
        limits.open_orders_per_instrument = 5;
        view.open_orders_instrument = value as u32;
    });
    edge(
        Denial::OpenOrders,
        OPEN_ORDERS_MAX as i64 - 1,
        |value, _, view, limits| {
            limits.open_orders = u32::MAX;
            view.open_orders = value as u32;
        },
    );
    for sign in [1, -1] {
        edge(Denial::StaleBook, 1000, |value, _, view, limits| {
            limits.stale_after_ns = 1000;
            view.quote_age_ns = sign * value;
        });
    }
    edge(
        Denial::CorrelationLimit,
        850_000,
        |value, _, view, limits| {
            limits.correlation_ppm = 850_000;
            view.correlation_ppm = value;
        },
    );
}

#[test]
fn volume_must_reach_its_minimum() {
    for (missing, expected) in [(-1, Ok(())), (0, Ok(())), (1, Err(Denial::VolumeTooLow))] {
        let mut limits = wide();
        limits.volume_24h_min = view().volume_24h + Money(missing);
        assert_eq!(check(&request(), &view(), &limits), expected);
    }
}

#[test]
fn gross_exposure_counts_positions_open_orders_and_the_order() {
    // Twice a million less the order's 1000.
    edge(
        Denial::GrossExposure,
        1_999_000,
        |value, _, view, limits| {
            limits.gross_exposure_ppm = 2_000_000;
            view.gross_exposure = Money::from_units(value);
        },
    );
    edge(
        Denial::GrossExposure,
        1_999_000,
        |value, _, view, limits| {
            limits.gross_exposure_ppm = 2_000_000;
            view.open_notional = Money::from_units(value);
        },
    );
}

#[test]
fn drawdown_from_the_peak() {
    edge(Denial::Drawdown, 100_000, |value, _, view, limits| {
        limits.drawdown_ppm = 100_000;
        view.equity = view.equity_max - Money::from_units(value);
    });
}

#[test]
fn without_equity_nothing_may_grow() {
    for equity in [Money::ZERO, Money(-1)] {
        let mut view = view();
        (view.equity, view.equity_max) = (equity, Money::ZERO);
        // The fall below a peak of nothing is allowed here, so that the position limit must speak.
        (view.equity_max, view.equity_day) = (equity, equity);
        assert_eq!(
            check(&request(), &view, &wide()),
            Err(Denial::PositionLimit)
        );
    }
}

#[test]
fn reducing_ends_exactly_where_the_position_ends() {
    for side in SIDES {
        let verdict = |quantity: i64, open: i64| {
            let mut view = view();
            view.trading_state = TradingState::Reducing;
            view.position = -side.sign() * 50;
            match side {
                Side::Bid => view.open_bid_quantity = open,
                Side::Ask => view.open_ask_quantity = open,
            }
            let mut request = request();
            (request.side, request.quantity) = (side, quantity);
            check(&request, &view, &wide())
        };
        assert_eq!(verdict(49, 0), Ok(()));
        assert_eq!(verdict(50, 0), Ok(()));
        assert_eq!(verdict(51, 0), Err(Denial::Reducing));
        assert_eq!(verdict(10, 40), Ok(()));
        assert_eq!(verdict(11, 40), Err(Denial::Reducing));
    }
}

#[test]
fn steps_and_minimum() {
    for side in SIDES {
        let verdict = |price: i64, quantity: i64| {
            let mut view = view();
            let terms = view.terms.as_mut().unwrap();
            (terms.tick, terms.lot, terms.quantity_min) = (5, 3, 6);
            let mut request = request();
            (request.side, request.price, request.quantity) = (side, price, quantity);
            check(&request, &view, &wide())
        };
        assert_eq!(verdict(100, 9), Ok(()));
        assert_eq!(verdict(100, 6), Ok(()));
        assert_eq!(verdict(99, 9), Err(Denial::BadTick));
        assert_eq!(verdict(101, 9), Err(Denial::BadTick));
        assert_eq!(verdict(-100, 9), Err(Denial::BadTick));
        assert_eq!(verdict(100, 8), Err(Denial::BadLot));
        assert_eq!(verdict(100, -9), Err(Denial::BadLot));
        assert_eq!(verdict(100, 3), Err(Denial::BelowMinimum));
    }
    let mut broken = view();
    broken.terms.as_mut().unwrap().tick = 0;
    assert_eq!(
        check(&request(), &broken, &wide()),
        Err(Denial::BadTick),
        "no division by zero"
    );
}

#[test]
fn crossing_the_market_and_ourselves() {
    let verdict = |side: Side, price: i64, is_post_only: bool, own: Option<i64>| {
        let mut request = request();
        (request.side, request.price) = (side, price);
        let request = if is_post_only {
            request.post_only()
        } else {
            request
        };
        let mut view = view();
        view.own_opposite_price = own;
        check(&request, &view, &wide())
    };
    // The market stands at 99 bid, 101 ask.
    assert_eq!(verdict(Side::Bid, 100, true, None), Ok(()));
    assert_eq!(verdict(Side::Bid, 101, true, None), Err(Denial::WouldTake));
    assert_eq!(verdict(Side::Bid, 101, false, None), Ok(()));
    assert_eq!(verdict(Side::Ask, 100, true, None), Ok(()));
    assert_eq!(verdict(Side::Ask, 99, true, None), Err(Denial::WouldTake));
    assert_eq!(verdict(Side::Ask, 99, false, None), Ok(()));
    assert_eq!(verdict(Side::Bid, 100, false, Some(101)), Ok(()));
    assert_eq!(
        verdict(Side::Bid, 101, false, Some(101)),
        Err(Denial::OwnCross)
    );
    assert_eq!(verdict(Side::Ask, 100, false, Some(99)), Ok(()));
    assert_eq!(
        verdict(Side::Ask, 99, false, Some(99)),
        Err(Denial::OwnCross)
    );
    let mut crossed = view();
    for (bid, ask, expected) in [
        (100, 101, Ok(())),
        (101, 101, Err(Denial::StaleBook)),
        (102, 101, Err(Denial::StaleBook)),
        (102, 0, Ok(())),
        (0, 98, Ok(())),
    ] {
        (crossed.best_bid, crossed.best_ask) = (bid, ask);
        assert_eq!(
            check(&request(), &crossed, &wide()),
            expected,
            "{bid} against {ask}"
        );
    }
    // With nothing on the other side a post-only order cannot take.
    let mut one_sided = view();
    (one_sided.best_bid, one_sided.best_ask) = (0, 0);
    for side in SIDES {
        let mut request = request().post_only();
        request.side = side;
        assert_eq!(check(&request, &one_sided, &wide()), Ok(()));
    }
    let fill_or_kill = request().fill_or_kill();
    assert_eq!(check(&fill_or_kill, &one_sided, &wide()), Ok(()));
    assert_eq!(
        check(&fill_or_kill.post_only(), &one_sided, &wide()),
        Err(Denial::Contradiction)
    );
}

#[test]
fn amounts_beyond_the_bound_are_denied_not_wrapped() {
    let denied = |change: fn(&mut OrderRequest, &mut RiskView, &mut Limits)| {
        let (mut request, mut view, mut limits) = (request(), view(), wide());
        limits.order_notional_max = Money(i128::MAX);
        change(&mut request, &mut view, &mut limits);
        assert_eq!(check(&request, &view, &limits), Err(Denial::Overflow));
    };
    denied(|request, _, _| request.quantity = i64::MAX);
    denied(|_, view, _| view.equity = MONEY_MAX + Money(1));
    denied(|_, view, _| view.equity = Money(i128::MIN));
    denied(|_, view, _| view.equity_max = Money(i128::MAX));
    denied(|_, view, _| view.gross_exposure = MONEY_MAX + Money(1));
    denied(|_, view, _| view.open_notional = MONEY_MAX + Money(1));
    denied(|_, view, _| (view.gross_exposure, view.open_notional) = (MONEY_MAX, MONEY_MAX));
    denied(|_, view, _| view.position = i64::MAX);
    let beyond = MONEY_MAX + Money(1);
    for (what, view) in [
        (
            "net",
            RiskView {
                net_exposure: -beyond,
                ..view()
            },
        ),
        (
            "open side",
            RiskView {
                open_notional_side: beyond,
                ..view()
            },
        ),
        (
            "venue",
            RiskView {
                venue_exposure: beyond,
                ..view()
            },
        ),
        (
            "agent",
            RiskView {
                agent_exposure: beyond,
                ..view()
            },
        ),
        (
            "base",
            RiskView {
                base_exposure: beyond,
                ..view()
            },
        ),
        (
            "base open",
            RiskView {
                base_open_side: beyond,
                ..view()
            },
        ),
        (
            "day",
            RiskView {
                equity_day: beyond,
                ..view()
            },
        ),
        (
            "loss",
            RiskView {
                agent_loss: -beyond,
                ..view()
            },
        ),
        (
            "margin",
            RiskView {
                margin_millionths: Money(MONEY_MAX.0 * 1_000_000 + 1),
                ..view()
            },
        ),
    ] {
        assert_eq!(
            check(&request(), &view, &wide()),
            Err(Denial::Overflow),
            "{what}"
        );
    }
    denied(|_, view, limits| {
        (view.equity, view.equity_max) = (MONEY_MAX, MONEY_MAX);
        limits.position_share_ppm = u32::MAX;
    });
    let mut view = view();
    (view.equity, view.equity_max) = (MONEY_MAX, MONEY_MAX);
    assert_eq!(check(&request(), &view, &wide()), Ok(()));
    (view.equity, view.equity_max, view.equity_day) = (-MONEY_MAX, -MONEY_MAX, -MONEY_MAX);
    assert_eq!(
        check(&request(), &view, &wide()),
        Err(Denial::PositionLimit),
        "at the bound"
    );
}

#[test]
fn sizing_stays_within_the_risk_and_on_the_lot() {
    let mut row = instrument("ETH", 0, 0);
    let million = Money::from_units(1_000_000);
    // 1 % is 10,000; each loses 30 at the stop: 333.
    assert_eq!(quantity_for_risk(million, 10_000, 30, &row), 333);
    row.lot = 10;
    assert_eq!(quantity_for_risk(million, 10_000, 30, &row), 330);
    row.quantity_min = 330;
    assert_eq!(quantity_for_risk(million, 10_000, 30, &row), 330);
    row.quantity_min = 340;
    assert_eq!(quantity_for_risk(million, 10_000, 30, &row), 0);
    row.quantity_min = 1;
    assert_eq!(quantity_for_risk(million, 10_000, 1000, &row), 10);
    assert_eq!(quantity_for_risk(million, 10_000, 1001, &row), 0);
    for (equity, risk, stop) in [
        (Money::ZERO, 10_000, 30),
        (Money(i128::MIN), 10_000, 30),
        (million, 0, 30),
        (million, 10_000, 0),
        (million, 10_000, i64::MIN),
        (million, 10_000, i64::MAX),
    ] {
        assert_eq!(quantity_for_risk(equity, risk, stop, &row), 0);
    }
    row.lot = 0;
    assert_eq!(
        quantity_for_risk(million, 10_000, 30, &row),
        0,
        "no division by zero"
    );
    let fine = instrument("FINE", 6, 6);
    assert_eq!(
        quantity_for_risk(Money(i128::MAX), u32::MAX, 1, &fine),
        i64::MAX
    );
}
