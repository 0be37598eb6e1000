//! The rows of identity (secrets, keys, cookies, tokens) and of encryption at rest.

use crypto::MasterKey;
use identity::Registration;
use kernel::Secret;

use super::{Default, JwtAlgorithm, Room, always, follows, per, settings};
use crate::settings::form;

/// Identity.
pub(crate) static IDENTITY: Room = Room {
    title: "Who is asking",
    about: "Signing secrets, API keys, cookies and tokens.",
    settings: IDENTITY_ROWS,
};

settings! { @fields IDENTITY_ROWS;
    /// Signs and seals cookies; at least 32 bytes (`stoa secret session`). Production needs it or `JWT_SECRET_KEY`;
    /// elsewhere one is made in the data folder.
    SESSION_SECRET: Secret<String> = form::secret(), "identity.session_secret", ["SESSION_SECRET", "NEXTAUTH_SECRET", "SECRET_KEY"], Default::None, secret, live;
    /// Earlier signing secrets that are still accepted while you rotate. Remove them when the old cookies have expired.
    SESSION_SECRET_PREVIOUS: Vec<Secret<String>> = form::secrets(), "identity.previous_session_secrets", ["SESSION_SECRET_PREVIOUS"], Default::None, secret, live;
    /// Signs access tokens; at least 32 bytes, better 64 (`stoa secret jwt`). Without it, a key derived from the cookie secret does. Without a cookie secret, cookies are signed with a key derived from it.
    JWT_SECRET: Secret<String> = form::secret(), "identity.jwt_secret", ["JWT_SECRET_KEY"], Default::None, secret, live;
    /// Earlier secrets for access tokens that are still accepted while you rotate. Remove them when the old tokens have expired.
    JWT_SECRET_PREVIOUS: Vec<Secret<String>> = form::secrets(), "identity.previous_jwt_secrets", ["JWT_SECRET_KEY_PREVIOUS"], Default::None, secret, live;
    /// How access tokens are signed: `HS256` (other services need the secret to verify them) or `EdDSA` (they need the public keys at `/.well-known/jwks.json`). Tokens of the other one are refused at once; clients refresh theirs.
    JWT_ALGORITHM: JwtAlgorithm = form::choice_jwt(), "identity.jwt_algorithm", ["JWT_ALGORITHM"], always("HS256");
    /// How many minutes an access token lives; more than 1440 warns.
    JWT_ACCESS_MINUTES: u64 = form::whole::<1, 525_600>(), "identity.access_token_minutes", ["JWT_ACCESS_TOKEN_EXPIRE_MINUTES"], always("30");
    /// How many days a refresh token lives. Each can be used once.
    JWT_REFRESH_DAYS: u64 = form::whole::<1, 3_650>(), "identity.refresh_token_days", ["JWT_REFRESH_TOKEN_EXPIRE_DAYS"], always("30");
    /// How many MiB hashing one password takes (argon2id, three passes). As many at once as half of the cores, at most eight. Passwords that were hashed at another cost are hashed again at their next sign-in.
    PASSWORD_MEMORY: u64 = form::whole::<19, 1_024>(), "identity.password_memory_mib", ["PASSWORD_HASH_MEMORY_MIB"], always("64");
    /// API keys taken as they are, at least 32 characters each (`stoa secret api-key`). Keys made with `stoa key create` have owners, scopes and expiry.
    API_KEYS: Vec<Secret<String>> = form::secrets(), "identity.api_keys", ["API_KEYS"], Default::None, secret, live;
    /// `true`: no anonymous visitors anywhere. Unset: each app's own rule. Production refuses `false`.
    REQUIRE_AUTHENTICATION: bool = form::flag(), "identity.require_authentication", ["REQUIRE_AUTHENTICATION"], Default::None;
    /// Who may make an account: `off`, `invite` (whom an admin has invited), `open` (everybody).
    REGISTRATION: Registration = form::choice_registration(), "identity.registration", ["REGISTRATION"], per("open", "invite", "invite");
    /// Cookies travel over HTTPS alone. Production refuses `false`.
    SECURE_COOKIES: bool = form::flag(), "identity.secure_cookies", ["SESSION_COOKIE_SECURE"], follows("what `ENFORCE_HTTPS` says");
    /// How many seconds the cookie of an anonymous visitor lives.
    VISITOR_SECONDS: u64 = form::whole::<1, 31_536_000>(), "identity.visitor_seconds", ["VISITOR_SESSION_SECONDS"], always("86400");
    /// How many minutes an account session lives after it was last extended; more than 1440 warns.
    SESSION_MINUTES: u64 = form::whole::<1, 525_600>(), "identity.session_minutes", ["SESSION_MAX_AGE_MINUTES"], always("480");
    /// An account session is extended when it is used this many minutes after it was last extended.
    SESSION_SLIDE_MINUTES: u64 = form::whole::<1, 525_600>(), "identity.session_slide_minutes", ["SESSION_UPDATE_AGE_MINUTES"], always("60");
    /// Shares the session cookie with every host below this domain. Every one of those hosts can then read it, so it warns.
    COOKIE_DOMAIN: Vec<String> = form::hosts(), "identity.cookie_domain", ["COOKIE_DOMAIN"], Default::None;
}

/// Encryption at rest.
pub(crate) static ENCRYPTION: Room = Room {
    title: "Encryption at rest",
    about: "What people write is sealed in the database, under a key of each person.",
    settings: ENCRYPTION_ROWS,
};

settings! { @fields ENCRYPTION_ROWS;
    /// Content is sealed at rest, always. Production refuses `false`; elsewhere `false` changes nothing.
    ENCRYPTION_ENABLED: bool = form::flag(), "encryption.enabled", ["ENABLE_ENCRYPTION_AT_REST"], always("true");
    /// The master key: 32 bytes as base64 or hex (`stoa secret encryption`). Without it: the key file in the data
    /// folder, else a key derived from the signing secret, else (outside production) a new key file. Who loses it loses the data.
    ENCRYPTION_KEY: MasterKey = form::master_key(), "encryption.key", ["ENCRYPTION_KEY"], Default::None, secret;
    /// Earlier master keys, to read what was sealed under them.
    ENCRYPTION_KEY_PREVIOUS: Vec<MasterKey> = form::master_keys(), "encryption.previous_keys", ["ENCRYPTION_KEY_PREVIOUS"], Default::None, secret;
}
