"""As much of containerd's gRPC interface as starts containers: unary calls over HTTP/2, written by hand so that the bench needs
nothing installed, and so that what the client costs, which is in the figures of every shim, is little."""

import socket
import struct

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 6, 7, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
WINDOW = struct.pack(">I", (1 << 31) - 65536)  # what the answers of a connection may be together


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value) if value else b""
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value if value else b""


def fields(data):
    """The fields of a message by number, each a list."""
    found, at = {}, 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    while at < len(data):
        tag = number()
        value = number()
        if tag & 7 == 2:
            value, at = data[at:at + value], at + value
        found.setdefault(tag >> 3, []).append(value)
    return found


def text(value):
    """A string of HPACK (RFC 7541, 5.2) without Huffman's code."""
    assert len(value) < 127
    return bytes([len(value)]) + value.encode()


class CallFailed(Exception):
    pass


class Containerd:
    """One connection, on which one call at a time is made."""

    def __init__(self, path, namespace):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.input = self.socket.makefile("rb")
        self.stream = -1
        # by the static table: :method POST, :scheme http, :authority; behind :path content-type and names that are not in it
        self.before_path = b"\x83\x86\x01" + text("localhost") + b"\x04"
        self.behind_path = (b"\x0f\x10" + text("application/grpc") + b"\x00" + text("te") + text("trailers")
                            + b"\x00" + text("containerd-namespace") + text(namespace))
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self.frame(SETTINGS, 0, 0, b"") + self.frame(8, 0, 0, WINDOW))

    def close(self):
        self.input.close()
        self.socket.close()

    @staticmethod
    def frame(kind, flags, stream, data):
        return struct.pack(">I", len(data))[1:] + struct.pack(">BBI", kind, flags, stream) + data

    def call(self, service, method, request):
        """The fields of the answer. Whoever fails answers without data, which is all that is looked at."""
        self.stream += 2
        headers = self.before_path + text("/containerd.services.%s/%s" % (service, method)) + self.behind_path
        self.socket.sendall(self.frame(HEADERS, END_HEADERS, self.stream, headers)
                            + self.frame(DATA, END_STREAM, self.stream, struct.pack(">BI", 0, len(request)) + request))
        answer = b""
        while True:
            head = self.input.read(9)
            if len(head) < 9:
                raise CallFailed("containerd has closed the connection")
            kind, flags, stream = struct.unpack(">BBI", head[3:])
            data = self.input.read(int.from_bytes(head[:3], "big"))
            if kind in (SETTINGS, PING) and not flags & ACK:
                self.socket.sendall(self.frame(kind, ACK, 0, data if kind == PING else b""))
            elif kind == GOAWAY or kind == RST_STREAM:
                raise CallFailed("%s/%s: containerd ends the call" % (service, method))
            elif kind == DATA:
                answer += data
            elif kind == HEADERS and flags & END_STREAM:
                break
        if len(answer) < 5:
            raise CallFailed("%s/%s is refused" % (service, method))
        return fields(answer[5:])
