"""Delta read by msgraph-sdk for Python and by microsoft-graph-client gives the same copy as the example directory_sync.

Usage: sync_copy.py DIRECTORY_OF_PROGRAMS SYNC_COPY.MJS [USERS]

In a tenant with as many users, the first round has several pages, and a group several rows.
"""

import asyncio
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from urllib.parse import urlsplit

from azure.identity import ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.groups.delta.delta_request_builder import DeltaRequestBuilder as GroupsDelta
from msgraph.generated.models.group import Group
from msgraph.generated.models.password_profile import PasswordProfile
from msgraph.generated.models.reference_create import ReferenceCreate
from msgraph.generated.models.user import User
from msgraph.generated.users.delta.delta_request_builder import DeltaRequestBuilder as UsersDelta
from msgraph.generated.users.users_request_builder import UsersRequestBuilder

PROGRAM = pathlib.Path(sys.argv[1]).resolve() / "directory_sync"
NODE = pathlib.Path(sys.argv[2]).resolve()
USERS = int(sys.argv[3]) if len(sys.argv) > 3 else 60
GRAPH = os.environ["ENTRA_GRAPH_URL"]


def check(holds, what):
    if not holds:
        sys.exit(f"copies differ: {what}")


class PythonCopy:
    """The copy that msgraph-sdk gives."""

    def __init__(self, client):
        self.objects, self.members = {"users": {}, "groups": {}}, {}
        self.links = {"users": None, "groups": None}
        self.pages, self.rows = {"users": 0, "groups": 0}, Counter()
        self.client = client

    async def catch_up(self):
        users = UsersDelta.DeltaRequestBuilderGetQueryParameters(select=["displayName"])
        groups = GroupsDelta.DeltaRequestBuilderGetQueryParameters(select=["displayName", "members"])
        await self.round("users", self.client.users.delta, users)
        await self.round("groups", self.client.groups.delta, groups)

    async def round(self, name, builder, query):
        link = self.links[name]
        if link:
            page = await builder.with_url(link).get()
        else:
            page = await builder.get(request_configuration=RequestConfiguration(query_parameters=query))
        while True:
            self.pages[name] += 1
            for row in page.value:
                self.rows[row.id] += 1
                self.apply(name, row)
            if page.odata_next_link is None:
                self.links[name] = page.odata_delta_link
                return
            page = await builder.with_url(page.odata_next_link).get()

    def apply(self, name, row):
        if "@removed" in row.additional_data:
            self.objects[name].pop(row.id, None)
            self.members.pop(row.id, None)
            return
        self.objects[name][row.id] = row.display_name
        for member in row.additional_data.get("members@delta") or []:
            members = self.members.setdefault(row.id, {})
            if "@removed" in member:
                members.pop(str(member["id"]), None)
            else:
                members[str(member["id"])] = member["@odata.type"]


def flat(objects, members):
    """Objects with their names, and memberships between objects that are there. A deleted user stays a member in Graph
    until it is purged, so a copy joins both feeds."""
    kinds = {"#microsoft.graph.user": objects["users"], "#microsoft.graph.group": objects["groups"]}
    links = {
        (group, member)
        for group, found in members.items()
        for member, kind in found.items()
        if group in objects["groups"] and member in kinds.get(kind, [member])
    }
    return {**objects["users"], **objects["groups"]}, links


def own(database):
    with sqlite3.connect(database) as connection:
        objects = {id: json.loads(text).get("displayName") for id, text in connection.execute("SELECT id, object FROM objects")}
        return objects, set(connection.execute("SELECT group_id, member_id FROM members"))


async def everyone(client):
    """A group of more members than a page of changes has."""
    query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(select=["id"], top=600)
    page = await client.users.get(request_configuration=RequestConfiguration(query_parameters=query))
    group = await client.groups.post(Group(display_name="Everyone", mail_enabled=False, mail_nickname="everyone", security_enabled=True))
    links = [f"{GRAPH}/directoryObjects/{user.id}" for user in page.value]
    for at in range(0, len(links), 20):
        await client.groups.by_group_id(group.id).patch(Group(additional_data={"members@odata.bind": links[at : at + 20]}))
    return group.id, len(links)


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
    python = PythonCopy(client)
    with tempfile.TemporaryDirectory() as folder:
        database, file = pathlib.Path(folder, "copy.db"), pathlib.Path(folder, "copy.json")

        async def compare(when):
            subprocess.run([PROGRAM, "--tenant", "env", "--database", database], check=True, capture_output=True, timeout=120)
            subprocess.run(["node", NODE, file], check=True, timeout=120, cwd=NODE.parent)
            await python.catch_up()
            node = json.loads(file.read_text())
            ours = own(database)
            for name, other in (
                ("msgraph-sdk for Python", flat(python.objects, python.members)),
                ("microsoft-graph-client", flat({set: node[set] for set in ("users", "groups")}, node["members"])),
            ):
                check(ours[0] == other[0], f"{when}: objects of {name}: {set(ours[0].items()) ^ set(other[0].items())}")
                check(ours[1] == other[1], f"{when}: memberships of {name}: {ours[1] ^ other[1]}")
            check(len(ours[0]) > USERS and len(ours[1]) > 20, f"{when}: only {len(ours[0])} objects and {len(ours[1])} memberships")
            return ours

        group, count = await everyone(client) if USERS > 500 else (None, 0)
        _, members = await compare("first round")
        if group:
            check(python.pages["users"] > 1, "the users came in one page")
            check(count > 500 and python.rows[group] > 1, f"a group of {count} came in one row")
            check(sum(one == group for one, _ in members) == count, f"a group has other members than the {count} that were added")
        team = await client.groups.post(Group(display_name="Sync", mail_enabled=False, mail_nickname="sync", security_enabled=True))
        created = []
        for number in range(3):
            name = f"sync{number}"
            new = User(
                account_enabled=True, display_name=name, mail_nickname=name, user_principal_name=f"{name}@contoso.com",
                password_profile=PasswordProfile(password="xWwvJ]6NMw+bWH-d"),
            )
            created.append((await client.users.post(new)).id)
            await client.groups.by_group_id(team.id).members.ref.post(ReferenceCreate(odata_id=f"{GRAPH}/directoryObjects/{created[-1]}"))
        group, member = sorted(members)[0]
        await client.groups.by_group_id(group).members.by_directory_object_id(member).ref.delete()
        await compare("new users in a new group")
        await client.users.by_user_id(created[0]).patch(User(display_name="Another name"))
        await client.users.by_user_id(created[1]).delete()
        await client.groups.by_group_id(team.id).members.by_directory_object_id(created[2]).ref.delete()
        await compare("changed, deleted and removed")
        await client.directory.deleted_items.by_directory_object_id(created[1]).restore.post(None)
        await compare("restored")
        await client.groups.by_group_id(team.id).delete()
        await compare("deleted group")
    print("msgraph-sdk for Python, microsoft-graph-client and directory_sync have the same copy")


asyncio.run(main())
