//! The manifests: two to ten pods without rights on a read-only root, asked by the right probes, secrets as files, nobody
//! else on their network.

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{Faults, Place, is_secret, items, text, want};

pub(super) fn rules(place: &Place) -> Result<Faults> {
    let kustomization = place.yaml("k8s/kustomization.yaml")?;
    let kustomization = kustomization.first().context("k8s/kustomization.yaml is empty")?;
    let listed: Vec<&str> =
        items(kustomization, "/resources").into_iter().filter_map(Value::as_str).collect();
    let mut faults = Faults::new();
    let mut objects = Vec::new();
    for file in std::fs::read_dir(place.folder.join("k8s"))? {
        let name = file?.file_name().to_string_lossy().into_owned();
        if name == "kustomization.yaml" {
            continue;
        }
        want(&mut faults, listed.contains(&name.as_str()), format!("k8s: kustomization.yaml lists {name}"));
        objects.extend(place.yaml(&format!("k8s/{name}"))?);
    }
    let of = |kind: &str| objects.iter().find(|object| text(object, "/kind") == kind);
    for kind in [
        "Namespace",
        "ServiceAccount",
        "ConfigMap",
        "Secret",
        "Deployment",
        "Service",
        "Ingress",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "NetworkPolicy",
    ] {
        want(&mut faults, of(kind).is_some(), format!("k8s: there is no {kind}"));
    }
    for object in &objects {
        let (kind, own) = (text(object, "/kind"), text(object, "/metadata/namespace"));
        want(
            &mut faults,
            kind == "Namespace" || own == "stoa",
            format!("k8s: {kind} is in the namespace stoa"),
        );
    }
    let (Some(deployment), Some(config), Some(secret)) = (of("Deployment"), of("ConfigMap"), of("Secret"))
    else {
        return Ok(faults);
    };
    pod(deployment, &mut faults);
    variables(place, deployment, config, secret, &mut faults);
    if let Some(scaler) = of("HorizontalPodAutoscaler") {
        let mut fault = |holds: bool, say: &str| want(&mut faults, holds, format!("k8s: autoscaler: {say}"));
        let number = |pointer: &str| scaler.pointer(pointer).and_then(Value::as_u64);
        fault(
            number("/spec/minReplicas") == Some(2) && number("/spec/maxReplicas") == Some(10),
            "two to ten",
        );
        for (name, percent) in [("cpu", 70), ("memory", 80)] {
            let metric =
                items(scaler, "/spec/metrics").into_iter().find(|one| text(one, "/resource/name") == name);
            let target = metric.and_then(|one| one.pointer("/resource/target/averageUtilization")?.as_u64());
            fault(target == Some(percent), &format!("{name} at {percent} %"));
        }
        fault(
            text(scaler, "/spec/scaleTargetRef/name") == text(deployment, "/metadata/name"),
            "it scales the deployment",
        );
        fault(deployment.pointer("/spec/replicas").is_none(), "the deployment leaves the number to it");
        let shares = text(config, "/data/REPLICAS").parse::<u64>().ok();
        fault(shares == number("/spec/maxReplicas"), "REPLICAS is the most that it may start");
    }
    let labels = deployment.pointer("/spec/template/metadata/labels");
    for (kind, pointer) in [
        ("Service", "/spec/selector"),
        ("PodDisruptionBudget", "/spec/selector/matchLabels"),
        ("NetworkPolicy", "/spec/podSelector/matchLabels"),
        ("Deployment", "/spec/selector/matchLabels"),
    ] {
        let same = of(kind).is_some_and(|object| object.pointer(pointer) == labels);
        want(&mut faults, same, format!("k8s: {kind} selects the pods by their labels"));
    }
    if let Some(ingress) = of("Ingress") {
        let host = text(ingress, "/spec/rules/0/host");
        want(
            &mut faults,
            text(config, "/data/PUBLIC_URL") == format!("https://{host}"),
            "k8s: PUBLIC_URL is the host of the ingress",
        );
        want(
            &mut faults,
            text(ingress, "/spec/tls/0/hosts/0") == host,
            "k8s: the ingress has TLS for its host",
        );
        let held = ingress.pointer("/metadata/annotations/nginx.ingress.kubernetes.io~1proxy-buffering");
        want(&mut faults, held == Some(&Value::from("off")), "k8s: the ingress does not hold streams back");
    }
    Ok(faults)
}

fn pod(deployment: &Value, faults: &mut Faults) {
    let mut fault = |holds: bool, say: &str| want(faults, holds, format!("k8s: deployment: {say}"));
    let yes = |value: Option<&Value>| value == Some(&Value::Bool(true));
    let Some(pod) = deployment.pointer("/spec/template/spec") else { return fault(false, "it has a pod") };
    fault(yes(pod.pointer("/securityContext/runAsNonRoot")), "runAsNonRoot");
    fault(
        pod.pointer("/securityContext/runAsUser").and_then(Value::as_u64).is_some_and(|user| user >= 10_000),
        "runAsUser is of nobody",
    );
    fault(text(pod, "/securityContext/seccompProfile/type") == "RuntimeDefault", "seccompProfile");
    fault(pod.get("automountServiceAccountToken") == Some(&Value::Bool(false)), "no token of Kubernetes");
    let grace = pod.get("terminationGracePeriodSeconds").and_then(Value::as_u64).unwrap_or_default();
    fault(grace >= 40, "it gets 40 seconds to stop");
    let Some(container) = pod.pointer("/containers/0") else { return fault(false, "it has a container") };
    fault(yes(container.pointer("/securityContext/readOnlyRootFilesystem")), "the root is read-only");
    let raised = container.pointer("/securityContext/allowPrivilegeEscalation");
    fault(raised == Some(&Value::Bool(false)), "no privilege is gained");
    fault(
        items(container, "/securityContext/capabilities/drop") == [&Value::from("ALL")],
        "every capability is dropped",
    );
    let image = text(container, "/image");
    fault(image.contains(':') && !image.ends_with(":latest"), "the image has a version");
    for (probe, path) in
        [("startupProbe", "/ready"), ("readinessProbe", "/ready"), ("livenessProbe", "/live")]
    {
        fault(text(container, &format!("/{probe}/httpGet/path")) == path, &format!("{probe} asks {path}"));
    }
    for name in ["requests/cpu", "requests/memory", "limits/memory"] {
        fault(container.pointer(&format!("/resources/{name}")).is_some(), &format!("resources: {name}"));
    }
    let none = deployment.pointer("/spec/strategy/rollingUpdate/maxUnavailable").and_then(Value::as_u64);
    fault(none == Some(0), "no pod ends before its successor is ready");
}

/// Every variable is a setting; every secret is a file that the secret holds.
fn variables(place: &Place, deployment: &Value, config: &Value, secret: &Value, faults: &mut Faults) {
    let mut fault = |holds: bool, say: String| want(faults, holds, say);
    for name in config.get("data").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name) {
        fault(!place.unknown_variable(name), format!("k8s: configmap: {name} is no setting"));
        fault(!is_secret(name), format!("k8s: configmap: {name} is a secret and stands in the open"));
    }
    let Some(container) = deployment.pointer("/spec/template/spec/containers/0") else { return };
    let folder = items(container, "/volumeMounts").into_iter().find(|one| text(one, "/name") == "secrets");
    let folder = folder.map_or("", |mount| text(mount, "/mountPath"));
    let mut used = Vec::new();
    for one in items(container, "/env") {
        let name = text(one, "/name");
        fault(!place.unknown_variable(name), format!("k8s: deployment: {name} is no setting"));
        fault(
            !is_secret(name) || name.ends_with("_FILE"),
            format!("k8s: deployment: {name} stands in the open"),
        );
        if name.ends_with("_FILE") {
            let key = text(one, "/value")
                .strip_prefix(folder)
                .map(|path| path.trim_start_matches('/'))
                .unwrap_or_default();
            let held = secret.pointer(&format!("/stringData/{key}")).is_some();
            fault(held, format!("k8s: secret: {name} reads `{key}`, which it does not hold"));
            used.push(key);
        }
    }
    for key in
        secret.get("stringData").and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key.as_str())
    {
        fault(used.contains(&key), format!("k8s: secret: nobody reads `{key}`"));
        fault(
            text(secret, &format!("/stringData/{key}")) == "replace-me",
            format!("k8s: secret: `{key}` holds a value"),
        );
    }
    let port =
        container.pointer("/ports/0/containerPort").and_then(Value::as_u64).map(|port| port.to_string());
    fault(
        port.as_deref() == Some(text(config, "/data/API_PORT")),
        "k8s: the port is that of API_PORT".to_owned(),
    );
}

#[cfg(test)]
mod tests {
    use super::super::plant;

    #[test]
    fn faults_are_found() {
        plant(
            "k8s/deployment.yaml",
            super::rules,
            &[
                ("runAsNonRoot: true", "runAsNonRoot: false", "runAsNonRoot"),
                ("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "read-only"),
                ("drop: [ALL]", "drop: [NET_RAW]", "capability"),
                ("image: stoa:0.1.0", "image: stoa:latest", "has a version"),
                ("path: /live", "path: /health", "livenessProbe asks /live"),
                ("terminationGracePeriodSeconds: 40", "terminationGracePeriodSeconds: 10", "40 seconds"),
                ("maxUnavailable: 0", "maxUnavailable: 1", "successor is ready"),
                ("name: SESSION_SECRET_FILE", "name: SESSION_SECRET", "in the open"),
                ("/run/secrets/stoa/jwt-secret", "/run/secrets/stoa/other", "does not hold"),
                ("containerPort: 8080", "containerPort: 80", "API_PORT"),
                ("      automountServiceAccountToken: false\n", "", "token of Kubernetes"),
            ],
        );
        plant(
            "k8s/autoscaler.yaml",
            super::rules,
            &[
                ("maxReplicas: 10", "maxReplicas: 20", "two to ten"),
                ("averageUtilization: 70", "averageUtilization: 90", "cpu at 70"),
            ],
        );
        plant(
            "k8s/secret.yaml",
            super::rules,
            &[
                ("jwt-secret: replace-me", "jwt-secret: hunter2hunter2", "holds a value"),
                ("jwt-secret: replace-me", "unread: replace-me", "nobody reads"),
            ],
        );
        plant(
            "k8s/configmap.yaml",
            super::rules,
            &[
                (
                    "PUBLIC_URL: https://chat.example.com",
                    "PUBLIC_URL: https://other.example.com",
                    "host of the ingress",
                ),
                ("ALLOWED_HOSTS:", "ALLOW_HOSTS:", "is no setting"),
            ],
        );
        plant("k8s/kustomization.yaml", super::rules, &[("  - network.yaml\n", "", "lists network.yaml")]);
        plant(
            "k8s/service.yaml",
            super::rules,
            &[("app.kubernetes.io/name: stoa", "app: stoa", "Service selects")],
        );
    }
}
