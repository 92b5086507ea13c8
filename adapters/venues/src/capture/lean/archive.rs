//! The text of one instrument out of a zip.
//!
//! A zip of futures holds one text for each contract. Unless one is named, the contract with most volume is taken: by
//! the trades of the file itself or, for quotes, of the file beside it whose name says `trade` instead of `quote`; where
//! there is none, the contract with most rows.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use acth_core::port::PortError;
use acth_wire::lean::{EntryName, Layout, PriceForm, RowBody, RowKind};
use zip::ZipArchive;

use crate::capture::LeanChoice;

/// Longest text, unpacked; a day of ticks of a liquid share has some 20 MB.
const TEXT_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// One text of a zip.
#[derive(Debug)]
pub(super) struct LeanText {
    pub(super) name: EntryName,
    /// File and text, for messages.
    pub(super) place: String,
    pub(super) bytes: Vec<u8>,
    /// How many contracts the zip holds.
    pub(super) contract_count: usize,
}

impl LeanText {
    /// Unpacks the text that `choice` asks for.
    ///
    /// # Errors
    /// When the file is no intact zip of the format, or has no such contract.
    pub(super) fn read(path: &Path, choice: &LeanChoice) -> Result<Self, PortError> {
        let place = path.display().to_string();
        let refuse = |cause: String| PortError::new(place.clone(), cause);
        let mut texts = read_all(path)?;
        let contract_count = texts.len();
        let index = match &choice.contract {
            Some(wanted) => {
                let digits: String = wanted.chars().filter(char::is_ascii_digit).collect();
                let is_it = |text: &Self| {
                    let contract = text.name.contract.as_deref();
                    contract.is_some_and(|month| digits.get(..6) == Some(month))
                };
                texts.iter().position(is_it).ok_or_else(|| {
                    let known: Vec<&str> = contracts(&texts).collect();
                    refuse(format!(
                        "has no contract `{wanted}`; expected one of {}",
                        known.join(", ")
                    ))
                })?
            }
            None => busiest(path, &texts),
        };
        if texts.is_empty() {
            return Err(refuse(String::from("is an empty zip; expected a text")));
        }
        let mut text = texts.swap_remove(index);
        text.contract_count = contract_count;
        Ok(text)
    }
}

fn contracts(texts: &[LeanText]) -> impl Iterator<Item = &str> {
    texts
        .iter()
        .filter_map(|text| text.name.contract.as_deref())
}

fn read_all(path: &Path) -> Result<Vec<LeanText>, PortError> {
    let place = path.display().to_string();
    let refuse = |cause: String| PortError::new(place.clone(), cause);
    let file = File::open(path).map_err(|error| refuse(format!("cannot be read: {error}")))?;
    let damaged = |error| refuse(format!("cannot be read ({error}); expected an intact zip"));
    let mut archive = ZipArchive::new(file).map_err(damaged)?;
    let mut texts = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(damaged)?;
        let file_name = entry.name().map_err(damaged)?.into_owned();
        let name = EntryName::parse(&file_name)
            .map_err(|error| refuse(format!("holds `{file_name}`: {error}")))?;
        let mut bytes = Vec::new();
        entry
            .take(TEXT_BYTES_MAX + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| damaged(error.into()))?;
        if bytes.len() as u64 > TEXT_BYTES_MAX {
            return Err(refuse(String::from("unpacks to more than 512 MiB")));
        }
        texts.push(LeanText {
            name,
            place: format!("{place}/{file_name}"),
            bytes,
            contract_count: 1,
        });
    }
    Ok(texts)
}

/// The text with most volume, the first of several.
fn busiest(path: &Path, texts: &[LeanText]) -> usize {
    if texts.len() < 2 {
        return 0;
    }
    let trades = trades_beside(path).unwrap_or_default();
    let weight = |text: &LeanText| {
        let same = |other: &&LeanText| other.name.contract == text.name.contract;
        match trades.iter().find(same) {
            Some(beside) => volume(beside),
            None if trades.is_empty() => volume(text),
            None => 0,
        }
    };
    let weights: Vec<i64> = texts.iter().map(weight).collect();
    let most = weights.iter().copied().max().unwrap_or_default();
    weights
        .iter()
        .position(|weight| *weight == most)
        .unwrap_or_default()
}

/// The trades that belong to a file of quotes.
fn trades_beside(path: &Path) -> Option<Vec<LeanText>> {
    let name = path.file_name()?.to_str()?;
    let beside: PathBuf = path.with_file_name(name.replace("quote", "trade"));
    (beside != path && beside.is_file())
        .then(|| read_all(&beside).ok())
        .flatten()
}

/// Traded volume; of quotes, the count of rows. Rows that cannot be read count nothing: the reader will tell of them.
fn volume(text: &LeanText) -> i64 {
    let lines = text.bytes.split(|&byte| byte == b'\n');
    if text.name.kind == RowKind::Quote {
        return i64::try_from(lines.count()).unwrap_or(i64::MAX);
    }
    let layout = Layout::of(text.name.resolution, text.name.kind, true);
    // Any exponent does: only sizes are of interest.
    let form = PriceForm::Decimal(9);
    lines
        .filter_map(|line| match layout.parse(line, form).ok()?.body {
            RowBody::Trade(trade) => Some(trade.size),
            RowBody::Quote { .. } | RowBody::Suspicious => None,
        })
        .fold(0, i64::saturating_add)
}
