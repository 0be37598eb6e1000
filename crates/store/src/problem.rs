//! Problems of the tutor, and who works on them. Contents are sealed with the server's own key, what the tutor keeps
//! with a message with the learner's. Every query carries the app, and the owner or the problem.
//! It never looks into a problem: what one holds is the business of the room above.

use std::fmt;

use crypto::Place;
use kernel::{
    AppId, AuditEvent, Code, ConversationId, Cursor, Fault, Page, PageRequest, ProblemId, Result, Subject,
    Time,
};
use serde_json::Value as Json;

use crate::Store;
use crate::connection::Sql;
use crate::data_key::Refusal;
use crate::message;
use crate::secret::Secrets;
use crate::tx::Tx;
use crate::value::{Row, values};

/// A problem as it is stored.
#[derive(Clone, PartialEq)]
pub struct StoredProblem {
    /// Its id.
    pub id: ProblemId,
    /// The app it belongs to.
    pub app: AppId,
    /// What it holds, the reference too.
    pub content: Json,
    /// For whom it is, in the maker's words.
    pub level: Option<String>,
    /// Learners see it.
    pub published: bool,
    /// When it was made.
    pub created_at: Time,
    /// When it was changed last.
    pub updated_at: Time,
}

impl fmt::Debug for StoredProblem {
    /// Shows the id alone: the content holds the answer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredProblem({})", self.id)
    }
}

/// What a problem is made of, or becomes.
#[derive(Clone)]
pub struct NewProblem {
    /// What it holds.
    pub content: Json,
    /// For whom it is.
    pub level: Option<String>,
    /// Learners see it.
    pub published: bool,
}

impl fmt::Debug for NewProblem {
    /// Shows nothing of it: the content holds the answer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewProblem")
    }
}

/// A learner's conversation about a problem.
#[derive(Clone, PartialEq, Debug)]
pub struct Attempt {
    /// The conversation.
    pub conversation: ConversationId,
    /// The problem.
    pub problem: ProblemId,
    /// The learner.
    pub owner: Subject,
    /// When it began.
    pub started_at: Time,
    /// When something was said last.
    pub last_at: Time,
    /// Turns of the learner.
    pub turns: u32,
    /// What the tutor kept with its last message; `null` before the first.
    pub details: Json,
}

const COLUMNS: &str = "SELECT id, app, content, level, published, created_at, updated_at FROM problems";

const ATTEMPTS: &str = "SELECT a.conversation_id, a.problem_id, a.owner, a.started_at, c.updated_at, c.user_messages, m.id, m.details \
     FROM attempts a JOIN conversations c ON c.id = a.conversation_id LEFT JOIN messages m ON m.id = \
     (SELECT k.id FROM messages k WHERE k.conversation_id = a.conversation_id AND k.details IS NOT NULL \
     ORDER BY k.position DESC LIMIT 1)";

const fn place(id: &str) -> Place<'_> {
    Place { table: "problems", column: "content", row: id }
}

fn read(secrets: &Secrets, row: &Row) -> Result<StoredProblem> {
    let id = row.text(0)?;
    let content = serde_json::from_slice(&secrets.open(place(&id), &row.bytes(2)?)?)
        .map_err(|_| Fault::internal("the content of a problem is not JSON"))?;
    Ok(StoredProblem {
        id: ProblemId::parse(&id)?,
        app: AppId::parse(&row.text(1)?)?,
        content,
        level: row.maybe_text(3)?,
        published: row.int(4)? != 0,
        created_at: row.time(5)?,
        updated_at: row.time(6)?,
    })
}

impl Store {
    /// Makes a problem.
    pub async fn add_problem(
        &self,
        id: ProblemId,
        app: &AppId,
        new: NewProblem,
        audit: Vec<AuditEvent>,
    ) -> Result<StoredProblem> {
        let now = self.inside.ambient.now();
        let name = id.to_string();
        let secrets = self.secrets().await?;
        let sealed = secrets.seal(place(&name), new.content.to_string().as_bytes(), &self.inside.ambient);
        let row = values![name, app.as_str(), sealed, new.level.as_deref(), i64::from(new.published), now];
        self.write("problem.add", audit, move |tx| {
            Box::pin(async move {
                tx.run(
                    "INSERT INTO problems (id, app, content, level, published, created_at, updated_at) \
                     VALUES ($1, $2, $3, $4, $5, $6, $6)",
                    row,
                )
                .await?;
                Ok(())
            })
        })
        .await?;
        Ok(StoredProblem {
            id,
            app: app.clone(),
            content: new.content,
            level: new.level,
            published: new.published,
            created_at: now,
            updated_at: now,
        })
    }

    /// Replaces what a problem of this app holds. `not_found` when there is none.
    pub async fn change_problem(
        &self,
        app: &AppId,
        id: ProblemId,
        new: NewProblem,
        audit: Vec<AuditEvent>,
    ) -> Result<StoredProblem> {
        let now = self.inside.ambient.now();
        let name = id.to_string();
        let secrets = self.secrets().await?;
        let sealed = secrets.seal(place(&name), new.content.to_string().as_bytes(), &self.inside.ambient);
        let row = values![app.as_str(), name, sealed, new.level, i64::from(new.published), now];
        self.write("problem.change", audit, move |tx| {
            Box::pin(async move {
                let sql = "UPDATE problems SET content = $3, level = $4, published = $5, updated_at = $6 \
                           WHERE app = $1 AND id = $2";
                if tx.run(sql, row).await? == 0 { Err(Fault::new(Code::NotFound).into()) } else { Ok(()) }
            })
        })
        .await?;
        self.problem(app, id).await
    }

    /// Removes a problem of this app. The conversations about it stay with their owners, and are about it no more.
    pub async fn remove_problem(&self, app: &AppId, id: ProblemId, audit: Vec<AuditEvent>) -> Result<()> {
        let (app, id) = (app.as_str().to_owned(), id.to_string());
        self.write_alone("problem.remove", audit, move |tx| {
            Box::pin(async move {
                tx.run(
                    "DELETE FROM attempts WHERE app = $1 AND problem_id = $2",
                    values![app.as_str(), id.as_str()],
                )
                .await?;
                match tx.run("DELETE FROM problems WHERE app = $1 AND id = $2", values![app, id]).await? {
                    0 => Err(Fault::new(Code::NotFound).into()),
                    _ => Ok(()),
                }
            })
        })
        .await
    }

    /// A problem of this app.
    pub async fn problem(&self, app: &AppId, id: ProblemId) -> Result<StoredProblem> {
        let sql = Sql::Built(format!("{COLUMNS} WHERE app = $1 AND id = $2").into());
        let row = self.read("problem.get").await?.one(sql, values![app.as_str(), id.to_string()]).await?;
        read(self.secrets().await?, &row.ok_or(Code::NotFound)?)
    }

    /// The problems of this app, newest first; drafts too when they are asked for.
    pub async fn problems(
        &self,
        app: &AppId,
        drafts: bool,
        page: PageRequest,
    ) -> Result<Page<StoredProblem>> {
        let (at, tie) = begin(&page);
        let sql = format!(
            "{COLUMNS} WHERE app = $1 AND published >= $2 AND created_at <= $3 AND (created_at < $3 OR id < $4) \
             ORDER BY created_at DESC, id DESC LIMIT $5"
        );
        let values = values![app.as_str(), i64::from(!drafts), at, tie, page.limit.saturating_add(1)];
        let rows = self.read("problem.list").await?.all(Sql::Built(sql.into()), values).await?;
        let secrets = self.secrets().await?;
        let problems: Result<Vec<StoredProblem>> = rows.iter().map(|row| read(secrets, row)).collect();
        let cursor = |problem: &StoredProblem| Cursor {
            key: problem.created_at.micros(),
            tie: problem.id.to_string(),
        };
        Ok(Page::cut(problems?, page.limit, cursor))
    }

    /// The problem that a conversation of this owner is about, drafts too; `None` when it is about none.
    pub async fn problem_of(
        &self,
        owner: &Subject,
        app: &AppId,
        conversation: ConversationId,
    ) -> Result<Option<StoredProblem>> {
        let sql = "SELECT p.id, p.app, p.content, p.level, p.published, p.created_at, p.updated_at FROM attempts a \
                   JOIN problems p ON p.id = a.problem_id AND p.app = a.app \
                   WHERE a.conversation_id = $1 AND a.owner = $2 AND a.app = $3";
        let values = values![conversation.to_string(), owner.to_string(), app.as_str()];
        let row = self.read("problem.of").await?.one(sql, values).await?;
        let Some(row) = row else { return Ok(None) };
        read(self.secrets().await?, &row).map(Some)
    }

    /// Who works on a problem of this app, newest first.
    pub async fn attempts_at(
        &self,
        app: &AppId,
        problem: ProblemId,
        page: PageRequest,
    ) -> Result<Page<Attempt>> {
        let (at, tie) = begin(&page);
        let sql = format!(
            "{ATTEMPTS} WHERE a.app = $1 AND a.problem_id = $2 AND a.started_at <= $3 \
             AND (a.started_at < $3 OR a.conversation_id < $4) ORDER BY a.started_at DESC, a.conversation_id DESC LIMIT $5"
        );
        let limit = page.limit.saturating_add(1);
        let values = values![app.as_str(), problem.to_string(), at, tie, limit];
        self.attempts(sql, values, page.limit).await
    }

    /// What a learner works on in this app, newest first.
    pub async fn attempts_of(
        &self,
        owner: &Subject,
        app: &AppId,
        page: PageRequest,
    ) -> Result<Page<Attempt>> {
        let (at, tie) = begin(&page);
        let sql = format!(
            "{ATTEMPTS} WHERE a.owner = $1 AND a.app = $2 AND a.started_at <= $3 \
             AND (a.started_at < $3 OR a.conversation_id < $4) ORDER BY a.started_at DESC, a.conversation_id DESC LIMIT $5"
        );
        let limit = page.limit.saturating_add(1);
        let values = values![owner.to_string(), app.as_str(), at, tie, limit];
        self.attempts(sql, values, page.limit).await
    }

    /// The one attempt at a problem of this app that this conversation is.
    pub async fn attempt(
        &self,
        app: &AppId,
        problem: ProblemId,
        conversation: ConversationId,
    ) -> Result<Attempt> {
        let sql = format!("{ATTEMPTS} WHERE a.app = $1 AND a.problem_id = $2 AND a.conversation_id = $3");
        let values = values![app.as_str(), problem.to_string(), conversation.to_string()];
        let found = self.attempts(sql, values, 1).await?;
        found.items.into_iter().next().ok_or_else(|| Fault::new(Code::NotFound))
    }

    async fn attempts(
        &self,
        sql: String,
        values: Vec<crate::value::Value>,
        limit: u32,
    ) -> Result<Page<Attempt>> {
        let rows = self.read("attempt.list").await?.all(Sql::Built(sql.into()), values).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let owner = Subject::parse(&row.text(2)?)?;
            let details = match row.maybe_text(6)? {
                Some(message) => {
                    let sealed = row.maybe_bytes(7)?;
                    let open = |key: &_| message::open_json(key, "details", &message, sealed.clone());
                    self.opened(&owner, open).await?
                }
                None => Json::Null,
            };
            found.push(Attempt {
                conversation: ConversationId::parse(&row.text(0)?)?,
                problem: ProblemId::parse(&row.text(1)?)?,
                owner,
                started_at: row.time(3)?,
                last_at: row.time(4)?,
                turns: row.count(5)?,
                details,
            });
        }
        let cursor = |attempt: &Attempt| Cursor {
            key: attempt.started_at.micros(),
            tie: attempt.conversation.to_string(),
        };
        Ok(Page::cut(found, limit, cursor))
    }
}

fn begin(page: &PageRequest) -> (i64, String) {
    match &page.after {
        Some(cursor) => (cursor.key, cursor.tie.clone()),
        None => (i64::MAX, String::new()),
    }
}

/// Notes that a conversation that was just made is about a problem; `not_found` when learners do not see that one and
/// drafts are not allowed.
pub(crate) async fn begin_attempt(
    tx: &mut Tx,
    problem: (ProblemId, bool),
    conversation: &str,
    owner: &str,
    app: &str,
    now: Time,
) -> Result<(), Refusal> {
    let (problem, drafts) = problem;
    // One text for both engines: types of bare parameters in a list of results are not known to Postgres.
    let lock = Sql::Built(
        format!(
            "SELECT id FROM problems WHERE app = $1 AND id = $2 AND published >= $3{}",
            tx.engine().locked()
        )
        .into(),
    );
    if tx.one(lock, values![app, problem.to_string(), i64::from(!drafts)]).await?.is_none() {
        return Err(Fault::new(Code::NotFound).into());
    }
    tx.run(
        "INSERT INTO attempts (conversation_id, problem_id, app, owner, started_at) VALUES ($1, $2, $3, $4, $5)",
        values![conversation, problem.to_string(), app, owner, now],
    )
    .await?;
    Ok(())
}
