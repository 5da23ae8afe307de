"""Files as authors would publish them, made from a card: its key maps read backwards, random numbers in them."""

import re
import re._parser as regex  # type: ignore[import-not-found]
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from motifmix.pretrained.gathering import empty_network
from motifmix.pretrained.maps.key_map import KeyMap
from motifmix.pretrained.published import PublishedModel, PublishedPart, named_object

REFERENCE = re.compile(r"\\g<(\w+)>|\\(\d)")


def written(tree: Any, groups: Mapping[int, str]) -> str:
    """One text that an expression matches, its groups filled with given values and what is optional left out."""
    text = ""
    for kind, value in tree:
        name = str(kind)
        if name == "LITERAL":
            text += chr(value)
        elif name == "SUBPATTERN":
            number, _, _, below = value
            text += groups[number] if number in groups else written(below, groups)
        elif name == "MAX_REPEAT":
            least, _, below = value
            text += written(below, groups) * least
        elif name == "BRANCH":
            text += written(value[1][0], groups)
        elif name == "IN":
            first = value[0]
            text += chr(first[1]) if str(first[0]) == "LITERAL" else "0"
        elif name == "ANY":
            text += "x"
    return text


def undone(expression: str, template: str, result: str) -> str | None:
    """A name that ``expression`` matches and that ``template`` turns into ``result``; None where there is none."""
    pieces, names, last = [], [], 0
    for found in REFERENCE.finditer(template):
        group = found[1] or found[2]
        pieces.append(re.escape(template[last : found.start()].replace(r"\.", ".")))
        pieces.append(f"(?P=v{group})" if group in names else f"(?P<v{group}>.*?)")
        names.append(group)
        last = found.end()
    pieces.append(re.escape(template[last:]))
    fitting = re.fullmatch("".join(pieces), result)
    if fitting is None:
        return None
    compiled = re.compile(expression)
    groups = {compiled.groupindex.get(g, 0) or int(g): fitting[f"v{g}"] for g in names}
    name = written(regex.parse(expression), groups)
    again = compiled.fullmatch(name)
    return name if again is not None and again.expand(template) == result else None


def published_names_of(network: nn.Module, key_map: KeyMap) -> dict[str, Tensor]:
    """The network's tensors under published names."""
    state: dict[str, Tensor] = {}
    for ours, tensor in network.state_dict().items():
        for old, new in key_map.renames:
            name = undone(old, new, ours)
            if name is not None and list(key_map.apply({name: tensor})[0]) == [ours]:
                state[name] = tensor
                break
        else:
            assert any(re.fullmatch(e, ours) for e in key_map.computed), f"no published name for {ours}"
    return state


def made(part: PublishedPart, sizes: Mapping[str, Any], device: str) -> dict[str, Tensor]:
    _, empty = empty_network(part.model_copy(update={"sizes_from": None}), {}, sizes)
    state = published_names_of(empty, named_object(part.key_map, "pretrained.maps"))
    if device == "meta":
        return state
    generator = torch.Generator().manual_seed(0)
    return {
        name: torch.randn(t.shape, generator=generator) * 0.1
        if t.is_floating_point()
        else torch.zeros_like(t, device="cpu")
        for name, t in state.items()
    }


def files_of(model: PublishedModel, sizes: Mapping[str, Mapping[str, Any]], device: str = "cpu") -> dict[str, dict]:
    """What each file of a model holds: short name of the file -> its content, wrapped as the card says."""
    files: dict[str, dict] = {short: {} for short in model.files}
    for name, part in model.parts.items():
        for inner, tensor in made(part, sizes.get(name, {}), device).items():
            outer = inner if part.takes is not None else part.prefix + inner
            for step in reversed(model.order):
                old = undone(step.take, step.name, outer)
                if old is not None:
                    place = files[step.file]
                    for key in step.within:
                        place = place.setdefault(key, {})
                    place[old] = tensor
                    break
            else:
                raise AssertionError(f"no step of {model.name} gives {outer}")
    return files
