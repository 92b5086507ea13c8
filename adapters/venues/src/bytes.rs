//! Searching in bytes, for the paths that are not hot.

/// Where `wanted` first stands in `bytes`; `wanted` is not empty.
pub(crate) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

/// The bytes between the first `before` and the next `after`.
pub(crate) fn text_after<'a>(bytes: &'a [u8], before: &[u8], after: u8) -> Option<&'a [u8]> {
    let rest = &bytes[find(bytes, before)? + before.len()..];
    let count = rest.iter().position(|&byte| byte == after)?;
    Some(&rest[..count])
}
