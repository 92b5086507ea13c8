//! The network's findings for a person.

use alloc::{string::String, vec::Vec};

use super::AgentNetwork;
use crate::{
    agents::HOUSE,
    findings::{AgentAccount, Findings, FoundEdge, FoundLead, FoundPair, FoundRegime, Sharing},
    instrument::InstrumentId,
    money::Money,
    strategy::Overview,
};

const MILLISECOND_NS: f64 = 1e6;

impl AgentNetwork {
    pub(super) fn describe(&self, hub: &Overview<'_>) -> Findings {
        let name = |index: usize| hub.instruments().rows()[index].name();
        let structure = &self.structure;
        let mut edges: Vec<FoundEdge> = structure
            .edges()
            .map(|edge| FoundEdge {
                first: name(edge.first),
                second: name(edge.second),
                correlation: edge.correlation,
                lag_ms: edge.lag_ns as f64 / MILLISECOND_NS,
            })
            .collect();
        edges.sort_by(|one, other| {
            libm::fabs(other.correlation).total_cmp(&libm::fabs(one.correlation))
        });
        let mut leads: Vec<FoundLead> = (0..hub.instruments().count())
            .filter_map(|follower| {
                let lead = structure.leader_of(follower)?;
                Some(FoundLead {
                    leader: name(lead.leader),
                    follower: name(follower),
                    lag_ms: lead.lag_ns as f64 / MILLISECOND_NS,
                    correlation: lead.correlation,
                    beta: lead.beta,
                })
            })
            .collect();
        leads.sort_by(|one, other| {
            libm::fabs(other.correlation).total_cmp(&libm::fabs(one.correlation))
        });
        let pairs = structure.pairs().iter().map(|pair| FoundPair {
            first: name(pair.first),
            second: name(pair.second),
            slope: pair.slope,
            z: pair.z,
            statistic: pair.statistic,
        });
        let regime = structure.regime();
        Findings {
            edges,
            leads,
            pairs: pairs.collect(),
            regime: Some(FoundRegime {
                state: regime.state,
                probabilities: regime.probabilities.to_vec(),
                changes: structure.change_count(),
            }),
            agents: self.accounts(hub),
            sharing: Some(Sharing {
                cash_share: self.allocator.cash_share(),
                regret: self.allocator.regret(),
                bound: self.allocator.bound(),
                periods: self.allocator.hedge().updates(),
                violations: self.allocator.violations(),
            }),
            notes: self.notes(hub),
        }
    }

    fn notes(&self, hub: &Overview<'_>) -> Vec<String> {
        let strange = hub
            .models()
            .iter()
            .filter(|(slot, _)| !self.questions.fits(*slot));
        strange
            .map(|(slot, _)| {
                alloc::format!(
                    "the model in slot {slot} is not asked: it was not made for this hub's observations (acth model show FILE)"
                )
            })
            .collect()
    }

    fn accounts(&self, hub: &Overview<'_>) -> Vec<AgentAccount> {
        let mark = |id: InstrumentId| hub.position(id).mark_price;
        let convert = |id: InstrumentId, amount: Money| hub.in_account(id, amount);
        let account = |row: usize| {
            let account = self.ledger.total(row, convert);
            let agent = row.checked_sub(1);
            AgentAccount {
                name: match agent {
                    None => String::from("house"),
                    Some(agent) => String::from(self.agents[agent].name()),
                },
                share: agent.map_or(0.0, |agent| self.share(agent)),
                profit: self.ledger.profit(row, hub.instruments(), mark, convert),
                fees: account.fees,
                funding: account.funding,
                volume: account.volume,
                crossed: account.crossed,
                fills: account.fills,
                shadow_return: agent.map_or(0.0, |agent| self.earned_total(agent)),
            }
        };
        (HOUSE..self.ledger.rows()).map(account).collect()
    }
}
