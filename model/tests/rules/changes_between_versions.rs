//! What people are told before they save, and between any two versions.

use beaconry_model::changes::{Change, changes};
use beaconry_model::fields::{Field, Fields};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn fields(texts: &[&str]) -> Fields {
    Fields::with_source(texts.iter().map(|text| Field::parse(text).unwrap()).collect()).unwrap()
}

#[test]
fn each_difference_is_told_once() {
    let before = fields(&["a:text", "b:number", "c:date"]);
    let after = fields(&["b:decimal:required", "d:bool", "a:text"]);
    let told = changes(&before, &after);
    let changed = Change::Changed {
        field: "b".into(),
        was: "Number".into(),
        now: "Number with decimals, required".into(),
    };
    let added = Change::Added { field: "d".into(), now: "True/False".into() };
    let removed = Change::Removed { field: "c".into(), was: "Date".into() };
    assert_eq!(told, [changed, added, removed]);
}

#[test]
fn another_order_is_a_change_and_the_same_is_none() {
    let (one, two) = (fields(&["a:text", "b:text"]), fields(&["b:text", "a:text"]));
    assert_eq!(changes(&one, &two), [Change::Reordered]);
    assert_eq!(changes(&one, &one), []);
}
