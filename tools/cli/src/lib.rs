//! The command acth.
