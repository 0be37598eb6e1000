//! The kinds of personal data and secrets, and the one table of what stands in their place.

macro_rules! kinds {
    ($($name:ident $text:literal $mask:literal $standard:literal $help:literal;)*) => {
        /// What was found.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum PiiKind {
            $(#[doc = $help] $name,)*
        }

        impl PiiKind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [PiiKind] = &[$(PiiKind::$name,)*];

            /// The name for programs.
            pub const fn as_str(self) -> &'static str {
                match self { $(PiiKind::$name => $text,)* }
            }

            /// What stands in its place.
            pub const fn mask(self) -> &'static str {
                match self { $(PiiKind::$name => $mask,)* }
            }

            /// Whether the standard mask, the one of the log, takes it out.
            pub const fn standard(self) -> bool {
                match self { $(PiiKind::$name => $standard,)* }
            }
        }
    };
}

kinds! {
    Email "email" "[EMAIL]" true "An e-mail address with a domain that has a dot, also with `%40` for the sign.";
    Phone "phone" "[PHONE]" true "A telephone number: international, or of a national shape; bare digits only beside a word like `phone`.";
    Card "card" "[CARD]" true "A payment card: a known issuer prefix, a length the issuer uses, and the Luhn check.";
    Iban "iban" "[IBAN]" true "An account number: a country of the registry, its length, and the check modulo 97.";
    Ssn "ssn" "[SSN]" true "A US social security or taxpayer number: issued ranges; without hyphens only beside a word like `ssn`.";
    Ip "ip" "[IP]" true "An IPv4 or IPv6 address, private ones too; loopback, unspecified and broadcast addresses name nobody and stay.";
    Mac "mac" "[MAC]" true "A hardware address of six pairs.";
    Secret "secret" "[SECRET]" true "A credential: keys and tokens with a known prefix, JWTs, private keys, bearer and basic credentials, values of `password=` and the like.";
    UrlCredentials "url_credentials" "[URL_CREDENTIALS]" true "What stands before the `@` of a URL: user and password.";
    Url "url" "[URL]" false "A whole URL. The standard mask keeps it: a log without addresses helps nobody, and what is personal in it is masked by itself.";
    Name "name" "[NAME]" false "What is written like the name of a person, a place or an organisation. Only in the broad mask.";
    Address "address" "[ADDRESS]" false "A street with a number, a post box, a code of a place. Only in the broad mask.";
    Date "date" "[DATE]" false "A day, a month with a day or year, a weekday. Only in the broad mask.";
    Age "age" "[AGE]" false "How old somebody is. Only in the broad mask.";
}
