//! Problems of a tutor app: learners see the statements of the published ones, teachers all of all of them.

use ::tutor::Problem;
use identity::{Learn, May, Teach};
use kernel::{
    AppKind, AuditEvent, Code, EventType, Fault, Level, Page, PageRequest, ProblemId, Result, Time,
};
use store::StoredProblem;

use super::sheet::ProblemSheet;
use super::taught;
use crate::Hall;

/// What a problem becomes.
pub type ProblemChange = ProblemSheet;

/// A problem as somebody sees it.
#[derive(Clone, Debug)]
pub struct ProblemView {
    /// Its id.
    pub id: ProblemId,
    /// What it is called.
    pub title: String,
    /// What the learner is given.
    pub statement: String,
    /// For whom it is.
    pub level: Option<String>,
    /// Learners see it.
    pub published: bool,
    /// When it was made.
    pub created_at: Time,
    /// When it was changed last.
    pub updated_at: Time,
    /// Everything that belongs to it; teachers alone get it.
    pub sheet: Option<ProblemSheet>,
}

impl ProblemView {
    pub(super) fn of(stored: StoredProblem, teacher: bool) -> Result<ProblemView> {
        let problem: Problem = taught(&stored)?;
        Ok(ProblemView {
            id: stored.id,
            title: problem.title.clone(),
            statement: problem.statement.clone(),
            level: stored.level.clone(),
            published: stored.published,
            created_at: stored.created_at,
            updated_at: stored.updated_at,
            sheet: teacher.then(|| ProblemSheet::of(problem, stored.level, stored.published)),
        })
    }
}

/// Whether the caller teaches in the app that it learns in: a person with an account who manages it.
pub(super) fn teaches(may: &May<Learn>) -> bool {
    may.who().user().is_some() && may.who().level(&may.what().0) == Some(Level::Manage)
}

impl Hall {
    /// Fails with `not_found` when the app is no tutor: there are no problems in it.
    fn tutoring(&self, app: &kernel::AppId) -> Result<()> {
        match self.rooms.catalog.get(app)?.kind {
            AppKind::Tutor => Ok(()),
            AppKind::Chat | AppKind::Support | AppKind::Files => {
                Err(Fault::new(Code::NotFound).say("this app is no tutor and has no problems"))
            }
        }
    }

    /// The problems of an app, newest first: the published ones, and for teachers the drafts too.
    pub async fn problems(&self, may: &May<Learn>, page: PageRequest) -> Result<Page<ProblemView>> {
        let app = &may.what().0;
        self.tutoring(app)?;
        let teacher = teaches(may);
        self.rooms.audit.note(noted(may, EventType::DataRead, app).with("what", "problems"));
        let found = self.rooms.store.problems(app, teacher, page).await?;
        let items: Result<Vec<ProblemView>> =
            found.items.into_iter().map(|stored| ProblemView::of(stored, teacher)).collect();
        Ok(Page { items: items?, next: found.next })
    }

    /// One problem; a draft is there for teachers alone.
    pub async fn problem(&self, may: &May<Learn>, id: ProblemId) -> Result<ProblemView> {
        let app = &may.what().0;
        self.tutoring(app)?;
        let teacher = teaches(may);
        let stored = self.rooms.store.problem(app, id).await?;
        if !stored.published && !teacher {
            return Err(Code::NotFound.into());
        }
        self.rooms.audit.note(noted(may, EventType::DataRead, app).with("problem", id.to_string()));
        ProblemView::of(stored, teacher)
    }

    /// Makes a problem.
    pub async fn add_problem(&self, may: &May<Teach>, sheet: &ProblemSheet) -> Result<ProblemView> {
        let app = &may.what().0;
        self.tutoring(app)?;
        let id = ProblemId::new(&self.rooms.ambient);
        let audit = vec![changed(may, EventType::DataWritten, id)];
        let stored = self.rooms.store.add_problem(id, app, sheet.checked()?, audit).await?;
        tracing::info!(%app, problem = %id, "problem added");
        ProblemView::of(stored, true)
    }

    /// Replaces a problem. Learners who work on it go on with the new one.
    pub async fn change_problem(
        &self,
        may: &May<Teach>,
        id: ProblemId,
        change: &ProblemChange,
    ) -> Result<ProblemView> {
        let app = &may.what().0;
        self.tutoring(app)?;
        let audit = vec![changed(may, EventType::DataWritten, id)];
        let stored = self.rooms.store.change_problem(app, id, change.checked()?, audit).await?;
        ProblemView::of(stored, true)
    }

    /// Removes a problem. Conversations about it stay with their learners.
    pub async fn remove_problem(&self, may: &May<Teach>, id: ProblemId) -> Result<()> {
        let app = &may.what().0;
        self.tutoring(app)?;
        self.rooms.store.remove_problem(app, id, vec![changed(may, EventType::DataErased, id)]).await?;
        tracing::info!(%app, problem = %id, "problem removed");
        Ok(())
    }
}

pub(super) fn noted<P>(may: &May<P>, what: EventType, app: &kernel::AppId) -> AuditEvent {
    AuditEvent::new(what, may.owner()).from(may.who().address()).to(format_args!("app:{app}"))
}

pub(super) fn changed(may: &May<Teach>, what: EventType, id: ProblemId) -> AuditEvent {
    AuditEvent::new(what, may.owner())
        .from(may.who().address())
        .to(format_args!("problem:{id}"))
        .with("app", may.what().0.as_str())
}
