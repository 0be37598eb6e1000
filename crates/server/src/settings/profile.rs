//! The three profiles of a deployment. It owns their names; what they change stands in the table of settings.

/// How a deployment is meant. Anything else refuses to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// On a developer's machine: nothing to configure, loose limits.
    Development,
    /// Like production, for trying things out.
    Staging,
    /// For people. Refuses to start unless every production rule holds.
    Production,
}

impl Profile {
    /// Every profile.
    pub(crate) const ALL: [Profile; 3] = [Profile::Development, Profile::Staging, Profile::Production];

    /// The word that `ENVIRONMENT` uses.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Profile::Development => "development",
            Profile::Staging => "staging",
            Profile::Production => "production",
        }
    }
}
