//! The kinds of agents, a file each. To add one: its file, a line here, a line of `register!`.

mod cointegration;
mod cross_section;
mod lead_lag;
mod learned;
mod market_maker;
mod online;

pub use self::{
    cointegration::{CointegrationConfig, CointegrationSpread},
    cross_section::{CrossSection, CrossSectionConfig},
    lead_lag::{LeadLagConfig, LeadLagTaker},
    learned::{LearnedConfig, LearnedPolicy},
    market_maker::{MarketMaker, MarketMakerConfig},
    online::{OnlineConfig, OnlineLinear},
};
