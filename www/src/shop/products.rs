//! What the shop sells.

/// One product. Pictures are drawn by the template from a shape and two colours.
#[derive(Debug)]
pub(super) struct Product {
    pub(super) slug: &'static str,
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// In hundredths of a krona.
    pub(super) price: u64,
    pub(super) category: &'static str,
    pub(super) shape: &'static str,
    pub(super) colour: &'static str,
    pub(super) paper: &'static str,
}

pub(super) const PRODUCTS: [Product; 6] = [
    Product {
        slug: "skerry-table-lamp",
        name: "Skerry table lamp",
        about: "A round foot of grey stone and a linen shade. Warm light for a windowsill, dimmed by a turn of the foot.",
        price: 129_950,
        category: "Table lamps",
        shape: "table",
        colour: "#d9803f",
        paper: "#f7ead9",
    },
    Product {
        slug: "harbour-lantern",
        name: "Harbour lantern",
        about: "Powder-coated steel and thick glass, for the end of a jetty or the top of a stair. Takes a candle or a bulb.",
        price: 64_900,
        category: "Lanterns",
        shape: "lantern",
        colour: "#2f6f73",
        paper: "#dfeeec",
    },
    Product {
        slug: "lee-reading-light",
        name: "Lee reading light",
        about: "Bends where you look and stays there. A narrow beam that lets the other half of the bed sleep.",
        price: 89_000,
        category: "Table lamps",
        shape: "reading",
        colour: "#5b5f97",
        paper: "#e7e7f4",
    },
    Product {
        slug: "moonrise-pendant",
        name: "Moonrise pendant",
        about: "Mouth-blown opal glass on three metres of woven cord. Hangs low over a table and never dazzles.",
        price: 239_500,
        category: "Pendants",
        shape: "pendant",
        colour: "#b98b2e",
        paper: "#f6efdb",
    },
    Product {
        slug: "ember-candles",
        name: "Ember candles, six",
        about: "Dipped by hand from rapeseed wax. Eleven hours each, no scent, and next to no soot.",
        price: 19_950,
        category: "Candles",
        shape: "candles",
        colour: "#a4453a",
        paper: "#f8e4df",
    },
    Product {
        slug: "storm-lantern",
        name: "Storm lantern",
        about: "Stays lit in a gale. Brass that darkens with the years, and a handle made for gloves.",
        price: 99_900,
        category: "Lanterns",
        shape: "lantern",
        colour: "#7a5c2e",
        paper: "#efe6d6",
    },
];

impl Product {
    pub(super) fn find(slug: &str) -> Option<&'static Product> {
        PRODUCTS.iter().find(|product| product.slug == slug)
    }

    /// As the shop writes it: `1 299,50 kr`.
    pub(super) fn price_text(&self) -> String {
        kronor(self.price)
    }
}

/// An amount in hundredths of a krona as Swedish shops write it, with a no-break space for thousands.
pub(super) fn kronor(hundredths: u64) -> String {
    let whole = (hundredths / 100).to_string();
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push('\u{a0}');
        }
        grouped.push(digit);
    }
    format!("{grouped},{:02}\u{a0}kr", hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::kronor;

    #[test]
    fn amounts_are_written_as_swedish_shops_do() {
        assert_eq!(kronor(129_950), "1\u{a0}299,50\u{a0}kr");
        assert_eq!(kronor(5), "0,05\u{a0}kr");
        assert_eq!(kronor(123_456_700), "1\u{a0}234\u{a0}567,00\u{a0}kr");
    }
}
