//! See `targets::request`.
#![no_main]

use std::sync::LazyLock;

use beaconry_fuzz::targets::{Running, request};

static RUNNING: LazyLock<Running> = LazyLock::new(Running::default);

libfuzzer_sys::fuzz_target!(|data: &[u8]| request(&RUNNING, data));
