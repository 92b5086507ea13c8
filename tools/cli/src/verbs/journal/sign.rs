//! `acth journal keygen` and `sign`: a person's word that the journal up to a place was this and nothing else.

use std::{
    fs::OpenOptions,
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{failure, hex_text, with_progress};
use crate::{
    args::{KeygenArgs, SignArgs},
    exit::Failure,
    output::{print, print_json},
};

/// Bytes of a key, private or public.
const KEY_BYTES: usize = 32;

/// Makes a key pair.
pub(super) fn keygen(args: &KeygenArgs) -> Result<(), Failure> {
    let random = Path::new("/dev/urandom");
    let mut key = [0; KEY_BYTES];
    std::fs::File::open(random)
        .and_then(|mut file| file.read_exact(&mut key))
        .map_err(|cause| Failure::could_not(format!("{}: {cause}", random.display())))?;
    let public_path = public_path(&args.key);
    write_new(&args.key, &key, 0o600)?;
    write_new(&public_path, &acth_journal::public_key(&key), 0o644)?;
    print(&format!(
        "  private key    {} (signs; keep it to yourself)\n  public key     {} (checks; give it away)",
        args.key.display(),
        public_path.display()
    ))
}

fn public_path(key: &Path) -> PathBuf {
    let mut name = key.as_os_str().to_owned();
    name.push(".pub");
    PathBuf::from(name)
}

fn write_new(path: &Path, key: &[u8; KEY_BYTES], mode: u32) -> Result<(), Failure> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| writeln!(file, "{}", hex_text(key)))
        .map_err(|cause| Failure::could_not(format!("{}: {cause}", path.display())))
}

/// Reads a key. The text of a private key is in no error.
pub(super) fn read_key(path: &Path) -> Result<[u8; KEY_BYTES], Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|cause| Failure::could_not(format!("{}: {cause}", path.display())))?;
    parse_key(text.trim()).ok_or_else(|| {
        Failure::could_not(format!(
            "{}: expected 64 hexadecimal digits, as `acth journal keygen` writes them",
            path.display()
        ))
    })
}

fn parse_key(text: &str) -> Option<[u8; KEY_BYTES]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != KEY_BYTES || !rest.is_empty() {
        return None;
    }
    let mut key = [0; KEY_BYTES];
    for (byte, pair) in key.iter_mut().zip(pairs) {
        let digit = |text: u8| char::from(text).to_digit(16);
        *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
    }
    Some(key)
}

/// Verifies and signs.
pub(super) fn sign(args: &SignArgs) -> Result<(), Failure> {
    let journal = &args.common.journal;
    let key = read_key(&args.key)?;
    let signed = with_progress(args.common.json, "bytes verified", |tell| {
        acth_journal::sign(journal, &key, tell)
    });
    let (found, signed) = signed.map_err(|error| failure(journal, &error))?;
    let (hash, public) = (hex_text(&signed.head.hash), hex_text(&signed.public_key));
    if args.common.json {
        return print_json(&json!({
            "sequence": signed.head.sequence, "frames": found.frames, "hash": hash,
            "public_key": public, "file": signed.path.display().to_string(),
        }));
    }
    print(&format!(
        "  signed         {} frames up to sequence {}\n  head hash      {hash}\n  public key     {public}\n  signed head    {}",
        found.frames,
        signed.head.sequence,
        signed.path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_64_hexadecimal_digits() {
        let key: [u8; KEY_BYTES] = std::array::from_fn(|index| index as u8 * 7);
        assert_eq!(parse_key(&hex_text(&key)), Some(key));
        for text in ["", "00", &"g".repeat(64), &"0".repeat(65), &"0".repeat(63)] {
            assert_eq!(parse_key(text), None, "{text}");
        }
    }
}
