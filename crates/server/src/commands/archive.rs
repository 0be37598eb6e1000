//! An archive of a few texts, as `tar` writes it (POSIX.1-1988 ustar), packed with gzip. It owns the form of the headers.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

const BLOCK: usize = 512;

/// Packs these files.
pub(crate) fn pack(files: &[(String, Vec<u8>)], seconds: i64) -> std::io::Result<Vec<u8>> {
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    for (name, bytes) in files {
        out.write_all(&header(name, bytes.len(), seconds))?;
        out.write_all(bytes)?;
        let rest = (BLOCK - bytes.len() % BLOCK) % BLOCK;
        out.write_all(&vec![0; rest])?;
    }
    // Two empty blocks end the archive.
    out.write_all(&[0; BLOCK * 2])?;
    out.finish()
}

fn header(name: &str, size: usize, seconds: i64) -> [u8; BLOCK] {
    let mut head = [0; BLOCK];
    let mut put = |at: usize, length: usize, text: &str| {
        let places = head.iter_mut().skip(at).take(length);
        places.zip(text.bytes()).for_each(|(place, byte)| *place = byte);
    };
    put(0, 100, name);
    put(100, 8, "0000600\0");
    put(108, 8, "0000000\0");
    put(116, 8, "0000000\0");
    put(124, 12, &format!("{size:011o}\0"));
    put(136, 12, &format!("{:011o}\0", seconds.max(0)));
    put(156, 1, "0");
    put(257, 8, "ustar\x0000");
    // The checksum counts its own place as spaces.
    put(148, 8, "        ");
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    let text = format!("{sum:06o}\0 ");
    head.iter_mut().skip(148).take(8).zip(text.bytes()).for_each(|(place, byte)| *place = byte);
    head
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_archive_holds_each_file_at_its_size() {
        let files =
            vec![("a/one.txt".to_owned(), b"1".to_vec()), ("a/two.txt".to_owned(), vec![b'2'; 1_024])];
        let packed = pack(&files, 1_795_222_923).unwrap();
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut plain).unwrap();
        assert_eq!(plain.len(), BLOCK * (1 + 1 + 1 + 2 + 2));
        assert!(plain.starts_with(b"a/one.txt\0") && &plain[257..263] == b"ustar\0");
        assert_eq!((&plain[124..135], plain[BLOCK]), (&b"00000000001"[..], b'1'));
        let mut head = plain[..BLOCK].to_vec();
        let told = u32::from_str_radix(std::str::from_utf8(&head[148..154]).unwrap(), 8).unwrap();
        head[148..156].fill(b' ');
        assert_eq!(told, head.iter().map(|byte| u32::from(*byte)).sum::<u32>());
    }
}
