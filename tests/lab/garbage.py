#!/usr/bin/env python3
"""garbage.py ADDRESS PORT SEED: sends what does not belong to a relay's port."""
import random
import socket
import struct
import sys
import time

to = (sys.argv[1], int(sys.argv[2]))
draw = random.Random(int(sys.argv[3]))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setblocking(False)


def noise(n):
    return draw.randbytes(n)


def head(kind, reserved=b"\0\0\0"):
    return bytes([kind]) + reserved


def flow(n):
    return struct.pack("<I", n)


def data(n=1200):
    """Looks like a sealed packet."""
    return head(4) + noise(n)


http = b"GET / HTTP/1.1\r\nHost: relay\r\nUser-Agent: curl/8.0\r\nAccept: */*\r\n\r\n"
tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + noise(506)

# What is forwarded, and what asks for keys: broken and forged, by class.
CLASSES = {
    "no header": lambda: b"\x05",
    "half a header": lambda: head(5) + b"\x01\x02",
    "nothing inside": lambda: head(5) + flow(draw.getrandbits(32)),
    "reserved bytes": lambda: head(5, b"\0\1\0") + flow(draw.getrandbits(32)) + data(),
    "flow 0": lambda: head(5) + flow(0) + data(),
    "small flow numbers": lambda: head(5) + flow(draw.randrange(1, 64)) + data(),
    "drawn flow numbers": lambda: head(5) + flow(draw.getrandbits(32)) + data(),
    "FORWARDED to a relay": lambda: head(6) + flow(draw.getrandbits(32)) + data(),
    "an inner type that is none": lambda: head(5) + flow(draw.getrandbits(32)) + bytes([draw.randrange(9, 256)]) + noise(900),
    "an inner type 0": lambda: head(5) + flow(draw.getrandbits(32)) + bytes(64),
    "three in a row": lambda: (head(5) + flow(draw.getrandbits(32))) * 3 + data(),
    "an inner datagram that is too short": lambda: head(5) + flow(draw.getrandbits(32)) + head(4) + b"\1\2\3",
    "an inner question for a key": lambda: head(5) + flow(draw.getrandbits(32)) + head(7) + noise(144),
    "a short question for a key": lambda: head(7) + noise(8),
    "a question for a key with noise": lambda: head(7) + noise(144),
    "a question for a key, reserved bytes": lambda: head(7, b"\1\0\0") + noise(8) + bytes(136),
    "an answer nobody asked for": lambda: head(8) + noise(144),
    "a handshake of noise": lambda: head(1) + noise(284),
    "a sealed packet of noise": lambda: data(draw.randrange(28, 1400)),
    "types that are none": lambda: bytes([draw.randrange(9, 256)]) + noise(draw.randrange(0, 1400)),
}
EACH = 200


def send(b):
    while True:
        try:
            s.sendto(b, to)
            return
        except BlockingIOError:
            time.sleep(0.001)


sent = 0
for b in [http, tls] * 50:
    send(b)
    sent += 1
for _ in range(1 << 20 >> 10):
    send(noise(1024))
    sent += 1
for make in CLASSES.values():
    for i in range(EACH):
        send(make())
        sent += 1
        if i % 50 == 49:
            time.sleep(0.005)
send(head(5) + flow(1) + data(60000))
time.sleep(0.3)
answers = 0
try:
    while True:
        s.recv(65536)
        answers += 1
except BlockingIOError:
    pass
print(f"seed {sys.argv[3]}: {sent} packets, {len(CLASSES)} kinds of broken ones, {answers} answers")
