//! Named choices where the RFCs leave room or clients differ (`docs/` lists each with its test). The engine is strict;
//! each repair of a client dialect is one flag here, named after its rule in the connector catalogue.

/// Which client dialects are mended before the strict engine sees a request. Default: all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repairs {
    /// R1: `op` in any letter case.
    pub op_any_case: bool,
    /// R3: `"True"`/`"False"` in any case for a boolean attribute, in bodies and filters.
    pub boolean_strings: bool,
    /// R5: a key of a path-less PATCH value that is a path (`name.givenName`, `urn:…:department`).
    pub dotted_keys: bool,
    /// R6: readOnly keys of a path-less PATCH value are ignored.
    pub ignore_read_only_keys: bool,
    /// R7: a value path by plain `eq` on `type` or `primary` that selects nothing creates the element.
    pub create_on_absent: bool,
    /// R9: `remove` of `members` (or another multi-valued attribute) with a list of values removes just these.
    pub remove_with_values: bool,
    /// R12: `remove` ignores a value that it has no use for; otherwise 400 `invalidValue`.
    pub ignore_remove_value: bool,
    /// R13: manager as string, `{"value"}`, one-element array, `manager[value eq …]`.
    pub manager_shapes: bool,
    /// R19: `""` on an optional attribute clears it.
    pub empty_string_clears: bool,
    /// R40: a complex attribute compared directly compares its `value`.
    pub compare_complex: bool,
    /// An attribute of an extension under its short name, where no core attribute and no other extension has that name.
    pub short_extension_names: bool,
    /// PATCH without its `schemas`, `Operations` in any letter case.
    pub patch_envelope: bool,
}

impl Default for Repairs {
    fn default() -> Self {
        Repairs {
            op_any_case: true,
            boolean_strings: true,
            dotted_keys: true,
            ignore_read_only_keys: true,
            create_on_absent: true,
            remove_with_values: true,
            ignore_remove_value: true,
            manager_shapes: true,
            empty_string_clears: true,
            compare_complex: true,
            short_extension_names: true,
            patch_envelope: true,
        }
    }
}

impl Repairs {
    /// No repair at all: what RFC 7644 says to the letter.
    pub fn none() -> Self {
        Repairs {
            op_any_case: false,
            boolean_strings: false,
            dotted_keys: false,
            ignore_read_only_keys: false,
            create_on_absent: false,
            remove_with_values: false,
            ignore_remove_value: false,
            manager_shapes: false,
            empty_string_clears: false,
            compare_complex: false,
            short_extension_names: false,
            patch_envelope: false,
        }
    }
}

/// Bounds on what one request may hold; each answers 400 (or 413 for bytes) beyond it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Nesting of arrays and objects in a body.
    pub json_depth: usize,
    /// Members of one JSON object.
    pub object_members: usize,
    /// Elements of one multi-valued attribute, `members` excepted.
    pub attribute_values: usize,
    /// Elements of `members` in one request; no cap on what is stored.
    pub group_members: usize,
    /// Bytes of one string value.
    pub string_bytes: usize,
    /// Bytes of one resource as it is stored, without `groups` and `members`, however many requests made it.
    pub resource_bytes: usize,
    /// Characters of `userName`.
    pub user_name_characters: usize,
    /// Bytes of a filter.
    pub filter_bytes: usize,
    /// Nesting of parentheses, `not` and value paths in a filter.
    pub filter_depth: usize,
    /// Comparisons in a filter.
    pub filter_terms: usize,
    /// Operations of one PATCH.
    pub patch_operations: usize,
    /// Most resources on a page (`filter.maxResults`).
    pub page_most: usize,
    /// Resources on a page when the client does not say.
    pub page_default: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            json_depth: 64,
            object_members: 1_000,
            attribute_values: 1_000,
            group_members: 10_000,
            string_bytes: 64 * 1024,
            resource_bytes: 1024 * 1024,
            user_name_characters: 512,
            filter_bytes: 8 * 1024,
            filter_depth: 32,
            filter_terms: 100,
            patch_operations: 1_000,
            page_most: 200,
            page_default: 100,
        }
    }
}

/// All of the engine's choices for one request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// Client dialects mended.
    pub repairs: Repairs,
    /// Bounds of a request.
    pub limits: Limits,
}
