//! Conversations carried: shown by links, taken away, brought in, with files.

mod attachments;
mod bringing;
mod returning;
mod sharing;
