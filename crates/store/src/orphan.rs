//! Rows that point at nothing. The database forbids most of them; a restored or edited one may have them all the
//! same, and `stoa doctor` counts. It never deletes.

use kernel::{Fault, Result};

use crate::Store;

impl Store {
    /// How many rows point at something that is not there, for each kind of row, zeros included.
    pub async fn orphans(&self) -> Result<Vec<(String, u64)>> {
        Err(Fault::internal("not written yet"))
    }
}
