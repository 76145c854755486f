#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reduces a Google discovery document to what the stand-in checks requests against.

Usage: reduce_discovery.py DISCOVERY.json > tests/fixtures/google/calendar-v3.json

Keeps names, paths, parameters, scopes and the names and types of schema properties; drops every
description. ADDITIONS are published in newer generated typings (revision 20260826) but not yet in the
discovery document that we hold (revision 20260225).
"""
import json
import sys

PARAMETER_KEYS = ("type", "location", "required", "repeated", "enum", "format", "minimum", "maximum")
SCOPE_PREFIX = "https://www.googleapis.com/auth/"


def reduce_parameter(parameter):
    return {key: parameter[key] for key in PARAMETER_KEYS if key in parameter}


def reduce_schema(schema):
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    reduced = {"type": schema.get("type", "any")}
    if "format" in schema:
        reduced["format"] = schema["format"]
    if "properties" in schema:
        reduced["properties"] = {name: reduce_schema(value) for name, value in sorted(schema["properties"].items())}
    if "items" in schema:
        reduced["items"] = reduce_schema(schema["items"])
    if "additionalProperties" in schema:
        reduced["additionalProperties"] = reduce_schema(schema["additionalProperties"])
    return reduced


def reduce_methods(resources, prefix=""):
    methods = {}
    for resource_name, resource in sorted(resources.items()):
        for method_name, method in sorted(resource.get("methods", {}).items()):
            entry = {
                "httpMethod": method["httpMethod"],
                "path": method["path"],
                "parameters": {n: reduce_parameter(p) for n, p in sorted(method.get("parameters", {}).items())},
                "scopes": sorted(s.removeprefix(SCOPE_PREFIX) for s in method.get("scopes", [])),
            }
            if "request" in method:
                entry["request"] = method["request"]["$ref"]
            if "response" in method:
                entry["response"] = method["response"]["$ref"]
            methods[f"{prefix}{resource_name}.{method_name}"] = entry
        methods.update(reduce_methods(resource.get("resources", {}), f"{prefix}{resource_name}."))
    return methods


def apply_additions(document):
    methods, schemas = document["methods"], document["schemas"]
    for name in ("insert", "import", "update", "patch"):
        methods[f"events.{name}"]["parameters"].setdefault(
            "eventLabelVersion", {"type": "integer", "location": "query", "format": "int32", "minimum": "0", "maximum": "1"}
        )
    for name in ("list", "watch"):
        parameters = methods[f"calendarList.{name}"]["parameters"]
        parameters.setdefault("showOwnOrganizationOnly", {"type": "boolean", "location": "query"})
        roles = parameters["minAccessRole"]["enum"]
        if "writerWithoutPrivateAccess" not in roles:
            roles.append("writerWithoutPrivateAccess")
    schemas["Event"]["properties"].setdefault("eventLabelId", {"type": "string"})
    schemas["Calendar"]["properties"].setdefault("labelProperties", {"$ref": "LabelProperties"})
    # The held document names these two schemas without properties.
    schemas["EventLabel"] = {"type": "object", "properties": {k: {"type": "string"} for k in ("backgroundColor", "id", "name")}}
    labels = {"type": "array", "items": {"$ref": "EventLabel"}}
    schemas["LabelProperties"] = {"type": "object", "properties": {"eventLabels": labels}}
    schemas["EventAttendee"]["properties"].setdefault("asyncOperation", {"type": "string"})


def main():
    with open(sys.argv[1], encoding="utf-8") as source:
        discovery = json.load(source)
    document = {
        "id": discovery["id"],
        "revision": discovery["revision"],
        "servicePath": discovery["servicePath"],
        "batchPath": discovery["batchPath"],
        "parameters": {n: reduce_parameter(p) for n, p in sorted(discovery["parameters"].items())},
        "scopes": sorted(s.removeprefix(SCOPE_PREFIX) for s in discovery["auth"]["oauth2"]["scopes"]),
        "methods": reduce_methods(discovery["resources"]),
        "schemas": {n: reduce_schema(s) for n, s in sorted(discovery["schemas"].items())},
    }
    apply_additions(document)
    json.dump(document, sys.stdout, indent=1, sort_keys=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
