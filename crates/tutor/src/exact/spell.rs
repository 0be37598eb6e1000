//! Whole numbers written in words of languages that the guard watches: what a text may hide a number in.
//! It writes; `words.rs` reads English and German.

/// The spellings of a number up to 9,999 in French, Spanish, Italian, Portuguese and Dutch, without spaces and
/// hyphens, and as a Roman numeral.
pub(crate) fn spellings(number: i64) -> Vec<String> {
    let Some(number) = u32::try_from(number).ok().filter(|number| *number <= 9_999) else {
        return Vec::new();
    };
    [french(number), spanish(number), italian(number), portuguese(number), dutch(number)]
        .into_iter()
        .filter(|word| word.chars().count() > 2)
        .collect()
}

fn pick(table: &str, at: u32) -> &str {
    table.split(' ').nth(at as usize).unwrap_or_default()
}

const FR: &str =
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize";
const FR_TENS: &str = "- dix vingt trente quarante cinquante soixante soixante quatrevingt quatrevingt";

fn french(n: u32) -> String {
    match n {
        0..=16 => pick(FR, n).to_owned(),
        17..=19 => format!("dix{}", pick(FR, n - 10)),
        20..=99 => {
            let (tens, ones) = (n / 10, n % 10);
            let ones = if matches!(tens, 7 | 9) { ones + 10 } else { ones };
            match ones {
                0 if tens == 8 => "quatrevingts".to_owned(),
                0 => pick(FR_TENS, tens).to_owned(),
                1 | 11 if tens < 8 => format!("{}et{}", pick(FR_TENS, tens), french(ones)),
                ones => format!("{}{}", pick(FR_TENS, tens), french(ones)),
            }
        }
        100..=999 => large(n, 100, "cent", french),
        _ => large(n, 1_000, "mille", french),
    }
}

fn large(n: u32, size: u32, name: &str, spell: fn(u32) -> String) -> String {
    let many = if n / size == 1 { String::new() } else { spell(n / size) };
    let rest = if n.is_multiple_of(size) { String::new() } else { spell(n % size) };
    format!("{many}{name}{rest}")
}

const ES: &str = "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis \
    diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis \
    veintisiete veintiocho veintinueve";
const ES_TENS: &str = "- - - treinta cuarenta cincuenta sesenta setenta ochenta noventa";
const ES_HUNDREDS: &str = "- ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos";

fn spanish(n: u32) -> String {
    match n {
        0..=29 => pick(ES, n).to_owned(),
        30..=99 if n.is_multiple_of(10) => pick(ES_TENS, n / 10).to_owned(),
        30..=99 => format!("{}y{}", pick(ES_TENS, n / 10), pick(ES, n % 10)),
        100 => "cien".to_owned(),
        101..=999 if n.is_multiple_of(100) => pick(ES_HUNDREDS, n / 100).to_owned(),
        101..=999 => format!("{}{}", pick(ES_HUNDREDS, n / 100), spanish(n % 100)),
        _ => large(n, 1_000, "mil", spanish),
    }
}

const IT: &str = "zero uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici \
    sedici diciassette diciotto diciannove";
const IT_TENS: &str = "- - venti trenta quaranta cinquanta sessanta settanta ottanta novanta";

fn italian(n: u32) -> String {
    match n {
        0..=19 => pick(IT, n).to_owned(),
        20..=99 => {
            let tens = pick(IT_TENS, n / 10);
            match n % 10 {
                0 => tens.to_owned(),
                ones @ (1 | 8) => format!("{}{}", tens.get(..tens.len() - 1).unwrap_or(tens), pick(IT, ones)),
                ones => format!("{tens}{}", pick(IT, ones)),
            }
        }
        100..=999 => large(n, 100, "cento", italian),
        1_000..=1_999 => large(n, 1_000, "mille", italian),
        _ => large(n, 1_000, "mila", italian),
    }
}

const PT: &str = "zero um dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze dezesseis \
    dezessete dezoito dezenove";
const PT_TENS: &str = "- - vinte trinta quarenta cinquenta sessenta setenta oitenta noventa";
const PT_HUNDREDS: &str =
    "- cento duzentos trezentos quatrocentos quinhentos seiscentos setecentos oitocentos novecentos";

fn portuguese(n: u32) -> String {
    match n {
        0..=19 => pick(PT, n).to_owned(),
        20..=99 if n.is_multiple_of(10) => pick(PT_TENS, n / 10).to_owned(),
        20..=99 => format!("{}e{}", pick(PT_TENS, n / 10), pick(PT, n % 10)),
        100 => "cem".to_owned(),
        101..=999 if n.is_multiple_of(100) => pick(PT_HUNDREDS, n / 100).to_owned(),
        101..=999 => format!("{}e{}", pick(PT_HUNDREDS, n / 100), portuguese(n % 100)),
        _ => large(n, 1_000, "mil", portuguese),
    }
}

const NL: &str = "nul een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien zestien \
    zeventien achttien negentien";
const NL_TENS: &str = "- - twintig dertig veertig vijftig zestig zeventig tachtig negentig";

fn dutch(n: u32) -> String {
    match n {
        0..=19 => pick(NL, n).to_owned(),
        20..=99 if n.is_multiple_of(10) => pick(NL_TENS, n / 10).to_owned(),
        20..=99 => {
            let ones = pick(NL, n % 10);
            let and = if ones.ends_with('e') { "ën" } else { "en" };
            format!("{ones}{and}{}", pick(NL_TENS, n / 10))
        }
        100..=999 => large(n, 100, "honderd", dutch),
        _ => large(n, 1_000, "duizend", dutch),
    }
}

/// The Roman numeral of a number from 1 to 3,999.
pub(crate) fn roman(number: i64) -> Option<String> {
    let mut rest = u32::try_from(number).ok().filter(|number| (1..4_000).contains(number))?;
    let table = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    let mut out = String::new();
    for (value, letters) in table {
        while rest >= value {
            out.push_str(letters);
            rest -= value;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spelled() {
        assert_eq!(
            spellings(42),
            ["quarantedeux", "cuarentaydos", "quarantadue", "quarentaedois", "tweeënveertig"]
        );
        assert_eq!(french(2_640), "deuxmillesixcentquarante");
        assert_eq!(
            (french(71), french(80), french(99)),
            ("soixanteetonze".into(), "quatrevingts".into(), "quatrevingtdixneuf".into())
        );
        assert_eq!(spanish(1_526), "milquinientosveintiséis");
        assert_eq!(italian(28), "ventotto");
        assert_eq!(roman(42).as_deref(), Some("XLII"));
        assert!(spellings(-1).is_empty() && spellings(10_000).is_empty());
    }
}
