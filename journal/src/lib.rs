//! Append-only memory-mapped journal: bytes in frames in segments; write, read, recover, verify.
