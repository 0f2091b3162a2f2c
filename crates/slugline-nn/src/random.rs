//! Random numbers: one seed, one stream for each purpose, the same on every machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Purposes that draw from the seed, each from a stream of its own.
pub(crate) const WEIGHTS: u64 = 1;
pub(crate) const SHUFFLE: u64 = 2;
pub(crate) const DROPOUT: u64 = 3;

/// A stream of random numbers (`ChaCha8`).
pub(crate) struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of `seed` for a purpose and a number within it (a layer, an epoch).
    pub(crate) fn new(seed: u64, purpose: u64, number: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(purpose << 48 | number);
        Self(rng)
    }

    /// Even in `[0, 1)`, with 53 random bits.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Standard normal, drawn again until it lies within ±2 (Box and Muller's method).
    pub(crate) fn truncated_normal(&mut self) -> f64 {
        loop {
            let radius = (-2.0 * libm::log(1.0 - self.unit())).sqrt();
            let z = radius * libm::cos(std::f64::consts::TAU * self.unit());
            if z.abs() <= 2.0 {
                return z;
            }
        }
    }

    /// Even in `0..n`, without bias (Lemire's multiplication with rejection).
    fn below(&mut self, n: u64) -> u64 {
        let threshold = n.wrapping_neg() % n;
        loop {
            let wide = u128::from(self.0.next_u64()) * u128::from(n);
            if wide as u64 >= threshold {
                return (wide >> 64) as u64;
            }
        }
    }

    /// Puts `items` in random order (Fisher and Yates).
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.below(i as u64 + 1) as usize;
            items.swap(i, j);
        }
    }

    /// The next 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }
}

/// Which inputs of a dropout layer survive: a function of the key, the sample's place in the batch
/// and the column alone, so that any thread can ask for any part.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DropoutMask {
    key: u64,
    threshold: u32,
    scale: f32,
}

impl DropoutMask {
    /// A mask for one layer and step: `key` comes from that layer's stream.
    pub(crate) fn new(key: u64, rate: f32) -> Self {
        Self {
            key,
            threshold: (f64::from(rate) * 4_294_967_296.0) as u32,
            scale: 1.0 / (1.0 - rate),
        }
    }

    /// `1 / (1 − rate)` for a survivor, else 0.
    #[inline]
    pub(crate) fn factor(&self, sample: usize, column: u32) -> f32 {
        // SplitMix64's finalizer (Steele, Lea & Flood 2014) over the key and the place.
        let mut z = self.key.wrapping_add(
            ((sample as u64) << 32 | u64::from(column)).wrapping_mul(0x9E37_79B9_7F4A_7C15),
        );
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        if ((z ^ (z >> 31)) >> 32) as u32 >= self.threshold { self.scale } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ() {
        let draw = |seed, purpose, number| Stream::new(seed, purpose, number).bits();
        assert_eq!(draw(1, WEIGHTS, 0), draw(1, WEIGHTS, 0));
        let all =
            [draw(1, WEIGHTS, 0), draw(2, WEIGHTS, 0), draw(1, SHUFFLE, 0), draw(1, WEIGHTS, 1)];
        assert!(all.iter().enumerate().all(|(i, a)| all[..i].iter().all(|b| a != b)));
    }

    #[test]
    fn shuffling_keeps_the_items_and_is_even() {
        let mut counts = [[0u32; 4]; 4];
        let mut stream = Stream::new(5, SHUFFLE, 0);
        for _ in 0..40_000 {
            let mut items = [0, 1, 2, 3];
            stream.shuffle(&mut items);
            items.iter().enumerate().for_each(|(place, &item)| counts[place][item] += 1);
        }
        assert!(counts.iter().flatten().all(|&c| (9_600..10_400).contains(&c)), "{counts:?}");
    }

    #[test]
    fn dropout_keeps_its_share_and_the_expected_sum() {
        let mask = DropoutMask::new(99, 0.3);
        let n = 100_000;
        let kept = (0..n).filter(|&i| mask.factor(i / 50, (i % 50) as u32) > 0.0).count();
        assert!((kept as f64 / n as f64 - 0.7).abs() < 0.005, "{kept}");
        assert_eq!(mask.factor(0, 0).max(mask.factor(0, 1)).max(mask.factor(0, 2)), 1.0 / 0.7);
    }
}
