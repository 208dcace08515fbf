//! How a picture comes to the size of the result, and where it lies there.

use super::spec::{Fit, ImageSpec};

/// Where the picture lies in the tensor: pixel (x, y) of the photo is at (x * scale_x + left, y * scale_y + top).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Placement {
    /// Width of the photo, as it stands after its orientation.
    pub width: u32,
    /// Height of the photo.
    pub height: u32,
    /// Pixels of the tensor for a pixel of the photo, across.
    pub scale_x: f64,
    /// The same, down.
    pub scale_y: f64,
    /// Where the photo's left side lies; below 0 where it is cut off.
    pub left: f64,
    /// Where its upper side lies.
    pub top: f64,
}

/// The size that the whole picture is resized to, and where that lies.
pub(super) struct Inner {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) placement: Placement,
}

/// What a photo of this size is resized to.
pub(super) fn inner(spec: &ImageSpec, photo: (u32, u32)) -> Inner {
    let (width, height) = photo;
    let ratio = |to: u32, from: u32| f64::from(to) / f64::from(from.max(1));
    let (across, down) = (ratio(spec.width, width), ratio(spec.height, height));
    let factor = match spec.fit {
        Fit::Stretch => None,
        Fit::Crop => Some(across.max(down)),
        Fit::Letterbox => Some(across.min(down)),
    };
    let side = |from: u32, to: u32| match factor {
        None => to,
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size of the result")]
        Some(factor) => ((f64::from(from) * factor).round() as u32).max(1),
    };
    let (inner_width, inner_height) = (side(width, spec.width), side(height, spec.height));
    let offset = |inner: u32, outer: u32| {
        // Whole pixels, the smaller half first, as `place` lays them.
        ((i64::from(outer) - i64::from(inner)).div_euclid(2)) as f64
    };
    let placement = Placement {
        width,
        height,
        scale_x: ratio(inner_width, width),
        scale_y: ratio(inner_height, height),
        left: offset(inner_width, spec.width),
        top: offset(inner_height, spec.height),
    };
    Inner { width: inner_width, height: inner_height, placement }
}

/// Lays a picture of `N` channels into the middle of another size: cut off where it is larger, filled where it is
/// smaller.
pub(super) fn place<const N: usize>(
    source: &[u8],
    inner: (u32, u32),
    outer: (u32, u32),
    fill: [u8; 3],
    target: &mut Vec<u8>,
) {
    let span = |inner: u32, outer: u32| {
        let gap = (i64::from(outer) - i64::from(inner)).div_euclid(2);
        let skip = usize::try_from(-gap).unwrap_or(0);
        let at = usize::try_from(gap).unwrap_or(0);
        (skip, at, inner.min(outer) as usize)
    };
    let (skip_x, at_x, width) = span(inner.0, outer.0);
    let (skip_y, at_y, height) = span(inner.1, outer.1);
    target.clear();
    target.extend(fill.iter().take(N).cycle().take(outer.0 as usize * outer.1 as usize * N));
    let (source_row, target_row) = (inner.0 as usize * N, outer.0 as usize * N);
    let rows = source.chunks_exact(source_row).skip(skip_y).take(height);
    for (to, from) in target.chunks_exact_mut(target_row).skip(at_y).zip(rows) {
        let from = from.get(skip_x * N..(skip_x + width) * N);
        let to = to.get_mut(at_x * N..(at_x + width) * N);
        if let (Some(from), Some(to)) = (from, to) {
            to.copy_from_slice(from);
        }
    }
}
