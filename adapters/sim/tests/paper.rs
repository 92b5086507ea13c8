//! The paper venue on cases computed by hand. Notional 100.10 x 0.200 = 20.02, taker fee 1000 ppm = 0.02002, and so on.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

mod common;

use acth_core::{
    decision::TimeInForce,
    event::{BookState, ReportReason, Side},
    port::{CommandSink, EventSource, Progress},
};
use common::*;

#[test]
fn marketable_order_walks_the_levels_and_rests_the_remainder() {
    let mut bench = Bench::with_book();
    bench.submit(100, order(1, Side::Bid, 10_015, 700));
    assert_eq!(
        bench.idle_until(114),
        Progress::Idle,
        "executed at 110, reported at 115"
    );
    assert_eq!(bench.idle_until(115), Progress::Busy);
    assert_eq!(
        bench.reports(),
        [
            Report::Accepted(1),
            Report::Taken {
                id: 1,
                price: 10_010,
                quantity: 200,
                fee: 2_002_000
            },
            Report::Taken {
                id: 1,
                price: 10_015,
                quantity: 400,
                fee: 4_006_000
            },
        ]
    );
    assert_eq!(bench.venue.state().resting_count(), 1, "0.100 rest");
    let stamps: Vec<_> = bench.sink.events[4..]
        .iter()
        .map(|e| (e.ts_venue_ns, e.ts_ingress_ns, e.source))
        .collect();
    assert_eq!(stamps, [(110, 115, 3); 3]);
}

#[test]
fn what_was_taken_stays_taken_until_the_level_is_refreshed() {
    let mut bench = Bench::with_book();
    let ioc = |id, quantity| {
        with_force(
            order(id, Side::Bid, 10_010, quantity),
            TimeInForce::ImmediateOrCancel,
        )
    };
    bench.submit(100, ioc(1, 150));
    bench.submit(101, ioc(2, 100));
    bench.idle_until(200);
    assert_eq!(
        bench.reports(),
        [
            Report::Accepted(1),
            Report::Taken {
                id: 1,
                price: 10_010,
                quantity: 150,
                fee: 1_501_500
            },
            Report::Accepted(2),
            Report::Taken {
                id: 2,
                price: 10_010,
                quantity: 50,
                fee: 500_500
            },
            Report::Cancelled(2, ReportReason::ImmediateRemainder),
        ]
    );
    // The same best offer again says nothing new about it; a depth change does.
    bench.market(bbo(210, (10_000, 310), (10_010, 200)));
    bench.submit(211, ioc(3, 50));
    bench.idle_until(300);
    let nothing = [
        Report::Accepted(3),
        Report::Cancelled(3, ReportReason::ImmediateRemainder),
    ];
    assert_eq!(bench.reports(), nothing);
    bench.market(diff(310, &[(Side::Ask, 10_010, 200)]));
    bench.submit(311, ioc(4, 50));
    bench.idle_until(400);
    let filled = Report::Taken {
        id: 4,
        price: 10_010,
        quantity: 50,
        fee: 500_500,
    };
    assert_eq!(bench.reports(), [Report::Accepted(4), filled]);
}

#[test]
fn fill_or_kill_is_all_or_nothing() {
    let mut bench = Bench::with_book();
    let fok = |id, quantity| {
        with_force(
            order(id, Side::Ask, 9_995, quantity),
            TimeInForce::FillOrKill,
        )
    };
    bench.submit(100, fok(1, 810));
    bench.submit(100, fok(2, 800));
    bench.idle_until(200);
    assert_eq!(
        bench.reports(),
        [
            Report::Accepted(1),
            Report::Cancelled(1, ReportReason::FillOrKill),
            Report::Accepted(2),
            Report::Taken {
                id: 2,
                price: 10_000,
                quantity: 300,
                fee: 3_000_000
            },
            Report::Taken {
                id: 2,
                price: 9_995,
                quantity: 500,
                fee: 4_997_500
            },
        ]
    );
}

#[test]
fn post_only_is_refused_when_it_would_take() {
    let mut bench = Bench::with_book();
    bench.submit(100, post_only(order(1, Side::Bid, 10_010, 100)));
    bench.submit(100, post_only(order(2, Side::Bid, 10_005, 100)));
    bench.idle_until(200);
    let expected = [
        Report::Rejected(1, ReportReason::PostOnlyCross),
        Report::Accepted(2),
    ];
    assert_eq!(bench.reports(), expected);
}

#[test]
fn queue_position_is_used_up_by_trades_at_the_price() {
    let mut bench = Bench::with_book();
    bench.submit(100, order(1, Side::Bid, 10_000, 100));
    bench.submit(100, order(2, Side::Bid, 10_000, 100));
    bench.idle_until(200);
    assert_eq!(bench.reports(), [Report::Accepted(1), Report::Accepted(2)]);
    bench.market(trade(210, Side::Ask, 10_000, 250));
    bench.market(trade(211, Side::Bid, 10_000, 500));
    bench.idle_until(220);
    assert_eq!(
        bench.reports(),
        [],
        "50 still ahead; a buyer's trade at our bid is not ours"
    );
    // 50 for those ahead, then 100 for the first of ours and 20 for the second.
    bench.market(trade(230, Side::Ask, 10_000, 170));
    bench.idle_until(240);
    assert_eq!(
        bench.reports(),
        [
            Report::Made {
                id: 1,
                price: 10_000,
                quantity: 100,
                fee: -100_000
            },
            Report::Made {
                id: 2,
                price: 10_000,
                quantity: 20,
                fee: -20_000
            },
        ]
    );
    assert_eq!(bench.venue.state().resting_count(), 1);
}

#[test]
fn a_shrinking_level_shortens_the_queue() {
    let mut bench = Bench::with_book();
    bench.submit(100, order(1, Side::Bid, 10_000, 100));
    bench.idle_until(200);
    bench.market(diff(210, &[(Side::Bid, 10_000, 40)]));
    bench.market(diff(211, &[(Side::Bid, 10_000, 900)]));
    bench.market(trade(220, Side::Ask, 10_000, 60));
    bench.idle_until(240);
    let filled = Report::Made {
        id: 1,
        price: 10_000,
        quantity: 20,
        fee: -20_000,
    };
    assert_eq!(
        bench.reports(),
        [Report::Accepted(1), filled],
        "40 ahead, newcomers behind"
    );
}

#[test]
fn a_trade_through_the_price_fills_first() {
    let mut bench = Bench::with_book();
    bench.submit(100, order(1, Side::Ask, 10_015, 100));
    bench.idle_until(200);
    bench.market(trade(210, Side::Bid, 10_020, 60));
    bench.idle_until(220);
    let filled = Report::Made {
        id: 1,
        price: 10_015,
        quantity: 60,
        fee: -60_090,
    };
    assert_eq!(
        bench.reports(),
        [Report::Accepted(1), filled],
        "no more than was seen to trade"
    );
}

#[test]
fn the_opposite_quote_reaching_the_price_fills_at_the_price() {
    let mut bench = Bench::with_book();
    bench.submit(100, order(1, Side::Bid, 10_000, 100));
    bench.idle_until(200);
    bench.market(bbo(210, (9_980, 100), (9_990, 70)));
    bench.market(bbo(211, (9_980, 100), (9_990, 70)));
    bench.idle_until(220);
    let filled = Report::Made {
        id: 1,
        price: 10_000,
        quantity: 70,
        fee: -70_000,
    };
    assert_eq!(
        bench.reports(),
        [Report::Accepted(1), filled],
        "once, by what was offered"
    );
    bench.market(bbo(230, (9_980, 100), (9_990, 90)));
    bench.idle_until(240);
    let filled = Report::Made {
        id: 1,
        price: 10_000,
        quantity: 30,
        fee: -30_000,
    };
    assert_eq!(bench.reports(), [filled]);
    assert_eq!(bench.venue.state().resting_count(), 0);
}

#[test]
fn cancel_in_time_too_late_and_unknown() {
    let mut bench = Bench::with_book();
    bench.submit(100, order(1, Side::Bid, 10_000, 100));
    bench.submit(101, cancel(1));
    bench.submit(102, cancel(1));
    bench.submit(103, cancel(77));
    bench.submit(104, order(2, Side::Bid, 10_010, 100));
    bench.submit(105, cancel(2));
    bench.idle_until(200);
    assert_eq!(
        bench.reports(),
        [
            Report::Accepted(1),
            Report::Cancelled(1, ReportReason::Requested),
            Report::CancelRejected(1, ReportReason::AlreadyDone),
            Report::CancelRejected(77, ReportReason::UnknownOrder),
            Report::Accepted(2),
            Report::Taken {
                id: 2,
                price: 10_010,
                quantity: 100,
                fee: 1_001_000
            },
            Report::CancelRejected(2, ReportReason::AlreadyDone),
        ]
    );
}

#[test]
fn a_fill_on_the_way_beats_the_cancel() {
    let mut bench = Bench::with_book();
    bench.submit(100, order(1, Side::Bid, 10_005, 100));
    bench.idle_until(200);
    bench.submit(205, cancel(1));
    // The cancel arrives at 215; the trade happens at 214.
    bench.market(trade(214, Side::Ask, 10_000, 100));
    bench.idle_until(300);
    assert_eq!(
        bench.reports(),
        [
            Report::Accepted(1),
            Report::Made {
                id: 1,
                price: 10_005,
                quantity: 100,
                fee: -100_050
            },
            Report::CancelRejected(1, ReportReason::AlreadyDone),
        ]
    );
}

#[test]
fn nothing_is_accepted_or_filled_on_a_stale_book() {
    let mut bench = Bench::with_book();
    bench.submit(100, order(1, Side::Bid, 10_000, 100));
    bench.idle_until(200);
    bench.market(book_state(210, BookState::Stale));
    bench.market(trade(211, Side::Ask, 9_990, 500));
    bench.market(bbo(212, (9_980, 100), (9_990, 70)));
    bench.submit(213, order(2, Side::Bid, 10_010, 100));
    bench.idle_until(300);
    assert_eq!(
        bench.reports(),
        [
            Report::Accepted(1),
            Report::Rejected(2, ReportReason::NoMarket)
        ]
    );
    // Alive again, the first order meets what is offered now.
    bench.market(book_state(310, BookState::Live));
    bench.idle_until(400);
    let filled = Report::Made {
        id: 1,
        price: 10_000,
        quantity: 70,
        fee: -70_000,
    };
    assert_eq!(bench.reports(), [filled]);
}

#[test]
fn malformed_orders_are_refused_by_name() {
    let mut bench = Bench::with_book();
    let bad_increment = [
        order(1, Side::Bid, 10_001, 100),
        order(2, Side::Bid, 10_000, 105),
        order(3, Side::Bid, 10_000, 10),
        order(4, Side::Bid, -5, 100),
    ];
    for decision in bad_increment {
        bench.submit(100, decision);
        bench.idle_until(200);
        let id = decision.client_order_id;
        assert_eq!(
            bench.reports(),
            [Report::Rejected(id, ReportReason::BadIncrement)]
        );
    }
    bench.submit(200, order(9, Side::Bid, 9_000, 100));
    bench.submit(200, order(9, Side::Bid, 9_000, 100));
    bench.idle_until(300);
    let duplicate = Report::Rejected(9, ReportReason::DuplicateId);
    assert_eq!(bench.reports(), [Report::Accepted(9), duplicate]);
    for id in 10..17 {
        bench.submit(300, order(id, Side::Bid, 9_000, 100));
    }
    bench.submit(300, order(17, Side::Bid, 9_000, 100));
    bench.idle_until(400);
    assert_eq!(
        bench.reports()[7],
        Report::Rejected(17, ReportReason::TooManyOrders)
    );
}

#[test]
fn the_book_follows_whichever_message_is_newest() {
    let mut bench = Bench::with_book();
    // A best bid and offer with id 300 overtakes a depth change with id 290 that still shows the old offers.
    bench.market(bbo(300, (10_005, 100), (10_020, 100)));
    bench.market(diff(290, &[(Side::Ask, 10_010, 500)]).at(301, 301));
    let ioc = |id| {
        with_force(
            order(id, Side::Bid, 10_015, 100),
            TimeInForce::ImmediateOrCancel,
        )
    };
    bench.submit(302, ioc(1));
    bench.idle_until(320);
    let nothing = [
        Report::Accepted(1),
        Report::Cancelled(1, ReportReason::ImmediateRemainder),
    ];
    assert_eq!(bench.reports(), nothing, "nothing is offered below 100.20");
    // A newer depth change is believed.
    bench.market(diff(330, &[(Side::Ask, 10_010, 500)]));
    bench.submit(331, ioc(2));
    bench.idle_until(400);
    let filled = Report::Taken {
        id: 2,
        price: 10_010,
        quantity: 100,
        fee: 1_001_000,
    };
    assert_eq!(bench.reports(), [Report::Accepted(2), filled]);
}

#[test]
fn reports_come_between_events_in_the_order_of_time() {
    let mut bench = Bench::with_book();
    bench.submit(100, order(1, Side::Bid, 10_010, 100));
    bench.market(trade(112, Side::Bid, 10_010, 10));
    assert_eq!(
        bench.reports(),
        [],
        "executed at 110, but the report is still on its way"
    );
    bench.market(trade(150, Side::Bid, 10_010, 10));
    let stamps: Vec<_> = bench.sink.events[4..]
        .iter()
        .map(|e| e.ts_ingress_ns)
        .collect();
    assert_eq!(stamps, [112, 115, 115, 150]);
}

#[test]
fn drain_pays_what_is_owed() {
    let mut bench = Bench::with_book();
    bench.submit(1_000_000, order(1, Side::Bid, 10_010, 100));
    assert_eq!(bench.venue.drain(&mut bench.sink).unwrap(), Progress::Busy);
    assert_eq!(bench.reports().len(), 2);
    assert_eq!(bench.venue.drain(&mut bench.sink).unwrap(), Progress::Ended);
}

#[test]
fn a_full_queue_of_commands_is_an_error_not_a_loss() {
    let mut bench = Bench::with_book();
    for id in 0..16 {
        bench.submit(100, order(id, Side::Bid, 9_000, 100));
    }
    let outbound = acth_core::decision::Outbound::default();
    let error = bench.commands.submit(&outbound).unwrap_err();
    assert!(error.to_string().contains("all 16 places"), "{error}");
}
