"""The SBOM names all that runs in production, with its hashes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from idphoto.imaging.models import MODEL_FILES
from tools.pins import FOLDER, read_pins
from tools.sbom import write_sbom


@pytest.fixture(scope="module")
def sbom() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(write_sbom())
    return found


def list_hashes(component: dict[str, Any]) -> set[str]:
    assert {entry["alg"] for entry in component["hashes"]} == {"SHA-256"}
    return {entry["content"] for entry in component["hashes"]}


def test_each_runtime_requirement_is_in_it_with_all_its_hashes(sbom: dict[str, Any]) -> None:
    libraries = {(c["name"], c["version"]): c for c in sbom["components"] if c["type"] == "library"}
    pins = read_pins(FOLDER / "runtime.txt")
    assert libraries.keys() == {(pin.name, pin.version) for pin in pins}
    for pin in pins:
        component = libraries[pin.name, pin.version]
        assert list_hashes(component) == set(pin.sha256)
        assert component["purl"] == f"pkg:pypi/{pin.name}@{pin.version}"


def test_each_model_file_is_in_it_with_its_hash_and_licence(sbom: dict[str, Any]) -> None:
    models = {c["name"]: c for c in sbom["components"] if c["type"] == "machine-learning-model"}
    assert models.keys() == {model.filename for model in MODEL_FILES}
    for model in MODEL_FILES:
        component = models[model.filename]
        assert list_hashes(component) == {model.sha256}
        assert component["version"] == model.version
        assert component["licenses"][0]["license"]["id"] == model.licence.split()[0]


def test_every_package_that_applies_here_has_a_licence(sbom: dict[str, Any]) -> None:
    assert {c["name"] for c in sbom["components"] if "licenses" not in c} <= {"colorama"}  # Windows only


def test_all_of_it_belongs_to_idphoto(sbom: dict[str, Any]) -> None:
    (root,) = (entry for entry in sbom["dependencies"] if entry["ref"] == "idphoto")
    assert set(root["dependsOn"]) == {component["bom-ref"] for component in sbom["components"]}


def test_the_schema_check_sees_what_is_wrong(sbom: dict[str, Any]) -> None:
    check = JsonStrictValidator(SchemaVersion.V1_6)
    assert check.validate_str(json.dumps(sbom)) is None
    broken = {**sbom, "components": [{**sbom["components"][0], "type": "nonsense"}]}
    assert check.validate_str(json.dumps(broken)) is not None
