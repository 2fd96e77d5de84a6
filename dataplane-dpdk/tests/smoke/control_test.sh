#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Bad input on the control socket is refused with a reason, and what runs stays.
. "$(dirname "$0")/lab.sh"

encoded() {
	protoc --proto_path="$PROTO_ROOT" --encode=weir.v1.EngineRequest weir/v1/engine.proto
}

lab_up
engine_start node
node_request 1 11 | apply node >/dev/null
lb_request 1 ROUND_ROBIN DNAT "$(three_members)" | apply node >/dev/null
before=$(ctl node --json state)
echo 'request_id: 1 hello { role: ENGINE_ROLE_CONTROLLER protocol_version: 1 }' | encoded >"$WORK/hello"
echo 'request_id: 1 hello { role: ENGINE_ROLE_READER protocol_version: 1 }' | encoded >"$WORK/reader"
echo 'request_id: 1 hello { role: ENGINE_ROLE_CONTROLLER protocol_version: 9 }' | encoded >"$WORK/future"
echo 'request_id: 2 apply { delete_load_balancer_ids: "lb_one" }' | encoded >"$WORK/delete"
lb_request 2 ROUND_ROBIN DNAT "$(three_members)" 'required_features: "teleport"' |
	sed 's/required_features: "teleport"//; s/generation: 2/generation: 2 required_features: "teleport"/' | encoded >"$WORK/feature"
node_request 2 11 | sed 's/data_prefix_length: 24/data_prefix_length: 240/' | encoded >"$WORK/badnode"

cat >"$WORK/peer.py" <<'PY'
import socket, struct, sys

def connect():
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(5)
    peer.connect(sys.argv[1])
    return peer

def frame(body):
    return struct.pack(">I", len(body)) + body

def file(name):
    return open(f"{sys.argv[2]}/{name}", "rb").read()

def answer(peer):
    """The message that comes next; empty at the connection's end."""
    try:
        head = peer.recv(4, socket.MSG_WAITALL)
        return peer.recv(struct.unpack(">I", head)[0], socket.MSG_WAITALL) if head else b""
    except ConnectionResetError:
        return b""

def expect(what, message, text):
    if text.encode() not in message:
        sys.exit(f"{what}: no {text!r} in {message!r}")
    print(f"ok: {what}")

def ended(what, peer):
    if answer(peer) != b"":
        sys.exit(f"{what}: the connection goes on")
    print(f"ok: {what}")

peer = connect()
peer.sendall(struct.pack(">I", 0x7fffffff) + b"x" * 100)
ended("a frame of 2 GiB ends the connection", peer)
peer = connect()
peer.sendall(struct.pack(">I", 16 * 1024 * 1024 + 1))
ended("a frame just above the limit ends the connection", peer)

peer = connect()
peer.sendall(frame(file("delete"))[:-3])
peer.close()
print("ok: half a message and gone")
for size in (0, 1, 3):
    peer = connect()
    peer.sendall(b"\0" * size)
    peer.close()

peer = connect()
peer.sendall(frame(file("delete")))
expect("a request before hello", answer(peer), "first request must be hello")
peer.sendall(frame(b"\xff" * 50))
expect("bytes that are no message", answer(peer), "can't be decoded")
peer.sendall(frame(file("future")))
expect("a protocol of another version", answer(peer), "speaks protocol version 1")

peer.sendall(frame(file("reader")))
answer(peer)
peer.sendall(frame(file("delete")))
expect("a reader that writes", answer(peer), "only the controller")

first = connect()
first.sendall(frame(file("hello")))
answer(first)
peer.sendall(frame(file("hello")))
expect("a second controller", answer(peer), "another connection is the controller")
first.sendall(frame(file("feature")))
reply = answer(first)
expect("a feature that nobody knows", reply, "UNSUPPORTED_FEATURE")
expect("its name", reply, "teleport")
first.sendall(frame(file("badnode")))
expect("a node with an absurd prefix", answer(first), "INVALID_CONFIG")

# Frames that come byte by byte are frames all the same.
slow = connect()
for byte in frame(file("reader")):
    slow.sendall(bytes([byte]))
if not answer(slow):
    sys.exit("a slow peer is cut off")
print("ok: a frame byte by byte")

peers = []
for number in range(12):
    one = connect()
    try:
        one.sendall(frame(file("reader")))
    except BrokenPipeError:
        pass  # refused already; the reason is there to be read
    peers.append(one)
refused = sum(b"every connection is taken" in reply or b"8 readers" in reply
              for reply in map(answer, peers))
if refused == 0:
    sys.exit("readers without number are let in")
print(f"ok: readers beyond the limit are refused ({refused})")
PY
python3 "$WORK/peer.py" "$WORK/node.sock" "$WORK" || fail "bad input"
wait_for "a free connection" ctl node status
equal "configuration after all of it" "$before" "$(ctl node --json state)"
fetch >/dev/null || fail "traffic stopped"
echo "PASS"
