//! The window of the brake on departures: how many people left a connection within an hour. Whether a departure is one to
//! hold is decided above.

use diesel::sql_types::BigInt;
use diesel::{ExpressionMethods as _, QueryDsl as _, Queryable, Selectable};

use crate::domain::ids::Scope;
use crate::storage::Database;
use crate::storage::db::{Cols as _, Db, Fetch as _};
use crate::storage::error::Result;
use crate::storage::schema::{brake_windows, counts};
use crate::storage::sql::Sql;
use crate::storage::uid::Id;

/// A window as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = brake_windows)]
pub struct Window {
    /// When it began, µs since 1970.
    pub started: i64,
    /// Active people then.
    pub active: i64,
    /// Departures taken so far.
    pub departed: i64,
}

/// What a process wants of a window.
#[derive(Debug, Clone, Copy)]
pub struct Take<A, B> {
    /// Time of the deed.
    pub now: i64,
    /// A window that began before this ends, and another begins.
    pub expired: i64,
    /// Active people, where the caller counted them.
    pub active: Option<i64>,
    /// How many may leave in a window that begins with so many active people.
    pub allows: A,
    /// How many of these the process wants.
    pub ask: B,
}

pub(super) fn key(scope: Scope) -> (Id, Id) {
    (scope.organization.into(), scope.connection.into())
}

/// Takes departures out of a connection's window, no more than it holds; answers how many, and the window.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn take(
    db: &mut Db<'_>,
    scope: Scope,
    take: Take<impl Fn(i64) -> i64, impl Fn(i64) -> i64>,
) -> Result<(i64, Window)> {
    let (organization, connection) = key(scope);
    let row = (
        brake_windows::organization.eq(organization),
        brake_windows::connection.eq(connection),
        brake_windows::started.eq(i64::MIN),
        brake_windows::active.eq(0),
        brake_windows::departed.eq(0),
        brake_windows::alarmed.eq(false),
    );
    diesel::insert_into(brake_windows::table).values(row).on_conflict_do_nothing().exec(db).await?;
    // Locks the row, so that of several processes one opens the window.
    let lock = diesel::update(brake_windows::table.find((organization, connection)));
    let lock = lock.set(brake_windows::departed.eq(brake_windows::departed));
    let stored = lock.returning((brake_windows::started, brake_windows::active, brake_windows::departed));
    let (started, active, departed): (i64, i64, i64) = stored.one(db).await?;
    let mut window = Window { started, active, departed };
    if started <= take.expired {
        let active = match take.active {
            Some(active) => active,
            None => count_active(db, scope).await?,
        };
        window = Window { started: take.now, active, departed: 0 };
        let update = diesel::update(brake_windows::table.find((organization, connection)));
        update.set(brake_windows::alarmed.eq(false)).exec(db).await?;
    }
    let limit = (take.allows)(window.active);
    let taken = (take.ask)(limit).min(limit.saturating_sub(window.departed)).max(0);
    window.departed = window.departed.saturating_add(taken);
    let update = diesel::update(brake_windows::table.find((organization, connection)));
    let set = (
        brake_windows::started.eq(window.started),
        brake_windows::active.eq(window.active),
        brake_windows::departed.eq(window.departed),
    );
    update.set(set).exec(db).await?;
    Ok((taken, window))
}

/// The people of a connection less those without access. The total costs no scan; the others are among those who are not
/// active in the organization, which have an index that a directory's write of an active person does not touch.
async fn count_active(db: &mut Db<'_>, scope: Scope) -> Result<i64> {
    let (organization, connection) = key(scope);
    let all = counts::table
        .filter(counts::organization.eq(organization))
        .filter(counts::connection.eq(connection))
        .filter(counts::kind.eq(1))
        .select(counts::n);
    let all: Vec<i64> = all.all(db).await?;
    // SQLite would rather read all people of the connection.
    let mut sql = Sql::new(match db {
        Db::Sqlite(_) => {
            "SELECT count(*) FROM users x INDEXED BY users_not_active WHERE x.deleted IS NULL \
             AND (x.invited OR NOT x.access OR x.suspension IS NOT NULL) AND NOT x.access"
        }
        Db::Pg(_) => {
            "SELECT count(*) FROM users_without_access w JOIN users x ON x.organization = w.organization AND x.id = w.user_id \
             WHERE NOT x.access AND x.deleted IS NULL"
        }
    });
    sql.push(" AND x.organization = ").id(scope.organization.0);
    sql.push(" AND x.connection = ").id(scope.connection.0);
    let without: i64 = sql.statement::<BigInt>(true).one(db).await?;
    Ok(all.into_iter().sum::<i64>().saturating_sub(without).max(0))
}

/// Begins the next departure's window anew.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn end_window(db: &mut Db<'_>, scope: Scope) -> Result<()> {
    diesel::delete(brake_windows::table.find(key(scope))).exec(db).await?;
    Ok(())
}

/// Whether nobody was told yet that changes are held in this window; from now on somebody is.
pub(super) async fn alarm(db: &mut Db<'_>, scope: Scope) -> Result<bool> {
    let quiet = brake_windows::table.find(key(scope)).filter(brake_windows::alarmed.eq(false));
    Ok(diesel::update(quiet).set(brake_windows::alarmed.eq(true)).exec(db).await? == 1)
}

impl Database {
    /// The window of a connection, expired or not.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn brake_window(&self, scope: Scope) -> Result<Option<Window>> {
        let query = brake_windows::table.find(key(scope)).select(Window::cols());
        self.cold_read(async |db| Ok(query.opt(db).await?)).await
    }

    /// How many people of a connection have access.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn count_active_people(&self, scope: Scope) -> Result<i64> {
        self.cold_read(async |db| count_active(db, scope).await).await
    }
}
