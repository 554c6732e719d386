"""Changed facts, each told once for its cause: fields of the spec, how they come true, sites, add-ons, machines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any, Final

from components import facts
from components.plan import RELEASE
from components.problems import listed
from isostack import nodeupgrades
from isostack.changes import Cause, FileChange, Held, Kind, within
from isostack.flat import MISSING, NOTHING, Found, differing, texts
from isostack.preview.model import Preview, Resource

# Read as they stand, not as our models: those of another revision may have other fields.


CONFIG: Final = "config"
"""Subject of the target's settings."""
NOW: Final = "counts now: it is built anew"
_LABEL: Final = "labels."
ENDPOINT: Final = "(the API's address, wherever it stands)"
MOVED: Final = (
    "machines that run keep the old address until they are built anew, and what runs in the cluster takes the new one "
    "at once"
)


def causes(held: Held) -> Iterator[Cause]:
    for of in (_of_config, _of_cluster, _of_sites, _of_addons, _of_plugins, _of_machines):
        yield from of(held)


def hidden(cause: Cause) -> bool:
    """Whether it is a setting that no resource and no machine shows: a VM's template has an id that nobody knows."""
    return cause.subject == CONFIG and bool(cause.meaning)


def files(held: Held) -> Iterator[FileChange]:
    """Files of the user data whose digest is another, with the machines; those of new machines are new as a whole."""
    found: dict[tuple[str, Kind, str], list[str]] = {}
    for there, here in _kept(held):
        old, new = (each.get("userData", {}) for each in (there, here))
        changed = list(differing(old.get("files", {}), new.get("files", {})))
        if not changed and old.get("digest") != new.get("digest"):
            changed = [("(what this place or target has of its own)", "", "")]
        meaning = _when(held, here["wanted"]["name"], user_data=True)
        for path, before, after in changed:
            kind = Kind.CREATED if before is MISSING else Kind.DELETED if after is MISSING else Kind.CHANGED
            found.setdefault((path, kind, meaning), []).append(here["wanted"]["name"])
    for (path, kind, meaning), names in found.items():
        yield FileChange(path, kind, tuple(names), meaning)
    if held.moved:
        yield from _moved(held)


def _moved(held: Held) -> Iterator[FileChange]:
    """The API's address is masked in files, since targets differ in it; it stands in those of every machine."""
    one, other = texts(*(each.get("endpoint") or MISSING for each in held.cluster))
    found: dict[str, list[str]] = {}
    for _, here in _kept(held):
        name = here["wanted"]["name"]
        found.setdefault(_when(held, name, user_data=True), []).append(name)
    for meaning, names in found.items():
        yield FileChange(ENDPOINT, Kind.CHANGED, tuple(names), meaning, (one,), (other,), f"-{one}\n+{other}")


def _of_config(held: Held) -> Iterator[Cause]:
    """Programs of earlier revisions do not tell it."""
    old, new = (each.get("config") for each in held.cluster)
    meanings = {path: meaning for each in held.cluster for path, meaning in each.get("hidden", {}).items()}
    if old is not None and new is not None:
        for path, one, other in _alike(differing(old, new)):
            of = max((each for each in meanings if within(path, each)), key=len, default="")
            yield Cause(CONFIG, path, one, other, meanings.get(of, ""))


def _of_cluster(held: Held) -> Iterator[Cause]:
    old, new = held.cluster
    ways = {one["field"]: one for one in new.get("realisations", ())}
    before = {one["field"]: one for one in old.get("realisations", ())}
    asked: set[str] = set()
    for path, a, b in differing(old.get("wanted", {}), new.get("wanted", {})):
        name = _dotted(path)
        asked.update(each for each in {**before, **ways} if each == name or each.startswith(f"{name}."))
        way = ways.get(name)
        meaning = _way(way) if way else ""
        if way and name == nodeupgrades.FIELD and (against := nodeupgrades.refused(old, new)):
            meaning = f"{way['mechanism']}; {against}"
        yield Cause("spec", name, *texts(a, b), meaning)
    # Of fields that are asked as before, how they come true: one cause, one line.
    groups: dict[tuple[str, str, str, str], list[str]] = {}
    for name, way in ways.items():
        if name in before and name not in asked and before[name] != way:
            one, other = (f"{each['grade']}: {each['mechanism']}" for each in (before[name], way))
            why = (before[name]["reason"], way["reason"])
            groups.setdefault((one, other, *why), []).append(name)
    for (one, other, was, reason), names in groups.items():
        said = (one, other) if one != other else (f"{one}; {was}", f"{other}; {reason}")
        yield Cause("how it comes true", listed(names), *said, reason if one != other else "")
    for name in ("endpoint", "policies", "target"):
        for path, a, b in differing(old.get(name), new.get(name), name):
            yield Cause("cluster", path, *texts(a, b), MOVED if held.moved and path == "endpoint" else "")
    had, has = (list(each.get("reasons", ())) for each in (old, new))
    gone, come = [each for each in had if each not in has], [each for each in has if each not in had]
    for one, other in zip_longest(gone, come, fillvalue=NOTHING):
        yield Cause("sizing", "", one, other)


def _of_sites(held: Held) -> Iterator[Cause]:
    for here in held.after.of_type(facts.SITE):
        if there := held.was.get(here.urn):
            found = list(_alike(differing(there.inputs["facts"], here.inputs["facts"])))
            for path, one, other in found:
                whole = _USABLE.sub(lambda part: f".{part[1].lower()}", path)
                if whole == path or (whole, one, other) not in found:
                    yield Cause(f"site {here.inputs['facts']['name']}", path, one, other)


def _of_addons(held: Held) -> Iterator[Cause]:
    for here in held.after.of_type(facts.ADDON):
        name = here.inputs["facts"]["name"]
        if there := held.was.get(here.urn):
            for path, a, b in differing(there.inputs["facts"], here.inputs["facts"]):
                yield Cause(f"add-on {name}", path, *texts(a, b))
        else:
            yield Cause(f"add-on {name}", "", NOTHING, "installed", _serves(here))
    for there in held.gone():
        if there.type == facts.ADDON:
            yield Cause(f"add-on {there.inputs['facts']['name']}", "", "installed", NOTHING, _serves(there))


def _of_plugins(held: Held) -> Iterator[Cause]:
    """Versions of the providers. A state does not tell them."""
    if held.guess:
        return
    for path, a, b in differing(_plugins(held.before), _plugins(held.after)):
        if a is not MISSING and b is not MISSING:
            yield Cause("provider", path, *texts(a, b), "may see its resources with other eyes")


def _of_machines(held: Held) -> Iterator[Cause]:
    """What a machine's own row says is no cause, and a label that says what another fact says neither."""
    found: dict[tuple[str, str, str, str], dict[str, None]] = {}
    for there, here in _kept(held):
        name = here["wanted"]["name"]
        when = _when(held, name)
        told = ({"address"} if when == NOW else set()) | ({f"{_LABEL}{RELEASE}"} if held.upgraded else set())
        for part in ("wanted", "place"):
            for path, a, b in differing(there[part], here[part], part):
                field = path.partition(".")[2]
                if field not in told:
                    # What is asked and what is there are mostly the same.
                    found.setdefault((field, *texts(a, b), when), {})[name] = None
    facts_of = {(*key[1:], *names) for key, names in found.items() if not key[0].startswith(_LABEL)}
    for (path, one, other, meaning), names in found.items():
        if not path.startswith(_LABEL) or (one, other, meaning, *names) not in facts_of:
            yield Cause("machines", path, one, other, meaning, tuple(names))


def _alike(found: Iterable[Found]) -> Iterator[tuple[str, str, str]]:
    """Paths, with what stands there before and after. Items of a list that differ alike are told together, by their
    names: `hosts[a, b].memory`."""
    groups: dict[tuple[str, str, str, str], list[tuple[str, Found]]] = {}
    for path, a, b in found:
        item = _ITEM.search(path)
        name, head, tail = (item[1], path[: item.start()], path[item.end() :]) if item else ("", path, "")
        told = texts(_nameless(a, name), _nameless(b, name))
        groups.setdefault((head, tail, *told), []).append((name, (path, a, b)))
    for (head, tail, one, other), same in groups.items():
        if len(same) > 1:
            yield f"{head}[{listed([name for name, _ in same], 3)}]{tail}", one, other
        else:
            path, a, b = same[0][1]
            yield path, *texts(a, b)


_ITEM: Final = re.compile(r"\[([^\[\]]*[^\d\[\]][^\[\]]*)\]")
"""An item that goes by its name, not by its place."""
_USABLE: Final = re.compile(r"\.usable([A-Z])")


def _nameless(value: Any, name: str) -> Any:
    if name and isinstance(value, Mapping) and value.get("name") == name:
        return {key: item for key, item in value.items() if key != "name"}
    return value


def _kept(held: Held) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for here in held.after.of_type(facts.MACHINE):
        if there := held.was.get(here.urn):
            yield there.inputs["facts"], here.inputs["facts"]


def _when(held: Held, name: str, *, user_data: bool = False) -> str:
    """When a changed fact of a machine comes to count."""
    machine = next(each for each in held.after.of_type(facts.MACHINE) if each.inputs["facts"]["wanted"]["name"] == name)
    fate = held.fate(machine)
    if fate is Kind.REPLACED:
        return NOW
    if user_data and not held.born_with_user_data(machine):
        return "what becomes of changed user data, the provider decides"
    if fate is Kind.CHANGED and not user_data:
        return "counts as far as its resources change in place"
    return "counts at the next birth only"


def _way(way: Mapping[str, str]) -> str:
    grade = "" if way["grade"] == "equal" else f"{way['grade']}: "
    return f"{grade}{way['mechanism']}" + (f"; {way['reason']}" if way["reason"] else "")


def _serves(addon: Resource) -> str:
    served = addon.inputs["facts"]["serves"]
    return f"serves {listed(served)}" if served else ""


def _plugins(preview: Preview) -> dict[str, str]:
    found: dict[str, dict[str, None]] = {}
    for resource in preview.resources:
        if resource.version:
            package = resource.type.partition(":")[0]
            package = resource.type.rpartition(":")[2] if package == "pulumi" else package
            found.setdefault(package, {})[resource.version] = None
    return {package: ", ".join(sorted(versions)) for package, versions in found.items()}


def _dotted(path: str) -> str:
    """As realisations name a field: items of lists by their names."""
    return re.sub(r"\[([^\]]+)\]", r".\1", path)
