//! Keeps other web sites out: only the console's own names, only its own forms, and nothing of it inside other pages.
//!
//! That a form is the console's own is told by its `Origin`, which every browser sends along with a POST and no page can
//! write itself. It is exact to the port, so a page on another port of this machine is another site, which a cookie's
//! SameSite does not know; and it needs no secret in each form. A POST that says none is refused. Sessions' cookies are
//! SameSite=Lax besides, and no GET changes anything but who is in.

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, ORIGIN,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::site::Site;
use crate::console::problem;

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Lets a request through where it may come in, and adds the headers every answer carries.
pub(crate) async fn guard(State(site): State<Site>, request: Request, next: Next) -> Response {
    let mut answer = match refuse(&site, request.method(), request.headers()) {
        Some((status, why)) => problem(status, &why),
        None => next.run(request).await,
    };
    let headers = answer.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    for name in ["cross-origin-opener-policy", "cross-origin-resource-policy"] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static("same-origin"));
    }
    // Pages are for who is in: nothing of them is kept for who comes after.
    let page =
        headers.get(CONTENT_TYPE).is_none_or(|kind| kind.as_bytes().starts_with(b"text/html"));
    if page && !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    answer
}

fn refuse(site: &Site, method: &Method, headers: &HeaderMap) -> Option<(StatusCode, String)> {
    let Some(host) = text(headers, HOST.as_str()).filter(|host| site.is_named(host)) else {
        let why = format!(
            "The console answers to {} only. Open it by that name; a reverse proxy must pass the browser's Host header on.",
            site.expected_host()
        );
        return Some((StatusCode::MISDIRECTED_REQUEST, why));
    };
    if method == Method::GET || method == Method::HEAD {
        return None;
    }
    let same_site = text(headers, "sec-fetch-site").is_none_or(|from| from == "same-origin");
    let own = text(headers, ORIGIN.as_str()).is_some_and(|origin| site.is_own(origin, host));
    if same_site && own {
        return None;
    }
    let why = "This form was sent from another site. Open the console, and do it there.";
    Some((StatusCode::FORBIDDEN, why.to_owned()))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Headers = [(&'static str, &'static str)];

    fn refused(method: &Method, headers: &Headers) -> Option<u16> {
        let site = Site::new("127.0.0.1:4001".parse().unwrap(), None).unwrap();
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        refuse(&site, method, &headers.collect()).map(|(status, _)| status.as_u16())
    }

    #[test]
    fn only_the_consoles_own_names_get_in() {
        assert_eq!(refused(&Method::GET, &[("host", "localhost:4001")]), None);
        assert_eq!(refused(&Method::GET, &[("host", "evil.example:4001")]), Some(421));
        assert_eq!(refused(&Method::GET, &[]), Some(421));
    }

    #[test]
    fn forms_come_from_the_console_itself() {
        let local = ("host", "localhost:4001");
        let own = ("origin", "http://localhost:4001");
        let table: [(&Headers, Option<u16>); 10] = [
            (&[local, own], None),
            (&[local, own, ("sec-fetch-site", "same-origin")], None),
            (&[local], Some(403)),
            (&[local, ("sec-fetch-site", "same-origin")], Some(403)),
            (&[local, ("origin", "http://localhost:4002")], Some(403)),
            (&[local, ("origin", "http://127.0.0.1:4001")], Some(403)),
            (&[local, ("origin", "http://evil.example")], Some(403)),
            (&[local, ("origin", "null")], Some(403)),
            (&[local, own, ("sec-fetch-site", "same-site")], Some(403)),
            (&[local, own, ("sec-fetch-site", "cross-site")], Some(403)),
        ];
        for (headers, status) in table {
            assert_eq!(refused(&Method::POST, headers), status, "{headers:?}");
        }
    }
}
