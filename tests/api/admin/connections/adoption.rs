//! A directory creates, finds and changes people who exist here.

use super::*;

/// A person that no directory manages, with one e-mail.
pub(super) async fn local(app: &TestApp, tenant: &Tenant, user_name: &str, email: &str) -> String {
    let document = user_with(
        user_name,
        json!({ "active": true, "displayName": user_name, "emails": [{ "value": email, "type": "work" }] }),
    );
    app.local_document(tenant, &document).await.to_string()
}

/// Has a domain verified for the organization of an Admin.
pub(super) async fn verified(admin: &Admin, domain: &str) {
    let claimed = admin.post("/domains", &json!({ "domain": domain })).await.expect(201);
    set_txt(claimed["record"]["name"].as_str().unwrap(), &[claimed["record"]["value"].as_str().unwrap()]);
    let verified = admin.post(&format!("/domains/{domain}/verify"), &json!({})).await.expect(200);
    assert_eq!(verified["state"], "verified");
}

/// An organization with an active connection and a verified domain.
struct Ours {
    tenant: Tenant,
    admin: Admin,
    okta: Made,
    domain: String,
}

async fn ours(app: &TestApp) -> Ours {
    let tenant = app.tenant().await;
    let admin = app.admin(&tenant, "admin").await;
    let okta = active(app, &admin, "Okta").await;
    let domain = format!("{}.example", tenant.made.organization.id);
    verified(&admin, &domain).await;
    Ours { tenant, admin, okta, domain }
}

on_both! {
    async fn of_a_verified_domain_a_person_is_adopted_and_keeps_the_id(app: &TestApp) with |settings| settings.dns_server = Some(dns_server()), {
        let Ours { tenant, admin, okta, domain } = ours(app).await;
        let address = format!("anna@{domain}");
        let anna = local(app, &tenant, &address, &address).await;
        // Okta looks the person up, and finds whom a create would take over.
        let found = okta.caller.find("/Users", &format!("userName eq \"{}\"", address.to_uppercase())).await;
        assert_eq!(found.iter().map(id).collect::<Vec<_>>(), std::slice::from_ref(&anna));
        assert_eq!(okta.caller.find("/Users", &format!("emails[type eq \"work\"].value eq \"{address}\"")).await.len(), 1);
        assert_eq!(okta.caller.find("/Users", &format!("emails.value eq \"{address}\"")).await.len(), 1);
        assert_eq!(okta.caller.get("/Users?count=0").await.expect(200)["totalResults"], 0);
        assert_eq!(okta.caller.get(&format!("/Users/{anna}")).await.expect(200)["userName"], *address);
        // It does not delete whom it does not manage.
        okta.caller.delete(&format!("/Users/{anna}")).await.expect_error(404, None);

        let body = user_with(&address, json!({ "externalId": "x-1", "displayName": "Anna R.", "emails": [{ "value": address, "type": "work" }] }));
        let answer = okta.caller.post("/Users", &body).await;
        let made = answer.expect(201);
        assert_eq!((id(&made), &made["displayName"], &made["externalId"]), (anna.clone(), &json!("Anna R."), &json!("x-1")));
        assert!(answer.header("location").ends_with(&anna));
        okta.caller.post("/Users", &body).await.expect_error(409, Some("uniqueness"));
        assert_eq!(okta.caller.get(&format!("/Users/{anna}")).await.expect(200)["displayName"], "Anna R.");
        assert_eq!(okta.caller.get("/Users?count=0").await.expect(200)["totalResults"], 1);
        assert_eq!(okta.caller.find("/Users", "externalId eq \"x-1\"").await.len(), 1);
        let log = admin.get("/provisioning-log?operation=create&outcome=applied").await.expect(200);
        assert_eq!(log["data"][0]["resource_id"], *anna, "{log}");
        let adoptions = admin.get(&format!("{}/adoptions?state=accepted", okta.path)).await.expect(200);
        assert_eq!(adoptions["data"][0]["user_id"], *anna);
        assert!(adoptions["data"][0]["decided_by"].as_str().unwrap().starts_with("scim_token:"));
    }

    async fn a_replay_adopts_nobody(app: &TestApp) with |settings| settings.dns_server = Some(dns_server()), {
        let Ours { tenant, admin, okta, domain } = ours(app).await;
        let address = format!("anna@{domain}");
        let anna = local(app, &tenant, &address, &address).await;
        let adopt = async |policy: &str| {
            admin.patch(&okta.path, &json!({ "scim": { "adoption": policy } })).await.expect(200);
        };
        adopt("refuse").await;
        okta.caller.post("/Users", &user_with(&address, json!({ "externalId": "x-1" }))).await.expect_error(409, Some("uniqueness"));
        let page = admin.get("/provisioning-log?operation=create").await.expect(200);
        let entry = page["data"][0]["id"].as_str().expect("an entry").to_owned();
        for (policy, status) in [("verified_domain", 201), ("review", 409)] {
            adopt(policy).await;
            let foreseen = admin.post(&format!("/provisioning-log/{entry}/replay"), &json!({})).await.expect(200);
            assert_eq!(foreseen["status"], status, "{policy}: {foreseen}");
            assert_eq!(admin.get(&format!("/users/{anna}")).await.expect(200)["managed"]["by"], "local", "{policy}");
            assert_eq!(admin.get(&format!("{}/adoptions", okta.path)).await.expect(200)["data"], json!([]), "{policy}");
        }
    }

    async fn a_replay_of_a_membership_looks_past_whom_it_would_adopt(app: &TestApp) with |settings| settings.dns_server = Some(dns_server()), {
        let Ours { tenant, admin, okta, domain } = ours(app).await;
        let address = format!("anna@{domain}");
        let anna = local(app, &tenant, &address, &address).await;
        let group = okta.caller.group("Sales", &[]).await;
        let add = patch(json!([{ "op": "add", "path": "members", "value": [{ "value": anna }] }]));
        admin.patch(&okta.path, &json!({ "scim": { "adoption": "refuse" } })).await.expect(200);
        app.advance(1_000_000);
        okta.caller.patch(&format!("/Groups/{group}"), &add).await.expect_error(400, Some("invalidValue"));
        admin.patch(&okta.path, &json!({ "scim": { "adoption": "verified_domain" } })).await.expect(200);
        let page = admin.get("/provisioning-log?outcome=refused").await.expect(200);
        let entry = page["data"][0]["id"].as_str().expect("an entry").to_owned();
        let foreseen = admin.post(&format!("/provisioning-log/{entry}/replay"), &json!({})).await.expect(200);
        assert_eq!(foreseen["status"], 200, "{foreseen}");
        assert_eq!(admin.get(&format!("/users/{anna}")).await.expect(200)["managed"]["by"], "local");
    }

    async fn who_is_adopted_to_be_kept_out_counts_for_the_brake(app: &TestApp) with |settings| settings.dns_server = Some(dns_server()), {
        let Ours { tenant, admin, okta, domain } = ours(app).await;
        admin.patch(&okta.path, &json!({ "scim": { "guard": { "percent": 20, "minimum": 1 } } })).await.expect(200);
        app.advance(1_000_000);
        let mut people = Vec::new();
        for n in 0..3 {
            let address = format!("p{n}@{domain}");
            people.push(local(app, &tenant, &address, &address).await);
            okta.caller.post("/Users", &user_with(&address, json!({ "active": false }))).await.expect(201);
        }
        let mut statuses = Vec::new();
        for person in &people {
            statuses.push(admin.get(&format!("/users/{person}")).await.expect(200)["status"].clone());
        }
        assert_eq!(statuses, ["suspended", "active", "active"]);
        let held = admin.get(&format!("{}/held-changes", okta.path)).await.expect(200);
        assert_eq!(held["data"].as_array().expect("rows").len(), 2);
        // Discarded: the directory reads them as active.
        admin.post(&format!("{}/held-changes/discard", okta.path), &json!({})).await.expect(200);
        assert_eq!(okta.caller.get(&format!("/Users/{}", people[2])).await.expect(200)["active"], true);
        let told = admin.get("/audit-events?action=provisioning.discarded").await.expect(200);
        assert_eq!(told["data"].as_array().expect("rows").len(), 2);
    }

    async fn of_another_domain_a_name_is_taken(app: &TestApp) with |settings| settings.dns_server = Some(dns_server()), {
        let Ours { tenant, okta, domain, .. } = ours(app).await;
        let ben = local(app, &tenant, "ben@elsewhere.example", "ben@elsewhere.example").await;
        // What counts is the address that the person has here, not the one that the directory sends.
        let sly = user_with("ben@elsewhere.example", json!({ "emails": [{ "value": format!("ben@{domain}"), "primary": true }] }));
        let detail = okta.caller.post("/Users", &sly).await.expect_error(409, Some("uniqueness"));
        assert!(!detail.contains(&ben), "{detail}");
        assert_eq!(okta.caller.find("/Users", "userName eq \"ben@elsewhere.example\"").await.len(), 0);
        assert_eq!(okta.caller.find("/Users", "emails.value eq \"ben@elsewhere.example\"").await.len(), 0);
        let off = patch(json!([{ "op": "replace", "path": "active", "value": false }]));
        for (method, body) in [("GET", None), ("PUT", Some(user("x"))), ("PATCH", Some(off)), ("DELETE", None)] {
            let path = format!("/Users/{ben}");
            let answer = match body {
                Some(body) => okta.caller.with_body(method, &path, &body).await,
                None => send(okta.caller.request(method, &path)).await,
            };
            answer.expect_error(404, None);
        }
        okta.caller.post("/Groups", &group("team", &[&ben])).await.expect_error(400, Some("invalidValue"));
    }

    async fn an_adopted_address_does_not_move(app: &TestApp) with |settings| settings.dns_server = Some(dns_server()), {
        let Ours { tenant, okta, domain, .. } = ours(app).await;
        let address = format!("anna@{domain}");
        let anna = local(app, &tenant, &address, &address).await;
        okta.caller.create("/Users", &user(&address)).await;
        let moved = patch(json!([{ "op": "replace", "path": "emails", "value": [{ "value": "evil@attacker.example", "primary": true }] },
                                 { "op": "replace", "path": "userName", "value": "evil@attacker.example" }]));
        okta.caller.patch(&format!("/Users/{anna}"), &moved).await.expect(200);
        let account = app.rows(&format!("SELECT login_address FROM accounts WHERE login_address = '{address}'")).await;
        assert_eq!(account, 1);
    }

    async fn a_protected_admin_is_never_adopted(app: &TestApp) with |settings| settings.dns_server = Some(dns_server()), {
        let Ours { tenant, admin, okta, domain } = ours(app).await;
        let address = format!("root@{domain}");
        let root = local(app, &tenant, &address, &address).await;
        app.execute(
            "INSERT INTO accounts (organization, user_id, is_protected, created, modified, version) \
             SELECT organization, id, TRUE, 0, 0, 1 FROM users WHERE user_name LIKE 'root@%'"
        ).await;
        for policy in ["verified_domain", "review"] {
            admin.patch(&okta.path, &json!({ "scim": { "adoption": policy } })).await.expect(200);
            okta.caller.post("/Users", &user(&address)).await.expect_error(409, Some("uniqueness"));
            assert_eq!(okta.caller.find("/Users", &format!("userName eq \"{address}\"")).await.len(), 0);
            okta.caller.put(&format!("/Users/{root}"), &user(&address)).await.expect_error(404, None);
        }
        assert_eq!(admin.get(&format!("{}/adoptions", okta.path)).await.expect(200)["data"], json!([]));
    }

    async fn a_write_by_id_adopts_by_the_same_rule(app: &TestApp) with |settings| settings.dns_server = Some(dns_server()), {
        let Ours { tenant, okta, domain, .. } = ours(app).await;
        let mut all = Vec::new();
        for name in ["put", "patch", "member", "patched-member"] {
            let address = format!("{name}@{domain}");
            all.push((local(app, &tenant, &address, &address).await, address));
        }
        let put = okta.caller.put(&format!("/Users/{}", all[0].0), &user_with(&all[0].1, json!({ "title": "x" }))).await;
        assert_eq!(put.expect(200)["title"], "x");
        // Entra: the person is found, then patched.
        let change = patch(json!([{ "op": "Add", "path": "externalId", "value": "e-1" }]));
        let stale = okta.caller.request("PATCH", &format!("/Users/{}", all[1].0)).header("If-Match", "W/\"7\"");
        send(stale.header("Content-Type", "application/scim+json").body(change.to_string())).await.expect_error(412, None);
        let patched = okta.caller.patch(&format!("/Users/{}", all[1].0), &change).await;
        assert_eq!(patched.expect(200)["externalId"], "e-1");
        let team = okta.caller.group("team", &[&all[2].0]).await;
        let add = patch(json!([{ "op": "add", "path": "members", "value": [{ "value": all[3].0 }] }]));
        assert!(okta.caller.patch(&format!("/Groups/{team}"), &add).await.status < 300);
        assert_eq!(okta.caller.members(&team).await.len(), 2);
        assert_eq!(okta.caller.get("/Users?count=0").await.expect(200)["totalResults"], 4);
        // One unknown among them: nobody is adopted by a request that is refused.
        let address = format!("late@{domain}");
        let late = local(app, &tenant, &address, &address).await;
        let nobody = "0192f3a0-0000-7000-8000-000000000000";
        okta.caller.post("/Groups", &group("other", &[&late, nobody])).await.expect_error(400, Some("invalidValue"));
        assert_eq!(okta.caller.get("/Users?count=0").await.expect(200)["totalResults"], 4);
    }

    async fn of_two_directories_one_gets_the_person(app: &TestApp) with |settings| settings.dns_server = Some(dns_server()), {
        let Ours { tenant, admin, okta, domain } = ours(app).await;
        let entra = active(app, &admin, "Entra").await;
        let address = format!("anna@{domain}");
        let anna = local(app, &tenant, &address, &address).await;
        let body = user(&address);
        let answers = futures_util::future::join_all((0..8).map(|n| {
            if n % 2 == 0 { okta.caller.post("/Users", &body) } else { entra.caller.post("/Users", &body) }
        })).await;
        let made: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(made.len(), 1, "{answers:?}");
        assert_eq!(id(&made[0].expect(201)), anna);
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            answer.expect_error(409, Some("uniqueness"));
        }
    }

    async fn with_refuse_nobody_is_adopted(app: &TestApp) with |settings| settings.dns_server = Some(dns_server()), {
        let Ours { tenant, admin, okta, domain } = ours(app).await;
        let address = format!("anna@{domain}");
        local(app, &tenant, &address, &address).await;
        admin.patch(&okta.path, &json!({ "scim": { "adoption": "refuse" } })).await.expect(200);
        assert_eq!(okta.caller.find("/Users", &format!("userName eq \"{address}\"")).await.len(), 0);
        okta.caller.post("/Users", &user(&address)).await.expect_error(409, Some("uniqueness"));
    }

    async fn a_foreign_organization_lends_no_domain_and_no_person(app: &TestApp) with |settings| settings.dns_server = Some(dns_server()), {
        let (one, other) = (ours(app).await, ours(app).await);
        let address = format!("anna@{}", one.domain);
        let anna = local(app, &one.tenant, &address, &address).await;
        assert_eq!(other.okta.caller.find("/Users", &format!("userName eq \"{address}\"")).await.len(), 0);
        other.okta.caller.get(&format!("/Users/{anna}")).await.expect_error(404, None);
        assert_ne!(id(&other.okta.caller.create("/Users", &user(&address)).await), anna);
        let theirs = local(app, &other.tenant, "x@x.example", &format!("x@{}", one.domain)).await;
        other.okta.caller.post("/Users", &user("x@x.example")).await.expect_error(409, Some("uniqueness"));
        other.okta.caller.get(&format!("/Users/{theirs}")).await.expect_error(404, None);
        assert_eq!(one.okta.caller.find("/Users", &format!("userName eq \"{address}\"")).await.len(), 1);
    }
}
