"""A webhook receiver that speaks HTTP/2 over TLS and nothing else, with the library of Debian's python3-h2."""

import socket
import ssl
import threading

try:
    import h2.config
    import h2.connection
    import h2.events
except ImportError:
    h2 = None


class Http2Receiver:
    """`wait_for_count` streams, each (connection number, path, body)."""

    def __init__(self, certificate):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.cert, certificate.key)
        self._context.set_alpn_protocols(["h2"])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._changed = threading.Condition()
        self._connections = []
        self.received = []
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self._listener.close()
        for one in self._connections:
            one.close()

    def url(self, path="/hook"):
        return f"https://127.0.0.1:{self.port}{path}"

    def wait_for_count(self, count, patience_s=30):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.received) >= count, patience_s), self.received
            return list(self.received)

    def _accept(self):
        while True:
            try:
                plain, _ = self._listener.accept()
                secure = self._context.wrap_socket(plain, server_side=True)
            except ssl.SSLError:
                continue
            except OSError:
                return
            number = len(self._connections)
            self._connections.append(secure)
            threading.Thread(target=self._serve, args=(secure, number), daemon=True).start()

    def _serve(self, secure, number):
        protocol = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        protocol.initiate_connection()
        streams = {}
        try:
            secure.sendall(protocol.data_to_send())
            while data := secure.recv(65536):
                for event in protocol.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        fields = {bytes(name): bytes(value) for name, value in
                                  ((n.encode() if isinstance(n, str) else n, v.encode() if isinstance(v, str) else v)
                                   for n, v in event.headers)}
                        streams[event.stream_id] = (fields[b":path"].decode(), bytearray())
                    elif isinstance(event, h2.events.DataReceived):
                        streams[event.stream_id][1].extend(event.data)
                        protocol.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    elif isinstance(event, h2.events.StreamEnded):
                        path, body = streams.pop(event.stream_id)
                        protocol.send_headers(event.stream_id, [(":status", "204")], end_stream=True)
                        with self._changed:
                            self.received.append((number, path, bytes(body)))
                            self._changed.notify_all()
                secure.sendall(protocol.data_to_send())
        except OSError:
            pass


def available():
    return h2 is not None
