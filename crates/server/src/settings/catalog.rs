//! The catalogue of apps: the default ones, changed by `[[apps]]` and by the limits of the assistant.
//! It never knows how an app works.

use std::path::Path;
use std::time::Duration;

use apps::{App, Catalog, Retention};
use kernel::{AppId, AppKind};

use super::checked::small;
use super::problem::Problem;
use super::profile::Profile;
use super::sources::read_text;
use super::table::Key;
use super::table::apps::*;
use super::table::model::{MAX_CONVERSATION_LENGTH, MAX_CONVERSATIONS, MAX_INPUT_LENGTH};
use super::values::{Declared, Values};

/// The app whose limits have variables of their own.
const ASSISTANT: &str = "assistant";

/// Builds the catalogue. `None` when something in the list is wrong; then a problem says so.
pub(super) fn build(values: &Values, problems: &mut Vec<Problem>) -> Option<Catalog> {
    let before = problems.len();
    let mut apps: Vec<App> = Catalog::standard().ok()?.iter().cloned().collect();
    let mut seen: Vec<String> = Vec::new();
    let mut sound = true;
    for entry in values.declared(APPS.name) {
        sound &= entry.sound;
        let Some(id) = entry.get(&APP_ID) else {
            if entry.sound {
                problems.push(Problem::new(&entry.place, "an app needs an `id`"));
            }
            continue;
        };
        if seen.contains(&id) {
            problems.push(Problem::new(&entry.place, "two entries of `[[apps]]` have the same `id`"));
            continue;
        }
        if let Err(say) = change(&mut apps, &id, entry) {
            problems.push(Problem::new(format!("{} apps", entry.place), say));
        }
        seen.push(id);
    }
    if values.profile == Profile::Production {
        // What people show to the world is the operator's to allow.
        for app in &mut apps {
            let entry = |entry: &&Declared| entry.get(&APP_ID).as_deref() == Some(app.id.as_str());
            app.sharing = values
                .declared(APPS.name)
                .find(entry)
                .and_then(|entry| entry.get(&APP_SHARING))
                .unwrap_or(false);
        }
    }
    if let Some(assistant) = apps.iter_mut().find(|app| app.id.as_str() == ASSISTANT) {
        let entry = values.declared(APPS.name).find(|entry| entry.get(&APP_ID).as_deref() == Some(ASSISTANT));
        limit_assistant(assistant, entry, values);
    }
    (sound && problems.len() == before).then(|| Catalog::new(apps))
}

fn change(apps: &mut Vec<App>, id: &str, entry: &Declared) -> Result<(), String> {
    let id = AppId::parse(id).map_err(|_| {
        "the `id` must be 1 to 32 of `a-z`, `0-9` and `-`, beginning with a letter".to_owned()
    })?;
    let position = apps.iter().position(|app| app.id == id);
    if entry.get(&APP_REMOVE) == Some(true) {
        let position = position.ok_or("`remove` names no default app")?;
        apps.remove(position);
        return Ok(());
    }
    let kind = entry.get(&APP_KIND);
    let mut app = match (position.and_then(|at| apps.get(at)), kind) {
        (Some(app), None) => app.clone(),
        (Some(app), Some(kind)) if app.kind == kind => app.clone(),
        // Another kind has other defaults.
        (_, Some(kind)) => App::new(id.clone(), kind),
        (None, None) => return Err("a new app needs a `kind`: `chat`, `support` or `tutor`".to_owned()),
    };
    fill(&mut app, entry)?;
    match position.and_then(|at| apps.get_mut(at)) {
        Some(place) => *place = app,
        None => apps.push(app),
    }
    Ok(())
}

fn fill(app: &mut App, entry: &Declared) -> Result<(), String> {
    fn set<T>(place: &mut T, value: Option<T>) {
        if let Some(value) = value {
            *place = value;
        }
    }
    let unbounded = |number: u64| (number > 0).then(|| small(number));
    set(&mut app.name, entry.get(&APP_NAME));
    set(&mut app.description, entry.get(&APP_DESCRIPTION));
    set(&mut app.entry.visitors, entry.get(&APP_VISITORS));
    set(&mut app.entry.keys, entry.get(&APP_KEYS));
    set(&mut app.entry.users, entry.get(&APP_USERS));
    set(&mut app.model, entry.get(&APP_MODEL).map(Some));
    set(&mut app.temperature, entry.get(&APP_TEMPERATURE).map(Some));
    set(&mut app.max_tokens, entry.get(&APP_MAX_TOKENS).map(|number| Some(small(number))));
    set(&mut app.max_input_chars, entry.get(&APP_MAX_INPUT).map(small));
    set(&mut app.max_user_messages, entry.get(&APP_MAX_USER_MESSAGES).map(unbounded));
    set(&mut app.max_conversations, entry.get(&APP_MAX_CONVERSATIONS).map(unbounded));
    set(&mut app.context_messages, entry.get(&APP_CONTEXT).map(small));
    set(&mut app.moderation, entry.get(&APP_MODERATION));
    set(&mut app.support_message, entry.get(&APP_SUPPORT_MESSAGE).map(Some));
    if let Some(hosts) = entry.get(&APP_LINK_HOSTS) {
        let mut allowed = apps::LinkHosts::default();
        for host in hosts {
            allowed.add(&host)?;
        }
        app.link_hosts = Some(allowed);
    }
    for rule in entry.get(&APP_POLICY).unwrap_or_default() {
        app.policy.add(&rule)?;
    }
    set(&mut app.sharing, entry.get(&APP_SHARING));
    match entry.get(&APP_ATTACHMENTS) {
        Some(true) if app.kind != AppKind::Chat => {
            return Err(
                "`attachments` is for `chat` apps: the others answer from what they are given".to_owned()
            );
        }
        said => set(&mut app.attachments, said),
    }
    set(&mut app.retention, retention(entry)?);
    set(&mut app.quality_retention, entry.get(&APP_RETENTION_QUALITY).map(|kept| Some(kept_for(kept))));
    set(&mut app.tutor.hints, entry.get(&APP_HINTS).map(|rung| u8::try_from(rung).unwrap_or(4)));
    set(&mut app.tutor.questions, entry.get(&APP_MAX_QUESTIONS).map(unbounded));
    set(
        &mut app.tutor.reveal,
        entry.get(&APP_REVEAL_AFTER).map(|tries| match small(tries) {
            0 => tutor::Reveal::Never,
            tries => tutor::Reveal::AfterTries(tries),
        }),
    );
    if let Some(languages) = entry.get(&APP_LANGUAGES) {
        app.tutor.languages = languages.iter().map(|name| language(name)).collect::<Result<_, _>>()?;
    }
    match (entry.get(&APP_PROMPT), entry.get(&APP_PROMPT_FILE)) {
        (Some(_), Some(_)) => return Err("has both `prompt` and `prompt_file`; keep one of them".to_owned()),
        (prompt @ Some(_), None) => app.prompt = prompt,
        (None, Some(path)) => app.prompt = Some(prompt_of(&path)?),
        (None, None) => {}
    }
    Ok(())
}

fn language(name: &str) -> Result<tutor::Language, String> {
    match name {
        "en" => Ok(tutor::Language::En),
        "de" => Ok(tutor::Language::De),
        _ => Err("`languages` holds words other than `en` and `de`".to_owned()),
    }
}

fn prompt_of(path: &Path) -> Result<String, String> {
    read_text(path).map_err(|error| format!("`prompt_file` cannot be read ({})", error.kind()))
}

/// How long content is kept, where the entry says so: in either of two ways, or in both the same.
fn retention(entry: &Declared) -> Result<Option<Retention>, String> {
    let hours = entry
        .get(&APP_RETENTION_HOURS)
        .map(|hours| kept_for((hours > 0).then(|| Duration::from_secs(hours.saturating_mul(3_600)))));
    match (entry.get(&APP_RETENTION).map(kept_for), hours) {
        (Some(one), Some(other)) if one != other => {
            Err("says two things with `retention` and `retention_hours`; keep one of them".to_owned())
        }
        (one, other) => Ok(one.or(other)),
    }
}

fn kept_for(kept: Option<Duration>) -> Retention {
    kept.map_or(Retention::Keep, Retention::For)
}

/// The variables of the assistant's limits win over its entry in the file; the defaults do not.
fn limit_assistant(app: &mut App, entry: Option<&Declared>, values: &Values) {
    let said = |field: &'static str| entry.is_some_and(|entry| entry.fields.contains_key(field));
    let limit = |key: &Key<u64>, field: &'static str| {
        values.get(key).filter(|_| values.is_explicit(key) || !said(field)).map(small)
    };
    if let Some(limit) = limit(&MAX_INPUT_LENGTH, APP_MAX_INPUT.setting.name) {
        app.max_input_chars = limit;
    }
    if let Some(limit) = limit(&MAX_CONVERSATION_LENGTH, APP_MAX_USER_MESSAGES.setting.name) {
        app.max_user_messages = Some(limit);
    }
    if let Some(limit) = limit(&MAX_CONVERSATIONS, APP_MAX_CONVERSATIONS.setting.name) {
        app.max_conversations = Some(limit);
    }
}
