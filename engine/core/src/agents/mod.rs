//! The agents: a network of small traders that share one account.
//!
//! ```text
//!   Seen ── observe ── signal ──▶ Signals (the bus) ──▶ all agents
//!                 └── act ──▶ Wish of each instrument ──▶ allocator's share ──▶ netting ──▶ execution ──▶ risk gate
//! ```
//!
//! An agent looks (`observe`), tells the others what it expects (`signal`) and says what it wants (`act`). It wants
//! shares of its own capital, not orders: how much capital it has is the allocator's business, how to get there that of
//! execution, and whether an order may leave that of the risk gate, which no agent can reach. Each agent has its own book
//! of positions and profit (`Ledger`).
//!
//! A new kind is one file under `kinds` and one line of `register!` below.

mod bus;
mod hurdle;
pub mod impact;
pub mod intensity;
mod kinds;
mod ledger;
mod predictions;
pub mod quotes;
mod seen;
mod share_out;
mod trust;
mod wish;

use alloc::{boxed::Box, vec::Vec};

use serde::{Deserialize, Serialize};

pub use self::{
    bus::{AGENTS_MAX, Signals},
    hurdle::Hurdle,
    kinds::{
        CointegrationConfig, CointegrationSpread, CrossSection, CrossSectionConfig, LeadLagConfig,
        LeadLagTaker, LearnedConfig, LearnedPolicy, MarketMaker, MarketMakerConfig, OnlineConfig,
        OnlineLinear,
    },
    ledger::{Account, HOUSE, Ledger},
    predictions::{OUTPUTS_MAX, Prediction, Predictions, SLOTS},
    seen::{Cause, Seen},
    share_out::share_out,
    trust::Trust,
    wish::{Quotes, Wish},
};
use crate::{
    event::Side,
    instrument::Instruments,
    snapshot::{Decoder, Sink, SnapshotError},
};

/// A parameter of an agent makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("agent {agent}: {field} must be {expected}")]
pub struct AgentError {
    /// Name of the agent's kind.
    pub agent: &'static str,
    /// Which parameter.
    pub field: &'static str,
    /// What it must be.
    pub expected: &'static str,
}

/// An action that a policy drew from probabilities; journaled, so that it can be learned from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// The instrument.
    pub index: usize,
    /// What was drawn.
    pub action: u8,
    /// Probability of every action, in parts of 65,535; those that do not exist are 0.
    pub probabilities: [u16; OUTPUTS_MAX],
    /// Hash of what the model saw.
    pub observation_hash: u64,
    /// Hash of the model.
    pub model_hash: u64,
    /// How many numbers were drawn before.
    pub draw: u64,
}

/// One kind of agent.
pub trait Agent: Sized {
    /// Its parameters.
    type Config: Clone + Default;
    /// Its name in configuration, reports and journals.
    const NAME: &'static str;

    /// An agent before its first look. All memory it needs is allocated here.
    ///
    /// # Errors
    /// The first parameter that makes no sense.
    fn new(config: &Self::Config, instruments: &Instruments) -> Result<Self, AgentError>;

    /// Takes in what changed.
    fn observe(&mut self, seen: &Seen<'_>, cause: Cause);

    /// What it expects of an instrument: a log return over its own horizon, 0 = no opinion.
    fn signal(&self, seen: &Seen<'_>, index: usize) -> f64;

    /// What it wants of an instrument that has a live quote.
    fn act(&mut self, seen: &Seen<'_>, index: usize) -> Wish;

    /// An order of its own, or one in which it has a part, was filled at this price, mantissa; its position is still that of
    /// before.
    fn filled(&mut self, _seen: &Seen<'_>, _index: usize, _side: Side, _price: i64) {}

    /// The instruments that it wants to be asked about again because this one moved.
    fn followers(&self, _seen: &Seen<'_>, _index: usize) -> u128 {
        0
    }

    /// The action that its last `act` drew, once.
    fn take_choice(&mut self) -> Option<Choice> {
        None
    }

    /// Writes every field that can change a later decision.
    fn write(&self, out: &mut impl Sink);

    /// Reads what `write` wrote into an agent just made.
    ///
    /// # Errors
    /// The bytes end, or hold what `write` cannot have written.
    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError>;
}

/// Makes the closed set of kinds: an enum that calls each by its type, so nothing is looked up while running, and a
/// table of parameters with one section a kind.
macro_rules! register {
    ($($field:ident: $kind:ident,)*) => {
        /// An agent of any kind.
        #[derive(Debug)]
        pub enum AnyAgent {
            $(#[doc = concat!("`", stringify!($kind), "`.")] $kind(Box<$kind>),)*
        }

        /// Parameters of all kinds, one section each.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct KindsConfig {
            $(#[doc = concat!("Of `", stringify!($kind), "`.")] pub $field: <$kind as Agent>::Config,)*
        }

        /// Names of all kinds, in the order in which they speak.
        pub const KIND_NAMES: &[&str] = &[$(<$kind as Agent>::NAME,)*];

        impl AnyAgent {
            /// An agent of the kind with this name; None when there is none.
            ///
            /// # Errors
            /// The first parameter that makes no sense.
            pub fn new(
                name: &str,
                config: &KindsConfig,
                instruments: &Instruments,
            ) -> Result<Option<Self>, AgentError> {
                $(if name == <$kind as Agent>::NAME {
                    let agent = $kind::new(&config.$field, instruments)?;
                    return Ok(Some(Self::$kind(Box::new(agent))));
                })*
                Ok(None)
            }

            /// Its name.
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$kind(_) => <$kind as Agent>::NAME,)* }
            }

            /// See `Agent::observe`.
            #[inline]
            pub fn observe(&mut self, seen: &Seen<'_>, cause: Cause) {
                match self { $(Self::$kind(agent) => agent.observe(seen, cause),)* }
            }

            /// See `Agent::signal`.
            #[inline]
            pub fn signal(&self, seen: &Seen<'_>, index: usize) -> f64 {
                match self { $(Self::$kind(agent) => agent.signal(seen, index),)* }
            }

            /// See `Agent::act`.
            #[inline]
            pub fn act(&mut self, seen: &Seen<'_>, index: usize) -> Wish {
                match self { $(Self::$kind(agent) => agent.act(seen, index),)* }
            }

            /// See `Agent::filled`.
            #[inline]
            pub fn filled(&mut self, seen: &Seen<'_>, index: usize, side: Side, price: i64) {
                match self { $(Self::$kind(agent) => agent.filled(seen, index, side, price),)* }
            }

            /// See `Agent::followers`.
            #[inline]
            pub fn followers(&self, seen: &Seen<'_>, index: usize) -> u128 {
                match self { $(Self::$kind(agent) => agent.followers(seen, index),)* }
            }

            /// See `Agent::take_choice`.
            #[inline]
            pub fn take_choice(&mut self) -> Option<Choice> {
                match self { $(Self::$kind(agent) => agent.take_choice(),)* }
            }

            /// Writes its state.
            pub fn write(&self, out: &mut impl Sink) {
                match self { $(Self::$kind(agent) => agent.write(out),)* }
            }

            /// Reads its state.
            ///
            /// # Errors
            /// See `Agent::load`.
            pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
                match self { $(Self::$kind(agent) => agent.load(from),)* }
            }
        }
    };
}

register! {
    lead_lag: LeadLagTaker,
    cointegration: CointegrationSpread,
    market_maker: MarketMaker,
    cross_section: CrossSection,
    online: OnlineLinear,
    learned: LearnedPolicy,
}

const _: () = assert!(KIND_NAMES.len() <= AGENTS_MAX);

/// Agents of the kinds named, in that order; the second value is a name that no kind has.
///
/// # Errors
/// The first parameter that makes no sense.
pub fn agents_named<'a>(
    names: &'a [alloc::string::String],
    config: &KindsConfig,
    instruments: &Instruments,
) -> Result<Result<Vec<AnyAgent>, &'a str>, AgentError> {
    let mut agents = Vec::with_capacity(names.len());
    for name in names {
        match AnyAgent::new(name, config, instruments)? {
            Some(agent) => agents.push(agent),
            None => return Ok(Err(name)),
        }
    }
    Ok(Ok(agents))
}
