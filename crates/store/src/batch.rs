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
use crate::data_key::Refusal;
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
}

impl Batch {
    fn sort(orders: Vec<Order>) -> Batch {
        let mut batch = Batch::default();
        for order in orders {
            match order {
                Order::Job(job) => batch.jobs.push((job, Ok(()))),
                Order::Turn(turn) => batch.turns.push(*turn),
                Order::Finish(finish) => batch.finishes.push(*finish),
            }
        }
        batch
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
        let mut tx = Tx::begin(&self.pool).await?;
        for (job, outcome) in &mut batch.jobs {
            *outcome = run_job(&mut tx, job.as_mut()).await?;
        }
        if !batch.turns.is_empty() {
            in_turns(&mut tx, &mut batch.turns, async |tx: &mut Tx, orders: &mut [TurnOrder]| {
                turn::append(tx, orders).await
            })
            .await?;
        }
        if !batch.finishes.is_empty() {
            in_turns(&mut tx, &mut batch.finishes, async |tx: &mut Tx, orders: &mut [FinishOrder]| {
                turn::finish(tx, orders).await
            })
            .await?;
        }
        for order in &mut batch.turns {
            if order.outcome.is_ok() {
                tx.events.append(&mut order.events);
            }
        }
        for order in &mut batch.finishes {
            if order.outcome.is_ok() {
                tx.events.append(&mut order.events);
            }
        }
        let events = std::mem::take(&mut tx.events);
        if !events.is_empty() {
            let secrets =
                self.secrets.get().ok_or_else(|| Trouble::defect("the store's keys are not open"))?;
            audit::append(&mut tx, &secrets.chain, &self.ambient, events).await?;
        }
        tx.commit().await
    }
}

/// Runs one job in a savepoint. A failure of the job is the inner result; the outer one is that of the batch.
async fn run_job(tx: &mut Tx, job: &mut dyn Job) -> Result<Result<(), Refusal>, Trouble> {
    tx.mark().await?;
    let before = tx.events.len();
    let outcome = AssertUnwindSafe(job.run(tx)).catch_unwind().await;
    let outcome = outcome.unwrap_or_else(|_| Err(Fault::internal("a job panicked").into()));
    if tx.lost() {
        return Err(Trouble::away("the connection was lost"));
    }
    let outcome = match outcome {
        // A job may not go on over a failed statement: Postgres would turn the commit into a rollback.
        Ok(()) if tx.failed() => Err(Fault::internal("a job hid a failed statement").into()),
        other => other,
    };
    match outcome {
        Ok(()) => {
            tx.keep().await?;
            tx.events.extend(job.events());
            Ok(Ok(()))
        }
        Err(refusal) => {
            tx.undo().await?;
            tx.events.truncate(before);
            Ok(Err(refusal))
        }
    }
}

/// An order with an outcome of its own.
pub(crate) trait Settle {
    fn settle(&mut self, refusal: Refusal);
}

/// Writes orders together; when a statement fails, each alone, so that only the guilty one fails.
async fn in_turns<O: Settle>(
    tx: &mut Tx,
    orders: &mut [O],
    write: impl AsyncFn(&mut Tx, &mut [O]) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    tx.mark().await?;
    match write(tx, orders).await {
        Ok(()) => return tx.keep().await,
        Err(trouble) if tx.lost() => return Err(trouble),
        Err(_) => tx.undo().await?,
    }
    for order in orders {
        tx.mark().await?;
        match write(tx, std::slice::from_mut(order)).await {
            Ok(()) => tx.keep().await?,
            Err(trouble) if tx.lost() => return Err(trouble),
            Err(trouble) => {
                tx.undo().await?;
                order.settle(Refusal::Fault(trouble.into()));
            }
        }
    }
    Ok(())
}
