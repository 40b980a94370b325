//! The Gateway API types this project uses, re-exported once.

pub use gateway_api::httproutes::{
    HttpRoute, HttpRouteParentRefs, HttpRouteRules, HttpRouteRulesBackendRefs,
    HttpRouteRulesMatches, HttpRouteRulesMatchesHeaders, HttpRouteRulesMatchesHeadersType,
    HttpRouteSpec, HttpRouteStatus, HttpRouteStatusParents, HttpRouteStatusParentsParentRef,
};
