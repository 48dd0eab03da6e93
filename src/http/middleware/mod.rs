//! What wraps every request: limits, request id, headers of the answer, panics, and the facts for log and metrics. All of it
//! is one layer, because every layer costs a boxed future a request.

mod edge;
mod limits;
mod request_id;

pub use edge::Edge;
pub(crate) use edge::Exchange;
pub(crate) use request_id::RequestIds;
