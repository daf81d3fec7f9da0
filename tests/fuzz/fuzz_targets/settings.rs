//! See `targets::settings`.
#![no_main]

use beaconry_fuzz::targets::settings;

libfuzzer_sys::fuzz_target!(|data: &[u8]| settings(data));
