"""Prints raw results that look like those of a full suite, the same ones each time: sample.py > results.jsonl.

For whoever works on the report. The numbers are made up.
"""

import json
import math
import random

chance = random.Random(7)
ARCHITECTURES = ["reactor", "reactor-again", "reactor-2-loops", "reactor-offload", "thread", "thread-pool", "fork", "prefork", "iterative",
                 "floor", "nginx", "nio", "apache-event"]
# CPU microseconds for a request, share of the user's, bytes for a connection, slope of the latency's tail.
TRAITS = {
    "reactor": (6.0, 0.30, 440, 1.0), "reactor-again": (6.0, 0.30, 440, 1.0), "reactor-2-loops": (6.9, 0.31, 520, 1.1),
    "reactor-offload": (7.4, 0.36, 470, 1.2), "thread": (9.5, 0.22, 12_400, 1.7), "thread-pool": (9.3, 0.22, 12_100, 1.8),
    "fork": (10.4, 0.21, 118_000, 2.0), "prefork": (10.1, 0.21, 96_000, 1.9), "iterative": (5.8, 0.30, 0, 0.8),
    "floor": (5.9, 0.22, 90, 1.0), "nginx": (6.4, 0.33, 490, 1.1), "nio": (11.1, 0.55, 6_650, 1.5), "apache-event": (42, 0.62, 21_000, 3.0),
}
PERCENTILES = [50, 62.5, 75, 82, 87.5, 91, 93.75, 95.5, 96.9, 98, 98.5, 99, 99.3, 99.6, 99.8, 99.9, 99.95, 99.98, 99.99]
MACHINE = {
    "kernel": "Linux 6.1.0-44-amd64 x86_64", "cpu": "Sample Processor 2.8 GHz", "cpus": 2, "serverCPU": 0, "loadCPU": 1, "loadBefore": 0.07,
    "congestionControl": "cubic", "spoolFileSystem": "ext4", "commit": "0123abc",
    "versions": {"swift": "6.3", "libev": "4.33", "openssl": "3.0.17", "nginx": "1.22.1", "wrk": "4.1.0"},
}
clock = 0


def near(value, share=0.012):
    return value * math.exp(chance.gauss(0, share))


def line(experiment, subject, swept, number, metrics=None, peer="connection", **more):
    global clock
    clock += 3
    record = {
        "schema": 1, "experiment": experiment, "peer": peer, "subject": subject, "connections": swept, "round": number + 1, "duration": 2,
        "workers": swept, "ended": "2026-11-30T%02d:%02d:%02dZ" % (9 + clock // 3600, clock // 60 % 60, clock % 60),
        "command": ["reactor", "serve", "http", "--listen", "127.0.0.1:0", "--architecture", subject], "metrics": metrics, "latency": None,
        "timeline": None, "vouched": True, "doubts": [], "failure": None, "machine": MACHINE,
    }
    record.update(more)
    print(json.dumps(record, ensure_ascii=False))


def metrics(subject, swept, slow=1.0, connections=None, noise=0.012):
    cpu, user, memory, tail = TRAITS[subject]
    served = 1 if subject == "iterative" else swept
    total = near(cpu * slow, noise)
    rate = min(1e6 / total, 11_000 * served ** 0.9) * 0.97
    p50 = served / rate * 1e6 * 0.9
    return {
        "requests": rate * 2, "requests_per_second": rate, "p50_us": near(p50), "p90_us": near(p50 * 1.3 * tail), "p99_us": near(p50 * 1.9 * tail, 0.05),
        "p999_us": near(p50 * 3 * tail, 0.1), "max_us": near(p50 * 7 * tail, 0.2), "server_cpu_us_per_request": total,
        "server_cpu_user_us_per_request": total * user, "server_cpu_system_us_per_request": total * (1 - user),
        "voluntary_switches_per_request": near(0.9 if "thread" in subject or "fork" in subject else 0.02),
        "involuntary_switches_per_request": near(0.004), "system_calls_per_request": near(2.03, 0.001),
        "pss_per_connection_bytes": near(memory + 3000 / swept if swept else 0) if memory else 0, "pss_at_rest_bytes": near(9.4e6),
        "connections_served": served, "socket_errors": 0, "timeouts": 0, "bad_statuses": 0, "harness_cpu_share": near(0.006),
        "fairness_jain": min(1, near(0.998, 0.001)),
    }


def percentiles(found, tail):
    return [[percentile, found["p50_us"] * (1 + 0.55 * tail * math.log10(50 / (100 - percentile)) ** 1.5)] for percentile in PERCENTILES]


def architectures(name, subjects, counts=(1, 16, 64, 256), factor=1.0):
    for number in range(3):
        for swept in counts:
            for subject in subjects:
                found = metrics(subject, swept, factor)
                more = {}
                if subject == "floor" and swept == 256:
                    more = {"vouched": False, "doubts": ["the load generator used 97 % of its CPU"]}
                line(name, subject, swept, number, found, latency=percentiles(found, TRAITS[subject][3]), **more)


def offered_load():
    for number in range(3):
        for rate in (5_000, 20_000, 40_000, 80_000, 110_000, 140_000, 170_000):
            for subject in ("reactor", "reactor-again", "thread", "fork", "floor"):
                capacity = 0.97e6 / TRAITS[subject][0]
                used = min(rate / capacity, 1)
                p99 = near(180 / max(1 - used, 0.004), 0.06) if rate < capacity else near(1.4e6 * (rate / capacity - 0.9), 0.05)
                answered = min(near(rate, 0.001), capacity)
                line("offered-load", subject, rate, number, {
                    "requests": 2 * answered, "errors_unanswered": max(0, round(2 * (rate - answered))) if rate > capacity else 0,
                    "offered_per_second": rate, "achieved_per_second": answered, "p99_us": p99, "p50_us": p99 / 4,
                    "server_cpu_us_per_request": near(TRAITS[subject][0])}, peer="request a second")


def disturbed(name, peer, counts, hurt):
    for number in range(3):
        for swept in counts:
            for subject in ("reactor", "reactor-again", "thread", "thread-pool", "fork", "floor"):
                if subject == "fork" and swept > 5000:
                    if number == 0:
                        line(name, subject, swept, number, peer=peer, failure="left out: more than 1,024 processes are not tried")
                    continue
                slow = 1 + hurt.get(subject, 0.0) * swept / counts[-1]
                found = metrics(subject, 64, slow)
                found["pss_per_idle_connection_bytes"] = near(TRAITS[subject][2])
                if not swept:
                    del found["pss_per_idle_connection_bytes"]
                found["connections_served"] = 64
                line(name, subject, swept, number, found, peer=peer)


def handlers(name, costs):
    for number in range(3):
        for subject, slow in costs.items():
            line(name, subject, 64, number, metrics(subject, 64, slow))


def overload(name):
    for number in range(3):
        for subject, recovery in (("reactor", 0.4), ("reactor-again", 0.4), ("thread", 2.3), ("prefork", 1.1)):
            capacity = 0.97e6 / TRAITS[subject][0]
            rows = []
            for second in range(16):
                over = 4 <= second < 9
                recovering = 9 <= second < 9 + recovery
                p99 = 3e5 * (second - 3) if over else 6e5 * recovery if recovering else 900
                answered = capacity if over or recovering else capacity * 0.6
                rows.append([second, near(answered), near(p99 / 3, 0.1), near(p99, 0.1), 40 if over and subject == "prefork" else 0])
            found = metrics(subject, 64)
            found.update({"recovery_seconds": near(recovery, 0.06), "errors_refused": 200 if subject == "prefork" else 0})
            line(name, subject, 64, number, found, timeline=rows)


architectures("architectures", ARCHITECTURES)
offered_load()
disturbed("slow-clients", "slow peer", (0, 16, 64, 256, 1000), {"thread-pool": 40, "fork": 0.6, "thread": 0.5})
handlers("blocking", {"reactor": 170, "reactor-again": 170, "reactor-offload": 4, "thread": 2.2, "thread-pool": 2.2, "fork": 2.4, "prefork": 2.4})
handlers("burning", {"reactor": 166, "reactor-again": 167, "reactor-offload": 136, "thread": 106, "thread-pool": 108, "fork": 98, "prefork": 100})
disturbed("idle-herd", "idle connection", (0, 1000, 5000, 15_000), {"thread": 0.2, "thread-pool": 0.3})
overload("overload")
architectures("rpc-architectures", ["reactor", "reactor-again", "thread", "fork"], (64,), 2.5)
architectures("some-future-experiment", ["reactor", "nio"], (8, 32), 1.4)
