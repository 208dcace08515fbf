//! What the markers of a JPEG file say (ITU-T T.81, annex B), without decoding it.

/// The header, and whether the file is whole.
#[derive(Debug, Default)]
pub(super) struct Header<'a> {
    pub(super) frame: Option<Frame>,
    /// What a camera wrote.
    pub(super) exif: Option<&'a [u8]>,
    pub(super) scans: u32,
    /// Whether the end marker stands behind a scan. A preview inside the header has one of its own.
    pub(super) has_end: bool,
}

/// What is said of the whole picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) components: u8,
    /// Sequential or progressive, of 8 bits.
    pub(super) is_usual: bool,
}

const START_OF_PICTURE: u8 = 0xd8;
const END: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;
const EXIF: u8 = 0xe1;

/// Reads all markers up to the end of the picture.
pub(super) fn read(file: &[u8]) -> Header<'_> {
    let mut header = Header::default();
    let mut rest = file;
    while let Some((kind, body, behind)) = next(rest) {
        rest = behind;
        match kind {
            END if header.scans > 0 => {
                header.has_end = true;
                break;
            }
            START_OF_SCAN => header.scans = header.scans.saturating_add(1),
            EXIF if header.exif.is_none() && header.scans == 0 && body.starts_with(b"Exif\0\0") => {
                header.exif = Some(body);
            }
            // Tables of codes (c4), extensions (c8) and arithmetic conditions (cc) stand between the kinds of frames.
            0xc0..=0xcf if !matches!(kind, 0xc4 | 0xc8 | 0xcc) && header.frame.is_none() => {
                header.frame = frame(kind, body);
            }
            _ => {}
        }
    }
    header
}

fn frame(kind: u8, body: &[u8]) -> Option<Frame> {
    let [bits, high, low, wide, narrow, components, ..] = *body else { return None };
    let side = |high, low| u32::from(u16::from_be_bytes([high, low]));
    let is_usual = bits == 8 && matches!(kind, 0xc0..=0xc2 | 0xc9 | 0xca);
    Some(Frame { height: side(high, low), width: side(wide, narrow), components, is_usual })
}

/// The next marker with what belongs to it, and what follows; data of scans is passed over.
fn next(mut rest: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    loop {
        rest = rest.get(memchr::memchr(0xff, rest)?..)?;
        match *rest {
            // Any number of 0xff may stand before a kind.
            [0xff, 0xff, ..] => rest = rest.get(1..)?,
            // A level of 0xff in a scan; restarts.
            [_, 0 | 1 | 0xd0..=0xd7, ..] => rest = rest.get(2..)?,
            [_, kind @ (START_OF_PICTURE | END), ..] => return Some((kind, &[], rest.get(2..)?)),
            [_, kind, high, low, ..] => {
                // The two bytes of the length count themselves.
                let length = usize::from(u16::from_be_bytes([high, low])).max(2);
                let behind = rest.get(2 + length..).unwrap_or_default();
                return Some((kind, rest.get(4..2 + length)?, behind));
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] =
        b"\xff\xd8\xff\xe1\0\x0aExif\0\0II\xff\xff\xc2\0\x09\x08\0\x03\0\x02\x03?\xff\xda\0\x02ab\xff\0c\
\xff\xd1d\xff\xc4\0\x04\xff\xd9\xff\xda\0\x02e\xff\xd9rest\xff\xda\0\x02";

    #[test]
    fn markers_are_read_to_the_end_of_the_picture() {
        let header = read(FILE);
        assert_eq!(header.frame, Some(Frame { width: 2, height: 3, components: 3, is_usual: true }));
        assert_eq!(header.exif, Some(&b"Exif\0\0II"[..]));
        // Neither the end inside the table nor the scan behind the end counts.
        assert_eq!((header.scans, header.has_end), (2, true));
    }

    #[test]
    fn a_file_that_is_cut_has_no_end() {
        let whole = FILE.len() - 8;
        for end in 0..whole {
            assert!(!read(&FILE[..end]).has_end, "{end}");
        }
        assert!(read(&FILE[..whole]).has_end);
    }
}
