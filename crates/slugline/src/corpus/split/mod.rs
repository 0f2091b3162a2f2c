//! Documents set aside: stratified, so that every class has its share.
//!
//! [`Labels::split`] and [`Labels::folds`] do it for every kind of labels.

mod iterative;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::Labels;

impl Labels {
    /// Splits documents into those to train on and those held out, about `share` of them: by
    /// [`stratified_split`] where each has one class; by its largest share where classes have shares;
    /// and where there is any number of labels by iterative stratification (Sechidis, Tsoumakas &
    /// Vlahavas 2011), which gives away the documents of the rarest label first. A label of two
    /// documents or more is on both sides unless its documents are wanted elsewhere for rarer ones,
    /// and in any case to be learned. Both lists rise.
    ///
    /// ```
    /// use slugline::corpus::Labels;
    ///
    /// let labels = Labels::Multi(vec![vec![0], vec![0, 1], vec![], vec![1], vec![0], vec![]]);
    /// let (train, held_out) = labels.split(0.5, 42);
    /// assert_eq!((train.len(), held_out.len()), (3, 3));
    /// ```
    pub fn split(&self, share: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
        match self {
            Self::Single(labels) => stratified_split(labels, share, seed),
            Self::Soft(rows) => stratified_split(&rows.argmax_rows(), share, seed),
            Self::Multi(sets) if share > 0.0 => iterative::split(sets, share, seed),
            Self::Multi(sets) => ((0..sets.len()).collect(), Vec::new()),
        }
    }

    /// Puts every document into one of `count` folds, those of a class evenly, in the same ways as
    /// [`split`](Self::split): the number of its fold, counted from 0, for each document.
    pub fn folds(&self, count: u32, seed: u64) -> Vec<u32> {
        match self {
            Self::Single(labels) => stratified_folds(labels, count, seed),
            Self::Soft(rows) => stratified_folds(&rows.argmax_rows(), count, seed),
            Self::Multi(sets) => iterative::folds(sets, count, seed),
        }
    }
}

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
        held_out.extend_from_slice(&class[..held_out_of(class.len(), share)]);
    }
    held_out.sort_unstable();
    let mut rest = held_out.iter().copied().peekable();
    let train = (0..labels.len()).filter(|i| rest.next_if_eq(i).is_none()).collect();
    (train, held_out)
}

/// How many of a class are held out: `share` of them, rounded, at least one of two or more and never
/// all.
fn held_out_of(size: usize, share: f64) -> usize {
    let wanted = (size as f64 * share).round() as usize;
    let most = size.saturating_sub(1);
    if share > 0.0 { wanted.clamp(most.min(1), most) } else { 0 }
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
        shuffle(class, &mut random);
    }
    positions
}

/// Puts items in random order (Fisher and Yates).
fn shuffle(items: &mut [usize], random: &mut ChaCha8Rng) {
    for i in (1..items.len()).rev() {
        // Fixed-point product: even to within 2⁻³², for classes of any real size.
        let j = ((u64::from(random.next_u32()) * (i as u64 + 1)) >> 32) as usize;
        items.swap(i, j);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::nn::Matrix;

    #[test]
    fn rare_labels_are_on_both_sides() {
        // Label 0 is everywhere, 1 and 2 are in two documents each, 3 in one.
        let mut sets = vec![vec![0]; 40];
        for (i, label) in [(3, 1), (17, 1), (5, 2), (30, 2), (9, 3)] {
            sets[i].push(label);
        }
        for seed in 0..20 {
            let (train, held_out) = Labels::Multi(sets.clone()).split(0.2, seed);
            assert!((7..=9).contains(&held_out.len()), "{held_out:?}");
            let of =
                |list: &[usize], label| list.iter().filter(|&&i| sets[i].contains(&label)).count();
            for label in [1, 2] {
                assert_eq!((of(&train, label), of(&held_out, label)), (1, 1), "seed {seed}");
            }
            assert_eq!((of(&train, 3), of(&held_out, 3)), (1, 0));
            let folds = Labels::Multi(sets.clone()).folds(2, seed);
            for label in [1, 2] {
                let mut of: Vec<u32> =
                    (0..40).filter(|&i| sets[i].contains(&label)).map(|i| folds[i]).collect();
                of.sort_unstable();
                assert_eq!(of, [0, 1], "seed {seed}");
            }
        }
    }

    #[test]
    fn labels_that_go_together_have_their_share() {
        // Label `j` is in every (j + 2)th document and its neighbour, so that documents have many.
        let set = |i: u32| (0..30).filter(move |j| (i * 7 + j) % (j + 2) < 2).collect();
        let sets: Vec<Vec<u32>> = (0..1200).map(set).collect();
        let labels = Labels::Multi(sets.clone());
        let count =
            |list: &[usize], label| list.iter().filter(|&&i| sets[i].contains(&label)).count();
        for share in [0.1, 0.2, 0.5] {
            let (train, held_out) = labels.split(share, 5);
            for label in 0..30 {
                let (left, out) = (count(&train, label) as f64, count(&held_out, label) as f64);
                let wanted = (left + out) * share;
                assert!((out - wanted).abs() <= 2.0 + 0.1 * wanted, "{label}: {out} for {wanted}");
            }
        }
    }

    #[test]
    fn soft_labels_are_split_by_the_largest_share() {
        let rows = Matrix::new(4, 2, vec![0.9, 0.1, 0.6, 0.4, 0.2, 0.8, 0.3, 0.7]).unwrap();
        let soft = Labels::Soft(rows);
        assert_eq!(soft.split(0.5, 7), stratified_split(&[0, 0, 1, 1], 0.5, 7));
        assert_eq!(soft.folds(2, 7), stratified_folds(&[0, 0, 1, 1], 2, 7));
    }

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
        fn every_label_of_several_is_learned(
            sets in prop::collection::vec(prop::collection::btree_set(0_u32..6, 0..4), 0..150),
            share in 0.05..0.95,
            seed: u64,
        ) {
            let sets: Vec<Vec<u32>> = sets.into_iter().map(|set| set.into_iter().collect()).collect();
            let labels = Labels::Multi(sets.clone());
            let (train, held_out) = labels.split(share, seed);
            let mut all: Vec<usize> = train.iter().chain(&held_out).copied().collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..sets.len()).collect::<Vec<_>>());
            prop_assert_eq!(labels.split(share, seed), (train.clone(), held_out.clone()));
            for label in 0..6 {
                let of = |list: &[usize]| list.iter().filter(|&&i| sets[i].contains(&label)).count();
                let (left, out) = (of(&train), of(&held_out));
                let size = left + out;
                prop_assert!(size == 0 || left > 0);
            }
            let folds = labels.folds(3, seed);
            let sizes: Vec<usize> =
                (0..3).map(|fold| folds.iter().filter(|&&f| f == fold).count()).collect();
            prop_assert_eq!(sizes.iter().sum::<usize>(), sets.len());
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
