//! Which market and which service a path means.

use crate::encode::Market;

/// What a path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service<'a> {
    /// A combined stream; names are in the query.
    Combined,
    /// A raw stream; names are here, separated by slashes.
    Raw(&'a str),
    /// A REST call below the version of the API.
    Rest(&'a str),
}

/// The market and the service of a path, if there is one.
pub(super) fn route(path: &str) -> Option<(Market, Service<'_>)> {
    if let Some(rest) = path.strip_prefix("/spot") {
        let service = rest.strip_prefix("/api/v3/").map(Service::Rest);
        return Some((Market::Spot, service.or_else(|| stream(rest))?));
    }
    let rest = path.strip_prefix("/usdm")?;
    let call = rest.strip_prefix("/fapi/v1/");
    let call = call.or_else(|| {
        let newer = rest.strip_prefix("/fapi/v2/");
        newer.filter(|call| *call == "positionRisk")
    });
    if let Some(call) = call {
        return Some((Market::UsdFutures, Service::Rest(call)));
    }
    // The venue splits its streams over these paths; the plain path still works here.
    let split = ["/public", "/market"];
    let rest = split
        .iter()
        .find_map(|part| rest.strip_prefix(part))
        .unwrap_or(rest);
    Some((Market::UsdFutures, stream(rest)?))
}

fn stream(path: &str) -> Option<Service<'_>> {
    match path {
        "/stream" => Some(Service::Combined),
        "/ws" => Some(Service::Raw("")),
        _ => path.strip_prefix("/ws/").map(Service::Raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_where_they_should() {
        let spot = |service| Some((Market::Spot, service));
        let futures = |service| Some((Market::UsdFutures, service));
        assert_eq!(route("/spot/stream"), spot(Service::Combined));
        assert_eq!(
            route("/spot/ws/a@trade/b@depth"),
            spot(Service::Raw("a@trade/b@depth"))
        );
        assert_eq!(route("/spot/api/v3/depth"), spot(Service::Rest("depth")));
        assert_eq!(route("/usdm/fapi/v1/time"), futures(Service::Rest("time")));
        assert_eq!(route("/usdm/public/stream"), futures(Service::Combined));
        assert_eq!(route("/usdm/ws"), futures(Service::Raw("")));
        let newer = "/usdm/fapi/v2/positionRisk";
        assert_eq!(route(newer), futures(Service::Rest("positionRisk")));
        assert_eq!(route("/usdm/fapi/v2/depth"), None);
        assert_eq!(route("/usdm/api/v3/depth"), None);
        assert_eq!(route("/"), None);
    }
}
