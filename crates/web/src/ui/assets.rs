//! The static files, built into the binary and served under names that carry a hash of their content, so that
//! browsers may keep them for ever. It owns the table of them and their addresses; the handler owns HTTP.

use std::collections::HashMap;
use std::sync::LazyLock;

use bytes::Bytes;

use crate::texts::{self, Language};

/// What answers with an asset say about keeping it: the name changes when the content does.
pub const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

/// Where assets are served.
pub const PREFIX: &str = "/static/";

/// A static file as it is served.
#[derive(Clone, Debug)]
pub struct Asset {
    /// Its name in the source: `app.css`.
    pub name: &'static str,
    /// Its address: `/static/app.<16 hex>.css`.
    pub url: String,
    /// Its content type.
    pub content_type: &'static str,
    /// Its content. Names of other assets in it carry their hashes already.
    pub body: Bytes,
}

macro_rules! table {
    ($($name:literal)*) => { &[$(($name, include_bytes!(concat!("../../static/", $name)).as_slice()),)*] };
}

/// Each file stands below the files that it names, so that their hashes are known when its own is taken.
const FILES: &[(&str, &[u8])] = table! {
    "icon.svg"
    "icon-180.png"
    "icon-192.png"
    "icon-512.png"
    "icon-mask.png"
    "manifest.webmanifest"
    "app.css"
    "prose.css"
    "keys.css"
    "contrast.css"
    "chat.css"
    "order.css"
    "pages.css"
    "forms.css"
    "work.css"
    "files.css"
    "tutor.css"
    "paper.css"
    "frame.js"
    "say.js"
    "sse.js"
    "api.js"
    "notices.js"
    "passkey.js"
    "passkeys.js"
    "palette.js"
    "keys.js"
    "reading.js"
    "speech.js"
    "transcript.js"
    "attach.js"
    "earlier.js"
    "composer.js"
    "sidebar.js"
    "arrange.js"
    "folders.js"
    "select.js"
    "search.js"
    "temporary.js"
    "order.js"
    "turn.js"
    "anew.js"
    "queue.js"
    "opinion.js"
    "appeal.js"
    "share.js"
    "person.js"
    "chat.js"
    "pages.js"
    "forms.js"
    "admin.js"
    "review.js"
    "toast.js"
    "upload.js"
    "swap.js"
    "files.js"
    "tutor.js"
    "sw.js"
    "paper.js"
    "carry.js"
};

static ASSETS: LazyLock<HashMap<&'static str, Asset>> = LazyLock::new(|| {
    let mut done: Vec<Asset> = Vec::with_capacity(FILES.len());
    for (name, content) in FILES {
        let body = match std::str::from_utf8(content) {
            Ok(text) => Bytes::from(hashed_names(text, &done)),
            Err(_) => Bytes::from_static(content),
        };
        done.push(named(name, body));
    }
    let scripts: Vec<&str> = FILES
        .iter()
        .filter(|(name, _)| name.ends_with(".js"))
        .filter_map(|(_, content)| std::str::from_utf8(content).ok())
        .collect();
    for (language, name) in TEXTS {
        done.push(named(name, Bytes::from(texts::script(language, &scripts))));
    }
    done.into_iter().map(|asset| (asset.name, asset)).collect()
});

/// What scripts say in the languages that are not their own.
const TEXTS: [(Language, &str); 4] = [
    (Language::German, "texts.de.js"),
    (Language::Spanish, "texts.es.js"),
    (Language::French, "texts.fr.js"),
    (Language::Arabic, "texts.ar.js"),
];

/// The address of what scripts say in this language; nothing for the one in which they are written.
pub(crate) fn texts_url(language: Language) -> Option<&'static str> {
    TEXTS.iter().find(|(one, _)| *one == language).map(|(_, name)| asset_url(name))
}

fn named(name: &'static str, body: Bytes) -> Asset {
    let hash = blake3::hash(&body).to_hex();
    let hash = hash.get(..16).unwrap_or_default();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let url = format!("{PREFIX}{stem}.{hash}.{extension}");
    Asset { name, url, content_type: content_type(extension), body }
}

/// Puts the served addresses where a file names another one as `./name` (modules) or `/static/name`.
fn hashed_names(text: &str, earlier: &[Asset]) -> String {
    earlier.iter().fold(text.to_owned(), |text, asset| {
        let relative = asset.url.replacen(PREFIX, "./", 1);
        text.replace(&format!("\"./{}\"", asset.name), &format!("\"{relative}\""))
            .replace(&format!("\"{PREFIX}{}\"", asset.name), &format!("\"{}\"", asset.url))
    })
}

fn content_type(extension: &str) -> &'static str {
    match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

/// The address of the asset with this source name. A name that is not in the table gives an address that answers
/// 404; a test walks every page and finds such names.
pub fn asset_url(name: &str) -> &'static str {
    ASSETS.get(name).map_or("/static/unknown", |asset| asset.url.as_str())
}

/// The asset that is served at this path (`/static/app.<hash>.css`), when there is one. A hash from before an
/// update finds nothing: its content is not here any more.
pub fn find(path: &str) -> Option<&'static Asset> {
    let (stem_and_hash, extension) = path.strip_prefix(PREFIX)?.rsplit_once('.')?;
    let (stem, _) = stem_and_hash.rsplit_once('.')?;
    ASSETS.get(format!("{stem}.{extension}").as_str()).filter(|asset| asset.url == path)
}

/// The text of the asset with this source name, to be put into a file that stands alone; empty when there is none.
pub(crate) fn text(name: &str) -> &'static str {
    ASSETS.get(name).and_then(|asset| std::str::from_utf8(&asset.body).ok()).unwrap_or_default()
}

/// The picture that browsers ask for as `/favicon.ico`, whatever the page says.
pub fn favicon() -> Option<&'static Asset> {
    ASSETS.get("icon.svg")
}

/// The worker of the installed app; it has to stand at the root to watch over the whole site.
pub fn worker() -> Option<&'static Asset> {
    ASSETS.get("sw.js")
}

/// Every asset, in no order.
pub fn all() -> impl Iterator<Item = &'static Asset> {
    ASSETS.values()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn each_asset_is_found_under_its_own_address_alone() {
        assert_eq!(all().count(), FILES.len() + TEXTS.len());
        for asset in all() {
            assert_eq!(find(&asset.url).map(|found| found.name), Some(asset.name));
            assert_eq!(asset_url(asset.name), asset.url);
            assert!(find(&format!("{PREFIX}{}", asset.name)).is_none());
            assert_ne!(asset.content_type, "application/octet-stream", "{}", asset.name);
            assert!(!asset.body.is_empty(), "{}", asset.name);
        }
        let css = asset_url("app.css");
        let stale = css.replace(css.get(12..28).unwrap(), "0123456789abcdef");
        for wrong in [
            stale.as_str(),
            "",
            "/static/",
            "/static/..",
            "/static/../Cargo.toml",
            "app.css",
            "/static/app.css.x",
        ] {
            assert!(find(wrong).is_none(), "{wrong}");
        }
        assert_eq!(asset_url("nothing.css"), "/static/unknown");
        assert!(favicon().is_some());
    }

    #[test]
    fn files_name_each_other_by_their_hashed_addresses() {
        for asset in all().filter(|asset| asset.content_type != "image/png") {
            let text = std::str::from_utf8(&asset.body).unwrap();
            for (name, _) in FILES {
                assert!(
                    !text.contains(&format!("./{name}\"")),
                    "{} names {name} without its hash",
                    asset.name
                );
                assert!(
                    !text.contains(&format!("/static/{name}\"")),
                    "{} names {name} without its hash",
                    asset.name
                );
            }
            for import in text.split(" from \"./").skip(1) {
                let file = import.split('"').next().unwrap();
                assert!(find(&format!("{PREFIX}{file}")).is_some(), "{} imports {file}", asset.name);
            }
        }
    }

    #[test]
    fn the_whole_of_it_stays_small() {
        let squeezed = |asset: &Asset| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(&asset.body).unwrap();
            encoder.finish().unwrap().len()
        };
        // Nobody loads the texts of two languages.
        let bytes: usize = all().filter(|asset| !asset.name.starts_with("texts.")).map(squeezed).sum();
        let texts = TEXTS.iter().map(|(_, name)| squeezed(&ASSETS[name])).max().unwrap();
        let bytes = bytes + texts;
        assert!(bytes < 150_000, "{bytes} bytes after compression");
    }
}
