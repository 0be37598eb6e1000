//! The relying party of passkeys: what a browser is asked, and whether its answer proves what it claims
//! (Web Authentication, Level 3). It never stores anything, answers HTTP, reads a clock or draws randomness.
//!
//! What is asked of every passkey: it is discoverable (so that signing in needs no address typed, and nothing tells
//! whether an account exists) and it verifies its user (so that it is two factors by itself). Attestation is not
//! asked for and ignored when given: which make of device a person uses is their own affair.
//!
//! A ceremony has two halves. The first gives the options for the browser and a sealed state; the state comes back
//! with the answer, so that no memory is needed in between. It is short-lived and bound to its purpose and user; that
//! it counts once is the caller's part: write [`Spent::digest`] down until [`Spent::until`], and refuse what is there.

mod authenticator;
mod cbor;
mod client;
mod form;
mod party;
mod public_key;
mod refusal;
mod registration;
mod sign_in;
mod state;

pub use party::{Party, Unfit};
pub use refusal::Refusal;
pub use registration::{Owner, Registered};
pub use sign_in::{Assertion, Known, Proof};
pub use state::{LIFETIME, Spent};
