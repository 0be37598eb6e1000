//! Each rule is given a house with one fault and must find it, and a sound house and must find nothing.

use std::process::Command;

use super::house::{File, Member, Use, members, packages};
use super::*;
use crate::shell;

fn room(name: &str, uses: &[&str]) -> Member {
    let used = |name: &&str| match name.strip_prefix("dev:") {
        Some(name) => Use { name: name.to_owned(), in_tests: true },
        None => Use { name: (*name).to_owned(), in_tests: false },
    };
    let manifest = format!("crates/{name}/Cargo.toml");
    Member { name: name.to_owned(), manifest, uses: uses.iter().map(used).collect() }
}

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

fn lock(name: &str, version: &str) -> (String, String) {
    (name.to_owned(), version.to_owned())
}

/// A small house without a fault.
fn sound() -> House {
    House {
        members: vec![
            room("kernel", &["serde"]),
            room("store", &["kernel", "sqlx", "dev:tempfile"]),
            room("guard", &["kernel", "reqwest", "redis"]),
            room("web", &["guard", "axum", "dev:hyper", "dev:reqwest"]),
            room("verify", &["reqwest"]),
            room("server", &["store", "web", "verify", "axum", "hyper"]),
        ],
        locked: vec![lock("hyper", "1.12.0"), lock("reqwest", "0.13.5"), lock("ring", "0.17.0")],
        licences: Vec::new(),
        files: vec![
            file("crates/kernel/src/lib.rs", "//! The words that every room uses.\nmod commonplace;\n"),
            file(
                "crates/kernel/src/commonplace.rs",
                &format!("//! A name that only begins like one.\n{}", "\n".repeat(499)),
            ),
            file("crates/store/migrations/0001_first.sql", "create table a (b text);"),
            file("crates/store/migrations/0002_second.sql", "create table c (d text);"),
            file("README.md", "See docs/work/plan.md, target/work/x and https://example.org/_work/it.\n"),
        ],
    }
}

fn findings(house: &House) -> Vec<Finding> {
    RULES.iter().flat_map(|rule| rule(house)).collect()
}

/// The sound house with one change has exactly one finding: this file, these words in the rule and in the fix.
#[track_caller]
fn finds(change: impl FnOnce(&mut House), file: &str, rule: &str, fix: &str) {
    let mut house = sound();
    change(&mut house);
    let found = findings(&house);
    let [only] = found.as_slice() else { panic!("not one finding: {found:?}") };
    assert!(only.file == file && only.rule.contains(rule) && only.fix.contains(fix), "{only}");
}

#[test]
fn a_sound_house_has_no_findings() {
    assert_eq!(findings(&sound()), []);
}

#[test]
fn a_room_must_not_use_one_below_it() {
    finds(
        |house| house.members[0] = room("kernel", &["store"]),
        "crates/kernel/Cargo.toml",
        "above it",
        "store",
    );
    finds(
        |house| house.members[0] = room("kernel", &["dev:server"]),
        "crates/kernel/Cargo.toml",
        "above it",
        "server",
    );
    finds(|house| house.members.swap(2, 3), "crates/web/Cargo.toml", "above it", "guard");
}

#[test]
fn some_rooms_must_not_meet() {
    finds(
        |house| house.members[3] = room("web", &["store"]),
        "crates/web/Cargo.toml",
        "must not meet",
        "drop store",
    );
    finds(
        |house| house.members[4] = room("verify", &["kernel"]),
        "crates/verify/Cargo.toml",
        "must not meet",
        "drop kernel",
    );
    finds(
        |house| house.members[4] = room("verify", &["dev:guard"]),
        "crates/verify/Cargo.toml",
        "must not meet",
        "drop guard",
    );
}

#[test]
fn outside_technologies_stay_in_their_rooms() {
    for (place, name, used, room_of_it) in [
        (2, "guard", "sqlx", "store"),
        (3, "web", "dev:sqlx", "store"),
        (2, "guard", "axum", "web"),
        (1, "store", "reqwest", "guard"),
        (3, "web", "redis", "guard"),
        (1, "store", "object_store", "files"),
        (2, "guard", "hyper", "web"),
        (2, "guard", "hyper-util", "web"),
    ] {
        let manifest = format!("crates/{name}/Cargo.toml");
        finds(|house| house.members[place] = room(name, &[used]), &manifest, "out of its room", room_of_it);
    }
}

#[test]
fn some_packages_never_come_in_and_some_only_once() {
    for name in [
        "aws-lc-rs",
        "aws-lc-sys",
        "openssl-sys",
        "native-tls",
        "aws-sdk-bedrockruntime",
        "aws-config",
        "aws-smithy-eventstream",
        "aws-sigv4",
    ] {
        finds(|house| house.locked.push(lock(name, "1.0.0")), "Cargo.lock", "never comes in", name);
    }
    for name in ["reqwest", "hyper"] {
        finds(|house| house.locked.push(lock(name, "0.1.0")), "Cargo.lock", "one version", "0.1.0");
    }
    finds(
        |house| house.locked.extend([lock("rustls", "0.22.0"), lock("rustls", "0.23.0")]),
        "Cargo.lock",
        "one version",
        "0.22.0 and 0.23.0",
    );
    let many = |count: usize| {
        move |house: &mut House| house.locked = (0..count).map(|n| lock(&format!("p{n}"), "1")).collect()
    };
    finds(many(650), "Cargo.lock", "under 650", "650 packages");
    let mut house = sound();
    many(649)(&mut house);
    assert_eq!(findings(&house), []);
}

#[test]
fn a_source_file_says_what_it_is_and_stays_short() {
    for text in
        ["", "fn main() {}\n", "\n//! Too late for it.\n", "//! x\n", "// Not a header of the module.\n"]
    {
        finds(
            |house| house.files.push(file("crates/a/src/x.rs", text)),
            "crates/a/src/x.rs",
            "says what it is",
            "//!",
        );
    }
    let long = format!("//! One line more than there may be.\n{}", "\n".repeat(500));
    finds(
        |house| house.files.push(file("crates/a/src/x.rs", &long)),
        "crates/a/src/x.rs",
        "500 lines",
        "501 lines",
    );
}

#[test]
fn names_say_what_a_thing_is() {
    for path in [
        "crates/a/src/util.rs",
        "crates/a/src/helpers/mod.rs",
        "crates/a/tests/common/mod.rs",
        "crates/core/src/lib.rs",
        "crates/a/src/session_manager.rs",
    ] {
        finds(
            |house| house.files.push(file(path, "//! Something or other.\n")),
            path,
            "names are nouns",
            "says nothing",
        );
    }
    for module in ["mod common;", "    mod utils {", "pub mod helper;", "pub(crate) mod core {}"] {
        let text = format!("//! Something or other.\n{module}\n");
        finds(
            |house| house.files.push(file("src/x.rs", &text)),
            "src/x.rs",
            "names are nouns",
            "says nothing",
        );
    }
}

#[test]
fn no_path_of_a_workplace() {
    let place = ["/wo", "rk/"].concat();
    for line in
        [format!("cd {place}tree"), format!("\"{place}\""), format!("{place}x"), format!("file://{place}x")]
    {
        let text = format!("first\n{line}\n");
        finds(|house| house.files.push(file("docs/x.md", &text)), "docs/x.md", "workplace", "line 2");
    }
}

#[test]
fn migrations_have_no_gap() {
    for name in ["0004_later.sql", "0002_again.sql", "3_short.sql", "0003_.sql", "0003.sql"] {
        let path = format!("crates/store/migrations/{name}");
        let mut house = sound();
        house.files.push(file(&path, "select 1;"));
        let found = findings(&house);
        assert!(found.len() == 1 && found[0].rule.contains("without gaps"), "{name}: {found:?}");
    }
}

#[test]
fn recipes_set_what_exists() {
    let mut house = sound();
    house.files.push(file("docs/settings.md", "| `API_PORT` | `SESSION_SECRET` |"));
    house.files.push(file("deploy/a.yaml", "kind: Pod\n  API_PORT: 1\n  - name: SESSION_SECRET_FILE\n"));
    assert_eq!(findings(&house), []);
    house.files.push(file("deploy/b.yaml", "data:\n  API_PROT: 1\n"));
    let found = findings(&house);
    assert!(found.len() == 1 && found[0].fix.contains("API_PROT"), "{found:?}");
}

#[test]
fn the_manifest_and_the_lock_file_are_read() {
    let manifest = "[workspace]\n# Order.\nmembers = [\n    \"crates/kernel\", # first\n    \"xtask\",\n]\ndefault-members = [\"crates/server\"]\n";
    assert_eq!(members(manifest), ["crates/kernel", "xtask"]);
    let text = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"b\"\nversion = \"2.0.0\"\ndependencies = [\n \"a\",\n]\n";
    assert_eq!(packages(text), [lock("a", "1.0.0"), lock("b", "2.0.0")]);
}

/// The reading itself, on a workspace on disk with faults of every sort that is read.
#[test]
fn a_house_on_disk_is_read_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let member = |name: &str, uses: &str| {
        let path = root.join("crates").join(name);
        std::fs::create_dir_all(path.join("src")).unwrap();
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\n{uses}"
        );
        shell::write(&path, "Cargo.toml", &manifest).unwrap();
        shell::write(&path, "src/lib.rs", "//! Words of it.\n").unwrap();
    };
    member("lower", "upper = { path = \"../upper\" }\n");
    member("upper", "");
    let manifest =
        "[workspace]\nresolver = \"3\"\nmembers = [\n    \"crates/lower\",\n    \"crates/upper\",\n]\n";
    shell::write(&root, "Cargo.toml", manifest).unwrap();
    shell::write(
        &root,
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"openssl-sys\"\nversion = \"0.9.0\"\n",
    )
    .unwrap();
    shell::write(&root, ".gitignore", "ignored.rs\n").unwrap();
    shell::write(&root, "ignored.rs", "").unwrap();
    shell::write(&root, "new.rs", "fn f() {}\n").unwrap();
    shell::output(Command::new("git").args(["init", "--quiet"]).current_dir(&root)).unwrap();
    let house = House::read(&root).unwrap();
    let found: Vec<String> = findings(&house).iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found[0].starts_with("crates/lower/Cargo.toml: ") && found[0].contains("do without upper"));
    assert!(found[1].starts_with("Cargo.lock: ") && found[2].starts_with("new.rs: "));
    assert!(run(&root).is_err());
}
