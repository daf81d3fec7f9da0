//! Which ids, classes and values of attributes will still be there after the site's next release: a person chose them, no
//! build step, no framework, and no state of the moment.

/// The longest name that is worth a selector, in characters.
const LONGEST: usize = 40;

/// What tools begin names with that they make up.
const MADE_UP: &[&str] = &[
    "css-",
    "sc-",
    "jsx-",
    "jss",
    "svelte-",
    "emotion-",
    "makestyles-",
    "ember",
    "react-",
    "radix-",
    "headlessui-",
    "ng-",
    "_ng",
    "yui_",
    "yui3-",
    "ext-gen",
    "gwt-uid",
    "ui-id-",
    "mui-",
    "mat-",
    "cdk-",
    "uid-",
    "p-v-",
    "rc-",
    "chakra-",
    "mantine-",
    "tippy-",
    "popper-",
    "gsc-",
    "aos-",
    "swiper-slide-",
];

/// Words for a state that scripts switch.
const STATES: &[&str] = &[
    "active",
    "open",
    "opened",
    "closed",
    "show",
    "shown",
    "visible",
    "invisible",
    "hidden",
    "hide",
    "selected",
    "current",
    "hover",
    "focus",
    "focused",
    "disabled",
    "enabled",
    "loading",
    "loaded",
    "checked",
    "expanded",
    "collapsed",
    "collapse",
    "collapsing",
    "fade",
    "in",
    "out",
    "on",
    "off",
    "first",
    "last",
    "odd",
    "even",
    "animated",
    "wow",
    "sticky",
    "scrolled",
    "lazyload",
    "lazyloaded",
    "lazy",
    "touched",
    "untouched",
    "dirty",
    "pristine",
    "valid",
    "invalid",
    "js",
    "nojs",
];

/// What classes begin with that only say how something looks (Tailwind, Bootstrap and their kin).
const LOOKS: &[&str] = &[
    "m",
    "mx",
    "my",
    "mt",
    "mr",
    "mb",
    "ml",
    "ms",
    "me",
    "p",
    "px",
    "py",
    "pt",
    "pr",
    "pb",
    "pl",
    "ps",
    "pe",
    "w",
    "h",
    "min",
    "max",
    "size",
    "gap",
    "space",
    "inset",
    "top",
    "left",
    "right",
    "bottom",
    "z",
    "order",
    "col",
    "row",
    "grid",
    "text",
    "bg",
    "border",
    "rounded",
    "shadow",
    "font",
    "leading",
    "tracking",
    "opacity",
    "ring",
    "flex",
    "items",
    "justify",
    "content",
    "self",
    "place",
    "overflow",
    "object",
    "cursor",
    "select",
    "transition",
    "duration",
    "ease",
    "delay",
    "animate",
    "scale",
    "rotate",
    "translate",
    "fill",
    "stroke",
    "divide",
    "align",
    "float",
    "d",
    "fs",
    "fw",
    "lh",
    "g",
    "gx",
    "gy",
    "btn",
    "lead",
    "display",
    "from",
    "to",
    "via",
    "outline",
    "offset",
    "basis",
    "line",
    "whitespace",
    "break",
    "sr",
    "pointer",
    "aspect",
    "columns",
    "position",
    "user",
    "vh",
    "vw",
];

/// What follows such a beginning.
const HOW: &[&str] = &[
    "x",
    "y",
    "xs",
    "sm",
    "md",
    "lg",
    "xl",
    "xxl",
    "2xl",
    "3xl",
    "4xl",
    "5xl",
    "6xl",
    "7xl",
    "full",
    "screen",
    "auto",
    "none",
    "px",
    "min",
    "max",
    "fit",
    "w",
    "h",
    "t",
    "b",
    "l",
    "r",
    "center",
    "left",
    "right",
    "start",
    "end",
    "between",
    "around",
    "evenly",
    "top",
    "bottom",
    "middle",
    "baseline",
    "stretch",
    "bold",
    "bolder",
    "semibold",
    "medium",
    "normal",
    "light",
    "thin",
    "extrabold",
    "black",
    "white",
    "transparent",
    "gray",
    "grey",
    "slate",
    "zinc",
    "neutral",
    "stone",
    "red",
    "orange",
    "amber",
    "yellow",
    "lime",
    "green",
    "emerald",
    "teal",
    "cyan",
    "sky",
    "blue",
    "indigo",
    "violet",
    "purple",
    "fuchsia",
    "pink",
    "rose",
    "primary",
    "secondary",
    "success",
    "danger",
    "warning",
    "info",
    "dark",
    "muted",
    "body",
    "hidden",
    "visible",
    "scroll",
    "block",
    "inline",
    "flex",
    "grid",
    "table",
    "cell",
    "wrap",
    "nowrap",
    "col",
    "cols",
    "row",
    "rows",
    "reverse",
    "grow",
    "shrink",
    "cover",
    "contain",
    "pointer",
    "default",
    "colors",
    "all",
    "tight",
    "snug",
    "relaxed",
    "loose",
    "wide",
    "wider",
    "widest",
    "1",
    "sans",
    "serif",
    "mono",
    "only",
    "span",
    "items",
    "self",
    "content",
    "underline",
    "uppercase",
    "lowercase",
    "capitalize",
    "decoration",
    "color",
    "relative",
    "absolute",
    "fixed",
    "static",
    "sticky",
    "spin",
    "pulse",
    "circle",
    "pill",
    "opacity",
    "hover",
    "outline",
    "link",
    "clip",
    "words",
];

/// Classes of one word that only say how something looks.
const PLAIN_LOOKS: &[&str] = &[
    "flex",
    "grid",
    "block",
    "inline",
    "table",
    "contents",
    "relative",
    "absolute",
    "fixed",
    "static",
    "container",
    "row",
    "col",
    "truncate",
    "uppercase",
    "lowercase",
    "capitalize",
    "italic",
    "underline",
    "border",
    "rounded",
    "shadow",
    "transition",
    "antialiased",
    "clearfix",
    "group",
    "peer",
    "isolate",
    "grow",
    "shrink",
    "prose",
    "btn",
    "wrapper",
    "inner",
    "outer",
    "left",
    "right",
    "center",
    "clear",
    "bold",
    "small",
    "large",
    "lead",
    "ring",
    "filter",
    "resize",
];

/// Whether an id, or the value of an attribute that names something, was chosen by a person and stays.
pub fn is_lasting(name: &str) -> bool {
    let len = name.chars().count();
    (1..=LONGEST).contains(&len)
        && !name.chars().any(|letter| letter.is_whitespace() || letter.is_control())
        && name.chars().any(char::is_alphabetic)
        && !is_made_up(name)
}

/// Whether a class says what something is.
pub fn says_what(class: &str) -> bool {
    is_lasting(class) && !is_state(class) && !is_look(class)
}

fn is_made_up(name: &str) -> bool {
    let lower = name.to_lowercase();
    MADE_UP.iter().any(|prefix| lower.starts_with(prefix) && lower.len() > prefix.len())
        || name.contains([':', '«', '»'])
        || parts(name).any(is_hash)
}

/// The runs of letters and digits of a name.
fn parts(name: &str) -> impl Iterator<Item = &str> {
    name.split(|letter: char| !letter.is_alphanumeric()).filter(|part| !part.is_empty())
}

/// Whether a run of letters and digits is none that a person would write.
fn is_hash(part: &str) -> bool {
    let digits = part.chars().filter(char::is_ascii_digit).count();
    let letters: Vec<char> = part.chars().filter(|letter| !letter.is_ascii_digit()).collect();
    if letters.is_empty() {
        // A number of three digits or more is one of a row in a database, not of a place on the page.
        return digits > 2;
    }
    if digits > 0 {
        let kinds: Vec<bool> = part.chars().map(|letter| letter.is_ascii_digit()).collect();
        let turns = kinds.windows(2).filter(|pair| pair[0] != pair[1]).count();
        return digits > 2 || turns > 1 && part.chars().count() > 4;
    }
    is_unspeakable(&letters)
}

/// Letters alone that are a hash all the same: capitals in the midst of no words, or five letters without a vowel.
fn is_unspeakable(letters: &[char]) -> bool {
    let humps = 1 + letters
        .windows(2)
        .filter(|pair| pair[0].is_lowercase() && pair[1].is_uppercase())
        .count();
    let few = letters.len() < humps * 3;
    let vowel = |letter: &char| {
        "aeiouyäöüåæøéèáíóú".contains(letter.to_lowercase().next().unwrap_or(*letter))
    };
    let spoken = letters.iter().any(vowel) || !letters.iter().all(char::is_ascii);
    letters.len() > 4 && (humps > 2 && few || !spoken)
}

fn is_state(class: &str) -> bool {
    let lower = class.to_lowercase();
    let word = lower
        .strip_prefix("is-")
        .or_else(|| lower.strip_prefix("has-"))
        .or_else(|| lower.strip_prefix("js-is-"));
    word.is_some() || STATES.contains(&lower.as_str())
}

fn is_look(class: &str) -> bool {
    if class.starts_with('-') || class.contains(['[', ']', '/', '.', '!', '@', '%', '#', '(']) {
        return true;
    }
    let lower = class.to_lowercase();
    if PLAIN_LOOKS.contains(&lower.as_str()) {
        return true;
    }
    let mut words = lower.split('-');
    let looks = words.next().is_some_and(|first| LOOKS.contains(&first));
    let rest: Vec<&str> = words.collect();
    let how = |word: &&str| HOW.contains(word) || word.bytes().all(|byte| byte.is_ascii_digit());
    looks && !rest.is_empty() && rest.iter().all(how)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_people_chose_last() {
        for name in [
            "buy",
            "add-to-cart",
            "addToCartButton",
            "order_total",
            "productPrice",
            "checkout",
            "price-now",
            "step-2",
            "h1",
            "eBay",
            "Kundenkorb",
            "größe",
            "cart__item--total",
            "btnBuy",
            "newsletter-signup",
            "SKU",
        ] {
            assert!(is_lasting(name), "{name}");
        }
    }

    #[test]
    fn names_that_tools_make_up_do_not() {
        for name in [
            "css-1x2y3z",
            "sc-abc",
            "sc-bdVaJa",
            "kZkTzG",
            "_button_1a2b3_5",
            "Button_root__3xK9a",
            "svelte-1tky8bj",
            "jsx-2871293847",
            "ember453",
            "radix-:r1:",
            ":r3:",
            "«r1»",
            "headlessui-menu-button-1",
            "mat-input-3",
            "ui-id-4",
            "ng-tns-c12-3",
            "post-18273",
            "a3f9c2e1",
            "xkzqtb",
            "yui_3_17_2_1",
            "product-12345",
            "",
            "7",
            "two words",
            "react-aria-4",
            "block-a81b2c",
            "gwt-uid-12",
        ] {
            assert!(!is_lasting(name), "{name}");
        }
    }

    #[test]
    fn classes_that_say_what_something_is() {
        for class in [
            "price",
            "add-to-cart",
            "product-card",
            "btn-buy",
            "order-summary",
            "top-bar",
            "text-price",
            "row-total",
            "col-name",
            "content-main",
            "cart",
            "checkout__button",
            "select-size",
        ] {
            assert!(says_what(class), "{class}");
        }
    }

    #[test]
    fn classes_that_say_how_it_looks_or_how_it_stands() {
        for class in [
            "flex",
            "mt-4",
            "-mt-2",
            "px-6",
            "md:flex",
            "hover:bg-blue-700",
            "text-lg",
            "bg-white",
            "w-1/2",
            "w-[32rem]",
            "col-md-6",
            "d-none",
            "text-center",
            "items-center",
            "justify-between",
            "rounded-full",
            "grid-cols-3",
            "container",
            "row",
            "active",
            "is-open",
            "has-items",
            "btn",
            "btn-primary",
            "btn-lg",
            "font-semibold",
            "min-h-screen",
            "space-y-4",
            "transition-colors",
            "loading",
            "lazyloaded",
            "!mt-0",
            "leading-6",
            "z-10",
        ] {
            assert!(!says_what(class), "{class}");
        }
    }
}
