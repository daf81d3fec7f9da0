//! See `targets::request`.
#![no_main]

use beaconry_fuzz::targets::request;

libfuzzer_sys::fuzz_target!(|data: &[u8]| request(data));
