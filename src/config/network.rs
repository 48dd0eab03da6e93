//! CIDR blocks of `ROLLCALL_TRUSTED_PROXIES`.

use std::net::IpAddr;

/// A block of addresses of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// Reads `10.0.0.0/8`; an address alone is a block of one.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr =
            address.parse().map_err(|_| format!("`{text}` is no network; write it like 10.0.0.0/8 or 192.0.2.7"))?;
        let most = bits(address);
        let prefix = match prefix {
            None => most,
            Some(p) => match p.parse() {
                Ok(n) if n <= most => n,
                _ => return Err(format!("`{text}` is no network: the part after / must be 0 to {most}")),
            },
        };
        Ok(Network { address, prefix })
    }

    /// Whether an address lies in the block. An IPv4 address in IPv6 clothes (`::ffff:10.0.0.1`) counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let shift = bits(self.address) - self.prefix;
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => shift == 32 || (a.to_bits() ^ b.to_bits()) >> shift == 0,
            (IpAddr::V6(a), IpAddr::V6(b)) => shift == 128 || (a.to_bits() ^ b.to_bits()) >> shift == 0,
            _ => false,
        }
    }
}

fn bits(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_holds_its_addresses_and_no_other() {
        let cases = [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/33", "2001:db8:7fff::1", true),
            ("2001:db8::/33", "2001:db8:8000::1", false),
        ];
        for (block, address, expected) in cases {
            let network = Network::parse(block).unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), expected, "{block} {address}");
        }
    }

    #[test]
    fn anything_else_is_no_network() {
        for text in ["", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "localhost", "10.0.0/8"] {
            assert!(Network::parse(text).is_err(), "{text}");
        }
    }
}
