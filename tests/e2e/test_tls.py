"""TLS on the listening address: versions, what goes over it, who dawdles, and a certificate that changes under way."""

import asyncio
import json
import select
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import warnings

import pytest
from harness import raw_ws
from harness.halves import halves
from harness.http import RawConnection
from harness.hub import PATIENCE_S, end_with_parent, run_command
from harness.tls import Certificate, TlsHub, trust
from harness.ws import Client, in_thread, run
from test_browser import what_a_page_gets

SMALL_BUFFER = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return Certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def hub(tmp_path_factory, certificate):
    shared = TlsHub(tmp_path_factory.mktemp("hub"), certificate)
    try:
        yield shared.start()
    finally:
        shared.close()


@pytest.fixture
def make_tls_hub(tmp_path):
    """Makes hubs with a certificate of their own; they end with the test."""
    hubs = []

    def make(*options):
        folder = tmp_path / str(len(hubs))
        folder.mkdir()
        hubs.append(TlsHub(folder, Certificate(folder), *options))
        return hubs[-1].start()

    yield make
    for one in hubs:
        one.close()


def client_hello():
    """The bytes that a client says first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def shown_certificate(port):
    """The one that a new connection is shown."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as plain:
        with context.wrap_socket(plain) as connection:
            return connection.getpeercert(binary_form=True)


def wait_for_log(hub, text):
    deadline = time.monotonic() + PATIENCE_S
    while text not in hub.log:
        assert time.monotonic() < deadline, hub.log
        time.sleep(0.01)


# --- what is spoken ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_https_in_both_versions(hub, certificate, version):
    context = trust(certificate, version=version)
    with socket.create_connection(("127.0.0.1", hub.port), timeout=PATIENCE_S) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as connection:
            assert connection.version() == f"TLSv{version}"
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n")
            answer = b""
            while piece := connection.recv(4096):  # would raise on an end without close_notify
                answer += piece
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_older_versions_are_refused(hub, certificate):
    context = trust(certificate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", hub.port), timeout=PATIENCE_S) as plain:
        with pytest.raises(ssl.SSLError, match="(?i)alert.protocol.version"):
            context.wrap_socket(plain, server_hostname="localhost")


def test_curl(hub, certificate, missing):
    curl = shutil.which("curl") or missing("curl is not installed")
    done = subprocess.run(
        [curl, "--silent", "--show-error", "--cacert", certificate.cert, "--write-out", " %{http_version}",
         f"https://localhost:{hub.port}/healthz", f"https://localhost:{hub.port}/healthz"],
        capture_output=True, text=True, timeout=PATIENCE_S, check=True, preexec_fn=end_with_parent)
    assert done.stdout == '{"status":"ok"} 1.1' * 2


def test_a_client_that_speaks_only_http_2_is_told_so(hub, certificate):
    for offered, selected in ((["h2", "http/1.1"], "http/1.1"), (["h2"], None)):
        context = trust(certificate)
        context.set_alpn_protocols(offered)
        with socket.create_connection(("127.0.0.1", hub.port), timeout=PATIENCE_S) as plain:
            if selected:
                with context.wrap_socket(plain, server_hostname="localhost") as connection:
                    assert connection.selected_alpn_protocol() == selected
            else:
                with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
                    context.wrap_socket(plain, server_hostname="localhost")


@pytest.mark.parametrize(("version", "resumes"), [("1.2", False), ("1.3", True)])
def test_sessions_are_resumed_where_that_keeps_their_secret(hub, certificate, version, resumes):
    context = trust(certificate, version=version)
    session = None
    for again in (False, True):
        with socket.create_connection(("127.0.0.1", hub.port), timeout=PATIENCE_S) as plain:
            with context.wrap_socket(plain, server_hostname="localhost", session=session) as connection:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n")
                assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
                assert connection.session_reused == (again and resumes)
                session = connection.session


def test_who_speaks_http_without_tls_is_told_so(hub):
    with RawConnection(hub.port) as connection:
        connection.send("PATCH /api/v1/jobs HTTP/1.1\r\nHost: hub\r\n\r\n")
        answer = connection.answer()
        assert answer.status == 400
        assert b"TLS" in answer.body
        assert connection.ended()


def test_the_control_socket_needs_no_tls(hub):
    assert "default" in hub.command("account", "list").stdout


def test_a_first_start_shows_lines_for_tls(make_tls_hub):
    hub = make_tls_hub()
    hub.stop()
    assert f"wss://127.0.0.1:{hub.port}/api/v1/ws/jobs?api_key=" in hub.said
    assert f"curl https://127.0.0.1:{hub.port}/api/v1/jobs" in hub.said
    assert " http://" not in hub.said and "'ws://" not in hub.said
    assert "tls=true" in hub.log


# --- what goes over it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_websocket_hears_of_its_job(hub, certificate, version):
    async def talk():
        job = await in_thread(hub.submit)
        async with Client(hub, hub.client, ssl=trust(certificate, version=version)) as client:
            await client.expect("connected")
            assert (await client.subscribe(job))["status"] == "queued"
            await in_thread(hub.finish, job, {"pages": 12})
            await client.expect("job_update", status="running")
            await client.expect("job_update", status="succeeded", result={"pages": 12})

    run(talk())


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_large_results_both_ways(hub, certificate, version):
    """Far over one record, and over what the kernel takes at once."""
    result = ["".join(chr(33 + (i * 7 + j) % 90) for j in range(1024)).replace('"', "'").replace("\\", "/")
              for i in range(3 * 1024)]
    assert len(json.dumps(result)) > 3 << 20

    async def talk():
        job = await in_thread(hub.submit)
        async with Client(hub, hub.client, ssl=trust(certificate, version=version)) as client:
            await client.expect("connected")
            await client.subscribe(job)
            await in_thread(hub.finish, job, result)
            await client.expect("job_update", status="running")
            assert (await client.expect("job_update", status="succeeded"))["result"] == result
        assert (await in_thread(hub.job, job))["result"] == result

    run(talk())


def test_many_small_events_come_in_order(hub):
    count = 500

    async def talk():
        job = await in_thread(hub.submit)
        await in_thread(hub.report, job, "running")
        async with Client(hub, hub.client, ssl=hub.context) as client:
            await client.expect("connected")
            await client.subscribe(job)

            def report():
                connection = hub.http().connect()
                for n in range(count):
                    connection.request("PATCH", f"/api/v1/jobs/{job}", json.dumps({"progress": n}),
                                       {"X-API-Key": hub.worker, "Content-Type": "application/json"})
                    assert json.loads(connection.getresponse().read())["progress"] == n
                connection.close()

            reporting = asyncio.create_task(in_thread(report))
            heard = [(await client.expect("job_update"))["progress"] for _ in range(count)]
            await reporting
            assert heard == list(range(count))

    run(talk())


def test_a_browser(hub, tmp_path, missing):
    told = what_a_page_gets(tmp_path, hub.port, f'["{hub.client}"]', missing, "wss", ["--ignore-certificate-errors"])
    assert told.startswith(hub.client + ' {"type":"connected",')


def test_a_hub_that_ends_says_goodbye(make_tls_hub):
    hub = make_tls_hub()

    async def talk():
        async with Client(hub, hub.client, ssl=hub.context) as client:
            await client.expect("connected")
            stopping = asyncio.create_task(in_thread(hub.stop))
            assert (await client.closed())[0] == 1001
            await stopping

    run(talk())


# --- who dawdles ------------------------------------------------------------------------------------------------------


UPDATE_BYTES = 256 * 1024
UPDATES = 100


def test_a_slow_client_is_closed_with_1008_and_reads_sound_frames_until_then(make_tls_hub):
    hub = make_tls_hub("--limits-progress-bytes", str(2 * UPDATE_BYTES), "--websocket-queue-bytes", str(1 << 30),
                       "--websocket-slow-client-ms", "300")
    job = hub.submit()
    hub.report(job, "running")

    def report_much():
        for n in range(UPDATES):
            hub.report(job, progress={"n": n, "pad": "x" * UPDATE_BYTES})

    with hub.raw(options=SMALL_BUFFER) as slow:
        slow.open(hub.port, hub.client)
        slow.send(raw_ws.frame(raw_ws.TEXT, f'{{"action":"subscribe","job_id":"{job}"}}'))
        assert [slow.read_message()["type"] for _ in range(3)] == ["connected", "subscribed", "job_update"]
        reporter = threading.Thread(target=report_much)
        reporter.start()
        slow._pace = 4 << 20
        heard = []
        while (frame := slow.read_frame())[0] != raw_ws.CLOSE:
            update = json.loads(frame[1])["progress"]
            assert update["pad"] == "x" * UPDATE_BYTES
            heard.append(update["n"])
        reporter.join()
        assert frame[1][:2] == (1008).to_bytes(2, "big")
    assert heard == list(range(len(heard)))
    assert 0 < len(heard) < UPDATES


def test_300_half_handshakes_delay_nobody(make_tls_hub):
    hub = make_tls_hub("--limits-head-timeout-s", "4")
    with halves(hub, client_hello()[:100], 4) as (idle, opened_at):
        for one in idle:
            assert one.recv(4096) == b""
        assert 4 <= time.monotonic() - opened_at < 20


def test_a_handshake_that_trickles_in_wins_no_time(make_tls_hub):
    hub = make_tls_hub("--limits-head-timeout-s", "1")
    hello = client_hello()
    with socket.create_connection(("127.0.0.1", hub.port), timeout=30) as connection:
        begun_at = time.monotonic()
        sent = 0
        while not select.select([connection], [], [], 0.1)[0]:
            connection.sendall(hello[sent:sent + 1])
            sent += 1
            assert sent < len(hello)
            assert time.monotonic() - begun_at < 10
        assert 1 <= time.monotonic() - begun_at
        assert connection.recv(4096) == b""


def test_half_a_head_behind_a_handshake_is_answered_in_time(make_tls_hub):
    hub = make_tls_hub("--limits-head-timeout-s", "1")
    with hub.raw() as connection:
        connection.send(b"GET /healthz HTTP/1.1\r\nHost: hub\r\nX-Slow: ")
        assert connection.read_head().startswith(b"HTTP/1.1 408 ")


# --- a certificate that changes ---------------------------------------------------------------------------------------


def test_a_new_certificate_is_shown_to_new_connections_and_drops_nobody(make_tls_hub, tmp_path):
    hub = make_tls_hub()
    first = hub.certificate.der
    second = Certificate(tmp_path, "second")

    async def talk():
        job = await in_thread(hub.submit)
        async with Client(hub, hub.client, ssl=hub.context) as client:
            await client.expect("connected")
            await client.subscribe(job)
            assert await in_thread(shown_certificate, hub.port) == first
            second.put_in_place_of(hub.certificate)
            hub.process.send_signal(signal.SIGHUP)
            await in_thread(wait_for_log, hub, "the certificate was reloaded")
            assert await in_thread(shown_certificate, hub.port) == second.der != first
            # Who trusts the second one alone comes in, and the one who was there before hears of it.
            hub.context = trust(second)
            await in_thread(hub.finish, job, 1)
            await client.expect("job_update", status="running")
            await client.expect("job_update", status="succeeded")
            await client.send({"action": "ping"})
            await client.expect("pong")

    run(talk())


@pytest.mark.parametrize("spoil", ["cert", "key", "other key", "gone"])
def test_a_bad_new_certificate_is_refused_and_the_old_one_stays(make_tls_hub, tmp_path, spoil):
    hub = make_tls_hub()
    first = hub.certificate.der
    at_fault = hub.certificate.cert if spoil == "cert" else hub.certificate.key
    if spoil == "other key":
        shutil.copy(Certificate(tmp_path, "other").key, at_fault)
    elif spoil == "gone":
        at_fault.unlink()
    else:
        at_fault.write_text("-----BEGIN NONSENSE-----\n")
    hub.process.send_signal(signal.SIGHUP)
    wait_for_log(hub, "nothing was reloaded")
    assert str(at_fault) in hub.log
    assert shown_certificate(hub.port) == first
    assert hub.http(hub.client).get("/healthz").status == 200


def test_without_tls_there_is_nothing_to_reload(make_hub):
    hub = make_hub()
    hub.process.send_signal(signal.SIGHUP)
    wait_for_log(hub, "nothing to reload")
    hub.submit()
    hub.stop()


# --- a start that cannot be ------------------------------------------------------------------------------------------


def test_what_is_wrong_with_the_files_stops_the_start_and_names_them(tmp_path):
    one, other = Certificate(tmp_path, "one"), Certificate(tmp_path, "other")
    junk = tmp_path / "junk.pem"
    junk.write_text("no PEM\n")
    for cert, key, words in [
        (one.cert, None, [str(one.cert), "tls_key"]),
        (None, one.key, [str(one.key), "tls_cert"]),
        (tmp_path / "absent", one.key, [str(tmp_path / "absent")]),
        (one.cert, tmp_path / "absent", [str(tmp_path / "absent")]),
        (junk, one.key, [str(junk), "no certificate"]),
        (one.cert, junk, [str(junk), "no private key"]),
        (one.cert, other.key, [str(one.cert), str(other.key), "does not fit"]),
    ]:
        options = [*(["--tls-cert", str(cert)] if cert else []), *(["--tls-key", str(key)] if key else [])]
        done = run_command("serve", "--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0", *options, check=False)
        assert done.returncode in (1, 2) and done.stdout == ""
        assert done.stderr.count("\n") == 1 and all(word in done.stderr for word in words), done.stderr


def test_an_expired_certificate_is_warned_of_and_served(tmp_path):
    expired = Certificate(tmp_path)
    expired.expire()
    hub = TlsHub(tmp_path, expired)
    try:
        hub.start()
        assert shown_certificate(hub.port) == expired.der
        wait_for_log(hub, "the certificate has expired")
        assert str(expired.cert) in hub.log
    finally:
        hub.close()
