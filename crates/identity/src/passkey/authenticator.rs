//! What the authenticator says of itself (Web Authentication, section 6.1): for which site, who was there, how often,
//! and, at registration, which credential it made.

use super::cbor::Reader;
use super::public_key::PublicKey;
use super::{Party, Refusal};

const PRESENT: u8 = 1;
const VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const ATTESTED: u8 = 1 << 6;
const EXTENDED: u8 = 1 << 7;

/// The authenticator data. Bits of the flags that mean nothing yet are let pass.
pub(super) struct AuthenticatorData<'a> {
    party_hash: &'a [u8; 32],
    flags: u8,
    pub(super) count: u32,
    pub(super) attested: Option<Attested<'a>>,
}

/// A credential that was just made.
pub(super) struct Attested<'a> {
    /// As long as it says; the form in which the browser repeats it has the limits.
    pub(super) id: &'a [u8],
    /// The key as the authenticator wrote it; it can be read.
    pub(super) encoded: &'a [u8],
}

impl<'a> AuthenticatorData<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<AuthenticatorData<'a>, Refusal> {
        let (party_hash, rest) = bytes.split_first_chunk::<32>().ok_or(Refusal::AuthenticatorData)?;
        let (flags, rest) = rest.split_first().ok_or(Refusal::AuthenticatorData)?;
        let (count, rest) = rest.split_first_chunk::<4>().ok_or(Refusal::AuthenticatorData)?;
        let (attested, rest) = match flags & ATTESTED {
            0 => (None, rest),
            _ => Attested::read(rest).map(|(attested, rest)| (Some(attested), rest))?,
        };
        let mut reader = Reader::new(rest);
        if flags & EXTENDED != 0 {
            reader.skip_map(0)?;
        }
        reader.end()?;
        Ok(AuthenticatorData { party_hash, flags: *flags, count: u32::from_be_bytes(*count), attested })
    }

    /// For this site, somebody was there and was verified, and the flags on backup do not contradict each other.
    pub(super) fn check(&self, party: &Party) -> Result<(), Refusal> {
        if self.party_hash != party.hash().as_ref() {
            return Err(Refusal::Party);
        }
        if self.flags & PRESENT == 0 {
            return Err(Refusal::Presence);
        }
        if self.flags & VERIFIED == 0 {
            return Err(Refusal::Verification);
        }
        if self.backed_up() && !self.backup_eligible() {
            return Err(Refusal::Backup);
        }
        Ok(())
    }

    /// The passkey may be copied to other devices of its user. It never changes.
    pub(super) const fn backup_eligible(&self) -> bool {
        self.flags & BACKUP_ELIGIBLE != 0
    }

    /// The passkey has been copied.
    pub(super) const fn backed_up(&self) -> bool {
        self.flags & BACKED_UP != 0
    }
}

impl<'a> Attested<'a> {
    fn read(bytes: &'a [u8]) -> Result<(Attested<'a>, &'a [u8]), Refusal> {
        let (_model, rest) = bytes.split_first_chunk::<16>().ok_or(Refusal::AuthenticatorData)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or(Refusal::AuthenticatorData)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (id, rest) = rest.split_at_checked(length).ok_or(Refusal::AuthenticatorData)?;
        let mut reader = Reader::new(rest);
        PublicKey::read(&mut reader)?;
        let after = reader.rest();
        let encoded = rest.get(..rest.len().saturating_sub(after.len())).ok_or(Refusal::AuthenticatorData)?;
        Ok((Attested { id, encoded }, after))
    }
}
