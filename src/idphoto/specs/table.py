"""The catalogue as a page that people read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from idphoto.specs.spec import Confidence, Range, Spec

_HEAD = """# Photo specs

Made from `src/idphoto/specs/catalogue.toml` by `idphoto specs --markdown > docs/specs.md`; do not edit it by hand.
{number} documents of {countries} countries, and sizes of the trade.

**A rule here is what a page said on the day it was read, not what an office will decide.** Confidence: {confidence}. An
empty field: no source gives a value, so none is checked. Percentages are of the photo's height, the face's of its
width. Editing *forbidden*: the photo is only cropped, turned and scaled; its background stays. *background only*: the
background is replaced, retouching is refused. Where nothing is known, both are allowed.
"""
_CONFIDENCE = {
    Confidence.AUTHORITY: "A, read at the issuing authority",
    Confidence.SECONDARY: "B, on a page that quotes it",
    Confidence.CONVENTION: "C, a convention, or the sources disagree",
}
_COLUMNS = (
    "id",
    "document",
    "mm",
    "px @ dpi",
    "head",
    "top margin",
    "eyes from bottom",
    "chin from bottom",
    "face width",
    "backgrounds",
    "KB",
    "editing",
    "confidence",
    "sources",
)


def write_markdown(specs: Iterable[Spec]) -> str:
    """Return the page, in Markdown, with a section for each country."""
    groups: dict[str, list[Spec]] = {}
    for spec in specs:
        groups.setdefault(spec.country or "", []).append(spec)
    number = sum(len(group) for group in groups.values())
    confidence = "; ".join(_CONFIDENCE.values())
    parts = [_HEAD.format(number=number, countries=len([name for name in groups if name]), confidence=confidence)]
    for country, group in groups.items():
        rows = [_write_row(_COLUMNS), _write_row(["---"] * len(_COLUMNS)), *(_write_row(_list_cells(s)) for s in group)]
        parts.append(f"## {country or 'No country'}\n\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def write_range(limits: Range | None) -> str:
    """Return a range in percent; empty where there is none."""
    if limits is None:
        return ""
    if limits.low <= 0:
        return f"up to {limits.high:.1%}"
    if limits.high >= 1:
        return f"from {limits.low:.1%}"
    return f"{limits.low:.1%} to {limits.high:.1%}"


def write_kilobytes(spec: Spec) -> str:
    """Return the file size in kilobytes; empty where there is none."""
    match spec.min_kb, spec.max_kb:
        case None, None:
            return ""
        case None, most:
            return f"up to {most}"
        case least, None:
            return f"from {least}"
        case least, most:
            return f"{least}-{most}"


def write_millimetres(spec: Spec) -> str:
    """Return the print size; empty for a document that takes files only."""
    return f"{spec.width_mm:g}x{spec.height_mm:g}" if spec.width_mm and spec.height_mm else ""


def _list_cells(spec: Spec) -> Iterator[str]:
    crown = f" ({spec.crown.value})" if spec.crown and spec.head_height else ""
    yield f"`{spec.id}`"
    yield f"{spec.name_en} {spec.name_zh}"
    yield write_millimetres(spec)
    yield f"{spec.width}x{spec.height} @ {spec.dpi}"
    yield write_range(spec.head_height) + crown
    yield write_range(spec.top_margin)
    yield write_range(spec.eye_line)
    yield write_range(spec.chin_to_bottom)
    yield write_range(spec.face_width)
    yield " ".join(spec.backgrounds)
    yield write_kilobytes(spec)
    yield spec.editing.value.replace("_", " ") if spec.editing else ""
    yield spec.confidence.value if spec.confidence else ""
    sources = (f"[{source.title}]({source.url})" if source.url else source.title for source in spec.sources)
    yield "; ".join(source.replace("|", "/") for source in sources)


def _write_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
