//! Sets of small numbers as bits.

use comptoir_types::simd::wide;

/// Adds the numbers of the bits that are set, counted from `first`, in rising order.
pub(super) fn collect_ones(bits: &[u64], first: u32, out: &mut Vec<u32>) {
    let count = count_ones(bits);
    if count * SPARSE < bits.len() * 64 {
        out.reserve(count);
        one_by_one(bits, first, out);
    } else {
        // The last byte writes eight numbers too.
        let start = out.len();
        out.resize(start + count + 8, 0);
        let room = out.get_mut(start..).unwrap_or_default();
        byte_by_byte(bits, first, room);
        out.truncate(start + count);
    }
}

/// How many bits are set.
fn count_ones(bits: &[u64]) -> usize {
    wide(|| bits.iter().map(|word| word.count_ones() as usize).sum())
}

/// Sets a bit.
pub(super) fn set(bits: &mut [u64], place: u32) {
    if let Some(word) = bits.get_mut(place as usize / 64) {
        *word |= 1 << (place % 64);
    }
}

/// Sets bits that are clear, clears those that are set.
pub(super) fn flip(bits: &mut [u64], places: &[u32]) {
    wide(|| {
        for place in places {
            if let Some(word) = bits.get_mut(*place as usize / 64) {
                *word ^= 1 << (place % 64);
            }
        }
    });
}

/// Clears the bits that the others do not have.
pub(super) fn intersect(bits: &mut [u64], others: &[u64]) {
    wide(|| {
        for (word, other) in bits.iter_mut().zip(others) {
            *word &= other;
        }
    });
}

/// With fewer bits than one in so many, most bytes have none.
const SPARSE: usize = 20;

fn one_by_one(bits: &[u64], first: u32, out: &mut Vec<u32>) {
    let mut base = first;
    for word in bits {
        let mut word = *word;
        while word != 0 {
            out.push(base.wrapping_add(word.trailing_zeros()));
            word &= word - 1;
        }
        base = base.wrapping_add(64);
    }
}

/// Each byte writes eight numbers, of which the next byte overwrites those that are none: nothing depends on the bits
/// but how far the output goes on.
fn byte_by_byte(bits: &[u64], first: u32, out: &mut [u32]) {
    wide(
        #[inline(always)]
        move || {
            let (mut at, mut base) = (0, first);
            for word in bits {
                for byte in word.to_le_bytes() {
                    let places = ONES.get(usize::from(byte)).unwrap_or(&[0; 8]);
                    if let Some(eight) = out.get_mut(at..).and_then(<[u32]>::first_chunk_mut::<8>) {
                        for (number, place) in eight.iter_mut().zip(places) {
                            *number = base.wrapping_add(u32::from(*place));
                        }
                    }
                    at += byte.count_ones() as usize;
                    base = base.wrapping_add(8);
                }
            }
        },
    );
}

/// For each byte the numbers of its bits that are set, then zeros.
const ONES: [[u8; 8]; 256] = {
    let mut all = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut bit, mut count) = (0, 0);
        while bit < 8 {
            if byte >> bit & 1 == 1 {
                #[expect(clippy::indexing_slicing, reason = "while the crate is compiled, and checked then")]
                {
                    all[byte][count] = bit;
                }
                count += 1;
            }
            bit += 1;
        }
        byte += 1;
    }
    all
};

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(bits: &[u64], first: u32) -> Vec<u32> {
        (0..u32::try_from(bits.len() * 64).unwrap())
            .filter(|place| bits[*place as usize / 64] >> (place % 64) & 1 == 1)
            .map(|place| first + place)
            .collect()
    }

    #[test]
    fn all_bits_are_found_in_order() {
        let mut seed = 1_u64;
        let mut random = move || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        for length in 0..40 {
            for density in 0..8 {
                let bits: Vec<u64> = (0..length)
                    .map(|_| match density {
                        0 => 0,
                        7 => u64::MAX,
                        6 => random() | random(),
                        _ => (1..density).fold(random(), |word, _| word & random()),
                    })
                    .collect();
                let expected = plain(&bits, 7);
                let mut found = vec![5];
                collect_ones(&bits, 7, &mut found);
                assert_eq!(found.split_first(), Some((&5, &*expected)));
                let mut found = vec![0; expected.len() + 8];
                byte_by_byte(&bits, 7, &mut found);
                assert_eq!(found.get(..expected.len()), Some(&*expected));
                let mut found = Vec::new();
                one_by_one(&bits, 7, &mut found);
                assert_eq!(found, expected);
            }
        }
    }
}
