//! Legal holds: what must be kept whatever its time, a subject or an app. While a hold is there retention passes it by
//! and an erasure is refused. Every change is audited. It never decides who may place one.

use std::fmt;

use crypto::Place;
use kernel::{AppId, AuditEvent, Code, Fault, HoldId, Result, Subject, Time};

use crate::Store;
use crate::data_key::Refusal;
use crate::tx::Tx;
use crate::value::{Row, values};

/// What is held.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum HoldTarget {
    /// Everything of a subject; of an account with what its keys did.
    Subject(Subject),
    /// Everything that was said and stored in an app.
    App(AppId),
}

impl HoldTarget {
    /// Reads the form that `Display` writes: `user:…`, `visitor:…`, `key:…`, `app:…`.
    pub fn parse(text: &str) -> Result<HoldTarget> {
        match text.strip_prefix("app:") {
            Some(app) => AppId::parse(app).map(HoldTarget::App),
            None => Subject::parse(text).map(HoldTarget::Subject),
        }
    }
}

impl fmt::Display for HoldTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HoldTarget::Subject(subject) => fmt::Display::fmt(subject, f),
            HoldTarget::App(app) => write!(f, "app:{app}"),
        }
    }
}

/// A hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// What is held.
    pub target: HoldTarget,
    /// Why, for those who may know.
    pub reason: String,
    /// Who placed it: a subject, or `operator`.
    pub created_by: String,
    /// Since when.
    pub created_at: Time,
}

/// A hold to be placed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewHold {
    /// Its id.
    pub id: HoldId,
    /// What is held.
    pub target: HoldTarget,
    /// Why.
    pub reason: String,
    /// Who places it.
    pub created_by: String,
}

const fn place(id: &str) -> Place<'_> {
    Place { table: "holds", column: "reason", row: id }
}

/// Holds beyond this number are not listed; an operator has a handful.
const MOST: u32 = 1_000;

/// The condition that nothing holds the subject in this column of a query, nor the account whose key it is: what stands
/// after the fourth letter is an id for keys alone.
macro_rules! unheld {
    ($owner:literal) => {
        concat!(
            "NOT EXISTS (SELECT 1 FROM holds h WHERE h.target = ",
            $owner,
            " OR h.target = (SELECT 'user:' || k.user_id FROM api_keys k WHERE k.id = substr(",
            $owner,
            ", 5)))"
        )
    };
}
pub(crate) use unheld;

/// What a person is told whose data cannot be erased now. Why is not theirs to know from here.
const REFUSED: &str =
    "this data cannot be erased at the moment; please ask whoever runs this server, who can say why and when";

/// Refuses when something holds one of these subjects.
pub(crate) async fn refuse_held(tx: &mut Tx, subjects: &[Subject]) -> Result<(), Refusal> {
    for subject in subjects {
        let held =
            format!("SELECT 1 FROM (SELECT CAST($1 AS text) AS owner) s WHERE NOT ({})", unheld!("s.owner"));
        let sql = crate::connection::Sql::Built(held.into());
        if tx.one(sql, values![subject.to_string()]).await?.is_some() {
            return Err(refusal().into());
        }
    }
    Ok(())
}

/// Refuses when something holds this owner, by name, or this app: what is on hold its owner cannot destroy either.
pub(crate) async fn refuse_kept(tx: &mut Tx, owner: &str, app: &str) -> Result<(), Refusal> {
    const KEPT: &str = "SELECT id FROM holds WHERE target = $1 OR target = $2 \
         OR target = (SELECT 'user:' || k.user_id FROM api_keys k WHERE k.id = substr($1, 5)) LIMIT 1";
    match tx.one(KEPT, values![owner, format!("app:{app}")]).await? {
        None => Ok(()),
        Some(_) => Err(refusal().into()),
    }
}

pub(crate) fn refusal() -> Fault {
    Fault::new(Code::Conflict).say(REFUSED).because("a legal hold is there")
}

impl Store {
    /// Places a hold. `conflict` when there is one on the same target.
    pub async fn add_hold(&self, new: NewHold, audit: Vec<AuditEvent>) -> Result<Hold> {
        let now = self.inside.ambient.now();
        let (id, target) = (new.id.to_string(), new.target.to_string());
        let reason = self.secrets().await?.seal(place(&id), new.reason.as_bytes(), &self.inside.ambient);
        let row = values![id, target, reason, new.created_by.as_str(), now];
        self.write_alone("hold.add", audit, move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO holds (id, target, reason, created_by, created_at) VALUES ($1, $2, $3, $4, $5) \
                           ON CONFLICT (target) DO NOTHING";
                if tx.run(sql, row).await? == 0 {
                    return Err(Fault::new(Code::Conflict).say("there is a hold on this already").into());
                }
                Ok(())
            })
        })
        .await?;
        let NewHold { id, target, reason, created_by } = new;
        Ok(Hold { id, target, reason, created_by, created_at: now })
    }

    /// Ends a hold; gives what it was. `not_found` when there is none with this id.
    pub async fn remove_hold(&self, id: HoldId, audit: AuditEvent) -> Result<Hold> {
        let found = self.hold(id).await?;
        let (row, event) = (values![id.to_string()], audit.to(&found.target));
        self.write_alone("hold.remove", vec![event], move |tx| {
            Box::pin(async move {
                match tx.run("DELETE FROM holds WHERE id = $1", row).await? {
                    0 => Err(Fault::new(Code::NotFound).into()),
                    _ => Ok(()),
                }
            })
        })
        .await?;
        Ok(found)
    }

    /// The hold with this id.
    pub async fn hold(&self, id: HoldId) -> Result<Hold> {
        let found = self.find_holds("WHERE id = $1", id.to_string()).await?;
        found.into_iter().next().ok_or_else(|| Fault::new(Code::NotFound))
    }

    /// Every hold, the newest first.
    pub async fn holds(&self) -> Result<Vec<Hold>> {
        self.find_holds("WHERE id > $1 ORDER BY created_at DESC, id DESC", String::new()).await
    }

    /// The hold that stands in the way of an erasure of this subject: on it, or on the account whose key it is.
    pub async fn hold_on(&self, subject: &Subject) -> Result<Option<Hold>> {
        let condition = "WHERE target = $1 OR target = (SELECT 'user:' || k.user_id FROM api_keys k WHERE k.id = substr($1, 5))";
        Ok(self.find_holds(condition, subject.to_string()).await?.into_iter().next())
    }

    async fn find_holds(&self, condition: &str, value: String) -> Result<Vec<Hold>> {
        let sql =
            format!("SELECT id, target, reason, created_by, created_at FROM holds {condition} LIMIT {MOST}");
        let secrets = self.secrets().await?;
        let sql = crate::connection::Sql::Built(sql.into());
        let rows = self.read("hold.read").await?.all(sql, values![value]).await?;
        let read = |row: &Row| -> Result<Hold> {
            let id = row.text(0)?;
            let reason = secrets.open(place(&id), &row.bytes(2)?)?;
            Ok(Hold {
                id: HoldId::parse(&id)?,
                target: HoldTarget::parse(&row.text(1)?)?,
                reason: String::from_utf8(reason).map_err(|_| Fault::internal("a reason is not UTF-8"))?,
                created_by: row.text(3)?,
                created_at: row.time(4)?,
            })
        };
        rows.iter().map(read).collect()
    }
}
