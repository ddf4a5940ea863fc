"""The document of the HTTP API, as something that judges answers: each is one that its operation says it may give."""

import gzip
import json
import re
from collections import defaultdict

import jsonschema

from .hub import REPOSITORY

DOCUMENT = REPOSITORY / "docs/openapi.json"
METHODS = ("get", "post", "patch", "delete", "put", "head", "options", "trace")
# Of HTTP itself, or said of all answers in the document's own words.
BESIDE_ALL = re.compile(
    "date|content-(type|length|encoding)|connection|vary|server-timing|access-control-.*|transfer-encoding"
)

formats = jsonschema.FormatChecker(formats=())


def checks_format(name, pattern):
    matches = re.compile(pattern).fullmatch
    formats.checks(name)(lambda value: not isinstance(value, str) or matches(value) is not None)


checks_format("uuid", "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
checks_format("date-time", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
checks_format("uri", r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
checks_format("uri-reference", r"[!-~]+")


def validator(schema):
    """Of a schema that points at nothing."""
    return jsonschema.Draft202012Validator(schema, format_checker=formats)


class Pointed:
    """A document with its `$ref`s followed."""

    def __init__(self, document):
        self.document = document

    def at(self, pointer):
        assert pointer.startswith("#/"), pointer
        value = self.document
        for part in pointer[2:].split("/"):
            value = value[part.replace("~1", "/").replace("~0", "~")]
        return value

    def followed(self, value):
        """What it points at, where it does."""
        while isinstance(value, dict) and "$ref" in value:
            value = {**self.at(value["$ref"]), **{name: one for name, one in value.items() if name != "$ref"}}
        return value

    def whole(self, schema):
        """A schema with all that it points at in its place. None goes round in circles."""
        if isinstance(schema, list):
            return [self.whole(one) for one in schema]
        if not isinstance(schema, dict):
            return schema
        return {name: self.whole(one) for name, one in self.followed(schema).items()}

    def closed(self, schema):
        """The same, where a member that is not named is wrong: the document leaves room for members of tomorrow, and
        those of today are all to be in it."""
        return close(self.whole(schema))


def close(schema, whole_object=True):
    if not isinstance(schema, dict):
        return schema
    closed = dict(schema)
    if "properties" in schema:
        closed["properties"] = {member: close(one) for member, one in schema["properties"].items()}
    if "items" in schema:
        closed["items"] = close(schema["items"])
    for name in ("oneOf", "anyOf"):
        if name in schema:
            closed[name] = [close(one, whole_object and "properties" not in schema) for one in schema[name]]
    if "allOf" in schema:
        closed["allOf"] = [close(one, False) for one in schema["allOf"]]
    if whole_object and ("properties" in schema or "allOf" in schema) and "additionalProperties" not in schema:
        closed["unevaluatedProperties"] = False
    return closed


def codes_of(response):
    """Of the problems that a response may be."""
    schema = response.get("content", {}).get("application/problem+json", {}).get("schema", {})
    return [
        code for one in schema.get("allOf", ()) for code in one.get("properties", {}).get("error", {}).get("enum", ())
    ]


class Operation:
    def __init__(self, document, path, method, item):
        self.path, self.method = path, method
        self.said = item[method]
        self.id = self.said["operationId"]
        self.parameters = [
            document.followed(one) for one in (*item.get("parameters", ()), *self.said.get("parameters", ()))
        ]
        self.responses = {
            int(status): document.followed(response) for status, response in self.said["responses"].items()
        }
        self.needs_key = self.said.get("security", [None]) != []

        self.takes_body = "requestBody" in self.said

    def promised(self):
        """All that it says it may answer: status, and the code of a problem."""
        for status, response in self.responses.items():
            yield from ((status, code) for code in codes_of(response) or [None])

    def __repr__(self):
        return f"{self.method.upper()} {self.path}"


class Contract:
    def __init__(self, document):
        self.document = Pointed(document)
        self.operations = [
            Operation(self.document, path, method, item)
            for path, item in document["paths"].items()
            for method in METHODS
            if method in item
        ]
        self._paths = {
            path: re.compile("/".join("[^/]+" if part.startswith("{") else re.escape(part) for part in path.split("/")))
            for path in document["paths"]
        }
        self._validators = {}
        self.seen = defaultdict(set)  # by operation: (status, the problem's code)

    @classmethod
    def of_repository(cls):
        return cls(json.loads(DOCUMENT.read_text()))

    def operation(self, method, target):
        """What is asked for; none for what the document does not know. A path that is named outright is no other."""
        path = target.partition("?")[0]
        method = {"HEAD": "get"}.get(method, method.lower())
        fitting = [path] if path in self._paths else [one for one, fits in self._paths.items() if fits.fullmatch(path)]
        return next((one for one in self.operations if one.method == method and one.path in fitting), None)

    def _validator(self, schema):
        key = json.dumps(schema)
        if key not in self._validators:
            self._validators[key] = validator(self.document.closed(schema))
        return self._validators[key]

    def judge(self, method, target, answer):
        """Fails for an answer that the document does not know."""
        operation = self.operation(method, target)
        if operation is None:
            return self._judge_stranger(method, answer)
        where = f"{method} {target} → {answer.status}"
        assert answer.status in operation.responses, f"{where}: the status is not in the document\n{answer}"
        response = operation.responses[answer.status]
        self._judge_head(where, response, answer)
        code = None
        if method != "HEAD" and answer.status not in (204, 304):
            code = self._judge_body(where, response, answer)
        self.seen[operation.id].add((answer.status, code))
        return None

    def _judge_stranger(self, method, answer):
        """Of no operation: a path that is none, a method that it has not, or OPTIONS."""
        if method == "OPTIONS" and answer.status == 204:
            assert answer.fields["allow"]
            return
        assert answer.status in (400, 404, 405), answer
        if method != "HEAD":
            assert answer.json["error"] in ("no_such_resource", "method_not_allowed", "bad_request"), answer
            self._validator({"$ref": "#/components/schemas/Problem"}).validate(answer.json)

    def _judge_head(self, where, response, answer):
        documented = {name.lower(): self.document.followed(one) for name, one in response.get("headers", {}).items()}
        for name, header in documented.items():
            if name not in answer.fields:
                assert not header.get("required"), f"{where}: {name} is missing\n{answer}"
                continue
            value = answer.fields[name]
            if header["schema"].get("type") == "integer":
                value = int(value)
            self._validator(header["schema"]).validate(value)
        for name in answer.fields:
            assert name in documented or BESIDE_ALL.fullmatch(name), f"{where}: {name} is not in the document"

    def _judge_body(self, where, response, answer):
        kind = answer.fields.get("content-type")
        contents = response.get("content", {})
        if not contents:
            assert not answer.body, f"{where}: the body is not in the document"
            return None
        assert kind in contents, f"{where}: {kind} is not in the document"
        if not kind.endswith("json"):
            return None
        text = gzip.decompress(answer.body) if "content-encoding" in answer.fields else answer.body
        body = json.loads(text)
        if error := jsonschema.exceptions.best_match(self._validator(contents[kind]["schema"]).iter_errors(body)):
            raise AssertionError(f"{where}: {error.json_path}: {error.message}\n{text[:2000]}")
        return body.get("error") if kind == "application/problem+json" else None
