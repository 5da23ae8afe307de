"""A language model behind an OpenAI-compatible endpoint, remote or local, asked to write a style into a sentence.

    base_url: http://localhost:11434/v1
    model: some-model
    key: ...           # where the server wants one

``POST base_url/chat/completions``; each pair of text and style is asked once. The key stands in one header and nowhere
else: no message and no representation shows it, and it follows no redirection.
"""

import hashlib
import json
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from motifmix.errors import RequestError
from motifmix.pretrained.plain_yaml import read_plain_yaml

MOST_BYTES = 1_000_000  # of an answer
LONGEST_SENTENCE = 400  # characters
ASKED = (
    "You describe human movements in one short English sentence. You are given what a person does and the style in which "
    "it should be done. Answer with one sentence that says what the person does and how the body moves in that style. "
    "Keep the action unchanged. Answer with the sentence alone, without quotation marks."
)


class Endpoint(BaseModel):
    """Where the model is; ``seconds`` bound one answer, waiting included."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str
    model: str = Field(min_length=1)
    key: SecretStr | None = None
    seconds: float = Field(60.0, gt=0, le=3600)

    @field_validator("base_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ValueError("an address like http://localhost:8000/v1, without user, password or query")
        return value.rstrip("/")


class LanguageModel:
    """A rewriter for :class:`motifmix.pipelines.baselines.rewritten.Rewritten`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._answers: dict[tuple[str, str], str] = {}
        # No proxies from the environment, and no redirection: the key would go along.
        self._opener: OpenerDirector = build_opener(ProxyHandler({}), _Stays())

    @property
    def fingerprint(self) -> str:
        """What tells its sentences from those of another model, another server or another wording of the question."""
        asked = json.dumps([self.endpoint.base_url, self.endpoint.model, ASKED])
        return hashlib.sha256(asked.encode()).hexdigest()[:12]

    @classmethod
    def from_file(cls, path: Path | str) -> "LanguageModel":
        """Read base_url, model, key and seconds from a YAML file. Raises ``RequestError`` naming file and field."""
        path = Path(path)
        try:
            return cls(Endpoint.model_validate(read_plain_yaml(path)))
        except OSError as error:
            raise RequestError(f"{path}: cannot be read ({error.strerror or error})") from None
        except (yaml.YAMLError, UnicodeDecodeError):
            # What stands in the file may be the key: no part of it is quoted.
            raise RequestError(f"{path}: this is no YAML; write base_url, model and key, one a line") from None
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or "the whole file"
            raise RequestError(f"{path}: field {field!r}: {first['msg']}") from None

    def __call__(self, text: str, style: str) -> str:
        """Return one sentence that says both. Raises ``RequestError`` for no answer, a late one or a wrong one."""
        if (text, style) not in self._answers:
            self._answers[text, style] = self._sentence(self._ask(text, style))
        return self._answers[text, style]

    def _ask(self, text: str, style: str) -> Any:
        where = f"{self.endpoint.base_url}/chat/completions"
        body = {
            "model": self.endpoint.model,
            "temperature": 0,
            "messages": [
                {"role": "system", "content": ASKED},
                {"role": "user", "content": f"Action: {text}\nStyle: {style}"},
            ],
        }
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.endpoint.key is not None:
            headers["Authorization"] = f"Bearer {self.endpoint.key.get_secret_value()}"
        try:
            answer = self._read(Request(where, json.dumps(body).encode(), headers))
        except HTTPError as error:
            hint = {401: "; check the key", 403: "; check the key", 404: "; check base_url and model"}.get(
                error.code, ""
            )
            raise RequestError(f"{where}: the language model's server answered with error {error.code}{hint}") from None
        except TimeoutError:
            raise RequestError(f"{where}: no answer within {self.endpoint.seconds:g} seconds; {_LATER}") from None
        except URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise RequestError(f"{where}: no answer within {self.endpoint.seconds:g} seconds; {_LATER}") from None
            raise RequestError(
                f"{where}: cannot be reached ({_reason(error.reason)}); is the server running?"
            ) from None
        except (OSError, ValueError) as error:  # a connection that breaks, a header that cannot be sent
            kind = type(error).__name__
            raise RequestError(f"{where}: the conversation with the server failed ({kind}); {_LATER}") from None
        try:
            return json.loads(answer)
        except (ValueError, RecursionError):
            raise RequestError(f"{where}: the answer is no JSON; is this an OpenAI-compatible endpoint?") from None

    def _read(self, request: Request) -> bytes:
        """Return the answer's body; a server that drips is late all the same."""
        until = time.monotonic() + self.endpoint.seconds
        with self._opener.open(request, timeout=self.endpoint.seconds) as response:
            data = b""
            while chunk := response.read1(65_536):
                data += chunk
                if time.monotonic() > until:
                    raise TimeoutError
                if len(data) > MOST_BYTES:
                    raise RequestError(
                        f"{self.endpoint.base_url}: the answer is longer than {MOST_BYTES:,} bytes; is this the right server?"
                    )
        return data

    def _sentence(self, answer: Any) -> str:
        try:
            content = answer["choices"][0]["message"]["content"]
        except (KeyError, IndexError, TypeError):
            content = None
        lines = [line.strip() for line in content.splitlines()] if isinstance(content, str) else []
        sentence = next((line for line in lines if line), "").strip("\"'“”").strip()
        if not sentence:
            raise RequestError(
                f"{self.endpoint.base_url}: the answer holds no sentence (choices[0].message.content); try another model"
            )
        if len(sentence) > LONGEST_SENTENCE or not sentence.isprintable():
            raise RequestError(
                f"{self.endpoint.base_url}: the answer is no short sentence ({len(sentence):,} characters); try another model"
            )
        return sentence


_LATER = "try again later, or give more seconds"


class _Stays(HTTPRedirectHandler):
    """Follows no redirection; the answer 3xx becomes an ``HTTPError``."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> None:
        return None


def _reason(reason: Any) -> str:
    return getattr(reason, "strerror", None) or type(reason).__name__
