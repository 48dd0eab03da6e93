//! `rollcall import` and `rollcall export`.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::helpers::{Home, Server, get};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}

fn of_type<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["type"] == kind).collect()
}

fn write(home: &Home, name: &str, lines: &[Value]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(home.path(name), text).expect("written");
}

fn user(id: &str, name: &str) -> Value {
    let data = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name,
        "displayName": format!("The {name}"), "emails": [{ "value": format!("{name}@x.example"), "type": "work" }] });
    json!({ "type": "user", "id": id, "data": data })
}

fn group(id: &str, name: &str) -> Value {
    let data = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name });
    json!({ "type": "group", "id": id, "data": data })
}

fn total(server: &Server, token: &str, path: &str) -> u64 {
    let (status, text) = get(&server.address, path, Some(token));
    assert_eq!(status, 200, "{text}");
    let body = text.split("\r\n\r\n").nth(1).expect("a body");
    let from = body.find('{').expect("JSON");
    let until = body.rfind('}').expect("JSON");
    let body: Value = serde_json::from_str(&body[from..=until]).expect("JSON");
    body["totalResults"].as_u64().expect("a number")
}

fn names(lines: &[Value]) -> BTreeSet<String> {
    of_type(lines, "user").iter().map(|line| line["data"]["userName"].as_str().expect("a name").to_owned()).collect()
}

fn export(home: &Home, more: &[&str]) -> String {
    let done = home.run(&[&["export", "--organization", "acme"], more].concat());
    assert_eq!(done.code, 0, "{done:?}");
    done.stdout
}

/// An import of the file into the organization `acme`, that is to be killed once it has come so far.
fn start(home: &Home, arguments: &[&str]) -> Child {
    let mut command: Command = home.command(&[&["import", "--organization", "acme"], arguments].concat());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary runs")
}

on_both! {
    fn people_groups_members_and_roles_go_in_and_come_out_again(home: &Home) {
        home.json(&["bootstrap", "--name", "Acme"]);
        home.json(&["organization", "create", "--name", "Other"]);
        let mut held = user("u2", "ben");
        held["suspension"] = json!({ "by": "admin", "at": "2026-11-24T00:00:00Z" });
        let mut invited = user("u3", "cleo");
        invited["invited"] = true.into();
        let file = [
            user("u1", "anna"), held, invited, group("g1", "Sales"), group("g2", "Everyone"),
            json!({ "type": "member", "group": "g1", "member": "u1" }),
            json!({ "type": "member", "group": "g2", "member": "g1" }),
            json!({ "type": "role", "user": "u1", "role": "data_admin" }),
            json!({ "type": "role", "group": "g1", "role": "read_only" }),
        ];
        write(home, "all.jsonl", &file);
        let done = home.json(&["import", "all.jsonl", "--organization", "acme"]);
        assert_eq!(done, json!({ "users": 3, "groups": 2, "members": 2, "roles": 2, "present": 0, "refused": 0,
            "dry_run": false, "resumed": false, "refused_file": null }));
        assert!(!home.path("all.jsonl.position").exists() && !home.path("all.jsonl.refused.jsonl").exists());

        let first = lines(&export(home, &[]));
        assert_eq!(names(&first), BTreeSet::from(["anna", "ben", "cleo"].map(String::from)));
        let find = |name: &str| of_type(&first, "user").into_iter().find(|line| line["data"]["userName"] == name).expect("there");
        assert_eq!(find("ben")["suspension"]["by"], "admin");
        assert_eq!((&find("cleo")["invited"], find("anna").get("invited")), (&Value::Bool(true), None));
        assert_eq!(find("anna")["data"]["emails"][0]["value"], "anna@x.example");
        let roles = of_type(&first, "role");
        assert_eq!((&roles[0]["user"], &roles[0]["role"]), (&find("anna")["id"], &json!("data_admin")));
        assert_eq!((roles.len(), &roles[1]["role"]), (2, &json!("read_only")));
        assert_eq!(of_type(&first, "member").len(), 2);

        // What came out goes into another organization, with other ids, and comes out alike.
        write(home, "again.jsonl", &first);
        let again = home.json(&["import", "again.jsonl", "--organization", "other"]);
        assert_eq!((&again["users"], &again["members"], &again["refused"]), (&json!(3), &json!(2), &json!(0)));
        let second = lines(&home.run(&["export", "--organization", "other"]).stdout);
        assert_eq!((names(&second), second.len()), (names(&first), first.len()));
        assert_ne!(second[0]["id"], first[0]["id"]);
        // The same once more changes nothing.
        let third = home.json(&["import", "again.jsonl", "--organization", "other"]);
        assert_eq!((&third["users"], &third["present"], &third["refused"]), (&json!(0), &json!(9), &json!(0)));
        assert_eq!(lines(&home.run(&["export", "--organization", "other"]).stdout), second);
    }

    fn refused_rows_are_reported_and_the_rest_goes_in(home: &Home) {
        home.json(&["bootstrap", "--name", "Acme"]);
        let text = [
            user("u1", "anna").to_string(), user("u2", "ANNA").to_string(), "{\"type\":\"user\"".to_owned(), String::new(),
            json!({ "type": "member", "group": "g", "member": "u1" }).to_string(), group("g", "Sales").to_string(),
            json!({ "type": "member", "group": "g", "member": "nobody" }).to_string(),
            json!({ "type": "role", "user": "nobody", "role": "admin" }).to_string(),
            json!({ "type": "user", "data": { "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"] } }).to_string(),
        ];
        fs::write(home.path("people.jsonl"), text.join("\n")).expect("written");
        let done = home.run(&["import", "people.jsonl", "--organization", "acme", "--json"]);
        assert_eq!(done.code, 1, "{done:?}");
        let counts: Value = serde_json::from_str(&done.stdout).expect("JSON");
        let number = |name: &str| counts[name].as_u64().expect("a number");
        assert_eq!((number("users"), number("groups"), number("members"), number("refused")), (1, 1, 1, 5));
        assert_eq!(counts["refused_file"], "people.jsonl.refused.jsonl");
        let report = lines(&fs::read_to_string(home.path("people.jsonl.refused.jsonl")).expect("a report"));
        let said: Vec<_> = report.iter().map(|row| (row["line"].as_u64().expect("a line"), row["reason"].as_str().expect("why"))).collect();
        for ((line, reason), (expected, part)) in said.iter().zip([
            (2, "userName is taken"), (3, "JSON"), (7, "member is not there"), (8, "owner is not there"), (9, "userName"),
        ]) {
            assert!(*line == expected && reason.contains(part), "{said:?}");
        }
        assert_eq!((said.len(), &report[0]["record"]["data"]["userName"]), (5, &json!("ANNA")));
    }

    fn csv_people_become_local_people_with_roles(home: &Home) {
        home.json(&["bootstrap", "--name", "Acme"]);
        let text = "\u{feff}Work mail;First name;Surname;Notes;Roles\r\n\
            anna@x.example;Anna;Bell;\"two\r\nlines; quoted\";Data Admin\r\n\
            ben@x.example;=1+1;;;\r\n\
            ;No;Body;;\r\n\
            cleo@x.example;Cleo;;;owner\r\n\
            dora;Dora;;;\r\n";
        fs::write(home.path("people.csv"), text).expect("written");
        home.run(&["import", "people.csv", "--organization", "acme"]).is_refused("no column means email");
        home.run(&["import", "people.csv", "--organization", "acme", "--map", "Mail=email"]).is_refused("no column `Mail`");
        let arguments = ["import", "people.csv", "--organization", "acme", "--map", "Work mail=email"];
        let dry = home.run(&[&arguments[..], &["--dry-run", "--json"]].concat());
        let dry: Value = serde_json::from_str(&dry.stdout).expect("JSON");
        assert_eq!((&dry["users"], &dry["refused"], &dry["dry_run"]), (&json!(2), &json!(3), &json!(true)));
        assert_eq!(export(home, &[]), "", "a dry run writes nothing");

        let done = home.run(&[&arguments[..], &["--json"]].concat());
        assert_eq!(done.code, 1);
        assert!(done.stderr.contains("Notes"), "{done:?}");
        let report = fs::read_to_string(home.path("people.csv.refused.csv")).expect("a report");
        assert!(report.starts_with("line,reason,\u{feff}Work mail,") || report.starts_with("line,reason,Work mail,"), "{report}");
        assert!(report.contains("\r\n5,neither e-mail address nor user name,") && report.contains("no role `owner`"), "{report}");
        assert!(report.contains("\r\n7,`dora` is no e-mail address,"), "{report}");

        let people = lines(&export(home, &[]));
        assert_eq!(names(&people), BTreeSet::from(["anna@x.example", "ben@x.example"].map(String::from)));
        assert_eq!(of_type(&people, "role")[0]["role"], "data_admin");
        // Formulas are neutralised on the way out, and are themselves again on the way in.
        let csv = export(home, &["--format", "csv"]);
        assert!(csv.contains("ben@x.example,ben@x.example,'=1+1,") && csv.contains(",data_admin\r\n"), "{csv}");
        home.json(&["organization", "create", "--name", "Other"]);
        fs::write(home.path("again.csv"), &csv).expect("written");
        assert_eq!(home.json(&["import", "again.csv", "--organization", "other"])["users"], 2);
        assert_eq!(home.run(&["export", "--organization", "other", "--format", "csv"]).stdout, csv);
    }

    fn what_a_connection_shall_own_shows_over_scim_while_the_server_runs(home: &Home) {
        let bootstrap = home.json(&["bootstrap", "--name", "Acme"]);
        let token = bootstrap["scim"]["token"].as_str().expect("a token").to_owned();
        let server = home.serve(&[]);
        write(home, "people.jsonl", &[user("u1", "anna"), user("u2", "ben"), group("g", "Sales"),
            json!({ "type": "member", "group": "g", "member": "u1" })]);
        let connection = bootstrap["connection"]["id"].as_str().expect("an id");
        let done = home.json(&["import", "people.jsonl", "--organization", "acme", "--connection", connection]);
        assert_eq!((&done["users"], &done["members"]), (&json!(2), &json!(1)));
        assert_eq!(total(&server, &token, "/scim/v2/Users?count=0"), 2);
        assert_eq!(total(&server, &token, "/scim/v2/Users?filter=userName%20eq%20%22anna%22"), 1);
        assert_eq!(total(&server, &token, "/scim/v2/Groups?count=0"), 1);
        assert_eq!(export(home, &[]), "", "the organization itself owns nobody");
        assert_eq!(lines(&export(home, &["--connection", connection])).len(), 4);
        home.run(&["import", "people.jsonl", "--organization", "acme", "--connection", "none"]).is_refused("there is no connection");
        home.run(&["import", "nowhere.jsonl", "--organization", "acme"]).is_refused("nowhere.jsonl");
    }

    fn kill_9_in_the_midst_loses_nothing_and_doubles_nothing(home: &Home) {
        const PEOPLE: usize = 6_000;
        let bootstrap = home.json(&["bootstrap", "--name", "Acme"]);
        let token = bootstrap["scim"]["token"].as_str().expect("a token").to_owned();
        let mut file: Vec<Value> = vec![group("g", "Everyone")];
        for number in 0..PEOPLE {
            let mut person = user(&format!("u{number}"), &format!("person-{number}"));
            // Half of them have no name for other lines.
            if number % 2 == 0 {
                person.as_object_mut().expect("an object").remove("id");
            } else {
                file.push(person);
                file.push(json!({ "type": "member", "group": "g", "member": format!("u{number}") }));
                file.push(json!({ "type": "role", "user": format!("u{number}"), "role": "read_only" }));
                continue;
            }
            file.push(person);
            if number % 1_000 == 0 {
                file.push(json!({ "type": "nonsense" }));
            }
        }
        write(home, "people.jsonl", &file);
        let at = || {
            let text = fs::read_to_string(home.path("people.jsonl.position")).unwrap_or_default();
            serde_json::from_str::<Value>(&text).ok().and_then(|position| position["place"]["line"].as_u64()).unwrap_or(0)
        };
        let arguments = ["people.jsonl", "--connection", "SCIM"];
        for _ in 0..3 {
            let before = at();
            let mut child = start(home, &arguments);
            while at() <= before {
                assert!(child.try_wait().expect("a state").is_none(), "it ended before it was killed");
                std::thread::yield_now();
            }
            child.kill().expect("killed");
            child.wait().expect("ended");
        }
        assert!((at() as usize) < file.len(), "it was killed in the midst");
        home.json(&["organization", "create", "--name", "Other"]);
        home.run(&["import", "people.jsonl", "--organization", "other"]).is_refused("another file or owner");
        let done = home.run(&["import", "people.jsonl", "--organization", "acme", "--connection", "SCIM", "--json"]);
        let counts: Value = serde_json::from_str(&done.stdout).expect("JSON");
        assert_eq!((&counts["resumed"], &counts["refused"]), (&json!(true), &json!(6)), "{done:?}");
        let report = lines(&fs::read_to_string(home.path("people.jsonl.refused.jsonl")).expect("a report"));
        let refused: BTreeSet<u64> = report.iter().filter_map(|row| row["line"].as_u64()).collect();
        assert_eq!((report.len(), refused.len()), (6, 6), "no refused row is lost or told twice");

        let out = lines(&export(home, &["--connection", "SCIM"]));
        assert_eq!((of_type(&out, "user").len(), names(&out).len()), (PEOPLE, PEOPLE));
        for kind in ["member", "role"] {
            let rows: BTreeSet<String> = of_type(&out, kind).iter().map(|row| row.to_string()).collect();
            assert_eq!((of_type(&out, kind).len(), rows.len()), (PEOPLE / 2, PEOPLE / 2), "{kind}");
        }
        let server = home.serve(&[]);
        assert_eq!(total(&server, &token, "/scim/v2/Users?count=0"), PEOPLE as u64, "the count is what is there");
        assert_eq!(total(&server, &token, "/scim/v2/Users?count=0&filter=emails%20sw%20%22person-%22"), PEOPLE as u64);
    }

    fn an_export_into_a_file_goes_on_where_it_was_interrupted(home: &Home) {
        home.json(&["bootstrap", "--name", "Acme"]);
        let people: Vec<Value> = (0..1_200).map(|n| user(&format!("u{n}"), &format!("person-{n}"))).collect();
        write(home, "people.jsonl", &people);
        home.json(&["import", "people.jsonl", "--organization", "acme"]);
        let whole = export(home, &[]);
        let done = home.run(&["export", "--organization", "acme", "--output", "out.jsonl"]);
        assert_eq!(done.code, 0, "{done:?}");
        assert_eq!(fs::read_to_string(home.path("out.jsonl")).expect("a file"), whole);
        home.run(&["export", "--organization", "acme", "--output", "out.jsonl"]).is_refused("out.jsonl");

        // As a process leaves it that died behind the first page, with a half line written after that.
        let all: Vec<&str> = whole.lines().collect();
        let kept: String = all[..500].iter().map(|line| format!("{line}\n")).collect();
        let last: Value = serde_json::from_str(all[499]).expect("JSON");
        let organization = home.json(&["organization", "list"])[0]["id"].clone();
        let position = json!({ "run": organization, "organization": organization,
            "connection": "00000000-0000-0000-0000-000000000000", "is_csv": false, "place": { "users": last["id"] },
            "bytes": kept.len(), "rows": 500 });
        fs::write(home.path("out.jsonl"), format!("{kept}{{\"type\":\"us")).expect("written");
        fs::write(home.path("out.jsonl.position"), position.to_string()).expect("written");
        let done = home.run(&["export", "--organization", "acme", "--output", "out.jsonl"]);
        assert_eq!(done.code, 0, "{done:?}");
        assert_eq!(fs::read_to_string(home.path("out.jsonl")).expect("a file"), whole);
        assert!(!home.path("out.jsonl.position").exists());
    }
}
