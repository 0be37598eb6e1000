//! The tools of each kind of file, where they are installed: `promtool`, `systemd-analyze`, `kubectl`,
//! `kubernetes-validate`, `nginx`, `caddy`. What is not there is said. It owns how each is asked, and starts no service.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::running::Folder;
use crate::setting;
use crate::shell::{self, Shell};

/// Set to 1, a tool that is missing is a failure.
const REQUIRED: &str = "REQUIRE_DEPLOY_TOOLS";

/// A tool and how it is asked; `None` when it is content, else what it said.
struct Tool {
    name: &'static str,
    ask: fn(&Path, &Path, &Folder) -> Option<String>,
}

const TOOLS: &[Tool] = &[
    Tool { name: "promtool", ask: promtool },
    Tool { name: "systemd-analyze", ask: systemd },
    Tool {
        name: "kubectl",
        ask: |tool, root, _| said(Command::new(tool).args(["kustomize", "deploy/k8s"]).current_dir(root)),
    },
    Tool { name: "kubernetes-validate", ask: kubernetes },
    Tool { name: "nginx", ask: nginx },
    Tool {
        name: "caddy",
        ask: |tool, root, _| {
            said(
                Command::new(tool)
                    .args(["validate", "--adapter", "caddyfile", "--config", "deploy/caddy/Caddyfile"])
                    .current_dir(root),
            )
        },
    },
];

/// Asks each. Gives how many found a fault.
pub(super) fn run(shell: &Shell) -> Result<usize> {
    let mut faults = 0;
    for tool in TOOLS {
        let Some(program) = shell::find(&[tool.name, &format!("/usr/sbin/{}", tool.name)]) else {
            println!("{}: skipped, it is not installed", tool.name);
            faults += usize::from(setting(REQUIRED).as_deref() == Some("1"));
            continue;
        };
        let folder = Folder::new("deploy")?;
        match (tool.ask)(&program, &shell.root, &folder) {
            None => println!("{}: content", tool.name),
            Some(text) => {
                println!("{}: {text}", tool.name);
                faults += 1;
            }
        }
    }
    Ok(faults)
}

/// What a command said when it failed.
fn said(command: &mut Command) -> Option<String> {
    match command.output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()),
        Err(error) => Some(error.to_string()),
    }
}

fn promtool(tool: &Path, root: &Path, _: &Folder) -> Option<String> {
    let ask =
        |args: [&str; 3]| said(Command::new(tool).args(args).current_dir(root.join("deploy/prometheus")));
    ask(["check", "rules", "alerts.yml"]).or_else(|| ask(["test", "rules", "alerts.test.yml"])).or_else(
        || {
            said(
                Command::new(tool)
                    .args(["check", "config", "--syntax-only", "prometheus.yml"])
                    .current_dir(root.join("deploy/prometheus")),
            )
        },
    )
}

/// The unit with a program that is there, and how much it leaves open.
fn systemd(tool: &Path, root: &Path, folder: &Folder) -> Option<String> {
    let unit = std::fs::read_to_string(root.join("deploy/systemd/stoa.service")).ok()?;
    let unit = unit.replace("/usr/local/bin/stoa", "/bin/true");
    let file = match shell::write(folder.path(), "stoa.service", &unit) {
        Ok(file) => file,
        Err(error) => return Some(format!("{error:#}")),
    };
    let mut verify = Command::new(tool);
    verify.args(["verify", "--man=no"]).arg(&file);
    // 1.5 of 10 is what a service that speaks over sockets cannot do without.
    let mut security = Command::new(tool);
    security.args(["security", "--offline=true", "--threshold=15", "--no-pager"]).arg(&file);
    said(&mut verify).or_else(|| said(&mut security))
}

fn kubernetes(tool: &Path, root: &Path, _: &Folder) -> Option<String> {
    let files =
        std::fs::read_dir(root.join("deploy/k8s")).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    let files = files.filter(|path| !path.ends_with("kustomization.yaml"));
    said(Command::new(tool).arg("--strict").args(files))
}

/// The configuration with a certificate that is there, in a whole that writes nowhere else.
fn nginx(tool: &Path, root: &Path, folder: &Folder) -> Option<String> {
    let place = folder.path();
    let key = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-subj",
            "/CN=x",
        ])
        .args(["-keyout", "privkey.pem", "-out", "fullchain.pem"])
        .current_dir(place)
        .output();
    if !key.is_ok_and(|output| output.status.success()) {
        println!("nginx: no openssl for a certificate");
        return None;
    }
    let own = std::fs::read_to_string(root.join("deploy/nginx/stoa.conf")).ok()?;
    let own = own.replace("/etc/ssl/stoa", &place.display().to_string());
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {}/{kind};", place.display()));
    let whole = format!(
        "pid {0}/pid; error_log stderr; events {{}} http {{ access_log off; {1} {own} }}",
        place.display(),
        temporary.concat()
    );
    let file = shell::write(place, "nginx.conf", &whole).ok()?;
    said(Command::new(tool).arg("-t").arg("-c").arg(file))
}
