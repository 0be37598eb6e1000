//! A Redis of its own, that keeps nothing on disk.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::Signal;

use super::{Services, tied};
use crate::running::{Folder, Program};
use crate::shell;

/// Its program.
pub(super) fn find() -> Option<PathBuf> {
    shell::find(&["redis-server", "valkey-server"])
}

/// Starts it. Gives `STOA_TEST_REDIS`.
pub(super) fn start(services: &mut Services) -> Result<()> {
    let folder = Folder::new("redis")?;
    let port = shell::free_port()?;
    let mut serve = tied(find().context("its program is not found")?, None);
    serve.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"]);
    serve.arg("--dir").arg(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut program = Program::start(&mut serve, Signal::TERM)?;
    shell::wait_until(&mut program, Duration::from_secs(20), || answers(port).unwrap_or(false))?;
    services.variables.push(("STOA_TEST_REDIS", format!("redis://127.0.0.1:{port}")));
    services.keep(program, folder);
    Ok(())
}

fn answers(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer)?;
    Ok(&answer == b"+PONG")
}
