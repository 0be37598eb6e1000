//! A process that is killed while it migrates: before and after every statement of every step, and in the middle of a
//! statement. The schema is whole and no row is lost, on both engines. One place in nine, or every one where
//! `STOA_MIGRATION_KILLS=all`.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use kernel::Secret;
use store::{Config, Database, PostgresTls, STEPS, Step, Store};

use crate::world::{World, ambient, install_tls, keyring, on_both_engines, pool, setting};

const PLACE: &str = "STOA_MIGRATION_PLACE";
const STOP: &str = "STOA_MIGRATION_STOP";
const MORE: &str = "STOA_MIGRATION_MORE";

/// Not a test by itself: the process that migrates. It kills itself where it is told to, or goes on until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run as a child by the tests below"]
#[expect(clippy::disallowed_methods, reason = "a process is needed to be killed")]
async fn child() {
    let Some(place) = setting(PLACE) else { return };
    install_tls();
    let database = match place.strip_prefix("sqlite:") {
        Some(path) => Database::Sqlite { path: path.into() },
        None => Database::Postgres { url: Secret::new(place), tls: PostgresTls::Prefer },
    };
    let config = Config { database, pool: pool(), slow_query: Duration::from_secs(600) };
    let store = Store::open(config, keyring(), ambient().0).await.unwrap();
    let stop = setting(STOP).unwrap_or_default();
    let more: Option<&'static str> = setting(MORE).map(|text| &*text.leak());
    let more = more.map(|text| Step { version: STEPS.len() as u32 + 1, name: "more", text });
    let steps: Vec<Step> = STEPS.iter().copied().chain(more).collect();
    let mut die = |version: u32, ran: usize| {
        if stop == format!("{version}.{ran}") {
            let own = std::process::id().to_string();
            std::process::Command::new("kill").args(["-9", &own]).status().unwrap();
        }
    };
    store.migrate_stepping(&steps, &mut die).await.unwrap();
}

#[expect(clippy::disallowed_methods, reason = "a process is needed to be killed")]
fn start(world: &World, stop: &str, more: Option<&str>) -> Child {
    let place = match &world.config.database {
        Database::Sqlite { path } => format!("sqlite:{}", path.display()),
        Database::Postgres { url, .. } => url.expose().clone(),
    };
    std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "migrating::child", "--ignored", "--nocapture", "--test-threads=1"])
        .envs([(PLACE, place.as_str()), (STOP, stop)])
        .envs(more.map(|text| (MORE, text)))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Every table with its columns and their types, and every index.
async fn shape(world: &World) -> String {
    world
        .text(match world.config.database {
            Database::Sqlite { .. } => {
                "SELECT coalesce(group_concat(x, char(10)), '') FROM (SELECT m.name || ' ' || c.name || ' ' || lower(c.type) AS x \
                 FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.name NOT LIKE 'sqlite_%' ORDER BY 1)"
            }
            Database::Postgres { .. } => {
                "SELECT coalesce(string_agg(x, chr(10) ORDER BY x), '') FROM (\
                 SELECT table_name || ' ' || column_name || ' ' || lower(data_type) AS x \
                 FROM information_schema.columns WHERE table_schema = current_schema() \
                 UNION ALL SELECT 'index ' || indexname || ' ' FROM pg_indexes WHERE schemaname = current_schema()) t"
            }
        })
        .await
}

/// The tables of a shape, with their columns and types.
fn tables(shape: &str) -> Vec<(&str, Vec<(&str, &str)>)> {
    let mut tables: Vec<(&str, Vec<(&str, &str)>)> = Vec::new();
    for line in shape.lines() {
        let mut words = line.splitn(3, ' ');
        let (name, column, kind) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        // An index of SQLite has columns without a type, one of Postgres has a word before it.
        if kind.is_empty() || name == "index" {
            continue;
        }
        match tables.iter_mut().find(|(known, _)| *known == name) {
            Some((_, columns)) => columns.push((column, kind)),
            None => tables.push((name, vec![(column, kind)])),
        }
    }
    tables
}

/// Everything that these columns hold.
async fn rows(world: &World, shape: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (table, columns) in tables(shape) {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let sql = match world.config.database {
            Database::Sqlite { .. } => {
                let quoted: Vec<String> = names.iter().map(|name| format!("quote({name})")).collect();
                let row = quoted.join(" || ',' || ");
                format!(
                    "SELECT coalesce(group_concat(x, char(10)), '') FROM (SELECT {row} AS x FROM {table} ORDER BY 1)"
                )
            }
            Database::Postgres { .. } => format!(
                "SELECT coalesce(string_agg(x, chr(10) ORDER BY x), '') FROM (SELECT (t.*)::text AS x \
                 FROM (SELECT {} FROM {table}) t) s",
                names.join(", ")
            ),
        };
        found.push(format!("{table}\n{}", world.text(&sql).await));
    }
    found
}

/// Puts rows into every table that has none; gives how many tables hold rows now.
async fn fill(world: &World, shape: &str) -> usize {
    let mut filled = 0;
    for (table, columns) in tables(shape) {
        if table == "schema_migrations" {
            continue;
        }
        if world.number(&format!("SELECT count(*) FROM {table}")).await == 0 {
            let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
            let values = |number: usize| -> String {
                let value = |(name, kind): &(&str, &str)| match *kind {
                    "integer" | "bigint" | "int" | "smallint" => number.to_string(),
                    "real" | "double precision" => format!("{number}.5"),
                    "blob" => format!("x'0{number}'"),
                    "bytea" => format!("'\\x0{number}'"),
                    _ => format!("'{table} {name} {number}'"),
                };
                format!("({})", columns.iter().map(value).collect::<Vec<_>>().join(", "))
            };
            // What the rows point at need not be there.
            let free = match world.config.database {
                Database::Sqlite { .. } => "PRAGMA foreign_keys = OFF",
                Database::Postgres { .. } => "SET session_replication_role = replica",
            };
            let all: Vec<String> = (1..=3).map(values).collect();
            let sql = format!("{free}; INSERT INTO {table} ({}) VALUES {}", names.join(", "), all.join(", "));
            // A table may be particular about what it takes.
            if world.try_to(&sql).await.is_err() {
                continue;
            }
        }
        filled += 1;
    }
    filled
}

on_both_engines! {
    async fn killed_at_every_statement_no_row_is_lost(world) {
        let every = if setting("STOA_MIGRATION_KILLS").as_deref() == Some("all") { 1 } else { 9 };
        let old = world.blank().await;
        old.store.close().await;
        let (mut kills, mut place, mut filled) = (0, 0, 0);
        let (mut was, mut held) = (String::new(), Vec::new());
        for (number, step) in STEPS.iter().enumerate() {
            // Before each statement, after the last, and between the line of the history and the commit.
            for stop in 0..=step.text.split_inclusive(";\n").count() + 1 {
                place += 1;
                if place % every != 0 {
                    continue;
                }
                let stop = format!("{}.{stop}", step.version);
                let ended = start(&old, &stop, None).wait().unwrap();
                assert_eq!(ended.signal(), Some(9), "{stop}");
                kills += 1;
                assert_eq!(shape(&old).await, was, "{stop}: the schema is whole");
                assert_eq!(rows(&old, &was).await, held, "{stop}: nothing is lost");
            }
            // The next start makes the step, and is killed right behind its commit.
            let ended = start(&old, &format!("{}.0", step.version + 1), None).wait().unwrap();
            let last = number + 1 == STEPS.len();
            assert_eq!((ended.signal(), ended.success()), (if last { None } else { Some(9) }, last));
            kills += usize::from(!last);
            let known = |rows: Vec<String>| -> Vec<String> {
                rows.into_iter().filter(|one| !one.starts_with("schema_migrations\n")).collect()
            };
            let (kept, before) = (known(rows(&old, &was).await), known(held));
            for (kept, before) in kept.iter().zip(&before) {
                // A step may add rows; it takes none away.
                assert!(before.lines().all(|row| kept.lines().any(|other| other == row)), "{}: {before}", step.name);
            }
            was = shape(&old).await;
            filled = fill(&old, &was).await;
            held = rows(&old, &was).await;
        }
        assert_eq!(was, shape(world).await, "a database that was never killed has the same schema");
        let second = old.second().await;
        assert!(second.migrate().await.unwrap().is_empty() && second.missing_indexes().await.unwrap().is_empty());
        second.close().await;
        assert!(filled >= 40, "{filled}");
        println!("{kills} processes killed at {place} places of {} steps; rows in {filled} tables kept", STEPS.len());
        old.end().await;
    }

    async fn killed_in_the_middle_of_a_statement_it_starts_again_at_once(world) {
        fill(world, &shape(world).await).await;
        let was = shape(world).await;
        let held = rows(world, &was).await;
        for _ in 0..3 {
            match &world.config.database {
                Database::Sqlite { path } => {
                    let endless = "CREATE TABLE newer (id integer, body text);\nINSERT INTO newer WITH RECURSIVE t(n) AS \
                                   (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n, hex(zeroblob(500)) FROM t;\n";
                    let mut child = start(world, "", Some(endless));
                    let log = path.with_extension("db-wal");
                    // It writes more than the cache holds, so parts of it stand in the files.
                    until(|| std::fs::metadata(&log).map_or(0, |file| file.len()) > 8 << 20).await;
                    child.kill().unwrap();
                    child.wait().unwrap();
                }
                Database::Postgres { .. } => {
                    let endless = "CREATE TABLE newer (id text);\nDELETE FROM messages;\nSELECT pg_sleep(600);\n";
                    let mut child = start(world, "", Some(endless));
                    let asleep = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                                  AND state = 'active' AND query LIKE 'SELECT pg_sleep%'";
                    let began = Instant::now();
                    while world.number(asleep).await == 0 {
                        assert!(began.elapsed() < Duration::from_secs(30), "it never came there");
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                    child.kill().unwrap();
                    child.wait().unwrap();
                }
            }
            // The next start does not wait for the statement of the dead one.
            let (again, began) = (world.second().await, Instant::now());
            assert!(again.migrate().await.unwrap().is_empty());
            println!("started again after {} ms", began.elapsed().as_millis());
            again.close().await;
            assert_eq!(shape(world).await, was);
            assert_eq!(rows(world, &was).await, held);
        }
    }
}

async fn until(condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(30), "it never came there");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
