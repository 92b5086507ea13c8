//! The hash of everything in a journal: SHA-256, segment by segment, each beginning with the hash of the one before it.
//!
//! Hashing is several times slower than checking frames, and neither needs the other's results. So what a reader has read is cut
//! into pieces, and verifying hands them to a thread that hashes while the reader goes on. Invariant: a piece lies between
//! two frame borders of one segment, all of it was read and verified, and pieces are hashed in the order in which they were cut.

use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use sha2::{Digest, Sha256};

use crate::{
    base::Base, directory::Directory, error::JournalError, mapping::ReadableMapping, reader::Reader,
};

/// This much is hashed at once.
pub(crate) const PIECE_BYTES: usize = 1 << 20;
/// Pieces that may wait to be hashed: they keep the mappings of their segments.
const WAITING_MAX: usize = 8;

/// Bytes of one segment that were read.
pub(crate) struct Piece {
    view: ReadableMapping,
    from: usize,
    to: usize,
    /// Whether the hash up to the end of this piece is wanted.
    is_asked: bool,
}

/// Cuts what a reader has read into pieces.
#[derive(Default)]
pub(crate) struct Cutter {
    /// Bytes read in all.
    pub(crate) bytes: u64,
    /// Where the next piece begins.
    begin: usize,
    end: usize,
}

impl Cutter {
    /// The reader has moved into a segment: its header is read.
    pub(crate) fn enter(&mut self, reader: &Reader) -> Option<Piece> {
        (self.begin, self.end) = (0, 0);
        self.go_to(reader);
        self.rest(reader)
    }

    /// The reader has read a frame. The last piece of a segment is cut while the reader is still in it.
    #[inline]
    pub(crate) fn take(&mut self, reader: &Reader) -> Option<Piece> {
        self.go_to(reader);
        if self.end - self.begin >= PIECE_BYTES || reader.is_at_segment_end() {
            return self.rest(reader);
        }
        None
    }

    /// As `rest`, and the hash up to here is wanted.
    fn asked(&mut self, reader: &Reader) -> Option<Piece> {
        let piece = self.rest(reader)?;
        Some(Piece {
            is_asked: true,
            ..piece
        })
    }

    /// What was read and not yet cut off.
    #[cold]
    fn rest(&mut self, reader: &Reader) -> Option<Piece> {
        let piece = Piece {
            view: reader.view()?,
            from: self.begin,
            to: self.end,
            is_asked: false,
        };
        self.begin = self.end;
        Some(piece)
    }

    #[inline]
    fn go_to(&mut self, reader: &Reader) {
        let position = reader.place().map_or(0, |(_, position)| position);
        self.bytes += (position - self.end) as u64;
        self.end = position;
    }
}

/// The running hash.
pub(crate) struct HashChain {
    /// Hash of the segments before the one at hand.
    before: [u8; 32],
    hasher: Sha256,
    is_inside: bool,
}

impl HashChain {
    pub(crate) fn begin(directory: &Directory) -> Result<Self, JournalError> {
        let base = Base::read(directory)?;
        Ok(Self {
            before: base.map_or([0; 32], |base| base.hash),
            hasher: Sha256::new(),
            is_inside: false,
        })
    }

    /// A piece that begins a segment ends the one before.
    pub(crate) fn add(&mut self, piece: &Piece) {
        if piece.from == 0 {
            self.before = self.hash();
            self.is_inside = true;
            self.hasher = Sha256::new_with_prefix(self.before);
        }
        self.hasher
            .update(piece.view.published_bytes(piece.from, piece.to));
    }

    /// Hash of all segments before the one at hand.
    pub(crate) fn before(&self) -> [u8; 32] {
        self.before
    }

    /// Hash of everything.
    fn hash(&self) -> [u8; 32] {
        if self.is_inside {
            self.hasher.clone().finalize().into()
        } else {
            self.before
        }
    }
}

/// What the hashing thread found.
pub(crate) struct Hashed {
    /// Hash of everything.
    pub(crate) all: [u8; 32],
    /// The hashes that were asked for, in the order of asking.
    pub(crate) asked: Vec<[u8; 32]>,
}

/// Cuts, and hands the pieces to the hashing thread.
pub(crate) struct Feeder {
    pub(crate) cutter: Cutter,
    pieces: SyncSender<Piece>,
}

impl Feeder {
    /// As `Cutter::enter`.
    pub(crate) fn enter(&mut self, reader: &Reader) {
        let piece = self.cutter.enter(reader);
        self.send(piece);
    }

    /// As `Cutter::take`.
    #[inline]
    pub(crate) fn take(&mut self, reader: &Reader) {
        if let Some(piece) = self.cutter.take(reader) {
            self.send(Some(piece));
        }
    }

    /// Asks for the hash of everything up to here.
    pub(crate) fn ask(&mut self, reader: &Reader) {
        let piece = self.cutter.asked(reader);
        self.send(piece);
    }

    /// Feeds what is left.
    pub(crate) fn finish(&mut self, reader: &Reader) {
        let piece = self.cutter.rest(reader);
        self.send(piece);
    }

    /// Waits while too many pieces wait.
    fn send(&self, piece: Option<Piece>) {
        if let Some(piece) = piece {
            // Refused only when the hashing thread has panicked, which joining it will tell.
            let _ = self.pieces.send(piece);
        }
    }
}

/// Lets `walk` read while another thread hashes what it feeds.
pub(crate) fn beside<T>(
    directory: &Directory,
    walk: impl FnOnce(&mut Feeder) -> Result<T, JournalError>,
) -> Result<(T, Hashed), JournalError> {
    let chain = HashChain::begin(directory)?;
    let (pieces, waiting) = sync_channel(WAITING_MAX);
    let hashing = thread::Builder::new()
        .name("journal-hash".to_owned())
        .spawn(|| hash_all(chain, waiting))
        .map_err(|source| {
            JournalError::io("start the hashing thread for", directory.path(), source)
        })?;
    let mut feeder = Feeder {
        cutter: Cutter::default(),
        pieces,
    };
    let walked = walk(&mut feeder);
    drop(feeder);
    match hashing.join() {
        Ok(hashed) => Ok((walked?, hashed)),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn hash_all(mut chain: HashChain, waiting: Receiver<Piece>) -> Hashed {
    let mut asked = Vec::new();
    for piece in waiting {
        chain.add(&piece);
        if piece.is_asked {
            asked.push(chain.hash());
        }
    }
    Hashed {
        all: chain.hash(),
        asked,
    }
}
