# SPDX-License-Identifier: Apache-2.0
"""Sends generated requests to a running api and holds its answers to the contract.

Fails on an answer of status 5xx, on one that the contract does not describe, and when an operation was never answered
2xx. Settings come by environment, see main().
"""

import collections
import os
import random
import re
import sys
import time
import warnings

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# How often the walk tries to make an operation succeed: ids are known of at most this many things of a kind.
TURNS = 50
ID = re.compile(r"[a-z]+_[0-9a-f]{32}")
# Operations that would take the fuzzer's own rights away keep off what is protected.
TAKES_AWAY = re.compile(r"^(DELETE .*|POST .*:(suspend|rotate))$")


class Tokens:
    """Access tokens, renewed before they expire."""

    def __init__(self, url):
        self.url = url
        self.known = {}

    def get(self, client, secret):
        token, until = self.known.get(client, (None, 0))
        if time.monotonic() > until:
            answer = requests.post(
                self.url,
                data={"grant_type": "client_credentials", "client_id": client, "client_secret": secret},
                timeout=30,
            )
            answer.raise_for_status()
            token = answer.json()["access_token"]
            self.known[client] = (token, time.monotonic() + answer.json()["expires_in"] / 2)
        return token


class Ids:
    """Ids that the service told, by their prefix: generated ones would all be unknown."""

    def __init__(self, chance, protected):
        self.chance = chance
        self.protected = set(protected)
        self.known = collections.defaultdict(list)
        # What a thing is part of, for paths that name both.
        self.parents = {}
        self.deleted = []
        for text in protected:
            self.add(text)

    def add(self, text):
        known = self.known[text.split("_")[0]]
        if text not in known:
            known.append(text)
            del known[: -TURNS if len(known) > TURNS else 0]

    def learn(self, value, key="", inside=None):
        if isinstance(value, dict):
            own = value.get("id")
            if isinstance(own, str) and ID.fullmatch(own):
                named = {item for name, item in value.items() if name.endswith("_id") and isinstance(item, str)}
                self.parents.setdefault(own, set()).update(named | ({inside} if inside else set()))
                inside = own
            for name, item in value.items():
                self.learn(item, name, inside)
        elif isinstance(value, list):
            for item in value:
                self.learn(item, key, inside)
        elif isinstance(value, str) and (key == "id" or key.endswith("_id")) and ID.fullmatch(value):
            self.add(value)

    def above(self, text, prefix):
        """What of this prefix a thing is part of, directly or not."""
        parents = self.parents.get(text, set())
        for parent in parents:
            if parent.startswith(prefix + "_"):
                return parent
        for parent in parents:
            if not parent.startswith("prj_") and (found := self.above(parent, prefix)):
                return found
        return None

    def forget(self, text):
        """It and all that is part of it."""
        self.deleted.append(text)
        for known in self.known.values():
            known[:] = [
                one for one in known if one in self.protected or (one != text and not self.part_of(one, text))
            ]

    def part_of(self, one, text):
        return any(
            parent == text or (not parent.startswith("prj_") and self.part_of(parent, text))
            for parent in self.parents.get(one, set())
            if parent.split("_")[0] in ("lb", "pool", "pop", "lst")
        )

    def of(self, prefix, spared=False, inside=(), turn=None):
        """One of the known ids; of those that are part of something named, if there are such.

        By chance, or with each turn another one, the newest first.
        """
        known = [text for text in self.known[prefix] if not (spared and text in self.protected)]
        known = [text for text in known if self.parents.get(text, set()) & set(inside)] or known
        if not known:
            return None
        return self.chance.choice(known) if turn is None else known[-1 - turn % len(known)]


class Fuzzer:
    def __init__(self, url, project, ids, tokens, seed):
        self.schema = schemathesis.openapi.from_url(url + "/v1/openapi.yaml")
        self.raw = self.schema.raw_schema
        self.url = url
        self.project = project
        self.ids = ids
        self.tokens = tokens
        self.chance = random.Random(seed)
        self.session = requests.Session()
        self.sent = 0
        self.names = 0
        self.statuses = collections.defaultdict(collections.Counter)
        self.failures = {}
        # What an operation answered last in place of success.
        self.said = {}
        self.operations = [result.ok() for result in self.schema.get_all_operations()]

    # What an operation needs ------------------------------------------------------------------------------------------

    def definition(self, operation):
        return self.raw["paths"][operation.path][operation.method.lower()]

    def token(self, operation):
        permission = self.definition(operation)["x-permission"]
        if permission == "public":
            return None
        return self.tokens["operator" if permission == "operator" else "admin"]()

    def resolve(self, value):
        while "$ref" in value:
            at = self.raw
            for step in value["$ref"][2:].split("/"):
                at = at[step]
            value = at
        return value

    def prefixes(self, operation):
        """The id prefix of each parameter of the path."""
        item = self.raw["paths"][operation.path]
        parameters = item.get("parameters", []) + self.definition(operation).get("parameters", [])
        found = {}
        for parameter in map(self.resolve, parameters):
            if parameter["in"] == "path":
                found[parameter["name"]] = str(parameter["example"]).split("_")[0]
        return found

    # Requests ---------------------------------------------------------------------------------------------------------

    def place(self, operation, case, turn):
        """Puts ids that exist where the request names some; with a turn always, and with each turn others."""
        spared = bool(TAKES_AWAY.match(f"{operation.method.upper()} {operation.path}"))
        deepest = None
        for name, prefix in sorted(self.prefixes(operation).items(), key=lambda item: -operation.path.index(item[0])):
            if name == "project_id" and not (spared and operation.path.endswith("{project_id}")):
                case.path_parameters[name] = self.project
            elif turn is not None or self.chance.random() < 0.8:
                above = self.ids.above(deepest, prefix) if deepest else None
                known = above or self.ids.of(prefix, spared, turn=turn)
                if operation.path.endswith(":undelete"):
                    known = next((text for text in reversed(self.ids.deleted) if text.startswith(prefix + "_")), known)
                deepest = deepest or known
                case.path_parameters[name] = known or prefix + "_" + "0" * 32
        # A stream does not end by itself.
        if isinstance(case.query, dict):
            case.query.pop("follow", None)
        case.body = self.with_ids(case.body, set(case.path_parameters.values()) - {self.project})

    def with_ids(self, value, inside, key=""):
        if isinstance(value, dict):
            return {name: self.with_ids(item, inside, name) for name, item in value.items()}
        if isinstance(value, list):
            return [self.with_ids(item, inside, key) for item in value]
        if isinstance(value, str) and (key.endswith("_id") or key.endswith("_ids")) and self.chance.random() < 0.8:
            match = re.match(r"([a-z]+)_", value)
            stem = key.removesuffix("s").removesuffix("_id")
            prefix = match[1] if match else {"load_balancer": "lb", "address_pool": "apool", "tenant": "tnt"}.get(stem, stem)
            return self.ids.of(prefix, inside=inside) or value
        return value

    def send(self, operation, case, turn=None):
        self.place(operation, case, turn)
        headers = {}
        token = self.token(operation)
        if token:
            headers["Authorization"] = "Bearer " + token
        # Most writes come with a tag that fits.
        if operation.method.upper() in ("PUT", "PATCH", "DELETE") and (turn is not None or self.chance.random() < 0.8):
            headers["If-Match"] = "*"
        # A stream does not end.
        if case.query:
            case.query.pop("follow", None)
        response = case.call(base_url=self.url, session=self.session, headers=headers, timeout=30)
        self.sent += 1
        name = self.definition(operation)["operationId"]
        self.statuses[name][response.status_code] += 1
        try:
            case.validate_response(response, checks=CHECKS)
        except BaseException as failure:  # schemathesis raises groups of its own
            if isinstance(failure, KeyboardInterrupt):
                raise
            self.failures.setdefault((name, response.status_code, type(failure).__name__), f"{case.as_curl_command()}\n{failure}")
        if 200 <= response.status_code < 300:
            if operation.method.upper() == "DELETE":
                self.ids.forget(str(list(case.path_parameters.values())[-1]))
            elif "json" in str(response.headers.get("content-type")):
                answer = response.json()
                if isinstance(answer, dict) and ID.fullmatch(str(answer.get("id"))):
                    above = {str(value) for value in case.path_parameters.values()} - {answer["id"]}
                    self.ids.parents.setdefault(answer["id"], set()).update(above)
                self.ids.learn(answer)
        return response

    # The two rounds ---------------------------------------------------------------------------------------------------

    def sample(self, schema, key="", items=1, also=None, inner=False):
        """A value made of the contract's examples: what is required, lists of `items`, and one property more."""
        schema = self.resolve(schema)
        kind = schema.get("type")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "object" and "properties" in schema:
            wanted = list(schema.get("required") or list(schema["properties"])[:1]) + ([also] if also else [])
            # Of inner objects, what refers to a neighbour by its name.
            wanted += [name for name in schema["properties"] if inner and name.endswith("_name") and name not in wanted]
            return {name: self.sample(schema["properties"][name], name, items, inner=True) for name in wanted}
        if "enum" in schema:
            return schema["enum"][0]
        if key in ("first", "last"):
            # Two listeners of one load balancer do not share a port.
            return 1000 + self.names
        if kind == "array" and not isinstance(schema.get("example"), list):
            return [self.sample(schema["items"], key, items, inner=True) for _ in range(max(items, schema.get("minItems", 0)))]
        if "example" in schema:
            return schema["example"]
        return {"integer": schema.get("minimum", 1), "boolean": True, "object": {}}.get(kind, "sample")

    def samples(self, schema):
        """Bodies, one of which should do."""
        optional = set(self.resolve(schema).get("properties", {})) - set(self.resolve(schema).get("required", []))
        for items in (1, 0):
            for also in [None, *sorted(optional)]:
                self.names += 1
                body = self.sample(schema, items=items, also=also)
                if isinstance(body, dict) and "name" in body:
                    # Unique in its parent.
                    body["name"] = f"sample-{self.names}"
                yield body

    def walk(self):
        """Once through everything by the contract's examples: makes, reads, changes, and removes last."""
        order = {"POST": 0, "GET": 1, "PUT": 2, "PATCH": 3, "DELETE": 5}

        def rank(operation):
            verb = ":" in operation.path.rsplit("/", 1)[-1]
            if operation.path.endswith(":undelete"):
                return (6, 0)
            # What is inside goes before what holds it.
            deep = operation.path.count("/")
            return (4 if verb else order[operation.method.upper()], -deep if operation.method.upper() == "DELETE" else deep)

        puts = {operation.path: operation for operation in self.operations if operation.method.upper() == "PUT"}
        for operation in sorted(self.operations, key=rank):
            # What has no id of its own may be gone before it is its turn to be deleted.
            if operation.method.upper() == "DELETE" and operation.path in puts:
                self.walk_to(puts[operation.path])
            self.walk_to(operation)

    def walk_to(self, operation):
        """Sends it until it succeeds, with other ids and another body each time."""
        content = self.definition(operation).get("requestBody", {}).get("content", {})
        media = content.get("application/json")
        bodies = list(self.samples(media["schema"])) if media else [None]
        for turn in range(max(TURNS, len(bodies))):
            case = operation.Case(
                path_parameters={name: "" for name in self.prefixes(operation)},
                **({"body": bodies[turn % len(bodies)], "media_type": "application/json"} if media else {}),
            )
            # Ids by another rhythm than bodies, so that each body meets each id.
            response = self.send(operation, case, turn + turn // len(bodies))
            if 200 <= response.status_code < 300:
                return
            self.said[self.definition(operation)["operationId"]] = response.text

    def fuzz(self, total, seed):
        # Few requests can be made of an operation without input: others get what it leaves.
        for more in range(5):
            each = -(-(total - self.sent) // (2 * len(self.operations)))
            for operation in self.operations:
                for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
                    left = min(each, total - self.sent)
                    if left > 0:
                        self.fuzz_one(operation, mode, left, seed + more)

    def fuzz_one(self, operation, mode, examples, seed):
        try:
            strategy = operation.as_strategy(generation_mode=mode)
        except Exception:
            # Nothing of it can be wrong: it takes no input.
            strategy = operation.as_strategy()

        @hypothesis.seed(seed)
        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=strategy)
        def run(case):
            self.send(operation, case)

        try:
            run()
        except (hypothesis.errors.Unsatisfiable, hypothesis.errors.HypothesisException):
            pass

    def unanswered(self):
        """Operations that never succeeded."""
        return [
            self.definition(operation)["operationId"]
            for operation in self.operations
            if not any(200 <= status < 300 for status in self.statuses[self.definition(operation)["operationId"]])
        ]


def main():
    env = os.environ
    total = int(env["WEIR_FUZZ_REQUESTS"])
    seed = int(env.get("WEIR_FUZZ_SEED", "1"))
    tokens = Tokens(env["WEIR_TOKEN_URL"])
    ids = Ids(random.Random(seed), env["WEIR_FUZZ_PROTECTED"].split(","))
    fuzzer = Fuzzer(
        env["WEIR_API"],
        env["WEIR_PROJECT"],
        ids,
        {
            "admin": lambda: tokens.get(env["WEIR_CLIENT_ID"], env["WEIR_CLIENT_SECRET"]),
            "operator": lambda: tokens.get(env["WEIR_OPERATOR_ID"], env["WEIR_OPERATOR_SECRET"]),
        },
        seed,
    )
    began = time.monotonic()
    # Again: what one operation makes, another needs.
    for _ in range(3):
        if fuzzer.unanswered():
            fuzzer.walk()
    fuzzer.fuzz(total, seed)
    unanswered = fuzzer.unanswered()
    for name, statuses in sorted(fuzzer.statuses.items()):
        print(f"{name:40} " + " ".join(f"{status}x{count}" for status, count in sorted(statuses.items())))
    print(f"{fuzzer.sent} requests to {len(fuzzer.operations)} operations in {time.monotonic() - began:.0f} s, seed {seed}")
    for (name, status, kind), text in fuzzer.failures.items():
        print(f"\nFAILED {name}: {kind} (status {status})\n{text}")
    for name in unanswered:
        print(f"\nFAILED {name}: never answered 2xx: {dict(fuzzer.statuses[name])}\n{fuzzer.said.get(name)}")
    sys.exit(1 if fuzzer.failures or unanswered else 0)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
