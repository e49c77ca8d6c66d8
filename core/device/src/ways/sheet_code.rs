use alloc::string::String;
use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Crockford's base 32: digits and capital letters without I, L, O and U, so that nobody has to tell 0 from O.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUPS: usize = 4;
/// Symbols of a group that carry the secret; one more checks them.
const DATA: usize = 4;
const GROUP: usize = DATA + 1;

/// 80 random bits for people to type: four groups of five symbols, such as `7H2KQ-0M9TX-…`, in Crockford's base 32.
///
/// The last symbol of a group checks the four before it and the group's place: every single mistyped symbol, every two
/// neighbours swapped and every two groups swapped are found before a try is spent, and the group is named.
/// Wiped on drop, never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct SheetCode([u8; GROUPS * DATA]);

/// What is wrong with a typed code. No try was spent on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadSheetCode {
    /// Not twenty symbols.
    Length,
    /// A character that is no symbol.
    Symbol,
    /// This group, from 1, does not match its check symbol.
    Group(u8),
}

impl SheetCode {
    /// The code of these 10 random bytes.
    #[must_use]
    pub fn from_seed(seed: &[u8; 10]) -> Self {
        let bit = |at: usize| seed[at / 8] >> (7 - at % 8) & 1;
        Self(core::array::from_fn(|at| (0..5).fold(0, |symbol, i| symbol << 1 | bit(5 * at + i))))
    }

    /// Reads a code as people type it: in any case, with or without spaces and dashes, with O for 0 and I or L for 1.
    ///
    /// # Errors
    /// [`BadSheetCode`] says where it was mistyped.
    pub fn parse(typed: &str) -> Result<Self, BadSheetCode> {
        let mut symbols = Zeroizing::new([0; GROUPS * GROUP]);
        let mut count = 0;
        for typed in typed.chars().filter(|c| !matches!(c, ' ' | '-' | '\u{2013}')) {
            *symbols.get_mut(count).ok_or(BadSheetCode::Length)? = value(typed).ok_or(BadSheetCode::Symbol)?;
            count += 1;
        }
        if count != symbols.len() {
            return Err(BadSheetCode::Length);
        }
        let mut data = Zeroizing::new([0; GROUPS * DATA]);
        for (place, group) in symbols.chunks(GROUP).enumerate() {
            let (four, last) = group.split_at(DATA);
            if check_symbol(four, place) != last[0] {
                return Err(BadSheetCode::Group(u8::try_from(place + 1).expect("four groups")));
            }
            data[place * DATA..][..DATA].copy_from_slice(four);
        }
        Ok(Self(*data))
    }

    /// The text to print: twenty symbols in four groups, with dashes between.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(GROUPS * (GROUP + 1)));
        for (place, group) in self.0.chunks(DATA).enumerate() {
            if place > 0 {
                text.push('-');
            }
            for value in group.iter().chain([&check_symbol(group, place)]) {
                text.push(char::from(SYMBOLS[usize::from(*value)]));
            }
        }
        text
    }

    /// What is hashed.
    pub(crate) fn symbols(&self) -> &[u8] {
        &self.0
    }
}

fn value(typed: char) -> Option<u8> {
    let symbol = match typed.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        symbol => symbol,
    };
    let at = SYMBOLS.iter().position(|known| char::from(*known) == symbol)?;
    u8::try_from(at).ok()
}

/// A weighted sum over GF(32): the weights of the four symbols and of the check symbol itself are five different powers, so one
/// wrong symbol always changes it, and so do two neighbours that changed places.
fn check_symbol(group: &[u8], place: usize) -> u8 {
    let sum = group.iter().fold(0, |sum, symbol| times_two(sum ^ symbol));
    sum ^ u8::try_from(place).expect("four groups")
}

/// In GF(32) with the polynomial x⁵ + x² + 1, of which 2 generates all elements but zero.
fn times_two(value: u8) -> u8 {
    let doubled = value << 1;
    if doubled & 0x20 == 0 { doubled } else { doubled ^ 0x25 }
}

impl fmt::Debug for SheetCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SheetCode(secret)")
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString, vec::Vec};

    use super::*;

    fn code(seed: u8) -> SheetCode {
        SheetCode::from_seed(&core::array::from_fn(|i| seed.wrapping_mul(37).wrapping_add((i as u8).wrapping_mul(91))))
    }

    #[test]
    fn every_bit_of_the_seed_counts() {
        assert_eq!(*SheetCode::from_seed(&[0; 10]).expose(), "00000-00001-00002-00003");
        let mut seen = Vec::new();
        for bit in 0..80 {
            let mut seed = [0; 10];
            seed[bit / 8] = 1 << (bit % 8);
            let text = SheetCode::from_seed(&seed).expose().to_string();
            assert!(!seen.contains(&text));
            seen.push(text);
        }
    }

    #[test]
    fn reads_what_people_type() {
        for seed in 0..=255 {
            let code = code(seed);
            let text = code.expose();
            let mistaken: String = text
                .chars()
                .map(|c| {
                    if c == '0' {
                        'o'
                    } else if c == '1' {
                        'l'
                    } else {
                        c
                    }
                })
                .collect();
            for typed in [
                text.to_string(),
                text.to_lowercase(),
                text.replace('-', ""),
                format!(" {} ", text.replace('-', " ")),
                mistaken,
            ] {
                assert_eq!(SheetCode::parse(&typed).as_ref(), Ok(&code), "{typed}");
            }
        }
        for (typed, refused) in [
            ("", BadSheetCode::Length),
            ("00000-00001-00002-0000", BadSheetCode::Length),
            ("00000-00001-00002-000033", BadSheetCode::Length),
            ("00000-00001-00002-0000U", BadSheetCode::Symbol),
            ("００000-00001-00002-00003", BadSheetCode::Symbol),
            ("00000-00001-00003-00003", BadSheetCode::Group(3)),
        ] {
            assert_eq!(SheetCode::parse(typed), Err(refused), "{typed}");
        }
    }

    #[test]
    fn every_slip_is_found_and_its_group_named() {
        for seed in 0..32 {
            let text: Vec<char> = code(seed).expose().chars().filter(|c| *c != '-').collect();
            for at in 0..text.len() {
                let group = Err(BadSheetCode::Group(u8::try_from(at / GROUP + 1).unwrap()));
                for symbol in SYMBOLS {
                    let mut typed = text.clone();
                    typed[at] = char::from(*symbol);
                    if typed != text {
                        assert_eq!(SheetCode::parse(&typed.iter().collect::<String>()), group);
                    }
                }
                let mut typed = text.clone();
                if (at + 1) % GROUP != 0 && typed[at] != typed[at + 1] {
                    typed.swap(at, at + 1);
                    assert_eq!(SheetCode::parse(&typed.iter().collect::<String>()), group);
                }
            }
            let mut groups: Vec<_> = text.chunks(GROUP).map(<[char]>::to_vec).collect();
            groups.swap(1, 2);
            let swapped: String = groups.concat().iter().collect();
            assert_eq!(SheetCode::parse(&swapped), Err(BadSheetCode::Group(2)));
        }
    }
}
