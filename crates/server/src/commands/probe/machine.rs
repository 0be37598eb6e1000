//! Looks at this machine: the port, the disk, the clock, who can read the files, the proxy settings.
//! It changes nothing.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use kernel::Time;

use super::Probe;
use crate::listen;
use crate::settings::facts::is_writable;
use crate::settings::keys::{KEYRING_FILE, SIGNING_FILE};
use crate::settings::{CertificateSource, Settings};

/// Whether the port is free, and if not, who listens there.
pub(crate) fn listener(settings: &Settings) -> Probe {
    let name = "listener";
    let address = settings.listen.address;
    match TcpListener::bind(address) {
        Ok(_) => Probe::good(name, format!("{address} is free; no server runs there")),
        // A server that ends TLS is asked by name, at the public URL: see the certificate.
        Err(error) if error.kind() == ErrorKind::AddrInUse && settings.listen.certificate.is_some() => {
            Probe::good(name, format!("something listens at {address}"))
        }
        Err(error) if error.kind() == ErrorKind::AddrInUse => match is_stoa(address) {
            true => Probe::good(name, format!("a server answers at {address}")),
            false => Probe::bad(
                name,
                format!("{address} is in use by another program"),
                "stop it, or choose another port with API_PORT",
            ),
        },
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Probe::bad(
            name,
            format!("{address} may not be opened by this user"),
            "choose a port above 1023 with API_PORT",
        ),
        Err(error) => Probe::bad(name, format!("{address} cannot be opened ({error})"), "check API_HOST"),
    }
}

/// The certificate of files, or what is known of the one that an authority gives.
pub(crate) fn own_certificate(settings: &Settings, now: Time) -> Probe {
    let name = "own certificate";
    let files = match &settings.listen.certificate {
        None => return Probe::nothing(name, "TLS does not end here"),
        Some(CertificateSource::Authority(authority)) => {
            let host = authority.directory.host_str().unwrap_or_default();
            return Probe::good(name, format!("ordered from {host} for {}", authority.domains.join(", ")));
        }
        Some(CertificateSource::Files(files)) => files,
    };
    let fix = "renew it and replace both files; the server takes them over by itself";
    match listen::load(files) {
        Err(why) => {
            Probe::bad(name, why, "name PEM files that belong together in TLS_CERT_FILE and TLS_KEY_FILE")
        }
        Ok(shown) if shown.ends <= now => {
            Probe::bad(name, format!("ended at {}", shown.ends.rfc3339_seconds()), fix)
        }
        Ok(shown) => {
            let left = shown.ends.since(now);
            let say = format!("{} days left", left.as_secs() / 86_400);
            if left < listen::MARGIN { Probe::attention(name, say, fix) } else { Probe::good(name, say) }
        }
    }
}

/// `/live` answers 200 with our header.
fn is_stoa(address: SocketAddr) -> bool {
    let at = match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => (Ipv4Addr::LOCALHOST, v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => (Ipv6Addr::LOCALHOST, v6.port()).into(),
        other => other,
    };
    let patience = Duration::from_secs(2);
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&at, patience)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        stream.write_all(b"GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut head = Vec::new();
        stream.take(8_192).read_to_end(&mut head)?;
        Ok(String::from_utf8_lossy(&head).to_ascii_lowercase())
    };
    ask().is_ok_and(|answer| answer.starts_with("http/1.1 200") && answer.contains("x-request-id"))
}

/// Space on the disk of the data folder.
pub(crate) fn disk(settings: &Settings) -> Probe {
    let name = "disk";
    let existing = settings.data_dir.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    let existing = if existing.as_os_str().is_empty() { Path::new(".") } else { existing };
    let free = match rustix::fs::statvfs(existing) {
        Ok(stat) => {
            (stat.f_bavail.saturating_mul(stat.f_frsize), stat.f_blocks.saturating_mul(stat.f_frsize))
        }
        Err(error) => return Probe::attention(name, format!("cannot be asked ({error})"), ""),
    };
    let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    let say = format!("{:.1} GiB of {:.1} GiB are free for the data folder", gib(free.0), gib(free.1));
    let few = free.0 < 1 << 30 || free.0.saturating_mul(20) < free.1;
    match few {
        _ if free.0 < 64 << 20 => {
            Probe::bad(name, say, "make room, or move the data folder with STOA_DATA_DIR")
        }
        true => Probe::attention(name, say, "make room before the disk is full"),
        false => Probe::good(name, say),
    }
}

/// The clock against what the data folder remembers: time that has gone back breaks limits, tokens and order.
pub(crate) fn clock(settings: &Settings, now: Time) -> Probe {
    let name = "clock";
    /// 2025-01-01: before this program was written.
    const WRITTEN: Time = Time::from_seconds(1_735_689_600);
    if now < WRITTEN {
        return Probe::bad(
            name,
            format!("says {}", now.rfc3339_seconds()),
            "set the clock; run a time service",
        );
    }
    let newest = fs::read_dir(&settings.data_dir)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|file| file.metadata().ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok())
        .max();
    let newest = newest.map(|since| Time::from_seconds(i64::try_from(since.as_secs()).unwrap_or_default()));
    match newest {
        Some(newest) if newest.since(now) > Duration::from_secs(300) => Probe::bad(
            name,
            format!(
                "says {}, and the data was written at {}",
                now.rfc3339_seconds(),
                newest.rfc3339_seconds()
            ),
            "the clock was set back; run a time service",
        ),
        _ => Probe::good(name, format!("says {}", now.rfc3339_seconds())),
    }
}

/// Who can read what must be private, and whether the data folder can be written.
pub(crate) fn permissions(settings: &Settings, dotenv: Option<&Path>) -> Vec<Probe> {
    let name = "permissions";
    let mut probes = Vec::new();
    let private: Vec<PathBuf> = [KEYRING_FILE, SIGNING_FILE]
        .iter()
        .map(|file| settings.data_dir.join(file))
        .chain(dotenv.map(Path::to_owned))
        .filter(|path| path.exists())
        .collect();
    for path in &private {
        let open = fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o077 != 0);
        if open {
            let path = path.display();
            probes.push(Probe::bad(
                name,
                format!("others can read `{path}`"),
                format!("run `chmod 600 {path}`"),
            ));
        }
    }
    if !is_writable(&settings.data_dir) {
        probes.push(Probe::bad(
            name,
            format!("the data folder `{}` cannot be written", settings.data_dir.display()),
            "change its owner, or name another with STOA_DATA_DIR",
        ));
    }
    if probes.is_empty() {
        let say = format!("the data folder can be written; {} private files are private", private.len());
        probes.push(Probe::good(name, say));
    }
    probes
}

/// What the settings say about proxies, in both directions.
pub(crate) fn proxies(
    settings: &Settings,
    environment: &std::collections::BTreeMap<String, String>,
) -> Vec<Probe> {
    let http = &settings.http;
    let trusted = match (http.trusted_proxies.is_empty(), http.enforce_https) {
        (true, true) => Probe::attention(
            "proxies",
            "HTTPS is enforced and no proxy is trusted: this server speaks plain HTTP, so every page is redirected",
            "name the address of your load balancer in TRUSTED_PROXIES, and let it send X-Forwarded-Proto",
        ),
        (true, false) => {
            Probe::good("proxies", "none is trusted; the address of a caller is that of the connection")
        }
        (false, _) => {
            let nets: Vec<String> = http.trusted_proxies.iter().map(ToString::to_string).collect();
            Probe::good("proxies", format!("X-Forwarded-* headers count from {}", nets.join(", ")))
        }
    };
    let names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];
    let set: Vec<&str> =
        names.into_iter().filter(|name| environment.get(*name).is_some_and(|v| !v.is_empty())).collect();
    let outgoing = if set.is_empty() {
        Probe::good("outgoing proxy", "none is set")
    } else {
        Probe::attention(
            "outgoing proxy",
            format!("{} is set and not used: the server calls the model provider directly", set.join(", ")),
            "allow the server to reach the provider, or run a gateway and name it in OPENAI_BASE_URL",
        )
    };
    vec![trusted, outgoing]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::commands::paper::Mark;
    use crate::settings::{Flag, Sources};

    fn settings(folder: &Path, port: u16) -> Settings {
        let flag = |setting, text: String| Flag { setting, flag: "--test", text };
        let flags = vec![
            flag("server.data_dir", folder.display().to_string()),
            flag("server.port", port.to_string()),
        ];
        Settings::load(&Sources { flags, ..Sources::default() }).unwrap().0
    }

    #[test]
    fn a_port_is_free_or_taken_by_a_stranger() {
        let folder = tempfile::tempdir().unwrap();
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let stranger = std::thread::spawn(move || {
            let (mut stream, _) = taken.accept().unwrap();
            stream.write_all(b"SSH-2.0-x\r\n").unwrap();
        });
        assert_eq!(listener(&settings(folder.path(), port)).mark, Mark::Bad);
        stranger.join().unwrap();
        assert_eq!(listener(&settings(folder.path(), 0)).mark, Mark::Good);
    }

    #[test]
    fn a_clock_that_went_back_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path(), 0);
        fs::write(folder.path().join("stoa.db"), "").unwrap();
        let now = crate::nature::ambient().now();
        assert_eq!(clock(&settings, now).mark, Mark::Good);
        assert_eq!(clock(&settings, now - Duration::from_secs(86_400)).mark, Mark::Bad);
        assert_eq!(clock(&settings, Time::EPOCH).mark, Mark::Bad);
    }

    #[test]
    fn files_that_others_can_read_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path(), 0);
        let key = folder.path().join(KEYRING_FILE);
        fs::write(&key, "x").unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(permissions(&settings, None)[0].mark, Mark::Bad);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(permissions(&settings, None)[0].mark, Mark::Good);
    }

    #[test]
    fn an_outgoing_proxy_is_noticed_without_its_value() {
        let folder = tempfile::tempdir().unwrap();
        let environment = BTreeMap::from([("HTTPS_PROXY".to_owned(), "http://u:hunter2@proxy".to_owned())]);
        let probes = proxies(&settings(folder.path(), 0), &environment);
        assert_eq!(probes[1].mark, Mark::Attention);
        assert!(!probes[1].say.contains("hunter2"));
        assert_ne!(disk(&settings(folder.path(), 0)).say, "");
    }
}
