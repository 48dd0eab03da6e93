//! The bytes of a body: their number and the time they take to come are bounded.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{Bytes, BytesMut};
use futures_util::StreamExt as _;

use crate::http::deadline::within;

/// Why a body was not read. The rest of it is not read either, so that the connection has to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It is larger than so many bytes.
    TooLarge(usize),
    /// It did not come in time.
    TooSlow,
    /// It broke off, or its transfer coding is wrong.
    Broken,
}

/// actix refuses a length that is no number or stands twice.
pub(crate) fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// Reads a whole body of at most `most` bytes. What is declared is compared, but never reserved.
pub(crate) async fn read(
    mut payload: Payload,
    declared: Option<u64>,
    most: usize,
    limit: Duration,
) -> Result<Bytes, Unread> {
    let too_large = Unread::TooLarge(most);
    if declared.is_some_and(|length| length > most as u64) {
        return Err(too_large);
    }
    let collect = async {
        // Most bodies come in one piece, which then needs no copy.
        let Some(first) = payload.next().await else { return Ok(Bytes::new()) };
        let first = first.map_err(broken)?;
        if first.len() > most {
            return Err(too_large);
        }
        let Some(mut next) = payload.next().await else { return Ok(first) };
        let mut all = BytesMut::from(first);
        loop {
            let piece = next.map_err(broken)?;
            if all.len() + piece.len() > most {
                return Err(too_large);
            }
            all.extend_from_slice(&piece);
            match payload.next().await {
                Some(piece) => next = piece,
                None => return Ok(all.freeze()),
            }
        }
    };
    within(limit, collect).await.unwrap_or(Err(Unread::TooSlow))
}

fn broken(error: actix_web::error::PayloadError) -> Unread {
    log::debug!("a body broke off: {error}");
    Unread::Broken
}
