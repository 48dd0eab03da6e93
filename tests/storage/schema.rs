//! The one declaration of the tables against both migrated databases; migrations are twins and can be undone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::helpers::*;

/// (table, column) to (type, may be null), as `src/storage/schema/` declares them.
fn declared() -> BTreeMap<(String, String), (String, bool)> {
    let (mut out, mut table, mut renamed) = (BTreeMap::new(), String::new(), None);
    let files = [
        include_str!("../../src/storage/schema/core.rs"),
        include_str!("../../src/storage/schema/admin.rs"),
        include_str!("../../src/storage/schema/provisioning.rs"),
    ];
    for line in files.into_iter().flat_map(str::lines).map(str::trim) {
        if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with(") {")) {
            table = name.to_owned();
        } else if let Some(name) = line.strip_prefix("#[sql_name = \"") {
            renamed = name.strip_suffix("\"]").map(str::to_owned);
        } else if let Some((name, kind)) = line.strip_suffix(',').and_then(|l| l.split_once(" -> ")) {
            let inner = kind.strip_prefix("Nullable<").and_then(|k| k.strip_suffix('>'));
            let column = renamed.take().unwrap_or_else(|| name.to_owned());
            out.insert((table.clone(), column), (inner.unwrap_or(kind).to_owned(), inner.is_some()));
        }
    }
    assert!(out.len() > 270, "the declaration was read");
    out
}

fn spelling(kind: Kind, declared: &str) -> &'static [&'static str] {
    match (kind, declared) {
        (Kind::Sqlite, "Uid" | "Binary") => &["BLOB"],
        (Kind::Sqlite, "Text") => &["TEXT"],
        // A position is SQLite's own row number, which has to be called so.
        (Kind::Sqlite, "BigInt") => &["BIGINT", "INTEGER"],
        (Kind::Sqlite, "Integer") => &["INTEGER"],
        (Kind::Sqlite, "SmallInt") => &["SMALLINT"],
        (Kind::Sqlite, "Bool") => &["BOOLEAN"],
        (Kind::Postgres, "Uid") => &["uuid"],
        (Kind::Postgres, "Binary") => &["bytea"],
        (Kind::Postgres, "Text") => &["text"],
        (Kind::Postgres, "BigInt") => &["bigint"],
        (Kind::Postgres, "Integer") => &["integer"],
        (Kind::Postgres, "SmallInt") => &["smallint"],
        (Kind::Postgres, "Bool") => &["boolean"],
        (_, other) => panic!("no spelling for {other}"),
    }
}

fn catalogue(kind: Kind) -> &'static str {
    match kind {
        Kind::Sqlite => {
            "SELECT concat_ws('|', m.name, p.name, p.type, CASE WHEN p.\"notnull\" OR p.pk THEN 'no' ELSE 'null' END) AS line \
             FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'"
        }
        Kind::Postgres => {
            "SELECT concat_ws('|', table_name, column_name, data_type, CASE is_nullable WHEN 'YES' THEN 'null' ELSE 'no' END) AS line \
             FROM information_schema.columns WHERE table_schema = current_schema"
        }
    }
}

fn migrations(kind: Kind) -> Vec<PathBuf> {
    let folder = match kind {
        Kind::Sqlite => "migrations/sqlite",
        Kind::Postgres => "migrations/postgres",
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut out: Vec<PathBuf> =
        folder.read_dir().expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    out.sort();
    out
}

#[test]
fn migrations_of_both_backends_have_the_same_names() {
    let names = |kind| migrations(kind).iter().map(|p| p.file_name().map(ToOwned::to_owned)).collect::<Vec<_>>();
    assert_eq!(names(Kind::Sqlite), names(Kind::Postgres));
}

on_both! {
    async fn declared_tables_are_the_migrated_ones(t: &TestDatabase) {
        let declared = declared();
        let tables: BTreeSet<&str> = declared.keys().map(|(table, _)| &**table).collect();
        let mut seen = BTreeSet::new();
        for line in t.lines(catalogue(t.kind)).await {
            let parts: Vec<&str> = line.split('|').collect();
            let [table, column, kind, null] = parts[..] else { panic!("{line}") };
            // The transaction number, which only PostgreSQL's readers of events need.
            if !tables.contains(table) || (table, column) == ("events", "tx") {
                continue;
            }
            let key = (table.to_owned(), column.to_owned());
            let (wanted, nullable) = declared.get(&key).unwrap_or_else(|| panic!("{line} is not declared"));
            assert!(spelling(t.kind, wanted).contains(&kind), "{line} is declared {wanted}");
            assert_eq!(null == "null", *nullable, "{line}");
            seen.insert(key);
        }
        let missing: Vec<_> = declared.keys().filter(|key| !seen.contains(key)).collect();
        assert!(missing.is_empty(), "declared only: {missing:?}");
    }

    async fn migrations_are_applied_once(t: &TestDatabase) {
        assert_eq!(t.db.pending_migrations().await.expect("answers"), Vec::<String>::new());
        assert_eq!(t.db.migrate().await.expect("answers"), Vec::<String>::new());
        t.db.ping().await.expect("answers");
    }

    async fn migrations_can_be_undone(t: &TestDatabase) {
        for folder in migrations(t.kind).iter().rev() {
            let down = std::fs::read_to_string(folder.join("down.sql")).expect("a down.sql");
            t.execute(&down).await;
        }
        let left = t.lines(catalogue(t.kind)).await;
        let ours: Vec<_> = left.iter().filter(|l| !l.starts_with("__diesel") && !l.starts_with("sqlite_")).collect();
        assert!(ours.is_empty(), "{ours:?}");
    }

    async fn of_several_instances_that_migrate_at_once_one_does(t: &TestDatabase) {
        for folder in migrations(t.kind).iter().rev() {
            t.execute(&std::fs::read_to_string(folder.join("down.sql")).expect("a down.sql")).await;
        }
        t.execute("DROP TABLE __diesel_schema_migrations").await;
        let names = t.db.pending_migrations().await.expect("answers");
        assert_eq!(names.len(), migrations(t.kind).len());
        let second = rollcall::storage::Database::open(&options(&t.url)).await.expect("opens");
        let (one, two) = futures_util::future::join(t.db.migrate(), second.migrate()).await;
        let (one, two) = (one.expect("migrates"), two.expect("migrates"));
        assert!((one == names && two.is_empty()) || (two == names && one.is_empty()), "{one:?} and {two:?}");
        second.close().await;
        t.users(scope(), ["Ben"]).await;
    }
}
