//! The network's state as a sequence of values: for the hash of the state and for snapshots.

use super::AgentNetwork;
use crate::snapshot::{Decoder, Sink, SnapshotError};

impl AgentNetwork {
    pub(super) fn write_state(&self, out: &mut impl Sink) {
        out.u64(self.ticks);
        out.i64(self.ts_period_ns);
        out.u8(self.regime);
        out.f64(self.capital_total);
        for values in [
            &self.rates,
            &self.capitals,
            &self.quoted_before,
            &self.earned_total,
        ] {
            values.iter().for_each(|value| out.f64(*value));
        }
        self.features.write(out);
        self.structure.write(out);
        self.signals.write(out);
        self.predictions.write(out);
        self.questions.write(out);
        self.agents.iter().for_each(|agent| agent.write(out));
        self.allocator.write(out);
        self.shadows.write(out);
        self.ledger.write(out);
        self.netting.write(out);
        self.execution.write(out);
        self.quoting.write(out);
    }

    /// What decides the next order, and by turns one part of the rest.
    pub(super) fn write_part(&self, out: &mut impl Sink, turn: u64) {
        out.u64(self.ticks);
        out.u8(self.regime);
        self.capitals.iter().for_each(|capital| out.f64(*capital));
        self.ledger.write_positions(out);
        self.execution.write(out);
        let turns = 7 + self.agents.len() as u64;
        match turn % turns {
            0 => self.features.write(out),
            1 => self.structure.write_brief(out),
            2 => self.signals.write(out),
            3 => {
                self.predictions.write(out);
                self.questions.write(out);
            }
            4 => {
                self.allocator.write(out);
                self.shadows.write(out);
            }
            5 => {
                self.netting.write(out);
                self.quoting.write(out);
            }
            6 => {
                self.ledger.write(out);
                self.digest_funding(out);
            }
            agent => self.agents[agent as usize - 7].write(out),
        }
    }

    /// Funding is part of a hash once there was any, so journals without it keep their hashes.
    pub(super) fn digest_funding(&self, out: &mut impl Sink) {
        if self.ledger.is_funded() {
            self.ledger.write_funding(out);
        }
    }

    pub(super) fn load_state(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.ticks = from.count()?;
        self.ts_period_ns = from.time_ns()?;
        self.regime = from.u8()?;
        self.capital_total = from.finite()?;
        let values = self.rates.iter_mut().chain(&mut self.capitals);
        let values = values.chain(&mut self.quoted_before);
        for value in values.chain(&mut self.earned_total) {
            *value = from.finite()?;
        }
        self.features.load(from)?;
        self.structure.load(from)?;
        self.signals.load(from)?;
        self.predictions.load(from)?;
        self.questions.load(from)?;
        self.agents
            .iter_mut()
            .try_for_each(|agent| agent.load(from))?;
        self.allocator.load(from)?;
        self.shadows.load(from)?;
        self.ledger.load(from)?;
        self.netting.load(from)?;
        self.execution.load(from)?;
        self.quoting.load(from)
    }
}
