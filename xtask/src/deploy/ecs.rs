//! The task and the service of ECS: small, two of them, without rights, secrets from Secrets Manager, logs to CloudWatch.

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{Faults, Place, is_secret, items, text, want};

pub(super) fn rules(place: &Place) -> Result<Faults> {
    let task: Value =
        serde_json::from_str(&place.text("ecs/task-definition.json")?).context("ecs/task-definition.json")?;
    let service: Value =
        serde_json::from_str(&place.text("ecs/service.json")?).context("ecs/service.json")?;
    let mut faults = Faults::new();
    let mut fault = |holds: bool, say: &str| want(&mut faults, holds, format!("ecs: {say}"));
    fault(
        text(&task, "/cpu") == "512" && text(&task, "/memory") == "1024",
        "the task has 512 CPU and 1024 MB",
    );
    fault(text(&task, "/networkMode") == "awsvpc", "networkMode is awsvpc");
    fault(
        !text(&task, "/executionRoleArn").is_empty() && !text(&task, "/taskRoleArn").is_empty(),
        "both roles are named",
    );
    let container = task.pointer("/containerDefinitions/0").context("the task has no container")?;
    fault(container.get("readonlyRootFilesystem") == Some(&Value::Bool(true)), "the root is read-only");
    fault(text(container, "/user").starts_with("65532"), "it runs as nobody");
    fault(
        items(container, "/linuxParameters/capabilities/drop") == [&Value::from("ALL")],
        "every capability is dropped",
    );
    fault(!text(container, "/image").ends_with(":latest"), "the image has a version");
    fault(text(container, "/logConfiguration/logDriver") == "awslogs", "logs go to awslogs");
    for option in ["awslogs-group", "awslogs-region", "awslogs-stream-prefix"] {
        let named = !text(container, &format!("/logConfiguration/options/{option}")).is_empty();
        fault(named, &format!("{option} is set"));
    }
    fault(
        items(container, "/healthCheck/command").contains(&&Value::from("probe")),
        "the health check asks `stoa probe`",
    );
    let stop = container.get("stopTimeout").and_then(Value::as_u64).unwrap_or_default();
    fault((40..=120).contains(&stop), "it gets 40 seconds to stop");
    let port = container.pointer("/portMappings/0/containerPort").and_then(Value::as_u64);
    let wanted = items(container, "/environment").into_iter().find(|one| text(one, "/name") == "API_PORT");
    fault(
        port.map(|port| port.to_string()).as_deref() == wanted.map(|one| text(one, "/value")),
        "the port is that of API_PORT",
    );
    for one in items(container, "/environment") {
        let name = text(one, "/name");
        fault(!is_secret(name), &format!("{name} is a secret and stands in the open"));
        fault(!place.unknown_variable(name), &format!("{name} is no setting"));
    }
    for one in items(container, "/secrets") {
        let name = text(one, "/name");
        fault(
            text(one, "/valueFrom").starts_with("arn:aws:secretsmanager:"),
            &format!("{name} comes from Secrets Manager"),
        );
        fault(!place.unknown_variable(name), &format!("{name} is no setting"));
    }
    for name in ["DATABASE_URL", "SESSION_SECRET", "ENCRYPTION_KEY"] {
        let given = items(container, "/secrets").into_iter().any(|one| text(one, "/name") == name);
        fault(given, &format!("{name} is among the secrets"));
    }
    fault(service.get("desiredCount").and_then(Value::as_u64) == Some(2), "the service runs two");
    fault(
        text(&service, "/loadBalancers/0/containerName") == text(container, "/name"),
        "the balancer names the container",
    );
    fault(
        service.pointer("/loadBalancers/0/containerPort").and_then(Value::as_u64) == port,
        "the balancer names its port",
    );
    let least = service.pointer("/deploymentConfiguration/minimumHealthyPercent").and_then(Value::as_u64);
    fault(least == Some(100), "no task ends before its successor is well");
    let back = service.pointer("/deploymentConfiguration/deploymentCircuitBreaker/rollback");
    fault(back == Some(&Value::Bool(true)), "a deployment that fails is rolled back");
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::super::plant;

    #[test]
    fn faults_are_found() {
        plant(
            "ecs/task-definition.json",
            super::rules,
            &[
                ("\"512\"", "\"4096\"", "512 CPU"),
                ("awsvpc", "bridge", "awsvpc"),
                ("\"readonlyRootFilesystem\": true", "\"readonlyRootFilesystem\": false", "read-only"),
                ("\"user\": \"65532:65532\"", "\"user\": \"0\"", "as nobody"),
                ("stoa:0.1.0", "stoa:latest", "has a version"),
                ("\"awslogs\"", "\"json-file\"", "awslogs"),
                ("\"containerPort\": 8080", "\"containerPort\": 80", "the port is that of API_PORT"),
                ("\"name\": \"REPLICAS\"", "\"name\": \"REPLIKAS\"", "is no setting"),
                ("\"name\": \"AWS_REGION\"", "\"name\": \"SESSION_SECRET\"", "in the open"),
                ("\"stopTimeout\": 40", "\"stopTimeout\": 5", "40 seconds"),
                (
                    "{ \"name\": \"ENCRYPTION_KEY\"",
                    "{ \"name\": \"JWT_SECRET_KEY\"",
                    "ENCRYPTION_KEY is among",
                ),
            ],
        );
        plant(
            "ecs/service.json",
            super::rules,
            &[
                ("\"desiredCount\": 2", "\"desiredCount\": 1", "runs two"),
                ("\"containerPort\": 8080", "\"containerPort\": 3000", "names its port"),
                ("\"rollback\": true", "\"rollback\": false", "rolled back"),
            ],
        );
    }
}
