//! Proves that the released program needs nothing beside itself: it serves from a root that holds it and the roots of TLS
//! alone, read-only, as nobody, without a capability, and is verified there from outside. It needs to be root for the
//! mounts, which lie in a namespace of their own and end with it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;

use crate::running::{Folder, Program};
use crate::shell::{self, Shell};

/// What Docker puts into every container, beside what the image brings.
const ROOT: &str = "\
CHROOT=$(PATH=\"$PATH:/usr/sbin:/sbin\" command -v chroot)
mount --make-rprivate /
mount -t tmpfs -o size=512m tmpfs \"$ROOT\"
cd \"$ROOT\"
mkdir -p etc/ssl/certs var/lib/stoa proc dev
cp \"$PROGRAM\" stoa
cp /etc/ssl/certs/ca-certificates.crt etc/ssl/certs/
cp /etc/hosts /etc/resolv.conf etc/
for library in $LIBRARIES; do
  mkdir -p \".${library%/*}\"
  cp \"$library\" \".$library\"
done
for device in null random urandom; do
  : > \"dev/$device\"
  mount --bind \"/dev/$device\" \"dev/$device\"
done
mount -t proc proc proc
mount -t tmpfs -o mode=0700,uid=65532,gid=65532,size=256m tmpfs var/lib/stoa
mount -o remount,ro \"$ROOT\"
";

/// Serves there, looks from outside and from inside, and ends it.
///
/// # Errors
/// When it is not static, does not start, is not content, or does not end well.
pub(crate) fn prove(program: &Path) -> Result<()> {
    ensure!(shell::is_root(), "the mounts need root");
    let bytes = fs::read(program).with_context(|| format!("{} is not there", program.display()))?;
    ensure!(super::elf::is_static(&bytes), "{} is not static", program.display());
    serve_alone(program, "")
}

/// The same with the program of the tests, which is not static: its libraries are put beside it. What needs another file,
/// a place to write, a name or a right is found with every change, and the release is not built for it.
///
/// # Errors
/// When it does not start, is not content, or does not end well.
pub(crate) fn prove_tested(shell: &Shell) -> Result<()> {
    if !shell::is_root() || shell::output(Command::new("unshare").args(["--mount", "true"])).is_err() {
        println!("skipped: the mounts need root, and a machine that allows them");
        return Ok(());
    }
    let program = shell.server()?;
    let told = shell::output(Command::new("ldd").arg(&program))?;
    // `name => /path (address)`, and the loader as `/path (address)`.
    let paths = told.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    serve_alone(&program, &paths.collect::<Vec<_>>().join(" "))
}

fn serve_alone(program: &Path, libraries: &str) -> Result<()> {
    let program = program.canonicalize().with_context(|| format!("{} is not there", program.display()))?;
    let size = fs::metadata(&program)?.len();
    let folder = Folder::new("empty")?;
    let root = folder.path().join("root");
    fs::create_dir(&root)?;
    let port = shell::free_port()?.to_string();
    let serve = format!(
        "{ROOT}exec env -i ENVIRONMENT=development API_HOST=127.0.0.1 API_PORT=\"$PORT\" STOA_DATA_DIR=/var/lib/stoa \
         \"$CHROOT\" --userspec=65532:65532 --groups= \"$ROOT\" /stoa serve\n"
    );
    let script = shell::write(folder.path(), "serve", &serve)?;
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-eu"]).arg(&script).current_dir(folder.path());
    command.envs([("ROOT", root.as_os_str()), ("PROGRAM", program.as_os_str())]);
    command.env("PORT", &port).env("LIBRARIES", libraries);
    let log = folder.path().join("log");
    let output = fs::File::create(&log)?;
    command.stdout(output.try_clone()?).stderr(output);
    let begin = Instant::now();
    let mut server = Program::start(&mut command, Signal::TERM)?;
    let said = || format!("it said:\n{}", fs::read_to_string(&log).unwrap_or_default());
    let stoa = |args: &[&str]| {
        let mut command = Command::new(&program);
        command.args(args).env_clear().current_dir(folder.path());
        command
    };
    shell::wait_until(&mut server, Duration::from_secs(30), || {
        shell::output(&mut stoa(&["probe", "ready", "--port", &port])).is_ok()
    })
    .with_context(said)?;
    println!("ready {} ms after the start, in a root of one program", begin.elapsed().as_millis());
    let process = fs::read_dir("/proc")?
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("status")).ok())
        .find(|status| {
            status.starts_with("Name:\tstoa\n") && status.contains("\nUid:\t65532\t65532\t65532\t65532\n")
        });
    let status = process.context("no process of nobody serves")?;
    ensure!(status.contains("\nCapEff:\t0000000000000000\n"), "it has capabilities:\n{status}");
    let resident = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    println!("as nobody, without a capability; {resident}");
    // By name, so that the resolver of a static program is tried too.
    let url = format!("http://localhost:{port}");
    let mut within = Command::new("unshare");
    let look = format!(
        "{ROOT}exec env -i \"$CHROOT\" --userspec=65532:65532 --groups= \"$ROOT\" /stoa verify {url}\n"
    );
    let look = shell::write(folder.path(), "look", &look)?;
    let second = folder.path().join("second");
    fs::create_dir(&second)?;
    within.args(["--mount", "sh", "-eu"]).arg(look).current_dir(folder.path());
    within.envs([("ROOT", second.as_os_str()), ("PROGRAM", program.as_os_str())]);
    within.env("LIBRARIES", libraries);
    ensure!(shell::show(&mut within, |_| {})?, "{}\nstoa verify found something", said());
    ensure!(server.stop(), "{}\nit did not end well", said());
    println!("{} KiB, verified from an empty root, ended when it was told to", size / 1024);
    Ok(())
}
