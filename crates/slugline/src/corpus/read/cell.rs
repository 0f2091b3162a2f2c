//! Values of typed columns, as JSON has them.

use std::str;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, Date32Type, Date64Type, Float16Type, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, DictionaryArray};
use arrow_schema::{DataType, TimeUnit};
use serde_json::{Map, Value};

/// Whether a column of this type holds texts.
pub(super) fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, values) => is_text(values),
        // Some writers do not say that their bytes are text.
        other => matches!(
            other,
            DataType::Utf8
                | DataType::LargeUtf8
                | DataType::Utf8View
                | DataType::Binary
                | DataType::LargeBinary
                | DataType::BinaryView
                | DataType::Null
        ),
    }
}

/// The element type of a column of lists.
pub(super) fn list_of(kind: &DataType) -> Option<&DataType> {
    match kind {
        DataType::List(of) | DataType::LargeList(of) | DataType::FixedSizeList(of, _) => {
            Some(of.data_type())
        }
        _ => None,
    }
}

/// The value in a row: texts, numbers, booleans, dates as ISO 8601; lists as arrays, structs and maps as
/// objects without the names whose value is missing.
///
/// # Errors
/// What is wrong, for a type that has no such form.
pub(super) fn value(column: &dyn Array, row: usize) -> Result<Value, String> {
    if row >= column.len() {
        return Err(format!("the column has {} rows", column.len()));
    }
    if column.is_null(row) {
        return Ok(Value::Null);
    }
    macro_rules! number {
        ($kind:ty) => {
            Ok(Value::from(column.as_primitive::<$kind>().value(row)))
        };
    }
    macro_rules! date {
        ($kind:ty, $read:ident) => {{
            let date = column.as_primitive::<$kind>().$read(row);
            Ok(date.map_or(Value::Null, |date| Value::from(format!("{date:?}"))))
        }};
    }
    match column.data_type() {
        DataType::Null => Ok(Value::Null),
        DataType::Utf8 => Ok(column.as_string::<i32>().value(row).into()),
        DataType::LargeUtf8 => Ok(column.as_string::<i64>().value(row).into()),
        DataType::Utf8View => Ok(column.as_string_view().value(row).into()),
        DataType::Binary => text(column.as_binary::<i32>().value(row)),
        DataType::LargeBinary => text(column.as_binary::<i64>().value(row)),
        DataType::BinaryView => text(column.as_binary_view().value(row)),
        DataType::Boolean => Ok(column.as_boolean().value(row).into()),
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float16 => Ok(shortest(column.as_primitive::<Float16Type>().value(row).to_f32())),
        DataType::Float32 => Ok(shortest(column.as_primitive::<Float32Type>().value(row))),
        DataType::Float64 => number!(Float64Type),
        DataType::Date32 => date!(Date32Type, value_as_date),
        DataType::Date64 => date!(Date64Type, value_as_date),
        DataType::Timestamp(TimeUnit::Second, _) => date!(TimestampSecondType, value_as_datetime),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            date!(TimestampMillisecondType, value_as_datetime)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            date!(TimestampMicrosecondType, value_as_datetime)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            date!(TimestampNanosecondType, value_as_datetime)
        }
        DataType::Dictionary(key, _) => match **key {
            DataType::Int8 => entry::<Int8Type>(column.as_dictionary(), row),
            DataType::Int16 => entry::<Int16Type>(column.as_dictionary(), row),
            DataType::Int32 => entry::<Int32Type>(column.as_dictionary(), row),
            DataType::Int64 => entry::<Int64Type>(column.as_dictionary(), row),
            DataType::UInt8 => entry::<UInt8Type>(column.as_dictionary(), row),
            DataType::UInt16 => entry::<UInt16Type>(column.as_dictionary(), row),
            DataType::UInt32 => entry::<UInt32Type>(column.as_dictionary(), row),
            DataType::UInt64 => entry::<UInt64Type>(column.as_dictionary(), row),
            ref other => Err(format!("dictionaries with keys of type {other} are not read")),
        },
        DataType::List(_) => list(&column.as_list::<i32>().value(row)),
        DataType::LargeList(_) => list(&column.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => list(&column.as_fixed_size_list().value(row)),
        DataType::Struct(fields) => {
            let columns = column.as_struct().columns();
            let mut object = Map::new();
            for (field, column) in fields.iter().zip(columns) {
                match value(column, row)? {
                    Value::Null => {}
                    value => drop(object.insert(field.name().clone(), value)),
                }
            }
            Ok(Value::Object(object))
        }
        DataType::Map(..) => {
            let entries = column.as_map().value(row);
            let [keys, values] = entries.columns() else {
                return Err("a map without keys and values".into());
            };
            let mut object = Map::new();
            for entry in 0..entries.len() {
                let key = match value(keys, entry)? {
                    Value::String(key) => key,
                    key => key.to_string(),
                };
                match value(values, entry)? {
                    Value::Null => {}
                    value => drop(object.insert(key, value)),
                }
            }
            Ok(Value::Object(object))
        }
        other => Err(format!("values of type {other} are not read")),
    }
}

fn entry<K: ArrowDictionaryKeyType>(
    column: &DictionaryArray<K>,
    row: usize,
) -> Result<Value, String> {
    match column.key(row) {
        None => Ok(Value::Null),
        Some(key) => value(column.values(), key),
    }
}

fn list(values: &dyn Array) -> Result<Value, String> {
    (0..values.len()).map(|i| value(values, i)).collect::<Result<_, _>>().map(Value::Array)
}

fn text(bytes: &[u8]) -> Result<Value, String> {
    match str::from_utf8(bytes) {
        Ok(text) => Ok(text.into()),
        Err(e) => Err(format!("the bytes are not UTF-8 at byte {}", e.valid_up_to())),
    }
}

/// A number of single precision by its own digits, not those of the nearest double.
fn shortest(x: f32) -> Value {
    x.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}
