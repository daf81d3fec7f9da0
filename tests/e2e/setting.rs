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
    let run = beaconry(data, 0, arguments);
    assert_eq!(run.code, 0, "{arguments:?}: {run:?}");
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
