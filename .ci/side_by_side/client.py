"""msgraph-sdk for Python, by its documented ways: run.py starts it with the root of the service and a case."""

import asyncio
import json
import sys
import urllib.request

from kiota_abstractions.authentication import (
    AccessTokenProvider,
    AllowedHostsValidator,
    BaseBearerTokenAuthenticationProvider,
)
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.user import User
from msgraph.generated.users.users_request_builder import UsersRequestBuilder
from msgraph_core.tasks.page_iterator import PageIterator

ROOT, CASE = sys.argv[1:]


class Tokens(AccessTokenProvider):
    """As the provider for azure-identity: a token for the allowed hosts only."""

    hosts = AllowedHostsValidator(["127.0.0.1"])

    async def get_authorization_token(self, uri, additional_authentication_context={}):
        if not self.hosts.is_url_host_valid(uri):
            return ""
        return json.load(urllib.request.urlopen(f"{ROOT}/token"))["token"]

    def get_allowed_hosts_validator(self):
        return self.hosts


async def main():
    adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(Tokens()))
    adapter.base_url = f"{ROOT}/v1.0"
    graph = GraphServiceClient(request_adapter=adapter)
    if CASE == "post":
        await graph.users.post(User(display_name="Adele"))
        return 0
    configuration = RequestConfiguration(
        query_parameters=UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(count=True)
    )
    configuration.headers.add("ConsistencyLevel", "eventual")
    page = await graph.users.get(request_configuration=configuration)
    users = []

    def keep(user):
        users.append(user)
        return True

    iterator = PageIterator(page, graph.request_adapter)
    # `set_headers` of msgraph-core raises a TypeError for every argument.
    iterator.headers = configuration.headers
    await iterator.iterate(keep)
    return len(users)


try:
    result = {"items": asyncio.run(main()), "error": None}
except Exception as problem:  # whatever it raises is its result
    result = {"items": 0, "error": f"{type(problem).__name__}: {problem}"}
print(json.dumps(result))
