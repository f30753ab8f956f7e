//! Who calls Graph, and what is wrong with the token of who does not.

#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) app_id: String,
    pub(crate) service_principal_id: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) roles: Vec<String>,
    pub(crate) scopes: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenProblem {
    Missing,
    Malformed,
    Expired,
    WrongAudience,
    BadSignature,
}
