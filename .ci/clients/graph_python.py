"""msgraph-sdk for Python, as it comes from its registry, writes to the standalone fake tenant."""

import asyncio
import os
import sys
from urllib.parse import urlsplit

from azure.identity import ClientSecretCredential
from kiota_abstractions.api_error import APIError
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.group import Group
from msgraph.generated.models.password_profile import PasswordProfile
from msgraph.generated.models.reference_create import ReferenceCreate
from msgraph.generated.models.user import User
from msgraph_core.requests.batch_request_builder import BatchRequestBuilder
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem

GRAPH = os.environ["ENTRA_GRAPH_URL"]


def check(condition, message):
    if not condition:
        sys.exit(f"msgraph-sdk for Python: {message}")


def user(name):
    return User(
        account_enabled=True,
        display_name=f"Python {name}",
        mail_nickname=name,
        user_principal_name=f"{name}@contoso.com",
        password_profile=PasswordProfile(password="xWwvJ]6NMw+bWH-d", force_change_password_next_sign_in=True),
    )


async def rejected(call):
    try:
        await call
    except APIError as error:
        return error
    check(False, "a rejected request was expected")


async def delta_round(builder, link=None):
    """All rows of a delta round, and the link to the next one."""
    rows = []
    page = await (builder.with_url(link) if link else builder).get()
    while True:
        rows.extend(page.value)
        if page.odata_next_link is None:
            return rows, page.odata_delta_link
        page = await builder.with_url(page.odata_next_link).get()


async def main():
    credential = ClientSecretCredential(
        os.environ["AZURE_TENANT_ID"],
        os.environ["AZURE_CLIENT_ID"],
        os.environ["AZURE_CLIENT_SECRET"],
        authority=os.environ["AZURE_AUTHORITY_HOST"],
        disable_instance_discovery=True,
    )
    provider = AzureIdentityAuthenticationProvider(
        credential, scopes=["https://graph.microsoft.com/.default"], allowed_hosts=[urlsplit(GRAPH).netloc, urlsplit(GRAPH).hostname]
    )
    adapter = GraphRequestAdapter(provider)
    adapter.base_url = GRAPH
    client = GraphServiceClient(request_adapter=adapter)

    rows, users_link = await delta_round(client.users.delta)
    check(len(rows) >= 60, f"the first round has {len(rows)} users")
    _, groups_link = await delta_round(client.groups.delta)

    created = await client.users.post(user("python1"))
    check(created.id and created.display_name == "Python python1", f"created: {created}")
    conflict = await rejected(client.users.post(user("python1")))
    check(conflict.response_status_code == 400, f"a second one: {conflict.response_status_code}")
    check("userPrincipalName already exists" in conflict.error.message, conflict.error.message)
    await client.users.by_user_id(created.id).patch(User(job_title="Lead"))
    read = await client.users.by_user_id(created.id).get()
    check(read.job_title == "Lead", f"updated: {read.job_title}")

    group = await client.groups.post(
        Group(
            display_name="Python group",
            mail_enabled=False,
            mail_nickname="python",
            security_enabled=True,
            additional_data={"owners@odata.bind": [f"https://graph.microsoft.com/v1.0/users/{created.id}"]},
        )
    )
    reference = ReferenceCreate(odata_id=f"https://graph.microsoft.com/v1.0/directoryObjects/{created.id}")
    await client.groups.by_group_id(group.id).members.ref.post(reference)
    members = await client.groups.by_group_id(group.id).members.get()
    check([member.id for member in members.value] == [created.id], "the member is not there")

    # This SDK writes `depends_on` where Graph reads `dependsOn`, so nothing here depends on anything.
    first = BatchRequestItem(client.users.to_post_request_information(user("python2")), id="1")
    second = BatchRequestItem(
        client.users.by_user_id(created.id).to_patch_request_information(User(city="Graz")), id="2"
    )
    batch = BatchRequestContent({"1": first, "2": second})
    responses = await BatchRequestBuilder(adapter).post(batch)
    codes = {name: item.status for name, item in responses.responses.items()}
    check(codes == {"1": 201, "2": 204}, f"batch: {codes}")

    rows, users_link = await delta_round(client.users.delta, users_link)
    check(created.id in {row.id for row in rows} and len(rows) == 2, f"delta: {[row.id for row in rows]}")
    other = next(row.id for row in rows if row.id != created.id)
    rows, _ = await delta_round(client.groups.delta, groups_link)
    check(str(rows[0].additional_data["members@delta"][0]["id"]) == created.id, f"group delta: {rows[0].additional_data}")

    await client.groups.by_group_id(group.id).members.by_directory_object_id(created.id).ref.delete()
    await client.groups.by_group_id(group.id).delete()
    for own in (created.id, other):
        await client.users.by_user_id(own).delete()
    gone = await rejected(client.users.by_user_id(created.id).get())
    check(gone.response_status_code == 404, f"deleted: {gone.response_status_code}")
    rows, _ = await delta_round(client.users.delta, users_link)
    reasons = [row.additional_data["@removed"]["reason"] for row in rows]
    check(reasons == ["changed", "changed"], f"removed: {reasons}")
    restored = await client.directory.deleted_items.by_directory_object_id(created.id).restore.post(None)
    check(restored.id == created.id, "not restored")
    await client.users.by_user_id(created.id).delete()
    print("msgraph-sdk for Python: create, update, delete, restore, members, a batch, delta")


asyncio.run(main())
