//! The words for accounts: what role one has, and what a grant allows in an app.
//! It never decides what a role may do: that is the room `identity`.

use crate::Fault;

/// The role of an account.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Role {
    /// Uses the apps that it was granted.
    User,
    /// Runs the server, and holds every grant.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 2] = [Role::User, Role::Admin];

    /// The role as a word: `user`, `admin`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::User => "user",
            Role::Admin => "admin",
        }
    }

    /// Reads the word; any other is `invalid_input`.
    pub fn parse(text: &str) -> Result<Role, Fault> {
        Role::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| Fault::invalid("role", "unknown", "a role is `user` or `admin`"))
    }
}

/// What a grant allows in its app. The greater one allows what the smaller does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Level {
    /// To use the app.
    Use,
    /// To change what the app knows, too.
    Manage,
}

impl Level {
    /// Every level.
    pub const ALL: [Level; 2] = [Level::Use, Level::Manage];

    /// The level as a word: `use`, `manage`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Use => "use",
            Level::Manage => "manage",
        }
    }

    /// Reads the word; any other is `invalid_input`.
    pub fn parse(text: &str) -> Result<Level, Fault> {
        Level::ALL
            .into_iter()
            .find(|level| level.as_str() == text)
            .ok_or_else(|| Fault::invalid("level", "unknown", "a level is `use` or `manage`"))
    }
}

impl std::str::FromStr for Role {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Role, Fault> {
        Role::parse(text)
    }
}

impl std::str::FromStr for Level {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Level, Fault> {
        Level::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn words_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()).unwrap(), role);
        }
        for level in Level::ALL {
            assert_eq!(Level::parse(level.as_str()).unwrap(), level);
        }
        assert_eq!(Role::parse("root").unwrap_err().code(), Code::InvalidInput);
        assert!(Level::parse("").is_err());
        assert!(Level::Manage > Level::Use);
    }
}
