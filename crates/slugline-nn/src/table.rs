//! The large tables of training: weights and the optimizer's memory, read at rows all over them.

use std::fmt;
use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;

use crate::buffer::Aligned;

/// Bytes from which a table gets pages of its own.
const LARGE: usize = 4 << 20;

/// Numbers of fixed count, 0 at first.
///
/// A large table asks the system for huge pages: with small ones, almost every row of it would need
/// an entry of the page tables that is in no cache. Where the system has none to give, it is an
/// ordinary table.
pub(crate) struct Table(Storage);

enum Storage {
    Heap(Aligned<f32>),
    Pages(MmapMut),
}

impl Table {
    pub(crate) fn zeros(len: usize) -> Self {
        let bytes = len * size_of::<f32>();
        if bytes >= LARGE
            && let Ok(pages) = MmapMut::map_anon(bytes)
        {
            // Advice that is not taken changes the speed alone.
            #[cfg(target_os = "linux")]
            let _ = pages.advise(memmap2::Advice::HugePage);
            return Self(Storage::Pages(pages));
        }
        let mut heap = Aligned::new(0);
        heap.resize(len, 0.0);
        Self(Storage::Heap(heap))
    }

    pub(crate) fn filled(len: usize, value: f32) -> Self {
        let mut table = Self::zeros(len);
        // Pages that hold zeros need not be touched.
        if value != 0.0 {
            table.fill(value);
        }
        table
    }
}

impl Default for Table {
    fn default() -> Self {
        Self::zeros(0)
    }
}

impl Deref for Table {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &self.0 {
            Storage::Heap(heap) => heap,
            Storage::Pages(pages) => bytemuck::cast_slice(pages),
        }
    }
}

impl DerefMut for Table {
    fn deref_mut(&mut self) -> &mut [f32] {
        match &mut self.0 {
            Storage::Heap(heap) => heap,
            Storage::Pages(pages) => bytemuck::cast_slice_mut(pages),
        }
    }
}

impl Clone for Table {
    fn clone(&self) -> Self {
        let mut copy = Self::zeros(self.len());
        copy.copy_from_slice(self);
        copy
    }
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table({} elements)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_tables_hold_what_is_put_into_them() {
        for len in [0, 5, LARGE / 4 - 1, LARGE / 4, LARGE + 3] {
            let mut table = Table::zeros(len);
            assert_eq!((table.len(), table.iter().filter(|v| **v != 0.0).count()), (len, 0));
            if let Some(last) = table.last_mut() {
                *last = 2.5;
                assert_ne!(table, Table::zeros(len));
            }
            assert_eq!(table.clone(), table);
            assert!(Table::filled(len, 0.5).iter().all(|v| *v == 0.5));
        }
    }
}
