//! The unit of systemd: hardened, stopped slowly, secrets as files.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{Faults, Place, is_secret, want};

/// What a service that only speaks over sockets needs no more of.
const HARDENED: [(&str, &str); 22] = [
    ("User", "stoa"),
    ("NoNewPrivileges", "yes"),
    ("CapabilityBoundingSet", ""),
    ("ProtectSystem", "strict"),
    ("ProtectHome", "yes"),
    ("ProtectProc", "invisible"),
    ("ProtectClock", "yes"),
    ("ProtectHostname", "yes"),
    ("ProtectKernelTunables", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectControlGroups", "yes"),
    ("PrivateTmp", "yes"),
    ("PrivateDevices", "yes"),
    ("PrivateUsers", "yes"),
    ("RestrictNamespaces", "yes"),
    ("RestrictRealtime", "yes"),
    ("RestrictSUIDSGID", "yes"),
    ("LockPersonality", "yes"),
    ("MemoryDenyWriteExecute", "yes"),
    ("UMask", "0077"),
    ("Restart", "always"),
];

pub(super) fn rules(place: &Place) -> Result<Faults> {
    let text = place.text("systemd/stoa.service")?;
    let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some((name, value)) = line.split_once('=') {
            values.entry(name).or_default().push(value);
        }
    }
    let mut faults = Faults::new();
    let of = |name: &str| values.get(name).cloned().unwrap_or_default();
    for (name, value) in HARDENED {
        want(&mut faults, of(name) == [value], format!("stoa.service: {name}={value}"));
    }
    let seconds = of("TimeoutStopSec").first().and_then(|text| text.parse::<u32>().ok()).unwrap_or_default();
    want(&mut faults, seconds >= 40, "stoa.service: it gets 40 seconds to stop");
    want(
        &mut faults,
        of("ExecReload").iter().any(|line| line.contains("-HUP")),
        "stoa.service: a reload is a SIGHUP",
    );
    want(
        &mut faults,
        of("SystemCallFilter").iter().any(|line| line.contains("@system-service")),
        "stoa.service: SystemCallFilter=@system-service",
    );
    want(
        &mut faults,
        of("EnvironmentFile") == ["/etc/stoa/stoa.env"],
        "stoa.service: EnvironmentFile=/etc/stoa/stoa.env",
    );
    let environment = place.text("systemd/stoa.env")?;
    let lines = environment.lines().filter(|line| !line.starts_with('#'));
    for (name, value) in lines.filter_map(|line| line.split_once('=')) {
        let open = is_secret(name) && !name.ends_with("_FILE");
        want(&mut faults, !open, format!("stoa.env: {name} stands in the open"));
        want(&mut faults, !place.unknown_variable(name), format!("stoa.env: {name} is no setting"));
        let kept = !name.ends_with("_FILE") || value.starts_with("/etc/stoa/secrets/");
        want(&mut faults, kept, format!("stoa.env: {name} lies in /etc/stoa/secrets"));
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::super::plant;

    #[test]
    fn faults_are_found() {
        plant(
            "systemd/stoa.service",
            super::rules,
            &[
                ("User=stoa", "User=root", "User=stoa"),
                ("ProtectSystem=strict", "ProtectSystem=full", "ProtectSystem"),
                ("NoNewPrivileges=yes\n", "", "NoNewPrivileges"),
                ("TimeoutStopSec=40", "TimeoutStopSec=5", "40 seconds"),
                ("-HUP", "-TERM", "SIGHUP"),
                ("EnvironmentFile=", "Environment=", "EnvironmentFile"),
            ],
        );
        plant(
            "systemd/stoa.env",
            super::rules,
            &[
                ("SESSION_SECRET_FILE=", "SESSION_SECRET=", "in the open"),
                ("STOA_DATA_DIR=", "STOA_DATE_DIR=", "is no setting"),
                ("=/etc/stoa/secrets/jwt-secret", "=/tmp/jwt-secret", "lies in /etc/stoa/secrets"),
            ],
        );
    }
}
