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
    let masked = payload.iter().zip(mask.iter().cycle());
    target.extend(masked.map(|(byte, key)| byte ^ key));
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
