//! Whether a program brings everything it needs. It owns the little of ELF that says so.

const PROGRAM_HEADERS: usize = 0x20;
const HEADER_SIZE: usize = 0x36;
const HEADER_COUNT: usize = 0x38;
/// A segment that names the loader of shared libraries.
const INTERPRETER: u32 = 3;

/// No loader is asked for: true for a static program. Only 64 bits, little end first, as every target of ours.
pub(super) fn is_static(bytes: &[u8]) -> bool {
    if !bytes.starts_with(b"\x7fELF\x02\x01") {
        return false;
    }
    let number = |at: usize, size: usize| {
        let bytes = bytes.get(at..at.checked_add(size)?)?;
        Some(bytes.iter().rev().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte)))
    };
    let place = |at: usize, size: usize| number(at, size).and_then(|value| usize::try_from(value).ok());
    let (Some(begin), Some(size), Some(count)) =
        (place(PROGRAM_HEADERS, 8), place(HEADER_SIZE, 2), place(HEADER_COUNT, 2))
    else {
        return false;
    };
    count > 0
        && (0..count)
            .all(|index| number(begin + index * size, 4).is_some_and(|kind| kind != u64::from(INTERPRETER)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(kinds: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0; 64];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[PROGRAM_HEADERS] = 64;
        bytes[HEADER_SIZE] = 56;
        bytes[HEADER_COUNT] = u8::try_from(kinds.len()).unwrap();
        for kind in kinds {
            let mut header = vec![0; 56];
            header[..4].copy_from_slice(&kind.to_le_bytes());
            bytes.extend(header);
        }
        bytes
    }

    #[test]
    fn a_loader_is_found() {
        assert!(is_static(&program(&[1, 2, 7])));
        assert!(!is_static(&program(&[1, INTERPRETER, 2])));
        for rubbish in [&b""[..], b"#!/bin/sh\n", b"\x7fELF\x02\x01", &program(&[1, 2])[..100]] {
            assert!(!is_static(rubbish));
        }
        // This test is not static itself.
        assert!(!is_static(&std::fs::read(std::env::current_exe().unwrap()).unwrap()));
    }
}
