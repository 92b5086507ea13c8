//! The whole core as bytes and back: which sections there are, in which order, and what binds them to a configuration.

use alloc::{format, string::String, vec::Vec};

use super::Core;
use crate::{
    config::CoreConfig,
    hash::StateHasher,
    instrument::{INSTRUMENTS_MAX, Instrument},
    money::Money,
    risk::{Denial, StateReason, TradingState},
    snapshot::{Decoder, Encoder, SnapshotError, SnapshotHeader, Tag},
    state::{CoreStats, State},
    strategy::Strategy,
};

const CONFIG: Tag = Tag(*b"CONF");
const LEDGER: Tag = Tag(*b"LEDG");
const MODELS: Tag = Tag(*b"MODL");
const FUNDING: Tag = Tag(*b"FUND");
const STRATEGY: Tag = Tag(*b"STRA");
const END: Tag = Tag(*b"END.");
/// Longest name of a strategy that a snapshot can hold.
const NAME_BYTES_MAX: usize = 255;

impl<S: Strategy> Core<S> {
    /// Replaces the content of `out` by a snapshot of the whole state. Not for the hot path: it costs as much as hashing
    /// the state and copying it, and `out` grows to its size once.
    pub fn encode_snapshot(&self, out: &mut Vec<u8>) {
        let state = &self.state;
        let mut encoder = Encoder::over(core::mem::take(out));
        SnapshotHeader::new(state.sequence, state.now_ns, self.state_hash()).save(&mut encoder);
        save_config(state, &mut encoder);
        save_ledger(state, &mut encoder);
        state.orders.save(&mut encoder);
        state.portfolio.save(&mut encoder);
        state.rate.save(&mut encoder);
        state.messages.save(&mut encoder);
        state.day.write(&mut encoder);
        state.returns.save(&mut encoder);
        for market in &state.markets {
            market.save(&mut encoder);
        }
        encoder.section(MODELS);
        state.models.save(&mut encoder);
        encoder.section(FUNDING);
        state.announced.write(&mut encoder);
        encoder.section(STRATEGY);
        encoder.bytes(S::NAME.as_bytes());
        self.strategy.save(&mut encoder);
        encoder.section(END);
        *out = encoder.into_bytes();
        SnapshotHeader::seal(out);
    }

    /// The core that a snapshot was taken of: it decides and hashes as that one would for all later inputs. `strategy`
    /// is one just built from its configuration.
    ///
    /// # Errors
    /// The bytes are damaged or of another format, configuration or strategy, or the strategy does not save all that it
    /// digests.
    pub fn restore(config: &CoreConfig, strategy: S, bytes: &[u8]) -> Result<Self, SnapshotError> {
        let (header, mut decoder) = SnapshotHeader::open(bytes)?;
        let from = &mut decoder;
        let mut core = Self::new(config, strategy)?;
        let state = &mut core.state;
        state.sequence = header.sequence;
        state.now_ns = header.now_ns;
        check_config(state, from)?;
        load_ledger(state, from)?;
        state.orders.load(from)?;
        state.portfolio.load(from)?;
        state.rate.load(from)?;
        state.messages.load(from)?;
        state.day.load(from)?;
        state.returns.load(from)?;
        for market in &mut state.markets {
            market.load(from)?;
        }
        from.section(MODELS)?;
        state.models.load(from)?;
        from.section(FUNDING)?;
        state.announced.load(from)?;
        from.section(STRATEGY)?;
        check_strategy(S::NAME, from)?;
        core.strategy.load(from)?;
        from.section(END)?;
        from.finish()?;
        let found = core.state_hash();
        if found != header.state_hash {
            return Err(SnapshotError::StateHash {
                expected: header.state_hash,
                found,
            });
        }
        Ok(core)
    }
}

/// What the state means nothing without: who the hub is, what it began with, and what its numbers are numbers of.
fn save_config(state: &State, out: &mut Encoder) {
    out.section(CONFIG);
    out.u16(state.hub_id);
    out.i128(state.portfolio.cash_at_start().0);
    out.bytes(state.groups.currencies()[0].as_bytes());
    out.f64(state.returns.share());
    out.length(state.instruments.count());
    for instrument in state.instruments.rows() {
        out.u64(identity(instrument));
    }
}

/// Refuses a snapshot of another configuration, and says where the two differ.
fn check_config(state: &State, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
    from.section(CONFIG)?;
    let found = from.u16()?;
    if found != state.hub_id {
        return Err(differs("hub_id", found, state.hub_id));
    }
    let (found, own) = (Money(from.i128()?), state.portfolio.cash_at_start());
    if found != own {
        return Err(differs("cash", found, own));
    }
    let own = state.groups.currencies()[0].as_str();
    let found = String::from_utf8_lossy(from.bytes(NAME_BYTES_MAX)?);
    if found != own {
        return Err(differs("the account's currency", found.as_ref(), own));
    }
    let (found, own) = (from.f64()?, state.returns.share());
    if found.to_bits() != own.to_bits() {
        let what = "the weight that follows from correlation_half_life_samples";
        return Err(differs(what, found, own));
    }
    let (found, own) = (from.length(INSTRUMENTS_MAX, 8)?, state.instruments.count());
    if found != own {
        return Err(differs("the number of instruments", found, own));
    }
    for (index, instrument) in state.instruments.rows().iter().enumerate() {
        if from.u64()? != identity(instrument) {
            return Err(SnapshotError::Config(format!(
                "instrument {index} is `{}` in the configuration, and another one, or one with other exponents or \
                 steps, in the snapshot",
                instrument.name()
            )));
        }
    }
    Ok(())
}

fn differs<T: core::fmt::Display>(what: &str, found: T, own: T) -> SnapshotError {
    SnapshotError::Config(format!(
        "{what} is {found} in the snapshot, {own} in the configuration"
    ))
}

/// A hash of all that makes an instrument another one. Fees and the smallest order may change between two runs.
fn identity(instrument: &Instrument) -> u64 {
    let mut hash = StateHasher::new();
    let texts = [
        &instrument.venue,
        &instrument.symbol,
        &instrument.base,
        &instrument.quote,
    ];
    for text in texts {
        hash.bytes(text.as_bytes());
    }
    hash.word(instrument.asset_class as u64);
    hash.word(instrument.contract as u64);
    hash.word(u64::from(instrument.price_exponent));
    hash.word(u64::from(instrument.quantity_exponent));
    hash.signed(instrument.tick);
    hash.signed(instrument.lot);
    hash.finish()
}

fn check_strategy(expected: &'static str, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
    let found = from.bytes(NAME_BYTES_MAX)?;
    if found == expected.as_bytes() {
        return Ok(());
    }
    Err(SnapshotError::Strategy {
        expected,
        found: String::from_utf8_lossy(found).into_owned(),
    })
}

/// The hub's own words: whether it may trade and why not, and its counters. Time and sequence stand in the header.
fn save_ledger(state: &State, out: &mut Encoder) {
    out.section(LEDGER);
    out.u8(state.trading_state as u8);
    out.u16(state.trading_state_reason as u16);
    out.bool(state.is_cancelling_all);
    let stats = &state.stats;
    for count in [
        stats.events,
        stats.orders,
        stats.fills,
        stats.denials,
        stats.strange_reports,
        stats.messages,
        stats.rows,
    ] {
        out.u64(count);
    }
    out.length(Denial::ALL.len());
    for denial in Denial::ALL {
        out.u64(state.denials_by_code[denial as usize]);
    }
}

fn load_ledger(state: &mut State, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
    from.section(LEDGER)?;
    state.trading_state = from.code(TradingState::from_code, "a trading state")?;
    let reason = StateReason::from_code(from.u16()?);
    state.trading_state_reason = reason.ok_or_else(|| from.invalid("a reason of a state"))?;
    state.is_cancelling_all = from.bool()?;
    state.stats = CoreStats {
        events: from.count()?,
        orders: from.count()?,
        fills: from.count()?,
        denials: from.count()?,
        strange_reports: from.count()?,
        messages: from.count()?,
        rows: from.count()?,
    };
    let count = from.length(Denial::ALL.len(), 8)?;
    from.expect(count == Denial::ALL.len(), "a counter for every denial")?;
    for denial in Denial::ALL {
        state.denials_by_code[denial as usize] = from.count()?;
    }
    Ok(())
}
