//! `rollcall openapi`: prints the OpenAPI document of the admin API. It needs no settings and no database.

use std::process::ExitCode;

use super::{Result, output};
use crate::http::admin::openapi_document;

pub(super) fn run() -> Result<ExitCode> {
    output::line(openapi_document().trim_end())?;
    Ok(ExitCode::SUCCESS)
}
