//! The pages of Stoa's own manual, compiled in from `docs/manual`. It owns their list and order, nothing else.

macro_rules! pages {
    ($($name:literal),* $(,)?) => {
        /// Name and Markdown of each page, in reading order; made for [`crate::Manual::new`].
        pub const PAGES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../docs/manual/", $name)))),*];
    };
}

pages![
    "what-stoa-is.md",
    "getting-started.md",
    "models.md",
    "configuration.md",
    "production.md",
    "apps.md",
    "api.md",
    "keys-and-visitors.md",
    "limits.md",
    "privacy.md",
    "logs-and-metrics.md",
    "commands.md",
    "troubleshooting.md",
    "security.md",
    "pages.md",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_of_the_folder_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/manual");
        let mut found: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let mut listed: Vec<String> = PAGES.iter().map(|(name, _)| (*name).to_owned()).collect();
        found.sort();
        listed.sort();
        assert_eq!(found, listed);
    }
}
