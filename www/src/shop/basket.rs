//! The basket: a cookie with a count for each product.

use axum::http::{HeaderMap, header};

use super::products::{Product, kronor};

/// The most of one product in a basket.
const MOST: u32 = 20;

/// What a visitor is about to order.
#[derive(Debug, Default)]
pub(super) struct Basket(Vec<(&'static Product, u32)>);

/// One line of the basket as the page shows it.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) product: &'static Product,
    pub(super) count: u32,
    pub(super) price: String,
}

impl Basket {
    /// The basket in a request's cookie; what is not understood there is not in it.
    pub(super) fn of(headers: &HeaderMap) -> Basket {
        let cookies =
            headers.get(header::COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let basket = cookies
            .split(';')
            .find_map(|cookie| cookie.trim().strip_prefix("basket="))
            .unwrap_or_default();
        let mut made = Basket::default();
        for (slug, count) in basket.split('/').filter_map(|entry| entry.split_once(':')) {
            made.set(slug, count.parse().unwrap_or_default());
        }
        made
    }

    /// The basket as a cookie, for this visit.
    pub(super) fn cookie(&self) -> String {
        let entries: Vec<String> =
            self.0.iter().map(|(product, count)| format!("{}:{count}", product.slug)).collect();
        format!("basket={}; Path=/; HttpOnly; SameSite=Lax", entries.join("/"))
    }

    /// Sets how many of a product are in it.
    pub(super) fn set(&mut self, slug: &str, count: u32) {
        self.0.retain(|(product, _)| product.slug != slug);
        if let Some(product) = Product::find(slug).filter(|_| count > 0) {
            self.0.push((product, count.min(MOST)));
        }
    }

    pub(super) fn items(&self) -> u32 {
        self.0.iter().map(|(_, count)| count).sum()
    }

    pub(super) fn lines(&self) -> Vec<Line> {
        let line = |(product, count): &(&'static Product, u32)| Line {
            product,
            count: *count,
            price: kronor(product.price * u64::from(*count)),
        };
        self.0.iter().map(line).collect()
    }

    pub(super) fn total(&self) -> String {
        kronor(self.0.iter().map(|(product, count)| product.price * u64::from(*count)).sum())
    }

    /// The categories in it, each once.
    pub(super) fn categories(&self) -> String {
        let mut categories: Vec<&str> = Vec::new();
        for (product, _) in &self.0 {
            if !categories.contains(&product.category) {
                categories.push(product.category);
            }
        }
        categories.join(", ")
    }
}
