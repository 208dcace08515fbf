//! Files to damage.

/// Shapes with noise, of so many channels.
pub(crate) fn levels(width: usize, height: usize, channels: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let at = (0..height).flat_map(|y| (0..width * channels).map(move |x| x * x / 40 + y * 3));
    at.map(|shape| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (shape / 2).to_le_bytes()[0].wrapping_add((state >> 28).to_le_bytes()[0])
    })
    .collect()
}

/// A PNG file of 45x33.
pub(crate) fn png(colour: png::ColorType, depth: png::BitDepth) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 45, 33);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    if colour == png::ColorType::Indexed {
        encoder.set_palette(vec![0, 0, 0, 255, 0, 0, 0, 255, 0, 9, 9, 9]);
    }
    let row = (45 * colour.samples() * depth as usize).div_ceil(8);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&levels(row, 33, 1)).unwrap();
    writer.finish().unwrap();
    file
}

/// Sets the checksums of a PNG file as they ought to be, so that damage is not found by them.
pub(crate) fn mend_checks(file: &mut [u8]) {
    let mut at = 8;
    while let Some(length) = file.get(at..at + 4) {
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        let end = at.saturating_add(8).saturating_add(length);
        let Some(check) = file.get(at + 4..end).map(checksum) else { break };
        if let Some(target) = file.get_mut(end..end + 4) {
            target.copy_from_slice(&check.to_be_bytes());
        }
        at = end.saturating_add(4);
    }
}

/// CRC-32 of ISO 3309, as PNG (annex D) uses it.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(
            sum ^ u32::from(*byte),
            |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 },
        )
    })
}
