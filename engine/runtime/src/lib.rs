//! Threads, rings, clocks and wiring of ACTH; the only crate that spawns threads on the path.
