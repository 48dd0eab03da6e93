//! A DNS server that knows what tests tell it: TXT records over UDP, for the whole process.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Mutex, OnceLock};

type Records = Mutex<HashMap<String, Vec<String>>>;

static RECORDS: OnceLock<Records> = OnceLock::new();
static ADDRESS: OnceLock<SocketAddr> = OnceLock::new();

fn records() -> &'static Records {
    RECORDS.get_or_init(Records::default)
}

/// Where it listens.
pub(crate) fn dns_server() -> SocketAddr {
    *ADDRESS.get_or_init(|| {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let address = socket.local_addr().expect("an address");
        std::thread::spawn(move || {
            let mut buffer = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let _ = socket.send_to(&answer(&buffer[..length]), from);
            }
        });
        address
    })
}

/// Gives a name its TXT records.
pub(crate) fn set_txt(name: &str, texts: &[&str]) {
    let texts = texts.iter().map(|text| (*text).to_owned()).collect();
    records().lock().expect("no test panicked with it").insert(name.to_lowercase(), texts);
}

/// One question, whose name ends with an empty label (RFC 1035 §4.1).
fn answer(query: &[u8]) -> Vec<u8> {
    let (mut at, mut labels) = (12, Vec::new());
    while query[at] != 0 {
        let length = usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..=at + length]).to_lowercase());
        at += length + 1;
    }
    let question = &query[12..at + 5];
    let found = records().lock().expect("no test panicked with it").get(&labels.join(".")).cloned();
    let texts = found.clone().unwrap_or_default();
    let mut reply = query[..2].to_vec();
    reply.extend([
        0x85,
        if found.is_some() { 0x80 } else { 0x83 },
        0,
        1,
        0,
        u8::try_from(texts.len()).expect("few"),
        0,
        0,
        0,
        0,
    ]);
    reply.extend(question);
    for text in texts {
        // In two parts, as long records come.
        let (first, second) = text.split_at(text.len() / 2);
        let parts: Vec<u8> =
            [first, second].iter().flat_map(|part| [&[part.len() as u8], part.as_bytes()].concat()).collect();
        reply.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0, 0, parts.len() as u8]);
        reply.extend(parts);
    }
    reply
}
