//! Why something could not be done with a profile, as a status of the API.

use std::time::Duration;

use beaconry_model::data::FieldError;
use beaconry_model::post::ItemError;
use beaconry_store::ProfileError;

use super::problem::{Fault, Problem};

impl From<ProfileError> for Problem {
    fn from(error: ProfileError) -> Problem {
        let (detail, forbidden) = (error.to_string(), error.is_forbidden());
        match error {
            ProfileError::NotFound => Problem::not_found(detail),
            ProfileError::Locked => Problem::conflict("profile_locked", detail),
            ProfileError::Invalid(_) => Problem::bad_request("invalid", detail),
            ProfileError::Body(_) => Problem::bad_request("invalid_body", detail),
            ProfileError::Items(items) if forbidden => {
                Problem::forbidden(detail).with(items.iter().flat_map(item_faults).collect())
            }
            ProfileError::Items(items) => Problem::bad_request("invalid_items", shortened(&detail))
                .with(items.iter().flat_map(item_faults).collect()),
            ProfileError::Reused(_) => Problem::conflict("idempotency_key_reused", detail),
            ProfileError::Values(values) => Problem::bad_request("invalid_values", detail)
                .with(values.iter().map(|error| field_fault(None, error)).collect()),
            ProfileError::Busy => Problem::unavailable("busy", detail, Duration::from_secs(1)),
            ProfileError::NotDurable(_) => {
                Problem::unavailable("not_durable", detail, Duration::from_secs(5))
            }
            ProfileError::Store(error) => error.into(),
        }
    }
}

/// What is wrong with an item: each of its fields, or itself.
fn item_faults(item: &ItemError) -> Vec<Fault> {
    if item.errors.is_empty() {
        let code = serde_json::to_value(item.code).ok();
        let code = code.as_ref().and_then(|code| code.as_str()).unwrap_or("invalid").to_owned();
        return vec![Fault {
            item: Some(item.item),
            field: None,
            code,
            detail: item.detail.clone(),
        }];
    }
    item.errors.iter().map(|error| field_fault(Some(item.item), error)).collect()
}

fn field_fault(item: Option<usize>, error: &FieldError) -> Fault {
    Fault {
        item,
        field: Some(error.field.clone()),
        code: error.code.code().to_owned(),
        detail: format!("expected {}, got {}", error.expected, error.got),
    }
}

/// The details of many items are told one by one anyway.
fn shortened(detail: &str) -> String {
    const LONGEST: usize = 500;
    if detail.chars().count() <= LONGEST {
        return detail.to_owned();
    }
    detail.chars().take(LONGEST).chain("… (see errors)".chars()).collect()
}
