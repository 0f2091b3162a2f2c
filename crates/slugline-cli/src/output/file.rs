//! Results in a file.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Sees to it that a file can be written, before minutes are spent on what it is to hold.
pub(crate) fn check_target(path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder.filter(|folder| !folder.is_dir()) {
        _ if path.is_dir() => {
            Err(Failure::Other(format!("cannot write to {shown}, which is a folder; name a file")))
        }
        Some(folder) => Err(Failure::Other(format!(
            "cannot write to {shown}: there is no folder {}; make it first",
            folder.display()
        ))),
        None => Ok(()),
    }
}

/// Sees to it that a result does not replace what it is made of. Each of `inputs` comes with what it is,
/// such as `the data`; it may be a file, a folder or a pattern, as commands take them.
pub(crate) fn check_not_read<'a>(
    target: &Path,
    inputs: impl IntoIterator<Item = (&'static str, &'a Path)>,
) -> Result<(), Failure> {
    // A terminal or a pipe may be read and written.
    if !target.is_file() && !target.is_dir() {
        return Ok(());
    }
    let place = place(target);
    match inputs.into_iter().find(|(_, input)| is_read(&place, input)) {
        None => Ok(()),
        Some((what, _)) => {
            let (shown, other) =
                (target.display(), if target.is_dir() { "folder" } else { "file" });
            Err(Failure::Other(format!(
                "cannot write to {shown}, which is {what} that is read; name another {other}"
            )))
        }
    }
}

/// Whether two paths lead to the same place, of which nothing needs to be there yet.
pub(crate) fn same_place(one: &Path, other: &Path) -> bool {
    place(one) == place(other)
}

/// Whether a place is, or lies in, an input that is named.
fn is_read(target: &Path, input: &Path) -> bool {
    if input.exists() {
        return target.starts_with(place(input));
    }
    let found = input.to_str().and_then(|pattern| glob::glob(pattern).ok());
    found.into_iter().flatten().flatten().any(|path| is_read(target, &path))
}

/// The path without links, as far as it is there.
fn place(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        match (absolute.parent().map(fs::canonicalize), absolute.file_name()) {
            (Some(Ok(folder)), Some(name)) => folder.join(name),
            _ => absolute,
        }
    })
}

/// Writes a result to a file, replacing what is there.
pub(crate) fn to_file(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let failed = |source| Failure::File { action: "write", path: path.to_owned(), source };
    let mut file = BufWriter::new(File::create(path).map_err(failed)?);
    match write(&mut file) {
        Err(Failure::Output(source)) => return Err(failed(source)),
        other => other?,
    }
    file.flush().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("corpus/pos")).unwrap();
        for file in ["two.csv", "other.csv", "corpus/pos/1.txt"] {
            fs::write(at(file), "").unwrap();
        }
        let check = |target: &str, input: &str| {
            let inputs = [("the model", at("m.slug")), ("the data", at(input))];
            let inputs = inputs.iter().map(|(what, path)| (*what, path.as_path()));
            check_not_read(&at(target), inputs).map_err(|error| error.to_string())
        };
        let error = check("two.csv", "corpus/../two.csv").unwrap_err();
        assert!(error.starts_with("cannot write to "), "{error}");
        assert!(
            error.ends_with("two.csv, which is the data that is read; name another file"),
            "{error}"
        );
        assert!(check("two.csv", "t*.csv").is_err());
        assert!(check("corpus", "corpus").unwrap_err().ends_with("name another folder"));
        assert!(check("corpus/pos/1.txt", "corpus").is_err());
        for (target, input) in [
            ("two.csv", "other.csv"),
            ("two.csv", "o*.csv"),
            ("new.csv", "*.csv"),
            ("corpus/pos/2.txt", "corpus"),
            ("new.csv", "new.csv"),
        ] {
            assert_eq!(check(target, input), Ok(()), "{target} of {input}");
        }
        assert!(same_place(&at("corpus/../new"), &at("new")));
        assert!(!same_place(&at("new"), &at("two.csv")));
    }

    #[test]
    #[cfg(unix)]
    fn a_link_to_what_is_read_is_not_written_and_a_device_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("two.csv"), folder.path().join("link"));
        fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(check_not_read(&link, [("the data", file.as_path())]).is_err());
        let null = Path::new("/dev/null");
        assert!(check_not_read(null, [("the data", null)]).is_ok());
    }
}
