//! Documents set aside: stratified, so that every class has its share.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Splits documents into those to train on and those held out: `share` of each class, rounded, at
/// least one of a class of two or more and never all of a class. Both lists rise.
///
/// ```
/// use slugline::corpus::split::stratified_split;
///
/// let labels = [0, 0, 0, 0, 1, 1, 2];
/// let (train, held_out) = stratified_split(&labels, 0.5, 42);
/// assert_eq!((train.len(), held_out.len()), (4, 3));
/// assert!(train.contains(&6));
/// assert_eq!(stratified_split(&labels, 0.5, 42), (train, held_out));
/// ```
pub fn stratified_split(labels: &[u32], share: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let mut held_out = Vec::new();
    for class in shuffled_classes(labels, seed) {
        let wanted = (class.len() as f64 * share).round() as usize;
        let most = class.len().saturating_sub(1);
        let count = if share > 0.0 { wanted.clamp(most.min(1), most) } else { 0 };
        held_out.extend_from_slice(&class[..count]);
    }
    held_out.sort_unstable();
    let mut rest = held_out.iter().copied().peekable();
    let train = (0..labels.len()).filter(|i| rest.next_if_eq(i).is_none()).collect();
    (train, held_out)
}

/// Puts every document into one of `folds` folds, those of a class evenly: the number of its fold,
/// counted from 0, for each document.
///
/// ```
/// use slugline::corpus::split::stratified_folds;
///
/// let folds = stratified_folds(&[0, 0, 1, 1, 0, 0], 2, 42);
/// assert_eq!(folds.iter().filter(|&&fold| fold == 0).count(), 3);
/// ```
pub fn stratified_folds(labels: &[u32], folds: u32, seed: u64) -> Vec<u32> {
    let mut fold_of = vec![0; labels.len()];
    let mut next = 0;
    // Going on where the last class ended keeps the folds of one size.
    for class in shuffled_classes(labels, seed) {
        for i in class {
            fold_of[i] = next;
            next = (next + 1) % folds.max(1);
        }
    }
    fold_of
}

/// The positions of each class's documents, in random order.
fn shuffled_classes(labels: &[u32], seed: u64) -> Vec<Vec<usize>> {
    let classes = labels.iter().max().map_or(0, |&largest| largest as usize + 1);
    let mut positions = vec![Vec::new(); classes];
    for (i, &label) in labels.iter().enumerate() {
        positions[label as usize].push(i);
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for class in &mut positions {
        for i in (1..class.len()).rev() {
            // Fixed-point product: even to within 2⁻³², for classes of any real size.
            let j = ((u64::from(random.next_u32()) * (i as u64 + 1)) >> 32) as usize;
            class.swap(i, j);
        }
    }
    positions
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_class_has_its_share(labels in prop::collection::vec(0_u32..6, 0..200), share in 0.0..1.0, seed: u64) {
            let (train, held_out) = stratified_split(&labels, share, seed);
            let mut all: Vec<usize> = train.iter().chain(&held_out).copied().collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
            for class in 0..6 {
                let of = |list: &[usize]| list.iter().filter(|&&i| labels[i] == class).count();
                let (left, out) = (of(&train), of(&held_out));
                let size = left + out;
                prop_assert!(size == 0 || left > 0);
                prop_assert!((out as f64 - size as f64 * share).abs() <= 1.0);
                prop_assert!(share == 0.0 || size < 2 || out > 0);
            }
        }

        #[test]
        fn folds_are_even_in_every_class(labels in prop::collection::vec(0_u32..4, 0..200), k in 1_u32..7, seed: u64) {
            let folds = stratified_folds(&labels, k, seed);
            for class in 0..4 {
                let count = |fold| folds.iter().zip(&labels).filter(|&(&f, &l)| f == fold && l == class).count();
                let counts: Vec<usize> = (0..k).map(count).collect();
                prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1);
            }
        }
    }
}
