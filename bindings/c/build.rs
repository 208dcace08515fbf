//! Names the shared library for the dynamic linker: programs that were linked with one ABI load no other.

fn main() {
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libcomptoir.so.1");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
