//! Identifiers: UUIDs of version 7, made from the clock and the randomness they are given.
//! Their order is the order in which they were made, which keeps database indexes append-only.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Ambient, Code, Fault};

/// A UUID of version 7 with microseconds: RFC 9562, section 6.2, method 3
/// (48 bits of milliseconds, 12 bits of sub-millisecond fraction, 62 random bits).
fn uuid_v7(ambient: &Ambient) -> Uuid {
    let micros = u64::try_from(ambient.now().micros()).unwrap_or(0);
    let millis = micros / 1_000;
    let fraction = (micros % 1_000) * 4_096 / 1_000;
    let random = u64::from_be_bytes(ambient.bytes::<8>());
    let high = (millis << 16) | 0x7000 | fraction;
    let low = (random & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
    Uuid::from_u64_pair(high, low)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new identifier, later in order than every one made before it.
            pub fn new(ambient: &Ambient) -> Self {
                Self(uuid_v7(ambient))
            }

            /// The identifier with exactly this value.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The value.
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// Reads the hyphenated form; anything else is `invalid_id`.
            pub fn parse(text: &str) -> Result<Self, Fault> {
                // `Uuid` also reads braces, URNs and bare hex; one spelling keeps caches and logs comparable.
                if text.len() == 36 && let Ok(uuid) = Uuid::try_parse(text) {
                    return Ok(Self(uuid));
                }
                Err(Fault::new(Code::InvalidId))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}

ids! {
    /// A talk inside an app.
    ConversationId
    /// A message of a conversation.
    MessageId
    /// A folder of conversations.
    FolderId
    /// An API key.
    KeyId
    /// An anonymous browser.
    VisitorId
    /// An account.
    UserId
    /// One sign-in of an account.
    SessionId
    /// A passkey of an account.
    PasskeyId
    /// An audit event.
    EventId
    /// An alert of the security monitor.
    AlertId
    /// A message that has to leave the house.
    ParcelId
    /// A document that an app answers from.
    DocumentId
    /// A passage of a document.
    PassageId
    /// A stored file.
    FileId
    /// Files that went to the trash together, so that they can come back together.
    BatchId
    /// A problem that the tutor teaches.
    ProblemId
    /// A question that waits for, or is answered by, a person.
    HandOffId
    /// What must be kept whatever its time: a legal hold.
    HoldId
    /// Something that a person is to look at.
    ReviewId
    /// A snapshot of a conversation that others may read.
    ShareId
    /// A request, echoed in `X-Request-Id`.
    RequestId
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::{Clock, Random, Time};

    struct Ticking(AtomicI64);
    impl Clock for Ticking {
        fn now(&self) -> Time {
            Time::from_micros(self.0.fetch_add(1, Ordering::Relaxed))
        }
    }
    struct Ones;
    impl Random for Ones {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0xff);
        }
    }

    #[test]
    fn ids_are_version_7_and_ordered_by_microsecond() {
        let ambient = Ambient::new(Arc::new(Ticking(AtomicI64::new(1_795_222_923_000_990))), Arc::new(Ones));
        let ids: Vec<_> = (0..20).map(|_| MessageId::new(&ambient)).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.iter().all(|id| id.uuid().get_version_num() == 7));
        assert_eq!(ids[0].uuid().get_variant(), uuid::Variant::RFC4122);
    }

    #[test]
    fn only_the_hyphenated_form_is_read() {
        assert!(MessageId::parse("019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d").is_ok());
        for bad in [
            "",
            "1 OR 1=1",
            "../../etc",
            "not-a-uuid",
            "{019aa2b8-6d1f-7e2c-8f7a-0a4f1a2b3c4d}",
            "019aa2b86d1f7e2c8f7a0a4f1a2b3c4d",
        ] {
            assert_eq!(MessageId::parse(bad).unwrap_err().code(), Code::InvalidId);
        }
    }
}
