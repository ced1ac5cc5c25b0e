#!/usr/bin/env python3
"""Runs a task or a few through the shim as containerd does, so that the AOT cache has its classes."""
import json, os, socket, struct, subprocess, sys

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

class Shim:
    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(address.removeprefix("unix://"))
        self.stream = -1

    def receive(self, n):
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def call(self, method, *fields):
        payload = b"".join(field(number, value) for number, value in fields)
        request = field(1, "containerd.task.v2.Task") + field(2, method) + field(3, payload)
        self.stream += 2
        self.socket.sendall(struct.pack(">IIBB", len(request), self.stream, 1, 0) + request)
        size, _, _, _ = struct.unpack(">IIBB", self.receive(10))
        return self.receive(size)

def main(program, bundle, name, address):
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
        shim.call("Kill", (1, id), (3, 9))
        shim.call("Wait", (1, id))
        shim.call("Delete", (1, id))
        shim.call("Shutdown", (1, id))
        subprocess.run([program, "-namespace", "train", "-address", address, "-publish-binary", "true", "-id", id,
                        "-bundle", bundle, "delete"], cwd=bundle, stdin=subprocess.DEVNULL, capture_output=True, timeout=30)

main(*sys.argv[1:5])
