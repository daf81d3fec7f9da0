//! What the kernel says of a server's processes: processor time and memory.

use std::fs;
use std::path::Path;

/// Clock ticks a second in `/proc` (`USER_HZ`, which Linux fixes at 100).
const TICKS: f64 = 100.0;

/// Processor seconds, user and system, that a process and its children have taken.
pub(crate) fn cpu_seconds(process: u32) -> f64 {
    family(process).into_iter().filter_map(cpu).sum()
}

/// The most memory a process and its children ever had at once, in bytes, each by itself.
pub(crate) fn peak_bytes(process: u32) -> u64 {
    family(process).into_iter().filter_map(peak).sum()
}

fn cpu(process: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name may hold anything, so what follows its bracket counts: fields 14 and 15 of proc(5) are 12 and 13 there.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS)
}

fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1_024)
}

fn family(process: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let children = children.unwrap_or_default();
    let children = children.split_whitespace().filter_map(|child| child.parse().ok());
    std::iter::once(process).chain(children).collect()
}

/// Bytes of a folder's files.
pub(crate) fn folder_bytes(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
}
