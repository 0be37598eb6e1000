//! What may fail around the server, failing: the process, the database, Redis, the provider, the disk, the clients.

mod disk;
mod kill;
mod midstream;
mod postgres;
mod provider;
mod redis;
mod silence;
mod slow;
mod stop;
