//! Files: read with their prefix first, replaced as a whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::{IoError, prefix};

/// The bytes of the file at `path`. Its prefix is checked before the rest is read.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, IoError> {
    let mut file = File::open(path).map_err(refused("open", path))?;
    let mut bytes = Vec::new();
    (&file).take(prefix::LEN as u64).read_to_end(&mut bytes).map_err(refused("read", path))?;
    prefix::check(&bytes).map_err(IoError::in_file(path))?;
    file.read_to_end(&mut bytes).map_err(refused("read", path))?;
    Ok(bytes)
}

/// Makes `bytes` the content of the file at `path`. Until they are on the disk completely, the file is as it was; they
/// are written to a temporary file in the same folder, which then takes the file's place.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), IoError> {
    let (target, old) = target(path)?;
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".mlp-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // What any new file gets: the umask is taken off.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut temporary =
        builder.tempfile_in(folder).map_err(|error| refused("create a file in", folder)(error.kind().into()))?;
    let file = temporary.as_file_mut();
    if let Some(old) = old {
        // Before there is anything to read.
        file.set_permissions(old.permissions()).map_err(refused("keep the permissions of", path))?;
    }
    file.write_all(bytes).map_err(refused("write", path))?;
    file.sync_all().map_err(refused("write", path))?;
    temporary.persist(&target).map_err(|error| refused("replace", path)(error.error))?;
    // The new file is in its place. Whether it still is after a power cut is the folder's to remember; not every system
    // can be asked to see to that, and if it cannot, the old file comes back.
    #[cfg(unix)]
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// The file to replace, behind any symbolic links, and what is known of it if it exists.
fn target(path: &Path) -> Result<(PathBuf, Option<fs::Metadata>), IoError> {
    let invalid = |reason| refused("save to", path)(io::Error::new(io::ErrorKind::InvalidInput, reason));
    if path.file_name().is_none() {
        return Err(invalid("the path does not end in a file name"));
    }
    match fs::metadata(path) {
        Ok(old) if old.is_dir() => Err(invalid("it is a folder; add a file name")),
        // A device or a pipe would be replaced by a file.
        Ok(old) if !old.is_file() => Err(invalid("it is not an ordinary file")),
        Ok(old) if old.permissions().readonly() => {
            Err(refused("replace", path)(io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only")))
        }
        Ok(old) => Ok((fs::canonicalize(path).map_err(refused("find", path))?, Some(old))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((behind_links(path), None)),
        Err(error) => Err(refused("save to", path)(error)),
    }
}

/// Where `path` leads if there is no file yet: it may be a link to one that is still to be made. That links do not go
/// round in circles the system has found out before.
fn behind_links(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    while let Ok(next) = fs::read_link(&path) {
        // What it says is meant from its own folder; an absolute path is taken as it is.
        path = path.with_file_name("").join(next);
    }
    path
}

fn refused(action: &'static str, path: &Path) -> impl Fn(io::Error) -> IoError {
    move |source| IoError::File { action, path: path.to_owned(), source }
}
