//! The recovery rules as data. `FORMAT.md` shows the same table; a test compares the two and another builds each state.

use std::fmt;

/// One row of the recovery table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleRow {
    /// Stable name: R1, R2, ... never reused.
    pub id: &'static str,
    /// What is found.
    pub found: &'static str,
    /// What it means.
    pub verdict: &'static str,
    /// What opening for writing does about it. A reader only reports.
    pub action: &'static str,
}

macro_rules! rules {
    ($($name:ident: $found:literal, $verdict:literal, $action:literal;)+) => {
        /// A recovery rule; the sentence is in [`RULES`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Rule {
            $(#[doc = concat!($found, ": ", $verdict)] $name,)+
        }

        /// The recovery table.
        pub const RULES: &[RuleRow] = &[$(RuleRow {
            id: stringify!($name),
            found: $found,
            verdict: $verdict,
            action: $action,
        },)+];
    };
}

rules! {
    R1: "last frame is a SEAL, zeros or nothing behind it", "sealed", "cut the file to its last frame, new run";
    R2: "last frame is a ROLL, the next segment is unused or absent", "open", "new run";
    R3: "no word behind the last frame, only zeros to the end of the last segment", "open", "shrink the file, new run";
    R4: "no word behind the last frame, but bytes of at most one frame", "torn: the writer died inside an append", "keep the bytes in quarantine, cut, new run";
    R5: "a frame of possible length crosses the end of a file that was cut short, no valid frame behind", "torn: the file lost its end", "keep the bytes in quarantine, cut, new run";
    R6: "anything worse, the machine died since, and the place lies behind the durable watermark", "torn: pages were lost", "keep the bytes and all later segments in quarantine, cut, new run";
    R7: "anything worse, at or before the durable watermark", "damaged", "refuse";
    R8: "anything worse, and the machine has not died since", "damaged", "refuse";
    R9: "segment behind the last one whose header is all zero or was being written", "unused", "remove";
    R10: "segment without end frame, only zeros behind, and the next segment continues it in a later run", "an earlier run that died, recovered since", "none";
    R11: "segment that does not continue the one before it in chain, sequence or run", "damaged, unless R6 explains it", "refuse";
    R12: "segment between two others is absent", "damaged", "refuse";
    R13: "bytes behind a SEAL or ROLL", "damaged", "refuse";
    R14: "frame whose checksum holds but whose sequence or fields are wrong", "damaged", "refuse";
    R15: "header whose checksum holds with an unknown format version", "unsupported version", "refuse";
    R16: "FAILED is there: a sync failed in an earlier run", "in doubt", "refuse until a person accepts it";
    R17: "the first segment is neither the very first nor the one that BASE names", "damaged", "refuse";
}

impl Rule {
    /// The row of the table.
    pub fn row(self) -> &'static RuleRow {
        &RULES[self as usize]
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = self.row();
        write!(formatter, "{}: {}: {}", row.id, row.found, row.verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_their_names() {
        for (index, row) in RULES.iter().enumerate() {
            assert_eq!(row.id, format!("R{}", index + 1));
        }
        assert_eq!(Rule::R17.row().id, "R17");
    }

    #[test]
    fn format_md_shows_the_same_table() {
        let text = include_str!("../FORMAT.md");
        for row in RULES {
            let line = format!(
                "| {} | {} | {} | {} |",
                row.id, row.found, row.verdict, row.action
            );
            assert!(text.contains(&line), "FORMAT.md lacks: {line}");
        }
    }
}
