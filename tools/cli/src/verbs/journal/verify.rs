//! `acth journal verify`: every byte checked, and every signed head against a public key.

use std::time::Instant;

use acth_journal::{SignedHead, Verification, verify, verify_signed};
use serde_json::json;

use super::{failure, hex_text, sign::read_key, tail_name, with_progress};
use crate::{
    args::VerifyArgs,
    exit::Failure,
    output::{print, print_json},
    summary::grouped,
};

/// Runs the verb.
pub(super) fn run(args: &VerifyArgs) -> Result<(), Failure> {
    let journal = &args.common.journal;
    let key = args.key.as_deref().map(read_key).transpose()?;
    let start = Instant::now();
    let verified = with_progress(args.common.json, "bytes verified", |tell| match &key {
        None => verify(journal, tell).map(|found| (found, Vec::new())),
        Some(key) => verify_signed(journal, key, &args.head, tell),
    });
    let (found, heads) = match verified {
        Ok(verified) => verified,
        Err(error) => {
            let failed = failure(journal, &error);
            if args.common.json && matches!(failed, Failure::CheckFailed(_)) {
                print_json(&json!({"ok": false, "error": error.to_string()}))?;
            }
            return Err(failed);
        }
    };
    let seconds = start.elapsed().as_secs_f64();
    if args.common.json {
        print_json(&as_json(&found, &heads, seconds))
    } else {
        print(&as_text(&found, &heads, seconds))
    }
}

fn as_json(found: &Verification, heads: &[SignedHead], seconds: f64) -> serde_json::Value {
    let heads = heads.iter().map(|signed| {
        json!({
            "sequence": signed.head.sequence, "hash": hex_text(&signed.head.hash),
            "signed_ns": signed.signed_ns, "file": signed.path.display().to_string(),
        })
    });
    json!({
        "ok": true, "frames": found.frames, "head_hash": hex_text(&found.head.hash),
        "segments": found.segments, "runs": found.runs, "bytes": found.bytes,
        "first_sequence": found.first_sequence, "last_sequence": found.last_sequence,
        "durable_sequence": found.durable_sequence,
        "signed_heads": heads.collect::<Vec<_>>(),
        "tail": tail_name(found.tail), "elapsed_seconds": seconds,
    })
}

fn as_text(found: &Verification, heads: &[SignedHead], seconds: f64) -> String {
    let mut text = format!(
        "  ok             {} frames in {} segments of {} runs, sequence {} to {}\n  \
           bytes          {} in {seconds:.2} s\n  \
           durable        up to sequence {}, as far as the frames say\n  \
           tail           {}\n  head hash      {}",
        grouped(found.frames),
        found.segments,
        found.runs,
        found.first_sequence,
        found.last_sequence,
        grouped(found.bytes),
        found.durable_sequence,
        tail_name(found.tail),
        hex_text(&found.head.hash)
    );
    for signed in heads {
        text += &format!(
            "\n  signed         up to sequence {}, hash {}",
            signed.head.sequence,
            hex_text(&signed.head.hash)
        );
    }
    text
}
