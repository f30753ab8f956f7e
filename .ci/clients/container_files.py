"""The syntax of the container files of the examples: they are not built or started here."""

import re
from pathlib import Path

import yaml

FOLDER = Path("examples/other_languages")
INSTRUCTIONS = {"FROM", "RUN", "WORKDIR", "COPY", "USER", "EXPOSE", "VOLUME", "ENTRYPOINT", "CMD", "ENV", "ARG"}

lines = FOLDER.joinpath("Containerfile").read_text().replace("\\\n", " ").splitlines()
instructions = [line.split()[0] for line in lines if line.strip() and not line.startswith("#")]
assert instructions[0] == "FROM" and set(instructions) <= INSTRUCTIONS, instructions
stages = set(re.findall(r"^FROM \S+ AS (\w+)$", "\n".join(lines), re.M))
assert set(re.findall(r"--from=(\w+)", "\n".join(lines))) <= stages
compose = yaml.safe_load(FOLDER.joinpath("compose.yaml").read_text())
assert set(compose) == {"services", "volumes"} and set(compose["services"]) == {"entra-mock", "azurite"}
for name, service in compose["services"].items():
    assert ("build" in service) != ("image" in service), name
    for volume in service.get("volumes", []):
        assert volume.split(":")[0] in compose["volumes"], volume
build = compose["services"]["entra-mock"]["build"]
assert FOLDER.joinpath(build["context"], build["dockerfile"]).is_file()
print("container files: the syntax is valid; they were not built")
