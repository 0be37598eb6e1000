//! The services of one machine: each is asked for its health, bounded, without rights, and reads secrets from files.

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{Faults, Place, is_secret, items, text, want};

const FILE: &str = "compose.yaml";

pub(super) fn rules(place: &Place) -> Result<Faults> {
    let documents = place.yaml(FILE)?;
    let compose = documents.first().context("compose.yaml is empty")?;
    let mut faults = Faults::new();
    let services =
        compose.get("services").and_then(Value::as_object).context("compose.yaml has no services")?;
    for name in ["stoa", "postgres", "redis"] {
        want(&mut faults, services.contains_key(name), format!("{FILE}: the service {name} is missing"));
    }
    for (name, service) in services {
        let mut fault = |holds: bool, say: &str| want(&mut faults, holds, format!("{FILE}: {name}: {say}"));
        let image = text(service, "/image");
        let tag = image.rsplit_once(':').map_or("", |(_, tag)| tag);
        fault(!tag.is_empty() && tag != "latest", "the image has a version");
        fault(!items(service, "/healthcheck/test").is_empty(), "it has a health check");
        fault(service.get("read_only") == Some(&Value::Bool(true)), "its root is read-only");
        fault(
            items(service, "/security_opt").contains(&&Value::from("no-new-privileges:true")),
            "no-new-privileges is set",
        );
        fault(service.pointer("/deploy/resources/limits/memory").is_some(), "its memory is bounded");
        fault(service.pointer("/deploy/resources/limits/cpus").is_some(), "its processors are bounded");
        fault(service.pointer("/logging/options/max-size").is_some(), "its log is bounded");
        fault(service.get("privileged").is_none(), "it is not privileged");
        for port in items(service, "/ports").into_iter().filter_map(Value::as_str) {
            fault(port.starts_with("127.0.0.1:"), "its ports are open to this machine alone");
        }
        for (variable, value) in service.get("environment").and_then(Value::as_object).into_iter().flatten() {
            let file = variable.ends_with("_FILE");
            fault(!is_secret(variable) || file, &format!("{variable} is a secret and stands in the open"));
            if let (true, Some(path)) = (file, value.as_str()) {
                let secret = path.strip_prefix("/run/secrets/").unwrap_or_default();
                let given = items(service, "/secrets").contains(&&Value::from(secret));
                fault(
                    given && compose.pointer(&format!("/secrets/{secret}")).is_some(),
                    &format!("the secret {secret} is handed to it"),
                );
            }
        }
    }
    if let Some(stoa) = services.get("stoa") {
        let mut fault = |holds: bool, say: &str| want(&mut faults, holds, format!("{FILE}: stoa: {say}"));
        fault(items(stoa, "/cap_drop") == [&Value::from("ALL")], "cap_drop is ALL");
        fault(text(stoa, "/user").starts_with("65532"), "it runs as nobody");
        fault(text(stoa, "/environment/ENVIRONMENT") == "production", "ENVIRONMENT is production");
        fault(
            items(stoa, "/healthcheck/test").contains(&&Value::from("probe")),
            "its health check asks `stoa probe`",
        );
        let grace = text(stoa, "/stop_grace_period").trim_end_matches('s').parse::<u32>().unwrap_or_default();
        fault(grace >= 40, "it gets 40 seconds to stop");
        for other in ["postgres", "redis"] {
            let waits = text(stoa, &format!("/depends_on/{other}/condition")) == "service_healthy";
            fault(waits, &format!("it waits until {other} is well"));
        }
        for variable in
            stoa.get("environment").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name)
        {
            fault(!place.unknown_variable(variable), &format!("{variable} is no setting"));
        }
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::super::plant;

    #[test]
    fn faults_are_found() {
        plant(
            "compose.yaml",
            super::rules,
            &[
                ("image: stoa:0.1.0", "image: stoa:latest", "has a version"),
                ("    read_only: true\n", "", "read-only"),
                ("      - no-new-privileges:true", "      - seccomp:unconfined", "no-new-privileges"),
                ("          memory: 1G\n", "", "memory is bounded"),
                ("127.0.0.1:8080:8080", "8080:8080", "this machine alone"),
                (
                    "SESSION_SECRET_FILE: /run/secrets/session-secret",
                    "SESSION_SECRET: hunter2",
                    "in the open",
                ),
                ("/run/secrets/session-secret", "/run/secrets/other-secret", "other-secret is handed"),
                ("user: 65532:65532", "user: root", "as nobody"),
                ("ENVIRONMENT: production", "ENVIRONMENT: development", "ENVIRONMENT"),
                ("stop_grace_period: 40s", "stop_grace_period: 10s", "40 seconds"),
                ("condition: service_healthy", "condition: service_started", "until postgres"),
                ("PUBLIC_URL:", "PUBLIC_URI:", "is no setting"),
                ("  redis:\n    image", "  cache:\n    image", "redis is missing"),
            ],
        );
    }
}
