//! Edges come and go with hysteresis, each told once.

use acth_core::structure::{CHANGES_MAX, Edge, EdgeRules, Graph, LagPeak};

const RULES: EdgeRules = EdgeRules {
    appear_score: 5.0,
    vanish_score: 3.5,
    appear_correlation: 0.1,
    vanish_correlation: 0.07,
    lag_step_ns: 50,
};

const fn peak(score: f64, total: f64, lag: i32) -> Option<LagPeak> {
    Some(LagPeak {
        lag,
        correlation: total,
        total,
        score,
    })
}

#[test]
fn an_edge_stays_until_it_is_clearly_gone() {
    let mut graph = Graph::new(4, RULES);
    let told = |graph: &mut Graph| graph.take_changes().map(|c| c.appeared).collect::<Vec<_>>();
    graph.observe(1, 3, peak(4.9, 0.5, 2));
    assert!(told(&mut graph).is_empty(), "too weak to come");
    graph.observe(1, 3, peak(5.1, 0.09, 2));
    assert!(told(&mut graph).is_empty(), "too small to matter");
    graph.observe(1, 3, peak(5.1, -0.5, 2));
    assert_eq!(told(&mut graph), [true]);
    graph.observe(1, 3, peak(3.6, -0.08, -3));
    assert!(told(&mut graph).is_empty(), "still there");
    let edge = Edge {
        first: 1,
        second: 3,
        correlation: -0.08,
        lag_ns: -150,
    };
    assert_eq!(graph.edges().collect::<Vec<_>>(), [edge]);
    assert_eq!(graph.edge(1, 3), Some(edge));
    let turned = graph.edge(3, 1).expect("the same edge");
    assert_eq!((turned.first, turned.lag_ns), (3, 150));
    graph.observe(1, 3, peak(3.4, -0.4, 0));
    let changes: Vec<_> = graph.take_changes().collect();
    assert_eq!(changes.len(), 1);
    assert!(!changes[0].appeared);
    assert_eq!(changes[0].edge, edge, "as it last was");
    assert_eq!(graph.edge_count(), 0);
    graph.observe(1, 3, peak(9.0, 0.5, 0));
    graph.observe(1, 3, None);
    assert_eq!(told(&mut graph), [true, false]);
}

#[test]
fn the_leader_is_the_strongest_that_is_ahead() {
    let mut graph = Graph::new(4, RULES);
    graph.observe(0, 2, peak(9.0, 0.3, 2));
    graph.observe(1, 2, peak(9.0, -0.4, 5));
    graph.observe(2, 3, peak(9.0, 0.9, 1));
    let lead = graph.leader_edge(2).expect("a leader");
    assert_eq!((lead.first, lead.second, lead.lag_ns), (1, 2, 250));
    assert_eq!(graph.leader_edge(3).expect("a leader").first, 2);
    assert_eq!(graph.leader_edge(0), None);
    graph.observe(2, 3, peak(9.0, 0.9, 0));
    assert_eq!(graph.leader_edge(3), None, "at once is not ahead");
    assert_eq!(graph.leader_edge(9), None);
}

#[test]
fn every_pair_has_a_place_of_its_own() {
    let mut graph = Graph::new(128, RULES);
    let mut count = 0usize;
    for first in 0..128 {
        for second in first + 1..128 {
            graph.observe(first, second, peak(9.0, 0.5, 0));
            count += 1;
        }
    }
    assert_eq!(graph.edge_count(), count);
    let places: Vec<_> = graph
        .edges()
        .map(|edge| (edge.first, edge.second))
        .collect();
    assert_eq!(places.len(), count);
    assert!(places.is_sorted());
    assert_eq!(graph.dropped_count(), (count - CHANGES_MAX) as u64);
    assert_eq!(graph.take_changes().count(), CHANGES_MAX);
}
