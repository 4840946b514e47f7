//! The routes.

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::middleware;
use axum::response::{Redirect, Response};
use axum::routing::get;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use crate::answers::Answer;
use crate::api::{Params, alerts, events, logs, meta, now, series, snapshot, table, traffic};
use crate::app::App;
use crate::error::ApiError;
use crate::guard::{self, Names};
use crate::{batch, headers, operation, pages};

/// Returns the router of all requests of `app`.
pub fn router(app: App) -> Router {
    let base = app.settings.base_path.clone();
    let names = Names::new(app.settings.listen, &app.settings.allowed_hosts);
    let at = |path: &str| format!("{base}{path}");
    let api = |path: &str| format!("{base}api/v1/{path}");
    let in_batches = Router::new()
        .route("/series", get(get_series))
        .route("/table/{name}", get(get_table))
        .route("/logs", get(get_logs))
        .route("/alerts", get(get_alerts))
        .route("/bands", get(get_bands))
        .route("/traffic/{question}", get(get_traffic))
        .fallback(async || ApiError::NotFound("nothing is here"))
        .with_state(app.clone());
    let get_batch = async move |RawQuery(query): RawQuery| {
        batch::batch(in_batches.clone(), query.as_deref()).await
    };
    let mut router = Router::new()
        .route(&api("meta"), get(get_meta))
        .route(&api("texts"), get(get_texts))
        .route(&api("now"), get(get_now))
        .route(&api("series"), get(get_series))
        .route(&api("table/{name}"), get(get_table))
        .route(&api("logs"), get(get_logs))
        .route(&api("alerts"), get(get_alerts))
        .route(&api("snapshot"), get(get_snapshot))
        .route(&api("compare"), get(get_compare))
        .route(&api("bands"), get(get_bands))
        .route(&api("traffic/{question}"), get(get_traffic))
        .route(&api("batch"), get(get_batch))
        .route(&api("events"), get(get_events))
        .route(&at(""), get(pages::index))
        .route(&at("v/{*view}"), get(pages::index))
        .route(&at("assets/{*path}"), get(pages::asset))
        .route(&at("healthz"), get(operation::healthz))
        .route(&at("readyz"), get(operation::readyz))
        .route(&at("metrics"), get(operation::metrics));
    if base != "/" {
        let to_base = move || async move { Redirect::temporary(&base) };
        router = router
            .route("/", get(to_base.clone()))
            .route("/healthz", get(operation::healthz))
            .route("/readyz", get(operation::readyz))
            .route("/metrics", get(operation::metrics));
        let bare = app.settings.base_path.trim_end_matches('/');
        router = router.route(bare, get(to_base));
    }
    router
        .fallback(async || ApiError::NotFound("nothing is here"))
        .method_not_allowed_fallback(async || ApiError::Method)
        .with_state(app.clone())
        .layer(middleware::from_fn_with_state(app, operation::observe))
        .layer(middleware::from_fn_with_state(names, guard::check))
        .layer(middleware::from_fn(headers::harden))
        // Compression makes answers of the API five times smaller. Pages are compressed already, and an event stream
        // has to go out line by line.
        .layer(CompressionLayer::new().quality(CompressionLevel::Default))
}

async fn get_meta(State(app): State<App>, headers: HeaderMap) -> Result<Response, ApiError> {
    let answer = Answer::new(&meta::meta(&app).await?)?;
    Ok(answer.respond(&headers, app.now()))
}

async fn get_texts(State(app): State<App>, headers: HeaderMap) -> Result<Response, ApiError> {
    Ok(Answer::new(&meta::texts())?.respond(&headers, app.now()))
}

async fn get_now(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let params = Params::parse(query.as_deref())?;
    let answer = now::answer(now::now(&app, &params).await?)?;
    Ok(answer.respond(&headers, app.now()))
}

async fn get_series(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let params = Params::parse(query.as_deref())?;
    let answer = series::series(&app, &params).await?;
    Ok(answer.respond(&headers, app.now()))
}

async fn get_table(
    State(app): State<App>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let params = Params::parse(query.as_deref())?;
    table::table(&app, &name, &params, &headers).await
}

async fn get_traffic(
    State(app): State<App>,
    Path(question): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let params = Params::parse(query.as_deref())?;
    traffic::traffic(&app, &question, &params, &headers).await
}

async fn get_logs(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let params = Params::parse(query.as_deref())?;
    logs::logs(&app, &params, &headers).await
}

async fn get_alerts(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let params = Params::parse(query.as_deref())?;
    let answer = alerts::alerts(&app, &params).await?;
    Ok(answer.respond(&headers, app.now()))
}

async fn get_snapshot(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let params = Params::parse(query.as_deref())?;
    snapshot::snapshot(&app, &params, &headers).await
}

async fn get_compare(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let params = Params::parse(query.as_deref())?;
    let answer = snapshot::compare(&app, &params).await?;
    Ok(answer.respond(&headers, app.now()))
}

async fn get_bands(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let params = Params::parse(query.as_deref())?;
    let answer = snapshot::bands(&app, &params).await?;
    Ok(answer.respond(&headers, app.now()))
}

async fn get_events(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let params = Params::parse(query.as_deref())?;
    events::events(&app, &params)
}
