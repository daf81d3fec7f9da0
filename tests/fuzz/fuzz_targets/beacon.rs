//! See `targets::beacon`.
#![no_main]

use beaconry_fuzz::targets::beacon;

libfuzzer_sys::fuzz_target!(|data: &[u8]| beacon(data));
