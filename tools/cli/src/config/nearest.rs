//! The known word nearest to an unknown one, for messages that help.

/// Number of single-character edits between two words (Levenshtein 1965), by one row of the usual table.
fn edit_distance(first: &str, second: &str) -> usize {
    let second: Vec<char> = second.chars().collect();
    let mut row: Vec<usize> = (0..=second.len()).collect();
    for (above, letter) in first.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (index, other) in second.iter().enumerate() {
            let substituted = diagonal + usize::from(letter != *other);
            diagonal = row[index + 1];
            row[index + 1] = substituted.min(diagonal + 1).min(row[index] + 1);
        }
    }
    row[second.len()]
}

/// The word of `known` that is nearest to `word`, unless none is near at all.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known
        .into_iter()
        .map(|candidate| (edit_distance(word, candidate), candidate));
    let (distance, candidate) = scored.min()?;
    (distance <= word.len().max(candidate.len()) / 2).then_some(candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_misspelt_word_and_nothing_for_a_strange_one() {
        assert_eq!(
            nearest("max_positon_size", ["cash", "max_position_size"]),
            Some("max_position_size")
        );
        assert_eq!(nearest("zzz", ["cash", "max_position_size"]), None);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
    }
}
