"""YAML of cards: plain data in the length of a card. What a few bytes could blow up is refused."""

from pathlib import Path
from typing import Any

import yaml

MOST_BYTES = 1_000_000


class _PlainLoader(yaml.SafeLoader):
    """Reads no aliases: a card of a few lines could stand for gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event: Any = self.peek_event()
            raise yaml.YAMLError(f"line {event.start_mark.line + 1} refers to another, which cards do not")
        return super().compose_node(parent, index)


def read_plain_yaml(path: Path) -> Any:
    """Return the data in a YAML file. Raises ``OSError``, ``UnicodeDecodeError``, or ``yaml.YAMLError`` for what is none."""
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise yaml.YAMLError(f"it is longer than {MOST_BYTES:,} bytes")
    text = data.decode("utf-8")
    try:
        return yaml.load(text, _PlainLoader)
    except RecursionError as error:
        raise yaml.YAMLError("it is nested too deeply") from error
    except ValueError as error:
        raise yaml.YAMLError(f"a value that cannot be read: {error}") from error
