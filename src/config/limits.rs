//! `[limits]` of the settings file: every bound by its name. Counts and bytes are whole numbers, times are seconds
//! (`0.25`, `10`) or texts with a unit (`"250ms"`, `"10s"`, `"5m"`).

use std::time::Duration;

use super::table::nearest;
use crate::protocol::policy;

/// Bounds of `[limits]` in the settings file (security.md section 9).
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bounds the engine keeps.
    pub protocol: policy::Limits,
    /// Bytes of a body.
    pub body_bytes: usize,
    /// Bytes of all header fields.
    pub header_bytes: usize,
    /// Bytes of the request line.
    pub request_line_bytes: usize,
    /// Time to receive the headers.
    pub header_timeout: Duration,
    /// Time to receive the body.
    pub body_timeout: Duration,
    /// Time a handler may take.
    pub handler_timeout: Duration,
    /// Longest run of one statement.
    pub statement_timeout: Duration,
    /// Idle time of a kept-alive connection.
    pub keep_alive: Duration,
    /// Open connections.
    pub connections: usize,
    /// Requests in work at once.
    pub in_flight: usize,
    /// Longest wait for a database connection.
    pub pool_wait: Duration,
    /// Requests a second for one SCIM token.
    pub token_rate: u32,
    /// Requests above the rate that may come at once.
    pub token_burst: u32,
    /// Requests a minute for one credential of the admin API.
    pub api_rate: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            protocol: policy::Limits::default(),
            body_bytes: 1024 * 1024,
            header_bytes: 64 * 1024,
            request_line_bytes: 16 * 1024,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            handler_timeout: Duration::from_secs(30),
            statement_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(60),
            connections: 25_000,
            in_flight: 1_000,
            pool_wait: Duration::from_secs(2),
            token_rate: 100,
            token_burst: 500,
            api_rate: 600,
        }
    }
}

/// Where a bound is kept.
enum Slot<'a> {
    Count(&'a mut usize),
    Rate(&'a mut u32),
    Time(&'a mut Duration),
}

const NAMES: &[&str] = &[
    "json_depth",
    "object_members",
    "attribute_values",
    "group_members",
    "string_bytes",
    "resource_bytes",
    "user_name_characters",
    "filter_bytes",
    "filter_depth",
    "filter_terms",
    "patch_operations",
    "page_most",
    "page_default",
    "body_bytes",
    "header_bytes",
    "request_line_bytes",
    "header_timeout",
    "body_timeout",
    "handler_timeout",
    "statement_timeout",
    "keep_alive",
    "connections",
    "in_flight",
    "pool_wait",
    "token_rate",
    "token_burst",
    "api_rate",
];

impl Limits {
    /// Takes over what the table says; answers what is wrong with it.
    pub(super) fn apply(&mut self, table: &toml::Table) -> Vec<String> {
        let mut problems = Vec::new();
        for (key, value) in table {
            let Some(slot) = self.slot(key) else {
                let hint = nearest(key, NAMES.iter().copied());
                problems.push(format!("limits.{key}: there is no such limit{hint}"));
                continue;
            };
            if let Err(text) = slot.set(value) {
                problems.push(format!("limits.{key}: {text}"));
            }
        }
        if self.protocol.page_default > self.protocol.page_most {
            problems.push("limits.page_default: must not be more than limits.page_most".to_owned());
        }
        problems
    }

    fn slot(&mut self, key: &str) -> Option<Slot<'_>> {
        let protocol = &mut self.protocol;
        Some(match key {
            "json_depth" => Slot::Count(&mut protocol.json_depth),
            "object_members" => Slot::Count(&mut protocol.object_members),
            "attribute_values" => Slot::Count(&mut protocol.attribute_values),
            "group_members" => Slot::Count(&mut protocol.group_members),
            "string_bytes" => Slot::Count(&mut protocol.string_bytes),
            "resource_bytes" => Slot::Count(&mut protocol.resource_bytes),
            "user_name_characters" => Slot::Count(&mut protocol.user_name_characters),
            "filter_bytes" => Slot::Count(&mut protocol.filter_bytes),
            "filter_depth" => Slot::Count(&mut protocol.filter_depth),
            "filter_terms" => Slot::Count(&mut protocol.filter_terms),
            "patch_operations" => Slot::Count(&mut protocol.patch_operations),
            "page_most" => Slot::Count(&mut protocol.page_most),
            "page_default" => Slot::Count(&mut protocol.page_default),
            "body_bytes" => Slot::Count(&mut self.body_bytes),
            "header_bytes" => Slot::Count(&mut self.header_bytes),
            "request_line_bytes" => Slot::Count(&mut self.request_line_bytes),
            "header_timeout" => Slot::Time(&mut self.header_timeout),
            "body_timeout" => Slot::Time(&mut self.body_timeout),
            "handler_timeout" => Slot::Time(&mut self.handler_timeout),
            "statement_timeout" => Slot::Time(&mut self.statement_timeout),
            "keep_alive" => Slot::Time(&mut self.keep_alive),
            "connections" => Slot::Count(&mut self.connections),
            "in_flight" => Slot::Count(&mut self.in_flight),
            "pool_wait" => Slot::Time(&mut self.pool_wait),
            "token_rate" => Slot::Rate(&mut self.token_rate),
            "token_burst" => Slot::Rate(&mut self.token_burst),
            "api_rate" => Slot::Rate(&mut self.api_rate),
            _ => return None,
        })
    }
}

impl Slot<'_> {
    fn set(self, value: &toml::Value) -> Result<(), String> {
        match self {
            Slot::Count(place) => *place = whole(value)?,
            Slot::Rate(place) => *place = whole(value)?,
            Slot::Time(place) => *place = time(value)?,
        }
        Ok(())
    }
}

fn whole<T: TryFrom<i64>>(value: &toml::Value) -> Result<T, String> {
    let number = value.as_integer().filter(|n| *n > 0).and_then(|n| T::try_from(n).ok());
    number.ok_or_else(|| "must be a whole number above 0".to_owned())
}

fn time(value: &toml::Value) -> Result<Duration, String> {
    let seconds = match value {
        toml::Value::Integer(n) => u32::try_from(*n).ok().map(f64::from),
        toml::Value::Float(n) => Some(*n),
        toml::Value::String(text) => with_unit(text),
        _ => None,
    };
    let time = seconds.filter(|s| *s > 0.0).and_then(|s| Duration::try_from_secs_f64(s).ok());
    time.ok_or_else(|| {
        "must be a time above 0: seconds like 10 or 0.25, or a text like \"250ms\", \"10s\", \"5m\"".to_owned()
    })
}

fn with_unit(text: &str) -> Option<f64> {
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let (number, factor) = units.iter().find_map(|(unit, f)| Some((text.strip_suffix(unit)?, f)))?;
    number.trim().parse::<f64>().ok().map(|n| n * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(text: &str) -> (Limits, Vec<String>) {
        let mut limits = Limits::default();
        let problems = limits.apply(&text.parse().unwrap());
        (limits, problems)
    }

    #[test]
    fn every_limit_has_a_name_in_the_file() {
        // Every field of both structs, as `Debug` prints them, is a name and the other way round.
        let printed = format!("{:?}", Limits::default());
        let fields: Vec<&str> =
            printed.split(['{', ',']).filter_map(|p| p.split_once(':')).map(|(name, _)| name.trim()).collect();
        let fields: Vec<&str> = fields.into_iter().filter(|f| *f != "protocol").collect();
        assert_eq!(fields, NAMES);
        for name in NAMES {
            assert!(Limits::default().slot(name).is_some(), "{name}");
        }
    }

    #[test]
    fn counts_and_times_are_taken_over() {
        let (limits, problems) =
            applied("page_most = 500\ntoken_rate = 7\nkeep_alive = 5\npool_wait = \"250ms\"\nbody_timeout = 0.5");
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!((limits.protocol.page_most, limits.token_rate), (500, 7));
        assert_eq!(limits.keep_alive, Duration::from_secs(5));
        assert_eq!((limits.pool_wait, limits.body_timeout), (Duration::from_millis(250), Duration::from_millis(500)));
    }

    #[test]
    fn unknown_and_senseless_limits_are_named() {
        let cases = [
            ("page_mots = 5", "limits.page_mots: there is no such limit; did you mean page_most?"),
            ("page_most = 0", "limits.page_most: must be a whole number above 0"),
            ("page_most = 50", "limits.page_default: must not be more than limits.page_most"),
            ("token_rate = 4294967296", "limits.token_rate: must be a whole number above 0"),
            ("body_bytes = \"1M\"", "limits.body_bytes: must be a whole number above 0"),
            ("keep_alive = -1", "limits.keep_alive: must be a time above 0"),
            ("keep_alive = \"soon\"", "limits.keep_alive: must be a time above 0"),
        ];
        for (text, expected) in cases {
            let (_, problems) = applied(text);
            assert!(matches!(problems.as_slice(), [p] if p.starts_with(expected)), "{text}: {problems:?}");
        }
    }
}
