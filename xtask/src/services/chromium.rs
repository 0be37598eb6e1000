//! The browser for the tests of the pages. It is only found here; the tests start it themselves.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::Services;
use crate::shell;

/// The browser and its driver.
pub(super) fn find() -> Option<(PathBuf, PathBuf)> {
    let browser = shell::find(&["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"])?;
    let driver = shell::find(&[
        "chromedriver",
        "/usr/lib/chromium/chromedriver",
        "/usr/lib/chromium-browser/chromedriver",
    ])?;
    Some((browser, driver))
}

/// Gives `STOA_TEST_CHROMIUM` and `STOA_TEST_CHROMEDRIVER`, their paths.
pub(super) fn name(services: &mut Services) -> Result<()> {
    let (browser, driver) = find().context("it is not found")?;
    services.variables.push(("STOA_TEST_CHROMIUM", browser.display().to_string()));
    services.variables.push(("STOA_TEST_CHROMEDRIVER", driver.display().to_string()));
    Ok(())
}
