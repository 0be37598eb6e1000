//! The filters of PDF streams. Every filter counts what it gives before it gives more; filters of pictures are not
//! read at all.

use super::object::{Dict, Object, hex, is_white};
use crate::extract::budget::{Meter, Reason};
use crate::extract::inflate::Inflate;

/// Filters one after the other; more only serve to multiply.
const CHAIN: usize = 4;

/// Unpacks a stream: its raw bytes through its filters. `None` for pictures and unknown filters. Damage ends the
/// data early, as readers do.
pub(super) fn decode(
    raw: &[u8],
    filters: &[Object],
    parameters: &[Object],
    meter: &Meter,
) -> Result<Option<Vec<u8>>, Reason> {
    let mut data: Option<Vec<u8>> = None;
    for (number, filter) in filters.iter().enumerate() {
        if number >= CHAIN {
            return Ok(None);
        }
        let input = data.as_deref().unwrap_or(raw);
        let parameters = parameters.get(number).and_then(Object::dict);
        let output = match filter.name().unwrap_or("") {
            "FlateDecode" | "Fl" => predicted(Inflate::zlib(input, meter).all()?.0, parameters, meter)?,
            "LZWDecode" | "LZW" => predicted(lzw(input, parameters, meter)?, parameters, meter)?,
            "ASCII85Decode" | "A85" => ascii85(input, meter)?,
            "ASCIIHexDecode" | "AHx" => ascii_hex(input),
            "RunLengthDecode" | "RL" => run_length(input, meter)?,
            "Crypt" => input.to_vec(),
            _ => return Ok(None),
        };
        data = Some(output);
    }
    Ok(Some(data.unwrap_or_else(|| raw.to_vec())))
}

fn ascii_hex(input: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = input.iter().take_while(|b| **b != b'>').filter_map(|b| hex(*b)).collect();
    digits.chunks(2).map(|pair| pair.first().unwrap_or(&0) * 16 + pair.get(1).unwrap_or(&0)).collect()
}

fn ascii85(input: &[u8], meter: &Meter) -> Result<Vec<u8>, Reason> {
    let mut out = Vec::new();
    let (mut group, mut count) = (0_u32, 0_usize);
    for b in input.iter().copied() {
        match b {
            b'~' => break,
            b'z' if count == 0 => out.extend([0; 4]),
            b'!'..=b'u' => {
                group = group.wrapping_mul(85).wrapping_add(u32::from(b - b'!'));
                count += 1;
                if count == 5 {
                    out.extend(group.to_be_bytes());
                    (group, count) = (0, 0);
                }
            }
            _ if is_white(b) => {}
            _ => break,
        }
    }
    if count > 1 {
        for _ in count..5 {
            group = group.wrapping_mul(85).wrapping_add(84);
        }
        out.extend(group.to_be_bytes().into_iter().take(count - 1));
    }
    meter.unpack(out.len(), input.len(), out.len())?;
    Ok(out)
}

fn run_length(input: &[u8], meter: &Meter) -> Result<Vec<u8>, Reason> {
    let mut out = Vec::new();
    let mut rest = input;
    while let Some((length, after)) = rest.split_first() {
        let before = out.len();
        match *length {
            128 => break,
            length @ 0..=127 => {
                let count = after.len().min(usize::from(length) + 1);
                let (run, next) = after.split_at_checked(count).unwrap_or((after, &[]));
                out.extend_from_slice(run);
                rest = next;
            }
            length => {
                let Some((byte, next)) = after.split_first() else { break };
                out.resize(out.len() + 257 - usize::from(length), *byte);
                rest = next;
            }
        }
        meter.unpack(out.len() - before, input.len(), out.len())?;
    }
    Ok(out)
}

fn lzw(input: &[u8], parameters: Option<&Dict>, meter: &Meter) -> Result<Vec<u8>, Reason> {
    let early =
        parameters.and_then(|dict| dict.get("EarlyChange")).and_then(Object::whole).unwrap_or(1).min(1);
    let mut out: Vec<u8> = Vec::new();
    // Each code from 258 on is a place in what was given: where it begins and how long it is.
    let mut table: Vec<(usize, usize)> = Vec::new();
    let mut previous: Option<(usize, usize)> = None;
    let (mut bits, mut count, mut width) = (0_u32, 0_u32, 9_u32);
    for b in input {
        bits = (bits << 8) | u32::from(*b);
        count += 8;
        if count < width {
            continue;
        }
        count -= width;
        let code = (bits >> count) & ((1 << width) - 1);
        bits &= (1 << count) - 1;
        match code {
            256 => {
                table.clear();
                (previous, width) = (None, 9);
                continue;
            }
            257 => break,
            _ => {}
        }
        let start = out.len();
        let known = usize::try_from(code).unwrap_or(0);
        if known < 256 {
            out.push((code & 0xFF) as u8);
        } else {
            let place = table.get(known - 258).copied();
            // A code that is just being made: the previous one and its first byte again.
            let (from, length) = match (place, previous) {
                (Some(place), _) => place,
                (None, Some((from, length))) if known - 258 == table.len() => (from, length + 1),
                _ => break,
            };
            for offset in 0..length {
                let byte = out.get(from + offset).copied().unwrap_or(0);
                out.push(byte);
            }
        }
        if let Some((from, length)) = previous
            && table.len() < 4_096 - 258
        {
            table.push((from, length + 1));
        }
        let size = table.len() + 258 + early;
        width = if size >= 2_048 {
            12
        } else if size >= 1_024 {
            11
        } else if size >= 512 {
            10
        } else {
            9
        };
        previous = Some((start, out.len() - start));
        meter.unpack(out.len() - start, input.len(), out.len())?;
    }
    Ok(out)
}

/// Undoes the predictors of PNG; tables of references are packed with them.
fn predicted(data: Vec<u8>, parameters: Option<&Dict>, meter: &Meter) -> Result<Vec<u8>, Reason> {
    let Some(parameters) = parameters else { return Ok(data) };
    let number = |key: &str, default: usize| parameters.get(key).and_then(Object::whole).unwrap_or(default);
    if number("Predictor", 1) < 10 {
        return Ok(data);
    }
    let bits = number("Colors", 1).clamp(1, 32) * number("BitsPerComponent", 8).clamp(1, 16);
    let pixel = bits.div_ceil(8);
    let row = (number("Columns", 1).clamp(1, 1 << 20) * bits).div_ceil(8);
    let mut out: Vec<u8> = Vec::with_capacity(data.len());
    let mut above = vec![0_u8; row];
    for line in data.chunks(row + 1) {
        meter.element()?;
        let Some((kind, line)) = line.split_first() else { break };
        let mut current = vec![0_u8; row];
        for (at, byte) in line.iter().enumerate() {
            let left = at.checked_sub(pixel).and_then(|at| current.get(at)).copied().unwrap_or(0);
            let up = above.get(at).copied().unwrap_or(0);
            let corner = at.checked_sub(pixel).and_then(|at| above.get(at)).copied().unwrap_or(0);
            let guess = match kind {
                1 => left,
                2 => up,
                3 => u8::midpoint(left, up),
                4 => paeth(left, up, corner),
                _ => 0,
            };
            if let Some(place) = current.get_mut(at) {
                *place = byte.wrapping_add(guess);
            }
        }
        out.extend_from_slice(current.get(..line.len()).unwrap_or(&[]));
        above = current;
    }
    Ok(out)
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let estimate = i16::from(left) + i16::from(up) - i16::from(corner);
    let off = |byte: u8| (estimate - i16::from(byte)).abs();
    if off(left) <= off(up) && off(left) <= off(corner) {
        left
    } else if off(up) <= off(corner) {
        up
    } else {
        corner
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Budget;

    fn decoded(filter: &str, raw: &[u8]) -> Vec<u8> {
        let meter = Meter::new(Budget::default());
        decode(raw, &[Object::Name(filter.to_owned())], &[], &meter).unwrap().unwrap()
    }

    #[test]
    fn the_examples_of_the_standard_are_read() {
        let codes = [0x80, 0x0b, 0x60, 0x50, 0x22, 0x0c, 0x0c, 0x85, 0x01];
        assert_eq!(decoded("LZWDecode", &codes), [45, 45, 45, 45, 45, 65, 45, 45, 45, 66]);
        assert_eq!(decoded("ASCII85Decode", b"87cURD]i,\"Ebo80~>"), b"Hello World!");
        assert_eq!(decoded("ASCIIHexDecode", b"48 65 6C6c 7>"), b"Hellp");
        assert_eq!(decoded("RunLengthDecode", &[1, b'a', b'b', 254, b'c', 128, 9]), b"abccc");
    }

    #[test]
    fn pictures_and_long_chains_are_not_read() {
        let meter = Meter::new(Budget::default());
        let name = |name: &str| Object::Name(name.to_owned());
        assert_eq!(decode(b"x", &[name("DCTDecode")], &[], &meter).unwrap(), None);
        assert_eq!(decode(b"x", &vec![name("AHx"); 9], &[], &meter).unwrap(), None);
    }

    /// Codes grow from 9 to 12 bits, the table fills and is begun anew.
    #[test]
    fn long_codes_are_read() {
        let text: Vec<u8> = (0..60_000_u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
        assert!(decoded("LZWDecode", &written(&text)) == text);
    }

    fn written(text: &[u8]) -> Vec<u8> {
        let (mut bits, mut count, mut out) = (0_u64, 0_u32, Vec::new());
        let mut put = |code: u32, width: u32| {
            bits = (bits << width) | u64::from(code);
            count += width;
            while count >= 8 {
                count -= 8;
                out.push((bits >> count) as u8);
            }
            bits &= (1 << count) - 1;
        };
        let mut table = std::collections::HashMap::new();
        let (mut width, mut known) = (9, Vec::new());
        put(256, 9);
        let code = |table: &std::collections::HashMap<Vec<u8>, u32>, known: &[u8]| match known {
            [single] => u32::from(*single),
            more => table[more],
        };
        for byte in text {
            let mut longer = known.clone();
            longer.push(*byte);
            if longer.len() == 1 || table.contains_key(&longer) {
                known = longer;
                continue;
            }
            put(code(&table, &known), width);
            table.insert(longer, 258 + u32::try_from(table.len()).unwrap());
            // The reader is one entry behind, and changes one code early.
            let size = 258 + table.len();
            width = if size >= 2_048 {
                12
            } else if size >= 1_024 {
                11
            } else if size >= 512 {
                10
            } else {
                9
            };
            if table.len() == 3_800 {
                put(256, width);
                table.clear();
                width = 9;
            }
            known = vec![*byte];
        }
        put(code(&table, &known), width);
        put(257, width);
        put(0, 7);
        out
    }
}
