//! User, Group and EnterpriseUser (RFC 7643 §4 and §8.7.1), and the attributes common to all resources (§3.1).
//! Where the example of §8.7.1 and the text differ, the text counts: references and binaries are caseExact (§2.3.6,
//! §2.3.7). Identifiers of resources are caseExact wherever they stand, as `id` is. `addresses` has `primary` (§2.4, used
//! by the example of §8.2). Group `displayName` is required and unique because this server enforces it.

use std::sync::Arc;

use super::{Attribute, Kind, Mutability, Registry, ResourceKind, ResourceType, Returned, Schema, Uniqueness};
use crate::protocol::urn;

/// The two built-in types.
pub(super) fn registry() -> Registry {
    Registry {
        user: ResourceType {
            kind: ResourceKind::User,
            description: "User Account".into(),
            common: common(),
            core: user(),
            extensions: vec![enterprise_user()],
        },
        group: ResourceType {
            kind: ResourceKind::Group,
            description: "Group".into(),
            common: common(),
            core: group(),
            extensions: Vec::new(),
        },
    }
}

fn common() -> Vec<Attribute> {
    vec![
        Attribute {
            multi_valued: true,
            ..reference("schemas", "URNs of the schemas that the resource uses.", &["uri"])
        }
        .required()
        .read_only()
        .returned(Returned::Always),
        string("id", "Identifier of the resource, made by the service provider; it never changes.")
            .exact()
            .read_only()
            .returned(Returned::Always)
            .unique(),
        string("externalId", "Identifier of the resource in the provisioning client's own terms.").exact(),
        complex(
            "meta",
            "Metadata of the resource.",
            vec![
                string("resourceType", "Name of the resource's type.").exact().read_only(),
                attribute("created", Kind::DateTime, "When the resource was created.").read_only(),
                attribute("lastModified", Kind::DateTime, "When the resource was last changed.").read_only(),
                reference("location", "URI of the resource.", &["uri"]).read_only(),
                string("version", "Version of the resource, equal to its ETag.").exact().read_only(),
            ],
        )
        .read_only(),
    ]
}

fn user() -> Schema {
    let mut attributes = profile();
    attributes.extend(contact());
    attributes.extend(belongings());
    Schema { id: urn::USER.into(), name: "User".into(), description: "User Account".into(), attributes }
}

fn profile() -> Vec<Attribute> {
    vec![
        string(
            "userName",
            "Unique identifier for the User, by which the person signs in. Not case-sensitive. REQUIRED.",
        )
        .required()
        .unique(),
        complex(
            "name",
            "The components of the User's real name.",
            vec![
                string("formatted", "The full name, formatted for display, e.g. 'Ms. Barbara J Jensen, III'."),
                string("familyName", "The family name, e.g. 'Jensen'."),
                string("givenName", "The given name, e.g. 'Barbara'."),
                string("middleName", "The middle name(s), e.g. 'Jane'."),
                string("honorificPrefix", "The honorific prefix(es), e.g. 'Ms.'."),
                string("honorificSuffix", "The honorific suffix(es), e.g. 'III'."),
            ],
        ),
        string("displayName", "The name of the User, suitable for display to people."),
        string("nickName", "The casual way to address the User, e.g. 'Bob' instead of 'Robert'."),
        reference("profileUrl", "URL of a page representing the User's online profile.", &["external"]),
        string("title", "The User's title, e.g. 'Vice President'."),
        string("userType", "The relationship between the organization and the User, e.g. 'Employee'."),
        string("preferredLanguage", "The User's preferred written or spoken language, e.g. 'en-US'."),
        string("locale", "The User's default location for localizing currency, dates and numbers, e.g. 'en-US'."),
        string("timezone", "The User's time zone by its name in the Olson database, e.g. 'America/Los_Angeles'."),
        boolean("active", "Whether the User may use the service."),
        Attribute {
            mutability: Mutability::WriteOnly,
            ..string("password", "Accepted so that clients may send one; neither stored nor returned.")
        }
        .returned(Returned::Never),
    ]
}

fn contact() -> Vec<Attribute> {
    vec![
        values(
            "emails",
            "E-mail addresses of the User.",
            string("value", "An e-mail address."),
            &["work", "home", "other"],
        ),
        values(
            "phoneNumbers",
            "Phone numbers of the User; kept as sent.",
            string("value", "A phone number."),
            &["work", "home", "mobile", "fax", "pager", "other"],
        ),
        values(
            "ims",
            "Instant messaging addresses of the User.",
            string("value", "An instant messaging address."),
            &["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"],
        ),
        values(
            "photos",
            "URLs of photos of the User.",
            reference("value", "URL of a photo.", &["external"]),
            &["photo", "thumbnail"],
        ),
        multi(
            "addresses",
            "Physical mailing addresses of the User.",
            vec![
                string("formatted", "The full mailing address, formatted for display; may contain line breaks."),
                string("streetAddress", "Street, house number and the like; may contain line breaks."),
                string("locality", "The city or locality."),
                string("region", "The state or region."),
                string("postalCode", "The postal code."),
                string("country", "The country, preferably as an ISO 3166-1 alpha-2 code."),
                label(&["work", "home", "other"]),
                primary(),
            ],
        ),
    ]
}

fn belongings() -> Vec<Attribute> {
    vec![
        multi(
            "groups",
            "The groups to which the User belongs; changed through the groups' members.",
            vec![
                string("value", "Identifier of the group.").exact().read_only(),
                reference("$ref", "URI of the group.", &["Group"]).read_only(),
                string("display", "The group's displayName.").read_only(),
                label(&["direct", "indirect"]).read_only(),
            ],
        )
        .read_only(),
        values("entitlements", "Things the User has.", string("value", "An entitlement."), &[]),
        values("roles", "Roles of the User, e.g. 'Student'.", string("value", "A role."), &[]),
        values(
            "x509Certificates",
            "Certificates issued to the User.",
            attribute("value", Kind::Binary, "A DER-encoded X.509 certificate, base64.").exact(),
            &[],
        ),
    ]
}

fn group() -> Schema {
    let attributes = vec![
        string("displayName", "A human-readable name for the Group, unique without regard to letter case. REQUIRED.")
            .required()
            .unique(),
        multi(
            "members",
            "The members of the Group.",
            vec![
                string("value", "Identifier of the member.").exact().immutable(),
                reference("$ref", "URI of the member.", &["User", "Group"]).immutable(),
                string("type", "The type of the member.").canonical(&["User", "Group"]).immutable(),
                string("display", "The member's displayName.").read_only(),
            ],
        ),
    ];
    Schema { id: urn::GROUP.into(), name: "Group".into(), description: "Group".into(), attributes }
}

fn enterprise_user() -> Schema {
    let attributes = vec![
        string("employeeNumber", "Identifier assigned to a person by the organization."),
        string("costCenter", "Name of a cost center."),
        string("organization", "Name of an organization."),
        string("division", "Name of a division."),
        string("department", "Name of a department."),
        complex(
            "manager",
            "The User's manager.",
            vec![
                string("value", "Identifier of the manager's User resource.").exact(),
                reference("$ref", "URI of the manager's User resource.", &["User"]),
                string("displayName", "The manager's displayName.").read_only(),
            ],
        ),
    ];
    Schema {
        id: urn::ENTERPRISE_USER.into(),
        name: "EnterpriseUser".into(),
        description: "Enterprise User".into(),
        attributes,
    }
}

/// Role or Entitlement (draft-ietf-scim-roles-entitlements): a value that an attribute of User may take. Of `roles` one may
/// be primary.
pub(super) fn offered(id: &str, name: &str) -> Schema {
    let mut attributes = vec![
        string("value", "What the User's attribute holds.").exact().required().unique(),
        string("display", "A human-readable name, for display."),
        string("type", "A label for the value's function."),
    ];
    if id == urn::ROLE {
        attributes.push(boolean("primary", "Whether this is the usual one."));
    }
    attributes.extend([
        boolean("supported", "Whether it may be assigned now."),
        boolean("limitedAssignmentsPermitted", "Whether the number of assignments is limited."),
        attribute("totalAssignmentsPermitted", Kind::Integer, "How many assignments there may be."),
        attribute("totalAssignmentsUsed", Kind::Integer, "How many assignments there are."),
        string("contains", "Values that permit nothing beyond what this one permits.").exact().several(),
        string("containedBy", "Values that permit all that this one permits.").exact().several(),
    ]);
    let attributes = attributes.into_iter().map(Attribute::read_only).collect();
    let description = format!("A value of a User's {}s", name.to_ascii_lowercase());
    Schema { id: id.into(), name: name.into(), description: description.into(), attributes }
}

fn attribute(name: &str, kind: Kind, description: &str) -> Attribute {
    Attribute {
        name: name.into(),
        kind,
        multi_valued: false,
        required: false,
        case_exact: false,
        mutability: Mutability::ReadWrite,
        returned: Returned::Default,
        uniqueness: Uniqueness::None,
        canonical_values: Vec::new(),
        reference_types: Vec::new(),
        description: description.into(),
        sub_attributes: Vec::new(),
    }
}

fn string(name: &str, description: &str) -> Attribute {
    attribute(name, Kind::String, description)
}

fn boolean(name: &str, description: &str) -> Attribute {
    attribute(name, Kind::Boolean, description)
}

fn reference(name: &str, description: &str, types: &[&str]) -> Attribute {
    Attribute { reference_types: shared(types), ..attribute(name, Kind::Reference, description).exact() }
}

fn complex(name: &str, description: &str, sub_attributes: Vec<Attribute>) -> Attribute {
    Attribute { sub_attributes, ..attribute(name, Kind::Complex, description) }
}

fn multi(name: &str, description: &str, sub_attributes: Vec<Attribute>) -> Attribute {
    Attribute { multi_valued: true, ..complex(name, description, sub_attributes) }
}

/// A multi-valued attribute of the usual shape: `value`, `display`, `type`, `primary` (RFC 7643 §2.4).
fn values(name: &str, description: &str, value: Attribute, types: &[&str]) -> Attribute {
    let display = string("display", "A human-readable name, for display.");
    multi(name, description, vec![value, display, label(types), primary()])
}

fn label(types: &[&str]) -> Attribute {
    string("type", "A label for the value's function; other values are accepted.").canonical(types)
}

fn primary() -> Attribute {
    boolean("primary", "Whether this is the preferred value; true at most once.")
}

fn shared(texts: &[&str]) -> Vec<Arc<str>> {
    texts.iter().map(|text| Arc::from(*text)).collect()
}

impl Attribute {
    fn required(self) -> Self {
        Attribute { required: true, ..self }
    }
    fn exact(self) -> Self {
        Attribute { case_exact: true, ..self }
    }
    fn unique(self) -> Self {
        Attribute { uniqueness: Uniqueness::Server, ..self }
    }
    fn several(self) -> Self {
        Attribute { multi_valued: true, ..self }
    }
    fn read_only(self) -> Self {
        Attribute { mutability: Mutability::ReadOnly, ..self }
    }
    fn immutable(self) -> Self {
        Attribute { mutability: Mutability::Immutable, ..self }
    }
    fn returned(self, returned: Returned) -> Self {
        Attribute { returned, ..self }
    }
    fn canonical(self, values: &[&str]) -> Self {
        Attribute { canonical_values: shared(values), ..self }
    }
}
