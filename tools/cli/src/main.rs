//! The command `acth`.

fn main() {}
