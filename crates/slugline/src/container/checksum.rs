//! The checksum over a file. Its construction is part of the format.

use rayon::prelude::*;
use twox_hash::XxHash3_128;

/// Length of the pieces that are hashed on their own.
const PIECE: usize = 1 << 20;

/// What stands for the checksum's own digits while it is computed.
pub(crate) const BLANK: &[u8; 32] = b"00000000000000000000000000000000";

/// The checksum of `parts` put end to end.
pub(crate) fn checksum(parts: &[&[u8]]) -> String {
    let total: usize = parts.iter().map(|part| part.len()).sum();
    let hashes: Vec<[u8; 16]> = (0..total.div_ceil(PIECE))
        .into_par_iter()
        .map(|i| hash_piece(parts, i * PIECE).to_be_bytes())
        .collect();
    format!("{:032x}", XxHash3_128::oneshot(hashes.as_flattened()))
}

/// The hash of the piece that begins at `start`.
fn hash_piece(parts: &[&[u8]], start: usize) -> u128 {
    let (mut skip, mut left) = (start, PIECE);
    let mut hasher = XxHash3_128::new();
    for part in parts {
        let from = skip.min(part.len());
        let to = from + left.min(part.len() - from);
        hasher.write(&part[from..to]);
        skip -= from;
        left -= to - from;
    }
    hasher.finish_128()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_construction_is_frozen() {
        // From the Python package xxhash 4.1.0:
        // xxh3_128_hexdigest(b"".join(xxh3_128_digest(data[i:i+2**20]) for i in range(0, len(data), 2**20)))
        let data: Vec<u8> = (0..2_500_000u32).map(|i| (i % 251) as u8).collect();
        assert_eq!(checksum(&[&data[..10]]), "24749b084b7fdd9d222bcf7e3c16d403");
        assert_eq!(checksum(&[&data]), "3e7f9b9febee33953368ef16a031e30a");
    }

    #[test]
    fn it_does_not_depend_on_the_cut() {
        let data: Vec<u8> = (0..2_500_000u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
        let whole = checksum(&[&data]);
        for cut in [0, 1, 1 << 20, (1 << 20) + 1, data.len()] {
            let (a, b) = data.split_at(cut);
            assert_eq!(checksum(&[a, &[], b]), whole, "{cut}");
        }
        let single = crate::nn::with_threads(1, || checksum(&[&data])).unwrap();
        assert_eq!(single, whole);
    }
}
