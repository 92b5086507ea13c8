//! A structure that was written and read goes on as the one that was written, bit for bit; other bytes are refused.

use acth_core::{
    hash::StateHasher,
    snapshot::{Decoder, Encoder},
    structure::{HayashiYoshida, STATES_MAX, Structure, StructureConfig},
};

use crate::{
    random::Random,
    world::{NS_PER_MS, Planted, Weather, World, alone, structure},
};

fn bytes_of(structure: &Structure) -> Vec<u8> {
    let mut out = Encoder::default();
    structure.write(&mut out);
    out.into_bytes()
}

fn hash_of(structure: &Structure) -> u64 {
    let mut hash = StateHasher::new();
    structure.write(&mut hash);
    hash.finish()
}

fn small_world(seed: u64) -> World {
    let mut planted = vec![alone(60.0); 5];
    for (place, lag_ms) in [(1, 0), (3, 250)] {
        planted[place] = Planted {
            group: Some(0),
            lag_ms,
            loading: 0.9,
            ..planted[place]
        };
    }
    World::new(seed, planted, Weather::default(), 200)
}

/// Slices so small that a snapshot finds an eigenvalue problem half solved.
fn sliced() -> Structure {
    let config = StructureConfig {
        slice_rotations: 3,
        ..StructureConfig::default()
    };
    Structure::new(&config, 5).expect("sound")
}

#[test]
fn a_restored_structure_is_the_same_for_ever() {
    // Times at which batches, cleanings and scans stand in different places.
    for until_ms in [0, 3_330, 31_000, 64_740, 100_050] {
        let (mut kept, mut world) = (sliced(), small_world(3));
        world.run(&mut kept, until_ms);
        let bytes = bytes_of(&kept);
        let mut restored = sliced();
        // What an earlier life left behind must not shine through.
        small_world(4).run(&mut restored, 20_000);
        restored.load(&mut Decoder::over(&bytes)).expect("loads");
        assert_eq!(bytes_of(&restored), bytes, "at {until_ms}");
        assert_eq!(hash_of(&restored), hash_of(&kept));
        let mut feed = Random::new(9);
        let mut prices = [4.0; 5];
        for step in 0..4_000 {
            let now_ns = until_ms * NS_PER_MS + step * 11 * NS_PER_MS;
            let index = feed.below(5);
            prices[index] += feed.normal() * 1e-4;
            for one in [&mut kept, &mut restored] {
                one.on_price(index, now_ns, prices[index]);
                if step % 9 == 0 {
                    one.on_timer(now_ns);
                }
            }
        }
        assert_eq!(bytes_of(&restored), bytes_of(&kept), "after {until_ms}");
        let told: Vec<_> = kept.take_changes().collect();
        assert_eq!(told, restored.take_changes().collect::<Vec<_>>());
    }
}

#[test]
fn bytes_that_are_no_structure_are_refused_or_harmless() {
    let (mut kept, mut world) = (structure(5), small_world(5));
    world.run(&mut kept, 70_000);
    let bytes = bytes_of(&kept);
    let mut random = Random::new(10);
    for _ in 0..60 {
        let cut = random.below(bytes.len());
        let read = structure(5).load(&mut Decoder::over(&bytes[..cut]));
        assert!(read.is_err(), "cut at {cut}");
        let mut damaged = bytes.clone();
        for _ in 0..3 {
            damaged[random.below(bytes.len())] = random.next() as u8;
        }
        let mut restored = structure(5);
        if restored.load(&mut Decoder::over(&damaged)).is_ok() {
            small_world(6).run(&mut restored, 75_000);
        }
    }
}

#[test]
fn what_is_no_number_is_not_read() {
    let mut ticks = HayashiYoshida::new(2, 1e9).expect("sound");
    for step in 0..10 {
        ticks.update(step % 2, step as i64, step as f64);
    }
    let mut out = Encoder::default();
    ticks.write(&mut out);
    let bytes = out.into_bytes();
    // Two times, then prices, prices seen, sums and weights.
    for place in 2..14 {
        for value in [f64::NAN, f64::INFINITY] {
            let mut damaged = bytes.clone();
            damaged[place * 8..place * 8 + 8].copy_from_slice(&value.to_le_bytes());
            let read = ticks.clone().load(&mut Decoder::over(&damaged));
            assert!(read.is_err(), "{value} at {place}");
        }
    }
    assert!(ticks.load(&mut Decoder::over(&bytes)).is_ok());
}

#[test]
fn every_number_stays_finite_whatever_comes() {
    let mut structure = structure(3);
    let mut random = Random::new(11);
    let wild = [f64::NAN, f64::INFINITY, -1e300, 999.0, -999.0, 0.0, 1e-308];
    let mut now_ns = 0i64;
    for _ in 0..30_000 {
        let price = if random.below(4) == 0 {
            wild[random.below(wild.len())]
        } else {
            random.normal()
        };
        // Now and then time leaps, or goes back.
        now_ns = match random.below(2_000) {
            0 => now_ns + 100_000 * NS_PER_MS,
            1 => now_ns - 1_000 * NS_PER_MS,
            _ => now_ns + 13 * NS_PER_MS,
        };
        structure.on_price(random.below(4), now_ns, price);
        if random.below(8) == 0 {
            structure.on_timer(now_ns);
        }
    }
    assert!(structure.refused_count() > 1_000);
    let bytes = bytes_of(&structure);
    let mut restored = crate::world::structure(3);
    restored
        .load(&mut Decoder::over(&bytes))
        .expect("loading refuses what is infinite or NaN");
    for first in 0..4 {
        for second in 0..4 {
            assert!(structure.correlation(first, second).abs() <= 1.0);
        }
    }
}

#[test]
fn parameters_that_make_no_sense_are_refused() {
    let sound = StructureConfig::default();
    assert!(Structure::new(&sound, 0).is_err());
    assert!(Structure::new(&sound, 129).is_err());
    assert!(Structure::new(&sound, 1).is_ok());
    let broken = [
        StructureConfig {
            lag_step_ms: 0,
            ..sound
        },
        StructureConfig {
            lag_count: 33,
            ..sound
        },
        StructureConfig {
            significance: 0.0,
            ..sound
        },
        StructureConfig {
            significance: f64::NAN,
            ..sound
        },
        StructureConfig {
            regime_states: STATES_MAX + 1,
            ..sound
        },
        StructureConfig {
            scan_rows: 3,
            ..sound
        },
        StructureConfig {
            change_run: f64::INFINITY,
            ..sound
        },
        StructureConfig {
            stale_ms: i64::MAX,
            ..sound
        },
    ];
    for config in broken {
        assert!(Structure::new(&config, 4).is_err(), "{config:?}");
    }
}

#[test]
fn the_configuration_has_names_and_defaults() {
    let config: StructureConfig = serde_json::from_str("{\"lag_count\": 8}").expect("a part");
    assert_eq!(
        config,
        StructureConfig {
            lag_count: 8,
            ..StructureConfig::default()
        }
    );
    assert!(serde_json::from_str::<StructureConfig>("{\"lags\": 8}").is_err());
}
