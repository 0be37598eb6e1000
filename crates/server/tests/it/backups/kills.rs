//! kill -9 while backups are made and restored, a disk that is full in the middle: there is what was there before or
//! what came after, never something in between, and nothing partial is ever listed. Three rounds, or as many as
//! `STOA_BACKUP_KILLS` says.

use std::time::Duration;

use serde_json::{Value, json};

use super::{back_up, content};
use crate::files::tools::gather;
use crate::world::{Setup, World, run, setting};

async fn write(world: &World, number: u64) {
    let words: Vec<String> =
        (0..200).map(|word| format!("{:x}", (number + 7) * 7_919 * (word + 3) % 65_521)).collect();
    let body = json!({"message": format!("message {number}: {}", words.join(" ")), "app": "assistant"});
    let answer = world.key().post("/api/v1/chat").json(&body).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Runs a command and kills it after a while; whether it had ended by itself before.
async fn cut(world: &World, arguments: &[&str], after: Duration) -> bool {
    let mut child = world.command(arguments).spawn().unwrap();
    tokio::time::sleep(after).await;
    let ended = child.try_wait().unwrap().is_some();
    let _ = child.kill();
    child.wait().unwrap();
    ended
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_it_is_the_old_or_the_new() {
    let rounds: u64 = setting("STOA_BACKUP_KILLS").map_or(3, |text| text.parse().unwrap());
    let mut world = Setup::sqlite().unlimited().set("MAX_CONVERSATIONS_PER_SESSION", 1_000_000).start().await;
    for number in 0..30 {
        write(&world, number).await;
    }
    let old = back_up(&world).await;
    for number in 30..40 {
        write(&world, number).await;
    }
    let new = back_up(&world).await;
    assert_ne!(content(&old), content(&new));
    let (mut made, mut restored, mut unfinished, mut crashes) = (0, 0, 0, 0);
    for round in 0..rounds {
        let span = Duration::from_millis(round * 37 % 400 + 5);
        let whole = cut(&world, &["backup", "create"], span).await;
        made += u64::from(whole);
        let listed = world.told(&["backup", "list", "--json"]).await.remove(0);
        assert!(listed.as_array().unwrap().iter().all(|one| one["manifest"].is_object()), "{listed}");
        // The two are enough; with hundreds of others beside them every look would take longer than the last.
        let mut files = Vec::new();
        gather(&world.data().join("backups"), &mut files);
        for one in listed
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| ![&old["name"], &new["name"]].contains(&&one["name"]))
        {
            let name = one["name"].as_str().unwrap();
            let file = files.iter().find(|file| file.file_name().is_some_and(|found| found == name));
            std::fs::remove_file(file.unwrap()).unwrap();
        }
        // From the newer state to the older and back, killed somewhere.
        let (from, to) = if round % 2 == 0 { (&new, &old) } else { (&old, &new) };
        let ended = cut(&world, &["restore", to["name"].as_str().unwrap(), "--yes"], span * 3).await;
        restored += u64::from(ended);
        let found = state(&world).await;
        assert!(
            [content(from), content(to)].contains(&found),
            "round {round}: neither the one nor the other"
        );
        unfinished += u64::from(found == content(from));
        let crash = round % 5 == 4;
        if crash {
            crashes += 1;
            world.crash().await;
        }
        let output = world.stoa(&["restore", to["name"].as_str().unwrap(), "--yes"]).await;
        assert!(output.success(), "round {round}: {output:?}");
        assert_eq!(state(&world).await, content(to), "round {round}");
        println!(
            "round {}/{rounds}: backup {} after {} ms, {} listed; restore {} after {} ms, {} state found{}; \
             restored to the end, equal hashes",
            round + 1,
            if whole { "ended before the kill" } else { "killed" },
            span.as_millis(),
            listed.as_array().unwrap().len(),
            if ended { "ended before the kill" } else { "killed" },
            (span * 3).as_millis(),
            if found == content(from) { "the old" } else { "the new" },
            if crash { "; server killed too" } else { "" },
        );
    }
    world.verify_audit().await;
    println!(
        "{rounds} rounds, {} kill -9: {made} backups and {restored} restores ended before the kill, {crashes} servers \
         killed, {unfinished} killed restores left the old state and {} the new one; {rounds} restores to the end with \
         equal content hashes",
        2 * rounds - made - restored + crashes,
        rounds - unfinished,
    );
}

/// What people wrote, as a backup of now says it.
async fn state(world: &World) -> Vec<String> {
    let made: Value = back_up(world).await;
    let name = made["path"].as_str().unwrap();
    std::fs::remove_file(name).unwrap();
    content(&made)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_leaves_nothing_and_says_so() {
    let world = Setup::sqlite().unlimited().set("MAX_CONVERSATIONS_PER_SESSION", 1_000_000).start().await;
    for number in 0..60 {
        write(&world, number).await;
    }
    let good = back_up(&world).await;
    let folder = world.data().join("backups");
    let files = || {
        let mut found = Vec::new();
        gather(&folder, &mut found);
        found.len()
    };
    let before = files();
    // No file may become longer than 64 KiB, as cron would run it: no terminal.
    let line =
        format!("ulimit -f 64; exec {} backup create </dev/null >/dev/null 2>&1", env!("CARGO_BIN_EXE_stoa"));
    let command = world.command(&[]);
    let output = {
        #[expect(clippy::disallowed_methods, reason = "the tests own services")]
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &line]).env_clear();
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.current_dir(world.folder.path());
        shell.status().unwrap()
    };
    assert_eq!(output.code(), Some(1), "refused, and not ended by a signal");
    assert_eq!(files(), before, "nothing partial is left");
    // Whether the failure is written down depends on the room that is left in the files of the database.
    let verified = world.told(&["backup", "verify", "--json"]).await.remove(0);
    assert_eq!(verified["name"], good["name"]);

    // Where there is room for it, it is written down.
    let written = world.audited("backup.failed").await.len();
    std::fs::write(world.folder.path().join("file"), "no folder").unwrap();
    let place = world.folder.path().join("file/backups").display().to_string();
    let failed = run(world.folder.path(), &world.with("BACKUP_DIR", &place), &["backup", "create"]).await;
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert_eq!(world.audited("backup.failed").await.len(), written + 1, "{failed:?}");
}
