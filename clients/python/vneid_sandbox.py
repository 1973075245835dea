"""Starts vneid-sandbox for tests of a portal and is the tester's hands in it.

It speaks the automation API (docs/api.md) with the standard library alone,
opens no page by itself, and keeps no state beyond the process it started.

    with vneid_sandbox.start() as sandbox:
        world = sandbox.world()
        result = world.login(authorize=where_the_portal_sends_the_browser, cccd="038090000001")
        # open result["callback"] in the portal
"""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime, timedelta
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

PASSWORD = "Sandbox@2024"  # of every persona of the seed
PASSCODE = "123456"  # of every ready phone

__all__ = ["Clock", "PASSCODE", "PASSWORD", "Phone", "Sandbox", "SandboxError", "World", "connect", "start"]


class SandboxError(Exception):
    """What the sandbox refused; status, code and problem are those of its answer (RFC 9457)."""

    def __init__(self, what: str, status: int, problem: Mapping[str, Any]) -> None:
        fields = "; ".join(f"{e['field']}: {e['detail']}" for e in problem.get("errors") or [])
        text = f"{what}: {status} {problem.get('detail') or problem.get('title') or ''}"
        if fields:
            text += f" ({fields})"
        if problem.get("advice"):
            text += f" → {problem['advice']}"
        super().__init__(text)
        self.status = status
        self.code: Optional[str] = problem.get("code")
        self.problem = problem


class World:
    """People, phones, SMS, clients, keys and a clock of its own."""

    def __init__(self, id: str, issuer: str, api: str, token: Optional[str] = None, ca: Optional[str] = None) -> None:
        self.id = id
        self.issuer = issuer
        self.api = api
        self.ca = ca  # file of the local CA, with --tls auto
        self._token = token
        self.clock = Clock(self)
        # No proxy: a sandbox is on this machine or in its network.
        handlers: List[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
        if ca:
            handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca)))
        self._http = urllib.request.build_opener(*handlers)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Calls a route of the automation API, for whatever has no method here."""
        data = None
        headers: Dict[str, str] = {}
        if method != "GET":
            headers["Content-Type"] = "application/json"
            data = b"" if body is None else json.dumps(body).encode()
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(self.api + path, data=data, headers=headers, method=method)
        try:
            with self._http.open(request, timeout=120) as response:
                text = response.read()
        except urllib.error.HTTPError as e:
            with e:
                text = e.read()
            try:
                problem = json.loads(text)
            except ValueError:
                problem = {"detail": text[:300].decode(errors="replace")}
            raise SandboxError(f"{method} {path}", e.code, problem) from None
        return json.loads(text) if text else None

    def register(self, **client: Any) -> Dict[str, Any]:
        """Registers a client by the names of RFC 7591; the answer has its secret."""
        return self.call("POST", "/clients", client)

    def personas(self, query: str = "") -> List[Dict[str, Any]]:
        return self.call("GET", "/personas?" + urllib.parse.urlencode({"q": query}))

    def login(self, *, cccd: str, authorize: Optional[str] = None, client_id: Optional[str] = None, method: str = "otp",
              params: Optional[Mapping[str, str]] = None, **more: Any) -> Dict[str, Any]:
        """Signs a person in without a browser, by the provider's own pages.

        authorize is the address to which the portal sends the browser; or give client_id and params. The answer's callback
        is to be opened in the portal. A refusal that leads back to the portal has a callback too, and "refused" says why.
        """
        body: Dict[str, Any] = {"cccd": cccd, "method": method, **more}
        sent = dict(params or {})
        if authorize is not None:
            query = urllib.parse.urlsplit(authorize).query
            sent = {**dict(urllib.parse.parse_qsl(query, keep_blank_values=True)), **sent}
            client_id = sent.pop("client_id", client_id)
        if client_id is not None:
            body["client_id"] = client_id
        if sent:
            body["params"] = sent
        try:
            return self.call("POST", "/logins", body)
        except SandboxError as e:
            if not e.problem.get("callback"):
                raise
            refused = {name: e.problem.get(name) for name in ("step", "code", "detail", "advice")}
            return {"callback": e.problem["callback"], "login": e.problem.get("login"), "refused": refused}

    def sms(self, who: str, **query: str) -> List[Dict[str, Any]]:
        """Messages to a phone number, or to a person by CCCD, the newest first; query: login, after, wait."""
        return self.call("GET", "/sms?" + urllib.parse.urlencode({"to": self._number_of(who), **query}))

    def last_otp(self, who: str, *, login: Optional[str] = None, wait: str = "10s") -> str:
        """The newest one-time password; waits for a message if there is none yet."""
        query = {"wait": wait} if login is None else {"wait": wait, "login": login}
        for message in self.sms(who, **query):
            if message.get("otp"):
                return message["otp"]
        raise TimeoutError(f"no one-time password for {who} within {wait}")

    def _number_of(self, who: str) -> str:
        if not re.fullmatch(r"\d{12}", who):
            return who
        phone = self.call("GET", f"/personas/{who}").get("phone")
        if not phone:
            raise LookupError(f"{who} has no phone number")
        return phone

    def phone(self, cccd: str) -> Phone:
        return Phone(self, cccd)

    def reset(self) -> None:
        """Back to the seed."""
        self.call("POST", "/reset", {})


class Phone:
    """The phone of a person; whoever has none gets a ready one."""

    def __init__(self, world: World, cccd: str) -> None:
        self._world = world
        self._path = "/phones/" + urllib.parse.quote(cccd, safe="")

    def scan(self, code: str) -> Dict[str, Any]:
        """Scans a QR code: the address it says, or the short code beside it (code#qr-code)."""
        return self._world.call("POST", self._path + "/scan", {"code": code})

    def confirm(self, login: str, *, passcode: str = PASSCODE, number: Optional[int] = None) -> Dict[str, Any]:
        body: Dict[str, Any] = {"login": login, "passcode": passcode}
        if number is not None:
            body["number"] = number
        return self._world.call("POST", self._path + "/confirm", body)

    def refuse(self, login: str) -> Dict[str, Any]:
        return self._world.call("POST", self._path + "/refuse", {"login": login})

    def web_login(self, on: bool) -> Dict[str, Any]:
        """Turns "Đăng nhập trên website" on or off."""
        return self._world.call("PATCH", self._path, {"web_login": on})


class Clock:
    """The clock of a world, by which everything in it expires."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        return _time(self._world.call("GET", "/clock"))

    def advance(self, by: Union[timedelta, str]) -> datetime:
        """Moves it on, by timedelta(minutes=5) or "5m"."""
        if isinstance(by, timedelta):
            by = f"{by.total_seconds():.3f}s"
        return _time(self._world.call("POST", "/clock", {"advance": by}))

    def set(self, to: datetime) -> datetime:
        """Sets it to a time with a zone."""
        return _time(self._world.call("POST", "/clock", {"set": to.isoformat(timespec="seconds")}))

    def reset(self) -> datetime:
        return _time(self._world.call("POST", "/clock", {"reset": True}))


def _time(answer: Mapping[str, str]) -> datetime:
    return datetime.fromisoformat(answer["now"].replace("Z", "+00:00"))  # Python 3.9 knows no Z


class Sandbox(World):
    """A running sandbox. Its own methods are those of its default world."""

    def __init__(self, issuer: str, sandbox_url: str, token: Optional[str] = None, ca: Optional[str] = None,
                 process: Optional[subprocess.Popen[str]] = None, data: Optional[str] = None) -> None:
        super().__init__("default", issuer, sandbox_url + "/api/v1", token, ca)
        self.sandbox_url = sandbox_url
        self._process = process
        self._data = data

    def world(self, **options: Any) -> World:
        """Makes a world; id and policy are optional."""
        made = self.call("POST", "/worlds", options)
        return World(made["id"], made["issuer"], made["api"], made["token"], self.ca)

    def delete_world(self, id: str) -> None:
        self.call("DELETE", "/worlds/" + urllib.parse.quote(id, safe=""))

    def stop(self) -> None:
        """Stops what start() started, within ten seconds."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(12)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._data:
            shutil.rmtree(self._data, ignore_errors=True)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def connect(issuer: str = "http://localhost:9998", sandbox_url: str = "http://localhost:9997", token: Optional[str] = None,
            ca: Optional[str] = None) -> Sandbox:
    """A sandbox that runs elsewhere."""
    return Sandbox(issuer, sandbox_url, token, ca)


def start(bin: Optional[str] = None, args: Sequence[str] = (), env: Optional[Mapping[str, str]] = None, timeout: float = 20) -> Sandbox:
    """Starts the program (bin, VNEID_SANDBOX_BIN, or vneid-sandbox of the PATH) on free ports, in memory.

    It returns when everything answers. args are more flags of serve.
    """
    program = bin or os.environ.get("VNEID_SANDBOX_BIN") or "vneid-sandbox"
    data = tempfile.mkdtemp(prefix="vneid-sandbox-")
    # Settings of this machine are not those of the test.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("VNEID_SANDBOX_")}
    command = [program, "serve", "--log-format", "json", "--listen", "localhost:0", "--sandbox-listen", "localhost:0",
               "--database", "sqlite::memory:", "--data", data, *args]
    log: List[str] = []
    try:
        process = subprocess.Popen(command, env={**inherited, **(env or {})}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, encoding="utf-8", errors="replace")
    except OSError as e:
        shutil.rmtree(data, ignore_errors=True)
        raise RuntimeError(f"{program} cannot be started: {e}") from e
    assert process.stdout is not None and process.stderr is not None

    def read_log() -> None:
        for line in process.stderr or ():
            log.append(line)
            del log[:-200]
        process.stderr.close()

    reader = threading.Thread(target=read_log, daemon=True)
    reader.start()
    late = threading.Timer(timeout, process.kill)
    late.start()
    first = process.stdout.readline()
    late.cancel()
    process.stdout.close()
    if not first:
        code = process.wait()
        reader.join(5)
        shutil.rmtree(data, ignore_errors=True)
        raise RuntimeError(f"{program} ended with {code} before it was ready (at most {timeout} s)\n{''.join(log)}")
    ready = json.loads(first)
    return Sandbox(ready["issuer"], ready["sandbox_url"], (env or {}).get("VNEID_SANDBOX_TOKEN"), ready.get("ca"), process, data)
