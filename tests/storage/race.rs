//! Many writers at once.

use futures_util::future::join_all;
use rollcall::domain::ids::ResourceId;
use rollcall::storage::References;

use crate::helpers::*;

on_both! {
    async fn of_64_creators_of_one_name_one_wins(t: &TestDatabase) {
        let s = scope();
        let answers = join_all((0..64).map(|_| t.commit(s, insert_user(id(), "Ben")))).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|a| a.is_ok());
        assert_eq!((won.len(), lost.len()), (1, 63));
        assert!(lost.into_iter().all(|a| refusal(a) == "NotUnique(UserName)"));
        assert_eq!(t.totals(s).await, (1, 0));
        assert_eq!(t.events(s).await.len(), 1);
    }

    async fn of_64_creators_of_one_group_one_wins(t: &TestDatabase) {
        let s = scope();
        let answers = join_all((0..64).map(|_| t.commit(s, insert_group(id(), "Sales", &[])))).await;
        assert_eq!(answers.iter().filter(|a| a.is_ok()).count(), 1);
        assert_eq!(t.totals(s).await, (0, 1));
    }

    async fn of_64_replacements_of_one_version_one_wins(t: &TestDatabase) {
        let s = scope();
        let [ben] = t.users(s, ["Ben"]).await;
        let answers = join_all((0..64).map(|_| t.commit(s, replace_user(ben, 1, "Ben")))).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|a| a.is_ok());
        assert_eq!(won.len(), 1);
        assert!(lost.into_iter().all(|a| refusal(a) == "Stale"));
    }

    async fn sixteen_writers_of_eight_members_leave_128(t: &TestDatabase) {
        let s = scope();
        let ids: Vec<ResourceId> = (0..128).map(|_| id()).collect();
        let users = ids.iter().map(|id| insert_user(*id, &id.to_string())).collect();
        t.db.commit(write(s, users)).await.expect("users");
        let group = t.group(s, "G", &[]).await;
        let writers = ids.chunks(8).map(async |mine| {
            for member in mine {
                t.commit(s, add_members(group, &[*member])).await.expect("added");
            }
        });
        join_all(writers).await;
        let found = t.db.find_group(s, group, References::All).await.expect("answers").expect("there");
        assert_eq!(found.version, 129);
        assert_eq!(found.members.map(|m| m.into_iter().map(|m| ResourceId(m.id)).collect::<Vec<_>>()), Some(ids));
    }

    async fn answers_are_counted_by_batch(t: &TestDatabase) {
        let s = scope();
        join_all((0..50).map(|n| t.commit(s, insert_user(id(), &n.to_string())))).await;
        let figures = t.db.metrics().commit_batch;
        assert_eq!(figures.sum, 50);
        assert!(figures.count <= 50);
        assert_eq!(figures.counts.iter().sum::<u64>(), figures.count);
    }
}
