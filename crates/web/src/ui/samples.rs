//! Every new page with sample data and with hostile data: it must obey the content security policy, escape what others
//! chose, and name static files that exist. With `STOA_PAGES` set to a folder the pages are written there, to be
//! looked at; with `STOA_PAGES_LANGUAGE` in that language.

mod carry;
mod files;
mod foreign_words;
mod operation;
mod policy;
mod reviewing;
mod service;
mod spoken;
mod tutor;

use askama::Template;
use kernel::{AppId, AppKind, Time};

use super::account::*;
use super::admin::*;
use super::chart::{Chart, Line, Pace};
use super::form::FormView;
use super::frame::{Frame, PersonView, Viewer};
use super::shell::{Brake, Shell};
use super::sign::*;
use super::view::AppView;
use super::{Markup, assets, fill};
use crate::SecretAge;

const HOSTILE: &str = "\"><script>alert(1)</script><img src=x onerror=alert(1)>' {{ 7*7 }}";

fn now() -> Time {
    ago(0)
}

fn ago(seconds: i64) -> Time {
    Time::from_seconds(1_795_220_000 - seconds)
}

/// What people put on the pages: sample texts, hostile ones, or signs of no language.
#[derive(Clone, Copy, PartialEq)]
enum Words {
    Sample,
    Hostile,
    Blank,
}

impl Words {
    fn say(self, text: &str) -> String {
        match self {
            Words::Sample => text.to_owned(),
            Words::Hostile => HOSTILE.to_owned(),
            Words::Blank => "…".to_owned(),
        }
    }

    fn app(self, id: &str, kind: AppKind, name: &str, description: &str) -> AppView {
        AppView {
            id: AppId::parse(id).unwrap(),
            kind,
            name: self.say(name),
            description: self.say(description),
            tools: Vec::new(),
        }
    }

    fn apps(self) -> Vec<AppView> {
        vec![
            self.app("assistant", AppKind::Chat, "Assistant", "Ask anything."),
            self.app("workspace", AppKind::Chat, "Workspace", "The team’s own assistant."),
            self.app("support", AppKind::Support, "Support", "Answers customers from the documents."),
        ]
    }

    fn person(self) -> PersonView {
        PersonView { name: self.say("Ada Lovelace"), email: self.say("ada@example.com"), admin: true }
    }

    fn frame(self) -> Frame {
        Frame { apps: self.apps(), viewer: Viewer::Person(self.person()) }
    }

    fn visitor(self) -> Frame {
        Frame { apps: self.apps(), viewer: Viewer::Visitor(self.say("/apps/assistant")) }
    }

    fn shell(self, here: &'static str) -> Shell {
        Shell {
            frame: self.frame(),
            admin: here.starts_with("/admin"),
            here,
            done: None,
            failed: None,
            brake: None,
            open_alerts: 2,
            open_reviews: 3,
            now: now(),
        }
    }

    fn form(self) -> FormView {
        FormView::new()
            .with("email", &self.say("ada@example.com"))
            .with("name", &self.say("Ada Lovelace"))
            .with("reset", &self.say("token"))
    }

    fn refused(self) -> FormView {
        self.form()
            .wrong("email", &self.say("This is not an e-mail address."))
            .wrong("password", &self.say("It needs at least 15 characters; it has 9."))
            .say(&self.say("The e-mail or the password is not right."))
    }

    fn session(self, n: i64, this: bool, agent: &str) -> SessionView {
        SessionView {
            id: format!("01939f2e-7c4a-7b31-9d55-{n:012}"),
            person: String::new(),
            person_id: String::new(),
            this,
            browser: !agent.contains("python"),
            agent: self.say(agent),
            address: self.say("203.0.113.7"),
            method: "totp".to_owned(),
            created_at: ago(n * 50_000),
            seen_at: ago(n * 400),
        }
    }

    fn sessions(self) -> Vec<SessionView> {
        let agents = [
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1",
            "python-httpx/0.28",
        ];
        (1..).zip(agents).map(|(n, agent)| self.session(n, n == 1, agent)).collect()
    }

    fn key(self, n: i64, name: &str, revoked: bool) -> KeyView {
        KeyView {
            id: format!("01939f2e-7c4a-7b31-9d55-{n:012}"),
            name: self.say(name),
            owner: self.say("ada@example.com"),
            owner_id: String::new(),
            apps: if n == 1 { vec![] } else { vec![self.say("support"), self.say("assistant")] },
            scopes: if n == 1 { vec![] } else { vec![self.say("chat")] },
            limits: if n == 2 { "60 a minute".to_owned() } else { String::new() },
            created_at: ago(n * 900_000),
            used_at: (n != 2).then(|| ago(n * 700)),
            expires_at: (n == 2).then(|| ago(-9_000_000)),
            revoked,
        }
    }

    fn keys(self) -> Vec<KeyView> {
        vec![
            self.key(1, "Nightly import", false),
            self.key(2, "Shop front", false),
            self.key(3, "Old laptop", true),
        ]
    }

    fn user(self, n: i64, email: &str, admin: bool, active: bool) -> UserView {
        UserView {
            id: format!("01939f2e-7c4a-7b31-9d55-{n:012}"),
            email: self.say(email),
            name: if n == 1 { self.say("Ada Lovelace") } else { String::new() },
            admin,
            active,
            verified: n != 3,
            second_factor: n == 1,
            passkeys: u32::from(n == 1),
            has_password: true,
            created_at: ago(n * 1_000_000),
            signed_in_at: (n != 3).then(|| ago(n * 4_000)),
        }
    }

    fn users(self) -> Vec<UserView> {
        vec![
            self.user(1, "ada@example.com", true, true),
            self.user(2, "grace.hopper@example.com", false, true),
            self.user(
                3,
                "a.very.long.address.of.somebody.with.a.long.name@department.example.com",
                false,
                true,
            ),
            self.user(4, "left@example.com", false, false),
        ]
    }

    fn pulse(self) -> PulseView {
        let labels: Vec<String> = (0..60).map(|n| format!("{:02}:{:02}", 4 + n / 60, n % 60)).collect();
        let wave = |base: f64, swing: f64, speed: f64| -> Vec<Option<f64>> {
            (0..60)
                .map(|n| {
                    Some(
                        (base + swing * (f64::from(n) * speed).sin() + f64::from(n * 7 % 5)).max(0.0).round(),
                    )
                })
                .collect()
        };
        let chart = |slug, title, unit, lines: Vec<(&'static str, &'static str, Vec<Option<f64>>)>| Chart {
            slug,
            title,
            summary: "The newest value is 42.".to_owned(),
            unit,
            lines: lines.into_iter().map(|(name, tone, values)| Line { name, tone, values }).collect(),
            labels: labels.clone(),
            pace: Pace::HOUR,
        };
        let mut gaps = wave(20.0, 8.0, 0.3);
        for value in gaps.iter_mut().take(25) {
            *value = None;
        }
        PulseView {
            status: self.say("degraded"),
            services: [
                ("database", "operational"),
                ("cache", "degraded"),
                ("vector_db", "not_configured"),
                ("model", "operational"),
            ]
            .map(|(name, state)| (self.say(name), self.say(state)))
            .to_vec(),
            tiles: [
                ("Requests", "412", "in the last minute", "", "/admin"),
                ("Errors", "0.4 %", "of the last five minutes", "good", "/admin"),
                ("95 of 100 within", "38 ms", "median 4 ms", "", "/admin"),
                ("Sessions", "17", "signed in now", "", "/admin/sessions"),
                ("Failed sign-ins", "31", "in the last hour", "warn", "/admin/audit?type=auth.failure"),
                ("Open alerts", "2", "look at them", "bad", "/admin/alerts"),
            ]
            .map(|(name, value, note, tone, href)| Tile {
                name,
                value: self.say(value),
                note: self.say(note),
                tone,
                href,
            })
            .to_vec(),
            charts: vec![
                chart("requests", "Requests", "", vec![("a minute", "one", wave(380.0, 120.0, 0.13))]),
                chart("errors", "Errors", "", vec![("a minute", "bad", wave(1.0, 2.0, 0.4))]),
                chart(
                    "latency",
                    "Latency",
                    "ms",
                    vec![
                        ("half within", "one", wave(4.0, 2.0, 0.2)),
                        ("95 of 100 within", "two", wave(35.0, 15.0, 0.15)),
                    ],
                ),
                chart("failures", "Failed sign-ins", "", vec![("a minute", "bad", vec![None; 60])]),
                chart("sessions", "Sessions", "", vec![("signed in", "one", gaps)]),
                chart("alerts", "Alerts", "", vec![("open", "two", vec![Some(0.0); 60])]),
            ],
            people: vec![
                (
                    self.say("Ada Lovelace"),
                    "01939f2e-7c4a-7b31-9d55-000000000001".to_owned(),
                    3,
                    "just now".to_owned(),
                ),
                (
                    self.say("grace.hopper@example.com"),
                    "01939f2e-7c4a-7b31-9d55-000000000002".to_owned(),
                    1,
                    "4 minutes ago".to_owned(),
                ),
            ],
        }
    }

    fn event(self, n: i64, kind: &str, severity: &str, actor: &str) -> AuditView {
        AuditView {
            at: ago(n * 77),
            event_type: self.say(kind),
            severity: severity.to_owned(),
            actor: self.say(actor),
            address: self.say("203.0.113.7"),
            object: self.say("user:01939f2e-7c4a-7b31-9d55-000000000002"),
            details: vec![
                (self.say("method"), self.say("password")),
                (self.say("reason"), self.say("wrong password")),
            ],
            id: "01939f2e-7c4a-7b31-9d55-0a6f2c1e8b47".to_owned(),
            hash: "9f2c1e8b470a6f2c1e8b470a6f2c1e8b470a6f2c1e8b470a6f2c1e8b470a6f2c".to_owned(),
        }
    }

    fn backup(self, n: i64, readable: bool) -> crate::api::admin::backups::BackupView {
        crate::api::admin::backups::BackupView {
            name: self.say(&format!("stoa_2026112{n}_020000.stoa")),
            at: ago(n * 86_400),
            bytes: 12_345_678,
            local: true,
            bucket: n > 1,
            readable,
            reason: readable.then_some("before_migration"),
            rows: readable.then_some(120_000),
            files: readable.then_some(7),
            schema: readable.then_some(8),
        }
    }

    fn alert(self, n: i64, title: &str, severity: &str, closed: bool) -> AlertView {
        AlertView {
            id: format!("01939f2e-7c4a-7b31-9d55-{n:012}"),
            title: self.say(title),
            severity: severity.to_owned(),
            details: vec![(self.say("address"), self.say("203.0.113.7"))],
            count: u64::try_from(n * 11).unwrap(),
            first_at: ago(n * 4_000),
            last_at: ago(n * 50),
            closed: closed.then(|| (ago(30), "acknowledged {at}".to_owned())),
        }
    }
}

fn text(page: &impl Template) -> String {
    fill(page).unwrap()
}

fn pages(words: Words) -> Vec<(&'static str, String)> {
    let shell = |here| words.shell(here);
    let sign_in = SignInPage {
        frame: words.visitor(),
        form: FormView::new(),
        return_to: words.say("/apps/workspace"),
        second_factor: false,
        issuers: vec![],
        open: true,
        mail: true,
        done: None,
    };
    let issuers =
        vec![("google".to_owned(), words.say("Google")), ("company".to_owned(), words.say("Company SSO"))];
    let security = SecurityPage {
        shell: shell("/account/security"),
        email: words.say("ada@example.com"),
        password: FormView::new(),
        has_password: true,
        password_at: Some(ago(4_000_000)),
        least: 15,
        totp_at: None,
        recovery_left: 0,
        passkeys: vec![],
        form: FormView::new(),
    };
    let keys = KeysPage {
        shell: shell("/account/keys"),
        form: FormView::new(),
        keys: words.keys(),
        next: Some("abc".to_owned()),
        apps: words.apps(),
        fresh: None,
    };
    let users = UsersPage {
        shell: shell("/admin/users"),
        filter: FormView::new(),
        users: words.users(),
        next: Some("/admin/users?after=abc".to_owned()),
        filtered: false,
        totals: Some((4, 1)),
    };
    let new_user = NewUserPage {
        shell: shell("/admin/users"),
        form: words.form(),
        mail: true,
        least: 15,
        invitation: None,
    };
    let user = UserPage {
        shell: shell("/admin/users"),
        user: words.user(2, "grace.hopper@example.com", false, true),
        own: false,
        grants: vec![
            GrantView {
                app: "assistant".to_owned(),
                name: words.say("Assistant"),
                level: "none",
                anyway: "open to everybody",
            },
            GrantView { app: "workspace".to_owned(), name: words.say("Workspace"), level: "use", anyway: "" },
            GrantView { app: "support".to_owned(), name: words.say("Support"), level: "manage", anyway: "" },
        ],
        sessions: words.sessions(),
        keys: words.keys(),
    };
    let audit = AuditPage {
        shell: shell("/admin/audit"),
        filter: words.form(),
        filtered: false,
        types: vec!["auth.success", "auth.failure"],
        events: vec![
            words.event(1, "auth.success", "low", "user:01939f2e-7c4a-7b31-9d55-000000000002"),
            words.event(2, "auth.failure", "high", "anonymous"),
            words.event(3, "lockdown.on", "critical", "operator"),
            words.event(4, "permission.changed", "medium", "user:01939f2e-7c4a-7b31-9d55-000000000001"),
        ],
        next: Some("abc".to_owned()),
        query: "&type=auth.failure".to_owned(),
        export: "&event=auth.failure".to_owned(),
    };
    let mut braked = shell("/admin/lockdown");
    braked.brake = Some(Brake {
        title: "The server is locked for accounts.",
        text: "Only administrators and visitors come in.",
    });
    let mut done = shell("/account");
    done.done = Some("Saved.".to_owned());
    vec![
        ("sign-in", text(&sign_in)),
        ("sign-in-more", text(&SignInPage { issuers: issuers.clone(), form: words.refused(), done: Some("You are signed out."), ..sign_in.clone() })),
        ("sign-in-code", text(&SignInPage { second_factor: true, form: words.form().wrong("code", "That code is not right."), ..sign_in.clone() })),
        ("sign-up", text(&SignUpPage { frame: words.visitor(), form: words.refused(), return_to: words.say("/x"), door: Door::Open, least: 15 })),
        ("sign-up-invited", text(&SignUpPage { frame: words.visitor(), form: FormView::new(), return_to: String::new(), door: Door::Invited, least: 15 })),
        ("sign-up-closed", text(&SignUpPage { frame: words.visitor(), form: FormView::new(), return_to: String::new(), door: Door::Closed, least: 15 })),
        ("forgot", text(&ForgotPage { frame: words.visitor(), form: words.form(), mail: true })),
        ("forgot-closed", text(&ForgotPage { frame: words.visitor(), form: words.form(), mail: false })),
        ("reset", text(&ResetPage { frame: words.visitor(), form: words.form(), least: 15 })),
        ("verify", text(&VerifyPage { frame: words.visitor(), form: words.form() })),
        ("setup", text(&SetupPage { frame: words.visitor(), form: FormView::new(), least: 15 })),
        ("said", text(&SaidPage { frame: words.visitor(), icon: "mail", title: "Look into your mail", text: words.say("If this address has an account, a link is on its way."), hint: "It works once, for 30 minutes.", next: ("/sign-in".to_owned(), "Back to sign-in") })),
        ("prove", text(&ProvePage { frame: words.frame(), form: FormView::new(), email: words.say("ada@example.com"), action: words.say("/admin/lockdown/users"), carried: vec![(words.say("word"), words.say("users"))], what: words.say("You are about to lock the server."), has_password: true, has_second_factor: true })),
        ("confirm", text(&ConfirmPage { frame: words.frame(), form: FormView::new(), title: words.say("Lock the accounts?"), effects: vec![words.say("Every account that is no administrator is refused."), words.say("Running answers are cut within a second.")], word: words.say("users"), action: words.say("/admin/lockdown/users"), carried: vec![], label: words.say("Lock"), back: "/admin/lockdown".to_owned() })),
        ("account", text(&ProfilePage { shell: done, person: words.person(), form: words.form(), role: "administrator", created_at: ago(9_000_000), verified: true, apps: words.apps().into_iter().zip(["use", "manage", "use"]).collect(), issuers: vec![words.say("https://accounts.example.com")], language: Some(kernel::Language::German) })),
        ("security", text(&security)),
        ("security-full", text(&SecurityPage { password: FormView::new().wrong("new_password", "It has to differ from your e-mail address."), totp_at: Some(ago(800_000)), recovery_left: 7, passkeys: vec![PasskeyView { id: "1".to_owned(), name: words.say("My laptop"), created_at: ago(80_000), used_at: Some(ago(500)) }], ..security.clone() })),
        ("totp", text(&TotpPage { shell: shell("/account/security"), form: FormView::new(), picture: Markup(r#"<svg viewBox="0 0 8 8"><path d="M0 0h8v8H0z"/></svg>"#.to_owned()), secret: words.say("JBSW Y3DP EHPK 3PXP"), address: "otpauth://totp/Stoa".to_owned() })),
        ("recovery", text(&RecoveryPage { shell: shell("/account/security"), codes: (0..10).map(|n| words.say(&format!("k7q{n}-w2mx-9rt{n}"))).collect() })),
        ("sessions", text(&SessionsPage { shell: shell("/account/sessions"), sessions: words.sessions(), next: None })),
        ("email", text(&EmailPage { shell: shell("/account"), form: words.form().wrong("address", &words.say("This is not an e-mail address.")), email: words.say("ada@example.com"), mail: true })),
        ("keys", text(&keys)),
        ("keys-fresh", text(&KeysPage { fresh: Some((words.say("Nightly import"), words.say("stoa_9fK2mXw7QpZr5TnV8bYc3HdJ6sLgA4eU"))), form: words.refused(), ..keys.clone() })),
        ("keys-empty", text(&KeysPage { keys: vec![], apps: vec![], next: None, ..keys })),
        ("admin", text(&OverviewPage { shell: shell("/admin"), pulse: Markup(text(&words.pulse())), version: "0.3.0".to_owned(), environment: "production".to_owned(), warnings: vec![(words.say("SESSION_SECRET has been in use for 210 days."), "/admin/settings"), (words.say("Two alerts are open."), "/admin/alerts")] })),
        ("users", text(&users)),
        ("users-empty", text(&UsersPage { users: vec![], filtered: true, filter: words.form(), next: None, ..users })),
        ("new-user", text(&new_user)),
        ("new-user-invited", text(&NewUserPage { invitation: Some((words.say("new@example.com"), words.say("https://stoa.example.com/sign-up#token=Qm9vIHRoaXMgaXMgYSB0b2tlbiBmb3IgYW4gaW52aXRhdGlvbg"))), mail: false, ..new_user })),
        ("user", text(&user)),
        ("user-own", text(&UserPage { own: true, sessions: vec![], keys: vec![], ..user })),
        ("admin-sessions", text(&AllSessionsPage { shell: shell("/admin/sessions"), sessions: words.sessions().into_iter().map(|one| SessionView { person: words.say("ada@example.com"), person_id: "1".to_owned(), ..one }).collect(), next: None })),
        ("admin-keys", text(&AllKeysPage { shell: shell("/admin/keys"), keys: words.keys().into_iter().map(|one| KeyView { owner_id: "1".to_owned(), ..one }).collect(), next: None })),
        ("audit", text(&audit)),
        ("audit-empty", text(&AuditPage { events: vec![], filtered: true, ..audit })),
        ("alerts", text(&AlertsPage { shell: shell("/admin/alerts"), open: vec![words.alert(1, "Multiple failed login attempts", "high", false), words.alert(2, "A refresh token was used twice", "critical", false)], closed: vec![words.alert(3, "Unusual permission activity", "high", true)], next: None, sinks: "Sent to a webhook and by mail.".to_owned() })),
        ("backups", text(&BackupsPage { shell: shell("/admin/backups"), backups: vec![words.backup(1, true), words.backup(2, false)], schedule: "Made on the schedule 0 2 * * * (UTC), and here.".to_owned(), freshness: "current", last: Some(ago(5_000)), failed: Some(ago(90_000)), drill: "overdue", verified: Some((ago(4_000_000), true)) })),
        ("backups-empty", text(&BackupsPage { shell: shell("/admin/backups"), backups: vec![], schedule: "No schedule is set.".to_owned(), freshness: "none", last: None, failed: None, drill: "none", verified: None })),
        ("blocks", text(&BlocksPage { shell: shell("/admin/blocks"), form: words.refused(), blocks: vec![BlockView { net: words.say("203.0.113.0/24"), reason: words.say("scans"), created_at: ago(5_000), expires_at: Some(ago(-80_000)) }, BlockView { net: words.say("2001:db8::/48"), reason: String::new(), created_at: ago(9_000), expires_at: None }], own: words.say("198.51.100.4") })),
        ("lockdown", text(&LockdownPage { shell: shell("/admin/lockdown"), mode: "off", since: None, by: String::new() })),
        ("lockdown-users", text(&LockdownPage { shell: braked, mode: "users", since: Some(ago(100)), by: words.say("ada@example.com") })),
        ("settings", text(&SettingsPage { shell: shell("/admin/settings"), groups: vec![("Server".to_owned(), vec![SettingView { name: "API_PORT".to_owned(), value: words.say("8080"), origin: "default".to_owned(), secret: false, chosen: false }, SettingView { name: "SESSION_SECRET".to_owned(), value: words.say("fingerprint 9f2c1e8b"), origin: words.say("environment: SESSION_SECRET"), secret: true, chosen: true }]), ("Who is asking".to_owned(), vec![SettingView { name: "COOKIE_DOMAIN".to_owned(), value: String::new(), origin: "default".to_owned(), secret: false, chosen: false }])], ages: vec![SecretAge { name: words.say("SESSION_SECRET"), days: 208, old: true }, SecretAge { name: "JWT_SECRET_KEY".to_owned(), days: 9, old: false }] })),
    ]
}

fn every(words: Words) -> Vec<(&'static str, String)> {
    pages(words)
        .into_iter()
        .chain(carry::pages(words))
        .chain(files::pages(words))
        .chain(operation::pages(words))
        .chain(reviewing::pages(words))
        .chain(service::pages(words))
        .chain(tutor::pages(words))
        .collect()
}

#[test]
fn every_static_address_exists_and_every_field_has_its_label() {
    let folder = std::env::var_os("STOA_PAGES").map(std::path::PathBuf::from);
    let language = std::env::var_os("STOA_PAGES_LANGUAGE");
    let language = language
        .as_deref()
        .and_then(std::ffi::OsStr::to_str)
        .and_then(kernel::Language::parse)
        .unwrap_or_default();
    for (name, html) in crate::texts::in_language(language, || every(Words::Sample)) {
        for address in html.split('"').filter(|text| text.starts_with(assets::PREFIX)) {
            assert!(assets::find(address).is_some(), "{name}: {address}");
        }
        for label in html.split("<label for=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert_eq!(html.matches(&format!("id=\"{label}\"")).count(), 1, "{name}: {label}");
        }
        assert_eq!(html.matches("<h1").count(), 1, "{name} has one heading");
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(folder.join(format!("{name}.html")), html).unwrap();
        }
    }
    if let Some(folder) = &folder {
        std::fs::create_dir_all(folder.join("static")).unwrap();
        for asset in assets::all() {
            std::fs::write(folder.join(asset.url.trim_start_matches('/')), &asset.body).unwrap();
        }
    }
}
