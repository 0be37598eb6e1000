//! The release: one static file, its bill of materials, the sums. It owns how the file is built, so that the same sources
//! give the same file: paths are cut off, the commit and its date come in, the date of the build does not.

mod advisories;
mod elf;
mod empty;
mod sbom;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::shell::{self, Shell};

pub(crate) use advisories::run as advisories;
pub(crate) use empty::{prove, prove_tested};
pub(crate) use sbom::{check, write as bill};

/// What to build, and where to put it.
#[derive(clap::Args)]
pub(crate) struct Wanted {
    /// The folder of the release.
    #[arg(long, default_value = "dist")]
    out: PathBuf,
    /// The commit, where there is no git to ask.
    #[arg(long)]
    commit: Option<String>,
    /// The date of the commit (YYYY-MM-DD), where there is no git to ask.
    #[arg(long)]
    date: Option<String>,
}

/// Builds it.
///
/// # Errors
/// When it cannot be built, or is not static.
pub(crate) fn run(shell: &Shell, wanted: &Wanted) -> Result<()> {
    let git = |args: &[&str]| shell::output(shell.command("git").args(["-c", "safe.directory=*"]).args(args));
    let told = |given: &Option<String>, args: &[&str]| match given {
        Some(text) => Ok(text.clone()),
        None => git(args).map(|text| text.trim().to_owned()),
    };
    let commit = told(&wanted.commit, &["rev-parse", "--short=12", "HEAD"])?;
    let date = told(&wanted.date, &["log", "-1", "--format=%cs"])?;
    let host = shell::output(shell.command("rustc").arg("-vV"))?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let mut build = shell.command("cargo");
    // The triple is named so that macros and build scripts, which cannot be static, are built apart.
    build.args(["build", "--release", "--locked", "--package", "server", "--target", host]);
    build.env("RUSTFLAGS", flags(&shell.root));
    build.env("STOA_BUILD_COMMIT", &commit).env("STOA_BUILD_DATE", &date);
    ensure!(shell::show(&mut build, |_| {})?, "the build failed");
    let made = crate::target_folder(&shell.root)?.join(host).join("release/stoa");
    let bytes = fs::read(&made).with_context(|| format!("{} cannot be read", made.display()))?;
    ensure!(elf::is_static(&bytes), "the program asks for a loader: it is not static");
    let out = shell.root.join(&wanted.out);
    fs::create_dir_all(&out)?;
    let program = out.join("stoa");
    fs::copy(&made, &program)?;
    fs::write(out.join("stoa.cdx.json"), sbom::write(shell, Some(&commit))?)?;
    for name in ["LICENSE", "stoa.example.toml", "CHANGELOG.md"] {
        fs::copy(shell.root.join(name), out.join(name))?;
    }
    let version = shell::output(Command::new(&program).arg("version"))?;
    ensure!(version.contains(&commit), "`stoa version` does not name the commit: {version}");
    let sums = shell::output(
        Command::new("sha256sum")
            .args(["stoa", "stoa.cdx.json", "LICENSE", "stoa.example.toml", "CHANGELOG.md"])
            .current_dir(&out),
    )?;
    fs::write(out.join("SHA256SUMS"), &sums)?;
    println!("{}{sums}{} KiB in {}", version, bytes.len() / 1024, out.display());
    Ok(())
}

/// Static, and without the paths of this machine.
fn flags(root: &Path) -> String {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let cut = |path: &Path, name: &str| format!(" --remap-path-prefix={}={name}", path.display());
    let home = home.map(|path| cut(&path, "cargo")).unwrap_or_default();
    format!("-C target-feature=+crt-static{}{home}", cut(root, "stoa"))
}
