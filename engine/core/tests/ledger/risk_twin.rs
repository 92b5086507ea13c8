//! The gate against a twin written as a list of sentences in wide arithmetic, over calm and extreme numbers.

use acth_core::{
    currency::Rate,
    decision::{OrderType, TimeInForce},
    event::Side,
    money::Money,
    orders::OPEN_ORDERS_MAX,
    risk::{
        Denial, Limits, MONEY_MAX, OrderRequest, RiskView, Terms, TradingState, check,
        largest_allowed, quantity_for_risk,
    },
};
use proptest::prelude::*;

use crate::support::{instrument, request, view, wide};

/// An integer of any size as a fraction of two i128 would be too slow to trust; this keeps sign and 256 bits.
fn product_exceeds(left: (i128, i128), right: (i128, i128)) -> bool {
    // left.0 * left.1 > right.0 * right.1, the second factors not negative.
    let (left, right) = (wide_product(left.0, left.1), wide_product(right.0, right.1));
    match (left.0, right.0) {
        (false, true) => left.1 != [0; 4] || right.1 != [0; 4],
        (true, false) => false,
        (false, false) => greater(left.1, right.1),
        (true, true) => greater(right.1, left.1),
    }
}

fn greater(left: [u64; 4], right: [u64; 4]) -> bool {
    left.iter().rev().cmp(right.iter().rev()).is_gt()
}

/// Sign and size, the size in four words from low to high, by school multiplication.
fn wide_product(left: i128, right: i128) -> (bool, [u64; 4]) {
    let words = |value: u128| [value as u64, (value >> 64) as u64];
    let (a, b) = (words(left.unsigned_abs()), words(right.unsigned_abs()));
    let mut size = [0u64; 4];
    for (i, x) in a.into_iter().enumerate() {
        let mut carry = 0u128;
        for (j, y) in b.into_iter().enumerate() {
            let sum = u128::from(size[i + j]) + u128::from(x) * u128::from(y) + carry;
            size[i + j] = sum as u64;
            carry = sum >> 64;
        }
        size[i + 2] = carry as u64;
    }
    ((left < 0) != (right < 0), size)
}

const MILLION: i128 = 1_000_000;

fn is_huge(amount: Money) -> bool {
    amount > MONEY_MAX || amount < -MONEY_MAX
}

/// Size in money, `None` beyond the bound.
fn amount(terms: Terms, price: i64, quantity: i128) -> Option<i128> {
    let product = i128::from(price).checked_mul(quantity)?;
    let amount = product.checked_mul(i128::from(terms.scale))?;
    (!is_huge(Money(amount))).then_some(amount)
}

/// All verdicts in their order with whether each is due; the gate must name the first.
fn twin(request: &OrderRequest, view: &RiskView, limits: &Limits) -> Result<(), Denial> {
    let Some(terms) = view.terms else {
        let is_halted = view.trading_state == TradingState::Halted;
        return Err(if is_halted {
            Denial::Halted
        } else {
            Denial::UnknownInstrument
        });
    };
    let is_bid = request.side == Side::Bid;
    let gives = |price: i64, other: i64| {
        if is_bid {
            price >= other
        } else {
            price <= other
        }
    };
    let quote = if is_bid { view.best_ask } else { view.best_bid };
    let is_post_only = request.order_type == OrderType::PostOnly;
    let (price, reference) = (i128::from(request.price), i128::from(view.reference_price));
    let over = if is_bid {
        price - reference
    } else {
        reference - price
    };
    let is_two_sided = view.best_bid > 0 && view.best_ask > 0;
    let age = i128::from(view.quote_age_ns).abs();
    let worse = request.price.max(view.reference_price);
    let notional = amount(terms, worse, i128::from(request.quantity));
    let notional = notional.and_then(|notional| in_account(view, notional));
    first_due([
        (Denial::Halted, view.trading_state == TradingState::Halted),
        (Denial::UnknownAgent, !(1..=16).contains(&request.agent)),
        (Denial::DecisionsFull, view.decisions_room == 0),
        (Denial::DuplicateId, view.is_id_used),
        (
            Denial::BadTick,
            request.price <= 0 || request.price % terms.tick != 0,
        ),
        (
            Denial::BadLot,
            request.quantity <= 0 || request.quantity % terms.lot != 0,
        ),
        (Denial::BelowMinimum, request.quantity < terms.quantity_min),
        (
            Denial::Contradiction,
            is_post_only && request.time_in_force != TimeInForce::GoodTillCancelled,
        ),
        (Denial::StaleBook, !view.is_book_live),
        (Denial::StaleBook, age > i128::from(limits.stale_after_ns)),
        (
            Denial::StaleBook,
            is_two_sided && view.best_bid >= view.best_ask,
        ),
        (Denial::NoReference, view.reference_price <= 0),
        (
            Denial::PriceCollar,
            over * MILLION > reference * i128::from(limits.collar_ppm),
        ),
        (
            Denial::PriceCollar,
            -over * MILLION > reference * i128::from(limits.collar_passive_ppm),
        ),
        (
            Denial::WouldTake,
            is_post_only && quote > 0 && gives(request.price, quote),
        ),
        (
            Denial::OwnCross,
            view.own_opposite_price
                .is_some_and(|own| gives(request.price, own)),
        ),
        (
            Denial::OrderRate,
            view.orders_last_second >= limits.orders_per_second,
        ),
        (
            Denial::MessageRate,
            view.messages_last_second >= limits.messages_per_second,
        ),
        (
            Denial::VenueMessageRate,
            view.venue_messages_last_second >= limits.venue_messages_per_second,
        ),
        (Denial::Overflow, notional.is_none()),
        (
            Denial::OrderNotional,
            notional.is_some_and(|notional| notional > limits.order_notional_max.0),
        ),
        (
            Denial::OpenOrders,
            view.open_orders as usize >= OPEN_ORDERS_MAX,
        ),
    ])?;
    twin_growth(request, view, limits, terms, worse, notional.unwrap_or(0))
}

fn twin_growth(
    request: &OrderRequest,
    view: &RiskView,
    limits: &Limits,
    terms: Terms,
    price: i64,
    notional: i128,
) -> Result<(), Denial> {
    let (open, sign) = match request.side {
        Side::Bid => (view.open_bid_quantity, 1),
        Side::Ask => (view.open_ask_quantity, -1),
    };
    let before = i128::from(view.position);
    let after = before + sign * (i128::from(open) + i128::from(request.quantity));
    // Reducing: the position shrinks and does not change its sign.
    if after.abs() < before.abs() && after.signum() * before.signum() >= 0 {
        return Ok(());
    }
    let worst = amount(terms, price, after.abs()).and_then(|worst| in_account(view, worst));
    let equity = view.equity.0;
    let share = |ppm: u32| i128::from(ppm);
    let position_max = wide_share(equity, limits.position_share_ppm);
    let exceeds_share =
        |amount: i128, ppm: u32| product_exceeds((amount, MILLION), (equity, share(ppm)));
    first_due([
        (Denial::OpenOrders, view.open_orders >= limits.open_orders),
        (
            Denial::OpenOrders,
            view.open_orders_instrument >= limits.open_orders_per_instrument,
        ),
        (
            Denial::Reducing,
            view.trading_state == TradingState::Reducing,
        ),
        (Denial::NoRate, !view.rate.is_known()),
    ])?;
    twin_losses(view, limits)?;
    first_due([
        (Denial::Overflow, worst.is_none()),
        (
            Denial::PositionLimit,
            exceeds_share(worst.unwrap_or(0), limits.position_share_ppm),
        ),
        (Denial::Overflow, is_huge(Money(position_max))),
        (
            Denial::OrderQuantity,
            product_exceeds(
                (notional, MILLION),
                (position_max, share(limits.order_share_ppm)),
            ),
        ),
        (
            Denial::OrderRisk,
            product_exceeds(
                (notional, share(limits.stop_distance_ppm)),
                (equity, share(limits.risk_per_trade_ppm)),
            ),
        ),
    ])?;
    twin_levels(sign, view, limits, notional)?;
    first_due([
        (
            Denial::CorrelationLimit,
            view.correlation_ppm > i64::from(limits.correlation_ppm),
        ),
        (
            Denial::VolumeTooLow,
            view.volume_24h < limits.volume_24h_min,
        ),
    ])
}

/// Equity against its peak and the day's first, the agent against the day's first.
fn twin_losses(view: &RiskView, limits: &Limits) -> Result<(), Denial> {
    let equity = view.equity.0;
    let lost = |lost: i128, of: Money, ppm: u32| {
        product_exceeds((lost, MILLION), (of.0.max(0), i128::from(ppm)))
    };
    let below = |before: Money| before.0.saturating_sub(equity);
    first_due([
        (
            Denial::Overflow,
            is_huge(view.equity) || is_huge(view.equity_max),
        ),
        (
            Denial::Drawdown,
            lost(below(view.equity_max), view.equity_max, limits.drawdown_ppm),
        ),
        (Denial::Overflow, is_huge(view.equity_day)),
        (
            Denial::DailyLoss,
            lost(
                below(view.equity_day),
                view.equity_day,
                limits.daily_loss_ppm,
            ),
        ),
        (Denial::Overflow, is_huge(view.agent_loss)),
        (
            Denial::AgentLoss,
            lost(view.agent_loss.0, view.equity_day, limits.agent_loss_ppm),
        ),
    ])
}

/// Every level: what is held towards the order's side, what is open, and the order, against a share of equity.
fn twin_levels(sign: i128, view: &RiskView, limits: &Limits, notional: i128) -> Result<(), Denial> {
    let zero = Money::ZERO;
    let levels = [
        (
            Denial::GrossExposure,
            view.gross_exposure,
            1,
            view.open_notional,
            limits.gross_exposure_ppm,
        ),
        (
            Denial::NetExposure,
            view.net_exposure,
            sign,
            view.open_notional_side,
            limits.net_exposure_ppm,
        ),
        (
            Denial::VenueExposure,
            view.venue_exposure,
            1,
            zero,
            limits.venue_exposure_ppm,
        ),
        (
            Denial::AgentExposure,
            view.agent_exposure,
            1,
            zero,
            limits.agent_exposure_ppm,
        ),
        (
            Denial::Concentration,
            view.base_exposure,
            sign,
            view.base_open_side,
            limits.concentration_ppm,
        ),
    ];
    for (verdict, held, sign, open, ppm) in levels {
        let sum = (held.0.saturating_mul(sign))
            .saturating_add(open.0)
            .saturating_add(notional);
        let is_beyond = [held, open, Money(sum)].into_iter().any(is_huge);
        let allowed = (view.equity.0, i128::from(ppm));
        first_due([
            (Denial::Overflow, is_beyond),
            (verdict, product_exceeds((sum, MILLION), allowed)),
        ])?;
    }
    let margin = view.margin_millionths;
    let is_beyond = margin.0.unsigned_abs() > MONEY_MAX.0.unsigned_abs() * 1_000_000;
    // Whole shares of the order, so that 256 bits are needed on one side only.
    let needed = notional * i128::from(limits.margin_ppm);
    first_due([
        (Denial::Overflow, is_beyond),
        (
            Denial::Margin,
            limits.margin_ppm > 0
                && product_exceeds(
                    (margin.0.saturating_add(needed), 1),
                    (view.equity.0, MILLION),
                ),
        ),
    ])
}

/// An amount in the account's currency by long division of the 256-bit product; `None` beyond the bound.
fn in_account(view: &RiskView, amount: i128) -> Option<i128> {
    // The views use three rates only: one, unknown, and 3/100.
    if view.rate == Rate::ONE {
        return Some(amount);
    }
    let mantissa = if view.rate.is_known() { 3 } else { 0 };
    let worth = (amount * mantissa).div_euclid(100);
    (!is_huge(Money(worth))).then_some(worth)
}

/// A share of an amount, towards zero, in steps that cannot overflow.
fn wide_share(amount: i128, ppm: u32) -> i128 {
    let (whole, rest) = (amount / MILLION, amount % MILLION);
    whole
        .saturating_mul(i128::from(ppm))
        .saturating_add(rest * i128::from(ppm) / MILLION)
}

fn first_due<const N: usize>(rows: [(Denial, bool); N]) -> Result<(), Denial> {
    match rows.into_iter().find(|(_, is_due)| *is_due) {
        Some((verdict, _)) => Err(verdict),
        None => Ok(()),
    }
}

fn integer() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => -300i64..300,
        1 => any::<i64>(),
        1 => prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(0)],
        1 => (0u32..63).prop_map(|bits| 1 << bits),
    ]
}

fn money() -> impl Strategy<Value = Money> {
    prop_oneof![
        6 => (-10i64..3_000_000).prop_map(Money::from_units),
        1 => any::<i128>().prop_map(Money),
        1 => prop_oneof![Just(MONEY_MAX), Just(Money(i128::MIN)), Just(Money(i128::MAX))],
    ]
}

fn margins() -> impl Strategy<Value = Money> {
    prop_oneof![
        6 => (-10i64..3_000_000).prop_map(|units| Money(Money::from_units(units).0 * MILLION)),
        1 => any::<i128>().prop_map(Money),
        1 => Just(Money(MONEY_MAX.0 * MILLION)),
    ]
}

fn ppm() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 0u32..2_000_000, 1 => any::<u32>(), 1 => Just(1_000_000)]
}

prop_compose! {
    fn requests()(
        is_bid in any::<bool>(),
        price in prop_oneof![4 => 90i64..110, 1 => integer()],
        quantity in prop_oneof![4 => 1i64..3000, 1 => integer()],
        form in 0u8..6,
        agent in prop_oneof![20 => 1u16..17, 1 => any::<u16>()],
    ) -> OrderRequest {
        let mut wished = request().by(agent);
        wished.side = if is_bid { Side::Bid } else { Side::Ask };
        (wished.price, wished.quantity) = (price, quantity);
        match form {
            0 => wished.post_only(),
            1 => wished.immediate_or_cancel(),
            2 => wished.post_only().fill_or_kill(),
            _ => wished,
        }
    }
}

prop_compose! {
    fn views()(
        state in prop_oneof![6 => Just(1u8), 2 => Just(2), 1 => Just(3)],
        steps in (1i64..3, 1i64..3, 1i64..20, 0u32..13),
        flags in (0u8..20, 0u8..20, 0u8..20, 0u8..20),
        position in integer(),
        open in (prop_oneof![2 => Just(0), 1 => integer()], prop_oneof![2 => Just(0), 1 => integer()]),
        own in prop::option::weighted(0.2, 80i64..120),
        reference in prop_oneof![6 => 90i64..110, 1 => integer()],
        quotes in (80i64..104, 97i64..120),
        age in prop_oneof![6 => 0i64..100, 1 => any::<i64>()],
        counts in (0u32..12, 0u32..12, 0u32..12),
        amounts in (money(), money(), money(), money(), money()),
        correlation in prop_oneof![4 => -1_000_000i64..1_000_000, 1 => any::<i64>()],
        levels in (money(), money(), money(), money(), money(), money()),
        days in (money(), money(), margins()),
        rate in 0u8..12,
        messages in (0u32..12, 0u32..12),
    ) -> RiskView {
        let mut scene = view();
        (scene.net_exposure, scene.open_notional_side, scene.venue_exposure) =
            (levels.0, levels.1, levels.2);
        (scene.agent_exposure, scene.base_exposure, scene.base_open_side) =
            (levels.3, levels.4, levels.5);
        (scene.equity_day, scene.agent_loss, scene.margin_millionths) = days;
        (scene.messages_last_second, scene.venue_messages_last_second) = messages;
        scene.rate = match rate {
            0 => Rate::UNKNOWN,
            1..4 => Rate::new(3, 2).unwrap(),
            _ => Rate::ONE,
        };
        scene.trading_state = TradingState::from_code(state).unwrap();
        let (tick, lot, quantity_min, places) = steps;
        let scale = 10i64.pow(places);
        scene.terms = (flags.0 != 0).then_some(Terms { tick, lot, quantity_min, scale });
        scene.decisions_room = u32::from(flags.1);
        scene.is_id_used = flags.2 == 0;
        scene.is_book_live = flags.3 != 0;
        scene.position = position;
        (scene.open_bid_quantity, scene.open_ask_quantity) = (open.0.max(0), open.1.max(0));
        scene.own_opposite_price = own;
        scene.reference_price = reference;
        (scene.best_bid, scene.best_ask) = quotes;
        scene.quote_age_ns = age;
        (scene.open_orders, scene.open_orders_instrument, scene.orders_last_second) = counts;
        (scene.equity, scene.equity_max, scene.volume_24h) = (amounts.0, amounts.1, amounts.2);
        (scene.gross_exposure, scene.open_notional) = (amounts.3, amounts.4);
        scene.correlation_ppm = correlation;
        scene
    }
}

prop_compose! {
    fn limit_sets()(
        shares in (ppm(), ppm(), ppm(), ppm(), ppm(), ppm(), ppm(), ppm(), ppm()),
        order_notional_max in money(),
        volume_24h_min in money(),
        counts in (5u32..20, 5u32..20, 5u32..20),
        stale_after_ns in 0i64..100,
        levels in (ppm(), ppm(), ppm(), ppm(), ppm(), ppm(), 0u32..1_000_001),
        messages in (5u32..20, 5u32..20),
    ) -> Limits {
        Limits {
            position_share_ppm: shares.0,
            order_share_ppm: shares.1,
            risk_per_trade_ppm: shares.2,
            stop_distance_ppm: shares.3,
            collar_ppm: shares.4,
            collar_passive_ppm: shares.5,
            correlation_ppm: shares.6,
            gross_exposure_ppm: shares.7,
            drawdown_ppm: shares.8,
            order_notional_max,
            volume_24h_min,
            orders_per_second: counts.0,
            open_orders: counts.1,
            open_orders_per_instrument: counts.2,
            stale_after_ns: stale_after_ns + 50,
            net_exposure_ppm: levels.0,
            venue_exposure_ppm: levels.1,
            agent_exposure_ppm: levels.2,
            concentration_ppm: levels.3,
            daily_loss_ppm: levels.4,
            agent_loss_ppm: levels.5,
            margin_ppm: levels.6,
            messages_per_second: messages.0,
            venue_messages_per_second: messages.1,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn the_gate_equals_its_twin(request in requests(), view in views(), limits in limit_sets()) {
        prop_assert_eq!(check(&request, &view, &limits), twin(&request, &view, &limits));
    }

    /// One part changed in a calm moment: most verdicts then come from a limit near its edge.
    #[test]
    fn the_gate_equals_its_twin_in_calm(request in requests(), scene in views(), which in 0u8..14) {
        let mut calm = view();
        calm.position = scene.position;
        match which {
            0 => calm.trading_state = scene.trading_state,
            1 => (calm.equity, calm.equity_max) = (scene.equity, scene.equity_max),
            2 => (calm.gross_exposure, calm.open_notional) = (scene.gross_exposure, scene.open_notional),
            3 => calm.open_bid_quantity = scene.open_bid_quantity,
            4 => calm.open_ask_quantity = scene.open_ask_quantity,
            5 => calm.terms = scene.terms,
            6 => calm.reference_price = scene.reference_price,
            7 => (calm.net_exposure, calm.open_notional_side) =
                (scene.net_exposure, scene.open_notional_side),
            8 => calm.venue_exposure = scene.venue_exposure,
            9 => calm.agent_exposure = scene.agent_exposure,
            10 => (calm.base_exposure, calm.base_open_side) =
                (scene.base_exposure, scene.base_open_side),
            11 => (calm.equity_day, calm.agent_loss) = (scene.equity_day, scene.agent_loss),
            12 => (calm.margin_millionths, calm.rate) = (scene.margin_millionths, scene.rate),
            _ => calm.own_opposite_price = scene.own_opposite_price,
        }
        let reckoned = Limits { margin_ppm: 500_000, ..wide() };
        for limits in [Limits::default(), wide(), reckoned] {
            prop_assert_eq!(check(&request, &calm, &limits), twin(&request, &calm, &limits));
        }
    }

    /// Cutting to size finds the largest quantity that a walk over all lots finds.
    #[test]
    fn the_largest_allowed_is_what_a_walk_over_all_lots_finds(
        wished in requests(), scene in views(), which in 0u8..5, quantity in 1i64..400,
    ) {
        let mut calm = view();
        calm.terms = scene.terms;
        calm.position = scene.position.clamp(-400, 400);
        calm.equity = Money::from_units(20_000);
        match which {
            0 => calm.trading_state = scene.trading_state,
            1 => calm.open_ask_quantity = scene.open_ask_quantity.clamp(0, 300),
            2 => calm.base_exposure = scene.base_exposure,
            3 => calm.margin_millionths = scene.margin_millionths,
            _ => calm.venue_exposure = scene.venue_exposure,
        }
        let limits = Limits {
            concentration_ppm: 900_000, venue_exposure_ppm: 800_000, margin_ppm: 500_000, ..wide()
        };
        let wished = OrderRequest { quantity, ..wished };
        let passes = |quantity: &i64| {
            let cut = OrderRequest { quantity: *quantity, ..wished };
            check(&cut, &calm, &limits).is_ok()
        };
        let walked = (1..=quantity).rev().find(passes).unwrap_or(0);
        prop_assert_eq!(largest_allowed(&wished, &calm, &limits), walked);
    }

    #[test]
    fn sizing_loses_no_more_than_allowed_and_one_lot_more_would(
        equity in 1i64..2_000_000,
        risk_ppm in 1u32..1_000_000,
        stop in 1i64..100_000,
        lot in 1i64..50,
        places in (0u8..7, 0u8..7),
    ) {
        let mut row = instrument("X", places.0, places.1);
        row.lot = lot;
        let equity = Money::from_units(equity);
        let quantity = quantity_for_risk(equity, risk_ppm, stop, &row);
        let budget = equity.0 * i128::from(risk_ppm);
        let loss = |quantity: i64| row.notional(stop, quantity).0 * MILLION;
        prop_assert_eq!(quantity % lot, 0);
        prop_assert!(loss(quantity) <= budget);
        prop_assert!(loss(quantity + lot) > budget);
    }
}
