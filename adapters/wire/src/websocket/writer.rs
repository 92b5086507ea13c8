//! The writing half: masked frames of a client, each message in one frame.

use super::frame::Opcode;

/// Longest payload of a control frame.
pub const CONTROL_BYTES_MAX: usize = 125;

/// Appends one frame to `target`, masked with `mask`. The key is the caller's: this crate draws no random numbers. The
/// payload of a control frame is cut at `CONTROL_BYTES_MAX`.
pub fn write_frame(opcode: Opcode, payload: &[u8], mask: [u8; 4], target: &mut Vec<u8>) {
    let payload = if opcode.is_control() {
        &payload[..payload.len().min(CONTROL_BYTES_MAX)]
    } else {
        payload
    };
    const FINAL: u8 = 0x80;
    const MASKED: u8 = 0x80;
    target.push(FINAL | opcode as u8);
    match payload.len() {
        length @ 0..=125 => target.push(MASKED | length as u8),
        length @ 126..=0xffff => {
            target.push(MASKED | 126);
            target.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            target.push(MASKED | 127);
            target.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    target.extend_from_slice(&mask);
    let first = target.len();
    target.extend_from_slice(payload);
    apply_mask(mask, &mut target[first..]);
}

/// Masks in place, eight bytes at a time: an order's text would take longer byte by byte than all else about it.
fn apply_mask(mask: [u8; 4], payload: &mut [u8]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    let keys = mask.iter().cycle();
    rest.iter_mut()
        .zip(keys)
        .for_each(|(byte, key)| *byte ^= key);
}

/// Appends a close frame with a code and a short reason, which is cut at a character if it is too long.
pub fn write_close(code: u16, reason: &str, mask: [u8; 4], target: &mut Vec<u8>) {
    let mut length = reason.len().min(CONTROL_BYTES_MAX - 2);
    while !reason.is_char_boundary(length) {
        length -= 1;
    }
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(&reason.as_bytes()[..length]);
    write_frame(Opcode::Close, &payload, mask, target);
}
