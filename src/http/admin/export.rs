//! Lists as CSV and NDJSON, streamed page by page: the memory that an export takes does not grow with it.

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use futures_util::stream;
use serde::Serialize;

use super::granted::Format;
use super::problem::Problem;
use crate::domain::csv::line;
use crate::service::admin::Refusal;
use crate::service::admin::paging::{Page, PageRequest};

/// A row that can be exported.
pub(crate) trait Exported: Serialize {
    /// Names of the columns.
    const COLUMNS: &'static [&'static str];
    /// Texts of the columns.
    fn cells(&self) -> Vec<String>;
}

/// Streams all rows from `request` on. The first page is read before the answer begins, so that what fails there is a
/// problem; what fails later breaks the body off, which the client sees.
///
/// # Errors
/// Those of the first page.
pub(crate) async fn rows<T, E: Exported>(
    format: Format,
    request: PageRequest,
    mut load: impl AsyncFnMut(PageRequest) -> Result<Page<T>, Refusal> + 'static,
    view: impl Fn(&T) -> E + 'static,
) -> Result<HttpResponse, Problem>
where
    T: 'static,
{
    let first = load(request.clone()).await?;
    let head = match format {
        Format::Csv => line(E::COLUMNS),
        Format::Json | Format::Ndjson => String::new(),
    };
    let start = (Some(first), head, load, view);
    let body = stream::try_unfold(start, move |(page, mut text, mut load, view)| {
        let request = request.clone();
        async move {
            let Some(page) = page else { return Ok::<_, Refusal>(None) };
            for row in &page.rows {
                text.push_str(&print(format, &view(row)));
            }
            let next = match page.next {
                Some(position) => {
                    let request = PageRequest { position: Some(position), ..request };
                    Some(load(request).await.inspect_err(|error| log::error!("an export breaks off: {error}"))?)
                }
                None => None,
            };
            Ok(Some((Bytes::from(text), (next, String::new(), load, view))))
        }
    });
    let content_type = match format {
        Format::Csv => "text/csv; charset=utf-8; header=present",
        Format::Json | Format::Ndjson => "application/x-ndjson",
    };
    Ok(HttpResponse::Ok().content_type(content_type).streaming(Box::pin(body)))
}

fn print<E: Exported>(format: Format, row: &E) -> String {
    match format {
        Format::Csv => line(&row.cells()),
        // A row is a struct with text keys, whose serialization cannot fail.
        Format::Json | Format::Ndjson => serde_json::to_string(row).unwrap_or_default() + "\n",
    }
}
