//! Two replicas on one database, without Redis: what ends at one, or at the command line, has ended at the other within
//! a second, for every kind of credential and for the streams that were opened with it. What an event does not concern
//! goes on. Every pair of credential and event has a cell.

mod credentials;
mod events;

use std::time::{Duration, Instant};

use self::credentials::{Held, Of};
use self::events::{Event, Row, everybody, one_account};
use crate::world::{Issuer, Mode, Setup, World, on_both_engines};

/// After this long nobody may get in any more.
const SECOND: Duration = Duration::from_secs(1);

/// What becomes of a credential.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cell {
    /// Refused with this status; an open stream has ended.
    Dead(u16),
    /// Goes on.
    Stands,
    /// There is no such thing, because …
    NotApplicable(&'static str),
}

async fn world(setup: Setup, issuer: &Issuer) -> World {
    let lab = "[[apps]]\nid = \"lab\"\nkind = \"chat\"\nusers = \"granted\"\nkeys = true\n";
    let world = setup
        .unlimited()
        .set("TRUSTED_PROXIES", "127.0.0.1")
        .set("PASSWORD_HASH_MEMORY_MIB", 19)
        .file("stoa.toml", lab)
        .file("stoa.toml", &issuer.entry())
        .start()
        .await;
    world.upstream.set(Mode::Stall);
    world
}

/// Every row, one after the other, each with people and credentials of its own.
async fn run(setup: Setup, rows: Vec<Row>) {
    let issuer = Issuer::start("company").await;
    let world = world(setup, &issuer).await;
    let replica = world.replica().await;
    let (mut wrong, mut cells) = (Vec::new(), 0);
    for (number, row) in rows.iter().enumerate() {
        let before = wrong.len();
        let held = Held::prepare(&world, &replica, &issuer, number, row.event.needs_admin()).await;
        check(&world, row, held, &mut wrong, &mut cells).await;
        for line in &mut wrong[before..] {
            line.insert_str(0, &format!("{:?}: ", row.event));
        }
    }
    println!("{} events, {cells} cells", rows.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    world.verify_audit().await;
}

async fn check(world: &World, row: &Row, mut held: Held, wrong: &mut Vec<String>, cells: &mut usize) {
    let probe = row.event.probe();
    for (name, cell) in row.cells.each() {
        // The other replica has seen all of them, so that it remembers what it must forget.
        if !matches!(cell.0, Cell::NotApplicable(_)) && name != "refresh token" {
            assert_eq!(held.ask(name, probe).await, 200, "{:?}: {name} before the event", row.event);
        }
    }
    held.open_streams(world).await;
    let snapshot = if row.event.is_lockdown() { Some(held.exports().await) } else { None };
    row.event.happen(world, &held).await;
    let began = Instant::now();
    let all: Of<(Cell, Cell)> = row.cells;
    for (name, (cell, _)) in all.each() {
        let Cell::Dead(status) = cell else { continue };
        if name == "refresh token" {
            continue;
        }
        *cells += 1;
        let mut seen = held.ask(name, probe).await;
        while seen != status && began.elapsed() < SECOND {
            tokio::time::sleep(Duration::from_millis(10)).await;
            seen = held.ask(name, probe).await;
        }
        if seen != status {
            wrong.push(format!("{name}: {seen} after {:?}, wanted {status}", began.elapsed()));
        }
    }
    for (name, (_, stream)) in all.each() {
        if let Cell::Dead(_) = stream {
            *cells += 1;
            // Asking for all the others took its time too; an end that came meanwhile is there already.
            let left = (SECOND + Duration::from_millis(100))
                .saturating_sub(began.elapsed())
                .max(Duration::from_millis(50));
            if !held.stream_ends(name, left).await {
                wrong.push(format!("the stream of the {name} goes on after {:?}", began.elapsed()));
            }
        }
    }
    // Three times as long as a replica needs to hear of it: whoever has not been ended now will not be.
    tokio::time::sleep(Duration::from_millis(750).saturating_sub(began.elapsed())).await;
    for (name, (cell, stream)) in all.each() {
        let status = match cell {
            Cell::Stands => 200,
            // Its use changes it, so it is asked once, when everybody knows of the event.
            Cell::Dead(status) if name == "refresh token" => status,
            _ => 0,
        };
        if status != 0 && !(name == "refresh token" && row.event.is_lockdown()) {
            *cells += 1;
            let seen = held.ask(name, probe).await;
            if seen != status {
                wrong.push(format!("{name}: {seen}, wanted {status}"));
            }
        }
        if stream == Cell::Stands {
            *cells += 1;
            if held.stream_ends(name, Duration::ZERO).await {
                wrong.push(format!("the stream of the {name} ended"));
            }
        }
    }
    if let Some(before) = snapshot {
        released(world, row, held, before, wrong, cells).await;
    } else {
        drop(held);
    }
}

/// The brake is released: everything is exactly as it was, and every credential counts again.
async fn released(
    world: &World,
    row: &Row,
    mut held: Held,
    before: serde_json::Value,
    wrong: &mut Vec<String>,
    cells: &mut usize,
) {
    if let (_, (Cell::Dead(status), _)) = row.cells.each()[2] {
        *cells += 1;
        // Whoever is kept out for now keeps the token.
        let seen = held.ask("refresh token", Event::LockdownUsers.probe()).await;
        if seen != status {
            wrong.push(format!("refresh token: {seen}, wanted {status}"));
        }
    }
    assert!(world.stoa(&["lockdown", "off"]).await.success());
    let began = Instant::now();
    for (name, (cell, _)) in row.cells.each() {
        if matches!(cell, Cell::NotApplicable(_)) {
            continue;
        }
        *cells += 1;
        let mut seen = held.ask(name, row.event.probe()).await;
        while seen != 200 && began.elapsed() < SECOND {
            tokio::time::sleep(Duration::from_millis(10)).await;
            seen = held.ask(name, row.event.probe()).await;
        }
        if seen != 200 {
            wrong.push(format!("{name} is not let in again: {seen}"));
        }
        if name == "access token" {
            // Before the refresh token is used, which is the first thing that may change anything.
            let after = held.exports().await;
            if after != before {
                wrong.push(format!("the brake changed something:\n{before:#}\n{after:#}"));
            }
        }
    }
}

on_both_engines! {
    async fn events_of_one_account(setup) {
        run(setup, one_account()).await;
    }

    async fn events_of_the_whole_server(setup) {
        run(setup, everybody()).await;
    }
}
