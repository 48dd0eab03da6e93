//! `ROLLCALL_PUBLIC_URL`: the base of every URL we print. It comes from settings only, never from a request's `Host`.

use std::net::IpAddr;

/// A base URL in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PublicUrl {
    pub(super) text: String,
    pub(super) https: bool,
    pub(super) loopback: bool,
}

/// Reads a base URL; a `/` at its end is dropped.
pub(super) fn parse(text: &str) -> Result<PublicUrl, String> {
    let shape = "write it like https://rollcall.example.com";
    let text = text.trim_end_matches('/');
    let (scheme, rest) = text.split_once("://").ok_or_else(|| format!("`{text}` is no URL; {shape}"))?;
    let https = match scheme.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return Err(format!("the scheme must be https or http, not {scheme}; {shape}")),
    };
    if rest.contains(['?', '#', '@', '\\', '"', '<', '>']) || rest.chars().any(|c| c.is_whitespace() || c.is_control())
    {
        return Err(format!(
            "only scheme, host, port and path may stand here, without password, query or blanks; {shape}"
        ));
    }
    let authority = rest.split('/').next().unwrap_or("");
    let host = host(authority).ok_or_else(|| format!("`{authority}` is no host with an optional port; {shape}"))?;
    Ok(PublicUrl { text: text.to_owned(), https, loopback: is_loopback(host) })
}

/// The host of `host`, `host:port`, `[v6]` or `[v6]:port`.
fn host(authority: &str) -> Option<&str> {
    let (host, port) = if let Some(inside) = authority.strip_prefix('[') {
        let (host, after) = inside.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        (host, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
    } else {
        authority.split_once(':').map_or((authority, None), |(h, p)| (h, Some(p)))
    };
    let port_is_fine = port.is_none_or(|p| p.parse::<u16>().is_ok_and(|n| n > 0));
    (!host.is_empty() && port_is_fine).then_some(host)
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|a| a.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_falls_into_scheme_and_host() {
        let cases = [
            ("https://rollcall.example.com", true, false),
            ("https://example.com:8443/rollcall/", true, false),
            ("http://127.0.0.1:8080", false, true),
            ("http://127.9.9.9", false, true),
            ("http://[::1]:8080", false, true),
            ("http://LocalHost:1", false, true),
            ("http://a.localhost", false, true),
            ("http://localhost.example.com", false, false),
            ("http://127.0.0.1.example.com", false, false),
            ("http://0.0.0.0:8080", false, false),
        ];
        for (text, https, loopback) in cases {
            let url = parse(text).unwrap();
            assert_eq!((url.https, url.loopback), (https, loopback), "{text}");
            assert!(!url.text.ends_with('/'), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "example.com",
            "ftp://example.com",
            "https://",
            "https://:80",
            "https://a:b@example.com",
            "https://e.com?x",
            "https://e.com:port",
            "https://e.com:0",
            "https://[::1",
            "https://[example]",
            "https://e xample.com",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
