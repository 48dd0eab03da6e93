//! Arguments of `scim-conformance load` and which of them go together.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `load`.
#[derive(Args, Debug, Clone)]
pub(crate) struct LoadArgs {
    /// SCIM base URL, such as https://host/scim/v2; for the workload raw the URL to GET
    #[arg(long)]
    pub(crate) url: String,
    /// Bearer token; better given by the environment, where no process list shows it
    #[arg(long, env = "SCIM_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// What every connection does in a loop
    #[arg(long, value_enum)]
    pub(crate) workload: Workload,
    /// Connections, each with one request on the way at any time
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) connections: u32,
    /// Seconds measured
    #[arg(long, default_value_t = 10.0, value_parser = seconds)]
    pub(crate) seconds: f64,
    /// Seconds of the same load before, not measured
    #[arg(long, default_value_t = 1.0, value_parser = seconds)]
    pub(crate) warmup: f64,
    /// Process of the server, for CPU and memory
    #[arg(long)]
    pub(crate) pid: Option<u32>,
    /// Process of the database, for CPU; of PostgreSQL the postmaster, its backends count with it
    #[arg(long)]
    pub(crate) database_pid: Option<u32>,
    /// Users seeded (at least one a connection); with --existing how many of the server's users to use
    #[arg(long, default_value_t = 1000)]
    pub(crate) users: u32,
    /// Groups that every seeded user is in, one group per 100 users [default: 2 for get, else 0]
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub(crate) groups_per_user: Option<u32>,
    /// group-member: members that each group has before the run, besides those the run adds and removes
    #[arg(long, default_value_t = 10)]
    pub(crate) group_size: u32,
    /// group-member: groups that the connections share
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) member_groups: u32,
    /// filter: percentage of lookups for a name that nobody has
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub(crate) miss: u32,
    /// page: users a page
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) page_size: u64,
    /// page: which pages are asked for
    #[arg(long, value_enum, default_value_t = PageMode::Sequential)]
    pub(crate) page_mode: PageMode,
    /// Use the users that the server has: neither seed nor remove users (get, filter, page, group-member)
    #[arg(long)]
    pub(crate) existing: bool,
    /// Leave the seeded data behind
    #[arg(long)]
    pub(crate) keep: bool,
    /// Start of the random choices
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Seconds after which a request without an answer is an error
    #[arg(long, default_value_t = 30.0, value_parser = seconds)]
    pub(crate) timeout: f64,
    /// Threads of this client; one leaves the rest of a small machine to the server
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: u16,
    /// PEM file with certificates to trust besides the public ones
    #[arg(long)]
    pub(crate) ca: Option<PathBuf>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a connection does.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    /// GET a user by id
    Get,
    /// Look a user up by userName
    Filter,
    /// POST users
    Create,
    /// Toggle active, in Okta's and Entra's shape in turn; a connection leaves one user inactive at most
    Patch,
    /// Replace a user whole
    Put,
    /// List users page by page
    Page,
    /// Add a member to a group, then remove it
    GroupMember,
    /// 50 % get, 30 % filter, 8 % patch, 4 % each of put, create and group-member
    Mixed,
    /// A first synchronisation: look up, not found, then create
    Sync,
    /// GET the URL as it is and expect 200: a baseline that knows no SCIM
    Raw,
}

/// Which pages the workload `page` asks for.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageMode {
    /// From the first to the last by startIndex, then again
    Sequential,
    /// Always the first
    First,
    /// Always the last
    Last,
    /// Any, by startIndex
    Random,
    /// From the first to the last by cursor (RFC 9865)
    Cursor,
}

impl LoadArgs {
    /// Says what does not go together.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        use Workload::{Create, Mixed, Patch, Put, Sync};
        if self.existing && matches!(self.workload, Create | Patch | Put | Mixed | Sync) {
            return Err("--existing never changes users, so it goes with get, filter, page and group-member only");
        }
        if self.existing && self.groups_per_user.is_some() {
            return Err("--groups-per-user is about seeded users, which --existing has not");
        }
        if self.needs_member_groups() && self.groups_of_a_user() > 0 {
            return Err("--groups-per-user does not go with a workload that changes memberships");
        }
        if self.workload != Workload::Raw && self.token.is_none() {
            return Err("a token is needed: SCIM_TOKEN or --token");
        }
        Ok(())
    }

    /// Groups each seeded user is in.
    pub(crate) fn groups_of_a_user(&self) -> u32 {
        let default = if self.workload == Workload::Get && !self.existing { 2 } else { 0 };
        self.groups_per_user.unwrap_or(default)
    }

    /// Whether the workload writes into groups that the run prepares.
    pub(crate) fn needs_member_groups(&self) -> bool {
        matches!(self.workload, Workload::GroupMember | Workload::Mixed)
    }

    /// Users each connection begins with; they are dealt out evenly.
    pub(crate) fn users_of(&self, connection: u32) -> u32 {
        if matches!(self.workload, Workload::Create | Workload::Sync | Workload::Raw) {
            return 0;
        }
        share(self.users.max(self.connections), self.connections, connection)
    }
}

/// What falls to part `index` when `total` is dealt out to `parts`.
pub(crate) fn share(total: u32, parts: u32, index: u32) -> u32 {
    total / parts + u32::from(index < total % parts)
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=1_000_000.0).contains(&value) => Ok(value),
        _ => Err("not a number of seconds".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        load: LoadArgs,
    }

    fn parse(words: &str) -> LoadArgs {
        let words = format!("load --url http://x --token t {words}");
        Line::try_parse_from(words.split_whitespace()).unwrap_or_else(|error| panic!("{error}")).load
    }

    #[test]
    fn users_are_dealt_out_whole_and_at_least_one_a_connection() {
        let args = parse("--workload get --users 10 --connections 4");
        assert_eq!((0..4).map(|index| args.users_of(index)).collect::<Vec<_>>(), [3, 3, 2, 2]);
        let args = parse("--workload get --users 1 --connections 4");
        assert_eq!((0..4).map(|index| args.users_of(index)).sum::<u32>(), 4);
        assert_eq!(parse("--workload sync").users_of(0), 0);
    }

    #[test]
    fn existing_data_is_never_changed() {
        assert!(parse("--workload page --existing").check().is_ok());
        assert!(parse("--workload group-member --existing").check().is_ok());
        for workload in ["patch", "put", "create", "sync", "mixed"] {
            assert!(parse(&format!("--workload {workload} --existing")).check().is_err(), "{workload}");
        }
    }

    #[test]
    fn seeded_users_are_in_two_groups_for_get_alone() {
        assert_eq!(parse("--workload get").groups_of_a_user(), 2);
        assert_eq!(parse("--workload get --groups-per-user 0").groups_of_a_user(), 0);
        assert_eq!(parse("--workload get --existing").groups_of_a_user(), 0);
        assert_eq!(parse("--workload filter").groups_of_a_user(), 0);
    }

    #[test]
    fn negative_and_endless_times_are_no_times() {
        for text in ["-1", "NaN", "inf", "x"] {
            assert!(seconds(text).is_err(), "{text}");
        }
        assert_eq!(seconds("0.5"), Ok(0.5));
    }
}
