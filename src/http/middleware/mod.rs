//! What wraps requests. `edge` is around the whole application: limits, request id, headers of the answer, panics, and the
//! facts for log and metrics, all in one layer because every layer costs a boxed future. `authenticate` is around SCIM.

mod authenticate;
mod client;
mod edge;
mod limits;
mod record;
mod request_id;

pub(crate) use authenticate::{Authenticate, presented};
pub use edge::Edge;
pub(crate) use edge::{Cause, Exchange};
pub(crate) use record::keeps_bodies;
pub(crate) use request_id::RequestIds;
