//! The licence, ban and source policy of `deny.toml`, held against what Cargo really links.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn policy() -> toml::Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deny.toml");
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// An SPDX expression as the registry writes them: `OR` needs one side, `AND` all, parentheses group.
fn permitted(expression: &str, allowed: &[&str]) -> bool {
    let expression = expression.replace('/', " OR ");
    let expression = expression.trim();
    let split = |word: &str| -> Option<Vec<String>> {
        let (mut depth, mut parts, mut start) = (0, Vec::new(), 0);
        for (at, c) in expression.char_indices() {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ if depth == 0 && expression[at..].starts_with(word) => {
                    parts.push(expression[start..at].to_owned());
                    start = at + word.len();
                }
                _ => {}
            }
        }
        parts.push(expression[start..].to_owned());
        (parts.len() > 1).then_some(parts)
    };
    if let Some(parts) = split(" OR ") {
        return parts.iter().any(|p| permitted(p, allowed));
    }
    if let Some(parts) = split(" AND ") {
        return parts.iter().all(|p| permitted(p, allowed));
    }
    match expression.strip_prefix('(').and_then(|e| e.strip_suffix(')')) {
        Some(inner) => permitted(inner, allowed),
        None => allowed.contains(&expression),
    }
}

#[test]
fn every_licence_is_permitted() {
    let policy = policy();
    let allowed: Vec<&str> =
        policy["licenses"]["allow"].as_array().unwrap().iter().map(|l| l.as_str().unwrap()).collect();
    let wrong: Vec<String> = packages()
        .iter()
        .filter(|p| !permitted(p["license"].as_str().unwrap_or("none"), &allowed))
        .map(|p| format!("{} {}: {}", p["name"], p["version"], p["license"]))
        .collect();
    assert!(wrong.is_empty(), "licences outside deny.toml:\n{}", wrong.join("\n"));
}

#[test]
fn no_banned_crate_and_no_foreign_source() {
    let policy = policy();
    let banned: Vec<&str> =
        policy["bans"]["deny"].as_array().unwrap().iter().map(|b| b["crate"].as_str().unwrap()).collect();
    for package in packages() {
        let name = package["name"].as_str().unwrap();
        assert!(!banned.contains(&name), "{name} is banned");
        if let Some(source) = package["source"].as_str() {
            assert!(source.starts_with("registry+"), "{name} comes from {source}");
        }
    }
}

#[test]
fn expressions_are_understood() {
    let allowed = ["MIT", "Apache-2.0"];
    assert!(permitted("MIT OR GPL-3.0", &allowed));
    assert!(permitted("(MIT OR GPL-3.0) AND Apache-2.0", &allowed));
    assert!(permitted("GPL-3.0/MIT", &allowed));
    assert!(!permitted("MIT AND GPL-3.0", &allowed));
    assert!(!permitted("GPL-3.0-or-later", &allowed));
}
