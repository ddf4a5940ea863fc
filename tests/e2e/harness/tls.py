"""Certificates made for a test, and a hub that speaks TLS with them."""

import http.client
import shutil
import ssl
import subprocess

from .http import Http
from .hub import PATIENCE_S, Hub
from .raw_ws import RawWebSocket

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class Certificate:
    """Self-signed, for 127.0.0.1 and localhost; `cert` and `key` are paths."""

    def __init__(self, folder, name="hub"):
        self.cert = folder / f"{name}.pem"
        self.key = folder / f"{name}.key"
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                      "-keyout", self.key, "-out", self.cert, "-days", "30", "-subj", f"/CN={name}",
                      "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=PATIENCE_S)

    def expire(self):
        self._openssl("x509", "-in", self.cert, "-signkey", self.key, "-days", "-1", "-out", self.cert)

    def put_in_place_of(self, other):
        shutil.copy(self.cert, other.cert)
        shutil.copy(self.key, other.key)

    @property
    def der(self):
        return ssl.PEM_cert_to_DER_cert(self.cert.read_text())


def trust(*certificates, version=None):
    """What a client that trusts these speaks TLS with."""
    context = ssl.create_default_context()
    for certificate in certificates:
        context.load_verify_locations(certificate.cert)
    if version:
        context.minimum_version = context.maximum_version = VERSIONS[version]
    return context


class Https(Http):
    def __init__(self, port, key, context):
        super().__init__(port, key)
        self.context = context

    def connect(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE_S, context=self.context)


class TlsHub(Hub):
    """Its own client speaks TLS with `context`."""

    def __init__(self, folder, certificate, *options):
        super().__init__(folder, "--tls-cert", str(certificate.cert), "--tls-key", str(certificate.key), *options)
        self.certificate = certificate
        self.context = trust(certificate)
        self.said = ""  # on both outputs

    def _read(self, stream, put):
        def note(line):
            self.said += line or ""
            put(line)

        super()._read(stream, note)

    def http(self, key=None):
        return Https(self.port, key, self.context)

    def ws_url(self, query=""):
        return super().ws_url(query).replace("ws://", "wss://")

    def raw(self, context=None, **options):
        """A connection whose handshake is done."""
        connection = RawWebSocket(self.port, **options)
        connection.socket = (context or self.context).wrap_socket(connection.socket, server_hostname="127.0.0.1")
        return connection
