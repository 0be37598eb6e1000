//! A person with a browser: headless Chromium on the real pages. Screenshots of every station stay in
//! `target/artefacts`, to be looked at.
//!
//! `STOA_TEST_CHROMIUM` and `STOA_TEST_CHROMEDRIVER` name the programs.

mod accounts;
mod administration;
mod attacks;
mod authenticator;
mod endings;
mod files;
mod journeys;
mod looks;
mod order;
mod passkeys;
mod person;
mod scene;
mod service;
mod troubles;
mod tutor;
mod ways_in;
