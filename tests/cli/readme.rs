//! The session of README.md, run line by line in one shell against a real server.

use std::process::Command;

/// A command after `$ `, and the lines that it answers.
fn session() -> Vec<(String, String)> {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("README.md");
    let mut steps: Vec<(String, String)> = Vec::new();
    for block in readme.split("```console\n").skip(1) {
        for line in block.split("```").next().unwrap_or_default().lines() {
            match line.strip_prefix("$ ") {
                Some(command) => steps.push((command.to_owned(), String::new())),
                None => {
                    let (_, output) = steps.last_mut().expect("a command first");
                    output.push_str(line);
                    output.push('\n');
                }
            }
        }
    }
    steps
}

/// Ids, times and the port differ from run to run.
fn redacted(text: &str, address: &str) -> String {
    let text = text.replace(address, "127.0.0.1:8080");
    let mut out = String::new();
    for (n, part) in text.split('"').enumerate() {
        if n > 0 {
            out.push('"');
        }
        let is_time = part.len() >= 20 && part.ends_with('Z') && part.as_bytes()[10] == b'T';
        out.push_str(if is_time { "TIME" } else { part });
    }
    let words = out.split_inclusive(|c: char| !(c.is_ascii_hexdigit() || c == '-'));
    words
        .map(|word| {
            let id = word.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
            if id.len() == 36 && id.matches('-').count() == 4 { word.replace(id, "ID") } else { word.to_owned() }
        })
        .collect()
}

on_both! {
    fn the_session_of_the_readme_answers_what_it_shows(home: &Home) {
        let bootstrap = home.json(&["bootstrap", "--name", "Readme"]);
        let server = home.serve(&[]);
        let steps = session();
        assert!(steps.iter().filter(|(_, output)| !output.is_empty()).count() > 7, "the session is read whole");
        let script: String = steps.iter().map(|(command, _)| format!("{command}\nprintf '\\036'\n")).collect();
        let done = Command::new("bash")
            .args(["-c", &script])
            .env("SCIM", format!("http://{}/scim/v2", server.address))
            .env("TOKEN", bootstrap["scim"]["token"].as_str().expect("a token"))
            .env("SERVER", format!("http://{}", server.address))
            .env("OPERATOR_KEY", bootstrap["backoffice"]["key"].as_str().expect("a key"))
            .env_remove("BACKOFFICE_URL")
            .output()
            .expect("bash");
        let printed = String::from_utf8(done.stdout).expect("UTF-8");
        // Says which answer a script in the session did not expect.
        let complaints = String::from_utf8_lossy(&done.stderr);
        let answers: Vec<&str> = printed.split('\u{1e}').collect();
        assert_eq!(answers.len(), steps.len() + 1, "{printed}{complaints}");
        for ((command, shown), answer) in steps.iter().zip(answers) {
            assert_eq!(redacted(answer, &server.address), redacted(shown, &server.address), "$ {command}\n{complaints}");
        }
        assert_eq!(server.stop().0, 0);
    }
}
