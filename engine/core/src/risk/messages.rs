//! How many orders and cancels went out within the last second, by the hub and to each venue.

use alloc::vec::Vec;

use super::rate::OrderRate;
use crate::snapshot::{Decoder, Encoder, SnapshotError};

/// The times of the latest messages.
#[derive(Clone, Debug)]
pub(crate) struct Messages {
    hub: OrderRate,
    venues: Vec<OrderRate>,
}

impl Messages {
    pub(crate) fn new(venues: usize) -> Self {
        Self {
            hub: OrderRate::new(),
            venues: (0..venues).map(|_| OrderRate::new()).collect(),
        }
    }

    /// One order or cancel to a venue.
    pub(crate) fn record(&mut self, venue: usize, now_ns: i64) {
        self.hub.record(now_ns);
        if let Some(rate) = self.venues.get_mut(venue) {
            rate.record(now_ns);
        }
    }

    /// Those of the hub and those to one venue within the second before `now_ns`.
    pub(crate) fn count(&mut self, venue: usize, now_ns: i64) -> (u32, u32) {
        let of_venue = self.venues.get_mut(venue);
        let of_venue = of_venue.map_or(0, |rate| rate.count(now_ns));
        (self.hub.count(now_ns), of_venue)
    }

    pub(crate) fn save(&self, out: &mut Encoder) {
        self.hub.save(out);
        self.venues.iter().for_each(|rate| rate.save(out));
    }

    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.hub.load(from)?;
        self.venues.iter_mut().try_for_each(|rate| rate.load(from))
    }

    pub(crate) fn digest(&self, hasher: &mut crate::hash::StateHasher) {
        self.hub.digest(hasher);
        self.venues.iter().for_each(|rate| rate.digest(hasher));
    }
}
