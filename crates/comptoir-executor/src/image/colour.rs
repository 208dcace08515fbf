//! Channels of decoded pictures.

use super::decode::Pixels;
use super::spec::Profile;

/// Red, green and blue of pixels with 1 (grey), 2 (grey, alpha), 3 or 4 channels. Alpha is left out, as both Pillow's
/// `convert("RGB")` and OpenCV's `IMREAD_COLOR` do.
pub(super) fn to_rgb(channels: usize, count: usize, pixels: &mut Pixels) {
    if channels == 3 {
        std::mem::swap(&mut pixels.levels, &mut pixels.other);
        pixels.levels.truncate(count * 3);
        return;
    }
    pixels.levels.resize(count * 3, 0);
    let sources = pixels.other.chunks_exact(channels);
    for (target, source) in pixels.levels.as_chunks_mut::<3>().0.iter_mut().zip(sources) {
        *target = match *source {
            [red, green, blue, _] => [red, green, blue],
            [grey, ..] => [grey; 3],
            [] => [0; 3],
        };
    }
}

/// Makes one channel of red, green and blue: what the eye sees of each (ITU-R BT.601), in the whole numbers that the
/// profile's library counts with.
pub(super) fn to_grey(profile: Profile, pixels: &mut Pixels) {
    let (red, green, blue, bits): (u32, u32, u32, u32) = match profile {
        // `convert("L")`.
        Profile::Pillow | Profile::Fast => (19_595, 38_470, 7_471, 16),
        // `cvtColor(image, COLOR_BGR2GRAY)`.
        Profile::Opencv => (9_798, 19_235, 3_735, 15),
    };
    let half = 1 << (bits - 1);
    let (colours, _) = pixels.levels.as_chunks::<3>();
    pixels.other.clear();
    pixels.other.extend(colours.iter().map(|colour| {
        let [r, g, b] = colour.map(u32::from);
        u8::try_from((r * red + g * green + b * blue + half) >> bits).unwrap_or(u8::MAX)
    }));
    std::mem::swap(&mut pixels.levels, &mut pixels.other);
    pixels.channels = 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grey_pixel_keeps_its_level_in_every_profile() {
        for profile in [Profile::Pillow, Profile::Opencv, Profile::Fast] {
            let mut pixels =
                Pixels { levels: (0..=255).flat_map(|grey| [grey; 3]).collect(), ..Pixels::default() };
            to_grey(profile, &mut pixels);
            assert_eq!(pixels.levels, (0..=255).collect::<Vec<u8>>());
            assert_eq!(pixels.channels, 1);
        }
    }
}
