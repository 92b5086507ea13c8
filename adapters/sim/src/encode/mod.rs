//! Writers of Binance's text forms, spot and USD-M futures.
//!
//! They write what the venue writes, field for field and in its order, from integers, straight into a string. They
//! share no code with the parsers that read the same forms: an error in one cannot hide an error in the other.

mod account;
mod exchange_info;
mod number;
mod stream;

use acth_core::instrument::{Contract, Instrument};

pub use account::{position_risk, spot_account};
pub use exchange_info::exchange_info;
pub use stream::{combined, depth_snapshot, message};

/// Which of the two forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Market {
    /// Spot: 8 decimals everywhere, few times.
    Spot,
    /// USD-M futures: the instrument's decimals, times in all messages.
    UsdFutures,
}

/// Decimals of every number on spot.
const SPOT_PLACES: u8 = 8;

impl Market {
    /// The market where an instrument is listed.
    pub fn of(instrument: &Instrument) -> Self {
        if instrument.contract == Contract::Spot {
            Self::Spot
        } else {
            Self::UsdFutures
        }
    }

    fn push_price(self, out: &mut String, instrument: &Instrument, price: i64) {
        number::push_quoted(out, price, instrument.price_exponent, self.places_min());
    }

    fn push_quantity(self, out: &mut String, instrument: &Instrument, quantity: i64) {
        number::push_quoted(
            out,
            quantity,
            instrument.quantity_exponent,
            self.places_min(),
        );
    }

    const fn places_min(self) -> u8 {
        match self {
            Self::Spot => SPOT_PLACES,
            Self::UsdFutures => 0,
        }
    }
}
