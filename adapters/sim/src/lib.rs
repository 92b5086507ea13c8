//! Simulated markets of ACTH: worlds, matching, fills, and venues served on loopback.
