"""Numbers of every kind to the sparse rows that networks take."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._slugline import Rows

#: What the native part reads without a conversion.
_KNOWN = {np.dtype(kind) for kind in "f4 f8 ? u1 u2 u4 u8 i1 i2 i4 i8".split()}


def to_rows(x: Any, *, threads: int = 0) -> Rows:
    """The rows of a SciPy sparse matrix, or of anything that NumPy takes for a 2-dimensional array.

    Zeros are left out, and numbers rounded to 32 bits.
    """
    if isinstance(x, Rows):
        return x
    if hasattr(x, "tocsr"):
        return _from_sparse(x)
    x = np.asarray(x)
    if x.ndim != 2:
        raise ValueError(
            f"expected a 2-dimensional array, one row a sample, got one of shape {x.shape}"
        )
    if np.issubdtype(x.dtype, np.complexfloating):
        raise ValueError(f"complex data are not supported: the array is of type {x.dtype}")
    if x.dtype.newbyteorder("=") not in _KNOWN:
        x = x.astype(np.float64)
    return Rows.from_dense(np.ascontiguousarray(x, dtype=x.dtype.newbyteorder("=")), threads=threads)


def _from_sparse(x: Any) -> Rows:
    if x.ndim != 2:
        raise ValueError(f"expected a 2-dimensional matrix, got one of shape {x.shape}")
    if np.issubdtype(x.dtype, np.complexfloating):
        raise ValueError(f"complex data are not supported: the matrix is of type {x.dtype}")
    rows, cols = x.shape
    if cols > np.iinfo(np.int32).max:
        raise ValueError(f"{cols} columns are more than the {np.iinfo(np.int32).max} that fit")
    csr = x.tocsr()
    if not csr.has_canonical_format:
        csr = csr.copy()
        csr.sum_duplicates()
    return Rows.from_csr(
        np.ascontiguousarray(csr.data, dtype=np.float32),
        np.ascontiguousarray(csr.indices, dtype=np.int32),
        np.ascontiguousarray(csr.indptr, dtype=np.int64),
        cols,
    )


def to_csr(rows: Rows, dtype: Any = np.float32) -> Any:
    """Native rows as ``scipy.sparse.csr_matrix``."""
    from scipy.sparse import csr_matrix

    data, indices, indptr = rows.to_csr()
    if indptr[-1] <= np.iinfo(np.int32).max:
        indptr = indptr.astype(np.int32)
    matrix = csr_matrix((data.astype(dtype, copy=False), indices, indptr), shape=rows.shape)
    # The library's rows are: this spares SciPy from looking.
    matrix.has_sorted_indices = True
    matrix.has_canonical_format = True
    return matrix
