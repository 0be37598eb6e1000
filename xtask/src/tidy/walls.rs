//! Who may use whom: the order of the rooms, where outside technologies may be used, what never comes in.

use super::Finding;
use super::house::{House, Member, Use};

/// Growth past this is a decision and not an accident.
pub(super) const MOST_PACKAGES: usize = 649;

/// An outside technology and the rooms that may use it.
struct Confined {
    packages: &'static [&'static str],
    rooms: &'static [&'static str],
    /// Tests of every room may use it too.
    in_tests: bool,
}

const CONFINED: &[Confined] = &[
    Confined { packages: &["rusqlite", "sqlx"], rooms: &["store", "bench"], in_tests: false },
    Confined { packages: &["axum", "axum-server", "tower-http"], rooms: &["web", "server"], in_tests: false },
    Confined { packages: &["reqwest"], rooms: &["guard", "verify"], in_tests: true },
    Confined { packages: &["redis"], rooms: &["guard"], in_tests: true },
    Confined { packages: &["object_store"], rooms: &["files"], in_tests: false },
    Confined { packages: &["hyper", "hyper-util"], rooms: &["web", "server", "bench"], in_tests: true },
];

/// Pairs that must not meet although the order would allow it: `*` stands for every member.
const FORBIDDEN_PAIRS: &[(&str, &str, &str)] = &[
    ("web", "store", "a handler asks a service; put the query behind one in a room above store"),
    ("verify", "*", "verify is a stranger who speaks only HTTP; say it in HTTP"),
];

/// What must not be in the lock file, and why.
const FORBIDDEN_PACKAGES: &[(&str, &str)] = &[
    ("aws-lc-rs", "it compiles C for minutes; rustls works with ring here"),
    ("aws-lc-sys", "it compiles C for minutes; rustls works with ring here"),
    ("aws-lc-fips-sys", "it compiles C for minutes; rustls works with ring here"),
    ("openssl-sys", "a fresh Debian has no OpenSSL headers; use rustls"),
    ("native-tls", "it brings OpenSSL; use rustls"),
    ("cmake", "a fresh Debian has no cmake"),
    ("prost-build", "it calls protoc"),
];

/// Families of packages that must not be in the lock file, by how their names begin, and why.
const FORBIDDEN_FAMILIES: &[(&str, &str)] = &[
    ("aws-sdk-", AMAZON),
    ("aws-smithy-", AMAZON),
    ("aws-config", AMAZON),
    ("aws-sigv4", AMAZON),
    ("aws-types", AMAZON),
    ("aws-credential-types", AMAZON),
    ("rusoto_", AMAZON),
];
const AMAZON: &str =
    "AWS is spoken by `guard::outbound::aws`, over the one HTTP client (docs/decisions/0009)";

/// What must be there once at the most.
const ONE_VERSION: &[&str] = &["reqwest", "hyper", "rustls", "ring", "tokio", "axum", "sqlx"];

/// A member uses only members above it.
pub(super) fn order(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (place, member) in house.members.iter().enumerate() {
        for used in &member.uses {
            let other = house.members.iter().position(|other| other.name == used.name);
            if other.is_some_and(|other| other >= place) {
                findings.push(Finding::new(
                    &member.manifest,
                    "a crate uses only crates above it in `members`",
                    format!("do without {}, or move what both need further up", used.name),
                ));
            }
        }
    }
    findings
}

/// Pairs that must not meet.
pub(super) fn forbidden_pairs(house: &House) -> Vec<Finding> {
    let of_the_house = |name: &str| house.members.iter().any(|member| member.name == name);
    let mut findings = Vec::new();
    for (user, used, fix) in FORBIDDEN_PAIRS {
        for member in house.members.iter().filter(|member| member.name == *user) {
            for name in member.uses.iter().map(|used| &used.name) {
                if name == used || *used == "*" && of_the_house(name) {
                    findings.push(Finding::new(
                        &member.manifest,
                        "two crates that must not meet",
                        format!("drop {name}: {fix}"),
                    ));
                }
            }
        }
    }
    findings
}

/// Outside technologies stay in their rooms.
pub(super) fn confinement(house: &House) -> Vec<Finding> {
    let breaks = |member: &Member, used: &Use| {
        CONFINED.iter().find(|confined| {
            confined.packages.contains(&used.name.as_str())
                && !confined.rooms.contains(&member.name.as_str())
                && !(confined.in_tests && used.in_tests)
        })
    };
    let mut findings = Vec::new();
    for member in &house.members {
        for used in &member.uses {
            if let Some(confined) = breaks(member, used) {
                findings.push(Finding::new(
                    &member.manifest,
                    "an outside technology out of its room",
                    format!("{} belongs to {}; ask that room", used.name, confined.rooms.join(" and ")),
                ));
            }
        }
    }
    findings
}

/// Packages that never come in.
pub(super) fn forbidden_packages(house: &House) -> Vec<Finding> {
    let names = || house.locked.iter().map(|(locked, _)| locked.as_str());
    let listed = FORBIDDEN_PACKAGES.iter().copied();
    let listed = listed.filter(|(name, _)| names().any(|locked| locked == *name));
    let members = names().filter_map(|locked| {
        let family = FORBIDDEN_FAMILIES.iter().find(|(begin, _)| locked.starts_with(begin));
        family.map(|(_, why)| (locked, *why))
    });
    listed
        .chain(members)
        .map(|(name, why)| {
            let fix = format!("{why}; `cargo tree -i {name}` says who brings it: turn that feature off");
            Finding::new("Cargo.lock", "a package that never comes in", fix)
        })
        .collect()
}

/// One copy of what is large or must be set up once.
pub(super) fn one_version(house: &House) -> Vec<Finding> {
    let versions = |name: &str| -> Vec<&str> {
        house
            .locked
            .iter()
            .filter(|(locked, _)| locked == name)
            .map(|(_, version)| version.as_str())
            .collect()
    };
    let several =
        ONE_VERSION.iter().map(|name| (name, versions(name))).filter(|(_, versions)| versions.len() > 1);
    several
        .map(|(name, versions)| {
            let fix = format!(
                "{name} is there as {}; `cargo tree -d` says who brings them",
                versions.join(" and ")
            );
            Finding::new("Cargo.lock", "one version of it", fix)
        })
        .collect()
}

/// The lock file stays small.
pub(super) fn size_of_the_lock_file(house: &House) -> Vec<Finding> {
    if house.locked.len() <= MOST_PACKAGES {
        return Vec::new();
    }
    let fix = format!("{} packages; do without the newest, or decide to allow more", house.locked.len());
    vec![Finding::new("Cargo.lock", "a lock file under 650 packages", fix)]
}
