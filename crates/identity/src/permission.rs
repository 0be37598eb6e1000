//! Permission as a value: a service takes `&May<ConversationDelete>`, and only [`crate::Identity::may`] makes
//! one. An unchecked call does not compile.

use kernel::{AppId, Code, Fault, Result, Subject, Visibility};

use crate::Principal;
use crate::scope::Scope;

/// Something that may be allowed.
pub trait Permission {
    /// Its name in the audit log.
    const NAME: &'static str;

    /// Whether this principal may. The default: everybody who has been resolved, on their own data.
    fn check(&self, _who: &Principal) -> Result<()> {
        Ok(())
    }
}

/// The proof that a principal may do `P`.
#[derive(Clone, Debug)]
pub struct May<P> {
    who: Principal,
    what: P,
}

impl<P: Permission> May<P> {
    pub(crate) fn check(who: &Principal, what: P) -> Result<May<P>> {
        what.check(who)?;
        Ok(May { who: who.clone(), what })
    }
}

impl<P> May<P> {
    /// Who may.
    pub const fn who(&self) -> &Principal {
        &self.who
    }

    /// Whose data it is about.
    pub const fn owner(&self) -> Subject {
        self.who.subject()
    }

    /// What is allowed.
    pub const fn what(&self) -> &P {
        &self.what
    }

    /// Fails with `not_found` when the principal may not, or may no longer, enter the app: to somebody outside
    /// it a talk in there does not exist.
    pub fn inside(&self, app: &AppId) -> Result<()> {
        if self.who.apps().contains(app) { Ok(()) } else { Err(Fault::new(Code::NotFound)) }
    }
}

/// What a key's scopes must hold. Everybody else holds all of them.
fn scoped(who: &Principal, scopes: &[Scope]) -> Result<()> {
    if scopes.is_empty() || scopes.iter().any(|scope| who.scopes().contains(*scope)) {
        return Ok(());
    }
    Err(Fault::new(Code::Forbidden).say("the key does not have the scope for this"))
}

/// The answer to who may not: a visitor has shown no credential and is asked to sign in; whoever has one is told that
/// it is not enough.
fn turned_away(who: &Principal) -> Fault {
    Fault::new(if who.is_visitor() { Code::Unauthenticated } else { Code::Forbidden })
}

/// An account itself: neither a visitor nor a key, whoever made it.
fn account(who: &Principal) -> Result<()> {
    if who.user().is_some() { Ok(()) } else { Err(turned_away(who)) }
}

/// The app may be entered.
fn entered(who: &Principal, app: &AppId) -> Result<()> {
    if who.apps().contains(app) { Ok(()) } else { Err(turned_away(who)) }
}

macro_rules! own_data {
    ($($(#[$doc:meta])* $name:ident = $text:literal, [$($scope:ident),*];)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Permission for $name {
            const NAME: &'static str = $text;

            fn check(&self, who: &Principal) -> Result<()> {
                scoped(who, &[$(Scope::$scope),*])
            }
        }
    )*};
}

own_data! {
    /// To see which apps there are for oneself.
    AppsRead = "apps.read", [];
    /// To learn which app one's own conversation belongs to: what reading it and talking in it both begin with.
    ConversationFind = "conversation.find", [Read, Chat, Write];
    /// To read one's own conversations.
    ConversationRead = "conversation.read", [Read];
    /// To change one's own conversations.
    ConversationWrite = "conversation.write", [Write];
    /// To stop the answer that is being written in one's own conversation.
    ConversationStop = "conversation.stop", [Write, Chat];
    /// To say what one thinks of an answer in one's own conversation, or to ask for a person in it.
    ConversationRate = "conversation.rate", [Chat, Write];
    /// To delete one's own conversations.
    ConversationDelete = "conversation.delete", [Write];
}

macro_rules! own_account {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Permission for $name {
            const NAME: &'static str = $text;

            fn check(&self, who: &Principal) -> Result<()> {
                account(who)
            }
        }
    )*};
}

own_account! {
    /// To see one's own account.
    AccountRead = "account.read";
    /// To change one's own account.
    AccountWrite = "account.write";
    /// To give out links to one's own conversations, to see them and to end them: somebody who can be asked about it.
    ConversationShare = "conversation.share";
    /// To bring conversations in from elsewhere.
    ConversationImport = "conversation.import";
    /// To make, list, replace and revoke one's own keys.
    KeysManage = "keys.manage";
}

/// To run the server: users, grants, sessions, keys, the brake, what is written down.
#[derive(Clone, Copy, Debug)]
pub struct Admin;

impl Permission for Admin {
    const NAME: &'static str = "admin";

    fn check(&self, who: &Principal) -> Result<()> {
        account(who)?;
        if who.is_admin() { Ok(()) } else { Err(Fault::new(Code::Forbidden)) }
    }
}

/// To talk in this app.
#[derive(Clone, Debug)]
pub struct Converse(pub AppId);

impl Permission for Converse {
    const NAME: &'static str = "converse";

    fn check(&self, who: &Principal) -> Result<()> {
        entered(who, &self.0)?;
        scoped(who, &[Scope::Chat])
    }
}

/// To sit at the desk of this app: its inbox, the conversations handed over, the questions without an answer, the counts.
/// It takes the level `manage` in the app, or the role of admin; of a key also the scope `write`.
#[derive(Clone, Debug)]
pub struct Desk(pub AppId);

impl Permission for Desk {
    const NAME: &'static str = "desk";

    fn check(&self, who: &Principal) -> Result<()> {
        if who.managed().contains(&self.0) || who.is_admin() {
            return scoped(who, &[Scope::Write]);
        }
        Err(turned_away(who))
    }
}

/// To learn in this app: to see its problems as a learner does, and one's own progress.
#[derive(Clone, Debug)]
pub struct Learn(pub AppId);

impl Permission for Learn {
    const NAME: &'static str = "learn";

    fn check(&self, who: &Principal) -> Result<()> {
        Converse(self.0.clone())
            .check(who)
            .or_else(|_| scoped(who, &[Scope::Read]).and_then(|()| entered(who, &self.0)))
    }
}

/// To teach in this app: to make and see its problems with their answers, and how its learners come on. It takes the
/// account of a person who manages the app; no key reads what learners said.
#[derive(Clone, Debug)]
pub struct Teach(pub AppId);

impl Permission for Teach {
    const NAME: &'static str = "teach";

    fn check(&self, who: &Principal) -> Result<()> {
        account(who)?;
        if who.managed().contains(&self.0) { Ok(()) } else { Err(Fault::new(Code::Forbidden)) }
    }
}

/// To see and search the documents of this app: who may enter it, or manage it; of a key also the scope `read` or
/// `documents`. What is only for the staff stays with those who may [`DocumentsManage`].
#[derive(Clone, Debug)]
pub struct DocumentsRead(pub AppId);

impl Permission for DocumentsRead {
    const NAME: &'static str = "documents.read";

    fn check(&self, who: &Principal) -> Result<()> {
        if who.apps().contains(&self.0) || who.managed().contains(&self.0) {
            return scoped(who, &[Scope::Read, Scope::Documents]);
        }
        Err(turned_away(who))
    }
}

impl May<DocumentsRead> {
    /// Whose documents the caller sees.
    pub fn sees(&self) -> Visibility {
        match DocumentsManage(self.what.0.clone()).check(&self.who) {
            Ok(()) => Visibility::Staff,
            Err(_) => Visibility::Everyone,
        }
    }
}

/// To change the documents of this app: the level `manage`, the role of admin, or a key of the operator's that may
/// enter the app; of a key also the scope `documents`.
#[derive(Clone, Debug)]
pub struct DocumentsManage(pub AppId);

impl Permission for DocumentsManage {
    const NAME: &'static str = "documents.manage";

    fn check(&self, who: &Principal) -> Result<()> {
        let operators = who.is_operators() && who.apps().contains(&self.0);
        if who.managed().contains(&self.0) || operators {
            return scoped(who, &[Scope::Documents]);
        }
        Err(turned_away(who))
    }
}

macro_rules! in_files {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $scope:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(pub AppId);

        impl Permission for $name {
            const NAME: &'static str = $text;

            /// An account that may enter the app, or a key that may. What a visitor keeps ends with a cookie, so
            /// visitors keep no files.
            fn check(&self, who: &Principal) -> Result<()> {
                if who.is_visitor() {
                    return Err(turned_away(who));
                }
                entered(who, &self.0)?;
                scoped(who, &[Scope::$scope])
            }
        }

        impl May<$name> {
            /// The account or key whose files they are.
            pub const fn keeper(&self) -> Subject {
                self.who.keeper()
            }
        }
    )*};
}

in_files! {
    /// To see one's own files in this app.
    FilesRead = "files.read", Read;
    /// To store files in this app, and to take them out of the trash.
    FilesWrite = "files.write", Write;
    /// To throw one's own files in this app away.
    FilesDelete = "files.delete", Write;
}

macro_rules! own_person {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Permission for $name {
            const NAME: &'static str = $text;

            /// A person, with an account or without: a key is none, and its data goes with the account's.
            fn check(&self, who: &Principal) -> Result<()> {
                if who.is_key() { Err(Fault::new(Code::Forbidden)) } else { Ok(()) }
            }
        }
    )*};
}

own_person! {
    /// To get all of one's own data.
    DataExport = "data.export";
    /// To have all of one's own data erased.
    DataErase = "data.erase";
}
