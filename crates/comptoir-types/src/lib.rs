//! What all comptoir cores share.
#![forbid(unsafe_code)]
