//! `stoa init`: `stoa.toml` and `.env` with fresh secrets, for this profile. It never overwrites a file.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, bail};
use kernel::Random;

use super::paper::{Mark, Paper};
use super::secret::make;
use crate::cli::{Global, Init, SecretKind};
use crate::settings::Profile;
use crate::settings::keys::{KEYRING_FILE, make_private_folder, write_private};

/// Writes the files and says what to do next. Refuses when both exist.
pub(crate) fn run(global: &Global, init: &Init, random: &dyn Random) -> anyhow::Result<bool> {
    let profile = match global.env.as_deref() {
        None => Profile::Development,
        Some(text) => match Profile::ALL.into_iter().find(|profile| profile.as_str() == text) {
            Some(profile) => profile,
            None => bail!("--env must be `development`, `staging` or `production`"),
        },
    };
    make_private_folder(&init.dir).with_context(|| format!("`{}` cannot be made", init.dir.display()))?;
    let (config, dotenv) = (init.dir.join("stoa.toml"), init.dir.join(".env"));
    // A key file of an earlier run already seals what is in the data folder.
    let has_keyring = init.dir.join("data").join(KEYRING_FILE).exists();
    let wrote_config = write(&config, &config_text(profile))?;
    let wrote_dotenv = write(&dotenv, &dotenv_text(profile, has_keyring, random))?;
    if !wrote_config && !wrote_dotenv {
        bail!(
            "`{}` and `{}` exist already, and nothing was changed; remove one to have it made anew",
            config.display(),
            dotenv.display()
        );
    }
    let mut paper = Paper::standard();
    for (path, wrote, about) in [
        (&config, wrote_config, "the settings"),
        (&dotenv, wrote_dotenv, "fresh secrets; only you can read it, and it must never enter a repository"),
    ] {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if wrote {
            paper.entry(Mark::Good, &name, about, "")?;
        } else {
            paper.entry(Mark::Nothing, &name, "exists already and was not touched", "")?;
        }
    }
    paper.heading("What to do next")?;
    if profile == Profile::Production {
        paper.line("  1. fill in DATABASE_URL and PUBLIC_URL in .env, and OPENAI_API_KEY for a model")?;
        paper.line("  2. stoa check      asks every production rule")?;
        paper.line("  3. stoa serve")?;
    } else {
        paper.line("  1. stoa serve      then open http://127.0.0.1:8080")?;
        paper.line("  2. set OPENAI_API_KEY (or OPENAI_BASE_URL, or BEDROCK_MODEL) in .env for a model; without one the built-in answerer serves")?;
        paper.line("  3. stoa check      says what production would still need")?;
    }
    Ok(true)
}

/// Writes a private file. `false`: one exists already.
fn write(path: &Path, text: &str) -> anyhow::Result<bool> {
    match write_private(path, text) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error).with_context(|| format!("`{}` cannot be written", path.display())),
    }
}

fn config_text(profile: Profile) -> String {
    format!(
        "# Settings of Stoa. `stoa config example` prints them all, `stoa config show` those that hold.\n\
         # Variables of the environment and of .env win over this file. Secrets belong there, not here.\n\n\
         environment = \"{}\"\n\n\
         [server]\n\
         # Where people reach the server.\n\
         #public_url = \"https://chat.example.com\"\n\n\
         [http]\n\
         # The load balancer that ends TLS.\n\
         #trusted_proxies = [\"10.0.0.0/8\"]\n",
        profile.as_str()
    )
}

fn dotenv_text(profile: Profile, has_keyring: bool, random: &dyn Random) -> String {
    let secret = |kind| make(kind, random);
    let mut text = "# Secrets of Stoa. Never commit this file.\n\n".to_owned();
    if profile == Profile::Production {
        text.push_str(
            "# Where the data lies, and where people reach the server.\n\
             #DATABASE_URL=postgresql://USER:PASSWORD@HOST:5432/NAME?sslmode=verify-full\n\
             #PUBLIC_URL=https://HOST\n\n",
        );
    }
    text.push_str(
        "# The key for your model provider; OPENAI_BASE_URL for another than OpenAI.\n#OPENAI_API_KEY=\n\n",
    );
    text.push_str("# Signs cookies.\nSESSION_SECRET=");
    text.push_str(secret(SecretKind::Session).expose());
    text.push_str("\n# Signs tokens.\nJWT_SECRET_KEY=");
    text.push_str(secret(SecretKind::Jwt).expose());
    if has_keyring {
        text.push_str("\n# Content is sealed under the key file in the data folder; keep a copy of it.\n");
    } else {
        text.push_str("\n# Seals content. Keep a copy: without it the data cannot be read.\nENCRYPTION_KEY=");
        text.push_str(secret(SecretKind::Encryption).expose());
        text.push('\n');
    }
    text.push_str("# Opens /metrics.\nMETRICS_TOKEN=");
    text.push_str(secret(SecretKind::Session).expose());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::settings::{Document, Settings, Sources};

    #[test]
    fn what_it_writes_is_private_works_and_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let ambient = crate::nature::ambient();
        let init = Init { dir: folder.path().join("new") };
        let global = Global { env: Some("staging".to_owned()), ..Global::default() };
        assert!(run(&global, &init, ambient.random()).unwrap());
        let read = |name: &str| {
            let path = init.dir.join(name);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            Some(Document { text: fs::read_to_string(&path).unwrap(), path })
        };
        let sources = Sources { file: read("stoa.toml"), dotenv: read(".env"), ..Sources::default() };
        let (settings, _) = Settings::load(&sources).unwrap();
        assert_eq!(settings.profile, Profile::Staging);
        assert_eq!(settings.identity.cookie_secrets.len(), 1);

        let before = fs::read(init.dir.join(".env")).unwrap();
        fs::remove_file(init.dir.join("stoa.toml")).unwrap();
        assert!(run(&global, &init, ambient.random()).unwrap());
        assert!(run(&global, &init, ambient.random()).is_err());
        assert_eq!(fs::read(init.dir.join(".env")).unwrap(), before);
    }

    #[test]
    fn production_lacks_only_what_nobody_else_can_know() {
        let ambient = crate::nature::ambient();
        let dotenv = dotenv_text(Profile::Production, false, ambient.random());
        let document = |name: &str, text: String| Some(Document { path: name.into(), text });
        let sources = Sources {
            file: document("stoa.toml", config_text(Profile::Production)),
            dotenv: document(".env", dotenv),
            ..Sources::default()
        };
        let Err(refusal) = Settings::load(&sources) else { panic!("the database is not known") };
        assert_eq!(refusal.violations.iter().map(|finding| finding.id).collect::<Vec<_>>(), ["database"]);
    }
}
