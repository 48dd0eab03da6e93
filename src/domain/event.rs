//! Kinds of events: the numbers that are stored and the names that webhooks and the audit log show.

macro_rules! kinds {
    ($($name:ident = $number:literal $text:literal,)*) => {
        /// What happened. Numbers are stored in `events.kind`, so they never change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(i16)]
        #[allow(missing_docs)]
        pub enum EventKind {
            $($name = $number,)*
        }

        impl EventKind {
            /// All of them.
            pub const ALL: &'static [EventKind] = &[$(EventKind::$name,)*];

            /// Its name for people and programs: `user.created`.
            pub fn name(self) -> &'static str {
                match self {
                    $(EventKind::$name => $text,)*
                }
            }
        }
    };
}

kinds! {
    UserCreated = 1 "user.created",
    UserChanged = 2 "user.updated",
    UserDeleted = 3 "user.deleted",
    GroupCreated = 4 "group.created",
    GroupChanged = 5 "group.updated",
    GroupDeleted = 6 "group.deleted",
    UserInvited = 7 "user.invited",
    UserJoined = 8 "user.joined",
    UserRolesChanged = 9 "user.roles_changed",
    UserSuspended = 10 "user.suspended",
    UserUnsuspended = 11 "user.unsuspended",
    UserAdopted = 12 "user.adopted",
    UserReleased = 13 "user.released",
    UserErased = 14 "user.erased",
    UserBlocked = 15 "user.blocked",
    UserUnblocked = 16 "user.unblocked",
    UserExported = 17 "user.exported",
    GroupMembersChanged = 18 "group.members_changed",
    GroupRolesChanged = 19 "group.roles_changed",
    OrganizationCreated = 20 "organization.created",
    OrganizationChanged = 21 "organization.updated",
    AdminLinkCreated = 22 "organization.admin_link_created",
    ConnectionCreated = 30 "connection.created",
    ConnectionChanged = 31 "connection.updated",
    ConnectionObserved = 32 "connection.observed",
    ConnectionActivated = 33 "connection.activated",
    ConnectionPaused = 34 "connection.paused",
    ConnectionResumed = 35 "connection.resumed",
    ConnectionDecommissioned = 36 "connection.decommissioned",
    ConnectionSilent = 37 "connection.silent",
    TokenCreated = 40 "scim_token.created",
    TokenRevoked = 41 "scim_token.revoked",
    TokenRotated = 42 "scim_token.rotated",
    TokenExpiring = 43 "scim_token.expiring",
    InvitationExpired = 50 "invitation.expired",
    InvitationWithdrawn = 51 "invitation.withdrawn",
    InvitationRenewed = 52 "invitation.renewed",
    ProvisioningRefused = 70 "provisioning.refused",
    ProvisioningHeld = 71 "provisioning.held",
    HeldChangesReleased = 72 "provisioning.released",
    HeldChangesDiscarded = 73 "provisioning.discarded",
    AdoptionWaiting = 74 "adoption.waiting",
    AdoptionRefused = 75 "adoption.refused",
    ApiKeyCreated = 80 "api_key.created",
    ApiKeyChanged = 81 "api_key.updated",
    ApiKeyRotated = 82 "api_key.rotated",
    ApiKeyRevoked = 83 "api_key.revoked",
    SecuritySettingsChanged = 90 "security_settings.updated",
    DomainAdded = 91 "domain.added",
    DomainVerified = 92 "domain.verified",
    DomainRemoved = 93 "domain.removed",
    OperatorCreated = 100 "operator.created",
    OperatorRemoved = 101 "operator.removed",
    OperatorKeyCreated = 102 "operator_key.created",
    OperatorKeyRevoked = 103 "operator_key.revoked",
    SubAccountCreated = 110 "sub_account.created",
    SubAccountChanged = 111 "sub_account.updated",
    SubAccountArchived = 112 "sub_account.archived",
    SubAccountAccessGranted = 113 "sub_account.access_granted",
    SubAccountAccessRevoked = 114 "sub_account.access_revoked",
    JobStarted = 120 "job.started",
    JobFinished = 121 "job.finished",
    DeedRefused = 130 "deed.refused",
    LastAdminPending = 131 "organization.last_admin_pending",
}

impl EventKind {
    /// The kind of a stored number; `None` for one that a later version wrote.
    pub fn from_number(number: i16) -> Option<Self> {
        EventKind::ALL.iter().copied().find(|kind| *kind as i16 == number)
    }

    /// The kind of a name.
    pub fn parse(name: &str) -> Option<Self> {
        EventKind::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_kind_has_a_number_and_a_name_of_its_own() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_number(*kind as i16), Some(*kind));
            assert_eq!(EventKind::parse(kind.name()), Some(*kind));
        }
        let names: BTreeSet<_> = EventKind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), EventKind::ALL.len());
        assert_eq!((EventKind::from_number(0), EventKind::parse("user")), (None, None));
    }

    #[test]
    fn numbers_that_were_stored_stay() {
        let stored = [
            (1, "user.created"),
            (6, "group.deleted"),
            (20, "organization.created"),
            (30, "connection.created"),
            (40, "scim_token.created"),
            (41, "scim_token.revoked"),
            (80, "api_key.created"),
            (83, "api_key.revoked"),
            (103, "operator_key.revoked"),
        ];
        for (number, name) in stored {
            assert_eq!(EventKind::from_number(number).map(EventKind::name), Some(name));
        }
    }
}
