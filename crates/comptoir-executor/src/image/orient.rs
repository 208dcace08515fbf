//! The orientation that cameras write into photos (Exif 2.32, tag 0x0112), and turning by it.

use super::decode::Pixels;

/// The orientation, from 1 (as it lies) to 8; none where there is none.
pub(super) fn orientation(exif: &[u8]) -> Option<u8> {
    // JPEG keeps a name before the TIFF header, PNG and WebP may.
    let tiff = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    let big = match tiff.get(..4)? {
        [b'I', b'I', 42, 0] => false,
        [b'M', b'M', 0, 42] => true,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes = [*tiff.get(at)?, *tiff.get(at + 1)?];
        Some(if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    };
    let (one, two) = (short(4)?, short(6)?);
    let (high, low) = if big { (one, two) } else { (two, one) };
    let directory = usize::from(high) << 16 | usize::from(low);
    let count = short(directory)?;
    let entry =
        (0..usize::from(count)).map(|at| directory + 2 + 12 * at).find(|&at| short(at) == Some(0x0112))?;
    u8::try_from(short(entry + 8)?).ok().filter(|orientation| (1..=8).contains(orientation))
}

/// Whether an orientation lies on its side, so that width and height change places.
pub(super) fn is_on_side(orientation: u8) -> bool {
    orientation >= 5
}

/// Turns and mirrors a picture in three channels so that it stands as the camera was held.
pub(super) fn apply(orientation: u8, pixels: &mut Pixels) {
    if orientation == 1 {
        return;
    }
    let (width, height) = (pixels.width as usize, pixels.height as usize);
    let source = std::mem::take(&mut pixels.levels);
    let (colours, _) = source.as_chunks::<3>();
    let swapped = is_on_side(orientation);
    let (new_width, new_height) = if swapped { (height, width) } else { (width, height) };
    let mut turned = Vec::with_capacity(source.len());
    for y in 0..new_height {
        for x in 0..new_width {
            let (from_x, from_y) = match orientation {
                2 => (width - 1 - x, y),
                3 => (width - 1 - x, height - 1 - y),
                4 => (x, height - 1 - y),
                5 => (y, x),
                6 => (y, height - 1 - x),
                7 => (width - 1 - y, height - 1 - x),
                _ => (width - 1 - y, x),
            };
            turned.extend(colours.get(from_y * width + from_x).copied().unwrap_or_default());
        }
    }
    pixels.levels = turned;
    if swapped {
        std::mem::swap(&mut pixels.width, &mut pixels.height);
        pixels.photo = (pixels.photo.1, pixels.photo.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exif(big: bool, orientation: u8) -> Vec<u8> {
        let mut bytes = b"Exif\0\0".to_vec();
        if big {
            bytes.extend(b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0");
            bytes.extend([orientation, 0, 0]);
        } else {
            bytes.extend(b"II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0");
            bytes.extend([orientation, 0, 0, 0]);
        }
        bytes
    }

    #[test]
    fn both_byte_orders_are_read_and_nonsense_is_none() {
        assert_eq!(orientation(&exif(false, 6)), Some(6));
        assert_eq!(orientation(&exif(true, 8)), Some(8));
        assert_eq!(orientation(&exif(true, 9)), None);
        assert_eq!(orientation(b"Exif\0\0II\x2a\0\xff\xff\xff\xff"), None);
        for end in 0..exif(false, 6).len() - 3 {
            assert_eq!(orientation(&exif(false, 6)[..end]), None);
        }
    }

    #[test]
    fn a_picture_is_turned_as_the_standard_says() {
        // Two columns, three rows; each pixel is its number.
        let pixels = || {
            let mut pixels = Pixels::default();
            (pixels.width, pixels.height) = (2, 3);
            pixels.levels = (1..=6).flat_map(|number| [number; 3]).collect();
            pixels
        };
        let expected: [(u8, (u32, u32), [u8; 6]); 8] = [
            (1, (2, 3), [1, 2, 3, 4, 5, 6]),
            (2, (2, 3), [2, 1, 4, 3, 6, 5]),
            (3, (2, 3), [6, 5, 4, 3, 2, 1]),
            (4, (2, 3), [5, 6, 3, 4, 1, 2]),
            (5, (3, 2), [1, 3, 5, 2, 4, 6]),
            (6, (3, 2), [5, 3, 1, 6, 4, 2]),
            (7, (3, 2), [6, 4, 2, 5, 3, 1]),
            (8, (3, 2), [2, 4, 6, 1, 3, 5]),
        ];
        for (orientation, size, numbers) in expected {
            let mut turned = pixels();
            apply(orientation, &mut turned);
            assert_eq!((turned.width, turned.height), size);
            let found: Vec<u8> = turned.levels.chunks(3).map(|colour| colour[0]).collect();
            assert_eq!(found, numbers, "{orientation}");
        }
    }
}
