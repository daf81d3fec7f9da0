//! A small believable shop, to try Beaconry on: products, a basket, a checkout and a newsletter form.

mod basket;
mod capture;
mod products;
mod tags;

use std::future::Future;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use serde::Deserialize;
use tokio::net::TcpListener;

use beaconry_store::{Store, bytes};

use crate::page::{file, go_to, page, page_with};
use crate::snippet::Snippets;
use basket::{Basket, Line};
pub use capture::{newsletter_signed_up, order_placed};
use products::{PRODUCTS, Product};
use tags::Tag;

/// What the shop works on.
#[derive(Clone)]
pub struct Shop {
    /// Where its owner's pasted tags are kept.
    pub store: Arc<Store>,
    /// Makes the code to paste.
    pub snippets: Snippets,
}

/// Serves until `shutdown` is ready, then finishes what is open.
pub async fn run(
    listener: TcpListener,
    shop: Shop,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    if let Err(error) = axum::serve(listener, router(shop)).with_graceful_shutdown(shutdown).await {
        tracing::error!(%error, "the demo shop stopped");
    }
}

/// Pastes the code of every event whose tracking is on into the shop's pages, where nothing was pasted before.
pub fn paste_at_first(shop: &Shop) -> Result<(), String> {
    if tags::pasted(shop)?.is_empty() { tags::paste_all(shop) } else { Ok(()) }
}

fn router(shop: Shop) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/products/{slug}", get(product))
        .route("/basket", get(show_basket).post(change_basket))
        .route("/checkout", get(checkout).post(place_order))
        .route("/thanks/{order}", get(thanks))
        .route("/newsletter", post(sign_up))
        .route("/welcome", get(welcome))
        .route("/owner", get(owner).post(paste))
        .route(
            "/static/shop.css",
            get(async || file("text/css", include_str!("../../static/shop.css"))),
        )
        .fallback(nothing_here)
        .with_state(shop)
}

/// What every page of the shop has: the pasted tags, and how much is in the basket.
struct Frame {
    tags: Vec<Tag>,
    items: u32,
}

impl Frame {
    fn new(shop: &Shop, headers: &HeaderMap) -> Frame {
        Frame { tags: tags::pasted(shop).unwrap_or_default(), items: Basket::of(headers).items() }
    }
}

#[derive(Template)]
#[template(path = "shop/home.html")]
struct Home {
    frame: Frame,
    products: &'static [Product],
}

async fn home(State(shop): State<Shop>, headers: HeaderMap) -> Response {
    page(&Home { frame: Frame::new(&shop, &headers), products: &PRODUCTS })
}

#[derive(Template)]
#[template(path = "shop/product.html")]
struct ProductPage {
    frame: Frame,
    product: &'static Product,
}

async fn product(
    State(shop): State<Shop>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Response {
    match Product::find(&slug) {
        Some(product) => page(&ProductPage { frame: Frame::new(&shop, &headers), product }),
        None => nothing_here(State(shop), headers).await,
    }
}

#[derive(Template)]
#[template(path = "shop/basket.html")]
struct BasketPage {
    frame: Frame,
    lines: Vec<Line>,
    total: String,
}

async fn show_basket(State(shop): State<Shop>, headers: HeaderMap) -> Response {
    let basket = Basket::of(&headers);
    page(&BasketPage {
        frame: Frame::new(&shop, &headers),
        lines: basket.lines(),
        total: basket.total(),
    })
}

#[derive(Debug, Deserialize)]
struct Change {
    product: String,
    count: u32,
}

async fn change_basket(headers: HeaderMap, Form(change): Form<Change>) -> Response {
    let mut basket = Basket::of(&headers);
    basket.set(&change.product, change.count);
    with_basket(go_to("/basket"), &basket)
}

#[derive(Template)]
#[template(path = "shop/checkout.html")]
struct Checkout {
    frame: Frame,
    lines: Vec<Line>,
    total: String,
    categories: String,
    order: String,
}

async fn checkout(State(shop): State<Shop>, headers: HeaderMap) -> Response {
    let basket = Basket::of(&headers);
    if basket.items() == 0 {
        return go_to("/basket");
    }
    let number = u32::from_le_bytes(bytes().unwrap_or_default()) % 900_000 + 100_000;
    page(&Checkout {
        frame: Frame::new(&shop, &headers),
        lines: basket.lines(),
        total: basket.total(),
        categories: basket.categories(),
        order: format!("L-{number}"),
    })
}

#[derive(Debug, Deserialize)]
struct Order {
    order: String,
}

async fn place_order(Form(order): Form<Order>) -> Response {
    let plain: String = order
        .order
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-')
        .collect();
    with_basket(go_to(&format!("/thanks/{plain}")), &Basket::default())
}

#[derive(Template)]
#[template(path = "shop/said.html")]
struct Said {
    frame: Frame,
    title: String,
    text: String,
}

async fn thanks(
    State(shop): State<Shop>,
    Path(order): Path<String>,
    headers: HeaderMap,
) -> Response {
    page(&Said {
        frame: Frame::new(&shop, &headers),
        title: "Thank you".to_owned(),
        text: format!(
            "Your order {order} is on its way. This is a demo, so nothing was charged and nothing will come."
        ),
    })
}

/// The address is not even looked at: this is a demo.
async fn sign_up() -> Response {
    go_to("/welcome")
}

async fn welcome(State(shop): State<Shop>, headers: HeaderMap) -> Response {
    page(&Said {
        frame: Frame::new(&shop, &headers),
        title: "You are on the list".to_owned(),
        text: "One letter a month, about light. This is a demo, so none will come.".to_owned(),
    })
}

#[derive(Template)]
#[template(path = "shop/owner.html")]
struct Owner {
    frame: Frame,
    problem: Option<String>,
}

async fn owner(State(shop): State<Shop>, headers: HeaderMap) -> Response {
    page(&Owner { frame: Frame::new(&shop, &headers), problem: None })
}

async fn paste(State(shop): State<Shop>, headers: HeaderMap) -> Response {
    match tags::paste_all(&shop) {
        Ok(()) => go_to("/owner"),
        Err(why) => page_with(
            StatusCode::INTERNAL_SERVER_ERROR,
            &Owner { frame: Frame::new(&shop, &headers), problem: Some(why) },
        ),
    }
}

async fn nothing_here(State(shop): State<Shop>, headers: HeaderMap) -> Response {
    page_with(
        StatusCode::NOT_FOUND,
        &Said {
            frame: Frame::new(&shop, &headers),
            title: "Nothing here".to_owned(),
            text: "This page does not exist. The lamps are on the first page.".to_owned(),
        },
    )
}

fn with_basket(answer: Response, basket: &Basket) -> Response {
    let cookie =
        HeaderValue::from_str(&basket.cookie()).unwrap_or(HeaderValue::from_static("basket="));
    (([(header::SET_COOKIE, cookie)]), answer).into_response()
}
