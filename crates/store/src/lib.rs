//! The only SQL: rows in, rows out, on SQLite and Postgres from one text.
//! Every query carries the owner. It never decides who may do what: callers bring a proof to the services above.

mod audit;
mod audit_verify;
mod batch;
mod block;
mod bulk;
mod checkpoint;
mod config;
mod connection;
mod conversation;
mod data_key;
mod dialect;
mod epoch;
mod idempotency;
mod key;
mod message;
mod migrate;
mod pool;
mod reader;
mod registry;
mod secret;
mod state;
mod store;
mod trouble;
mod turn;
mod tx;
mod value;
mod watch;
mod writer;

pub use audit::{AuditFilter, StoredEvent};
pub use audit_verify::{AuditFault, AuditVerdict};
pub use block::Block;
pub use config::{Config, Database, Pool, PostgresTls};
pub use conversation::{Conversation, ConversationChange, ConversationFilter, NewConversation};
pub use epoch::{Epochs, Scope};
pub use idempotency::{Idempotent, StoredAnswer};
pub use key::{ApiKey, NewKey};
pub use message::{FinishReason, FinishedMessage, Message, Opening, Role, Turn};
pub use migrate::{Migration, STEPS, Step};
pub use pool::PoolState;
pub use registry::{Holds, Rule, SubjectExport, TABLES, Table};
pub use store::Store;
