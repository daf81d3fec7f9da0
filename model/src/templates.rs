//! Templates to start an event from, and the fields the console offers ready-made.

use alloc::vec;
use alloc::vec::Vec;

use crate::category::Category;
use crate::error::Invalid;
use crate::fields::Field;
use crate::names::quoted;
use crate::value::Kind;

/// A ready definition that a new event can start from. Its fields can be changed like any others.
#[derive(Debug)]
pub struct Template {
    /// The word in the command line: `order-placed`.
    pub slug: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// The folder it is for.
    pub category: Category,
    /// Its fields besides `source`.
    fields: &'static [(&'static str, Kind)],
    /// What people use it for.
    pub good_for: &'static str,
}

/// Every template, folder by folder.
pub const TEMPLATES: [Template; 8] = [
    Template {
        slug: "order-placed",
        name: "Order placed",
        category: Category::Transactions,
        fields: &[
            ("orderid", Kind::Text),
            ("totalvalue", Kind::Decimal),
            ("currency", Kind::Text),
            ("productcategories", Kind::Text),
        ],
        good_for: "thanks and reviews, loyalty points, win-back by last purchase",
    },
    Template {
        slug: "booking-made",
        name: "Booking made",
        category: Category::Transactions,
        fields: &[
            ("bookingid", Kind::Text),
            ("location", Kind::Text),
            ("date", Kind::Date),
            ("value", Kind::Decimal),
        ],
        good_for: "confirmation, offers for the place, reminders",
    },
    Template {
        slug: "visitor-became-customer",
        name: "Visitor became customer",
        category: Category::Conversions,
        fields: &[
            ("conversiondate", Kind::Date),
            ("sourcecampaign", Kind::Text),
            ("firstpurchasevalue", Kind::Decimal),
        ],
        good_for: "welcome series, revenue by campaign",
    },
    Template {
        slug: "loyalty-tier-upgraded",
        name: "Loyalty tier upgraded",
        category: Category::Conversions,
        fields: &[("oldtier", Kind::Text), ("newtier", Kind::Text), ("upgradedate", Kind::Date)],
        good_for: "content for the tier, milestones",
    },
    Template {
        slug: "survey-answered",
        name: "Survey answered",
        category: Category::Signals,
        fields: &[
            ("surveyid", Kind::Text),
            ("score", Kind::Number),
            ("primaryinterest", Kind::Text),
        ],
        good_for: "segments by score, follow-up of the unhappy",
    },
    Template {
        slug: "content-downloaded",
        name: "Content downloaded",
        category: Category::Signals,
        fields: &[("contenttitle", Kind::Text), ("contenttype", Kind::Text)],
        good_for: "nurture by type of content",
    },
    Template {
        slug: "demo-requested",
        name: "Demo requested",
        category: Category::Signals,
        fields: &[
            ("companysize", Kind::Text),
            ("role", Kind::Text),
            ("primaryinterest", Kind::Text),
        ],
        good_for: "qualifying and routing leads",
    },
    Template {
        slug: "newsletter-signed-up",
        name: "Newsletter signed up",
        category: Category::Signals,
        fields: &[("list", Kind::Text), ("placement", Kind::Text)],
        good_for: "double opt-in, welcome",
    },
];

impl Template {
    /// The template with this slug.
    pub fn find(slug: &str) -> Result<&'static Template, Invalid> {
        TEMPLATES.iter().find(|template| template.slug == slug).ok_or_else(|| {
            Invalid::new(
                "template",
                "order-placed, booking-made, visitor-became-customer, loyalty-tier-upgraded, survey-answered, \
                 content-downloaded, demo-requested or newsletter-signed-up",
                quoted(slug),
            )
        })
    }

    /// The template's fields, `source` first.
    pub fn fields(&self) -> Vec<Field> {
        with_source(self.fields)
    }
}

/// The fields a new event opens with in the console; each but `source` can be removed.
pub fn ready_made_fields() -> Vec<Field> {
    with_source(&[("value", Kind::Decimal), ("currency", Kind::Text), ("reference", Kind::Text)])
}

fn with_source(fields: &[(&str, Kind)]) -> Vec<Field> {
    let mut all = vec![Field::source()];
    all.extend(fields.iter().map(|(name, kind)| Field::ready(name, *kind, false)));
    all
}
