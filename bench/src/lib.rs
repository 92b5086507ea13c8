//! The loads of the measurements, shared by the command `acth-bench`, the criterion benches and the count of instructions.

#![forbid(unsafe_code)]

pub mod load;
