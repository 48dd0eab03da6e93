//! A `Write` inside a deed on cold tables: both are done or neither, on both backends.

use rollcall::domain::ids::OrganizationId;
use rollcall::storage::cold::organizations;
use rollcall::storage::{Db, NewOrganization, Receipt, StorageError};

use crate::helpers::*;

fn organization(slug: &str) -> NewOrganization {
    NewOrganization { id: OrganizationId(uuid()), slug: slug.into(), name: slug.to_uppercase() }
}

async fn seen(t: &TestDatabase) -> (Vec<String>, Vec<String>, Vec<String>) {
    let users = t.lines("SELECT user_name AS line FROM users WHERE deleted IS NULL").await;
    let organizations = t.lines("SELECT slug AS line FROM organizations").await;
    let kinds = t.lines("SELECT concat_ws(' ', kind, version) AS line FROM events").await;
    (users, organizations, kinds)
}

fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

on_both! {
    async fn a_cold_row_and_a_user_are_stored_together(t: &TestDatabase) {
        let (scope, ann) = (scope(), id());
        let insert = write(scope, vec![insert_user(ann, "Ann")]);
        let done = t.db.transaction(async move |db: &mut Db<'_>| {
            organizations::insert(db, &deed(), &organization("one")).await?;
            insert.apply(db).await
        });
        assert_eq!(done.await.expect("done"), changed(1));
        assert_eq!(seen(t).await, (texts(["Ann"]), texts(["one"]), texts(["1 1", "20 1"])));
        // The queue goes on from there, and both kinds of count rows make one total.
        assert_eq!(t.commit(scope, replace_user(ann, 1, "Ann")).await.expect("replaced"), changed(2));
        t.users(scope, ["Ben"]).await;
        assert_eq!(t.lines("SELECT concat_ws(' ', type, sum(n)) AS line FROM counts GROUP BY type").await, ["1 2"]);
        let delete = write(scope, vec![rollcall::storage::write::Action::DeleteUser { id: ann, expected: Some(2) }]);
        t.db.transaction(async move |db: &mut Db<'_>| delete.apply(db).await).await.expect("deleted");
        assert_eq!(t.lines("SELECT concat_ws(' ', type, sum(n)) AS line FROM counts GROUP BY type").await, ["1 1"]);
    }

    async fn a_refused_write_takes_the_cold_row_back(t: &TestDatabase) {
        let scope = scope();
        t.users(scope, ["Ann"]).await;
        let before = seen(t).await;
        let twice = write(scope, vec![insert_user(id(), "Ben"), insert_user(id(), "ANN")]);
        let refused = t.db.transaction(async move |db: &mut Db<'_>| {
            organizations::insert(db, &deed(), &organization("one")).await?;
            twice.apply(db).await
        });
        assert_eq!(refusal(refused.await), "NotUnique(UserName)");
        assert_eq!(seen(t).await, before);
    }

    async fn a_refused_cold_row_takes_the_write_back(t: &TestDatabase) {
        let scope = scope();
        t.db.insert_organization(deed(), organization("one")).await.expect("inserted");
        let before = seen(t).await;
        let insert = write(scope, vec![insert_user(id(), "Ann")]);
        let refused = t.db.transaction(async move |db: &mut Db<'_>| {
            insert.apply(db).await?;
            organizations::insert(db, &deed(), &organization("one")).await
        });
        assert_eq!(refusal(refused.await), "NotUnique(OrganizationSlug)");
        assert_eq!(seen(t).await, before);
        assert_eq!(t.lines("SELECT concat_ws(' ', type, n) AS line FROM counts WHERE n <> 0").await, Vec::<String>::new());
    }

    async fn a_deed_may_go_on_after_a_refused_write(t: &TestDatabase) {
        let scope = scope();
        let [ann] = t.users(scope, ["Ann"]).await;
        let stale = write(scope, vec![insert_user(id(), "Ben"), replace_user(ann, 7, "Ann")]);
        let taken = write(scope, vec![insert_user(id(), "ann")]);
        let done = t.db.transaction(async move |db: &mut Db<'_>| {
            let first = refusal(stale.apply(db).await);
            let second = refusal(taken.apply(db).await);
            organizations::insert(db, &deed(), &organization("one")).await?;
            Ok::<_, StorageError>((first, second))
        });
        assert_eq!(done.await.expect("done"), ("Stale".to_owned(), "NotUnique(UserName)".to_owned()));
        assert_eq!(seen(t).await, (texts(["Ann"]), texts(["one"]), texts(["1 1", "20 1"])));
    }

    async fn groups_and_their_members_change_in_a_deed(t: &TestDatabase) {
        let (scope, sales) = (scope(), id());
        let [ann, ben] = t.users(scope, ["Ann", "Ben"]).await;
        let both = write(scope, vec![insert_group(sales, "Sales", &[ann]), add_members(sales, &[ben])]);
        let done: Receipt = t.db.transaction(async move |db: &mut Db<'_>| both.apply(db).await).await.expect("done");
        assert_eq!(done.iter().map(|a| a.version).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(t.lines("SELECT {hex:member_id} AS line FROM members").await, [hex(ann), hex(ben)]);
    }
}
