//! The disk side against real folders.
