"""Plays a scenario against a server and returns the transcript of what it answered."""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.connection import Connection
from websockets.typing import Subprotocol

from tests.protocol.scenario import Absent, Call, Json, Look, Ping, Receive, Refused, Scenario, Send, Socket
from tests.protocol.transcript import Vocabulary

SETTLE_SECONDS = 20.0
"""How long a server may take until a condition holds that is not promised to hold at once."""
UNSETTLED = "unsettled"
"""The member of a step's report that names conditions which did not come true."""
_PAUSE_SECONDS = 0.1
_FRAME_SECONDS = 20.0


def play(scenario: Scenario, base_url: str, *, patient: bool = False) -> dict[str, Json]:
    """What the server with its API at `base_url` answers to the scenario's steps, normalised.

    A `patient` play asks again after a 503: the reference server answers so when its database is locked.
    """
    fresh_connections = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=base_url, timeout=30.0, limits=fresh_connections) as client:
        stage = _Stage(client, base_url, patient=patient)
        steps: list[Json] = [stage.play(step) for step in scenario.steps]
    return {"scenario": scenario.name, "title": scenario.title, "steps": steps}


class _Stage:
    def __init__(self, client: httpx.Client, base_url: str, *, patient: bool) -> None:
        self._client = client
        self._patient = patient
        self._base_url = base_url
        self._words = Vocabulary(base_url)

    def play(self, step: Call | Socket) -> Json:
        return self._call(step) if isinstance(step, Call) else self._converse(step)

    def _call(self, call: Call) -> Json:
        deadline = time.monotonic() + SETTLE_SECONDS
        answer, body = self._ask(call)
        while not _holds(body, call.until) and time.monotonic() < deadline:
            time.sleep(_PAUSE_SECONDS)
            answer, body = self._ask(call)
        for name, path in call.save.items():
            self._words.save(name, str(_member(body, path)))
        report = self._report(call, answer, body)
        return report if _holds(body, call.until) else {**report, UNSETTLED: dict(call.until)}

    def _ask(self, call: Call) -> tuple[httpx.Response, Json]:
        method, path = self._words.fill_text(call.request).split(" ", 1)
        headers = {name: self._words.fill_text(value) for name, value in call.headers.items()}
        arguments: dict[str, Any] = {"headers": headers}
        if call.raw is not None:
            arguments["content"] = self._words.fill_text(call.raw)
        elif not isinstance(call.body, Absent):
            arguments["json"] = self._words.fill(call.body)
        answer = self._client.request(method, path.lstrip("/"), **arguments)
        deadline = time.monotonic() + SETTLE_SECONDS
        while self._patient and answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and time.monotonic() < deadline:
            time.sleep(_PAUSE_SECONDS)
            answer = self._client.request(method, path.lstrip("/"), **arguments)
        return answer, _body(answer)

    def _report(self, call: Call, answer: httpx.Response, body: Json) -> dict[str, Json]:
        report: dict[str, Json] = {"request": call.request, "status": answer.status_code}
        if call.look is Look.STATUS:
            return report
        for header in ("content-type", *call.keep):
            if header in answer.headers:
                report[header] = self._words.normalise(answer.headers[header])
        if isinstance(body, dict) and (call.look is Look.SHAPE or _is_validation_report(answer, body)):
            report["members"] = sorted(body)
            return report
        shown = self._words.normalise(_picked(body, call.pick) if call.pick else body, call.mask)
        report["body"] = sorted(shown, key=json.dumps) if call.unordered and isinstance(shown, list) else shown
        return report

    def _converse(self, socket: Socket) -> Json:
        url = self._words.fill_text(self._base_url.replace("http", "ws", 1) + socket.path)
        heard: list[Json] = []
        try:
            with connect(
                url,
                subprotocols=[Subprotocol(name) for name in socket.subprotocols] or None,
                additional_headers={name: self._words.fill_text(value) for name, value in socket.headers.items()},
                close_timeout=2.0,
            ) as connection:
                heard.append({"subprotocol": connection.subprotocol})
                for frame in socket.frames:
                    heard.extend(self._exchange(connection, frame))
        except InvalidStatus as refusal:
            heard.append({"refused": refusal.response.status_code})
        except ConnectionClosed as end:
            heard.append(_end(end))
        return {"socket": socket.path, "heard": heard}

    def _exchange(self, connection: Connection, frame: Send | Receive | Refused | Ping | Call) -> list[Json]:
        match frame:
            case Send():
                content = self._words.fill(frame.frame)
                connection.send(content if isinstance(content, str) else json.dumps(content))
                return []
            case Receive():
                try:
                    received = json.loads(connection.recv(timeout=_FRAME_SECONDS))
                except TimeoutError:
                    return [{UNSETTLED: "no frame came"}]
                return [{"frame": self._words.normalise(received, frame.mask)}]
            case Refused():
                return [_awaited(lambda: connection.recv(timeout=_FRAME_SECONDS))]
            case Ping():
                answered = connection.ping().wait(timeout=_FRAME_SECONDS)
                return [{"pong": answered}]
            case Call():
                return [self._call(frame)]


def _awaited(receive: Callable[[], str | bytes]) -> Json:
    try:
        return {"unexpected": str(receive())}
    except ConnectionClosed as end:
        return _end(end)


def _end(end: ConnectionClosed) -> Json:
    return {"closed": None if end.rcvd is None else [end.rcvd.code, end.rcvd.reason]}


def _body(answer: httpx.Response) -> Json:
    if answer.headers.get("content-type", "").startswith("application/json"):
        content: Json = json.loads(answer.text)
        return content
    return answer.text


def _picked(body: Json, members: tuple[str, ...]) -> Json:
    if isinstance(body, list):
        return [{name: item[name] for name in members if name in item} for item in body]
    for name in ("results", "events"):
        if isinstance(body, dict) and name in body:
            return {**body, name: _picked(body[name], members)}
    return body


def _is_validation_report(answer: httpx.Response, body: Json) -> bool:
    """Its messages are those of the validation library, so they are not compared."""
    return answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY and isinstance(body, dict) and "detail" not in body


def _holds(body: Json, conditions: dict[str, Json] | Any) -> bool:
    return all(_member(body, path) == value for path, value in conditions.items())


def _member(body: Json, path: str) -> Json:
    value = body
    for part in path.split(".") if path else ():
        if part == "#" and isinstance(value, list | dict):
            value = len(value)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict) and part in value:
            value = value[part]
        else:
            return None
    return value
