//! Models of the words that threads share, checked under every interleaving (`cargo test -p acth-journal --features loom models`).
