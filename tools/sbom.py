"""``python -m tools.sbom``: writes out/sbom.json, a CycloneDX list of what runs in production, with the model files."""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from idphoto.imaging.models import MODEL_FILES, ModelFile
from tools.pins import FOLDER, Pin, read_pins

OUT = Path("out/sbom.json")
_LICENCES = LicenseFactory()


class NotValid(Exception):
    """What was written does not follow CycloneDX's schema."""


def write_sbom() -> str:
    """Return the list as CycloneDX 1.6 JSON, checked against the schema that the library carries.

    Raises:
        NotValid: it does not follow the schema.
        PackageNotFoundError: IDPhoto itself is not installed.
    """
    root = Component(
        name="idphoto",
        version=metadata.version("idphoto"),
        type=ComponentType.APPLICATION,
        bom_ref="idphoto",
        licenses=_find_licences("idphoto"),
    )
    components = [_describe_pin(pin) for pin in read_pins(FOLDER / "runtime.txt")]
    components += [_describe_model(model) for model in MODEL_FILES]
    bom = Bom(components=components)
    bom.metadata.component = root
    bom.register_dependency(root, components)
    text = JsonV1Dot6(bom).output_as_string(indent=2)
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise NotValid(str(error))
    return text


def _describe_pin(pin: Pin) -> Component:
    purl = PackageURL("pypi", name=pin.name, version=pin.version)
    return Component(
        name=pin.name,
        version=pin.version,
        type=ComponentType.LIBRARY,
        bom_ref=purl.to_string(),
        purl=purl,
        # One for each file of the version: wheels of several systems and the source.
        hashes=[_hash(digest) for digest in pin.sha256],
        licenses=_find_licences(pin.name),
        properties=[Property(name="idphoto:marker", value=pin.marker)] if pin.marker else [],
    )


def _describe_model(model: ModelFile) -> Component:
    purl = PackageURL("pypi", name=model.package, version=model.version, subpath=model.member)
    # The first word is the licence's SPDX id; what may follow in brackets says more about it.
    return Component(
        name=model.filename,
        version=model.version,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=f"model:{model.name}",
        description=model.purpose,
        purl=purl,
        hashes=[_hash(model.sha256)],
        licenses=[_LICENCES.make_from_string(model.licence.split(" (")[0])],
        properties=[
            Property(name="idphoto:licence", value=model.licence),
            Property(name="idphoto:package-sha256", value=model.package_sha256),
        ],
    )


def _hash(sha256: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=sha256)


def _find_licences(name: str) -> list[License]:
    """Return what the installed package says about its licence: nothing where it is not for this system or Python."""
    try:
        found = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return []
    (said, *_) = found.get_all("License-Expression") or found.get_all("License") or [""]
    if said.strip() and "\n" not in said.strip():
        return [_LICENCES.make_from_string(said.strip())]
    # Old metadata: the whole text of the licence, or a classifier alone.
    classifiers = [entry for entry in found.get_all("Classifier") or [] if entry.startswith("License :: ")]
    return [_LICENCES.make_from_string(entry.rsplit(" :: ", 1)[-1]) for entry in classifiers]


def main() -> int:
    """Write the file and say what is in it."""
    text = write_sbom()
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(text, "utf-8")
    components = json.loads(text)["components"]
    unknown = [entry["name"] for entry in components if "licenses" not in entry]
    print(f"{OUT}: {len(components)} components, valid CycloneDX 1.6.")
    if unknown:
        print(f"Not installed here, so their licence is not said: {', '.join(unknown)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
