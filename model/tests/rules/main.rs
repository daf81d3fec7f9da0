//! The rules of the domain as tests: the same source runs natively and in Wasm.

mod a_conversion;
mod a_definition;
mod a_key;
mod a_life_cycle;
mod a_pick;
mod a_plan;
mod a_profile;
mod a_segment;
mod a_value;
mod a_webhook;
mod an_event_on_the_wire;
mod changes_between_versions;
mod samples;
