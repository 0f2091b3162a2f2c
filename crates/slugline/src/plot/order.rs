//! In which order classes stand.

use std::cmp::Reverse;

/// The order of the classes in a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClassOrder {
    /// Those with the most documents first. The default.
    #[default]
    Size,
    /// Those that are taken for each other side by side.
    Similarity,
    /// By their names.
    Name,
}

impl ClassOrder {
    /// Every order.
    pub const ALL: [Self; 3] = [Self::Size, Self::Similarity, Self::Name];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Similarity => "similarity",
            Self::Name => "name",
        }
    }

    /// The numbers of the classes in this order, from their names and from documents by true class (row)
    /// and answer (column).
    pub(super) fn of(self, names: &[&str], counts: &[Vec<u64>]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..names.len()).collect();
        match self {
            Self::Size => {
                order.sort_by_key(|&class| Reverse(counts[class].iter().sum::<u64>()));
                order
            }
            Self::Name => {
                order.sort_by_key(|&class| (names[class].to_lowercase(), names[class]));
                order
            }
            Self::Similarity => by_similarity(counts),
        }
    }
}

/// Groups of classes, each in the order in which its classes will stand.
struct Groups {
    members: Vec<Vec<usize>>,
    /// How similar two groups are.
    likeness: Vec<Vec<f64>>,
    /// The group that is most like a group, of those after it.
    nearest: Vec<Option<usize>>,
}

/// Classes by average linkage: the two groups that are most like each other, on the mean of their pairs,
/// become one, turned so that the ends that are most alike meet. Groups that have nothing in common stand
/// in the order of their sizes.
///
/// Two classes are alike by the shares of their documents that are answered with the other one.
fn by_similarity(counts: &[Vec<u64>]) -> Vec<usize> {
    let n = counts.len();
    let sizes: Vec<u64> = counts.iter().map(|row| row.iter().sum()).collect();
    let share = |a: usize, b: usize| counts[a][b] as f64 / sizes[a].max(1) as f64;
    let likeness: Vec<Vec<f64>> = (0..n)
        .map(|a| (0..n).map(|b| if a == b { 0.0 } else { share(a, b) + share(b, a) }).collect())
        .collect();
    let alike = likeness.clone();
    let members = (0..n).map(|class| vec![class]).collect();
    let mut groups = Groups { members, likeness, nearest: vec![None; n] };
    (0..n).for_each(|group| groups.find_nearest(group));
    while let Some((a, b)) = groups.closest() {
        groups.join(a, b, &alike);
    }
    let mut rest: Vec<Vec<usize>> = groups.members;
    rest.retain(|group| !group.is_empty());
    rest.sort_by_key(|group| Reverse(group.iter().map(|&class| sizes[class]).sum::<u64>()));
    rest.concat()
}

impl Groups {
    fn find_nearest(&mut self, group: usize) {
        let after = group + 1..self.members.len();
        let alive = after.filter(|&other| !self.members[other].is_empty());
        let alike = |other: &usize| self.likeness[group][*other];
        self.nearest[group] = alive
            .filter(|other| alike(other) > 0.0)
            // The first of equals.
            .reduce(|a, b| if alike(&b) > alike(&a) { b } else { a });
    }

    /// The two that are most like each other; none where no two have anything in common.
    fn closest(&self) -> Option<(usize, usize)> {
        let pairs = self.nearest.iter().enumerate().filter_map(|(a, b)| Some((a, (*b)?)));
        pairs.reduce(|best, pair| {
            let alike = |(a, b): (usize, usize)| self.likeness[a][b];
            if alike(pair) > alike(best) { pair } else { best }
        })
    }

    /// Makes one group of two, in the place of `a`, which comes before `b`.
    fn join(&mut self, a: usize, b: usize, alike: &[Vec<f64>]) {
        let (left, right) = (self.members[a].len() as f64, self.members[b].len() as f64);
        for other in 0..self.members.len() {
            let mean =
                (left * self.likeness[a][other] + right * self.likeness[b][other]) / (left + right);
            (self.likeness[a][other], self.likeness[other][a]) = (mean, mean);
        }
        let second = std::mem::take(&mut self.members[b]);
        chain(&mut self.members[a], second, alike);
        self.nearest[b] = None;
        for group in 0..self.members.len() {
            // A mean of two is above neither: no other group comes nearer by it.
            let touched = group == a || self.nearest[group].is_some_and(|n| n == a || n == b);
            if touched {
                self.find_nearest(group);
            }
        }
    }
}

/// Puts the second group behind the first one, either of them turned if ends that are more alike meet
/// then.
fn chain(first: &mut Vec<usize>, mut second: Vec<usize>, alike: &[Vec<f64>]) {
    let ways = [(false, false), (false, true), (true, false), (true, true)];
    let meeting = |(turn_first, turn_second): (bool, bool)| {
        let end = if turn_first { first.first() } else { first.last() };
        let beginning = if turn_second { second.last() } else { second.first() };
        end.zip(beginning).map_or(0.0, |(&a, &b)| alike[a][b])
    };
    let best = ways.into_iter().reduce(|a, b| if meeting(b) > meeting(a) { b } else { a });
    let (turn_first, turn_second) = best.unwrap_or_default();
    if turn_first {
        first.reverse();
    }
    if turn_second {
        second.reverse();
    }
    first.append(&mut second);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn orders_are_by_size_by_name_and_by_confusion() {
        let names = ["tin", "Gold", "wheat", "corn"];
        let counts = [vec![5, 4, 0, 0], vec![3, 9, 0, 1], vec![0, 0, 40, 10], vec![0, 0, 2, 2]];
        assert_eq!(ClassOrder::Size.of(&names, &counts), [2, 1, 0, 3]);
        assert_eq!(ClassOrder::Name.of(&names, &counts), [3, 1, 0, 2]);
        let order = ClassOrder::Similarity.of(&names, &counts);
        let beside = |a: usize, b: usize| {
            let place = |class| order.iter().position(|&c| c == class).unwrap();
            place(a).abs_diff(place(b)) == 1
        };
        assert!(beside(0, 1) && beside(2, 3), "{order:?}");
        // Gold, which is taken for corn, stands at corn's side.
        assert!(beside(1, 3), "{order:?}");
    }

    proptest! {
        #[test]
        fn every_class_stands_once(
            counts in (1_usize..9).prop_flat_map(|n| {
                prop::collection::vec(prop::collection::vec(0_u64..4, n), n)
            }),
        ) {
            let names: Vec<String> = (0..counts.len()).map(|i| format!("c{}", i % 3)).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            for order in ClassOrder::ALL {
                let mut found = order.of(&names, &counts);
                found.sort_unstable();
                prop_assert_eq!(found, (0..counts.len()).collect::<Vec<_>>());
            }
        }
    }
}
