use crate::model::complex;

complex! {
    /// The message that the invited user gets.
    InvitedUserMessageInfo {
        /// Further recipients of the message; Graph takes one.
        cc_recipients: Vec<Recipient> = CC_RECIPIENTS("ccRecipients");
        /// The text of the message, if it is not the default one.
        customized_message_body: String = CUSTOMIZED_MESSAGE_BODY("customizedMessageBody");
        /// The language of the default message, such as `en-US`.
        message_language: String = MESSAGE_LANGUAGE("messageLanguage");
    }
}

complex! {
    /// A recipient of a message.
    Recipient {
        /// The mail address of the recipient.
        email_address: EmailAddress = EMAIL_ADDRESS("emailAddress");
    }
}

complex! {
    /// A mail address with the name that it is shown with.
    EmailAddress {
        /// The mail address.
        address: String = ADDRESS("address");
        /// The name that is shown.
        name: String = NAME("name");
    }
}
