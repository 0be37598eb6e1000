//! The categories of harm. Closed, and named as the moderation endpoint of OpenAI names them, so clients can switch.

macro_rules! categories {
    ($($name:ident = $text:literal, $help:literal;)*) => {
        /// A category of harm.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Category {
            $(#[doc = $help] $name,)*
        }

        impl Category {
            /// Every category.
            pub const ALL: &'static [Category] = &[$(Category::$name,)*];

            /// The stable name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Category::$name => $text,)* }
            }

            /// Reads the stable name.
            pub fn parse(text: &str) -> Option<Category> {
                match text { $($text => Some(Category::$name),)* _ => None }
            }
        }
    };
}

categories! {
    Harassment = "harassment", "Language that harasses a person.";
    HarassmentThreatening = "harassment/threatening", "Harassment with violence or serious harm announced.";
    Hate = "hate", "Hate for a group by race, religion, gender, origin, orientation, disability.";
    HateThreatening = "hate/threatening", "Hate with violence or serious harm announced.";
    Illicit = "illicit", "Advice on how to do what is unlawful.";
    IllicitViolent = "illicit/violent", "Advice on violence or on getting a weapon.";
    SelfHarm = "self-harm", "Self-harm is promoted or depicted.";
    SelfHarmIntent = "self-harm/intent", "The writer means to harm themselves.";
    SelfHarmInstructions = "self-harm/instructions", "Advice on how to harm oneself.";
    Sexual = "sexual", "Content meant to arouse.";
    SexualMinors = "sexual/minors", "Sexual content with somebody under 18.";
    Violence = "violence", "Death, violence or injury.";
    ViolenceGraphic = "violence/graphic", "Death, violence or injury in graphic detail.";
}

impl Category {
    /// Whether a person may be in danger from themselves: the answer is help, never a bare refusal.
    pub const fn is_self_harm(self) -> bool {
        matches!(self, Category::SelfHarm | Category::SelfHarmIntent | Category::SelfHarmInstructions)
    }
}
