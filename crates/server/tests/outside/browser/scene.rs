//! One journey's world: a provider, a server, a browser. It ends all of them, however the journey ends.

use std::panic::AssertUnwindSafe;
use std::process::Stdio;
use std::time::Duration;

use futures_util::FutureExt as _;
use tempfile::TempDir;
use thirtyfour::{
    CapabilitiesHelper as _, ChromiumLikeCapabilities as _, DesiredCapabilities, LoggingPrefsLogLevel,
    WebDriver,
};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;

use super::person::Person;
use crate::place;
use crate::server::Server;
use crate::upstream::Upstream;

/// Browsers at the same time: they are heavy, and a starved one is slow in ways that prove nothing.
static ROOM: Semaphore = Semaphore::const_new(2);

/// What a journey finds.
pub struct Scene {
    pub upstream: Upstream,
    pub server: tokio::sync::Mutex<Server>,
    pub person: Person,
    driver: Driver,
    chromium: std::path::PathBuf,
    /// Browsers of other people, with their profiles.
    others: tokio::sync::Mutex<Vec<(WebDriver, TempDir)>>,
}

impl Scene {
    /// Another person with a browser of their own.
    pub async fn another(&self, name: &str) -> Person {
        let profile = tempfile::tempdir().expect("a profile");
        let browser = self.driver.browser(&self.chromium, profile.path()).await;
        self.others.lock().await.push((browser.clone(), profile));
        Person::new(browser, self.person.base.clone(), name).await
    }
}

/// A running chromedriver. The profile of its browser is removed with it.
struct Driver {
    _process: Child,
    port: u16,
    profile: TempDir,
}

/// Walks one journey. `settings` are added to the variables of the server.
pub async fn walk(name: &str, settings: &[(&str, &str)], journey: impl AsyncFnOnce(&Scene)) {
    walk_under("127.0.0.1", name, settings, journey).await;
}

/// The same with pages under this host: what browsers bind to a name (passkeys) needs `localhost`.
pub async fn walk_under(
    host: &str,
    name: &str,
    settings: &[(&str, &str)],
    journey: impl AsyncFnOnce(&Scene),
) {
    let chromium = place::program("STOA_TEST_CHROMIUM", "/usr/bin/chromium");
    let chromedriver = place::program("STOA_TEST_CHROMEDRIVER", "/usr/bin/chromedriver");
    let (Some(chromium), Some(chromedriver)) = (chromium, chromedriver) else {
        place::skip(name, "Chromium or chromedriver is missing");
        return;
    };
    let _place = ROOM.acquire().await.expect("the semaphore is never closed");
    guard::outbound::install_crypto_provider();
    let upstream = Upstream::start().await;
    let mut variables = vec![("OPENAI_BASE_URL", upstream.url.as_str()), ("OPENAI_MODEL", "mock-1")];
    variables.extend_from_slice(settings);
    let server = Server::start(&variables).await;
    let driver = Driver::start(&chromedriver).await;
    let browser = driver.browser(&chromium, driver.profile.path()).await;
    let base = format!("http://{host}:{}", server.address.port());
    let person = Person::new(browser.clone(), base, name).await;
    let scene = Scene {
        upstream,
        server: tokio::sync::Mutex::new(server),
        person,
        driver,
        chromium,
        others: tokio::sync::Mutex::default(),
    };
    let outcome = AssertUnwindSafe(async {
        journey(&scene).await;
        scene.person.nothing_amiss().await;
        let errors = scene.server.lock().await.errors();
        assert!(errors.is_empty(), "the server says that somebody must act: {errors:#?}");
    })
    .catch_unwind()
    .await;
    if outcome.is_err() {
        scene.person.look(&format!("failed-{name}")).await;
        scene.server.lock().await.keep_log(&place::artefacts().join(format!("failed-{name}.log")));
    }
    // Before anything is unwound: a browser whose driver has gone stays for ever.
    let _ = browser.quit().await;
    for (browser, _profile) in scene.others.lock().await.drain(..) {
        let _ = browser.quit().await;
    }
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

impl Driver {
    /// A driver picks a free port and takes it in two steps, for both families of addresses; when something else takes
    /// it in between, the driver gives up, and the next one tries another port.
    async fn start(program: &std::path::Path) -> Driver {
        for _ in 0..4 {
            if let Some(driver) = Driver::attempt(program).await {
                return driver;
            }
        }
        panic!("chromedriver does not start");
    }

    async fn attempt(program: &std::path::Path) -> Option<Driver> {
        let mut process = Command::new(program)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver starts");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let port = async {
            while let Some(line) = lines.next_line().await.expect("text") {
                // "ChromeDriver was started successfully on port 12345."
                let said = line.strip_prefix("ChromeDriver was started successfully on port ");
                if let Some(port) = said.and_then(|rest| rest.trim_end_matches('.').parse().ok()) {
                    return Some(port);
                }
            }
            None
        };
        let port =
            tokio::time::timeout(Duration::from_secs(20), port).await.expect("chromedriver in time")?;
        // Its pipe must not fill.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Some(Driver { _process: process, port, profile: tempfile::tempdir().expect("a profile") })
    }

    async fn browser(&self, chromium: &std::path::Path, profile: &std::path::Path) -> WebDriver {
        let mut wanted = DesiredCapabilities::chrome();
        wanted.set_binary(&chromium.display().to_string()).expect("a path");
        wanted.set_browser_log_level(LoggingPrefsLogLevel::All).expect("a level");
        // A dialog that a page opens is a finding; it is not to be closed before it is found.
        wanted.set("unhandledPromptBehavior", "ignore").expect("a behaviour");
        let profile = format!("--user-data-dir={}", profile.display());
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--lang=en-GB",
            // Loopback and nothing else, whatever a page asks for.
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
            profile.as_str(),
        ] {
            wanted.add_arg(argument).expect("an argument");
        }
        let url = format!("http://127.0.0.1:{}", self.port);
        WebDriver::new(url, wanted).await.expect("a browser")
    }
}
