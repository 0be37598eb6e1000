//! One-time codes from an authenticator app (RFC 6238: HMAC-SHA-1, six digits, 30 seconds), and what a person needs
//! to enrol one: the address and its picture. It never remembers which step was used: the account does.

use kernel::{Fault, Random, Result, Secret, Time};
use qrcode::{Color, EcLevel, QrCode};
use ring::hmac;
use subtle::ConstantTimeEq as _;

/// Seconds of one step, and the steps that a clock may be off in either direction (RFC 6238, section 5.2).
const STEP: i64 = 30;
const DRIFT: i64 = 1;
/// Bytes of a new secret: the output of SHA-1 (RFC 4226, section 4, R6 recommends 160 bits).
const SECRET: usize = 20;
/// The blank modules around a QR code (ISO/IEC 18004, section 5.3.8).
const QUIET: usize = 4;

/// A new secret of 160 bits.
pub fn generate(random: &dyn Random) -> Secret<Vec<u8>> {
    let mut bytes = vec![0; SECRET];
    random.fill(&mut bytes);
    Secret::new(bytes)
}

/// The number of the step that a moment falls into.
pub const fn step(now: Time) -> i64 {
    now.seconds().div_euclid(STEP)
}

/// The code of a step: six digits.
pub fn code(secret: &Secret<Vec<u8>>, step: i64) -> Secret<String> {
    // SHA-1 is what every authenticator app computes; its weakness against collisions does not reach HMAC.
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.expose());
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    // RFC 4226, section 5.3: the last four bits say where the 31 bits begin.
    let offset = usize::from(tag.last().copied().unwrap_or(0) & 0x0f);
    let bytes = tag.get(offset..).and_then(<[u8]>::first_chunk::<4>).copied().unwrap_or_default();
    Secret::new(format!("{:06}", (u32::from_be_bytes(bytes) & 0x7fff_ffff) % 1_000_000))
}

/// The step whose code this is, among the one of now and its neighbours; `None` when it is none of theirs.
/// Spaces are taken out, as apps show them. The caller must accept each step once: see the account's last step.
pub fn verify(secret: &Secret<Vec<u8>>, typed: &str, now: Time) -> Option<i64> {
    // Longer input is no code, whatever spaces it holds.
    if typed.len() > 32 {
        return None;
    }
    let typed: Secret<String> = Secret::new(typed.chars().filter(|c| !c.is_whitespace()).collect());
    if typed.expose().len() != 6 || !typed.expose().bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let now = step(now);
    let mut found = None;
    // Every step is compared, so that the time tells nothing.
    for at in (now.saturating_sub(DRIFT)..=now.saturating_add(DRIFT)).filter(|at| *at >= 0) {
        if bool::from(code(secret, at).expose().as_bytes().ct_eq(typed.expose().as_bytes())) {
            found = Some(at);
        }
    }
    found
}

/// The secret as apps read it when it is typed: Base32 (RFC 4648) without padding.
pub fn base32(secret: &Secret<Vec<u8>>) -> Secret<String> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity(secret.expose().len() * 8 / 5 + 1);
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    for byte in secret.expose() {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            push(&mut text, ALPHABET, buffer >> bits);
        }
    }
    if bits > 0 {
        push(&mut text, ALPHABET, buffer << (5 - bits));
    }
    Secret::new(text)
}

fn push(text: &mut String, alphabet: &[u8; 32], value: u32) {
    let index = usize::try_from(value & 31).unwrap_or(0);
    text.extend(alphabet.get(index).map(|byte| char::from(*byte)));
}

/// The address that enrols an app: `otpauth://totp/Stoa:ann@example.com?secret=…`. It holds the secret.
pub fn uri(secret: &Secret<Vec<u8>>, server: &str, account: &str) -> Secret<String> {
    let (server, account) = (escape(server), escape(account));
    Secret::new(format!(
        "otpauth://totp/{server}:{account}?secret={}&issuer={server}&algorithm=SHA1&digits=6&period={STEP}",
        base32(secret).expose()
    ))
}

/// Everything but the unreserved characters of RFC 3986 as `%XX`; apps read nothing else alike.
fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// A QR code of a short text as one SVG element that can stand inside of a page: dark on light whatever the theme, no
/// script, no style, no link. It shows what it holds, so it is as secret as the text.
pub fn qr_svg(text: &Secret<String>) -> Result<Secret<String>> {
    let code = QrCode::with_error_correction_level(text.expose().as_bytes(), EcLevel::M)
        .map_err(|error| Fault::internal(format!("QR code: {error}")))?;
    let width = code.width();
    let whole = width + 2 * QUIET;
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|one, two| one == two) {
            if run.first() == Some(&Color::Dark) {
                let (x, y, length) = (x + QUIET, y + QUIET, run.len());
                path.push_str(&format!("M{x} {y}h{length}v1h-{length}z"));
            }
            x += run.len();
        }
    }
    Ok(Secret::new(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {whole} {whole}\" role=\"img\" \
         aria-label=\"QR code\" shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{whole}v{whole}H0z\"/>\
         <path fill=\"#000\" d=\"{path}\"/></svg>"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::tests::Counting;

    fn rfc() -> Secret<Vec<u8>> {
        Secret::new(b"12345678901234567890".to_vec())
    }

    #[test]
    fn the_vectors_of_the_rfc_are_met() {
        // RFC 6238, appendix B, the rows of SHA-1; six digits are the last six of its eight.
        for (seconds, eight) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let now = Time::from_seconds(seconds);
            assert_eq!(code(&rfc(), step(now)).expose(), &eight[2..], "{seconds}");
            assert_eq!(verify(&rfc(), &eight[2..], now), Some(step(now)));
        }
        // RFC 4226, appendix D: the same function by counter.
        let codes = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
            "520489",
        ];
        for (counter, expected) in (0..).zip(codes) {
            assert_eq!(code(&rfc(), counter).expose(), expected);
        }
    }

    #[test]
    fn one_step_of_drift_is_accepted_and_named() {
        let now = Time::from_seconds(1_111_111_111);
        for (seconds, accepted) in [(-60, false), (-30, true), (0, true), (30, true), (60, false)] {
            let then = step(Time::from_seconds(now.seconds() + seconds));
            let found = verify(&rfc(), code(&rfc(), then).expose(), now);
            assert_eq!(found, accepted.then_some(then), "{seconds}");
        }
    }

    #[test]
    fn only_six_digits_are_a_code() {
        let now = Time::from_seconds(59);
        assert_eq!(verify(&rfc(), "287 082", now), Some(1));
        assert_eq!(verify(&rfc(), " 287082\n", now), Some(1));
        for typed in
            ["", "28708", "2870820", "-87082", "２８７０８２", "287082\0", "28708a", &"1".repeat(1_000)]
        {
            assert_eq!(verify(&rfc(), typed, now), None, "{typed:?}");
        }
        assert_eq!(verify(&Secret::new(vec![7; 20]), "287082", now), None);
        assert_eq!(verify(&rfc(), code(&rfc(), 0).expose(), Time::EPOCH), Some(0));
    }

    #[test]
    fn base32_is_that_of_the_rfc() {
        // RFC 4648, section 10, without the padding.
        for (plain, text) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(base32(&Secret::new(plain.as_bytes().to_vec())).expose(), text);
        }
        let random = Counting::default();
        let (one, two) = (generate(&random), generate(&random));
        assert_ne!(one, two);
        assert_eq!(base32(&one).expose().len(), 32);
    }

    #[test]
    fn the_address_is_escaped() {
        let uri = uri(&rfc(), "Stoa & Söhne", "ann+x@example.com");
        assert_eq!(
            uri.expose(),
            "otpauth://totp/Stoa%20%26%20S%C3%B6hne:ann%2Bx%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Stoa%20%26%20S%C3%B6hne&algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn the_picture_has_the_marks_of_a_qr_code() {
        let svg = qr_svg(&uri(&rfc(), "Stoa", "ann@example.com")).unwrap();
        let svg = svg.expose();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"));
        // The upper edge of the first finder pattern: seven dark modules after the quiet zone.
        assert!(svg.contains("d=\"M4 4h7v1h-7z"), "{svg}");
        for forbidden in ["<script", "style", "href", "otpauth", "url("] {
            assert!(!svg.contains(forbidden));
        }
        assert!(qr_svg(&Secret::new("x".repeat(10_000))).is_err());
    }
}
