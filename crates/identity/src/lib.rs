//! Who is asking, and what they may. It turns every credential into one `Principal` and is the only maker of
//! `May<P>`. It never answers HTTP and never touches content.

mod config;

pub use config::Config;
