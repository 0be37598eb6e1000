//! The recipe of the image: built apart, empty but for the program, run by nobody, asked by the program itself.

use anyhow::Result;

use super::{Faults, Place, is_secret, want};

/// One instruction, with its continuation lines.
struct Step {
    word: String,
    rest: String,
}

fn steps(text: &str) -> Vec<Step> {
    let joined =
        text.lines().filter(|line| !line.trim_start().starts_with('#')).collect::<Vec<_>>().join("\n");
    let joined = joined.replace("\\\n", " ");
    let lines = joined.lines().filter_map(|line| line.trim().split_once(' '));
    lines.map(|(word, rest)| Step { word: word.to_uppercase(), rest: rest.trim().to_owned() }).collect()
}

pub(super) fn rules(place: &Place) -> Result<Faults> {
    let steps = steps(&place.text("Dockerfile")?);
    let mut faults = Faults::new();
    let stages: Vec<usize> =
        steps.iter().enumerate().filter(|(_, step)| step.word == "FROM").map(|(at, _)| at).collect();
    want(&mut faults, stages.len() >= 2, "Dockerfile: build in one stage, run in another");
    let last = steps.get(stages.last().copied().unwrap_or_default()..).unwrap_or_default();
    let of = |word: &str| {
        last.iter().filter(|step| step.word == word).map(|step| step.rest.clone()).collect::<Vec<_>>()
    };
    want(&mut faults, of("FROM") == ["scratch"], "Dockerfile: the last stage begins FROM scratch");
    for step in steps.iter().filter(|step| step.word == "FROM" && step.rest != "scratch") {
        let image = step.rest.split(' ').next().unwrap_or_default();
        let pinned = image
            .rsplit_once(':')
            .is_some_and(|(_, tag)| tag != "latest" && tag.bytes().any(|b| b.is_ascii_digit()));
        want(&mut faults, pinned, format!("Dockerfile: name the version of {image}"));
    }
    let user = of("USER").pop().unwrap_or_default();
    let number = user.split(':').next().and_then(|text| text.parse::<u32>().ok());
    want(
        &mut faults,
        number.is_some_and(|number| number >= 10_000),
        "Dockerfile: USER is a number over 10000, of nobody",
    );
    want(&mut faults, of("RUN").is_empty(), "Dockerfile: an empty image has nothing to RUN");
    for word in ["HEALTHCHECK", "ENTRYPOINT", "CMD"] {
        let exec = of(word).iter().any(|rest| rest.contains("[\""));
        want(&mut faults, exec, format!("Dockerfile: {word} as a list; there is no shell"));
    }
    want(
        &mut faults,
        of("HEALTHCHECK").iter().any(|rest| rest.contains("\"probe\"")),
        "Dockerfile: HEALTHCHECK asks `stoa probe`",
    );
    want(&mut faults, of("EXPOSE") == ["8080"], "Dockerfile: EXPOSE the port of API_PORT");
    want(
        &mut faults,
        of("COPY").iter().any(|rest| rest.contains("ca-certificates")),
        "Dockerfile: the roots of TLS are missing",
    );
    for step in &steps {
        want(&mut faults, step.word != "ADD", "Dockerfile: COPY in place of ADD");
        if matches!(step.word.as_str(), "ENV" | "ARG") {
            for name in step.rest.split_ascii_whitespace().filter_map(|pair| pair.split('=').next()) {
                want(&mut faults, !is_secret(name), format!("Dockerfile: {name} would lie in the image"));
                let known = step.word == "ARG" || !place.unknown_variable(name);
                want(&mut faults, known, format!("Dockerfile: {name} is no setting"));
            }
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
            "Dockerfile",
            super::rules,
            &[
                ("FROM scratch", "FROM debian:latest", "FROM scratch"),
                ("rust:1.95-slim-bookworm", "rust:latest", "name the version"),
                ("USER 65532:65532", "USER root", "USER is a number"),
                ("USER 65532:65532", "USER 0:0", "USER is a number"),
                ("ENTRYPOINT [\"/stoa\"]", "ENTRYPOINT /stoa", "there is no shell"),
                ("\"probe\", \"ready\"", "\"version\", \"ready\"", "stoa probe"),
                ("EXPOSE 8080", "EXPOSE 80", "EXPOSE"),
                ("API_HOST=0.0.0.0", "SESSION_SECRET=x", "would lie in the image"),
                ("API_HOST=0.0.0.0", "API_HOTS=0.0.0.0", "is no setting"),
                ("COPY . .", "ADD . .", "in place of ADD"),
                ("WORKDIR /var/lib/stoa", "RUN apt-get install curl", "nothing to RUN"),
            ],
        );
    }
}
