//! An example site: a few plain pages of a shop, to click through and see the visit appear.
//!
//! Its pages load the tracker of `pqcrypta-analytics` from the address that the site is started with. They have what a site has:
//! links between pages, one to another site, a download, a form, an event of its own, and addresses that do not exist.

use std::convert::Infallible;
use std::time::Duration;

use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Name of the site in the configuration.
pub const DOMAIN: &str = "shop.example";
/// Longest time a connection stays.
const CONNECTION: Duration = Duration::from_secs(30);

/// Path, title and text of each page.
const PAGES: &[(&str, &str, &str)] = &[
    (
        "/",
        "Kettle and Sons",
        "<p>Kettles since 1887. <a href=\"/kettles/\">See all kettles</a> or read <a href=\"/about/\">who we are</a>.</p>",
    ),
    (
        "/kettles/",
        "Kettles",
        "<ul><li><a href=\"/kettles/copper/\">Copper kettle</a></li><li><a href=\"/kettles/steel/\">Steel kettle</a></li></ul>\
         <p><a href=\"/catalogue.pdf\" download>Download the catalogue</a></p>",
    ),
    (
        "/kettles/copper/",
        "Copper kettle",
        "<p>Two litres, hand-beaten.</p><p><button data-event=\"add to cart\" data-event-item=\"copper\">Add to cart</button></p>\
         <p><a href=\"/cart/\">Go to the cart</a></p>",
    ),
    (
        "/kettles/steel/",
        "Steel kettle",
        "<p>One litre, for one person.</p><p><button data-event=\"add to cart\" data-event-item=\"steel\">Add to cart</button></p>\
         <p><a href=\"/cart/\">Go to the cart</a></p>",
    ),
    (
        "/cart/",
        "Cart",
        "<form id=\"order\" action=\"/thanks/\"><button>Order</button></form>",
    ),
    (
        "/thanks/",
        "Thank you",
        "<p>Your kettle is on its way. <a href=\"/\">Home</a></p>",
    ),
    (
        "/about/",
        "About us",
        "<p>We mend what we sell. More about kettles at <a href=\"https://en.wikipedia.org/wiki/Kettle\">Wikipedia</a>, \
         and a <a href=\"/stove/\">page that does not exist</a>.</p>",
    ),
];

/// Returns status and page of a path.
#[must_use]
pub fn page(path: &str, tracker: &str) -> (StatusCode, String) {
    let found = PAGES.iter().find(|(known, ..)| *known == path);
    let (status, title, text) = match found {
        Some((_, title, text)) => (StatusCode::OK, *title, *text),
        None => (
            StatusCode::NOT_FOUND,
            "Not found",
            "<p>There is no such page. <a href=\"/\">Home</a></p>",
        ),
    };
    // The tracker is silent on this machine's own address unless it is told that this is a test.
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <script defer src=\"{tracker}\" data-site=\"{DOMAIN}\" data-test></script>\n</head>\n<body>\n<h1>{title}</h1>\n{text}\n\
         <hr>\n<p><a href=\"/\">Home</a> · <a href=\"/kettles/\">Kettles</a> · <a href=\"/cart/\">Cart</a> · \
         <a href=\"/about/\">About us</a></p>\n</body>\n</html>\n"
    );
    (status, page)
}

/// Serves the site until it is dropped; `tracker` is the address of the tracker.
///
/// # Errors
/// When the listener fails.
pub async fn serve_site(listener: TcpListener, tracker: String) -> std::io::Result<Infallible> {
    let tracker: std::sync::Arc<str> = tracker.into();
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        while connections.try_join_next().is_some() {}
        let tracker = std::sync::Arc::clone(&tracker);
        connections.spawn(async move {
            let answer = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let answer = answer(request.uri().path(), &tracker);
                async move { Ok::<_, Infallible>(answer) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), answer);
            // Who went away has no need of an answer.
            drop(tokio::time::timeout(CONNECTION, connection).await);
        });
    }
}

fn answer(path: &str, tracker: &str) -> Response<String> {
    let is_file = path == "/catalogue.pdf";
    let (status, body) = if is_file {
        (StatusCode::OK, "A catalogue.\n".to_owned())
    } else {
        page(path, tracker)
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let kind = if is_file {
        "application/pdf"
    } else {
        "text/html; charset=utf-8"
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_within_the_site_lead_to_pages() {
        for (path, ..) in PAGES {
            let (status, text) = page(path, "http://127.0.0.1:1/pqcrypta-analytics.js");
            assert_eq!(status, StatusCode::OK);
            for link in text
                .split("href=\"")
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
            {
                let is_meant =
                    link.starts_with("https://") || link == "/stove/" || link == "/catalogue.pdf";
                assert!(
                    is_meant || PAGES.iter().any(|(known, ..)| *known == link),
                    "{path} links to {link}"
                );
            }
        }
        assert_eq!(page("/stove/", "").0, StatusCode::NOT_FOUND);
    }
}
