//! One batch of orders in one transaction: jobs each in a savepoint, turns and ends of messages together in
//! shared statements, their audit events at the end, one commit for all.
//! A failing order fails alone; a failing commit fails all. It never answers anybody before the commit.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use kernel::{Ambient, Fault, Result};
use tokio::sync::OnceCell;

use crate::audit;
use crate::checkpoint::Relief;
use crate::data_key::{Held, Refusal};
use crate::dialect::Company;
use crate::piece::{self, PieceOrder};
use crate::pool::Pool;
use crate::secret::Secrets;
use crate::trouble::Trouble;
use crate::turn::{self, FinishOrder, TurnOrder};
use crate::tx::Tx;
use crate::watch::Watch;
use crate::writer::{Job, Order};

/// What the writing task needs.
pub(crate) struct Batcher {
    pub(crate) pool: Pool,
    pub(crate) relief: Relief,
    pub(crate) secrets: Arc<OnceCell<Secrets>>,
    pub(crate) ambient: Ambient,
    pub(crate) slow: Duration,
}

/// The orders of a batch by kind, with what became of each.
#[derive(Default)]
struct Batch {
    jobs: Vec<(Box<dyn Job>, Result<(), Refusal>)>,
    turns: Vec<TurnOrder>,
    finishes: Vec<FinishOrder>,
    pieces: Vec<PieceOrder>,
}

impl Batch {
    fn sort(orders: Vec<Order>) -> Batch {
        let mut batch = Batch::default();
        for order in orders {
            match order {
                Order::Job(job) => batch.jobs.push((job, Ok(()))),
                Order::Turn(turn) => batch.turns.push(*turn),
                Order::Finish(finish) => batch.finishes.push(*finish),
                Order::Piece(piece) => batch.pieces.push(*piece),
            }
        }
        batch
    }

    /// How the keys of the turns are held. Turns that are not counted go beside those of other processes for the same
    /// subject; not where a job comes after them, which may want the key for itself: two such batches would each hold
    /// what the other wants.
    fn held(&self) -> Held {
        match self.jobs.is_empty() && !self.turns.iter().any(TurnOrder::counts) {
            true => Held::Shared,
            false => Held::Alone,
        }
    }

    fn answer(self) {
        for (job, outcome) in self.jobs {
            job.answer(outcome);
        }
        for order in self.turns {
            order.answer();
        }
        for order in self.finishes {
            order.answer();
        }
        for order in self.pieces {
            order.answer();
        }
    }

    fn refuse(self, trouble: &Trouble) {
        let refusal = || Refusal::Fault(trouble.again().into());
        for (job, _) in self.jobs {
            job.answer(Err(refusal()));
        }
        for mut order in self.turns {
            order.outcome = Err(refusal());
            order.answer();
        }
        for mut order in self.finishes {
            order.outcome = Err(refusal());
            order.answer();
        }
        for mut order in self.pieces {
            order.outcome = Err(refusal());
            order.answer();
        }
    }
}

/// Tells all of these that nothing was written.
pub(crate) fn refuse(orders: Vec<Order>, trouble: &Trouble) {
    Batch::sort(orders).refuse(trouble);
}

impl Batcher {
    /// Writes a batch and answers every order. A failure that concerned all of them is given back too.
    pub(crate) async fn write(&self, orders: Vec<Order>) -> Result<(), Trouble> {
        let watch = Watch::start("write", self.slow);
        metrics::histogram!("stoa_db_batch_orders").record(orders.len() as f64);
        let mut batch = Batch::sort(orders);
        // A defect that panics costs the orders of this batch, never the writer.
        let outcome = AssertUnwindSafe(self.attempt(&mut batch)).catch_unwind().await;
        let outcome = outcome.unwrap_or_else(|_| Err(Trouble::defect("the writer panicked")));
        match outcome {
            Ok(()) => {
                batch.answer();
                Ok(())
            }
            Err(trouble) => {
                let copy = trouble.again();
                drop(watch.fault(trouble));
                batch.refuse(&copy);
                Err(copy)
            }
        }
    }

    async fn attempt(&self, batch: &mut Batch) -> Result<(), Trouble> {
        let company = batch.jobs.iter().map(|(job, _)| job.company()).max().unwrap_or(Company::Shared);
        let mut tx = self.appended(batch, company).await?;
        let alone = batch.jobs.len() == 1
            && batch.turns.is_empty()
            && batch.finishes.is_empty()
            && batch.pieces.is_empty();
        for (job, outcome) in &mut batch.jobs {
            if !alone {
                tx.mark().await?;
            }
            tx.operation = job.operation();
            *outcome = run_job(&mut tx, job.as_mut()).await?;
            tx.operation = "write";
            match outcome {
                Ok(()) if alone => tx.events.extend(job.events()),
                Ok(()) => {
                    tx.keep().await?;
                    tx.events.extend(job.events());
                }
                // Nothing else was done in this transaction.
                Err(_) if alone => {
                    tx.rollback().await;
                    return Ok(());
                }
                Err(_) => tx.undo().await?,
            }
        }
        let turns =
            batch.turns.iter_mut().filter(|order| order.outcome.is_ok()).map(|order| &mut order.events);
        let ends =
            batch.finishes.iter_mut().filter(|order| order.outcome.is_ok()).map(|order| &mut order.events);
        for events in turns.chain(ends) {
            tx.events.append(events);
        }
        let events = std::mem::take(&mut tx.events);
        if !events.is_empty() {
            let secrets =
                self.secrets.get().ok_or_else(|| Trouble::defect("the store's keys are not open"))?;
            tx.operation = "audit.append";
            audit::append(&mut tx, &secrets.chain, &self.ambient, events).await?;
        }
        tx.operation = "commit";
        tx.commit().await
    }

    /// Begins, with the turns and ends of messages written together; when a statement of theirs fails, begins
    /// again and writes each in a savepoint of its own, so that only the guilty one fails. They come first
    /// because savepoints cost SQLite a copy of every page, and almost no batch needs them.
    async fn appended(&self, batch: &mut Batch, company: Company) -> Result<Tx, Trouble> {
        let held = batch.held();
        let mut tx = Tx::begin(&self.pool, company).await?;
        tx.operation = "turn.write";
        let together = async {
            if !batch.turns.is_empty() {
                turn::append(&mut tx, &mut batch.turns, held).await?;
            }
            // A piece that was said before the end goes in before it.
            if !batch.pieces.is_empty() {
                piece::add(&mut tx, &mut batch.pieces).await?;
            }
            if !batch.finishes.is_empty() {
                turn::finish(&mut tx, &mut batch.finishes, held).await?;
            }
            Ok(())
        };
        let together = together.await;
        tx.operation = "write";
        match together {
            Ok(()) => return Ok(tx),
            Err(trouble) if tx.lost() => return Err(trouble),
            Err(_) => tx.rollback().await,
        }
        let mut tx = Tx::begin(&self.pool, company).await?;
        for order in &mut batch.turns {
            tx.mark().await?;
            if let Err(refusal) =
                settled(&mut tx, async |tx| turn::append(tx, std::slice::from_mut(order), held).await).await?
            {
                order.outcome = Err(refusal);
            }
        }
        for order in &mut batch.pieces {
            tx.mark().await?;
            if let Err(refusal) =
                settled(&mut tx, async |tx| piece::add(tx, std::slice::from_mut(order)).await).await?
            {
                order.outcome = Err(refusal);
            }
        }
        for order in &mut batch.finishes {
            tx.mark().await?;
            if let Err(refusal) =
                settled(&mut tx, async |tx| turn::finish(tx, std::slice::from_mut(order), held).await).await?
            {
                order.outcome = Err(refusal);
            }
        }
        Ok(tx)
    }
}

/// Runs one order after a mark, and keeps or undoes it. Its failure is the inner result.
async fn settled(
    tx: &mut Tx,
    write: impl AsyncFnOnce(&mut Tx) -> Result<(), Trouble>,
) -> Result<Result<(), Refusal>, Trouble> {
    match write(tx).await {
        Ok(()) => tx.keep().await.map(Ok),
        Err(trouble) if tx.lost() => Err(trouble),
        Err(trouble) => {
            tx.undo().await?;
            Ok(Err(Refusal::Fault(trouble.into())))
        }
    }
}

/// Runs one job. A failure of the job is the inner result; the outer one is that of the batch.
async fn run_job(tx: &mut Tx, job: &mut dyn Job) -> Result<Result<(), Refusal>, Trouble> {
    let outcome = AssertUnwindSafe(job.run(tx)).catch_unwind().await;
    let outcome = outcome.unwrap_or_else(|_| Err(Fault::internal("a job panicked").into()));
    if tx.lost() {
        return Err(Trouble::away("the connection was lost"));
    }
    Ok(match outcome {
        // A job may not go on over a failed statement: Postgres would turn the commit into a rollback.
        Ok(()) if tx.failed() => Err(Fault::internal("a job hid a failed statement").into()),
        other => other,
    })
}
