"""Large jobs by msgraph-sdk for Python, by its documented ways: the bench `quota_bound` of entra-graph starts it with the root of
the service, a job and a file that describes it."""

import asyncio
import json
import sys

from kiota_abstractions.authentication import (
    AccessTokenProvider,
    AllowedHostsValidator,
    BaseBearerTokenAuthenticationProvider,
)
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.directory_objects.get_by_ids.get_by_ids_post_request_body import GetByIdsPostRequestBody
from msgraph.generated.groups.item.members.members_request_builder import MembersRequestBuilder
from msgraph.generated.models.password_profile import PasswordProfile
from msgraph.generated.models.reference_create import ReferenceCreate
from msgraph.generated.models.user import User
from msgraph.generated.users.users_request_builder import UsersRequestBuilder
from msgraph_core.requests.batch_request_builder import BatchRequestBuilder
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem
from msgraph_core.tasks.page_iterator import PageIterator

ROOT, JOB, FILE = sys.argv[1:]
INPUT = json.load(open(FILE))


class Token(AccessTokenProvider):
    async def get_authorization_token(self, uri, additional_authentication_context={}):
        return INPUT["token"]

    def get_allowed_hosts_validator(self):
        return AllowedHostsValidator(["127.0.0.1"])


async def batches(adapter, requests):
    """The responses of requests that are sent 20 at a time; a caller looks for errors in them."""
    responses = []
    for start in range(0, len(requests), 20):
        numbered = {str(number): one for number, one in enumerate(requests[start : start + 20])}
        items = {number: BatchRequestItem(one, id=number) for number, one in numbered.items()}
        response = await BatchRequestBuilder(adapter).post(BatchRequestContent(items))
        responses += [response.responses[number] for number in numbered]
    return responses


def succeeded(responses):
    return sum(response.status < 300 for response in responses)


async def main():
    adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(Token()))
    adapter.base_url = f"{ROOT}/v1.0"
    graph = GraphServiceClient(request_adapter=adapter)
    if JOB == "groups":
        select = MembersRequestBuilder.MembersRequestBuilderGetQueryParameters(select=["id"])
        configuration = RequestConfiguration(query_parameters=select)
        members = 0
        # The bodies of a batch's responses that are JSON objects are dropped (kiota-python issue 737), so that each list is a
        # request of its own.
        for group in INPUT["groups"]:
            members += len((await graph.groups.by_group_id(group).members.get(configuration)).value)
        return members
    if JOB == "objects":
        objects = 0
        for start in range(0, len(INPUT["ids"]), 1000):
            body = GetByIdsPostRequestBody(ids=INPUT["ids"][start : start + 1000])
            objects += len((await graph.directory_objects.get_by_ids.post(body)).value)
        return objects
    if JOB == "members":
        add = graph.groups.by_group_id(INPUT["group"]).members.ref.to_post_request_information
        link = f"{ROOT}/v1.0/directoryObjects/"
        return succeeded(await batches(adapter, [add(ReferenceCreate(odata_id=link + user)) for user in INPUT["users"]]))
    if JOB == "creates":
        requests = []
        for number in range(INPUT["count"]):
            name = f"new.user{number}"
            user = User(
                account_enabled=True,
                display_name=name,
                mail_nickname=name,
                user_principal_name=f"{name}@{INPUT['domain']}",
                password_profile=PasswordProfile(password="zq4#Correct-7Vx!horse"),
            )
            requests.append(graph.users.to_post_request_information(user))
        return succeeded(await batches(adapter, requests))
    parameters = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(
        top=999, select=["userPrincipalName", "assignedLicenses"], expand=["manager($select=id)"]
    )
    page = await graph.users.get(request_configuration=RequestConfiguration(query_parameters=parameters))
    users = 0

    def count(_):
        nonlocal users
        users += 1
        return True

    await PageIterator(page, adapter).iterate(count)
    return users


print(json.dumps({"done": asyncio.run(main())}))
