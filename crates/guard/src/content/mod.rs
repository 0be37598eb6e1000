//! Which texts may pass: validation by characters, masking of personal data, moderation, spam.

pub mod mask;
pub mod validate;

pub use mask::{Found, Masker, PiiKind, StreamMasker};
// TEMP
pub enum Verdict { Allow, Warn, Review, Support, Block }
pub struct Cat; impl Cat { pub fn as_str(&self)->&'static str {"x"} }
pub struct F{ pub category: Cat }
pub struct Judgement { pub verdict: Verdict, pub categories: Vec<F> }
pub fn moderate(_t:&str)->Judgement { Judgement{verdict:Verdict::Allow, categories:vec![]} }
pub const SUPPORT_TEXT:&str="";
pub struct SpamGuard; impl SpamGuard { pub fn new()->Self{SpamGuard} pub fn admit(&self,_:&str,_:&str,_:kernel::Time)->kernel::Result<()>{Ok(())} }
