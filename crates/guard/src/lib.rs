//! What may pass: hosts, schemes, origins and bodies (`http`), how often (`limits`), which texts (`content`),
//! and to which addresses this server itself may speak (`outbound`). It never knows who somebody is.

pub mod content;
pub mod http;
pub mod limits;
pub mod outbound;
