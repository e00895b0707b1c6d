"""The description of the API: complete, without a warning, and shown under the strict CSP."""

import re
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from tests.api.test_base import DOORS

Schema = dict[str, Any]


@pytest.fixture(scope="module")
def schema() -> Schema:
    GENERATOR_STATS.reset()
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    made: Schema = generator.get_schema(  # type: ignore[no-untyped-call]
        request=None, public=True
    )
    return made


def test_the_description_has_no_warning_and_no_error(
    schema: Schema, capsys: pytest.CaptureFixture[str]
) -> None:
    GENERATOR_STATS.emit_summary()
    assert capsys.readouterr().err == ""
    validate_schema(schema)  # type: ignore[no-untyped-call]


def test_every_door_is_described_with_its_refusals(schema: Schema) -> None:
    for method, path in DOORS:
        kind = path.split("/")[0].removeprefix("payment-").removesuffix("s")
        address = "/api/v1/" + path.replace("{bob}", f"{{{kind}_id}}").replace("summary", "{name}")
        operation = schema["paths"][address][method.lower()]
        assert {"401", "403", "429"} <= operation["responses"].keys(), address
        assert operation["description"], address
        assert operation["security"] == [{"token": []}]


def test_no_described_address_ends_with_a_slash(schema: Schema) -> None:
    assert not [path for path in schema["paths"] if path.endswith("/")]


def test_ids_and_examples_and_keys_are_described(schema: Schema) -> None:
    operation = schema["paths"]["/api/v1/allocations"]["post"]
    assert [row["name"] for row in operation["parameters"]] == ["Idempotency-Key"]
    assert "examples" in operation["requestBody"]["content"]["application/json"]
    problem = operation["responses"]["422"]["content"]
    assert list(problem) == ["application/problem+json"]
    member = schema["paths"]["/api/v1/members/{member_id}"]["get"]["parameters"][0]
    assert member["schema"]["type"] == "integer"


def test_the_documentation_needs_no_inline_script_and_no_other_host(db: None) -> None:
    client = Client()
    page = client.get("/api/v1/docs")
    html = page.content.decode()
    assert "unsafe-inline" not in page["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert "<style" not in html
    assert "style=" not in html
    links = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert links
    for link in links:
        assert link.startswith("/"), link
    script = client.get(next(link for link in links if "script=" in link).replace("&amp;", "&"))
    assert script["Content-Type"].startswith("application/javascript")
    assert "/api/v1/schema" in script.content.decode()
