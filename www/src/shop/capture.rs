//! What the shop's two snippets capture: the settings a marketer would make for its pages.

use beaconry_model::capture::{Action, Capture, Mapping, Source, Trigger, UrlCondition};
use beaconry_model::error::Invalid;
use beaconry_model::names::FieldName;

/// "Order placed", by the checkout form.
pub fn order_placed() -> Result<Capture, Invalid> {
    Ok(Capture {
        triggers: vec![Trigger {
            urls: vec![UrlCondition::Prefix("/checkout".to_owned())],
            ..Trigger::new(Action::Submit("#checkout".to_owned()))
        }],
        mappings: vec![
            mapping("orderid", Source::FormInput("order".to_owned()))?,
            mapping("totalvalue", Source::Text("#total".to_owned()))?,
            mapping("currency", Source::Constant("SEK".to_owned()))?,
            mapping(
                "productcategories",
                Source::Attribute {
                    selector: "#summary".to_owned(),
                    name: "data-categories".to_owned(),
                },
            )?,
        ],
        ..Capture::default()
    })
}

/// "Newsletter signed up", by the button of the form at the foot of each page.
pub fn newsletter_signed_up() -> Result<Capture, Invalid> {
    Ok(Capture {
        triggers: vec![Trigger::new(Action::Click("#newsletter button".to_owned()))],
        mappings: vec![
            mapping("list", Source::FormInput("list".to_owned()))?,
            mapping("placement", Source::Data("placement".to_owned()))?,
        ],
        ..Capture::default()
    })
}

fn mapping(field: &str, from: Source) -> Result<Mapping, Invalid> {
    Ok(Mapping::new(FieldName::try_from(field.to_owned())?, from))
}
