//! Venue sessions of ACTH: sockets, captures, book synchronisation.
