//! `beaconry plan` and `beaconry apply`: definitions as code, shown and made, on the data folder or on a server.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use beaconry_model::plan::Wanted;
use beaconry_store::{Plan, Planned};

use super::Context;
use super::error::CliError;
use super::output::{json_value, line, toml_file};
use super::remote::Remote;
use super::snippet;

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// The folder of TOML files, one an event; folders in it too.
    dir: PathBuf,
    #[command(flatten)]
    remote: Remote,
}

/// A definition, and the file that says it.
type File = (PathBuf, Wanted);

impl Apply {
    /// Shows what making the files would change. A file that cannot be made is a refusal, so that scripts notice.
    pub(crate) fn plan(self, context: &Context) -> Result<(), CliError> {
        let files = read(&self.dir)?;
        let wanted = wanted(&files);
        let plan = match self.remote.server()? {
            Some(server) => server.post("/v1/definitions/plan", &wanted)?,
            None => context.registry()?.plan(&wanted, context.clock.now())?,
        };
        show(context, &files, &plan, false)
    }

    /// Makes the files: all of them, or none.
    pub(crate) fn apply(self, context: &Context) -> Result<(), CliError> {
        let files = read(&self.dir)?;
        let wanted = wanted(&files);
        let plan = match self.remote.server()? {
            Some(server) => server.post("/v1/definitions/apply", &wanted)?,
            None => here(context, &wanted)?,
        };
        show(context, &files, &plan, true)
    }
}

fn here(context: &Context, wanted: &[Wanted]) -> Result<Plan, CliError> {
    let mut registry = context.registry()?;
    let plan = registry.apply(wanted, "command line", context.clock.now())?;
    let snapshot = registry.snapshot()?;
    for planned in plan.events.iter().filter(|planned| !planned.steps.is_empty()) {
        if let Some(discriminator) = &planned.discriminator {
            snippet::publish(context, snapshot.event(discriminator)?)?;
        }
    }
    Ok(plan)
}

fn wanted(files: &[File]) -> Vec<Wanted> {
    files.iter().map(|(_, wanted)| wanted.clone()).collect()
}

/// Every TOML file of the folder, in the order of their paths.
fn read(dir: &Path) -> Result<Vec<File>, CliError> {
    let mut paths = Vec::new();
    find(dir, 0, &mut paths)?;
    paths.sort();
    if paths.is_empty() {
        let why = "expected TOML files that define events, one each, got none".to_owned();
        return Err(CliError::File { path: dir.to_owned(), why });
    }
    paths.into_iter().map(|path| Ok((path.clone(), toml_file(&path)?))).collect()
}

fn find(dir: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> Result<(), CliError> {
    const DEEPEST: usize = 8;
    let failed = || CliError::io(dir.display().to_string());
    for entry in fs::read_dir(dir).map_err(failed())? {
        let path = entry.map_err(failed())?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_dir() && depth < DEEPEST && !hidden {
            find(&path, depth + 1, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    Ok(())
}

fn show(context: &Context, files: &[File], plan: &Plan, made: bool) -> Result<(), CliError> {
    if context.json {
        json_value(plan);
    } else {
        for ((path, _), planned) in files.iter().zip(&plan.events) {
            show_one(path, planned);
        }
        for unlisted in &plan.unlisted {
            line(&format!(
                "  {unlisted}: no file; it stays as it is (an event is never hidden by this)"
            ));
        }
        line(&ending(plan, made));
    }
    let refused: Vec<String> = files
        .iter()
        .zip(&plan.events)
        .filter_map(|((path, _), planned)| {
            Some(format!("{}: {}", path.display(), planned.refused.as_ref()?))
        })
        .collect();
    if refused.is_empty() { Ok(()) } else { Err(CliError::Planned(refused)) }
}

fn show_one(path: &Path, planned: &Planned) {
    let mark = match planned {
        Planned { refused: Some(_), .. } => "!",
        Planned { steps, .. } if steps.is_empty() => " ",
        Planned { steps, .. } if steps[0].what == "create" => "+",
        _ => "~",
    };
    let unchanged = planned.steps.is_empty() && planned.refused.is_none();
    let state = if unchanged { ": as it is" } else { "" };
    line(&format!("{mark} {}  {}{state}", planned.name, path.display()));
    for step in &planned.steps {
        line(&format!("    {step}"));
    }
    if let Some(why) = &planned.refused {
        line(&format!("    refused: {why}"));
    }
}

fn ending(plan: &Plan, made: bool) -> String {
    let changed = plan.events.iter().filter(|planned| !planned.steps.is_empty()).count();
    match (plan.refused(), changed, made) {
        (true, _, _) => "\nNothing was changed, because something is refused.".to_owned(),
        (false, 0, _) => "\nNothing to do.".to_owned(),
        (false, changed, true) => format!("\n{changed} changed."),
        (false, changed, false) => format!("\n{changed} to change; make it with `beaconry apply`."),
    }
}
