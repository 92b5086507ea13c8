//! Models as inputs: how one comes into use, what is refused, and that a restart knows them all.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use acth_core::{
    config::CoreConfig,
    core::{Core, Input},
    decision::{Decision, DecisionKind, Decisions},
    event::{Event, MODEL_PART_BYTES},
    instrument::{AssetClass, Contract, Instrument, Instruments},
    money::Money,
    predict::{MODEL_BYTES_MAX, MODEL_SLOTS, ModelOrigin, ModelVerdict},
    prelude::*,
    risk::Limits,
};
use acth_nn::{
    Activation,
    model::{Blueprint, GruWeights, InputRange, Layer, OutputKind},
};

/// Runs the model of slot 2 on every timer, and keeps what it said.
#[derive(Debug)]
struct Oracle {
    inference: Inference,
    said: f32,
    changes: Vec<usize>,
}

const SLOT: usize = 2;

impl Strategy for Oracle {
    type Config = NoConfig;
    const NAME: &'static str = "oracle";

    fn new(_: &NoConfig, _: &Instruments) -> Result<Self, StrategyError> {
        Ok(Self {
            inference: Inference::new(SLOT),
            said: 0.0,
            changes: Vec::new(),
        })
    }

    fn on_timer(&mut self, ctx: &mut Context<'_>) {
        let input = (ctx.now_ns() % 7) as f32 - 3.0;
        if let Some(&[said]) = self.inference.infer(ctx.models(), &[input]) {
            self.said = said;
        }
    }

    fn on_model(&mut self, ctx: &mut Context<'_>, slot: usize) {
        assert!(ctx.model(slot).is_some());
        self.changes.push(slot);
        self.inference.prepare(ctx.models());
    }

    fn digest(&self, hash: &mut StateHasher) {
        self.inference.write(hash);
        hash.word(u64::from(self.said.to_bits()));
    }

    fn save(&self, out: &mut Encoder) {
        self.inference.write(out);
        out.u32(self.said.to_bits());
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.inference.load(from)?;
        self.said = f32::from_bits(from.u32()?);
        Ok(())
    }
}

/// One input, three units, one output; `seed` makes models different.
fn model(seed: u32) -> Model {
    let some = |count: usize, salt: u32| {
        let number = |index: usize| {
            let word = (index as u32 + 1 + salt + seed * 100).wrapping_mul(0x9e37_79b9);
            (word >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(number).collect::<Vec<f32>>()
    };
    let blueprint = Blueprint {
        feature_hash: 7,
        output_kind: OutputKind::Values,
        inputs: vec![InputRange {
            mean: 0.0,
            scale: 2.0,
            clip: 5.0,
            least: -3.0,
            greatest: 3.0,
        }],
        quantiles: Vec::new(),
        gru: Some(GruWeights {
            inputs: 1,
            weights_input: some(9, 0),
            weights_hidden: some(27, 10),
            biases_input: some(9, 40),
            biases_hidden: some(9, 50),
        }),
        layers: vec![Layer {
            activation: Activation::Identity,
            weights: some(3, 60),
            biases: some(1, 70),
        }],
    };
    Model::new(&blueprint).unwrap()
}

fn config() -> CoreConfig {
    let instrument = Instrument {
        venue: "sim".into(),
        symbol: "BTC".into(),
        base: "BTC".into(),
        quote: "USD".into(),
        asset_class: AssetClass::Crypto,
        contract: Contract::Perpetual,
        price_exponent: 2,
        quantity_exponent: 3,
        tick: 1,
        lot: 1,
        quantity_min: 1,
        maker_fee_ppm: 0,
        taker_fee_ppm: 0,
    };
    CoreConfig {
        hub_id: 1,
        cash: Money::from_units(1_000),
        instruments: Instruments::new(vec![instrument]).unwrap(),
        limits: Limits::default(),
        correlation_half_life_samples: 100.0,
        account: acth_core::config::AccountConfig::default(),
    }
}

fn oracle() -> Oracle {
    Oracle::new(&NoConfig {}, &config().instruments).unwrap()
}

struct Bench {
    core: Core<Oracle>,
    sequence: u64,
}

impl Bench {
    fn new() -> Self {
        Self {
            core: Core::new(&config(), oracle()).unwrap(),
            sequence: 0,
        }
    }

    fn apply(&mut self, event: &Event) -> Vec<Decision> {
        assert_eq!(event.check(), Ok(()));
        self.sequence += 1;
        let mut decisions = Decisions::new();
        let input = Input {
            sequence: self.sequence,
            ts_core_ns: 1_000 + self.sequence.cast_signed(),
            event,
        };
        self.core.apply(input, &mut decisions);
        decisions.as_slice().to_vec()
    }

    fn send(&mut self, slot: u32, bytes: &[u8]) {
        for (index, part) in bytes.chunks(MODEL_PART_BYTES).enumerate() {
            let offset = (index * MODEL_PART_BYTES) as u32;
            self.apply(&Event::model_part(slot, offset, part));
        }
    }

    /// What the journal keeps of a promotion.
    fn promote(&mut self, slot: u32, model: &Model) -> (ModelVerdict, Option<ModelOrigin>, u8) {
        let count = model.encode().len() as u32;
        let decisions = self.apply(&Event::model_promoted(slot, count, model.hash()));
        let [decision] = decisions[..] else {
            panic!("one decision, found {decisions:?}");
        };
        assert_eq!(decision.kind(), Some(DecisionKind::ModelChanged));
        assert_eq!(decision.hash, model.hash());
        (
            ModelVerdict::from_code(decision.verdict).unwrap(),
            ModelOrigin::from_code(decision.reason),
            decision.state,
        )
    }

    fn timer(&mut self) {
        let timer = acth_core::event::EventKind::TimerFired;
        self.apply(&Event::new(timer, InstrumentId(0)));
    }

    fn live(&self) -> Option<u64> {
        self.core.models().get(SLOT).map(Model::hash)
    }
}

const RECEIVED: (ModelVerdict, Option<ModelOrigin>, u8) = (
    ModelVerdict::Accepted,
    Some(ModelOrigin::Received),
    SLOT as u8,
);

#[test]
fn a_model_comes_in_and_answers_as_it_would_alone() {
    let (mut bench, model) = (Bench::new(), model(1));
    bench.send(SLOT as u32, model.encode());
    assert_eq!(bench.live(), None);
    assert_eq!(bench.promote(SLOT as u32, &model), RECEIVED);
    assert_eq!(bench.live(), Some(model.hash()));
    assert_eq!(bench.core.strategy().changes, [SLOT]);
    let mut memory = model.memory();
    for _ in 0..20 {
        bench.timer();
        let input = (bench.core.now_ns() % 7) as f32 - 3.0;
        let expected = model.infer(&[input], &mut memory).unwrap()[0];
        assert_eq!(bench.core.strategy().said.to_bits(), expected.to_bits());
    }
}

#[test]
fn the_one_before_comes_back_without_its_bytes() {
    let mut bench = Bench::new();
    let (first, second) = (model(1), model(2));
    for model in [&first, &second] {
        bench.send(SLOT as u32, model.encode());
        assert_eq!(bench.promote(SLOT as u32, model), RECEIVED);
    }
    let slot = SLOT as u8;
    let (accepted, back) = (ModelVerdict::Accepted, Some(ModelOrigin::Previous));
    assert_eq!(bench.promote(2, &first), (accepted, back, slot));
    assert_eq!(bench.live(), Some(first.hash()));
    assert_eq!(bench.promote(2, &second), (accepted, back, slot));
    let unchanged = Some(ModelOrigin::Live);
    assert_eq!(bench.promote(2, &second), (accepted, unchanged, slot));
    assert_eq!(bench.core.strategy().changes, [SLOT; 4]);
}

#[test]
fn what_is_not_whole_is_refused_by_name() {
    let (mut bench, model) = (Bench::new(), model(1));
    let bytes = model.encode();
    let refused = |verdict| (verdict, None, SLOT as u8);
    assert_eq!(bench.promote(2, &model), refused(ModelVerdict::Length));
    assert_eq!(bench.promote(8, &model), (ModelVerdict::NoSlot, None, 255));
    bench.send(2, &bytes[..64]);
    assert_eq!(bench.promote(2, &model), refused(ModelVerdict::Length));
    // Another model of the same size came in.
    bench.send(2, self::model(3).encode());
    assert_eq!(bench.promote(2, &model), refused(ModelVerdict::Hash));
    let mut damaged = bytes.to_vec();
    damaged[50] ^= 1;
    bench.send(2, &damaged);
    assert_eq!(bench.promote(2, &model), refused(ModelVerdict::Undecodable));
    assert_eq!(
        (bench.live(), bench.core.strategy().changes.len()),
        (None, 0)
    );
    bench.send(2, bytes);
    assert_eq!(bench.promote(2, &model), RECEIVED);
    // A refusal leaves the model in use.
    assert_eq!(
        bench.promote(2, &self::model(4)),
        refused(ModelVerdict::Length)
    );
    assert_eq!(bench.live(), Some(model.hash()));
}

#[test]
fn parts_out_of_order_or_beyond_a_bound_are_counted() {
    let (mut bench, model) = (Bench::new(), model(1));
    let refused = |bench: &Bench| bench.core.models().refused_count();
    bench.send(2, &model.encode()[..96]);
    for offset in [32, 64, 95, 97, 128, u32::MAX] {
        bench.apply(&Event::model_part(2, offset, &[0; 32]));
    }
    assert_eq!(refused(&bench), 6);
    bench.apply(&Event::model_part(MODEL_SLOTS as u32, 0, &[0; 32]));
    bench.apply(&Event::model_part(u32::MAX, 0, &[0; 32]));
    assert_eq!(refused(&bench), 8);
    // What was received in order is still there.
    for (index, part) in model.encode().chunks(32).enumerate().skip(3) {
        bench.apply(&Event::model_part(2, index as u32 * 32, part));
    }
    assert_eq!(bench.promote(2, &model), RECEIVED);
    bench.send(2, &vec![1; MODEL_BYTES_MAX]);
    assert_eq!(refused(&bench), 8);
    bench.apply(&Event::model_part(2, MODEL_BYTES_MAX as u32, &[1]));
    assert_eq!(refused(&bench), 9);
}

#[test]
fn every_change_of_a_slot_changes_the_hash() {
    let (mut bench, model) = (Bench::new(), model(1));
    let mut seen = Vec::new();
    let mut look = |bench: &Bench| {
        // The hash of the models alone: the rest changes with every input.
        let mut hash = StateHasher::new();
        bench.core.models().digest(&mut hash);
        assert!(!seen.contains(&hash.finish()), "state {}", seen.len());
        seen.push(hash.finish());
    };
    look(&bench);
    bench.send(2, &model.encode()[..32]);
    look(&bench);
    bench.send(2, &model.encode()[..64]);
    look(&bench);
    bench.send(3, &model.encode()[..32]);
    look(&bench);
    // As many bytes, but others.
    bench.send(3, &model.encode()[32..64]);
    look(&bench);
    bench.send(2, model.encode());
    look(&bench);
    bench.promote(2, &model);
    look(&bench);
    bench.send(2, self::model(2).encode());
    bench.promote(2, &self::model(2));
    look(&bench);
    bench.promote(2, &model);
    look(&bench);
}

/// A core and its restored copy take the same inputs and stay the same, from any point on.
#[test]
fn a_restored_core_knows_its_models() {
    let (first, second, third) = (model(1), model(2), model(3));
    let script = |bench: &mut Bench, step: usize| match step {
        0 => bench.send(2, first.encode()),
        1 => drop(bench.promote(2, &first)),
        3 => bench.send(2, second.encode()),
        4 => drop(bench.promote(2, &second)),
        6 => bench.send(2, &third.encode()[..64]),
        7 => {
            for (index, part) in third.encode().chunks(32).enumerate().skip(2) {
                bench.apply(&Event::model_part(2, index as u32 * 32, part));
            }
            bench.apply(&Event::model_part(2, 5, &[1]));
        }
        8 => drop(bench.promote(2, &third)),
        10 => drop(bench.promote(2, &second)),
        _ => (0..5).for_each(|_| bench.timer()),
    };
    for cut in 0..12 {
        let mut bench = Bench::new();
        (0..cut).for_each(|step| script(&mut bench, step));
        let mut bytes = Vec::new();
        bench.core.encode_snapshot(&mut bytes);
        let core = Core::restore(&config(), oracle(), &bytes).unwrap();
        let mut again = Vec::new();
        core.encode_snapshot(&mut again);
        assert_eq!(again, bytes, "cut {cut}");
        let mut restored = Bench {
            core,
            sequence: bench.sequence,
        };
        for step in cut..12 {
            for bench in [&mut bench, &mut restored] {
                bench.timer();
                script(bench, step);
            }
            let (hash, found) = (bench.core.state_hash(), restored.core.state_hash());
            assert_eq!(found, hash, "cut {cut}, step {step}");
        }
        let counts = [&bench, &restored].map(|bench| bench.core.models().refused_count());
        assert_eq!(counts, [1; 2]);
        assert_eq!(restored.live(), Some(second.hash()));
    }
}
