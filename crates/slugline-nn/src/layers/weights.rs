//! Storage of parameters: owned, or borrowed from whoever keeps the bytes.

use std::fmt;
use std::sync::Arc;

/// The numbers of one parameter, row-major: a `Vec` of our own, or a slice that something else keeps
/// alive (a memory-mapped model file, a NumPy array), copied only when it has to change.
#[derive(Clone)]
pub struct Weights(Storage);

#[derive(Clone)]
enum Storage {
    Owned(Vec<f32>),
    Shared(Arc<dyn AsRef<[f32]> + Send + Sync>),
}

impl Weights {
    /// Weights that are read from `keeper` without a copy.
    pub fn shared(keeper: Arc<dyn AsRef<[f32]> + Send + Sync>) -> Self {
        Self(Storage::Shared(keeper))
    }

    /// The numbers.
    pub fn as_slice(&self) -> &[f32] {
        match &self.0 {
            Storage::Owned(v) => v,
            Storage::Shared(keeper) => keeper.as_ref().as_ref(),
        }
    }

    /// The numbers, to be changed; a shared slice is copied first.
    pub fn make_mut(&mut self) -> &mut Vec<f32> {
        if let Storage::Shared(_) = self.0 {
            self.0 = Storage::Owned(self.as_slice().to_vec());
        }
        match &mut self.0 {
            Storage::Owned(v) => v,
            Storage::Shared(_) => unreachable!("made owned above"),
        }
    }
}

impl From<Vec<f32>> for Weights {
    fn from(values: Vec<f32>) -> Self {
        Self(Storage::Owned(values))
    }
}

impl PartialEq for Weights {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl fmt::Debug for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Weights({} numbers)", self.as_slice().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_weights_are_copied_only_on_change() {
        let kept: Arc<Vec<f32>> = Arc::new(vec![1.0, 2.0]);
        let mut weights = Weights::shared(kept.clone());
        assert_eq!(weights.as_slice().as_ptr(), kept.as_ptr());
        weights.make_mut()[0] = 5.0;
        assert_eq!((weights.as_slice(), &kept[..]), (&[5.0, 2.0][..], &[1.0, 2.0][..]));
    }
}
