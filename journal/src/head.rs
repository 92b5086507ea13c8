//! Signed heads: a person's word that the journal up to a place was this and nothing else.
//!
//! The signature (Ed25519) is over the place and the hash of every byte before it, so whoever has the public key and a copy of a
//! signed head can tell later whether anything before that place was rewritten.

use std::{collections::BTreeMap, mem::size_of, path::PathBuf};

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
    little_endian::{I64, U32, U64},
};

use crate::{
    directory::Directory,
    error::JournalError,
    place::Place,
    storage::read_file,
    verify::{Head, Verification, verify, verify_at},
};

const MAGIC: [u8; 8] = *b"ACTHHEAD";
/// Version of the record.
const HEAD_VERSION: u32 = 1;
const SUFFIX: &str = ".head";

/// A signed head as it is kept: 192 bytes. The signature covers everything before it.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct HeadRecord {
    magic: [u8; 8],
    version: U32,
    reserved: [u8; 4],
    segment: U64,
    position: U64,
    sequence: U64,
    signed_ns: I64,
    hash: [u8; 32],
    public_key: [u8; 32],
    reserved_tail: [u8; 16],
    signature: [u8; 64],
}

const HEAD_BYTES: usize = size_of::<HeadRecord>();
const _: () = assert!(HEAD_BYTES == 192);
const SIGNED_BYTES: usize = HEAD_BYTES - 64;

/// A head and what signs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHead {
    /// The place and the hash of everything before it.
    pub head: Head,
    /// When it was signed, by the wall clock, ns since the Unix epoch.
    pub signed_ns: i64,
    /// The key that signed it.
    pub public_key: [u8; 32],
    /// Its file.
    pub path: PathBuf,
}

/// The public key that belongs to a private one.
pub fn public_key(key: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(key).verifying_key().to_bytes()
}

/// Verifies the whole journal and signs where it ends. The signed head is kept under `heads/`; give a copy of it to those who shall
/// be able to check.
///
/// # Errors
/// What `verify` says, or when the file cannot be written.
pub fn sign(
    place: impl Into<Place>,
    key: &[u8; 32],
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(Verification, SignedHead), JournalError> {
    let directory = Directory::new(place.into());
    let found = verify(directory.clone(), progress)?;
    let signing = SigningKey::from_bytes(key);
    let mut record = HeadRecord {
        magic: MAGIC,
        version: U32::new(HEAD_VERSION),
        reserved: [0; 4],
        segment: U64::new(found.head.segment),
        position: U64::new(found.head.position),
        sequence: U64::new(found.head.sequence),
        signed_ns: I64::new(directory.storage().wall_clock_ns()),
        hash: found.head.hash,
        public_key: signing.verifying_key().to_bytes(),
        reserved_tail: [0; 16],
        signature: [0; 64],
    };
    record.signature = signing.sign(&record.as_bytes()[..SIGNED_BYTES]).to_bytes();
    let folder = directory.heads_path();
    directory.make_inner(&folder)?;
    let path = folder.join(format!("{:020}{SUFFIX}", found.head.sequence));
    directory.replace(&path, record.as_bytes())?;
    let signed = SignedHead {
        head: found.head,
        signed_ns: record.signed_ns.get(),
        public_key: record.public_key,
        path,
    };
    Ok((found, signed))
}

/// Verifies the whole journal and every signed head of it against one public key: those under `heads/` and the given files. At least
/// one must be there.
///
/// # Errors
/// `Head` for one that is not signed by this key, or whose hash is not what the journal has at its place; otherwise what `verify`
/// says.
pub fn verify_signed(
    place: impl Into<Place>,
    key: &[u8; 32],
    copies: &[PathBuf],
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(Verification, Vec<SignedHead>), JournalError> {
    let directory = Directory::new(place.into());
    let heads = read_heads(&directory, key, copies)?;
    if heads.is_empty() {
        let (path, cause) = (
            directory.heads_path(),
            "there is none: `acth journal sign` makes one",
        );
        return Err(JournalError::Head { path, cause });
    }
    let place_of = |signed: &SignedHead| (signed.head.segment, signed.head.position);
    let mut asked: BTreeMap<_, _> = heads
        .iter()
        .map(|signed| (place_of(signed), None))
        .collect();
    let found = verify_at(directory, &mut asked, progress)?;
    for signed in &heads {
        let there = asked.get(&place_of(signed)).copied().flatten();
        let cause = match there {
            Some(head) if head == signed.head => continue,
            Some(_) => "the journal before its place was rewritten since it was signed",
            None => "the journal has no frame that ends at its place",
        };
        let path = signed.path.clone();
        return Err(JournalError::Head { path, cause });
    }
    Ok((found, heads))
}

fn read_heads(
    directory: &Directory,
    key: &[u8; 32],
    copies: &[PathBuf],
) -> Result<Vec<SignedHead>, JournalError> {
    let folder = directory.heads_path();
    let mut names = directory.names(&folder)?;
    names.retain(|name| name.ends_with(SUFFIX));
    names.sort_unstable();
    let own = names.into_iter().map(|name| folder.join(name));
    let mut heads = Vec::new();
    for path in own.chain(copies.iter().cloned()) {
        let bytes = read_file(directory.storage(), &path, 0)
            .map_err(|source| JournalError::io("read", &path, source))?;
        match read_head(&bytes, key) {
            Ok((head, signed_ns)) => heads.push(SignedHead {
                head,
                signed_ns,
                public_key: *key,
                path,
            }),
            Err(cause) => return Err(JournalError::Head { path, cause }),
        }
    }
    Ok(heads)
}

fn read_head(bytes: &[u8], key: &[u8; 32]) -> Result<(Head, i64), &'static str> {
    let record = HeadRecord::read_from_bytes(bytes)
        .map_err(|_| "it is not 192 bytes long, as a signed head is")?;
    if record.magic != MAGIC {
        return Err("it does not begin with ACTHHEAD");
    }
    if record.version.get() != HEAD_VERSION {
        return Err("it is of another version than 1");
    }
    if record.reserved != [0; 4] || record.reserved_tail != [0; 16] {
        return Err("a reserved byte is not zero");
    }
    if record.public_key != *key {
        return Err("it is signed by another key");
    }
    let public = VerifyingKey::from_bytes(key).map_err(|_| "the given bytes are no public key")?;
    let signature = Signature::from_bytes(&record.signature);
    public
        .verify_strict(&bytes[..SIGNED_BYTES], &signature)
        .map_err(|_| "its signature does not hold")?;
    let head = Head {
        segment: record.segment.get(),
        position: record.position.get(),
        sequence: record.sequence.get(),
        hash: record.hash,
    };
    Ok((head, record.signed_ns.get()))
}
