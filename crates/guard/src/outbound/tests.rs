//! The client against small servers on loopback.

use super::*;
