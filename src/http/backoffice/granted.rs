//! The first argument of every handler: the operator, whose role is open to what the type names.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::http::Shared;
use crate::http::admin::code::Code;
use crate::http::admin::endpoint::Admits;
use crate::http::admin::problem::Problem;
use crate::http::middleware::Exchange;
use crate::service::backoffice::Operator;

/// What a route is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duty {
    /// It changes nothing.
    Read,
    /// It is a deed, which needs a reason.
    Write,
}

/// Names a duty in a handler's signature.
pub(crate) trait Needs {
    /// What the operator's role must be open to.
    const DUTY: Duty;
}

/// `Duty::Read`
pub(crate) struct Reads;
impl Needs for Reads {
    const DUTY: Duty = Duty::Read;
}

/// `Duty::Write`
pub(crate) struct Writes;
impl Needs for Writes {
    const DUTY: Duty = Duty::Write;
}

/// An operator who may do what `N` names.
pub(crate) struct Granted<N> {
    /// Who asks.
    pub(crate) operator: Arc<Operator>,
    /// Database, settings.
    pub(crate) shared: Arc<Shared>,
    names: PhantomData<N>,
}

impl<N: Needs> FromRequest for Granted<N> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let admitted = admit(request, N::DUTY);
        ready(admitted.map(|(operator, shared)| Granted { operator, shared, names: PhantomData }))
    }
}

fn admit(request: &HttpRequest, duty: Duty) -> Result<(Arc<Operator>, Arc<Shared>), Problem> {
    let exchange = Exchange::of(request);
    let exchange = exchange.ok_or_else(|| Problem::internal("a request outside of the edge"))?;
    let operator = exchange.operator.get();
    let operator = operator.ok_or_else(|| Problem::internal("a handler outside of the surface's authentication"))?;
    if duty == Duty::Write && !operator.role.may_write() {
        let problem = Problem::new(Code::PermissionDenied, "This needs the role operator; support only reads.");
        return Err(problem.member("role", "operator"));
    }
    Ok((Arc::clone(operator), Arc::clone(&exchange.shared)))
}

macro_rules! admits {
    ($($argument:ident)*) => {
        impl<N: Needs, $($argument),*> Admits for (Granted<N>, $($argument,)*) {
            type Permission = Duty;
            const PERMISSION: Duty = N::DUTY;
        }
    };
}
admits!(A);
admits!(A B);
admits!(A B C);
admits!(A B C D);
