//! Lays the sources over each other: defaults < profile < `stoa.toml` < Secrets Manager < `.env` < environment < flags.
//! It owns what happens when two names of one setting disagree. It never knows what a value is for.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kernel::Secret;

use super::dotenv;
use super::file::{self, Contents, ListEntry};
use super::problem::Problem;
use super::profile::Profile;
use super::raw::{Origin, Raw};
use super::rotated;
use super::sources::{Document, Sources, read_text};
use super::table::server::ENVIRONMENT;
use super::table::{self, Entry, Setting};
use super::values::{Declared, Effective, Values};

/// Whether some setting is read from this variable.
pub(crate) fn is_variable(name: &str) -> bool {
    let bare = name.strip_suffix("_FILE");
    table::all().any(|entry| {
        let setting = entry.setting();
        let of_file = |bare: &str| setting.variables.contains(&bare) && setting.file_variable(bare).is_some();
        setting.variables.contains(&name) || bare.is_some_and(of_file)
    })
}

/// Reads every layer. What could not be read is among the problems and absent from the values.
pub(crate) fn collect(sources: &Sources) -> (Values, Vec<Problem>) {
    let mut problems = sources.problems.clone();
    let contents = sources.file.as_ref().map(file::read).unwrap_or_default();
    problems.extend(contents.problems.iter().cloned());
    let variables = variables(sources, &mut problems);
    let mut notes = Notes::default();

    let mut chosen: BTreeMap<&'static str, Effective> = BTreeMap::new();
    let mut invalid = Vec::new();
    for entry in table::all() {
        let setting = entry.setting();
        match effective(entry, sources, &contents, &variables, &mut notes) {
            Ok(Some(value)) => {
                chosen.insert(setting.name, value);
            }
            Ok(None) => {}
            Err(found) => {
                problems.extend(found);
                invalid.push(setting.name);
            }
        }
    }

    let named =
        chosen.get(ENVIRONMENT.setting.name).and_then(|value| (ENVIRONMENT.form.read)(&value.raw).ok());
    // An unknown profile is a problem already; meanwhile the strictest defaults count.
    let unknown = invalid.contains(&ENVIRONMENT.setting.name);
    let profile = named.unwrap_or(if unknown { Profile::Production } else { Profile::Development });
    for entry in table::all() {
        let setting = entry.setting();
        if invalid.contains(&setting.name) {
            continue;
        }
        if let Some(text) = setting.default.text(profile) {
            let origin = match setting.default {
                table::Default::Per { .. } => Origin::Profile(profile.as_str()),
                _ => Origin::Default,
            };
            chosen.entry(setting.name).or_insert_with(|| Effective { raw: Raw::one(text), origin });
        }
    }
    let declared = contents.entries.into_iter().map(|entry| declare(entry, sources, &mut problems)).collect();
    let mut known: BTreeMap<String, Raw> = BTreeMap::new();
    if let Some(vault) = &sources.vault {
        rotated::keep(&mut chosen, vault);
        known.extend(
            vault.current.iter().map(|(name, value)| (name.clone(), Raw::one(value.expose().as_str()))),
        );
    }
    known.extend(variables.into_iter().map(|(name, (raw, _))| (name, raw)));
    let Notes { loose, shadowed } = notes;
    let vault_missing = sources.vault_missing.clone();
    (
        Values { profile, chosen, invalid, declared, variables: known, loose, shadowed, vault_missing },
        problems,
    )
}

/// What the production rules will want to know.
#[derive(Default)]
struct Notes {
    /// `NAME_FILE` variables whose file others can read.
    loose: Vec<String>,
    /// Variables that cover another value in Secrets Manager.
    shadowed: Vec<String>,
}

/// The variables of `.env` and of the real environment, which wins name by name. An empty one counts as absent,
/// except where it would name the profile: there it is more likely a deployment gone wrong than a wish.
fn variables(sources: &Sources, problems: &mut Vec<Problem>) -> BTreeMap<String, (Raw, Origin)> {
    let mut variables = BTreeMap::new();
    if let Some(Document { path, text }) = &sources.dotenv {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let (lines, found) = dotenv::parse(&name, text);
        problems.extend(found);
        for line in lines.into_iter().filter(|line| counts(&line.name, &line.value)) {
            let origin = Origin::DotEnv(line.name.clone());
            variables.insert(line.name, (Raw::one(line.value), origin));
        }
    }
    for (name, value) in &sources.environment {
        if counts(name, value) {
            variables.insert(name.clone(), (Raw::one(value.as_str()), Origin::Variable(name.clone())));
        }
    }
    variables
}

fn counts(name: &str, value: &str) -> bool {
    !value.trim().is_empty() || ENVIRONMENT.setting.variables.contains(&name)
}

/// The strongest value of a setting, or what is wrong with it.
fn effective(
    entry: &'static dyn Entry,
    sources: &Sources,
    contents: &Contents,
    variables: &BTreeMap<String, (Raw, Origin)>,
    notes: &mut Notes,
) -> Result<Option<Effective>, Vec<Problem>> {
    let setting = entry.setting();
    let mut problems = Vec::new();
    let mut candidates: Vec<(Raw, Origin)> = Vec::new();
    for variable in setting.variables {
        candidates.extend(variables.get(*variable).cloned());
        let file = setting.file_variable(variable);
        if let Some((file, (path, _))) = file.and_then(|file| variables.get(&file).map(|value| (file, value)))
        {
            match secret_file(Path::new(&path.text())) {
                Ok((text, private)) => {
                    if !private {
                        notes.loose.push(file.clone());
                    }
                    candidates.push((Raw::one(text), Origin::SecretFile(file)));
                }
                Err(say) => problems.push(Problem::new(file, say)),
            }
        }
    }
    let mut first: Option<(String, Raw, Origin)> = None;
    let flags = sources.flags.iter().rfind(|flag| flag.setting == setting.name);
    if let Some(flag) = flags {
        candidates = vec![(Raw::one(flag.text.as_str()), Origin::Flag(flag.flag))];
        problems.clear();
    }
    let held = held(entry, sources);
    if let (Some((raw, origin)), Some((other, _))) = (candidates.first(), held.first())
        && entry.normal(raw) != entry.normal(other)
    {
        notes.shadowed.extend(origin.place());
    } else if candidates.is_empty() && problems.is_empty() {
        candidates = held;
    }
    if candidates.is_empty() && problems.is_empty() {
        let from_file = contents.values.iter().find(|(other, ..)| other.setting().name == setting.name);
        candidates.extend(from_file.map(|(_, raw, origin)| (raw.clone(), origin.clone())));
    }
    for (raw, origin) in candidates {
        let place = || match (origin.place(), &origin) {
            (Some(place), Origin::File { .. }) => format!("{place} {}", setting.name),
            (Some(place), _) => place,
            (None, _) => setting.name.to_owned(),
        };
        match (entry.normal(&raw), &first) {
            (Err(say), _) => problems.push(Problem::new(place(), say)),
            (Ok(normal), None) => first = Some((normal, raw, origin)),
            (Ok(normal), Some((earlier, _, other))) if normal != *earlier => {
                let say = format!(
                    "and {} are two names of one setting (`{}`) with different values; keep one of them",
                    other.place().unwrap_or_default(),
                    setting.name
                );
                problems.push(Problem::new(place(), say));
            }
            (Ok(_), Some(_)) => {}
        }
    }
    if problems.is_empty() {
        Ok(first.map(|(_, raw, origin)| Effective { raw, origin }))
    } else {
        Err(problems)
    }
}

/// The profile, and where Secrets Manager is, must be known before it can be asked.
fn may_hold(setting: &Setting) -> bool {
    setting.name != ENVIRONMENT.setting.name && !setting.name.starts_with("aws.")
}

/// Whether Secrets Manager is listened to under this name.
pub(crate) fn is_held(name: &str) -> bool {
    let mut settings = table::all().map(Entry::setting).filter(|setting| may_hold(setting));
    settings.any(|setting| setting.name == name || setting.variables.contains(&name))
}

/// What Secrets Manager holds for a setting, under any of its names.
fn held(entry: &'static dyn Entry, sources: &Sources) -> Vec<(Raw, Origin)> {
    let setting = entry.setting();
    let Some(vault) = &sources.vault else { return Vec::new() };
    if !may_hold(setting) {
        return Vec::new();
    }
    let names = setting.variables.iter().copied().chain([setting.name]);
    names
        .filter_map(|name| {
            let value = vault.current.get(name).filter(|value| !value.expose().trim().is_empty())?;
            Some((Raw::one(value.expose().as_str()), Origin::Vault(name.to_owned())))
        })
        .collect()
}

/// The text of a secret's file, and whether it is private: orchestrators mount secrets readable for the group of the
/// process, which is fine; everybody else is not.
fn secret_file(path: &Path) -> Result<(String, bool), String> {
    let mode = std::fs::metadata(path).map(|about| about.permissions().mode());
    match (read_text(path), mode) {
        (Ok(text), Ok(mode)) if !text.trim().is_empty() => Ok((text.trim().to_owned(), mode & 0o027 == 0)),
        (Ok(_), _) => Err("names an empty file".to_owned()),
        (Err(error), _) => Err(format!("names a file that cannot be read ({})", error.kind())),
    }
}

fn declare(entry: ListEntry, sources: &Sources, problems: &mut Vec<Problem>) -> Declared {
    let file = sources.file.as_ref().and_then(|file| file.path.file_name());
    let place = format!("{}:{}", file.unwrap_or_default().to_string_lossy(), entry.line);
    let mut fields = BTreeMap::new();
    let mut sound = true;
    for (field, raw, line) in entry.fields {
        let name = field.setting().name;
        if let Err(say) = field.normal(&raw) {
            let file = file.unwrap_or_default().to_string_lossy();
            problems.push(Problem::new(format!("{file}:{line} {}.{name}", entry.group.name), say));
            sound = false;
        }
        fields.insert(name, raw);
    }
    Declared { group: entry.group.name, place, fields, sound }
}

/// A variable's text as a secret, for keys that a list names by their variable.
pub(crate) fn secret_of(raw: &Raw) -> Secret<String> {
    Secret::new(raw.text())
}
