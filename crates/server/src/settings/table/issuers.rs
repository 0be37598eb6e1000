//! The rows of identity providers: Firebase, and `[[identity.issuers]]`.

use std::path::PathBuf;

use kernel::Secret;
use url::Url;

use super::{Default, Group, Room, settings};
use crate::settings::form;

/// Identity providers.
pub(crate) static FIREBASE: Room = Room {
    title: "Identity providers",
    about: "Firebase, whose ID tokens are taken as bearer and exchanged for a session. `[[identity.issuers]]` names others.",
    settings: FIREBASE_ROWS,
};

settings! { @fields FIREBASE_ROWS;
    /// The Firebase project whose ID tokens are taken.
    FIREBASE_PROJECT: String = form::project_id(), "identity.firebase.project_id", ["FIREBASE_PROJECT_ID"], Default::None;
    /// Where the keys of Firebase are read; Google's own address when absent. For tests.
    FIREBASE_JWKS: Url = form::url(), "identity.firebase.jwks_url", [], Default::None;
}

/// Other issuers.
pub(crate) static ISSUERS: Group = Group {
    name: "identity.issuers",
    about: "An identity provider (OpenID Connect) whose ID tokens are taken as bearer, and where people sign in on the page when it has a `client_id`. Its redirect address is `PUBLIC_URL/api/v1/auth/oidc/NAME/callback`.",
    fields: ISSUER_FIELDS,
    example: "name = \"company\"\nissuer = \"https://id.example.com\"\naudience = \"stoa-api\"\nclient_id = \"stoa\"",
};

settings! { @fields ISSUER_FIELDS;
    /// A short name, shown on the page and part of the redirect address.
    ISSUER_NAME: String = form::text("a short name"), "name", [], Default::None;
    /// The issuer exactly as its tokens name it, with or without a slash at the end as it does itself.
    ISSUER_URL: String = form::exact_url(), "issuer", [], Default::None;
    /// The audience that a token must name when it comes as bearer; the `client_id` when absent.
    ISSUER_AUDIENCE: String = form::text("an audience"), "audience", [], Default::None;
    /// Where its keys are; found by discovery when absent.
    ISSUER_JWKS: Url = form::url(), "jwks_url", [], Default::None;
    /// The client id for sign-in on the page; without one the issuer is not offered there.
    ISSUER_CLIENT_ID: String = form::text("a client id"), "client_id", [], Default::None;
    /// The client secret for sign-in on the page; a public client has none, and PKCE alone protects it.
    ISSUER_CLIENT_SECRET: Secret<String> = form::secret(), "client_secret", [], Default::None, secret;
    /// The variable that holds the client secret.
    ISSUER_SECRET_VARIABLE: String = form::text("the name of a variable"), "client_secret_variable", [], Default::None;
    /// The file that holds the client secret.
    ISSUER_SECRET_FILE: PathBuf = form::path(), "client_secret_file", [], Default::None;
}
