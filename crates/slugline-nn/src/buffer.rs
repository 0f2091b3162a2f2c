//! Storage of parameters: owned, or borrowed from whoever keeps the bytes.

use std::fmt;
use std::sync::Arc;

use aligned_vec::{AVec, ConstAlign};

/// Numbers that start at a cache line, so that no vector load of a row crosses from one to the next.
pub(crate) type Aligned<T> = AVec<T, ConstAlign<64>>;

/// Numbers of four bytes in a cache line, which is also the widest vector register.
pub(crate) const LINE: usize = 16;

/// `width` rounded up to whole lines: how far apart rows lie where tiles must not end within one.
pub(crate) fn padded(width: usize) -> usize {
    width.next_multiple_of(LINE)
}

/// Rows of `width` numbers, moved apart to [`padded`] with zeros between them.
pub(crate) fn pack(rows: &[f32], width: usize) -> Aligned<f32> {
    let mut packed = Aligned::new(0);
    packed.resize(rows.len() / width * padded(width), 0.0);
    pack_into(rows, width, &mut packed);
    packed
}

/// The same into a place that holds zeros.
pub(crate) fn pack_into(rows: &[f32], width: usize, packed: &mut [f32]) {
    for (to, from) in packed.chunks_exact_mut(padded(width)).zip(rows.chunks_exact(width)) {
        to[..width].copy_from_slice(from);
    }
}

/// Rows of `width` numbers that lie [`padded`] apart, moved together again.
pub(crate) fn unpack(rows: &[f32], width: usize, out: &mut [f32]) {
    for (to, from) in out.chunks_exact_mut(width).zip(rows.chunks_exact(padded(width))) {
        to.copy_from_slice(&from[..width]);
    }
}

/// Numbers of our own, or a slice that something else keeps alive (a memory-mapped model file, a
/// NumPy array), copied only when it has to change.
#[derive(Clone)]
pub struct Buffer<T: 'static>(Storage<T>);

/// The numbers of one parameter, row-major.
pub type Weights = Buffer<f32>;

#[derive(Clone)]
enum Storage<T: 'static> {
    Owned(Aligned<T>),
    Shared(Arc<dyn AsRef<[T]> + Send + Sync>),
}

impl<T> Buffer<T> {
    /// A buffer that is read from `keeper` without a copy.
    pub fn shared(keeper: Arc<dyn AsRef<[T]> + Send + Sync>) -> Self {
        Self(Storage::Shared(keeper))
    }

    /// The numbers.
    pub fn as_slice(&self) -> &[T] {
        match &self.0 {
            Storage::Owned(v) => v,
            Storage::Shared(keeper) => keeper.as_ref().as_ref(),
        }
    }
}

impl<T: Clone> Buffer<T> {
    /// The numbers, to be changed; a shared slice is copied first.
    pub fn make_mut(&mut self) -> &mut [T] {
        if let Storage::Shared(keeper) = &self.0 {
            self.0 = Storage::Owned(Aligned::from_slice(0, keeper.as_ref().as_ref()));
        }
        match &mut self.0 {
            Storage::Owned(v) => v,
            Storage::Shared(_) => unreachable!("made owned above"),
        }
    }
}

impl<T: Clone> From<Vec<T>> for Buffer<T> {
    fn from(values: Vec<T>) -> Self {
        Self(Storage::Owned(Aligned::from_slice(0, &values)))
    }
}

impl<T> Default for Buffer<T> {
    fn default() -> Self {
        Self(Storage::Owned(Aligned::new(0)))
    }
}

impl<T: PartialEq> PartialEq for Buffer<T> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl<T> fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} elements)", self.as_slice().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_numbers_are_copied_only_on_change() {
        let kept: Arc<Vec<f32>> = Arc::new(vec![1.0, 2.0]);
        let mut weights = Weights::shared(kept.clone());
        assert_eq!(weights.as_slice().as_ptr(), kept.as_ptr());
        weights.make_mut()[0] = 5.0;
        assert_eq!((weights.as_slice(), &kept[..]), (&[5.0, 2.0][..], &[1.0, 2.0][..]));
    }
}
