//! What the account and its agents were worth when the UTC day began: the measure of a day's loss.

use crate::{
    money::Money,
    orders::{AGENTS_MAX, agent_index},
    portfolio::Portfolio,
    snapshot::{Decoder, Sink, SnapshotError},
};

/// Length of a day. UTC as the Unix clock counts it: every day has as many seconds.
pub const NS_PER_DAY: i64 = 86_400_000_000_000;

/// The start of the present day.
#[derive(Clone, Debug)]
pub(crate) struct DayStart {
    /// When the next day begins.
    ts_next_ns: i64,
    equity: Money,
    /// What each agent had earned since the start of the run.
    profits: [Money; AGENTS_MAX],
}

impl DayStart {
    /// Before the first input, which begins a day whatever its time.
    pub(crate) const fn new(equity: Money) -> Self {
        Self {
            ts_next_ns: i64::MIN,
            equity,
            profits: [Money::ZERO; AGENTS_MAX],
        }
    }

    /// Begins a new day if one has begun by `now_ns`.
    #[inline]
    pub(crate) fn roll(&mut self, now_ns: i64, portfolio: &Portfolio) {
        if now_ns >= self.ts_next_ns {
            self.begin(now_ns, portfolio);
        }
    }

    #[cold]
    fn begin(&mut self, now_ns: i64, portfolio: &Portfolio) {
        let day = now_ns.div_euclid(NS_PER_DAY);
        self.ts_next_ns = day.saturating_add(1).saturating_mul(NS_PER_DAY);
        self.equity = portfolio.equity();
        for agent in 1..=AGENTS_MAX as u16 {
            self.profits[agent_index(agent)] = portfolio.agent_profit(agent);
        }
    }

    /// Equity when the day began.
    pub(crate) const fn equity(&self) -> Money {
        self.equity
    }

    /// What an agent has lost since; negative = earned.
    pub(crate) fn agent_loss(&self, agent: u16, portfolio: &Portfolio) -> Money {
        let before = self.profits[agent_index(agent)].0;
        Money(before.saturating_sub(portfolio.agent_profit(agent).0))
    }

    /// Whether the account has lost more than `ppm` of what it had.
    pub(crate) fn is_lost(&self, equity: Money, ppm: u32) -> bool {
        let kept_ppm = 1_000_000 - i128::from(ppm);
        // Split, so that no amount whatever overflows.
        let (millions, rest) = (self.equity.0 / 1_000_000, self.equity.0 % 1_000_000);
        equity.0 < millions * kept_ppm + rest * kept_ppm / 1_000_000
    }

    /// Writes every field.
    pub(crate) fn write(&self, out: &mut impl Sink) {
        out.i64(self.ts_next_ns);
        out.i128(self.equity.0);
        for profit in &self.profits {
            out.i128(profit.0);
        }
    }

    /// Reads what `write` wrote.
    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.ts_next_ns = from.i64()?;
        self.equity = Money(from.i128()?);
        for profit in &mut self.profits {
            *profit = Money(from.i128()?);
        }
        Ok(())
    }
}
