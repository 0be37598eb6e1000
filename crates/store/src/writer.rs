//! The queue in front of the one task that writes. Whatever has queued while a batch was committed goes into the
//! next one together. It never answers before the commit, and a caller that goes away cancels nothing.

use futures_util::future::BoxFuture;
use kernel::{AuditEvent, Fault, Result};
use tokio::sync::{mpsc, oneshot};

use crate::batch::Batcher;
use crate::data_key::Refusal;
use crate::dialect::{Company, Engine};
use crate::piece::PieceOrder;
use crate::trouble::{Sort, Trouble};
use crate::turn::{FinishOrder, TurnOrder};
use crate::tx::Tx;

/// Orders that may wait; more are refused with `unavailable`.
const QUEUE: usize = 8_192;

/// Orders in one transaction at the most: about 3,000 rows, some milliseconds.
const BATCH: usize = 512;

/// Work for the writer.
pub(crate) enum Order {
    /// Two messages of a turn.
    Turn(Box<TurnOrder>),
    /// The end of a streamed message.
    Finish(Box<FinishOrder>),
    /// More of a streamed message.
    Piece(Box<PieceOrder>),
    /// Anything else.
    Job(Box<dyn Job>),
}

/// Anything that is written in one savepoint.
pub(crate) trait Job: Send {
    /// Whether it may be written beside other processes.
    fn company(&self) -> Company;
    /// What it is called.
    fn operation(&self) -> &'static str;
    /// Does it; called once.
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<(), Refusal>>;
    /// What the audit log will say; called once, after `run` succeeded.
    fn events(&mut self) -> Vec<AuditEvent>;
    /// Tells the caller; called once, after the commit or the failure.
    fn answer(self: Box<Self>, outcome: Result<(), Refusal>);
}

struct Closure<F, T> {
    operation: &'static str,
    company: Company,
    work: Option<F>,
    events: Vec<AuditEvent>,
    value: Option<T>,
    reply: oneshot::Sender<Result<T, Refusal>>,
}

impl<F, T> Job for Closure<F, T>
where
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, Refusal>> + Send,
    T: Send,
{
    fn company(&self) -> Company {
        self.company
    }

    fn operation(&self) -> &'static str {
        self.operation
    }

    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<(), Refusal>> {
        Box::pin(async move {
            let Some(work) = self.work.take() else {
                return Err(Fault::internal("a job was run twice").into());
            };
            self.value = Some(work(tx).await?);
            Ok(())
        })
    }

    fn events(&mut self) -> Vec<AuditEvent> {
        std::mem::take(&mut self.events)
    }

    fn answer(self: Box<Self>, outcome: Result<(), Refusal>) {
        let Closure { value, reply, .. } = *self;
        let answer =
            outcome.and_then(|()| value.ok_or_else(|| Fault::internal("a job gave no answer").into()));
        // The caller may have gone; what was written stays written.
        let _ = reply.send(answer);
    }
}

/// The way to the writing task.
pub(crate) struct Writer {
    queue: std::sync::RwLock<Option<mpsc::Sender<Order>>>,
    /// Tells when the writing has ended.
    ended: tokio::sync::Mutex<Option<oneshot::Receiver<()>>>,
}

impl Writer {
    /// Starts the writing: as a task, or on a thread of its own where statements run on the thread that asks.
    pub(crate) fn start(batcher: Batcher, engine: Engine) -> Result<Writer, Trouble> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let (done, ended) = oneshot::channel();
        let writing = async move {
            serve(batcher, receiver).await;
            // Nobody listens where the store was not closed but let go of.
            let _ = done.send(());
        };
        match engine {
            Engine::Postgres => drop(tokio::spawn(writing)),
            Engine::Sqlite => {
                let runtime = tokio::runtime::Handle::current();
                let thread = std::thread::Builder::new().name("stoa-writer".to_owned());
                thread
                    .spawn(move || runtime.block_on(writing))
                    .map_err(|error| Trouble::busy(format!("no thread for the writer: {error}")))?;
            }
        }
        let queue = std::sync::RwLock::new(Some(sender));
        Ok(Writer { queue, ended: tokio::sync::Mutex::new(Some(ended)) })
    }

    fn enqueue(&self, order: Order) -> Result<(), Trouble> {
        let queue = self.queue.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(sender) = queue.as_ref() else { return Err(Trouble::busy("the store is closed")) };
        sender.try_send(order).map_err(|_| Trouble::busy("the queue of the writer is full"))
    }

    /// Queues a turn and waits for its commit.
    pub(crate) async fn order<T>(
        &self,
        make: impl FnOnce(oneshot::Sender<Result<T, Refusal>>) -> Order,
    ) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(make(reply))?;
        answer.await.unwrap_or_else(|_| Err(Trouble::busy("the writer gave up").into()))
    }

    /// Queues any other work, with the audit events that belong to it, and waits for the commit.
    pub(crate) async fn job<T, F>(
        &self,
        operation: &'static str,
        company: Company,
        events: Vec<AuditEvent>,
        work: F,
    ) -> Result<T, Refusal>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, Refusal>> + Send + 'static,
        T: Send + 'static,
    {
        self.order(|reply| {
            Order::Job(Box::new(Closure { operation, company, work: Some(work), events, value: None, reply }))
        })
        .await
    }

    /// Takes no more orders, writes those that wait, ends.
    pub(crate) async fn close(&self) {
        drop(self.queue.write().unwrap_or_else(std::sync::PoisonError::into_inner).take());
        if let Some(ended) = self.ended.lock().await.take() {
            // It ends by itself; it panics in no known way, and then there is nothing left to wait for.
            let _ = ended.await;
        }
    }
}

async fn serve(batcher: Batcher, mut receiver: mpsc::Receiver<Order>) {
    let mut orders = Vec::with_capacity(BATCH);
    while receiver.recv_many(&mut orders, BATCH).await > 0 {
        if let Err(trouble) = batcher.write(std::mem::take(&mut orders)).await
            && trouble.sort != Sort::Defect
        {
            // Those that queued meanwhile have waited for the same database as long: they are told the same.
            while !receiver.is_empty() && receiver.recv_many(&mut orders, BATCH).await > 0 {
                crate::batch::refuse(std::mem::take(&mut orders), &trouble);
            }
        }
        batcher.relief.grant(&batcher.pool).await;
    }
}
