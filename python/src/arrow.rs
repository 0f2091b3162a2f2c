//! Columns of text by the Arrow `PyCapsule` interface, without a copy: from polars, pandas, pyarrow and
//! whatever else speaks it.

use std::ffi::CStr;

use arrow_array::cast::AsArray;
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use arrow_array::ffi_stream::{ArrayStreamReader, FFI_ArrowArrayStream};
use arrow_array::types::{
    ArrowDictionaryKeyType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, make_array};
use arrow_schema::{ArrowError, DataType};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

/// The arrays of an object that speaks Arrow; `None` for any other.
pub(crate) fn arrays(object: &Bound<'_, PyAny>) -> PyResult<Option<Vec<ArrayRef>>> {
    if object.hasattr("__arrow_c_stream__")? {
        let capsule = object.call_method0("__arrow_c_stream__")?;
        return Ok(Some(stream(capsule.cast::<PyCapsule>()?)?));
    }
    if object.hasattr("__arrow_c_array__")? {
        let pair = object.call_method0("__arrow_c_array__")?;
        let pair = pair.cast::<PyTuple>()?;
        let (schema, array) = (pair.get_item(0)?, pair.get_item(1)?);
        return Ok(Some(vec![single(schema.cast()?, array.cast()?)?]));
    }
    Ok(None)
}

fn refused(error: &ArrowError) -> PyErr {
    PyValueError::new_err(format!("the Arrow data cannot be read: {error}"))
}

/// The address that a capsule of this name holds.
fn address<T>(capsule: &Bound<'_, PyCapsule>, name: &CStr) -> PyResult<*mut T> {
    Ok(capsule.pointer_checked(Some(name))?.as_ptr().cast())
}

/// Takes one array out of its capsules.
#[allow(unsafe_code)]
fn single(schema: &Bound<'_, PyCapsule>, array: &Bound<'_, PyCapsule>) -> PyResult<ArrayRef> {
    let schema = address::<FFI_ArrowSchema>(schema, c"arrow_schema")?;
    let array = address::<FFI_ArrowArray>(array, c"arrow_array")?;
    // SAFETY: capsules of these names hold such structures by the Arrow PyCapsule interface; the array is
    // moved out, which leaves a released one behind, and the schema is only read while its capsule lives.
    let data = unsafe { from_ffi(FFI_ArrowArray::from_raw(array), &*schema) };
    checked(data.map(make_array))
}

/// Takes all arrays out of a stream.
#[allow(unsafe_code)]
fn stream(capsule: &Bound<'_, PyCapsule>) -> PyResult<Vec<ArrayRef>> {
    let pointer = address::<FFI_ArrowArrayStream>(capsule, c"arrow_array_stream")?;
    // SAFETY: a capsule of this name holds such a structure by the Arrow PyCapsule interface; it is moved
    // out, which leaves a released one behind.
    let reader = unsafe { ArrayStreamReader::from_raw(pointer) };
    reader.map_err(|e| refused(&e))?.map(checked).collect()
}

/// An array whose text is sure to be text.
fn checked(array: Result<ArrayRef, ArrowError>) -> PyResult<ArrayRef> {
    let array = array.map_err(|e| refused(&e))?;
    array.to_data().validate_full().map_err(|e| refused(&e))?;
    Ok(array)
}

/// Calls `push` with every text of an array, `None` for a missing one.
pub(crate) fn each_text<'a>(
    array: &'a dyn Array,
    push: &mut dyn FnMut(Option<&'a str>) -> PyResult<()>,
) -> PyResult<()> {
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().iter().try_for_each(push),
        DataType::LargeUtf8 => array.as_string::<i64>().iter().try_for_each(push),
        DataType::Utf8View => array.as_string_view().iter().try_for_each(push),
        DataType::Null => (0..array.len()).try_for_each(|_| push(None)),
        DataType::Dictionary(key, _) => match **key {
            DataType::Int8 => each_chosen::<Int8Type>(array, push),
            DataType::Int16 => each_chosen::<Int16Type>(array, push),
            DataType::Int32 => each_chosen::<Int32Type>(array, push),
            DataType::Int64 => each_chosen::<Int64Type>(array, push),
            DataType::UInt8 => each_chosen::<UInt8Type>(array, push),
            DataType::UInt16 => each_chosen::<UInt16Type>(array, push),
            DataType::UInt32 => each_chosen::<UInt32Type>(array, push),
            _ => each_chosen::<UInt64Type>(array, push),
        },
        DataType::Struct(fields) => {
            let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
            Err(PyTypeError::new_err(format!(
                "expected a column of texts, got a table with the columns {}; give one of them",
                names.join(", ")
            )))
        }
        other => Err(PyTypeError::new_err(format!("expected a column of texts, got {other}"))),
    }
}

/// [`each_text`] where texts are numbered.
fn each_chosen<'a, K: ArrowDictionaryKeyType>(
    array: &'a dyn Array,
    push: &mut dyn FnMut(Option<&'a str>) -> PyResult<()>,
) -> PyResult<()> {
    let array = array.as_dictionary::<K>();
    let mut values = Vec::with_capacity(array.values().len());
    each_text(array.values().as_ref(), &mut |value| {
        values.push(value);
        Ok(())
    })?;
    for i in 0..array.len() {
        push(array.key(i).and_then(|key| values.get(key).copied().flatten()))?;
    }
    Ok(())
}
