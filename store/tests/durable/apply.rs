//! Definitions as code on a real registry: all or none, planned as they are then made.

use beaconry_model::plan::Wanted;
use beaconry_model::time::{HOUR_MS, Timestamp};
use beaconry_store::{Clock, Folder, Plan, Registry};
use serde_json::{Value, json};

use crate::samples::add_section;

struct Setting {
    registry: Registry,
    now: Timestamp,
    _folder: tempfile::TempDir,
}

impl Setting {
    fn new() -> Setting {
        let folder = tempfile::tempdir().unwrap();
        let mut registry = Registry::open(&Folder::open(folder.path()).unwrap()).unwrap();
        let now = Clock::default().now();
        add_section(&mut registry, "Shop", now);
        Setting { registry, now, _folder: folder }
    }

    fn plan(&self, files: &[Value]) -> Plan {
        self.registry.plan(&wanted(files), self.now).unwrap()
    }

    /// Makes them, and holds what was made against what was planned.
    fn apply(&mut self, files: &[Value]) -> Plan {
        let (planned, made) =
            (self.plan(files), self.registry.apply(&wanted(files), "test", self.now).unwrap());
        let said = |plan: &Plan| -> Vec<_> {
            plan.events.iter().map(|event| (event.steps.clone(), event.refused.clone())).collect()
        };
        assert_eq!(said(&planned), said(&made));
        made
    }

    fn slugs(&self) -> Vec<String> {
        let snapshot = self.registry.snapshot().unwrap();
        snapshot.visible_events().map(|known| known.event.slug().to_string()).collect()
    }
}

fn wanted(files: &[Value]) -> Vec<Wanted> {
    files.iter().map(|file| serde_json::from_value(file.clone()).unwrap()).collect()
}

fn file(name: &str, fields: &[&str]) -> Value {
    let fields: Vec<_> =
        fields.iter().map(|field| json!({ "name": field, "type": "text" })).collect();
    json!({ "name": name, "category": "signals", "retention": "30d", "field": fields })
}

#[test]
fn what_is_wanted_is_made_once() {
    let mut setting = Setting::new();
    let files = [file("Order placed", &["id"]), file("Order sent", &[])];
    let made = setting.apply(&files);
    assert!(made.events.iter().all(|event| event.discriminator.is_some()));
    assert_eq!(setting.slugs(), ["order-placed", "order-sent"]);
    let audited = setting.registry.audit(100).unwrap().len();
    assert!(setting.apply(&files).is_empty());
    assert_eq!(setting.registry.audit(100).unwrap().len(), audited, "nothing was changed");
    // What no file asks for is named, and stays.
    let made = setting.apply(&[file("Order placed", &["id", "total"])]);
    assert_eq!(made.unlisted.len(), 1);
    assert_eq!(setting.slugs(), ["order-placed", "order-sent"]);
    let snapshot = setting.registry.snapshot().unwrap();
    assert_eq!(snapshot.event("order-placed").unwrap().event.versions().last().number, 2);
}

#[test]
fn where_one_is_refused_none_is_made() {
    let mut setting = Setting::new();
    setting.apply(&[file("Order placed", &["id"])]);
    setting.apply(&[file("Order placed", &["id", "total"])]);
    let made = setting.apply(&[file("Order sent", &[]), file("Order placed", &["id"])]);
    assert!(made.refused());
    assert_eq!(made.events[0].refused, None);
    assert!(made.events[1].refused.as_deref().unwrap().contains("locked until"), "{made:?}");
    assert_eq!(setting.slugs(), ["order-placed"]);
    setting.now = setting.now.plus(HOUR_MS);
    assert!(!setting.apply(&[file("Order sent", &[]), file("Order placed", &["id"])]).refused());
}

#[test]
fn names_are_told_apart() {
    let mut setting = Setting::new();
    let made = setting.apply(&[file("Order placed", &[]), file("Order Placed", &[])]);
    assert!(made.events[1].refused.as_deref().unwrap().contains("order-placed"), "{made:?}");
    let made = setting.apply(&[file("Order placed", &[])]);
    let mut renamed = file("Order made", &[]);
    renamed["discriminator"] = json!(made.events[0].discriminator);
    setting.apply(&[renamed.clone()]);
    assert_eq!(setting.slugs(), ["order-made"]);
    // The old name is free again, in the same breath.
    renamed["name"] = json!("Order sent");
    setting.apply(&[renamed, file("Order made", &[])]);
    assert_eq!(setting.slugs(), ["order-sent", "order-made"]);
}

#[test]
fn a_section_must_be_named_where_there_are_several() {
    let mut setting = Setting::new();
    add_section(&mut setting.registry, "Other", setting.now);
    let refused = |plan: &Plan| plan.events[0].refused.clone().unwrap();
    let unnamed = file("Order placed", &[]);
    assert!(
        refused(&setting.plan(std::slice::from_ref(&unnamed))).contains("there are 2 sections")
    );
    let mut named = unnamed;
    named["section"] = json!("None");
    assert!(refused(&setting.plan(&[named.clone()])).contains("there is none called"));
    named["section"] = json!("Other");
    assert!(!setting.apply(&[named]).refused());
}
