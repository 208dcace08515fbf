//! `include/comptoir.h` is what the source says. `COMPTOIR_UPDATE_HEADER=1 cargo test -p comptoir-c --test header` writes it.

use std::fs;
use std::path::Path;

#[test]
fn the_checked_in_header_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    // Follows the modules from there.
    let builder = cbindgen::Builder::new().with_config(config).with_src(root.join("src/lib.rs"));
    let mut written = Vec::new();
    builder.generate().unwrap().write(&mut written);
    let written = String::from_utf8(written).unwrap().replace("// # Safety\n", "// The caller promises:\n");
    let path = root.join("../../include/comptoir.h");
    if std::env::var_os("COMPTOIR_UPDATE_HEADER").is_some() {
        fs::write(&path, &written).unwrap();
    }
    let known = fs::read_to_string(&path).unwrap_or_default();
    assert!(known == written, "include/comptoir.h is not current; write it with COMPTOIR_UPDATE_HEADER=1");
}
