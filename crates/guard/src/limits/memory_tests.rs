//! The counters of memory: floods, shares, evictions.

use super::*;
