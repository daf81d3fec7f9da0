//! How an event's versions, pins and hiding go together, whatever people do in whatever order.

use beaconry_model::capture::{Action, Capture, Trigger};
use beaconry_model::error::Refusal;
use beaconry_model::event::{Event, Turned};
use beaconry_model::time::{HOUR_MS, Timestamp};
use beaconry_model::tracking::{Pinned, Scheduled, StalePolicy};
use beaconry_model::version::VersionState;
use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::samples::{NOON, event, fields};

const MINUTE: i64 = 60_000;

fn later(minutes: i64) -> Timestamp {
    NOON.plus(minutes * MINUTE)
}

/// An event at version 2, edited at noon and pinned to version 1 before.
fn edited() -> Event {
    let mut event = event(&["a:text"]);
    event.enable_tracking(false, NOON).unwrap();
    event.edit(fields(&["a:text", "b:text"]), [9; 16], NOON).unwrap();
    event
}

fn states(event: &Event, now: Timestamp) -> Vec<&'static str> {
    event.versions().iter().map(|version| event.versions().state(version, now).word()).collect()
}

#[test]
fn a_new_event_is_current_and_not_locked() {
    let event = event(&[]);
    assert_eq!(states(&event, NOON), ["current"]);
    assert_eq!(event.locked_until(NOON), None);
    assert_eq!(event.admit(1, NOON), Err(Turned::TrackingDisabled));
}

#[test]
fn an_edit_locks_for_an_hour_and_leaves_the_old_version_current() {
    let mut event = edited();
    assert_eq!(states(&event, later(59)), ["current", "pending"]);
    let refusal = event.edit(fields(&[]), [8; 16], later(59)).unwrap_err();
    assert_eq!(refusal, Refusal::Locked { until: later(60) });
    assert!(refusal.to_string().contains("locked until 2026-11-23T13:00:00.000Z"), "{refusal}");
    assert!(event.admit(1, later(59)).is_ok());
    assert_eq!(event.admit(2, later(59)), Err(Turned::UnknownVersion { pinned: 1 }));

    assert_eq!(states(&event, later(60)), ["deprecated", "current"]);
    let first = event.versions().get(1).unwrap();
    assert_eq!(event.versions().deprecated_at(first, later(60)), Some(later(60)));
    assert_eq!(
        event.edit(fields(&["a:text", "b:text"]), [8; 16], later(60)),
        Err(Refusal::Unchanged { version: 2 })
    );
    assert!(event.edit(fields(&[]), [8; 16], later(60)).is_ok());
}

#[test]
fn an_edit_under_a_clock_set_back_still_follows_the_version_before() {
    let mut event = event(&[]);
    event.edit(fields(&["a:text"]), [9; 16], later(-600)).unwrap();
    assert_eq!(event.locked_until(later(-600)), Some(later(60)));
    let written = serde_json::to_string(&event).unwrap();
    assert_eq!(serde_json::from_str::<Event>(&written).unwrap(), event);
}

#[test]
fn the_pin_moves_only_when_somebody_regenerates() {
    let mut event = edited();
    assert!(!event.outdated(later(59)));
    assert!(event.outdated(later(60)));
    assert!(event.admit(1, later(600)).is_ok());
    event.regenerate_snippet(false, later(600)).unwrap();
    assert!(!event.outdated(later(600)));
    assert_eq!(event.admit(1, later(600)), Err(Turned::Stale { pinned: 2 }));
    assert_eq!(event.admit(2, later(600)).unwrap().number, 2);
    assert_eq!(event.admit(3, later(600)), Err(Turned::UnknownVersion { pinned: 2 }));
    assert_eq!(event.admit(0, later(600)), Err(Turned::UnknownVersion { pinned: 2 }));
}

#[test]
fn nothing_is_pinned_while_a_version_is_pending_unless_scheduled() {
    let mut event = edited();
    let pending = Refusal::Pending { version: 2, until: later(60) };
    assert_eq!(event.regenerate_snippet(false, later(10)), Err(pending));
    assert_eq!(event.regenerate_snippet(true, later(10)), Ok(Pinned::At(later(60))));
    assert_eq!(event.tracking().scheduled(), Some(Scheduled::Regenerate));
    assert!(!event.settle(later(59)));
    assert!(event.settle(later(60)));
    assert_eq!(event.tracking().pin().unwrap().version, 2);
    assert!(!event.settle(later(61)));
}

#[test]
fn disabling_drops_what_was_scheduled() {
    let mut event = edited();
    event.regenerate_snippet(true, later(10)).unwrap();
    event.disable_tracking(later(11)).unwrap();
    assert!(!event.settle(later(60)));
    assert!(!event.tracking().enabled());
}

#[test]
fn what_was_scheduled_can_be_dropped_alone() {
    let mut event = edited();
    assert_eq!(event.unschedule(later(10)), Err(Refusal::NothingScheduled));
    event.regenerate_snippet(true, later(10)).unwrap();
    event.unschedule(later(11)).unwrap();
    assert!(!event.settle(later(60)));
    assert_eq!(event.tracking().pin().unwrap().version, 1, "tracking goes on as it was");
    event.disable_tracking(later(61)).unwrap();
    assert_eq!(event.unschedule(later(62)), Err(Refusal::NothingScheduled));
}

#[test]
fn what_is_done_already_cannot_be_dropped_any_more() {
    let mut event = edited();
    event.regenerate_snippet(true, later(10)).unwrap();
    assert_eq!(event.unschedule(later(60)), Err(Refusal::NothingScheduled));
    assert_eq!(event.tracking().pin().unwrap().version, 2);
}

#[test]
fn disabling_and_enabling_the_same_version_revives_its_snippet() {
    let mut event = event(&[]);
    event.enable_tracking(false, NOON).unwrap();
    assert_eq!(event.enable_tracking(false, NOON), Err(Refusal::AlreadyOn { pinned: 1 }));
    event.disable_tracking(NOON).unwrap();
    assert_eq!(event.admit(1, NOON), Err(Turned::TrackingDisabled));
    event.enable_tracking(false, NOON).unwrap();
    assert!(event.admit(1, NOON).is_ok());
    assert_eq!(event.tracking().pins().len(), 1);
}

#[test]
fn changed_settings_make_the_snippet_outdated_but_not_stale() {
    let mut event = event(&[]);
    event.enable_tracking(false, NOON).unwrap();
    let capture = Capture { triggers: vec![Trigger::new(Action::PageView)], ..Capture::default() };
    event.set_capture(capture, NOON).unwrap();
    assert!(event.outdated(NOON));
    event.regenerate_snippet(false, NOON).unwrap();
    assert!(!event.outdated(NOON));
    assert!(event.admit(1, NOON).is_ok());
    let source = event.tracking().captured_by(1, Some(1)).unwrap();
    assert!(source.triggers.is_empty() && source.mapping("source").is_some());
    assert_eq!(event.tracking().captured_by(1, None).unwrap().triggers.len(), 1);
}

#[test]
fn the_stale_policy_says_how_long_old_snippets_are_taken() {
    let regenerated = |policy| {
        let mut event = edited();
        event.set_stale_policy(policy, later(60)).unwrap();
        event.regenerate_snippet(false, later(60)).unwrap();
        event
    };
    let accepts = |event: &Event, minutes| event.admit(1, later(minutes)).is_ok();
    assert!(!accepts(&regenerated(StalePolicy::Reject), 60));
    assert!(accepts(&regenerated(StalePolicy::Accept), 1_000_000));
    let two_hours = regenerated(StalePolicy::RejectAfterHours(2));
    assert!(accepts(&two_hours, 179) && !accepts(&two_hours, 180));
    let mut until_seen = regenerated(StalePolicy::UntilNewSeen);
    assert!(accepts(&until_seen, 1_000_000));
    assert!(!until_seen.mark_seen(3, later(90)));
    assert!(until_seen.mark_seen(2, later(90)));
    assert!(!until_seen.mark_seen(2, later(91)));
    assert!(!accepts(&until_seen, 91));
}

#[test]
fn a_hidden_event_is_gone_for_good() {
    let mut event = edited();
    event.hide(later(60)).unwrap();
    assert_eq!(event.admit(1, later(60)), Err(Turned::Hidden));
    assert_eq!(event.hide(later(61)), Err(Refusal::Hidden));
    assert_eq!(event.enable_tracking(false, later(61)), Err(Refusal::Hidden));
    assert_eq!(event.edit(fields(&[]), [8; 16], later(61)), Err(Refusal::Hidden));
}

/// One thing somebody does, or time that passes.
#[derive(Clone, Debug)]
enum Step {
    Wait { minutes: i64 },
    Edit { field: u8 },
    Enable { when_ready: bool },
    Regenerate { when_ready: bool },
    Disable,
    Unschedule,
    SetCapture { page_view: bool },
    SetStale(StalePolicy),
    MarkSeen { version: u32 },
    Settle,
    Hide,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..90_i64).prop_map(|minutes| Step::Wait { minutes }),
        6 => (0..4_u8).prop_map(|field| Step::Edit { field }),
        3 => any::<bool>().prop_map(|when_ready| Step::Enable { when_ready }),
        4 => any::<bool>().prop_map(|when_ready| Step::Regenerate { when_ready }),
        1 => Just(Step::Disable),
        1 => Just(Step::Unschedule),
        1 => any::<bool>().prop_map(|page_view| Step::SetCapture { page_view }),
        1 => prop_oneof![
            Just(StalePolicy::Reject),
            (1..3_u32).prop_map(StalePolicy::RejectAfterHours),
            Just(StalePolicy::UntilNewSeen),
            Just(StalePolicy::Accept),
        ].prop_map(Step::SetStale),
        2 => (0..5_u32).prop_map(|version| Step::MarkSeen { version }),
        2 => Just(Step::Settle),
        1 => prop_oneof![3 => Just(Step::Settle), 1 => Just(Step::Hide)],
    ];
    prop::collection::vec(step, 0..40)
}

/// Does one step; whatever is refused leaves the event as it was, but for what was due anyway.
fn take(event: &mut Event, step: &Step, now: &mut Timestamp) {
    let mut due = event.clone();
    due.settle(*now);
    let outcome = match step.clone() {
        Step::Wait { minutes } => {
            *now = now.plus(minutes * MINUTE);
            return;
        }
        Step::Edit { field } => event.edit(fields(&[&format!("f{field}:text")]), [field; 16], *now),
        Step::Enable { when_ready } => event.enable_tracking(when_ready, *now).map(|_| ()),
        Step::Regenerate { when_ready } => event.regenerate_snippet(when_ready, *now).map(|_| ()),
        Step::Disable => event.disable_tracking(*now),
        Step::Unschedule => event.unschedule(*now),
        Step::SetCapture { page_view } => {
            let triggers = page_view.then_some(Trigger::new(Action::PageView));
            event.set_capture(
                Capture { triggers: triggers.into_iter().collect(), ..Capture::default() },
                *now,
            )
        }
        Step::SetStale(policy) => event.set_stale_policy(policy, *now),
        Step::MarkSeen { version } => {
            event.mark_seen(version, *now);
            return;
        }
        Step::Settle => {
            event.settle(*now);
            return;
        }
        Step::Hide => event.hide(*now),
    };
    if outcome.is_err() {
        assert_eq!(*event, due, "refused, but changed: {step:?}");
    }
}

fn one_current_version_and_a_locked_hour(event: &Event, now: Timestamp) {
    let versions = event.versions();
    let count =
        |state| versions.iter().filter(|version| versions.state(version, now) == state).count();
    assert_eq!(count(VersionState::Current), 1);
    assert!(count(VersionState::Pending) <= 1);
    let last = versions.last();
    let within_the_hour = last.number > 1 && now < last.saved_at.plus(HOUR_MS);
    assert_eq!(event.locked_until(now).is_some(), within_the_hour);
    assert_eq!(count(VersionState::Pending) == 1, within_the_hour);
    if within_the_hour && event.hidden_at().is_none() {
        let refusal = event.clone().edit(fields(&["other:bool"]), [7; 16], now).unwrap_err();
        assert_eq!(refusal.code(), "locked");
    }
}

fn pins_are_on_versions_that_were_current(event: &Event, now: Timestamp) {
    let pins = event.tracking().pins();
    for pin in pins {
        assert!(pin.at <= now);
        assert_eq!(event.versions().current(pin.at).number, pin.version);
    }
    for pair in pins.windows(2) {
        assert!((pair[0].version, pair[0].rev) < (pair[1].version, pair[1].rev));
    }
}

fn beacons_are_taken_only_where_they_may(event: &Event, now: Timestamp) {
    for version in 0..=event.versions().last().number + 1 {
        let admitted = event.admit(version, now);
        if event.hidden_at().is_some() {
            assert_eq!(admitted, Err(Turned::Hidden));
        } else if let Ok(admitted) = admitted {
            let pinned = event.tracking().pin().unwrap().version;
            assert!(admitted.number == version && version <= pinned);
            assert!(admitted.usable_from() <= now);
        } else if let Some(pin) = event.tracking().pin() {
            assert_ne!(version, pin.version, "the pinned version is always taken");
        }
    }
}

proptest! {
    #[test]
    fn no_sequence_of_steps_breaks_the_life_cycle(steps in steps()) {
        let mut event = event(&["a:text"]);
        let mut now = NOON;
        for step in &steps {
            take(&mut event, step, &mut now);
            one_current_version_and_a_locked_hour(&event, now);
            pins_are_on_versions_that_were_current(&event, now);
            beacons_are_taken_only_where_they_may(&event, now);
            let written = serde_json::to_string(&event).unwrap();
            prop_assert_eq!(serde_json::from_str::<Event>(&written).unwrap(), event.clone());
        }
    }
}
