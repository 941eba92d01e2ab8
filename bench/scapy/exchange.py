"""Handshake, push and reset by the Python packet tool, one exchange after the other.

    exchange.py HOST PORT COUNT naive|tuned

naive: one sr1 a packet, as the tool's documentation shows. tuned: one layer-3 socket for all, with a
filter for the peer. The kernel's own resets must be kept from leaving, which the caller does. Prints one
JSON object: seconds and CPU seconds for all exchanges without start-up, SYN-ACK round trips in
microseconds as the tool's own time stamps say, resident kilobytes.
"""
import json
import random
import sys
import time

from scapy.all import IP, TCP, conf, send, sr1

PAYLOAD = b"GET /xxxxxxxxxxx"
PATIENCE = 2


class Naive:
    """A new socket for every packet."""

    def ask(self, packet):
        return sr1(packet, timeout=PATIENCE, verbose=0)

    def tell(self, packet):
        send(packet, verbose=0)


class Tuned:
    """One socket, which the kernel's filter keeps other packets from."""

    def __init__(self, host, port):
        route = conf.route.route(host)
        self.socket = conf.L3socket(iface=route[0], filter="tcp and src host %s and src port %d" % (host, port))

    def ask(self, packet):
        return self.socket.sr1(packet, timeout=PATIENCE, verbose=0)

    def tell(self, packet):
        self.socket.send(packet)


def exchange(way, host, port, source):
    """Return the round trip of the SYN in microseconds."""
    ip = IP(dst=host)
    number = random.randrange(1 << 32)
    syn = ip / TCP(sport=source, dport=port, seq=number, flags="S")
    opened = way.ask(syn)
    number = (number + 1) % (1 << 32)
    expected = (opened[TCP].seq + 1) % (1 << 32)
    way.tell(ip / TCP(sport=source, dport=port, seq=number, ack=expected, flags="A"))
    pushed = way.ask(ip / TCP(sport=source, dport=port, seq=number, ack=expected, flags="PA") / PAYLOAD)
    number = (number + len(PAYLOAD)) % (1 << 32)
    if pushed[TCP].ack != number:
        raise SystemExit("the push was not acknowledged: %s" % pushed.summary())
    way.tell(ip / TCP(sport=source, dport=port, seq=number, ack=expected, flags="RA"))
    return (opened.time - syn.sent_time) * 1e6


def resident():
    """The largest resident memory of this program, in kilobytes."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def main():
    host, port, count, kind = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    conf.verb = 0
    way = Naive() if kind == "naive" else Tuned(host, port)
    sources = random.sample(range(61000, 65536), count)
    wall, cpu = time.perf_counter(), time.process_time()
    trips = [float(exchange(way, host, port, source)) for source in sources]
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps({"count": count, "seconds": wall, "cpuSeconds": cpu, "roundTripMicros": trips, "residentKilobytes": resident()}))


main()
