//! See `targets::definition`.
#![no_main]

use beaconry_fuzz::targets::definition;

libfuzzer_sys::fuzz_target!(|data: &[u8]| definition(data));
