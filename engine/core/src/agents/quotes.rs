//! Where a market maker who dislikes risk quotes (Avellaneda and Stoikov 2008).
//!
//! The mid moves without drift with variance `sigma2` a second; a quote at distance `d` from it is filled at the rate
//! `A exp(-k d)`; the maker values final wealth `w` at `-exp(-gamma w)`. Then, with `time_left` seconds to go:
//!
//! ```text
//!   reservation = mid - inventory * gamma * sigma2 * time_left          the mid as it is worth to who holds this much
//!   half spread = gamma * sigma2 * time_left / 2 + ln(1 + gamma / k) / gamma
//! ```
//!
//! and the quotes are the reservation minus and plus the half spread. A market without an end has no `time_left`. Two
//! forms serve there: `QuoteModel` uses a horizon that moves along (the risk of the next `horizon_s` seconds, always), and
//! `half_spreads_stationary` the limit of an end infinitely far away (Gueant, Lehalle and Fernandez-Tapia 2013), which
//! also wants `A`.
//!
//! Units are the caller's, and must fit: prices in any unit of price, inventory in any unit of quantity with the sign of
//! the position, `k` per unit of price, `sigma2` in squared units of price per second, `gamma` per unit of price and
//! quantity.

/// Why a model of quotes cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("quotes: {name} must be positive and finite, not {value}")]
pub struct QuoteModelError {
    /// Which parameter.
    pub name: &'static str,
    /// What was given.
    pub value: f64,
}

/// Two prices to quote.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuotePair {
    /// Where to buy.
    pub bid: f64,
    /// Where to sell.
    pub ask: f64,
}

/// What the mid is worth to who holds `inventory` for `time_left` seconds.
pub const fn reservation(mid: f64, inventory: f64, gamma: f64, sigma2: f64, time_left: f64) -> f64 {
    mid - inventory * gamma * sigma2 * time_left
}

/// Distance of both quotes from the reservation price. `gamma` and `k` must be positive.
pub fn half_spread(gamma: f64, k: f64, sigma2: f64, time_left: f64) -> f64 {
    gamma * sigma2 * time_left / 2.0 + half_spread_of_market(gamma, k)
}

/// The part of the half spread that is left when the mid stands still: `ln(1 + gamma / k) / gamma`, near `1 / k` for who
/// does not mind risk.
fn half_spread_of_market(gamma: f64, k: f64) -> f64 {
    libm::log1p(gamma / k) / gamma
}

/// Distances of bid and ask from the mid when there is no end (formula of Gueant, Lehalle and Fernandez-Tapia for the
/// asymptotic quotes). `arrival_rate` is `A`, fills a second at the mid itself; inventory counts quotes filled.
///
/// ```text
///   bid = ln(1 + gamma / k) / gamma + (2 inventory + 1) / 2 * c
///   ask = ln(1 + gamma / k) / gamma - (2 inventory - 1) / 2 * c
///   c   = sqrt(sigma2 gamma / (2 k A) * (1 + gamma / k)^(1 + k / gamma))
/// ```
pub fn half_spreads_stationary(
    inventory: f64,
    gamma: f64,
    k: f64,
    arrival_rate: f64,
    sigma2: f64,
) -> QuotePair {
    let growth = libm::exp((1.0 + k / gamma) * libm::log1p(gamma / k));
    let slope = libm::sqrt(sigma2 * gamma / (2.0 * k * arrival_rate) * growth);
    let base = half_spread_of_market(gamma, k);
    QuotePair {
        bid: base + (inventory + 0.5) * slope,
        ask: base - (inventory - 0.5) * slope,
    }
}

/// The quotes of a market without an end, by a horizon that moves along.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuoteModel {
    gamma: f64,
    k: f64,
    horizon_s: f64,
}

impl QuoteModel {
    /// A model with this aversion to risk, this decay of fills with distance, and this horizon in seconds.
    ///
    /// # Errors
    /// When one of them is not positive and finite.
    pub fn new(gamma: f64, k: f64, horizon_s: f64) -> Result<Self, QuoteModelError> {
        for (name, value) in [("gamma", gamma), ("k", k), ("horizon_s", horizon_s)] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(QuoteModelError { name, value });
            }
        }
        Ok(Self {
            gamma,
            k,
            horizon_s,
        })
    }

    /// Takes a newly measured decay of fills; one that is not positive and finite is refused and returns false.
    pub fn set_k(&mut self, k: f64) -> bool {
        let is_usable = k > 0.0 && k.is_finite();
        if is_usable {
            self.k = k;
        }
        is_usable
    }

    /// The decay of fills in use.
    pub const fn k(&self) -> f64 {
        self.k
    }

    /// What the mid is worth to who holds `inventory`.
    pub const fn reservation(&self, mid: f64, inventory: f64, sigma2: f64) -> f64 {
        reservation(mid, inventory, self.gamma, sigma2, self.horizon_s)
    }

    /// Distance of both quotes from the reservation price.
    pub fn half_spread(&self, sigma2: f64) -> f64 {
        half_spread(self.gamma, self.k, sigma2, self.horizon_s)
    }

    /// Both quotes; `None` when the mid is not positive, the variance is negative, or a result is not finite. With much
    /// inventory a quote may lie beyond the mid: the caller decides whether it may cross.
    pub fn quotes(&self, mid: f64, inventory: f64, sigma2: f64) -> Option<QuotePair> {
        if !(mid > 0.0 && sigma2 >= 0.0) {
            return None;
        }
        let reservation = self.reservation(mid, inventory, sigma2);
        let half_spread = self.half_spread(sigma2);
        let pair = QuotePair {
            bid: reservation - half_spread,
            ask: reservation + half_spread,
        };
        (pair.bid.is_finite() && pair.ask.is_finite()).then_some(pair)
    }
}
