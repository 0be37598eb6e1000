//! Finds RSA keys that a flawed chip made (ROCA, CVE-2017-15361): their factors have a form that makes them easy to
//! find, and leaves a mark in the modulus. It never factors anything.

/// The small primes in which the mark shows, as published with the flaw. Larger ones add nothing.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
    107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// Whether the modulus has the mark: modulo every one of the primes it is a power of 65537. A sound key has it once in
/// 10^30 or so.
pub(super) fn is_roca(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|prime| {
        let rest = modulus.iter().fold(0_u32, |rest, byte| (rest * 256 + u32::from(*byte)) % prime);
        let mut power = 1;
        (0..*prime).any(|_| {
            let found = power == rest;
            power = power * (65_537 % prime) % prime;
            found
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_of_the_generator_has_the_mark_and_its_neighbour_has_not() {
        // 65537^3 as big-endian bytes.
        let power = 65_537_u64.pow(3).to_be_bytes();
        assert!(is_roca(&power));
        assert!(!is_roca(&(65_537_u64.pow(3) + 2).to_be_bytes()));
        assert!(!is_roca(&[0xff; 256]));
    }
}
