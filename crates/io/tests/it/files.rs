//! Files and folders: what is there stays until something better is.

use std::fs;
use std::path::Path;

use mlp_io::{FormatError, IoError, SavedModel, inspect};

use crate::common::{bits, changed, full_model, tiny_model};

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}

fn failed(error: IoError) -> (&'static str, String) {
    let message = error.to_string();
    match error {
        IoError::File { action, path, .. } => {
            assert!(message.starts_with(&format!("cannot {action} {}: ", path.display())), "{message}");
            (action, message)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_is_written_replaced_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.mlp");
    tiny_model().save(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), tiny_model().to_bytes().unwrap());
    let model = full_model::<f32>();
    model.save(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), model.to_bytes().unwrap());
    assert_eq!(bits(&SavedModel::<f32>::load(&path).unwrap()), bits(&model));
    assert_eq!(inspect(&path).unwrap().output, model.output);
    assert_eq!(names(folder.path()), ["model.mlp"]);
}

#[test]
fn a_model_that_is_not_sound_leaves_the_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.mlp");
    fs::write(&path, "precious").unwrap();
    let model = changed(tiny_model(), |model| model.feature_names = vec!["one too many".to_owned(); 2]);
    let error = model.save(&path).unwrap_err();
    assert!(error.to_string().starts_with(path.to_str().unwrap()), "{error}");
    assert_eq!(error.problem(), Some(&FormatError::FeatureNames { expected: 1, found: 2 }));
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    assert_eq!(names(folder.path()), ["model.mlp"]);
}

#[test]
fn paths_that_cannot_be_saved_to_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let save = |path: &Path| failed(tiny_model().save(path).unwrap_err());
    for path in ["", "..", "/"] {
        assert!(save(Path::new(path)).1.contains("does not end in a file name"), "{path:?}");
    }
    assert!(save(folder.path()).1.contains("it is a folder; add a file name"));
    let (action, message) = save(&folder.path().join("missing/model.mlp"));
    assert_eq!(action, "create a file in");
    assert!(message.contains("missing: ") && message.ends_with("; check the path"), "{message}");
    let file = folder.path().join("file");
    fs::write(&file, "precious").unwrap();
    assert_eq!(save(&file.join("model.mlp")).0, "save to");
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn files_that_cannot_be_loaded_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let load = |path: &Path| SavedModel::<f32>::load(path).unwrap_err();
    let (action, message) = failed(load(&folder.path().join("missing.mlp")));
    assert_eq!(action, "open");
    assert!(message.ends_with("; check the path"), "{message}");
    assert!(matches!(load(folder.path()), IoError::File { .. }));
    for (content, expected) in [
        (&b""[..], FormatError::Empty),
        (b"\x94\xa9mlp", FormatError::Truncated { size: 5 }),
        (b"PK\x03\x04, and more than a prefix", FormatError::NotAModel { start: b"PK\x03\x04, an".to_vec() }),
    ] {
        let path = folder.path().join("foreign.mlp");
        fs::write(&path, content).unwrap();
        for error in [load(&path), inspect(&path).unwrap_err()] {
            assert_eq!(error.problem(), Some(&expected));
            assert!(error.to_string().starts_with(&format!("{}: ", path.display())), "{error}");
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
    use std::process::Command;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_new_file_is_as_open_as_any_other_and_an_old_one_stays_as_closed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("model.mlp"), folder.path().join("other"));
        tiny_model().save(&path).unwrap();
        fs::write(&other, "").unwrap();
        assert_eq!(mode(&path), mode(&other));
        for bits in [0o600, 0o640, 0o664] {
            fs::set_permissions(&path, fs::Permissions::from_mode(bits)).unwrap();
            tiny_model().save(&path).unwrap();
            assert_eq!(mode(&path), bits);
        }
    }

    #[test]
    fn a_read_only_file_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.mlp");
        fs::write(&path, "precious").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        let (action, message) = failed(tiny_model().save(&path).unwrap_err());
        assert_eq!(action, "replace");
        assert!(message.contains("it is read-only; check the permissions"), "{message}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        assert_eq!(names(folder.path()), ["model.mlp"]);
    }

    #[test]
    fn a_symbolic_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("model-3.mlp"), folder.path().join("newest.mlp"));
        fs::write(&path, "old").unwrap();
        symlink("model-3.mlp", &link).unwrap();
        tiny_model().save(&link).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&path).unwrap(), tiny_model().to_bytes().unwrap());
    }

    /// A link may be made before the file that it leads to, by others on the way.
    #[test]
    fn a_link_to_where_there_is_no_file_yet_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("models");
        fs::create_dir(&below).unwrap();
        let (link, next) = (folder.path().join("newest.mlp"), below.join("next.mlp"));
        symlink("models/next.mlp", &link).unwrap();
        symlink("first.mlp", &next).unwrap();
        tiny_model().save(&link).unwrap();
        assert!([&link, &next].iter().all(|link| fs::symlink_metadata(link).unwrap().is_symlink()));
        assert_eq!(fs::read(below.join("first.mlp")).unwrap(), tiny_model().to_bytes().unwrap());
        assert_eq!(names(&below), ["first.mlp", "next.mlp"]);
        // One that leads round in circles, and one into no folder at all, leave things as they are.
        symlink("b", folder.path().join("a")).unwrap();
        symlink("a", folder.path().join("b")).unwrap();
        assert_eq!(failed(tiny_model().save(folder.path().join("a")).unwrap_err()).0, "save to");
        symlink(folder.path().join("missing/model.mlp"), folder.path().join("c")).unwrap();
        assert_eq!(failed(tiny_model().save(folder.path().join("c")).unwrap_err()).0, "create a file in");
        assert_eq!(names(folder.path()), ["a", "b", "c", "models", "newest.mlp"]);
    }

    #[test]
    fn devices_are_neither_replaced_nor_read_to_their_end() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let (action, message) = failed(tiny_model().save(&socket).unwrap_err());
        assert_eq!(action, "save to");
        assert!(message.contains("not an ordinary file"), "{message}");
        assert!(fs::metadata(&socket).unwrap().file_type().is_socket());
        let error = SavedModel::<f32>::load("/dev/zero").unwrap_err();
        assert_eq!(error.problem(), Some(&FormatError::NotAModel { start: vec![0; 8] }));
    }

    /// Saves a model of several kilobytes. Other tests run this in a process of its own and say in the environment where
    /// to; by itself it saves to a folder of its own.
    #[test]
    fn saves_for_another_test() {
        let Ok(path) = std::env::var("MLP_IO_TEST_SAVE_TO") else {
            let folder = tempfile::tempdir().unwrap();
            full_model::<f64>().save(folder.path().join("model.mlp")).unwrap();
            assert!(fs::metadata(folder.path().join("model.mlp")).unwrap().len() > 1024);
            return;
        };
        match full_model::<f64>().save(path) {
            Ok(()) => println!("saved"),
            Err(error) => println!("refused: {error}"),
        }
    }

    /// What `saves_for_another_test` prints when a shell has run `setup` in `folder` first.
    fn save_in_a_shell(setup: &str, folder: &Path, path: &str) -> String {
        let output = Command::new("sh")
            .args(["-c", &format!("{setup}; exec \"$0\" \"$@\"")])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "files::unix::saves_for_another_test", "--nocapture"])
            .env("MLP_IO_TEST_SAVE_TO", path)
            .current_dir(folder)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn a_path_without_a_folder_is_in_the_current_one() {
        let folder = tempfile::tempdir().unwrap();
        let printed = save_in_a_shell("umask 027", folder.path(), "model.mlp");
        assert!(printed.contains("saved"), "{printed}");
        assert_eq!(names(folder.path()), ["model.mlp"]);
        assert_eq!(mode(&folder.path().join("model.mlp")), 0o640);
    }

    /// A limit on the size of files stands for a full disk: the first bytes can be written, the rest cannot.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.mlp");
        for old in [None, Some("precious")] {
            old.inspect(|old| fs::write(&path, old).unwrap());
            let printed = save_in_a_shell("trap '' XFSZ; ulimit -f 1", folder.path(), path.to_str().unwrap());
            let expected = format!("refused: cannot write {}: ", path.display());
            assert!(printed.contains(&expected) && printed.contains("; make room and save again"), "{printed}");
            assert_eq!(fs::read_to_string(&path).ok().as_deref(), old);
            assert_eq!(names(folder.path()).len(), usize::from(old.is_some()));
        }
    }
}
