//! Measurements of ACTH.

fn main() {}
