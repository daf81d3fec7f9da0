//! Keeps other web sites out of a console that has no log-in: only loopback host names, and no forms from elsewhere.

use axum::extract::Request;
use axum::http::header::{
    CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Lets a request through where it may come in, and adds the headers every answer carries.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    let mut answer = match refuse(request.method(), request.headers()) {
        Some((status, why)) => (status, why).into_response(),
        None => next.run(request).await,
    };
    let headers = answer.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A page may be stricter.
    headers.entry(REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    answer
}

fn refuse(method: &Method, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
    let host = text(headers, HOST.as_str());
    // A page elsewhere can point its own name at 127.0.0.1 (DNS rebinding); it cannot take the name "localhost".
    if !host.is_some_and(is_loopback) {
        let why =
            "The console answers to localhost and 127.0.0.1 only. Open it by one of these names.\n";
        return Some((StatusCode::MISDIRECTED_REQUEST, why));
    }
    if method == Method::GET || method == Method::HEAD {
        return None;
    }
    let same_site =
        text(headers, "sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    let same_origin =
        text(headers, ORIGIN.as_str()).is_none_or(|origin| origin.strip_prefix("http://") == host);
    if same_site && same_origin {
        return None;
    }
    Some((
        StatusCode::FORBIDDEN,
        "This form was sent from another site. Open the console, and do it there.\n",
    ))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(method: &Method, headers: &[(&'static str, &'static str)]) -> Option<u16> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        refuse(method, &headers.collect()).map(|(status, _)| status.as_u16())
    }

    #[test]
    fn only_loopback_names_get_in() {
        for host in ["localhost:4001", "localhost", "127.0.0.1:4001", "[::1]:4001", "[::1]"] {
            assert_eq!(refused(&Method::GET, &[("host", host)]), None, "{host}");
        }
        for host in [
            "evil.example:4001",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "192.168.0.1",
            "",
        ] {
            assert_eq!(refused(&Method::GET, &[("host", host)]), Some(421), "{host}");
        }
        assert_eq!(refused(&Method::GET, &[]), Some(421));
    }

    #[test]
    fn forms_come_from_the_console_itself() {
        let local = ("host", "localhost:4001");
        type Headers = [(&'static str, &'static str)];
        let table: [(&Headers, Option<u16>); 6] = [
            (&[local], None),
            (
                &[local, ("origin", "http://localhost:4001"), ("sec-fetch-site", "same-origin")],
                None,
            ),
            (&[local, ("origin", "http://localhost:4002")], Some(403)),
            (&[local, ("origin", "http://evil.example")], Some(403)),
            (&[local, ("origin", "null")], Some(403)),
            (&[local, ("sec-fetch-site", "cross-site")], Some(403)),
        ];
        for (headers, status) in table {
            assert_eq!(refused(&Method::POST, headers), status, "{headers:?}");
        }
    }
}
