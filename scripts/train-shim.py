#!/usr/bin/env python3
"""Runs a task or a few through the shim as containerd does, so that the AOT cache has its classes."""
import json, os, socket, struct, subprocess, sys, threading

def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out + bytes([n]))

def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data

def receive(connection, n):
    data = b""
    while len(data) < n:
        more = connection.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data

def take_events(connection):
    """As containerd takes them: each has an empty answer."""
    try:
        while True:
            size, stream, _, _ = struct.unpack(">IIBB", receive(connection, 10))
            receive(connection, size)
            connection.sendall(struct.pack(">IIBB", 0, stream, 2, 0))
    except (EOFError, OSError):
        pass

def containerd(address):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    while True:
        threading.Thread(target=take_events, args=listener.accept()[:1], daemon=True).start()

class Shim:
    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(address.removeprefix("unix://"))
        self.stream = -1

    def call(self, method, *fields):
        payload = b"".join(field(number, value) for number, value in fields)
        request = field(1, "containerd.task.v2.Task") + field(2, method) + field(3, payload)
        self.stream += 2
        self.socket.sendall(struct.pack(">IIBB", len(request), self.stream, 1, 0) + request)
        size, _, _, _ = struct.unpack(">IIBB", receive(self.socket, 10))
        return receive(self.socket, size)

def main(program, bundle, name, address):
    events = address + ".ttrpc"
    threading.Thread(target=containerd, args=[events], daemon=True).start()
    os.environ["TTRPC_ADDRESS"] = events
    for i in range(3):
        id = f"{name}-{i}"
        out = subprocess.run(
            [program, "-namespace", "train", "-address", address, "-publish-binary", "true", "-id", id, "start"],
            cwd=bundle, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=True).stdout
        shim = Shim(out)
        rootfs = field(1, "bind") + field(2, os.path.join(bundle, "rootfs")) + field(4, "rbind") + field(4, "rw")
        shim.call("Create", (1, id), (2, bundle), (3, rootfs))
        shim.call("Connect", (1, id))
        shim.call("Start", (1, id))
        shim.call("State", (1, id))
        exec_id = "e"
        spec = json.dumps({"args": ["/bin/true"], "cwd": "/"})
        shim.call("Exec", (1, id), (2, exec_id), (7, field(1, "process") + field(2, spec)))
        shim.call("Start", (1, id), (2, exec_id))
        shim.call("Wait", (1, id), (2, exec_id))
        shim.call("Delete", (1, id), (2, exec_id))
        shim.call("Kill", (1, id), (3, 9), (4, 1))
        shim.call("Wait", (1, id))
        shim.call("Kill", (1, id), (3, 9))
        shim.call("Delete", (1, id))
        shim.call("Shutdown", (1, id))
        subprocess.run([program, "-namespace", "train", "-address", address, "-publish-binary", "true", "-id", id,
                        "-bundle", bundle, "delete"], cwd=bundle, stdin=subprocess.DEVNULL, capture_output=True, timeout=30)

main(*sys.argv[1:5])
