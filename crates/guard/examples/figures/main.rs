//! Measures the room `content` against public sets and prints one table: masking, moderation, over-blocking, speed.
//! It owns the measuring alone. The sets are read from the folder that `STOA_DATA` names (`../shared/data` beside
//! the repository otherwise); a set that is absent is said to be skipped. No text of a set is printed unless the name
//! of a kind or set is given as argument, which lists what was missed and what was taken wrongly; `speed` measures
//! speed alone.
//!
//! `cargo run --release -p guard --example figures [kind]`

#![expect(clippy::print_stdout, reason = "a program that prints figures")]

mod data;
mod judging;
mod masking;
mod speed;

fn main() {
    let show = std::env::args().nth(1);
    let show = show.as_deref();
    if show == Some("speed") {
        return speed::print();
    }
    masking::print(show);
    masking::print_false_alarms(show);
    masking::print_naughty();
    judging::print(show);
    speed::print();
}
