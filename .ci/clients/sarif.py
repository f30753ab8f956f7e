"""Checks that a file is a SARIF 2.1.0 log, as far as section 3 of the standard says what must be there and of which type.

    python3 sarif.py FILE

Code scanning services reject a log with an unknown level, an index out of range, a location without a URI, or a line below 1.
"""

import json
import re
import sys

LEVELS = {"none", "note", "warning", "error"}
problems = []


def expect(condition, place, message):
    if not condition:
        problems.append(f"{place}: {message}")
    return condition


def text(value, place):
    expect(isinstance(value, str) and value.strip(), place, "no text")


def message(value, place):
    if expect(isinstance(value, dict), place, "no message"):
        text(value.get("text"), f"{place}.text")


def known(value, names, place):
    for name in value:
        expect(name in names, place, f"SARIF has no property {name} there")


def check_rule(rule, place):
    known(rule, {"id", "name", "shortDescription", "fullDescription", "help", "helpUri", "defaultConfiguration"}, place)
    text(rule.get("id"), f"{place}.id")
    for name in ("shortDescription", "fullDescription", "help"):
        message(rule.get(name), f"{place}.{name}")
    expect(re.match(r"https://\S+$", rule.get("helpUri", "")), place, "helpUri is no URL")
    expect(rule.get("defaultConfiguration", {}).get("level") in LEVELS, place, "unknown level")


def check_location(location, place):
    known(location, {"physicalLocation", "logicalLocations", "message"}, place)
    physical = location.get("physicalLocation", {})
    uri = physical.get("artifactLocation", {}).get("uri", "")
    expect(uri and not uri.startswith("/") and "\\" not in uri, place, "the URI of the artifact is not relative")
    line = physical.get("region", {}).get("startLine")
    expect(isinstance(line, int) and line >= 1, place, "lines are counted from 1")
    for logical in location.get("logicalLocations", []):
        text(logical.get("fullyQualifiedName"), f"{place}.logicalLocations")


def check_result(result, rules, place):
    known(result, {"ruleId", "ruleIndex", "level", "message", "locations", "occurrenceCount"}, place)
    expect(result.get("level") in LEVELS, place, "unknown level")
    message(result.get("message"), f"{place}.message")
    index = result.get("ruleIndex")
    if expect(isinstance(index, int) and 0 <= index < len(rules), place, "ruleIndex is out of range"):
        expect(rules[index]["id"] == result.get("ruleId"), place, "ruleIndex and ruleId differ")
    expect(isinstance(result.get("occurrenceCount"), int) and result["occurrenceCount"] >= 1, place, "no occurrences")
    expect(result.get("locations"), place, "no location")
    for number, location in enumerate(result.get("locations", [])):
        check_location(location, f"{place}.locations[{number}]")


def check(log):
    known(log, {"$schema", "version", "runs"}, "log")
    expect(log.get("version") == "2.1.0", "log", "the version is not 2.1.0")
    expect("sarif" in log.get("$schema", ""), "log", "no $schema")
    runs = log.get("runs")
    if not expect(isinstance(runs, list) and runs, "log", "no runs"):
        return 0
    count = 0
    for number, run in enumerate(runs):
        place = f"runs[{number}]"
        known(run, {"tool", "columnKind", "results"}, place)
        driver = run.get("tool", {}).get("driver", {})
        text(driver.get("name"), f"{place}.tool.driver.name")
        rules = driver.get("rules", [])
        expect(len({rule.get("id") for rule in rules}) == len(rules), place, "two rules have one id")
        for rule_number, rule in enumerate(rules):
            check_rule(rule, f"{place}.rules[{rule_number}]")
        expect(isinstance(run.get("results"), list), place, "no results")
        for result_number, result in enumerate(run.get("results", [])):
            check_result(result, rules, f"{place}.results[{result_number}]")
            count += 1
    return count


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        results = check(json.load(file))
    if problems:
        sys.exit("\n".join(problems))
    print(f"a SARIF 2.1.0 log with {results} results")
