use entra_core::{Secret, Timestamp};

use crate::model::{complex, open_enum};

complex! {
    /// A sign-in identity of a user.
    ObjectIdentity {
        /// The issuer of the identity, such as a domain of the tenant.
        issuer: String = ISSUER("issuer");
        /// The identifier that the issuer assigned to the user.
        issuer_assigned_id: String = ISSUER_ASSIGNED_ID("issuerAssignedId");
        /// The kind of identity, such as `userPrincipalName` or `federated`.
        sign_in_type: String = SIGN_IN_TYPE("signInType");
    }
}

complex! {
    /// A password and whether it must be changed. Graph never returns the password itself.
    PasswordProfile {
        /// Whether the next sign-in must change the password.
        force_change_password_next_sign_in: bool = FORCE_CHANGE_PASSWORD_NEXT_SIGN_IN("forceChangePasswordNextSignIn");
        /// Whether the next sign-in must pass multifactor authentication and then change the password.
        force_change_password_next_sign_in_with_mfa: bool = FORCE_CHANGE_PASSWORD_NEXT_SIGN_IN_WITH_MFA("forceChangePasswordNextSignInWithMfa");
        /// The password of a new account; it is never serialized again.
        password: Secret = PASSWORD("password");
    }
}

impl PasswordProfile {
    /// A password that must be changed at the next sign-in, unless
    /// [`force_change_password_next_sign_in`](Self::force_change_password_next_sign_in) is set to false.
    ///
    /// It is written into request bodies only, in memory that is overwritten afterwards.
    pub fn new(password: impl Into<Secret>) -> Self {
        Self::default()
            .password(password)
            .force_change_password_next_sign_in(true)
    }
}

complex! {
    /// The organization data of an employee.
    EmployeeOrgData {
        /// The cost center of the user.
        cost_center: String = COST_CENTER("costCenter");
        /// The division of the company.
        division: String = DIVISION("division");
    }
}

complex! {
    /// The last sign-ins of a user. Needs `AuditLog.Read.All` and a P1 or P2 licence.
    SignInActivity {
        /// The last non-interactive sign-in, by a client for the user, successful or not.
        last_non_interactive_sign_in_date_time: Timestamp = LAST_NON_INTERACTIVE_SIGN_IN_DATE_TIME("lastNonInteractiveSignInDateTime");
        /// Its id in the sign-in log.
        last_non_interactive_sign_in_request_id: String = LAST_NON_INTERACTIVE_SIGN_IN_REQUEST_ID("lastNonInteractiveSignInRequestId");
        /// The last interactive sign-in of the user, successful or not.
        last_sign_in_date_time: Timestamp = LAST_SIGN_IN_DATE_TIME("lastSignInDateTime");
        /// Its id in the sign-in log.
        last_sign_in_request_id: String = LAST_SIGN_IN_REQUEST_ID("lastSignInRequestId");
        /// The last successful sign-in, of either kind.
        last_successful_sign_in_date_time: Timestamp = LAST_SUCCESSFUL_SIGN_IN_DATE_TIME("lastSuccessfulSignInDateTime");
        /// Its id in the sign-in log.
        last_successful_sign_in_request_id: String = LAST_SUCCESSFUL_SIGN_IN_REQUEST_ID("lastSuccessfulSignInRequestId");
    }
}

complex! {
    /// The identifiers that a certificate must have to sign the user in.
    AuthorizationInfo {
        /// Identifiers of the user's certificates.
        certificate_user_ids: Vec<String> = CERTIFICATE_USER_IDS("certificateUserIds");
    }
}

complex! {
    /// Settings of a mailbox; only for one user, and only when selected.
    MailboxSettings {
        /// The id of the archive folder.
        archive_folder: String = ARCHIVE_FOLDER("archiveFolder");
        /// Automatic replies while the user is away.
        automatic_replies_setting: AutomaticRepliesSetting = AUTOMATIC_REPLIES_SETTING("automaticRepliesSetting");
        /// How dates are shown.
        date_format: String = DATE_FORMAT("dateFormat");
        /// Who gets meeting messages when there is a delegate.
        delegate_meeting_message_delivery_options: DelegateMeetingMessageDeliveryOptions = DELEGATE_MEETING_MESSAGE_DELIVERY_OPTIONS("delegateMeetingMessageDeliveryOptions");
        /// The language of the mailbox.
        language: LocaleInfo = LANGUAGE("language");
        /// How times of day are shown.
        time_format: String = TIME_FORMAT("timeFormat");
        /// The name of the time zone.
        time_zone: String = TIME_ZONE("timeZone");
        /// What the mailbox is for.
        user_purpose: UserPurpose = USER_PURPOSE("userPurpose");
        /// The working hours of the user.
        working_hours: WorkingHours = WORKING_HOURS("workingHours");
    }
}

complex! {
    /// Automatic replies to mail while a user is away.
    AutomaticRepliesSetting {
        /// Which external senders get a reply.
        external_audience: ExternalAudienceScope = EXTERNAL_AUDIENCE("externalAudience");
        /// The reply to external senders.
        external_reply_message: String = EXTERNAL_REPLY_MESSAGE("externalReplyMessage");
        /// The reply to internal senders.
        internal_reply_message: String = INTERNAL_REPLY_MESSAGE("internalReplyMessage");
        /// When replies stop, if they are scheduled.
        scheduled_end_date_time: DateTimeTimeZone = SCHEDULED_END_DATE_TIME("scheduledEndDateTime");
        /// When replies start, if they are scheduled.
        scheduled_start_date_time: DateTimeTimeZone = SCHEDULED_START_DATE_TIME("scheduledStartDateTime");
        /// Whether replies are sent.
        status: AutomaticRepliesStatus = STATUS("status");
    }
}

complex! {
    /// A local time and its time zone.
    DateTimeTimeZone {
        /// The local time, without an offset.
        date_time: String = DATE_TIME("dateTime");
        /// The name of the time zone.
        time_zone: String = TIME_ZONE("timeZone");
    }
}

complex! {
    /// A language and region.
    LocaleInfo {
        /// The display name of the language.
        display_name: String = DISPLAY_NAME("displayName");
        /// Its code, such as `en-GB`.
        locale: String = LOCALE("locale");
    }
}

complex! {
    /// The working hours of a user.
    WorkingHours {
        /// The working days.
        days_of_week: Vec<DayOfWeek> = DAYS_OF_WEEK("daysOfWeek");
        /// The time of day when work ends.
        end_time: String = END_TIME("endTime");
        /// The time of day when work starts.
        start_time: String = START_TIME("startTime");
        /// The time zone of the working hours.
        time_zone: TimeZoneBase = TIME_ZONE("timeZone");
    }
}

complex! {
    /// A time zone.
    TimeZoneBase {
        /// Its name.
        name: String = NAME("name");
    }
}

open_enum! {
    /// Whether automatic replies are sent.
    AutomaticRepliesStatus {
        /// Replies are not sent.
        Disabled = "disabled";
        /// Replies are sent until the setting is turned off.
        AlwaysEnabled = "alwaysEnabled";
        /// Replies are sent between two times.
        Scheduled = "scheduled";
    }
}

open_enum! {
    /// Which external senders get an automatic reply.
    ExternalAudienceScope {
        /// None.
        None = "none";
        /// Senders among the user's contacts.
        ContactsOnly = "contactsOnly";
        /// All.
        All = "all";
    }
}

open_enum! {
    /// Who gets meeting messages when there is a delegate.
    DelegateMeetingMessageDeliveryOptions {
        /// The delegate; the user gets a copy for information.
        SendToDelegateAndInformationToPrincipal = "sendToDelegateAndInformationToPrincipal";
        /// Both.
        SendToDelegateAndPrincipal = "sendToDelegateAndPrincipal";
        /// The delegate alone.
        SendToDelegateOnly = "sendToDelegateOnly";
    }
}

open_enum! {
    /// What a mailbox is for.
    UserPurpose {
        /// A user mailbox.
        User = "user";
        /// A mailbox linked to a user of another forest.
        Linked = "linked";
        /// A mailbox shared by several users.
        Shared = "shared";
        /// A room.
        Room = "room";
        /// A thing that can be booked.
        Equipment = "equipment";
        /// Something else.
        Others = "others";
    }
}

open_enum! {
    /// A day of the week.
    DayOfWeek {
        /// Sunday.
        Sunday = "sunday";
        /// Monday.
        Monday = "monday";
        /// Tuesday.
        Tuesday = "tuesday";
        /// Wednesday.
        Wednesday = "wednesday";
        /// Thursday.
        Thursday = "thursday";
        /// Friday.
        Friday = "friday";
        /// Saturday.
        Saturday = "saturday";
    }
}
