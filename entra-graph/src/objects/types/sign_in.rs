use crate::model::{complex, open_enum};

complex! {
    /// The result of a sign-in.
    SignInStatus {
        /// More about the outcome, such as the factor that satisfied MFA.
        additional_details: String = ADDITIONAL_DETAILS("additionalDetails");
        /// AADSTS code without its prefix; 0 means success.
        error_code: i32 = ERROR_CODE("errorCode");
        /// Why it failed; `Other.` on success.
        failure_reason: String = FAILURE_REASON("failureReason");
    }
}

complex! {
    /// The device of a sign-in.
    DeviceDetail {
        /// Browser with its version.
        browser: String = BROWSER("browser");
        /// Device id, if the device is known.
        device_id: String = DEVICE_ID("deviceId");
        /// Device name, if the device is known.
        display_name: String = DISPLAY_NAME("displayName");
        /// Whether the device met the compliance policies.
        is_compliant: bool = IS_COMPLIANT("isCompliant");
        /// Whether the device was managed.
        is_managed: bool = IS_MANAGED("isManaged");
        /// Operating system with its version.
        operating_system: String = OPERATING_SYSTEM("operatingSystem");
        /// How the device is joined, such as `Azure AD joined`.
        trust_type: String = TRUST_TYPE("trustType");
    }
}

complex! {
    /// The location of a sign-in.
    SignInLocation {
        /// City.
        city: String = CITY("city");
        /// Two-letter country or region code.
        country_or_region: String = COUNTRY_OR_REGION("countryOrRegion");
        /// Coordinates of the location.
        geo_coordinates: GeoCoordinates = GEO_COORDINATES("geoCoordinates");
        /// State or province.
        state: String = STATE("state");
    }
}

complex! {
    /// A point on the earth.
    GeoCoordinates {
        /// Altitude in metres.
        altitude: f64 = ALTITUDE("altitude");
        /// Latitude in degrees.
        latitude: f64 = LATITUDE("latitude");
        /// Longitude in degrees.
        longitude: f64 = LONGITUDE("longitude");
    }
}

complex! {
    /// The device that ran the authenticator app in a sign-in.
    AuthenticationAppDeviceDetails {
        /// Version of the authenticator app.
        app_version: String = APP_VERSION("appVersion");
        /// Name of the authenticator app.
        client_app: String = CLIENT_APP("clientApp");
        /// Id of the device that ran it.
        device_id: String = DEVICE_ID("deviceId");
        /// Operating system of that device.
        operating_system: String = OPERATING_SYSTEM("operatingSystem");
    }
}

complex! {
    /// The result of one Conditional Access policy in a sign-in.
    AppliedConditionalAccessPolicy {
        /// Name of the policy.
        display_name: String = DISPLAY_NAME("displayName");
        /// Grant controls it enforced, such as `mfa`.
        enforced_grant_controls: Vec<String> = ENFORCED_GRANT_CONTROLS("enforcedGrantControls");
        /// Session controls it enforced.
        enforced_session_controls: Vec<String> = ENFORCED_SESSION_CONTROLS("enforcedSessionControls");
        /// Id of the policy.
        id: String = ID("id");
        /// What the policy decided.
        result: AppliedConditionalAccessPolicyResult = RESULT("result");
    }
}

open_enum! {
    /// The result of one Conditional Access policy.
    AppliedConditionalAccessPolicyResult {
        /// It applied and was met.
        Success = "success";
        /// It applied and was not met.
        Failure = "failure";
        /// Its conditions did not match.
        NotApplied = "notApplied";
        /// It is switched off.
        NotEnabled = "notEnabled";
        /// Not known.
        Unknown = "unknown";
        /// Report-only: it would have been met.
        ReportOnlySuccess = "reportOnlySuccess";
        /// Report-only: it would have failed.
        ReportOnlyFailure = "reportOnlyFailure";
        /// Report-only: its conditions did not match.
        ReportOnlyNotApplied = "reportOnlyNotApplied";
        /// Report-only: it would have required an action of the user.
        ReportOnlyInterrupted = "reportOnlyInterrupted";
    }
}

open_enum! {
    /// The result of all Conditional Access policies for a sign-in.
    ConditionalAccessStatus {
        /// All policies that applied were met.
        Success = "success";
        /// A policy was not met.
        Failure = "failure";
        /// No policy applied.
        NotApplied = "notApplied";
    }
}
