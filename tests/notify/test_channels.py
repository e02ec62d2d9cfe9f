"""Deliveries over real sockets on loopback: a webhook, a mail server, a command, the desktop's bus; their failures."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from email.message import Message as Mail
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MailHandler

from engine.model import Event
from notify.channel import DeliveryError, Message
from notify.command import CommandChannel
from notify.secret import resolve
from notify.services import ServiceChannel
from tui.osc import sequence


def event(number: int = 1, severity: str = "warning") -> Event:
    at, values = 1_767_971_400.0, {"z252": -2.31}
    return Event(f"id{number}", "z", "IWM/SPY", "fired", at, severity, "on", "IWM/SPY z −2.31", values)


MESSAGE = Message((event(),))


class Webhook:
    """A receiver that remembers what it was sent, and answers as it is told."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.status = 200
        self.port = 0

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        return web.Response(status=self.status)


@pytest.fixture
async def webhook() -> AsyncIterator[Webhook]:
    hook = Webhook()
    app = web.Application()
    app.router.add_post("/{path:.*}", hook.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    hook.port = runner.addresses[0][1]
    yield hook
    await runner.cleanup()


async def test_a_webhook_gets_the_event_with_its_id(webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", f"json://127.0.0.1:{webhook.port}/alerts")
    await ServiceChannel("hook", "env:HOOK").send(MESSAGE)
    (body,) = webhook.bodies
    assert body["title"] == "sizewatch ▲ z"
    assert body["message"] == "▲ 2026-01-09 15:10:00Z IWM/SPY z −2.31 [id1]"


async def test_a_refusal_is_a_failure_and_shows_no_secret(webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    webhook.status = 503
    monkeypatch.setenv("HOOK", f"json://user:hunter2@127.0.0.1:{webhook.port}/alerts")
    with pytest.raises(DeliveryError) as caught:
        await ServiceChannel("hook", "env:HOOK").send(MESSAGE)
    assert "hunter2" not in str(caught.value) and not caught.value.final


async def test_a_secret_that_is_no_url_is_final(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", "no-such-service://x")
    with pytest.raises(DeliveryError, match="no URL that Apprise knows") as caught:
        await ServiceChannel("hook", "env:HOOK").send(MESSAGE)
    assert caught.value.final


def test_a_secret_that_is_missing_or_badly_named_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOSUCH", raising=False)
    with pytest.raises(DeliveryError, match="NOSUCH is not set"):
        resolve("env:NOSUCH")
    with pytest.raises(DeliveryError, match="named as env:NAME"):
        resolve("ntfy://token@host")


class Mailbox(MailHandler):
    """Keeps every mail that the server took."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Mail[str, str]] = []

    def handle_message(self, message: Mail[str, str]) -> None:
        self.mails.append(message)


@pytest.fixture
def mail() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    yield box, port
    server.stop()


async def test_a_mail_server_takes_the_alert(mail: tuple[Mailbox, int], monkeypatch: pytest.MonkeyPatch) -> None:
    box, port = mail
    monkeypatch.setenv("MAIL", f"mailto://127.0.0.1:{port}?from=watch@example.com&to=trader@example.com")
    await ServiceChannel("mail", "env:MAIL").send(MESSAGE)
    assert box.mails[0]["To"] and "trader@example.com" in box.mails[0]["To"]
    assert "[id1]" in str(box.mails[0].get_payload(decode=True) or box.mails[0])


async def test_a_command_gets_json_on_its_standard_input(tmp_path: Path) -> None:
    out = tmp_path / "event.json"
    program = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read())"
    await CommandChannel("cmd", [sys.executable, "-c", program, str(out)]).send(MESSAGE)
    sent = orjson.loads(out.read_bytes())
    assert sent["events"][0]["id"] == "id1" and sent["events"][0]["values"] == {"z252": -2.31}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no-such-program-anywhere"], "No such file"),
        ([sys.executable, "-c", "import sys; sys.exit('broken \\x1b[31m pipe')"], "exit 1: broken"),
        ([sys.executable, "-c", "import time; time.sleep(60)"], "not done within 1 s"),
    ],
)
async def test_a_command_that_fails_says_why_in_one_clean_line(arguments: list[str], says: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        await CommandChannel("cmd", arguments, timeout=1).send(MESSAGE)
    assert says in str(caught.value) and "\x1b" not in str(caught.value)


def test_a_burst_is_one_message_that_names_every_event() -> None:
    many = Message(tuple(event(number) for number in range(30)))
    assert many.title == "sizewatch 30 alerts"
    assert all(f"[id{number}]" in many.body for number in range(30))
    assert len(many.body.splitlines()) == 21
    assert Message((event(1, "info"), event(2, "critical"))).severity == "critical"


@pytest.mark.parametrize("protocol", ["osc9", "osc99", "osc777"])
def test_terminal_notifications_pass_no_foreign_escape(protocol: Any) -> None:
    text = sequence(protocol, "title", "evil \x1b]0;x\x07 \n name; rest")
    assert text.startswith("\x1b]") and text.endswith("\x1b\\")
    assert "\x07" not in text and text.count("\x1b]") == (2 if protocol == "osc99" else 1)


SERVER = """
import asyncio, sys
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, method

class Notifications(ServiceInterface):
    def __init__(self):
        super().__init__("org.freedesktop.Notifications")
    @method()
    def Notify(self, app: "s", n: "u", icon: "s", summary: "s", body: "s", a: "as", hints: "a{sv}", t: "i") -> "u":
        print(f"{app}|{summary}|{body}", flush=True)
        return 7
    @method()
    def GetServerInformation(self) -> "ssss":
        return ["test", "test", "1", "1.2"]
    @method()
    def GetCapabilities(self) -> "as":
        return ["body"]
    @method()
    def CloseNotification(self, number: "u"):
        pass

async def main():
    bus = await MessageBus().connect()
    bus.export("/org/freedesktop/Notifications", Notifications())
    await bus.request_name("org.freedesktop.Notifications")
    print("ready", flush=True)
    await bus.wait_for_disconnect()

asyncio.run(main())
"""
CLIENT = """
import asyncio, sys
from engine.model import Event
from notify.channel import Message
from notify.desktop import DesktopChannel

event = Event("id1", "z", "IWM/SPY", "fired", 1767971400.0, "critical", "on", "IWM/SPY z -2.31", {})
asyncio.run(DesktopChannel().send(Message((event,))))
"""


@pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("dbus-run-session") is None,
    reason="needs a D-Bus daemon: Debian's package dbus (dbus-run-session)",
)
async def test_the_desktop_is_told_over_d_bus_on_a_private_bus() -> None:
    script = f"""
{sys.executable} -c '{SERVER}' & server=$!
sleep 0.1
for i in $(seq 100); do
  dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner \
    string:org.freedesktop.Notifications 2>/dev/null | grep -q true && break
  sleep 0.1
done
{sys.executable} -c '{CLIENT}'
status=$?
kill $server
exit $status
"""
    process = await asyncio.create_subprocess_exec(
        "dbus-run-session", "--", "bash", "-c", script,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    out, complaint = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, complaint.decode()
    assert "sizewatch|sizewatch ▲ z|" in out.decode() and "[id1]" in out.decode()
