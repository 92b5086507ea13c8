//! The forms in which the kernel writes lists, limits and its command line.

/// A list of numbers such as `0,2-5,8`; `None` when the text is none. An empty text is an empty list.
pub(crate) fn cpu_list(text: &str) -> Option<Vec<usize>> {
    let text = text.trim();
    let mut list = Vec::new();
    if text.is_empty() || text == "(null)" {
        return Some(list);
    }
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        if first > last || last > CPU_NUMBER_MAX {
            return None;
        }
        list.extend(first..=last);
    }
    Some(list)
}

/// Largest number of a core that is believed.
const CPU_NUMBER_MAX: usize = 65_535;

/// The same list as the kernel would write it.
pub(crate) fn list_text(list: &[usize]) -> String {
    let mut sorted = list.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for number in sorted {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => parts.push((number, number)),
        }
    }
    let parts: Vec<String> = parts
        .into_iter()
        .map(|(first, last)| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        })
        .collect();
    parts.join(",")
}

/// The value of `name=` on the kernel's command line; the last one counts, as in the kernel.
pub(crate) fn argument<'a>(command_line: &'a str, name: &str) -> Option<&'a str> {
    let words = command_line.split_whitespace();
    words
        .filter_map(|word| word.strip_prefix(name)?.strip_prefix('='))
        .next_back()
}

/// The word in brackets of `always [madvise] never`.
pub(crate) fn bracketed(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once('[')?;
    rest.split_once(']').map(|(word, _)| word)
}

/// The soft limit of a row of `/proc/self/limits`; `u64::MAX` = unlimited.
pub(crate) fn soft_limit(limits: &str, name: &str) -> Option<u64> {
    let row = limits.lines().find_map(|line| line.strip_prefix(name))?;
    match row.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

/// The value of a row `name: value` as in `/proc/self/status` and `/proc/meminfo`.
pub(crate) fn row<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let row = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(row.trim())
}

/// Bytes for people.
pub(crate) fn bytes_text(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    for (shift, unit) in UNITS {
        if bytes >> shift > 0 {
            let tenths = (bytes >> (shift - 10)).saturating_mul(10) >> 10;
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_written_as_the_kernel_does() {
        assert_eq!(cpu_list("0,2-4,8\n"), Some(vec![0, 2, 3, 4, 8]));
        assert_eq!(cpu_list(""), Some(Vec::new()));
        for wrong in ["4-2", "a", "1,,2", "0-99999999"] {
            assert_eq!(cpu_list(wrong), None, "{wrong}");
        }
        assert_eq!(list_text(&[8, 2, 3, 4, 0, 3]), "0,2-4,8");
        assert_eq!(list_text(&[]), "");
    }

    #[test]
    fn arguments_brackets_limits_and_rows_are_found() {
        let line = "quiet isolcpus=1 nohz_full=2-3 isolcpus=managed_irq,2-3";
        assert_eq!(argument(line, "isolcpus"), Some("managed_irq,2-3"));
        assert_eq!(argument(line, "iso"), None);
        assert_eq!(bracketed("always [madvise] never"), Some("madvise"));
        let limits = "Max open files            20000      20000     files\nMax locked memory  unlimited unlimited bytes";
        assert_eq!(soft_limit(limits, "Max open files"), Some(20_000));
        assert_eq!(soft_limit(limits, "Max locked memory"), Some(u64::MAX));
        assert_eq!(row("Name:\tx\nCapEff:\t00ff", "CapEff"), Some("00ff"));
    }

    #[test]
    fn bytes_are_told_with_one_digit() {
        assert_eq!(bytes_text(512), "512 bytes");
        assert_eq!(bytes_text(8 << 20), "8.0 MiB");
        assert_eq!(bytes_text(3 << 29), "1.5 GiB");
    }
}
