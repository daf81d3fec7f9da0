//! Processes that live under another clock, by libfaketime.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// What has to be preloaded into a process whose clock is not the system's: what `faketime` sets for the commands it runs.
/// It is not run around them, because it would stand between a test and the process that the test has to kill.
pub fn faketime_library() -> &'static str {
    static LIBRARY: OnceLock<String> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        // Each run makes shared memory named by its process, and fails where a killed process of that number left some.
        let mut failed = String::new();
        for _ in 0..100 {
            let listed = Command::new("faketime").args(["-f", "+0", "env"]).output();
            let listed = listed.expect("faketime is installed by `make test`");
            let text = String::from_utf8_lossy(&listed.stdout);
            if let Some(library) = text.lines().find_map(|line| line.strip_prefix("LD_PRELOAD=")) {
                return library.to_owned();
            }
            failed = String::from_utf8_lossy(&listed.stderr).into_owned();
        }
        panic!("faketime names no library: {failed}")
    })
}

/// Lets a command see a clock shifted by so many minutes.
pub(crate) fn shift(command: &mut Command, minutes: i64) {
    if minutes != 0 {
        command.env("LD_PRELOAD", faketime_library()).env("FAKETIME", format!("{minutes:+}m"));
    }
}

/// Removes what libfaketime shares between a process and its children, which one that was killed leaves behind.
pub(crate) fn tidy(process: u32) {
    let shared = Path::new("/dev/shm");
    for name in ["faketime_shm_", "sem.faketime_sem_"] {
        let _ = std::fs::remove_file(shared.join(format!("{name}{process}")));
    }
}
