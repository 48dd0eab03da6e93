use super::*;
use crate::protocol::policy::Limits;
#[test]
fn scratch() {
    for t in [
        r#"userName eq "x""#,
        r#"not(a eq 1)"#,
        r#"members[value eq"x"]"#,
        r#"emails[type eq "work" or value co "a"].value eq "x" and (a pr or b pr)"#,
        "a regex 1",
        "a eq 01",
        r#"a eq "\u0000""#,
    ] {
        match parse::parse(t, &Limits::default()) {
            Ok(f) => println!("{f}"),
            Err(e) => println!("{e}"),
        }
    }
}
