//! Identity as a whole over a real store: a SQLite file of each test's own, and a clock that tests turn.

mod accounts;
mod brake;
mod keys;
mod limits;
mod races;
mod second;
mod sessions;
mod visitors;
mod world;
