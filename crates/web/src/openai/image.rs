//! Images in messages of the OpenAI protocol. They are taken as `data:` addresses alone: this server fetches nothing that
//! a caller names.

use apps::{Image, ImageKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::{Fault, Result};

/// The image of an address.
pub(super) fn read(url: &str) -> Result<Image> {
    let wrong = |code, say: &'static str| Err(Fault::invalid("messages.content.image_url", code, say));
    let Some(rest) = url.strip_prefix("data:") else {
        return wrong(
            "outside_address",
            "this server fetches no images: send the image itself, as `data:image/png;base64,…`",
        );
    };
    let Some((_, base64)) = rest.split_once(";base64,") else {
        return wrong("malformed", "an image is sent as `data:image/png;base64,…`");
    };
    let Ok(bytes) = STANDARD.decode(base64.trim()) else {
        return wrong("malformed", "the image is not Base64");
    };
    // What it is, is said by what is in it.
    match kind(&bytes) {
        Some(kind) => Ok(Image::new(kind, &bytes)),
        None => wrong("unsupported", "images are PNG, JPEG, GIF or WebP"),
    }
}

fn kind(bytes: &[u8]) -> Option<ImageKind> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(ImageKind::Png),
        [0xff, 0xd8, 0xff, ..] => Some(ImageKind::Jpeg),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(ImageKind::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(ImageKind::Webp),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(url: &str) -> &'static str {
        read(url).unwrap_err().fields()[0].code
    }

    #[test]
    fn only_what_is_sent_is_taken_and_for_what_it_is() {
        let png = STANDARD.encode([0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', 1]);
        let image = read(&format!("data:image/jpeg;base64,{png}")).unwrap();
        assert_eq!(image.kind, ImageKind::Png, "the name does not count");
        for url in ["https://example.com/a.png", "http://169.254.169.254/", "file:///etc/passwd", ""] {
            assert_eq!(code(url), "outside_address");
        }
        assert_eq!(code("data:image/png,abc"), "malformed");
        assert_eq!(code("data:image/png;base64,***"), "malformed");
        assert_eq!(code("data:image/svg+xml;base64,PHN2Zz4="), "unsupported");
    }
}
