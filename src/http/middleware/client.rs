//! The address of the client. Forwarding fields are believed only as far as configured proxies (`trusted_proxies`) wrote them
//! (RFC 7239 section 8.1; security.md section 8).

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{self, HeaderMap};

use crate::config::Network;

/// The peer, or, where that is a trusted proxy, whom it forwards for. Each proxy adds at the right, so the first address
/// from there that is no trusted proxy's is the client's. A proxy that writes one of `Forwarded` and `X-Forwarded-For`
/// may let the other one through as the client sent it: where they disagree, neither is believed.
pub(crate) fn address(peer: Option<SocketAddr>, headers: &HeaderMap, trusted: &[Network]) -> Option<IpAddr> {
    let peer = peer?.ip().to_canonical();
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(peer) {
        return Some(peer);
    }
    let client = |nodes: Vec<&str>| {
        let mut last = peer;
        for node in nodes.into_iter().rev() {
            // A name or `unknown`: what stands further left nobody vouches for.
            let Some(address) = parse(node) else { return last };
            last = address;
            if !is_trusted(address) {
                return last;
            }
        }
        last
    };
    let (listed, standard) = (nodes_of(headers, "x-forwarded-for"), nodes_of(headers, header::FORWARDED.as_str()));
    let standard: Vec<&str> = standard.into_iter().map(for_node).collect();
    Some(match (listed.is_empty(), standard.is_empty()) {
        (true, true) => peer,
        (false, true) => client(listed),
        (true, false) => client(standard),
        (false, false) => {
            let (listed, standard) = (client(listed), client(standard));
            if listed == standard { listed } else { peer }
        }
    })
}

/// The elements of a list field, which may come in several lines. What is no text is an element that nobody can read.
fn nodes_of<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    headers.get_all(name).flat_map(|value| value.to_str().unwrap_or("?").split(',')).map(str::trim).collect()
}

/// The `for` parameter of an element of `Forwarded`, or nothing.
fn for_node(element: &str) -> &str {
    let parameters = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let node = parameters.filter(|(name, _)| name.eq_ignore_ascii_case("for")).map(|(_, value)| value).next();
    node.unwrap_or_default().trim_matches('"')
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`
fn parse(node: &str) -> Option<IpAddr> {
    let bare = node.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(node);
    let address = bare.parse::<IpAddr>().or_else(|_| node.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn of(peer: &str, fields: &[(&str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|block| Network::parse(block).unwrap());
        let peer = SocketAddr::new(peer.parse().unwrap(), 1);
        address(Some(peer), &headers, &trusted).unwrap().to_string()
    }

    #[test]
    fn the_first_address_from_the_right_that_is_no_proxy_is_the_client() {
        let list = "x-forwarded-for";
        for (peer, fields, expected) in [
            ("192.0.2.1", &[(list, "198.51.100.7")][..], "192.0.2.1"),
            ("192.0.2.1", &[("forwarded", "for=198.51.100.7")], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("::ffff:10.0.0.1", &[(list, "198.51.100.7")], "198.51.100.7"),
            ("10.0.0.1", &[(list, "203.0.113.9, 198.51.100.7")], "198.51.100.7"),
            ("10.0.0.1", &[(list, "203.0.113.9"), (list, "198.51.100.7,10.0.0.2")], "198.51.100.7"),
            ("10.0.0.1", &[(list, "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
            ("10.0.0.1", &[(list, "203.0.113.9, unknown, 10.0.0.2")], "10.0.0.2"),
            ("10.0.0.1", &[(list, "")], "10.0.0.1"),
            ("fd00::1", &[(list, "[2001:db8::1]:4711")], "2001:db8::1"),
            ("10.0.0.1", &[(list, "198.51.100.7:80")], "198.51.100.7"),
            (
                "10.0.0.1",
                &[("forwarded", "For=\"[2001:db8:cafe::17]:4711\";proto=http, for=10.0.0.2;by=x")],
                "2001:db8:cafe::17",
            ),
            ("10.0.0.1", &[("forwarded", "proto=https")], "10.0.0.1"),
            ("10.0.0.1", &[("forwarded", "for=198.51.100.7"), (list, "198.51.100.7")], "198.51.100.7"),
            ("10.0.0.1", &[("forwarded", "for=203.0.113.9"), (list, "198.51.100.7")], "10.0.0.1"),
        ] {
            assert_eq!(of(peer, fields), expected, "{peer} {fields:?}");
        }
    }
}
