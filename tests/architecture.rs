//! The layer table of `ARCHITECTURE.md`, held: imports go down only, a crate is named only where its layer may,
//! files stay small, SQL is never built from strings.
//! Reads the sources as text; code behind `#[cfg(test)]` at a file's end does not count.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Layer, the crate's own modules it may name, the external crates it may name besides `std`.
/// A layer is a top module of `src/`; `*` is no limit.
const LAYERS: &[(&str, &[&str], &[&str])] = &[
    (
        "protocol",
        &["protocol"],
        &[
            "serde",
            "serde_json",
            "thiserror",
            "chrono",
            "uuid",
            "unicode_normalization",
            "caseless",
            "scim_v2",
            "base64",
        ],
    ),
    (
        "domain",
        &["domain", "protocol"],
        &[
            "serde",
            "serde_json",
            "thiserror",
            "chrono",
            "uuid",
            "sha2",
            "base64",
            "unicode_normalization",
            "aho_corasick",
        ],
    ),
    ("storage", &["storage", "domain", "protocol"], &["*"]),
    ("service", &["service", "storage", "domain", "protocol", "state", "config"], &["*"]),
    ("config", &["config", "domain", "protocol", "storage"], &["*"]),
    ("state", &["state", "config", "domain", "storage", "telemetry", "service"], &["*"]),
    ("telemetry", &["telemetry", "config", "domain", "state", "storage"], &["*"]),
    ("http", &["http", "service", "state", "config", "domain", "protocol", "telemetry"], &["*"]),
    ("startup", &["*"], &["*"]),
    ("cli", &["*"], &["*"]),
    ("main", &["*"], &["*"]),
    ("lib", &["*"], &["*"]),
];

/// External crates that only some layers may name.
const CONFINED: &[(&str, &[&str])] = &[
    ("diesel", &["storage"]),
    ("diesel_async", &["storage"]),
    ("diesel_migrations", &["storage"]),
    ("tokio_postgres", &["storage"]),
    ("actix_web", &["http", "startup", "telemetry", "main", "cli"]),
    ("hickory_resolver", &["service"]),
    ("clap", &["config", "cli", "main"]),
    ("log", &["storage", "service", "http", "startup", "telemetry", "cli", "main", "state"]),
];

const MOST_LINES: usize = 600;

fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// Every source file with its layer and its text without comments and trailing tests.
fn files() -> Vec<(String, String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&src, &mut paths);
    paths.sort();
    paths
        .into_iter()
        .filter(|p| !p.ends_with("tests.rs") && !p.components().any(|c| c.as_os_str() == "tests"))
        .map(|p| {
            let name = p.strip_prefix(&src).unwrap().to_string_lossy().into_owned();
            let layer = name.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(&p).unwrap();
            let text = text.split("\n#[cfg(test)]\nmod tests").next().unwrap().to_owned();
            let code: String =
                text.lines().filter(|l| !l.trim_start().starts_with("//")).map(|l| format!("{l}\n")).collect();
            (name, layer, code)
        })
        .collect()
}

/// The word in front of each `::` that begins a path: `crate::x` gives `crate/x`, `diesel::y` gives `diesel`.
fn roots(code: &str) -> Vec<String> {
    let bytes = code.as_bytes();
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let mut out = Vec::new();
    for (at, _) in code.match_indices("::") {
        let start = bytes[..at].iter().rposition(|b| !word(*b)).map_or(0, |n| n + 1);
        let first = &code[start..at];
        if first.is_empty() || code[..start].ends_with("::") || code[..start].ends_with('.') {
            continue;
        }
        if first == "crate" || first == "rollcall" {
            let rest = &code[at + 2..];
            if let Some(group) = rest.strip_prefix('{') {
                let mut depth = 0;
                let mut name = String::new();
                for c in group.chars() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => {
                            out.push(format!("crate/{}", name.trim()));
                            name.clear();
                            continue;
                        }
                        _ => {}
                    }
                    if depth == 0 && (c.is_ascii_alphanumeric() || c == '_') && !name.contains(':') {
                        name.push(c);
                    } else if c == ':' && depth == 0 {
                        name.push(':');
                    }
                }
                out.push(format!("crate/{}", name.trim()));
            } else {
                out.push(format!("crate/{}", rest.split(|c: char| !word(c as u8)).next().unwrap_or("")));
            }
        } else {
            out.push(first.to_owned());
        }
    }
    out.iter().map(|n| n.split(':').next().unwrap().to_owned()).collect()
}

#[test]
fn imports_go_down_only() {
    let mut wrong = Vec::new();
    for (name, layer, code) in files() {
        let Some((_, modules, crates)) = LAYERS.iter().find(|(l, ..)| *l == layer) else {
            wrong.push(format!("{name}: layer `{layer}` is not in the table"));
            continue;
        };
        for root in roots(&code) {
            if let Some(module) = root.strip_prefix("crate/") {
                let known = LAYERS.iter().any(|(l, ..)| *l == module);
                if known && !modules.contains(&"*") && !modules.contains(&module) {
                    wrong.push(format!("{name} names crate::{module}"));
                }
            } else if EXTERNAL.contains(&root.as_str()) && !crates.contains(&"*") && !crates.contains(&root.as_str()) {
                wrong.push(format!("{name} names {root}"));
            }
            if let Some((_, layers)) = CONFINED.iter().find(|(c, _)| *c == root)
                && !layers.contains(&layer.as_str())
            {
                wrong.push(format!("{name} names {root}"));
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "imports against the layer table:\n{}", wrong.join("\n"));
}

/// Crates whose names a path may begin with; other first words are types and modules in scope.
const EXTERNAL: &[&str] = &[
    "actix_web",
    "aho_corasick",
    "base64",
    "bytes",
    "caseless",
    "chrono",
    "clap",
    "diesel",
    "diesel_async",
    "diesel_migrations",
    "env_logger",
    "futures_util",
    "getrandom",
    "governor",
    "hickory_resolver",
    "log",
    "lz4_flex",
    "mimalloc",
    "postcard",
    "prometheus_client",
    "ring",
    "rustls",
    "scim_v2",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "tokio",
    "tokio_postgres",
    "toml",
    "unicode_normalization",
    "utoipa",
    "uuid",
    "webpki_roots",
];

#[test]
fn every_dependency_is_known_to_this_test() {
    let manifest: toml::Table =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap().parse().unwrap();
    let unknown: Vec<String> = manifest["dependencies"]
        .as_table()
        .unwrap()
        .keys()
        .map(|k| k.replace('-', "_"))
        .filter(|k| {
            !EXTERNAL.contains(&k.as_str()) && !["libsqlite3_sys", "tokio_postgres_rustls"].contains(&k.as_str())
        })
        .collect();
    assert!(unknown.is_empty(), "add to EXTERNAL: {unknown:?}");
}

#[test]
fn files_stay_small() {
    let long: BTreeMap<String, usize> = files()
        .into_iter()
        .map(|(name, _, code)| (name, code.lines().count()))
        .filter(|(name, lines)| *lines > MOST_LINES && !name.ends_with("schema.rs"))
        .collect();
    assert!(long.is_empty(), "files past {MOST_LINES} lines of code: look for the seam: {long:?}");
}

#[test]
fn files_say_what_they_are_for() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&src, &mut paths);
    let silent: Vec<_> = paths.iter().filter(|p| !fs::read_to_string(p).unwrap().starts_with("//!")).collect();
    assert!(silent.is_empty(), "files without `//!`: {silent:?}");
}

#[test]
fn sql_is_never_built_from_values() {
    let mut wrong = Vec::new();
    for (name, _, code) in files() {
        for (n, line) in code.lines().enumerate() {
            let builds = ["format!(", "write!(", "push_str(&format!"].iter().any(|m| line.contains(m));
            let sql = ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM", " WHERE "].iter().any(|w| line.contains(w));
            if builds && sql && line.contains('{') {
                wrong.push(format!("{name} (code line {}): {}", n + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "SQL built from strings; bind values instead:\n{}", wrong.join("\n"));
}
