//! Programs of other makers against the real binary: the official OpenAI packages for Python and Node, and
//! Schemathesis, which reads the OpenAPI document and asks everything that it allows and forbids. They come from the
//! package registries, into the target folder, once. It never changes what it installs.
//!
//! A longer run of Schemathesis: `STOA_TEST_SCHEMA_EXAMPLES` for each operation, `STOA_TEST_SCHEMA_SECONDS` in all,
//! `STOA_TEST_SCHEMA_SEED`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::place;
use crate::server::{KEY, Server};
use crate::upstream::Upstream;

/// How long an installation may take.
const INSTALL: Duration = Duration::from_secs(240);
/// How long the scripts may take.
const RUN: Duration = Duration::from_secs(120);

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/outside/clients");

#[tokio::test]
async fn the_openai_package_for_python() {
    let python = match python().await {
        Ok(folder) => folder.join("bin/python"),
        Err(reason) => return place::skip("the OpenAI package for Python", &reason),
    };
    let scene = Scene::start().await;
    let mut command = Command::new(python);
    command.arg(format!("{SCRIPTS}/official.py")).env("PYTHONDONTWRITEBYTECODE", "1");
    succeed(scene.meet(&mut command), RUN).await;
    scene.end();
}

#[tokio::test]
async fn the_openai_package_for_node() {
    let folder = match node().await {
        Ok(folder) => folder,
        Err(reason) => return place::skip("the OpenAI package for Node", &reason),
    };
    let scene = Scene::start().await;
    let mut command = Command::new("node");
    command.arg(format!("{SCRIPTS}/official.mjs")).env("STOA_NODE_FOLDER", folder);
    succeed(scene.meet(&mut command), RUN).await;
    scene.end();
}

#[tokio::test]
async fn the_server_is_what_its_document_says() {
    let program = match python().await {
        Ok(folder) => folder.join("bin/schemathesis"),
        Err(reason) => return place::skip("Schemathesis", &reason),
    };
    let upstream = Upstream::start().await;
    let server = Server::start(&[
        ("OPENAI_BASE_URL", &upstream.url),
        ("METRICS_TOKEN", "token-of-the-outside-tests-51c0ffee92ab"),
        ("RATE_LIMIT_ENABLED", "false"),
        ("MAX_CONVERSATION_LENGTH", "100000"),
    ])
    .await;
    let seconds = place::number("STOA_TEST_SCHEMA_SECONDS", 30);
    let work = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(program);
    command
        .args(["--config-file", &format!("{SCRIPTS}/schemathesis.toml"), "run", "--no-color"])
        .args(["--max-examples", &place::number("STOA_TEST_SCHEMA_EXAMPLES", 20).to_string()])
        .args(["--max-time", &seconds.to_string()])
        .args(["--seed", &place::number("STOA_TEST_SCHEMA_SEED", 1).to_string()])
        .args(["--header", &format!("X-API-Key: {KEY}")])
        .arg(format!("{}/openapi.json", server.url()))
        .current_dir(work.path());
    let outcome = tokio::time::timeout(Duration::from_secs(seconds + 60), run(&mut command)).await;
    if !matches!(outcome, Ok(Ok(()))) {
        server.keep_log(&place::artefacts().join("failed-schema.log"));
    }
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(said)) => panic!("{said}"),
        Err(_) => panic!("it did not end in time"),
    }
    // Whoever guesses passwords this often does raise an alert.
    let mut errors = server.errors();
    errors.retain(|line| !line.contains("\"event_type\":\"alert.raised\""));
    assert!(errors.is_empty(), "the server says that somebody must act: {errors:#?}");
}

/// The servers that the scripts talk to.
struct Scene {
    _upstream: Upstream,
    /// Everything is there.
    usual: Server,
    /// Two questions a minute, two other requests in two seconds.
    limited: Server,
    /// No model provider.
    alone: Server,
}

impl Scene {
    async fn start() -> Scene {
        let upstream = Upstream::start().await;
        let provider = ("OPENAI_BASE_URL", upstream.url.as_str());
        // The server asks once more by itself: three failures leave one for the client.
        upstream.stumble(3);
        let usual = Server::start(&[provider]).await;
        let limits = [("RATE_LIMIT_PER_MINUTE", "2"), ("RATE_LIMIT_EVERYTHING", "2 per 2 seconds")];
        let limited = Server::start(&[provider, limits[0], limits[1]]).await;
        Scene { usual, limited, alone: Server::start(&[]).await, _upstream: upstream }
    }

    /// Tells a script where everything is.
    fn meet<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("STOA_URL", self.usual.url())
            .env("STOA_LIMITED_URL", self.limited.url())
            .env("STOA_ALONE_URL", self.alone.url())
            .env("STOA_KEY", KEY)
    }

    fn end(self) {
        for server in [self.usual, self.limited, self.alone] {
            let errors = server.errors();
            assert!(errors.is_empty(), "the server says that somebody must act: {errors:#?}");
        }
    }
}

/// The folder of a Python with the packages of `requirements.txt`.
async fn python() -> Result<PathBuf, String> {
    let wanted = format!("{SCRIPTS}/requirements.txt");
    let folder = installed("python", &wanted, async |folder: PathBuf| {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder)).await?;
        let pip =
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", &wanted];
        run(Command::new(folder.join("bin/python")).args(pip)).await
    });
    folder.await
}

/// The folder with the packages of `package.json`.
pub async fn node() -> Result<PathBuf, String> {
    let wanted = format!("{SCRIPTS}/package.json");
    let folder = installed("node", &wanted, async |folder: PathBuf| {
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        fs::copy(&wanted, folder.join("package.json")).map_err(|error| error.to_string())?;
        let npm = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
        run(Command::new("npm").args(npm).current_dir(&folder)).await
    });
    folder.await
}

/// Installs what the file `wanted` lists into a folder of its own, unless that has been done. One at a time, as tests
/// may run in processes of their own.
async fn installed(
    name: &str,
    wanted: &str,
    install: impl AsyncFnOnce(PathBuf) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
    fs::create_dir_all(&root).expect("the folder of the clients");
    let lock = File::create(root.join(format!("{name}.lock"))).expect("a lock");
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock));
    let _held = lock.await.expect("the lock is waited for").expect("the lock is taken");
    let (folder, note) = (root.join(name), root.join(format!("{name}.installed")));
    let list = fs::read_to_string(wanted).expect("the list of packages");
    if fs::read_to_string(&note).is_ok_and(|done| done == list) {
        return Ok(folder);
    }
    tokio::time::timeout(INSTALL, install(folder.clone()))
        .await
        .map_err(|_| format!("installing for {name} took too long"))?
        .map_err(|reason| format!("the packages for {name} cannot be installed: {reason}"))?;
    fs::write(&note, list).expect("the note is written");
    Ok(folder)
}

/// Runs a command to its end; its words when it fails.
async fn run(command: &mut Command) -> Result<(), String> {
    let program = command.as_std().get_program().display().to_string();
    let done = command
        // Whatever proxy this machine uses, the servers are on loopback.
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| format!("{program} does not start: {error}"))?;
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    if done.status.success() { Ok(()) } else { Err(format!("{program} ended with {}\n{said}", done.status)) }
}

async fn succeed(command: &mut Command, within: Duration) {
    match tokio::time::timeout(within, run(command)).await {
        Ok(Ok(())) => {}
        Ok(Err(said)) => panic!("{said}"),
        Err(_) => panic!("not done within {} s", within.as_secs()),
    }
}
