//! The wire form of Protocol Buffers, as far as OTLP needs it: varints, fixed numbers, texts, messages inside of
//! messages. It owns the bytes and knows no message of OTLP. It never reads.

/// A message that is being written. Absent and zero are the same in proto3, so zeros are left out.
#[derive(Clone, Default, Debug)]
pub(super) struct Message(Vec<u8>);

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;

impl Message {
    /// The bytes.
    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }

    fn raw(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push((number as u8) | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn key(&mut self, field: u64, wire: u64) {
        self.raw(field << 3 | wire);
    }

    /// A whole number or an enumeration.
    pub(super) fn varint(&mut self, field: u64, number: u64) {
        if number != 0 {
            self.key(field, VARINT);
            self.raw(number);
        }
    }

    /// A number that counts even when it is zero: one of several kinds of value.
    pub(super) fn chosen_varint(&mut self, field: u64, number: u64) {
        self.key(field, VARINT);
        self.raw(number);
    }

    /// A number of eight bytes: times and counts.
    pub(super) fn fixed(&mut self, field: u64, number: u64) {
        self.key(field, FIXED64);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// A floating number.
    pub(super) fn double(&mut self, field: u64, number: f64) {
        self.fixed(field, number.to_bits());
    }

    /// Bytes.
    pub(super) fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.key(field, BYTES);
        self.raw(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// A text.
    pub(super) fn text(&mut self, field: u64, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    /// A message inside of this one.
    pub(super) fn message(&mut self, field: u64, fill: impl FnOnce(&mut Message)) {
        let mut inner = Message::default();
        fill(&mut inner);
        self.bytes(field, &inner.0);
    }

    /// Many numbers of eight bytes.
    pub(super) fn packed(&mut self, field: u64, numbers: impl Iterator<Item = u64>) {
        let bytes: Vec<u8> = numbers.flat_map(u64::to_le_bytes).collect();
        self.bytes(field, &bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the specification of the encoding.
    #[test]
    fn the_examples_of_the_specification() {
        let mut message = Message::default();
        message.varint(1, 150);
        message.text(2, "testing");
        message.varint(7, 0);
        assert_eq!(message.finish(), [0x08, 0x96, 0x01, 0x12, 7, b't', b'e', b's', b't', b'i', b'n', b'g']);
        let mut outer = Message::default();
        outer.message(3, |inner| inner.varint(1, 150));
        outer.packed(4, [1, 2].into_iter());
        outer.double(5, 1.0);
        let bytes = outer.finish();
        assert_eq!(bytes.get(..5), Some(&[0x1a, 3, 0x08, 0x96, 0x01][..]));
        assert_eq!(bytes.get(5..7), Some(&[0x22, 16][..]));
        assert_eq!(bytes.len(), 5 + 2 + 16 + 9);
    }
}
