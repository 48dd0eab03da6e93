//! Where the texts of settings come from: flags, environment (both by clap) and the settings file, in this order.

use std::collections::BTreeMap;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::Secret;
use super::table::{Kind, SETTINGS, Setting, check_variable, nearest};

/// The texts that were given, before anything is judged.
#[derive(Debug, Clone, Default)]
pub struct Given {
    values: BTreeMap<&'static str, Value>,
    /// The `[limits]` of the settings file.
    pub(super) limits: toml::Table,
}

/// A text and what gave it.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) text: Secret,
    /// `--listen`, `ROLLCALL_LISTEN` or `listen in rollcall.toml`, for messages.
    pub(super) origin: String,
}

impl Given {
    /// Sets what a flag would set.
    #[must_use]
    pub fn with(mut self, key: &str, text: &str) -> Self {
        if let Some(s) = SETTINGS.iter().find(|s| s.key == key) {
            self.values.insert(s.key, Value { text: Secret::new(text), origin: format!("--{}", s.flag) });
        }
        self
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// Looks through the environment for names that look like settings and are none.
    pub(super) fn check_environment() -> Vec<String> {
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let mut problems: Vec<String> = names.filter_map(|name| check_variable(&name).err()).collect();
        problems.sort();
        problems
    }

    /// Adds what the settings file says where neither a flag nor the environment said it.
    pub(super) fn add_file(&mut self, path: &Path) -> Vec<String> {
        let shown = path.display();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) => return vec![format!("{shown}: cannot read the settings file: {e}")],
        };
        match text.parse::<toml::Table>() {
            Ok(table) => self.add_table(table, &shown.to_string()),
            // The error's own text quotes the line, which may hold a password.
            Err(e) => vec![format!("{shown}: not valid TOML{}: {}", at_line(&text, e.span()), e.message())],
        }
    }

    pub(super) fn add_table(&mut self, table: toml::Table, shown: &str) -> Vec<String> {
        let mut problems = Vec::new();
        for (key, value) in table {
            if let ("limits", toml::Value::Table(limits)) = (key.as_str(), &value) {
                self.limits = limits.clone();
                continue;
            }
            let setting = SETTINGS.iter().find(|s| s.key == key && key != "config");
            match (setting, scalar(&value)) {
                (Some(s), Some(text)) => {
                    let origin = format!("{key} in {shown}");
                    self.values.entry(s.key).or_insert(Value { text: Secret::new(text), origin });
                }
                (Some(_), None) => problems.push(format!("{key} in {shown}: must be a text, a number or a boolean")),
                (None, _) => {
                    let hint = nearest(&key, SETTINGS.iter().map(|s| s.key).chain(["limits"]));
                    problems.push(format!("{key} in {shown}: there is no such setting{hint}"));
                }
            }
        }
        problems
    }
}

fn at_line(text: &str, span: Option<std::ops::Range<usize>>) -> String {
    let before = span.and_then(|s| text.get(..s.start));
    before.map_or_else(String::new, |b| format!(" (line {})", b.matches('\n').count() + 1))
}

/// The text that a flag would have; a list is joined by commas.
fn scalar(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(s) => Some(s.clone()),
        toml::Value::Integer(i) => Some(i.to_string()),
        toml::Value::Boolean(b) => Some(b.to_string()),
        toml::Value::Array(items) => Some(items.iter().map(scalar).collect::<Option<Vec<_>>>()?.join(",")),
        _ => None,
    }
}

/// What `-h` shows too; `--help` shows every setting.
const OFTEN: [&str; 4] = ["config", "database_url", "listen", "public_url"];

fn argument(setting: &'static Setting) -> Arg {
    let arg = Arg::new(setting.key)
        .long(setting.flag)
        .env(setting.variable)
        .value_name(setting.value)
        .help(setting.help)
        .help_heading("Settings")
        .global(true)
        .hide_short_help(!OFTEN.contains(&setting.key))
        .hide_env_values(setting.kind == Kind::Secret)
        .action(ArgAction::Set);
    match setting.kind {
        // `--no-migrate serve` must not take the command for the value.
        Kind::Switch => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
        Kind::Text | Kind::Secret => arg,
    }
}

impl Args for Given {
    fn augment_args(command: Command) -> Command {
        command.args(SETTINGS.iter().map(argument))
    }
    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Given {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Given::default();
        given.update_from_arg_matches(matches)?;
        Ok(given)
    }
    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for s in SETTINGS {
            let Some(text) = matches.get_one::<String>(s.key) else { continue };
            let origin = match matches.value_source(s.key) {
                // A variable set to nothing is how container tools write "not set".
                Some(ValueSource::EnvVariable) if text.is_empty() => continue,
                Some(ValueSource::EnvVariable) => s.variable.to_owned(),
                _ => format!("--{}", s.flag),
            };
            self.values.insert(s.key, Value { text: Secret::new(text), origin });
        }
        Ok(())
    }
}
