//! Where contents are kept. Values are valid already: `server::settings` made them.

use std::path::PathBuf;

/// Where contents are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The folder on this machine: of the contents, and of what is being written.
    pub folder: PathBuf,
    /// Where whole contents lie.
    pub keep: Keep,
}

/// Where whole contents lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keep {
    /// In the folder.
    Folder,
    /// In a bucket.
    S3(Bucket),
}

/// A bucket of S3, or of what speaks like it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// What the names of all objects begin with; empty, or with a slash at its end.
    pub prefix: String,
    /// Its region.
    pub region: String,
}

impl Bucket {
    /// Reads `s3://bucket` or `s3://bucket/prefix`. The error is a sentence that never repeats the text.
    pub fn parse(text: &str, region: &str) -> Result<Bucket, String> {
        let say = || "must look like `s3://bucket` or `s3://bucket/prefix`".to_owned();
        let rest = text.trim().strip_prefix("s3://").ok_or_else(say)?;
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let name_fits = (3..=63).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.ends_with(|c: char| c.is_ascii_alphanumeric())
            && !name.contains("..");
        let prefix = prefix.trim_matches('/');
        let prefix_fits = prefix.len() <= 512
            && prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
            && prefix.split('/').all(|part| !matches!(part, "." | ".."))
            && !prefix.contains("//");
        if !name_fits || !prefix_fits {
            return Err(say());
        }
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Bucket { name: name.to_owned(), prefix, region: region.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_read_and_nothing_leads_elsewhere() {
        let bucket = |text: &str| Bucket::parse(text, "eu-central-1").map(|b| (b.name, b.prefix));
        assert_eq!(bucket("s3://files"), Ok(("files".into(), String::new())));
        assert_eq!(bucket("s3://my.files/a/b/"), Ok(("my.files".into(), "a/b/".into())));
        for bad in [
            "files",
            "s3://",
            "s3://ab",
            "s3://UPPER",
            "s3://a..b",
            "s3://files/../x",
            "s3://files/a//b",
            "s3://files/a b",
            "s3://files?x",
            "https://files",
            "s3://user:pw@files",
            "s3://-files",
            "s3://files/a/./b",
        ] {
            assert!(bucket(bad).is_err(), "{bad}");
        }
    }
}
