//! What several threads read: borrowed from whoever made it, or counted.

use std::ops::Deref;
use std::sync::Arc;

/// A list that is made once and read by many.
#[derive(Debug)]
pub(crate) enum Shared<'a, T> {
    Borrowed(&'a [T]),
    Counted(Arc<[T]>),
}

// Not derived: the elements themselves need not be clonable.
impl<T> Clone for Shared<'_, T> {
    fn clone(&self) -> Self {
        match self {
            Self::Borrowed(list) => Self::Borrowed(list),
            Self::Counted(list) => Self::Counted(Arc::clone(list)),
        }
    }
}

impl<T> Deref for Shared<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Borrowed(list) => list,
            Self::Counted(list) => list,
        }
    }
}

impl<T> FromIterator<T> for Shared<'_, T> {
    fn from_iter<I: IntoIterator<Item = T>>(list: I) -> Self {
        Self::Counted(list.into_iter().collect())
    }
}
