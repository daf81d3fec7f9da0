//! What the tests start from: a data folder with a section and events, and a server on it.

use std::path::Path;

use beaconry_tests::{Server, Session, Site, beaconry, eventually};
use tempfile::TempDir;

/// A server with one section whose site may send beacons.
pub(crate) struct Setting {
    pub(crate) server: Server,
    pub(crate) site: Site,
    pub(crate) folder: TempDir,
    /// An administrator of its console.
    pub(crate) session: Session,
}

impl Setting {
    pub(crate) fn new() -> Setting {
        let folder = tempfile::tempdir().unwrap();
        let site = Site::start();
        run(folder.path(), &["section", "create", "Shop", "--origin", &site.origin]);
        let server = Server::start(folder.path());
        let session = Session::administrator(&server);
        Setting { server, site, folder, session }
    }

    /// An event with these fields, its tracking on; gives its public key.
    pub(crate) fn event(&self, name: &str, fields: &[&str]) -> String {
        create(self.folder.path(), name, fields, None);
        let slug = name.to_lowercase().replace(' ', "-");
        run(self.folder.path(), &["tracking", "enable", &slug]);
        self.key(&slug)
    }

    /// The same, with tracking settings.
    pub(crate) fn event_capturing(&self, name: &str, fields: &[&str], capture: &str) -> String {
        create(self.folder.path(), name, fields, Some(capture));
        let slug = name.to_lowercase().replace(' ', "-");
        run(self.folder.path(), &["tracking", "enable", &slug]);
        self.key(&slug)
    }

    /// An event's public key, once the server knows its tracking is on.
    pub(crate) fn key(&self, slug: &str) -> String {
        let shown = self.server.json(&["event", "show", slug]);
        let page = format!("/events/{}", shown["discriminator"].as_str().unwrap());
        eventually("the server notices what was changed beside it", || {
            self.session.get(&page).text().contains("pinned to version").then_some(())
        });
        shown["key"].as_str().unwrap().to_owned()
    }

    /// The code to paste for an event.
    pub(crate) fn paste(&self, slug: &str) -> String {
        paste(self.folder.path(), slug)
    }
}

/// The code to paste for an event, as the command line gives it.
pub(crate) fn paste(data: &Path, slug: &str) -> String {
    let out = tempfile::tempdir().unwrap();
    let out = out.path().to_str().unwrap();
    let made = beaconry(data, 0, &["snippet", slug, "--out", out, "--json"]).json();
    made["paste"].as_str().unwrap().to_owned()
}

/// Runs a command that must succeed.
#[track_caller]
pub(crate) fn run(data: &Path, arguments: &[&str]) {
    run_ago(data, 0, arguments);
}

/// An event with these fields, and perhaps tracking settings.
pub(crate) fn create(data: &Path, name: &str, fields: &[&str], capture: Option<&str>) {
    let mut arguments =
        vec!["event", "create", "--category", "transactions", "--name", name, "--retention", "2y"];
    fields.iter().for_each(|field| arguments.extend(["--field", field]));
    run(data, &arguments);
    if let Some(capture) = capture {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), capture).unwrap();
        let slug = name.to_lowercase().replace(' ', "-");
        run(data, &["tracking", "set", &slug, "--file", file.path().to_str().unwrap()]);
    }
}

/// Runs a command under a clock that was so many hours ago; it must succeed.
#[track_caller]
pub(crate) fn run_ago(data: &Path, hours: i64, arguments: &[&str]) {
    let run = beaconry(data, -60 * hours, arguments);
    assert_eq!(run.code, 0, "{arguments:?}: {run:?}");
}

/// A folder with an event that was tracked, and edited two hours ago: its first version has this field, and is pinned.
pub(crate) fn edited(name: &str, slug: &str, field: &str, edit: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let ago = |hours, arguments: &[&str]| run_ago(folder.path(), hours, arguments);
    ago(4, &["section", "create", "Shop", "--origin", "https://shop.example"]);
    let new = ["event", "create", "--category", "transactions", "--retention", "2y"];
    ago(4, &[new.as_slice(), &["--name", name, "--field", field]].concat());
    ago(3, &["tracking", "enable", slug]);
    ago(2, &[["event", "edit", slug].as_slice(), edit].concat());
    folder
}

/// The same, where the first version wants a number, and the second, which is current, a text.
pub(crate) fn a_number_and_then_a_text(name: &str, slug: &str) -> TempDir {
    let edit = ["--remove-field", "total", "--add-field", "total:text:required"];
    edited(name, slug, "total:number:required", &edit)
}
