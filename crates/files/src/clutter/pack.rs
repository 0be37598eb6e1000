//! How numbers are kept in facts: as hexadecimal digits in one text, which is a third of what a list would take.

/// Bytes.
pub(super) mod bytes {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in super::super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        const DIGITS: [char; 16] =
            ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
        let digit = |value: u8| DIGITS.get(usize::from(value & 15)).copied().unwrap_or('0');
        let text: String = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect();
        serializer.serialize_str(&text)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let value = |pair: &[u8]| {
            let high = char::from(*pair.first()?).to_digit(16)?;
            let low = char::from(*pair.get(1)?).to_digit(16)?;
            u8::try_from(high * 16 + low).ok()
        };
        let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(value).collect();
        bytes.ok_or_else(|| D::Error::custom("not pairs of hexadecimal digits"))
    }
}

macro_rules! numbers {
    ($(#[$doc:meta])* $name:ident $number:ty) => {
        $(#[$doc])*
        pub(super) mod $name {
            use serde::{Deserializer, Serializer, de::Error};

            pub(in super::super) fn serialize<S: Serializer>(
                numbers: &[$number],
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
                super::bytes::serialize(&bytes, serializer)
            }

            pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Vec<$number>, D::Error> {
                const WIDTH: usize = size_of::<$number>();
                let bytes = super::bytes::deserialize(deserializer)?;
                let number = |chunk: &[u8]| Some(<$number>::from_be_bytes(*chunk.first_chunk::<WIDTH>()?));
                let numbers: Option<Vec<$number>> = bytes.chunks(WIDTH).map(number).collect();
                numbers.ok_or_else(|| D::Error::custom("not whole numbers of digits"))
            }
        }
    };
}

numbers! {
    /// Numbers of 32 bits.
    words u32
}
numbers! {
    /// Numbers of 64 bits.
    hashes u64
}
