//! Acceptance: what was planted is found, and what was not is not.

use acth_core::structure::Structure;

use crate::world::{NS_PER_MS, Planted, Weather, World, alone, planted_world, structure};

/// Precision and recall in one figure. A pair is truly related when both follow the same factor.
fn f1(structure: &Structure, planted: &[Planted]) -> f64 {
    let is_true = |first: usize, second: usize| {
        planted[first].group.is_some() && planted[first].group == planted[second].group
    };
    let (mut hits, mut found) = (0.0, 0.0);
    for edge in structure.edges() {
        found += 1.0;
        hits += f64::from(u8::from(is_true(edge.first, edge.second)));
    }
    let mut planted_count = 0.0;
    for first in 0..planted.len() {
        for second in first + 1..planted.len() {
            planted_count += f64::from(u8::from(is_true(first, second)));
        }
    }
    2.0 * hits / (found + planted_count)
}

/// Share of the true edges whose lag is the planted one, to the step.
fn right_lags(structure: &Structure, planted: &[Planted]) -> f64 {
    let (mut right, mut all) = (0.0, 0.0);
    for edge in structure.edges() {
        if planted[edge.first].group.is_some()
            && planted[edge.first].group == planted[edge.second].group
        {
            let lag_ms = planted[edge.second].lag_ms - planted[edge.first].lag_ms;
            all += 1.0;
            right += f64::from(u8::from(edge.lag_ns == lag_ms * NS_PER_MS));
        }
    }
    right / all
}

#[test]
fn ten_minutes_show_the_planted_graph() {
    for seed in 1..=3 {
        let mut structure = structure(32);
        let mut world = World::new(seed, planted_world(seed), Weather::default(), 600);
        world.run(&mut structure, 600_000);
        let planted = &world.planted;
        let score = f1(&structure, planted);
        let lags = right_lags(&structure, planted);
        eprintln!("seed {seed}: F1 {score:.3}, lags right {lags:.3}");
        assert!(score >= 0.95, "seed {seed}: F1 {score}");
        assert!(lags >= 0.9, "seed {seed}: {lags} of the lags are right");
        check_leaders(&structure, planted);
        check_correlations(&structure, planted);
        let changes: Vec<_> = structure.take_changes().collect();
        assert_eq!(structure.take_changes().count(), 0, "taken");
        let came = changes.iter().filter(|change| change.appeared).count();
        assert_eq!(came - (changes.len() - came), structure.edges().count());
    }
}

/// Every follower has a leader of its own group that is ahead by the planted lag; those in front have none.
fn check_leaders(structure: &Structure, planted: &[Planted]) {
    let (mut right, mut all) = (0, 0);
    for (follower, own) in planted.iter().enumerate() {
        let lead = structure.leader_of(follower);
        if own.group.is_none() || own.lag_ms == 0 {
            assert_eq!(lead, None, "{follower} leads or is alone");
            continue;
        }
        let lead = lead.expect("a leader");
        let leader = planted[lead.leader];
        assert_eq!(leader.group, own.group);
        all += 1;
        right += i32::from(lead.lag_ns == (own.lag_ms - leader.lag_ms) * NS_PER_MS);
        let expected = own.loading * leader.loading * own.scale / leader.scale;
        let ratio = lead.beta / expected;
        assert!((0.6..1.3).contains(&ratio), "beta {ratio} of {expected}");
    }
    assert!(right * 10 >= all * 9, "{right} of {all} leads are right");
}

/// Those that move at once are seen to, in their planted strength; those of different groups are not.
fn check_correlations(structure: &Structure, planted: &[Planted]) {
    assert!(structure.cleaned_count() > 20);
    let (_, factors) = structure.factors();
    assert!(factors >= 4, "{factors} factors");
    for (first, one) in planted.iter().enumerate() {
        for (second, other) in planted.iter().enumerate().skip(first + 1) {
            let found = structure.correlation(first, second);
            let is_same = one.group.is_some() && one.group == other.group;
            if is_same && one.lag_ms == 0 && other.lag_ms == 0 {
                let expected = one.loading * other.loading;
                assert!((found - expected).abs() < 0.2, "{found} of {expected}");
            } else if !is_same {
                assert!(found.abs() < 0.15, "{found} of 0");
            }
        }
    }
}

#[test]
fn independent_walks_have_no_edges() {
    let weathers = [
        Weather::default(),
        Weather {
            bounce: 0.0,
            is_bursting: true,
        },
        Weather {
            bounce: 0.5,
            is_bursting: false,
        },
    ];
    for (seed, weather) in (1..).zip(weathers) {
        let planted = (0..32).map(|index| alone(50.0 + f64::from(index) * 4.0));
        let mut structure = structure(32);
        let mut world = World::new(seed, planted.collect(), weather, 600);
        world.run(&mut structure, 600_000);
        let ever = structure.take_changes().filter(|c| c.appeared).count();
        eprintln!(
            "{weather:?}: {ever} edges ever, {} pairs",
            structure.pairs().len()
        );
        assert!(ever <= 4, "{ever} of 496 pairs had an edge: {weather:?}");
        assert!(structure.pairs().len() <= 1);
        assert!(structure.regime().probabilities.iter().sum::<f64>() > 0.999);
    }
}

/// Two instruments of each world, one of them late by a random multiple of the step, among four that move alone.
#[test]
fn planted_lags_are_recovered_in_95_of_100_seeds() {
    let mut right = 0;
    for seed in 0..100 {
        let lag_ms = 100 + 50 * (seed as i64 % 9);
        let mut planted = vec![alone(70.0); 6];
        for (place, lag_ms) in [(seed as usize % 3, 0), (3 + seed as usize % 2, lag_ms)] {
            planted[place] = Planted {
                group: Some(0),
                lag_ms,
                loading: 0.8,
                ..planted[place]
            };
        }
        // In every other world the later index leads.
        if seed % 2 == 1 {
            planted.reverse();
        }
        let find = |lag_ms: i64| {
            let is_it = |one: &Planted| one.group.is_some() && one.lag_ms == lag_ms;
            planted.iter().position(is_it).expect("planted")
        };
        let (leader, follower) = (find(0), find(lag_ms));
        let mut structure = structure(6);
        let mut world = World::new(1_000 + seed, planted, Weather::default(), 120);
        world.run(&mut structure, 120_000);
        let is_right = structure
            .leader_of(follower)
            .is_some_and(|lead| lead.leader == leader && lead.lag_ns == lag_ms * NS_PER_MS);
        right += u32::from(is_right && structure.leader_of(leader).is_none());
    }
    eprintln!("{right} of 100 lags recovered");
    assert!(right >= 95, "{right} of 100 lags recovered");
}
