# SPDX-License-Identifier: Apache-2.0
"""Writes through REST while Kafka is away: all are accepted, and all come through once it is back.

usage: kafka_away.py WEIR SECONDS  with the exports of `./weir env` of a project in the environment;
       WEIR is the clone's ./weir, Kafka is away for SECONDS

Prints what was written and how long it took to come through; exits non-zero if anything was refused or lost.
"""

import concurrent.futures
import contextlib
import subprocess
import sys
import time

from rest import PROJECT, Made, call, listener, pool

WEIR, AWAY_S = sys.argv[1], float(sys.argv[2])
LOAD_BALANCERS = 8
LONGEST_S = 60


def weir(*command):
    subprocess.run([WEIR, *command], check=True, timeout=120)


def path(made):
    return PROJECT + "/load-balancers/" + made.load_balancer


def rollout(made):
    return call("GET", path(made) + "/rollout")


def write(made, end):
    """Changes it until the end; the number of changes and the generation of the last."""
    changes, generation = 0, 0
    while time.monotonic() < end:
        changes += 1
        generation = call("PATCH", path(made), {"labels": {"change": str(changes)}})["generation"]
        time.sleep(0.05)
    return changes, generation


def main():
    with contextlib.ExitStack() as stack:
        names = ["kafka-away%d" % number for number in range(LOAD_BALANCERS)]
        balancers = [stack.enter_context(Made(name, "", [listener()], [pool()])) for name in names]
        for made in balancers:
            if made.outcome() != "applied":
                sys.exit("%s was never applied: %s" % (made.name, made.outcome()))

        weir("kill", "kafka")
        try:
            end = time.monotonic() + AWAY_S
            with concurrent.futures.ThreadPoolExecutor(LOAD_BALANCERS) as writers:
                # What is refused raises.
                written = list(writers.map(lambda made: write(made, end), balancers))
            delayed = sum(rollout(made)["publishing_delayed"] for made in balancers)
        finally:
            weir("start", "kafka")

        began = time.monotonic()
        changes = sum(count for count, _ in written)
        print("%d changes accepted in %.0f s without Kafka; %d of %d load balancers say that publishing is delayed"
              % (changes, AWAY_S, delayed, len(balancers)))
        if delayed != len(balancers):
            sys.exit("each should say so")
        for made, (count, generation) in zip(balancers, written):
            if generation != 1 + count:
                sys.exit("%s: %d changes made generation %d" % (made.name, count, generation))
            while True:
                now = rollout(made)
                if now["observed_generation"] == generation and now["totals"]["applied"] == now["totals"]["placed"]:
                    break
                if time.monotonic() - began > LONGEST_S:
                    sys.exit("%s: generation %d did not come through: %s" % (made.name, generation, now))
                time.sleep(0.05)
        print("all run on every node %.1f s after Kafka was back" % (time.monotonic() - began))


main()
