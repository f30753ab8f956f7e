use entra_core::url::Url;

use crate::{
    model::Body,
    objects::Application,
    verbs::{New, NewBody},
};

/// What an app registration is created from; further properties are set on the
/// [`Create`](crate::query::Create).
///
/// Display names are not unique: sending it twice creates two applications. An
/// [upsert](crate::query::Object::upsert) by [`Key::unique_name`](crate::Key::unique_name) creates one:
///
/// ```
/// # async fn example(graph: &entra_graph::GraphClient) -> Result<(), entra_graph::Error> {
/// use entra_graph::{Application, Key, NewApplication, types::WebApplication};
/// let web = WebApplication::default().redirect_uris(["https://shop.contoso.com/auth".to_owned()]);
/// graph.application(Key::unique_name("shop"))
///     .upsert(NewApplication::new("Shop"))
///     .set(Application::SIGN_IN_AUDIENCE, "AzureADMyOrg")
///     .set(Application::WEB, web)
///     .send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NewApplication {
    body: Body,
}

impl NewApplication {
    /// An application from its required property, the display name.
    #[inline]
    pub fn new(display_name: &str) -> Self {
        let mut body = Body::default();
        body.set::<String>(Application::DISPLAY_NAME.into_name(), display_name);
        Self { body }
    }
}

impl New<Application> for NewApplication {
    #[inline]
    fn into_body(self, _: &Url) -> NewBody {
        NewBody(Ok(self.body))
    }
}
