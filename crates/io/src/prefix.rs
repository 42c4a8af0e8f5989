//! The first 18 bytes of a file: what it is, its version, and the checksum of the rest.
//!
//! They are the head of a MessagePack array of four: the name, the version, the checksum; the body follows.

use crate::FormatError;

/// The version of the format that is written, and the newest that is read.
pub(crate) const VERSION: u8 = 1;
/// The number of bytes before the body.
pub(crate) const LEN: usize = 18;

/// An array of four, and a string of nine.
const NAME: &[u8; 11] = b"\x94\xa9mlp-model";
/// A byte string of four.
const CHECKSUM: [u8; 2] = [0xc4, 4];

/// The first bytes of a file; the checksum is still 0.
pub(crate) fn start() -> Vec<u8> {
    [NAME.as_slice(), &[VERSION], &CHECKSUM, &[0; 4]].concat()
}

/// Fills in the checksum, once the body is complete.
pub(crate) fn finish(file: &mut [u8]) {
    if let Some((prefix, body)) = file.split_at_mut_checked(LEN) {
        let checksum = crc32fast::hash(body).to_le_bytes();
        prefix[LEN - checksum.len()..].copy_from_slice(&checksum);
    }
}

/// Checks what stands before the body, of which nothing needs to be there yet, and returns the stored checksum.
pub(crate) fn check(file: &[u8]) -> Result<u32, FormatError> {
    let truncated = FormatError::Truncated { size: file.len() };
    if file.is_empty() {
        return Err(FormatError::Empty);
    }
    let Some(rest) = file.strip_prefix(NAME) else {
        let start = file.iter().take(8).copied().collect();
        return Err(if NAME.starts_with(file) { truncated } else { FormatError::NotAModel { start } });
    };
    let Some((&found, rest)) = rest.split_first() else { return Err(truncated) };
    match found {
        VERSION => {}
        // What is no positive fixint of MessagePack is no version either.
        0 | 0x80.. => return Err(FormatError::NoSuchVersion { found }),
        _ => return Err(FormatError::NewerVersion { found, supported: VERSION }),
    }
    match rest.split_first_chunk::<6>() {
        None => Err(truncated),
        Some(([0xc4, 4, checksum @ ..], _)) => Ok(u32::from_le_bytes(*checksum)),
        Some(_) => Err(FormatError::Malformed { offset: 12, reason: "a checksum of four bytes must stand here" }),
    }
}

/// Checks the prefix and the checksum, and returns the body with the checksum.
pub(crate) fn open(file: &[u8]) -> Result<(&[u8], u32), FormatError> {
    let stored = check(file)?;
    let body = file.get(LEN..).unwrap_or_default();
    let computed = crc32fast::hash(body);
    if stored == computed { Ok((body, stored)) } else { Err(FormatError::Checksum { stored, computed }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "123456789" has the checksum 0xcbf43926 in every description of CRC-32.
    fn file() -> Vec<u8> {
        let mut file = start();
        file.extend_from_slice(b"123456789");
        finish(&mut file);
        file
    }

    #[test]
    fn the_prefix_is_eighteen_known_bytes() {
        assert_eq!(file()[..LEN], *b"\x94\xa9mlp-model\x01\xc4\x04\x26\x39\xf4\xcb");
        assert_eq!(open(&file()), Ok((&b"123456789"[..], 0xcbf4_3926)));
    }

    #[test]
    fn the_version_is_read_before_the_checksum() {
        let with_version = |version| {
            let mut file = file();
            file[11] = version;
            file.truncate(12);
            check(&file)
        };
        for found in 2..=127 {
            assert_eq!(with_version(found), Err(FormatError::NewerVersion { found, supported: 1 }));
        }
        for found in (128..=255).chain([0]) {
            assert_eq!(with_version(found), Err(FormatError::NoSuchVersion { found }));
        }
    }

    #[test]
    fn what_is_too_short_is_truncated_and_what_is_foreign_is_shown() {
        assert_eq!(open(b""), Err(FormatError::Empty));
        for size in 1..LEN {
            assert_eq!(open(&file()[..size]), Err(FormatError::Truncated { size }));
        }
        assert!(matches!(open(&file()[..20]), Err(FormatError::Checksum { stored: 0xcbf4_3926, .. })));
        assert_eq!(open(b"{\"model\": 1}"), Err(FormatError::NotAModel { start: b"{\"model\"".to_vec() }));
        assert_eq!(open(b"\x94\xa9mlp-modem"), Err(FormatError::NotAModel { start: b"\x94\xa9mlp-mo".to_vec() }));
        let mut bent = file();
        bent[12] = 0xc5;
        assert!(matches!(open(&bent), Err(FormatError::Malformed { offset: 12, .. })));
    }
}
