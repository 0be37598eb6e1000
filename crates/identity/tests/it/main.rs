//! Identity as a whole over a real store: a SQLite file of each test's own, and a clock that tests turn.

#![allow(unreachable_pub, reason = "the world of the tests")]

mod accounts;
mod brake;
mod keys;
mod limits;
mod races;
mod second;
mod sessions;
mod visitors;
mod world;
