//! Which models are brought into use at the start of a run.

use std::path::Path;

use acth_core::predict::{MODEL_SLOTS, Model};
use acth_learn::files;
use serde::{Deserialize, Serialize};

use crate::exit::Failure;

/// The weights' file of each slot (`NAME.safetensors`, its manifest beside it as `NAME.json`); empty = none.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Models {
    /// Of slot 0.
    pub slot0: String,
    /// Of slot 1.
    pub slot1: String,
    /// Of slot 2.
    pub slot2: String,
    /// Of slot 3.
    pub slot3: String,
    /// Of slot 4.
    pub slot4: String,
    /// Of slot 5.
    pub slot5: String,
    /// Of slot 6.
    pub slot6: String,
    /// Of slot 7.
    pub slot7: String,
}

impl Models {
    const fn paths(&self) -> [&String; MODEL_SLOTS] {
        [
            &self.slot0,
            &self.slot1,
            &self.slot2,
            &self.slot3,
            &self.slot4,
            &self.slot5,
            &self.slot6,
            &self.slot7,
        ]
    }

    /// The models that are named, with their slots.
    ///
    /// # Errors
    /// One sentence that names the key, the file and what is wrong with it.
    pub fn load(&self) -> Result<Vec<(u32, Model)>, Failure> {
        let named = (0..).zip(self.paths()).filter(|(_, path)| !path.is_empty());
        let loaded = named.map(|(slot, path)| {
            let model = files::load(Path::new(path))
                .map_err(|cause| Failure::could_not(format!("models.slot{slot}: {cause}")))?;
            Ok((slot, model))
        });
        loaded.collect()
    }
}
