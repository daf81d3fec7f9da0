//! What a benchmark measured, as its section of `BENCHMARKS.md`: between marks, so that each run replaces the one before it.

use std::time::SystemTime;

use beaconry_model::time::Timestamp;

const FILE: &str = "BENCHMARKS.md";

/// The section of one command.
#[derive(Debug)]
pub struct Section {
    begin: String,
    end: String,
    /// Everything between the marks.
    pub text: String,
}

impl Section {
    /// An empty section of the command that `make` knows by this name.
    pub fn of(command: &str) -> Section {
        Section {
            begin: format!("<!-- {command} -->"),
            end: format!("<!-- /{command} -->"),
            text: String::new(),
        }
    }

    /// Prints it, and where that is wished puts it into the file: in place of the one before it, or at the end.
    pub fn publish(&self, write: bool) -> Result<(), String> {
        println!("{}", self.text.trim());
        if !write {
            return Ok(());
        }
        let said = |error: std::io::Error| format!("{FILE}: {error}");
        let file = std::fs::read_to_string(FILE).map_err(said)?;
        std::fs::write(FILE, self.placed(&file)).map_err(said)
    }

    fn placed(&self, file: &str) -> String {
        let section = format!("{}\n{}\n{}", self.begin, self.text.trim(), self.end);
        match (file.find(&self.begin), file.find(&self.end)) {
            (Some(begin), Some(end)) => {
                format!("{}{section}{}", &file[..begin], &file[end + self.end.len()..])
            }
            _ => format!("{}\n\n{section}\n", file.trim_end()),
        }
    }
}

/// "on" what day, with how many processors, and how busy they were, as each section begins: "on 2026-11-28, 2 CPUs, load 0.12".
pub fn circumstances() -> String {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    format!("on {}, {cpus} CPUs, load {}", today(), load())
}

/// The load over the last minute, as the system says it.
pub fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").to_owned()
}

/// The day, in UTC.
pub fn today() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(since.as_millis() as i64).to_string().chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::Section;

    #[test]
    fn a_section_replaces_the_one_before_it_and_nothing_else() {
        let mut section = Section::of("bench-it");
        section.text = "## It\n\nfast\n".to_owned();
        let first = section.placed("# Benchmarks\n");
        assert_eq!(first, "# Benchmarks\n\n<!-- bench-it -->\n## It\n\nfast\n<!-- /bench-it -->\n");
        section.text = "## It\n\nfaster\n".to_owned();
        let second = section.placed(&format!("{first}\n## By hand\n"));
        assert_eq!(second, format!("{}\n## By hand\n", first.replace("fast", "faster")));
    }
}
