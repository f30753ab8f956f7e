"""The metadata document of the fake tenant's Graph, read by an XML parser: each type that it uses is declared, once."""

import os
import re
import ssl
import urllib.request
import xml.etree.ElementTree

GRAPH = os.environ["ENTRA_GRAPH_URL"]
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
context = ssl.create_default_context(cafile=os.environ.get("NODE_EXTRA_CA_CERTS"))

for root in (GRAPH, GRAPH.removesuffix("v1.0") + "beta"):
    with urllib.request.urlopen(f"{root}/$metadata", context=context) as response:
        schema = xml.etree.ElementTree.fromstring(response.read()).find(f".//{EDM}Schema")
    declared = [item.get("Name") for item in schema if item.tag in {EDM + "EntityType", EDM + "ComplexType", EDM + "EnumType"}]
    assert len(declared) == len(set(declared)) > 100, len(declared)
    names = {value for item in schema.iter() for key, value in item.items() if key in ("Type", "BaseType", "EntityType")}
    for name in names:
        namespace, local = re.fullmatch(r"(?:Collection\()?([\w.]+)\.(\w+)\)?", name).groups()
        assert namespace == "Edm" or namespace in ("graph", "microsoft.graph") and local in declared, name
    print(f"{root}: {len(declared)} types")
