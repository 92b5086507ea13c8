//! What is kept of a damaged journal before it is refused: a copy of the segment and a report, in the quarantine.

use crate::{directory::Directory, error::JournalError};

/// Copies the segment that an error names and writes down what was found. Done once for each place. Whatever fails here must
/// not hide the damage itself, so it is passed over.
pub(crate) fn keep(directory: &Directory, error: &JournalError) {
    let JournalError::Damaged {
        segment,
        offset,
        sequence,
        ..
    } = error
    else {
        return;
    };
    let folder = directory.quarantine_path();
    let stem = format!("{segment:010}-{offset}");
    let report = folder.join(format!("{stem}.report"));
    if directory.storage().exists(&report) || directory.make_inner(&folder).is_err() {
        return;
    }
    let copy = folder.join(format!("{stem}.damaged"));
    let copied = directory
        .read_segment(*segment, 0)
        .and_then(|bytes| directory.write_new(&copy, &bytes));
    let good = sequence.saturating_sub(1);
    let copy_note = match copied {
        Ok(()) => format!("copy of the segment: {}", copy.display()),
        Err(cause) => format!("no copy of the segment: {cause}"),
    };
    let text = format!(
        "{error}\nsegment {segment}\nbyte {offset}\nexpected sequence {sequence}\nlast good sequence {good}\n{copy_note}\n"
    );
    let _ = directory.write_new(&report, text.as_bytes());
    let _ = directory.sync();
}
