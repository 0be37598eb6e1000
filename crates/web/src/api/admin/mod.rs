//! What admins do over HTTP. Every operation takes `May<Admin>`; the rules and the audit events are the services'.

pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod backups;
pub(crate) mod brake;
pub(crate) mod grants;
pub(crate) mod held;
pub(crate) mod holds;
pub(crate) mod operation;
pub(crate) mod review;
pub(crate) mod settings;
pub(crate) mod usage;
pub(crate) mod users;
