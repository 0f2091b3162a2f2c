//! Feed-forward networks over sparse input.
