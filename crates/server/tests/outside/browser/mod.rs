//! A person with a browser: headless Chromium on the real pages. Screenshots of every station stay in
//! `target/artefacts`, to be looked at.
//!
//! `STOA_TEST_CHROMIUM` and `STOA_TEST_CHROMEDRIVER` name the programs.

mod accounts;
mod administration;
mod attacked_shares;
mod attacks;
mod audited;
mod authenticator;
mod carrying;
mod endings;
mod files;
mod installed;
mod journeys;
mod keyboard;
mod languages;
mod long;
mod looks;
mod order;
mod palette;
mod passkeys;
mod person;
mod reviewing;
mod scene;
mod service;
mod streams;
mod troubles;
mod tutor;
mod ways_in;
mod written;
