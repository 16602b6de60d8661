"""The cut-out, against composites with an exact answer, beside what users would pick instead."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.quality.composites import Composite, make_composites
from bench.quality.foregrounds import make_foreground
from bench.quality.metrics import BACKDROPS, Errors, measure_errors
from bench.quality.peers import load_peers
from bench.quality.portraits import Subject
from bench.quality.report import Table
from idphoto.imaging.faces import FaceFinder, choose_subject
from idphoto.imaging.foreground import clean_foreground
from idphoto.imaging.matting import Matter
from idphoto.imaging.models import ModelFolder
from idphoto.imaging.portrait import Alpha, Pixels
from idphoto.imaging.recipes import MattingChoice

_OURS = {"ours": "rvm", "ours, fast": "fast", "ours, best": "best"}


@dataclass(frozen=True, kw_only=True)
class _Contestant:
    """Something that cuts out: alpha and the colour that goes with it."""

    name: str
    cut_out: Callable[[Composite], tuple[Alpha, Pixels]]
    is_peer: bool


def measure(subjects: Sequence[Subject], models: ModelFolder, folder: Path, *, seed: int) -> list[Table]:
    """Cut every composite of every subject out with every contestant.

    Args:
        subjects: the portraits that foregrounds are made of.
        models: our own weights.
        folder: for the peers' weights and the foregrounds, which are kept.
        seed: of the backgrounds and of what else is drawn at random.
    """
    peers = load_peers(folder / "peers")
    finder, matter = FaceFinder(models), Matter(models)
    composites: list[Composite] = []
    for subject in subjects:
        _, faces = finder.find_upright(subject.pixels)
        face = choose_subject(faces, largest=True)
        mattes = [matter.cut_out(subject.pixels, face), *(peer.matte(subject.pixels) for peer in peers)]
        composites += make_composites(make_foreground(subject, face, mattes, folder / "foregrounds"), seed)
    contestants = [_enter_ours(name, recipe, models) for name, recipe in _OURS.items()]
    contestants += [_enter_peer(peer.name, peer.matte) for peer in peers]
    errors: dict[str, list[Errors]] = {}
    took_ms: dict[str, float] = {}
    for contestant in contestants:
        print(f"Cutting {len(composites)} composites out: {contestant.name}", file=sys.stderr)
        start = time.perf_counter()
        results = [contestant.cut_out(composite) for composite in composites]
        took_ms[contestant.name] = (time.perf_counter() - start) * 1000 / len(composites)
        errors[contestant.name] = [
            measure_errors(alpha.astype(np.float32) / np.float32(255), colour, composite.alpha, composite.colour)
            for (alpha, colour), composite in zip(results, composites, strict=True)
        ]
    peer_names = [contestant.name for contestant in contestants if contestant.is_peer]
    kinds = [composite.kind for composite in composites]
    return [
        _summarise(errors, took_ms, peer_names),
        _compare_kinds(errors, kinds, peer_names, "MAD over the whole image", lambda found: found.mad),
        _compare_kinds(errors, kinds, peer_names, "MAD in the boundary band", lambda found: found.band),
    ]


def _enter_ours(name: str, recipe: str, models: ModelFolder) -> _Contestant:
    matter = Matter(models, MattingChoice(name=recipe))

    def cut_out(composite: Composite) -> tuple[Alpha, Pixels]:
        alpha = matter.cut_out(composite.pixels, composite.face)
        return alpha, clean_foreground(composite.pixels, alpha)

    return _Contestant(name=name, cut_out=cut_out, is_peer=False)


def _enter_peer(name: str, matte: Callable[[Pixels], Alpha]) -> _Contestant:
    return _Contestant(name=name, cut_out=lambda composite: (matte(composite.pixels), composite.pixels), is_peer=True)


def _summarise(errors: dict[str, list[Errors]], took_ms: dict[str, float], peers: list[str]) -> Table:
    figures: dict[str, Callable[[Errors], float]] = {
        "MAD": lambda found: found.mad,
        "MSE": lambda found: found.mse,
        "gradient": lambda found: found.gradient,
        "band MAD": lambda found: found.band,
    }
    for number, backdrop in enumerate(BACKDROPS):
        figures[f"edge colour on {backdrop}"] = lambda found, number=number: found.colour[number]  # type: ignore[misc]
    rows = []
    for title, pick in figures.items():
        means = {name: float(np.mean([pick(found) for found in all_found])) for name, all_found in errors.items()}
        best = min(means[name] for name in peers)
        rows.append((title, *(f"{mean:.2f}" for mean in means.values()), f"{means['ours'] / best:.2f}"))
    rows.append(("ms a picture", *(f"{took:.0f}" for took in took_ms.values()), ""))
    return Table(
        title="Cut-out",
        header=("mean, x1000", *errors, "ours / best peer"),
        rows=tuple(rows),
        note=f"{len(errors['ours'])} composites. Edge colour is the error of the finished picture in the band.",
    )


def _compare_kinds(
    errors: dict[str, list[Errors]],
    kinds: list[str],
    peers: list[str],
    title: str,
    pick: Callable[[Errors], float],
) -> Table:
    rows = []
    for kind in dict.fromkeys(kinds):
        means = {
            name: float(np.mean([pick(one) for one, its_kind in zip(found, kinds, strict=True) if its_kind == kind]))
            for name, found in errors.items()
        }
        best = min(means[name] for name in peers)
        rows.append((kind, *(f"{mean:.1f}" for mean in means.values()), f"{means['ours'] / best:.2f}"))
    return Table(title=title, header=("x1000, by class", *errors, "ours / best peer"), rows=tuple(rows))
