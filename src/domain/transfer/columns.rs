//! People in a CSV file: which column means what, and a row as a person.

use serde_json::{Map, Value, json};

use super::record::{Person, parse_role};
use crate::domain::permission::Role;
use crate::domain::person::is_address;
use crate::protocol::urn;

/// What a column may mean: its name for `--map`, and headings that mean it without being told (letters and digits, in lower
/// case).
const FIELDS: &[(&str, &[&str])] = &[
    ("user_name", &["username", "login", "loginname", "userprincipalname", "upn"]),
    ("email", &["email", "emailaddress", "mail", "workemail", "primaryemail", "useremail"]),
    ("given_name", &["givenname", "firstname", "first", "forename"]),
    ("family_name", &["familyname", "lastname", "last", "surname"]),
    ("display_name", &["displayname", "name", "fullname"]),
    ("title", &["title", "jobtitle", "position"]),
    ("department", &["department", "dept"]),
    ("division", &["division"]),
    ("cost_center", &["costcenter", "costcentre"]),
    ("employee_number", &["employeenumber", "employeeid", "personnelnumber"]),
    ("phone", &["phone", "phonenumber", "workphone", "telephone"]),
    ("mobile", &["mobile", "mobilephone", "cellphone"]),
    ("locale", &["locale"]),
    ("language", &["language", "preferredlanguage"]),
    ("time_zone", &["timezone"]),
    ("external_id", &["externalid"]),
    ("active", &["active", "enabled", "accountenabled"]),
    ("roles", &["roles", "role"]),
];

/// The columns that an export of people has, in order.
pub const EXPORTED: [&str; 14] = [
    "user_name",
    "email",
    "given_name",
    "family_name",
    "display_name",
    "title",
    "department",
    "employee_number",
    "phone",
    "locale",
    "time_zone",
    "external_id",
    "active",
    "roles",
];

/// What each column of a file means; `None` for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns(Vec<Option<&'static str>>);

impl Columns {
    /// Reads a heading. `mapping` names fields for headings, `ignore` for a heading that shall mean nothing.
    ///
    /// # Errors
    /// A sentence: a mapped heading that the file does not have, an unknown field, two columns for one field, neither
    /// user name nor e-mail address.
    pub fn of(heading: &[String], mapping: &[(String, String)]) -> Result<Self, String> {
        let heading: Vec<&str> = heading.iter().map(|cell| cell.trim_start_matches('\u{feff}').trim()).collect();
        for (name, field) in mapping {
            if !heading.contains(&name.as_str()) {
                return Err(format!("the file has no column `{name}`; it has {}", heading.join(", ")));
            }
            if field != "ignore" && known(field).is_none() {
                let all: Vec<_> = FIELDS.iter().map(|(field, _)| *field).collect();
                return Err(format!("`{field}` is no field; fields are {} and ignore", all.join(", ")));
            }
        }
        let meaning = |name: &&str| match mapping.iter().find(|(mapped, _)| mapped == name) {
            Some((_, field)) => known(field),
            None => guess(name),
        };
        let fields: Vec<_> = heading.iter().map(meaning).collect();
        for (field, _) in FIELDS {
            if fields.iter().filter(|found| **found == Some(*field)).count() > 1 {
                return Err(format!(
                    "more than one column means {field}; say which with --map, and `ignore` of others"
                ));
            }
        }
        let columns = Columns(fields);
        if !columns.0.iter().any(|field| matches!(field, Some("email" | "user_name"))) {
            return Err("no column means email or user_name; say which with --map \"Heading=email\"".to_owned());
        }
        Ok(columns)
    }

    /// Numbers of the columns that mean nothing.
    pub fn ignored(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().filter(|(_, field)| field.is_none()).map(|(at, _)| at)
    }

    /// A row as a person.
    ///
    /// # Errors
    /// A sentence on what is wrong.
    pub fn person(&self, row: &[String]) -> Result<Person, String> {
        if row.len() != self.0.len() {
            return Err(format!("the row has {} cells, the heading {}", row.len(), self.0.len()));
        }
        let get = |field: &str| {
            let cell = self.0.iter().position(|known| *known == Some(field)).and_then(|at| row.get(at));
            cell.map(|cell| cell.trim()).filter(|cell| !cell.is_empty())
        };
        let email = get("email");
        if let Some(email) = email.filter(|email| !is_address(email)) {
            return Err(format!("`{email}` is no e-mail address"));
        }
        let user_name = get("user_name").or(email).ok_or_else(|| "neither e-mail address nor user name".to_owned())?;
        let mut data = Map::new();
        data.insert("schemas".to_owned(), json!([urn::USER, urn::ENTERPRISE_USER]));
        data.insert("userName".to_owned(), user_name.into());
        data.insert("active".to_owned(), get("active").map_or(Ok(true), truth)?.into());
        let (given, family) = (get("given_name"), get("family_name"));
        let both: Vec<&str> = [given, family].into_iter().flatten().collect();
        let whole = (!both.is_empty()).then(|| both.join(" "));
        if let Some(whole) = &whole {
            data.insert("name".to_owned(), json!({ "formatted": whole, "givenName": given, "familyName": family }));
        }
        let texts = [
            ("displayName", get("display_name").or(whole.as_deref())),
            ("title", get("title")),
            ("locale", get("locale")),
            ("preferredLanguage", get("language")),
            ("timezone", get("time_zone")),
            ("externalId", get("external_id")),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                data.insert(name.to_owned(), text.into());
            }
        }
        if let Some(email) = email {
            data.insert("emails".to_owned(), json!([{ "value": email, "type": "work", "primary": true }]));
        }
        let phones: Vec<Value> = [("work", get("phone")), ("mobile", get("mobile"))]
            .into_iter()
            .filter_map(|(kind, number)| Some(json!({ "value": number?, "type": kind })))
            .collect();
        data.insert("phoneNumbers".to_owned(), phones.into());
        let job = ["employee_number", "cost_center", "division", "department"].map(get);
        let [number, center, division, department] = job;
        let job =
            json!({ "employeeNumber": number, "costCenter": center, "division": division, "department": department });
        data.insert(urn::ENTERPRISE_USER.to_owned(), job);
        Ok(Person { data, roles: roles(get("roles").unwrap_or_default())?, ..Person::default() })
    }
}

/// The cells of a person in the order of `EXPORTED`.
pub fn cells(document: &Map<String, Value>, active: bool, roles: &str) -> Vec<String> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let top = |name: &str| text(document.get(name));
    let within = |name: &str, sub: &str| text(document.get(name).and_then(|value| value.get(sub)));
    let first = |name: &str| {
        let values = document.get(name).and_then(Value::as_array);
        let primary = |value: &&Value| value.get("primary") == Some(&Value::Bool(true));
        let value = values.and_then(|all| all.iter().find(primary).or_else(|| all.first()));
        text(value.and_then(|value| value.get("value")))
    };
    vec![
        top("userName"),
        first("emails"),
        within("name", "givenName"),
        within("name", "familyName"),
        top("displayName"),
        top("title"),
        within(urn::ENTERPRISE_USER, "department"),
        within(urn::ENTERPRISE_USER, "employeeNumber"),
        first("phoneNumbers"),
        top("locale"),
        top("timezone"),
        top("externalId"),
        active.to_string(),
        roles.to_owned(),
    ]
}

fn known(field: &str) -> Option<&'static str> {
    FIELDS.iter().find(|(name, _)| *name == field).map(|(name, _)| *name)
}

fn guess(heading: &str) -> Option<&'static str> {
    let plain: String = heading.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    FIELDS.iter().find(|(_, headings)| headings.contains(&plain.as_str())).map(|(field, _)| *field)
}

fn truth(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "1" | "active" | "enabled" => Ok(true),
        "false" | "no" | "n" | "0" | "inactive" | "disabled" => Ok(false),
        _ => Err(format!("active is `{text:.40}`; it is true or false")),
    }
}

/// Keys or names of roles, between `;`, `,`, `|` or, of keys, blanks.
fn roles(text: &str) -> Result<Vec<Role>, String> {
    let named = |part: &str| Role::ALL.into_iter().find(|role| role.name().eq_ignore_ascii_case(part));
    let mut roles = Vec::new();
    for part in text.split([';', ',', '|']).map(str::trim).filter(|part| !part.is_empty()) {
        match named(part) {
            Some(role) => roles.push(role),
            None => {
                for key in part.split_whitespace() {
                    roles.push(parse_role(key)?);
                }
            }
        }
    }
    Ok(roles)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    fn mapping(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn headings_are_guessed_and_a_row_becomes_a_person() {
        let heading =
            texts(&["\u{feff}E-Mail", "First name", "Last Name", "Roles", "Department", "Shoe size", "Enabled"]);
        let columns = Columns::of(&heading, &[]).unwrap();
        assert_eq!(columns.ignored().collect::<Vec<_>>(), [5]);
        let row = texts(&[" anna@x.example ", "Anna", "Bell", "Read Only; data_admin", "Sales", "38", "no"]);
        let person = columns.person(&row).unwrap();
        assert_eq!(person.roles, [Role::ReadOnly, Role::DataAdmin]);
        assert_eq!((&person.data["userName"], &person.data["active"]), (&json!("anna@x.example"), &json!(false)));
        assert_eq!(person.data["displayName"], "Anna Bell");
        assert_eq!(person.data["emails"], json!([{ "value": "anna@x.example", "type": "work", "primary": true }]));
        assert_eq!(person.data[urn::ENTERPRISE_USER]["department"], "Sales");
    }

    #[test]
    fn a_mapping_goes_before_a_guess() {
        let heading = texts(&["Login", "Email", "Email 2"]);
        let columns = Columns::of(&heading, &mapping(&[("Email", "ignore"), ("Email 2", "email")])).unwrap();
        let person = columns.person(&texts(&["anna", "old@x", "new@x"])).unwrap();
        assert_eq!((&person.data["userName"], &person.data["emails"][0]["value"]), (&json!("anna"), &json!("new@x")));
        for (heading, pairs, reason) in [
            (&["Email"][..], &[("Mail", "email")][..], "no column `Mail`"),
            (&["Email"], &[("Email", "shoe")], "`shoe` is no field"),
            (&["Email", "Mail"], &[], "more than one column means email"),
            (&["Name"], &[], "no column means email or user_name"),
        ] {
            let error = Columns::of(&texts(heading), &mapping(pairs)).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn rows_that_cannot_be_people_are_refused() {
        let columns = Columns::of(&texts(&["email", "active", "roles"]), &[]).unwrap();
        for (row, reason) in [
            (&["a@x"][..], "1 cells, the heading 3"),
            (&["", "", ""], "neither e-mail"),
            (&["a@x", "perhaps", ""], "active is `perhaps`"),
            (&["a@x", "", "owner"], "no role `owner`"),
        ] {
            let error = columns.person(&texts(row)).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn exported_cells_read_back() {
        let columns = Columns::of(&texts(&EXPORTED), &[]).unwrap();
        let row = texts(&[
            "anna",
            "a@x",
            "Anna",
            "Bell",
            "Anna B.",
            "Boss",
            "Sales",
            "7",
            "+1",
            "de",
            "UTC",
            "e",
            "true",
            "admin billing",
        ]);
        let person = columns.person(&row).unwrap();
        assert_eq!(cells(&person.data, true, "admin billing"), row);
        assert_eq!(person.roles, [Role::Admin, Role::Billing]);
    }
}
