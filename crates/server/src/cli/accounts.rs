//! Commands about accounts, what they may enter, and the brake: their arguments and their help.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::span;

/// What to do with accounts.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum User {
    /// Make an account; without --password-stdin the password is asked for, or made and printed once
    Create {
        /// The e-mail address
        email: String,
        /// An account that runs the server
        #[arg(long)]
        admin: bool,
        /// What to call the person
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
        /// One JSON document in place of lines
        #[arg(long)]
        json: bool,
    },
    /// List the accounts, the newest first
    List {
        /// Only those of this role: user or admin
        #[arg(long, value_name = "ROLE")]
        role: Option<String>,
        /// One JSON document in place of lines
        #[arg(long)]
        json: bool,
    },
    /// Show an account with its grants and sessions
    Show {
        /// The e-mail address or the id
        email: String,
        /// One JSON document in place of lines
        #[arg(long)]
        json: bool,
    },
    /// Refuse every credential of an account from now on; it keeps everything
    Disable {
        /// The e-mail address or the id
        email: String,
    },
    /// Let an account in again; it has to sign in anew
    Enable {
        /// The e-mail address or the id
        email: String,
    },
    /// Print all data of an account as JSON
    Export {
        /// The e-mail address or the id
        email: String,
        /// Write it into this file, which only its owner reads
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// json, or zip: an archive with the contents of the files too
        #[arg(long, default_value = "json", value_name = "FORMAT", value_parser = ["json", "zip"])]
        format: String,
    },
    /// Erase an account with everything in it, for good; prints the receipt
    Erase {
        /// The e-mail address or the id
        email: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Change the role of an account
    Role {
        /// The e-mail address or the id
        email: String,
        /// user or admin
        role: String,
    },
    /// Set the password of an account and sign it out everywhere
    Password {
        /// The e-mail address or the id
        email: String,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
        /// One JSON document in place of lines
        #[arg(long)]
        json: bool,
    },
}

/// What to do with grants.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Grant {
    /// Let an account into an app, or change what it may do there
    Add {
        /// The e-mail address or the id
        email: String,
        /// The app
        app: String,
        /// use, or manage to change the app's knowledge too
        #[arg(default_value = "use")]
        level: String,
    },
    /// Take a grant away
    Remove {
        /// The e-mail address or the id
        email: String,
        /// The app
        app: String,
    },
    /// List the grants, of one account or of all
    List {
        /// The e-mail address or the id
        email: Option<String>,
        /// One JSON document in place of lines
        #[arg(long)]
        json: bool,
    },
}

/// Arguments of `lockdown`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Lockdown {
    /// What to do
    #[arg(value_enum)]
    pub(crate) mode: LockdownMode,
    /// One JSON document in place of lines
    #[arg(long)]
    pub(crate) json: bool,
}

/// How the brake should stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LockdownMode {
    /// Refuse every account that is no admin, and all API keys
    Users,
    /// Refuse visitors too
    AdminOnly,
    /// Let everybody in again: exactly who could before
    Off,
    /// Show how it stands
    Status,
}

/// Arguments of `revoke`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Revoke {
    /// What ends
    #[arg(value_enum)]
    pub(crate) what: RevokeWhat,
    /// One JSON document in place of lines
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `revoke` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RevokeWhat {
    /// Every session of a browser
    Sessions,
    /// Every access and refresh token
    Tokens,
    /// Every API key of the database
    Keys,
    /// All of these, and the cookies of visitors
    All,
}

/// What to do with keys.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Key {
    /// Make a key; it is shown once
    Create {
        /// A name to recognise it by
        name: String,
        /// Only for this app; may be given several times
        #[arg(long = "app", value_name = "APP")]
        apps: Vec<String>,
        /// Whose it is: never stronger than this account. The operator's own when absent
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
        /// Only for this use: chat, read, write or documents; may be given several times
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// Turns in any minute, at most
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        per_minute: Option<u32>,
        /// Turns in any hour, at most
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        per_hour: Option<u32>,
        /// Ends after this time, such as 90d, 12h or 30m
        #[arg(long, value_name = "SPAN", value_parser = span)]
        expires: Option<std::time::Duration>,
        /// One JSON document in place of lines
        #[arg(long)]
        json: bool,
    },
    /// List the keys; the keys themselves are not stored
    List {
        /// One JSON document in place of lines
        #[arg(long)]
        json: bool,
    },
    /// Replace a key: the old one ends at once, the new one is shown once
    Rotate {
        /// The id of the key
        id: String,
        /// One JSON document in place of lines
        #[arg(long)]
        json: bool,
    },
    /// End a key at once
    Revoke {
        /// The id of the key
        id: String,
    },
}

/// Which events of the audit log.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct AuditWanted {
    /// Only events of this type, such as auth.failure
    #[arg(long, value_name = "TYPE")]
    pub(crate) event: Option<String>,
    /// Only events of this severity: low, medium, high or critical
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) severity: Option<String>,
    /// Only events of this actor
    #[arg(long, value_name = "ACTOR")]
    pub(crate) actor: Option<String>,
    /// Only events from this address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) ip: Option<String>,
    /// Only events about this object
    #[arg(long, value_name = "OBJECT")]
    pub(crate) object: Option<String>,
    /// Only events at or after this time (RFC 3339), or within this span, such as 24h
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only events before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
}
