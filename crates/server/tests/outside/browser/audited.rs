//! What axe finds on every page, in each theme, on a desk and on a phone: nothing. The pages are those of a live server as
//! a visitor, a member and an admin see them, and the sample pages of `web`, which show what a live server rarely does.
//!
//! axe-core comes from the package registry, into the target folder; it is no part of the product.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use axum::Router;
use axum::extract::{Path as Named, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::accounts::{ROOM, claim};
use super::person::Person;
use super::scene::{Scene, walk};
use crate::{clients, place};

/// Looks at the page by every rule, or by those named; gives each violation with where it is.
const AUDIT: &str = r#"
const [only, done] = arguments;
const how = { resultTypes: ["violations"], preload: false };
if (only.length) how.runOnly = { type: "rule", values: only };
else how.rules = { "target-size": { enabled: true } };
// The reference repeats itself a hundred times: two groups of it are the whole of it.
axe.run({ include: [["html"]], exclude: [[".operation-group:nth-of-type(n + 3)"], [".contents section:nth-of-type(n + 3)"]] }, how).then(
  ({ violations }) => done(violations.flatMap(({ id, help, nodes }) =>
    nodes.slice(0, 3).map(({ target, failureSummary }) => `${id}: ${help}: ${target.join(" ")} ${failureSummary.split("\n")[1] ?? ""}`))),
  (error) => done([`axe: ${error}`]),
);
"#;

struct Auditor {
    axe: String,
    found: Vec<String>,
}

impl Auditor {
    async fn hire(test: &str) -> Option<Auditor> {
        let source = match clients::node().await {
            Ok(folder) => std::fs::read_to_string(folder.join("node_modules/axe-core/axe.min.js")),
            Err(reason) => {
                place::skip(test, &format!("NOT CHECKED: axe-core cannot be had: {reason}"));
                return None;
            }
        };
        Some(Auditor { axe: source.expect("axe is a file"), found: Vec::new() })
    }

    /// The open page as it stands, in each theme and width.
    async fn look(&mut self, person: &Person, name: &str) {
        person.browser.set_script_timeout(std::time::Duration::from_secs(120)).await.unwrap();
        person.browser.execute(self.axe.clone(), Vec::new()).await.unwrap();
        // A theme changes colours, a phone changes sizes; what is wrong with the rest is wrong on all of them.
        for (scheme, contrast, phone, only) in [
            ("light", false, false, &[] as &[&str]),
            ("dark", false, false, &["color-contrast"]),
            ("light", true, false, &["color-contrast"]),
            ("dark", true, false, &["color-contrast"]),
            ("light", false, true, &["color-contrast", "target-size", "scrollable-region-focusable"]),
        ] {
            if phone {
                person.phone().await
            }
            person.prefers(scheme).await;
            let dress = format!(
                "(() => {{ document.documentElement.toggleAttribute('data-contrast', {contrast}); for (const one of document.getAnimations()) one.finish?.(); }})()"
            );
            person.value(&dress).await;
            let found = person.browser.execute_async(AUDIT, vec![json!(only)]).await.unwrap();
            let found: Vec<String> = serde_json::from_value(found.json().clone()).unwrap();
            let how = format!(
                "{scheme}{}{}",
                if contrast { ", high contrast" } else { "" },
                if phone { ", phone" } else { "" }
            );
            self.found.extend(found.iter().map(|what| format!("{name} ({how}): {what}")));
        }
        person.desk().await;
        person.prefers("light").await;
    }

    async fn read(&mut self, person: &Person, pages: &[&str]) {
        for page in pages {
            person.open(page).await;
            self.look(person, page).await;
        }
    }

    fn report(self) {
        assert!(self.found.is_empty(), "axe finds:\n{}", self.found.join("\n"));
    }
}

/// A conversation with everything that an answer can hold.
async fn talk(person: &Person) -> String {
    person.open("/apps/assistant").await;
    person.say("Tell me everything").await;
    person.answer().await;
    person.path().await
}

#[tokio::test]
async fn nothing_is_amiss_for_a_visitor() {
    let Some(mut auditor) = Auditor::hire("what axe finds for a visitor").await else { return };
    walk("axe-visitor", &[], async |scene| {
        let person = &scene.person;
        let conversation = talk(person).await;
        let pages = [
            "/",
            "/apps/assistant",
            &conversation,
            "/docs",
            "/docs/errors",
            "/sign-in",
            "/sign-up",
            "/forgot",
            "/nowhere",
            "/offline",
        ];
        auditor.read(person, &pages).await;
        person.open(&conversation).await;
        person.fill("#seek", "conversation").await;
        person.until("document.querySelector('[data-found] .hit')").await;
        auditor.look(person, "what a search finds").await;
        person.open(&conversation).await;
        person.click("[data-open-palette]").await;
        person.see("[role=option]").await;
        auditor.look(person, "the palette").await;
        person.value("document.querySelector('#palette').close()").await;
        person.value("document.querySelector('#shortcuts').showModal()").await;
        auditor.look(person, "the shortcuts").await;
        person.value("document.querySelector('#shortcuts').close()").await;
        person.click("[data-open-conversation]").await;
        auditor.look(person, "the menu of a conversation").await;
        person.click("[data-action=delete]").await;
        auditor.look(person, "the question before deleting").await;
    })
    .await;
    auditor.report();
}

#[tokio::test]
async fn nothing_is_amiss_for_a_member_and_an_admin() {
    let Some(mut auditor) = Auditor::hire("what axe finds for an admin").await else { return };
    walk("axe-admin", &ROOM, async |scene| {
        claim(scene).await;
        let admin = &scene.person;
        let made = json!({"email": "grace@example.com", "password": "another lantern over the harbour"});
        assert_eq!(admin.ask("POST", "/api/v1/admin/users", made).await.status, 201);
        let member = scene.another("axe-member").await;
        member.sign_in("grace@example.com", "another lantern over the harbour").await;
        member.at("/").await;
        let conversation = talk(&member).await;
        let own = [
            "/account",
            "/account/conversations",
            "/account/security",
            "/account/sessions",
            "/account/keys",
            "/account/email",
        ];
        let rest = ["/", &conversation, "/apps/tutor", "/files", "/files/trash", "/files/declutter"];
        auditor.read(&member, &own).await;
        auditor.read(&member, &rest).await;
        member.open("/").await;
        member.click(".person-menu > summary").await;
        auditor.look(&member, "the menu of a person").await;
        // Whatever the administration leads to, so that a page that comes is read too.
        admin.open("/admin").await;
        let tabs = admin
            .value("[...document.querySelectorAll('.tabs a')].map((one) => one.getAttribute('href'))")
            .await;
        let tabs: Vec<&str> = tabs.as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
        assert!(tabs.len() > 10 && tabs.contains(&"/admin/review"), "{tabs:?}");
        auditor.read(admin, &tabs).await;
        let pages = [
            "/admin/users/new",
            "/apps/support/documents",
            "/apps/support/desk",
            "/apps/support/desk/questions",
            "/apps/support/desk/quality",
            "/apps/tutor/problems/new",
        ];
        auditor.read(admin, &pages).await;
    })
    .await;
    auditor.report();
}

#[tokio::test]
async fn nothing_is_amiss_on_the_sample_pages() {
    let test = "what axe finds on the sample pages";
    let Some(mut auditor) = Auditor::hire(test).await else { return };
    let folder = tempfile::tempdir().unwrap();
    if let Err(reason) = write_samples(folder.path()).await {
        return place::skip(test, &format!("NOT CHECKED: {reason}"));
    }
    let mut names: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter(|name| name.ends_with(".html"))
        .collect();
    names.sort();
    assert!(names.len() > 60, "only {} sample pages", names.len());
    let base = serve(folder.path().to_owned()).await;
    walk("axe-samples", &[], async |scene: &Scene| {
        let person = &scene.person;
        for name in &names {
            person.browser.goto(format!("{base}/{name}")).await.unwrap();
            auditor.look(person, name).await;
        }
        person.open("/").await;
    })
    .await;
    auditor.report();
}

/// Has the tests of `web` write their sample pages: their program lies beside this one.
async fn write_samples(folder: &Path) -> Result<(), String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let beside = own.parent().ok_or("no folder")?;
    let age = |path: &PathBuf| path.metadata().and_then(|about| about.modified()).ok();
    let program = std::fs::read_dir(beside)
        .map_err(|error| error.to_string())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension().is_none()
                && path.file_stem().is_some_and(|name| name.to_string_lossy().starts_with("web-"))
        })
        .max_by_key(age)
        .ok_or("the tests of `web` are not built: run the tests of the whole workspace")?;
    let done = tokio::process::Command::new(program)
        .args(["--exact", "ui::samples::every_static_address_exists_and_every_field_has_its_label"])
        .env("STOA_PAGES", folder)
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| error.to_string())?;
    if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stdout).into_owned()) }
}

/// Serves the files of a folder for as long as the test runs.
async fn serve(folder: PathBuf) -> String {
    async fn file(State(folder): State<PathBuf>, Named(path): Named<String>) -> Response {
        let kind = match path.rsplit_once('.').map(|(_, ending)| ending) {
            Some("html") => "text/html; charset=utf-8",
            Some("css") => "text/css",
            Some("js") => "text/javascript",
            Some("svg") => "image/svg+xml",
            _ => "application/octet-stream",
        };
        match std::fs::read(folder.join(path)) {
            Ok(bytes) => ([(header::CONTENT_TYPE, kind)], bytes).into_response(),
            Err(_) => StatusCode::NOT_FOUND.into_response(),
        }
    }
    let router = Router::new().route("/{*path}", get(file)).with_state(folder);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// A test of the test: what is wrong is found.
#[tokio::test]
async fn the_auditor_finds_what_is_wrong() {
    let Some(mut auditor) = Auditor::hire("whether axe finds anything").await else { return };
    walk("axe-witness", &[], async |scene| {
        let person = &scene.person;
        person.open("/").await;
        let planted = "document.querySelector('main').insertAdjacentHTML('beforeend', '<button></button><img src=\"/static/none\">')";
        person.value(planted).await;
        auditor.look(person, "planted").await;
        person.open("/").await;
    })
    .await;
    let all: Value = json!(auditor.found);
    for rule in ["button-name", "image-alt"] {
        assert!(all.to_string().contains(rule), "{rule} is not found: {all}");
    }
}
