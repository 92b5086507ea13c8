//! Every verdict at its edge, for buyers and sellers: two moments that pass, the last that may, and the next that must not.

use acth_core::{
    currency::Rate,
    decision::{OrderType, TimeInForce},
    event::Side,
    instrument::InstrumentId,
    money::Money,
    orders::OPEN_ORDERS_MAX,
    risk::{Denial, Limits, MONEY_MAX, OrderRequest, RiskView, TradingState, check},
};

use crate::support::{request, view, wide};

/// Sets one moment by a number.
type Set = fn(i64, &mut OrderRequest, &mut RiskView, &mut Limits);

/// Two numbers that pass, and the next one that is denied.
struct Edge(Denial, [i64; 2], i64, Set);

/// A limit: one below and the edge pass, one above is denied.
const fn limit(denial: Denial, edge: i64, set: Set) -> Edge {
    Edge(denial, [edge - 1, edge], edge + 1, set)
}

/// A floor: one above and the edge pass, one below is denied.
const fn floor(denial: Denial, edge: i64, set: Set) -> Edge {
    Edge(denial, [edge + 1, edge], edge - 1, set)
}

/// A share of the million of equity; the order's notional is 1000.
fn units(value: i64) -> Money {
    Money::from_units(value)
}

fn state(code: i64) -> TradingState {
    TradingState::from_code(code as u8).unwrap()
}

/// Against what is held, a tenth of it: reducing.
fn reduce(request: &OrderRequest, view: &mut RiskView) {
    view.position = -request.side.sign() * 100;
}

fn edges() -> Vec<Edge> {
    use Denial::*;
    vec![
        limit(Halted, 2, |code, request, view, _| {
            reduce(request, view);
            view.trading_state = state(code);
        }),
        limit(Reducing, 100, |quantity, request, view, _| {
            reduce(request, view);
            view.trading_state = TradingState::Reducing;
            request.quantity = quantity;
        }),
        limit(PositionLimit, 1000, |quantity, request, _, limits| {
            limits.position_share_ppm = 100_000;
            request.quantity = quantity;
        }),
        limit(OrderQuantity, 500, |quantity, request, _, limits| {
            limits.position_share_ppm = 100_000;
            limits.order_share_ppm = 500_000;
            request.quantity = quantity;
        }),
        limit(OrderNotional, 77, |quantity, request, _, limits| {
            limits.order_notional_max = units(7700);
            request.quantity = quantity;
        }),
        limit(PriceCollar, 2, |beyond, request, view, limits| {
            limits.collar_ppm = 20_000;
            request.price = 100 + request.side.sign() * beyond;
            (view.best_bid, view.best_ask) = (0, 0);
        }),
        limit(OrderRate, 9, |count, _, view, limits| {
            limits.orders_per_second = 10;
            view.orders_last_second = count as u32;
        }),
        limit(
            OpenOrders,
            OPEN_ORDERS_MAX as i64 - 1,
            |count, _, view, _| {
                view.open_orders = count as u32;
            },
        ),
        limit(StaleBook, 50, |age, _, view, limits| {
            limits.stale_after_ns = 50;
            view.quote_age_ns = age;
        }),
        limit(DuplicateId, 0, |used, _, view, _| {
            view.is_id_used = used > 0
        }),
        Edge(BadTick, [98, 100], 99, |price, request, view, _| {
            view.terms.as_mut().unwrap().tick = 2;
            (view.best_bid, view.best_ask) = (0, 0);
            request.price = price;
        }),
        Edge(BadLot, [8, 10], 9, |quantity, request, view, _| {
            view.terms.as_mut().unwrap().lot = 2;
            request.quantity = quantity;
        }),
        floor(BelowMinimum, 7, |quantity, request, view, _| {
            view.terms.as_mut().unwrap().quantity_min = 7;
            request.quantity = quantity;
        }),
        limit(OrderRisk, 2000, |quantity, request, _, limits| {
            limits.risk_per_trade_ppm = 10_000;
            limits.stop_distance_ppm = 50_000;
            request.quantity = quantity;
        }),
        limit(CorrelationLimit, 850_000, |ppm, _, view, limits| {
            limits.correlation_ppm = 850_000;
            view.correlation_ppm = ppm;
        }),
        floor(VolumeTooLow, 5000, |volume, _, view, limits| {
            limits.volume_24h_min = units(5000);
            view.volume_24h = units(volume);
        }),
        limit(GrossExposure, 499_000, |gross, _, view, limits| {
            limits.gross_exposure_ppm = 800_000;
            view.gross_exposure = units(gross);
            view.open_notional = units(300_000);
        }),
        floor(Drawdown, 900_000, |equity, _, view, limits| {
            limits.drawdown_ppm = 100_000;
            view.equity = units(equity);
        }),
        Edge(OwnCross, [2, 1], 0, |apart, request, view, _| {
            view.own_opposite_price = Some(100 + request.side.sign() * apart);
        }),
        floor(NoReference, 1, |price, request, view, _| {
            (view.best_bid, view.best_ask) = (0, 0);
            request.price = 1;
            view.reference_price = price;
        }),
        limit(Overflow, 1 << 34, |quantity, request, view, limits| {
            // 2^94 is the largest amount; a scale of 2^40 is beyond what exponents give, but exact.
            view.terms.as_mut().unwrap().scale = 1 << 40;
            limits.order_notional_max = Money(i128::MAX);
            limits.collar_ppm = 1_000_000;
            (view.best_bid, view.best_ask) = (0, 0);
            (request.price, view.reference_price) = (1 << 20, 1 << 20);
            view.position = -request.side.sign() * (1 << 40);
            request.quantity = quantity;
        }),
        floor(DecisionsFull, 1, |room, _, view, _| {
            view.decisions_room = room as u32
        }),
        Edge(UnknownInstrument, [2, 1], 0, |known, _, view, _| {
            view.terms = view.terms.filter(|_| known > 0);
        }),
        Edge(Contradiction, [0, 1], 2, |form, request, _, _| {
            *request = match form {
                0 => request.post_only(),
                1 => request.immediate_or_cancel(),
                _ => request.post_only().immediate_or_cancel(),
            };
        }),
        Edge(WouldTake, [2, 1], 0, |apart, request, view, _| {
            *request = request.post_only();
            match request.side {
                Side::Bid => view.best_ask = 100 + apart,
                Side::Ask => view.best_bid = 100 - apart,
            }
        }),
        limit(UnknownAgent, 16, |agent, request, _, _| {
            request.agent = agent as u16
        }),
        Edge(NoRate, [2, 1], 0, |mantissa, _, view, _| {
            view.rate = Rate::new(mantissa, 0).unwrap();
        }),
        limit(MessageRate, 9, |count, _, view, limits| {
            limits.messages_per_second = 10;
            view.messages_last_second = count as u32;
        }),
        limit(VenueMessageRate, 9, |count, _, view, limits| {
            limits.venue_messages_per_second = 10;
            view.venue_messages_last_second = count as u32;
        }),
        floor(DailyLoss, 950_000, |equity, _, view, limits| {
            limits.daily_loss_ppm = 50_000;
            view.equity = units(equity);
        }),
        limit(AgentLoss, 30_000, |loss, _, view, limits| {
            limits.agent_loss_ppm = 30_000;
            view.agent_loss = units(loss);
        }),
        limit(NetExposure, 299_000, |net, request, view, limits| {
            limits.net_exposure_ppm = 500_000;
            view.net_exposure = units(request.side.sign() * net);
            view.open_notional_side = units(200_000);
        }),
        limit(VenueExposure, 499_000, |gross, _, view, limits| {
            limits.venue_exposure_ppm = 500_000;
            view.venue_exposure = units(gross);
        }),
        limit(AgentExposure, 249_000, |gross, _, view, limits| {
            limits.agent_exposure_ppm = 250_000;
            view.agent_exposure = units(gross);
        }),
        limit(Concentration, 299_000, |net, request, view, limits| {
            limits.concentration_ppm = 400_000;
            view.base_exposure = units(request.side.sign() * net);
            view.base_open_side = units(100_000);
        }),
        limit(Margin, 999_900, |used, _, view, limits| {
            limits.margin_ppm = 100_000;
            view.margin_millionths = Money(units(used).0 * 1_000_000);
        }),
    ]
}

#[test]
fn every_verdict_comes_one_step_beyond_its_edge_and_not_before() {
    for Edge(denial, passing, beyond, set) in edges() {
        for side in [Side::Bid, Side::Ask] {
            let verdict = |value: i64| {
                let (mut request, mut view, mut limits) = (request(), view(), wide());
                request.side = side;
                set(value, &mut request, &mut view, &mut limits);
                check(&request, &view, &limits)
            };
            for value in passing {
                assert_eq!(verdict(value), Ok(()), "{denial:?} at {value}, {side:?}");
            }
            let found = verdict(beyond);
            assert_eq!(found, Err(denial), "{denial:?} at {beyond}, {side:?}");
        }
    }
}

#[test]
fn every_verdict_has_an_edge() {
    let tested: Vec<Denial> = edges().iter().map(|edge| edge.0).collect();
    for denial in Denial::ALL {
        assert!(tested.contains(&denial), "{} has no edge", denial.name());
    }
}

/// A hedge is not concentration, and it lowers the net exposure: what is held on the other side leaves room.
#[test]
fn a_hedge_has_room_where_the_same_side_has_none() {
    for side in [Side::Bid, Side::Ask] {
        let (mut request, mut view, mut limits) = (request(), view(), wide());
        request.side = side;
        limits.concentration_ppm = 100_000;
        limits.net_exposure_ppm = 100_000;
        let held = units(-side.sign() * 100_000);
        (view.base_exposure, view.net_exposure) = (held, held);
        assert_eq!(check(&request, &view, &limits), Ok(()));
        request.side = side.opposite();
        assert_eq!(check(&request, &view, &limits), Err(Denial::NetExposure));
    }
}

/// The margin in use comes in millionths, so what still fits is a million times the largest amount.
#[test]
fn a_margin_is_bounded_in_millionths() {
    let most = MONEY_MAX.0 * 1_000_000;
    let verdict = |margin: i128| {
        let mut view = view();
        view.margin_millionths = Money(margin);
        check(&request(), &view, &wide())
    };
    for margin in [most, -most] {
        assert_eq!(verdict(margin), Ok(()));
        let beyond = margin + margin.signum();
        assert_eq!(verdict(beyond), Err(Denial::Overflow), "{beyond}");
    }
}

#[test]
fn a_request_asks_for_what_was_said() {
    let id = InstrumentId(3);
    let plain = OrderRequest::limit(id, Side::Ask, 7, 9);
    let expected = OrderRequest {
        instrument: id,
        side: Side::Ask,
        price: 7,
        quantity: 9,
        order_type: OrderType::Limit,
        time_in_force: TimeInForce::GoodTillCancelled,
        agent: 0,
        reason: 0,
        signal: 0.0,
    };
    assert_eq!(plain, expected);
    let told = plain.post_only().by(4).because(5, 0.5);
    let expected = OrderRequest {
        order_type: OrderType::PostOnly,
        agent: 4,
        reason: 5,
        signal: 0.5,
        ..expected
    };
    assert_eq!(told, expected);
    let at_once = plain.immediate_or_cancel().time_in_force;
    assert_eq!(at_once, TimeInForce::ImmediateOrCancel);
    let whole = plain.fill_or_kill().time_in_force;
    assert_eq!(whole, TimeInForce::FillOrKill);
}
