#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What an operator sees of a running engine: status, residence times, flows by filter.
. "$(dirname "$0")/lab.sh"

# residence NODE: packets in the histogram.
residence() {
	ctl "$1" --json histogram | jq '[.lcores[].residence_us_log2[]] | add'
}

# flows_listed FILTER...: number of flows that match.
flows_listed() {
	ctl node --json flows "$@" | jq -s '[.[].flows[]] | length'
}

lab_up
LCORES='0@(0-1),1@(0-1),2@(0-1)' engine_start node
node_request 1 11 | apply node
lb_request 1 ROUND_ROBIN DNAT "$(three_members)" | apply node
for turn in $(seq 30); do fetch >>"$WORK/answers"; done

# Packets that were handed over between lcores are measured too
sent=$(ctl node --json status | jq '[.lcores[] | select(.residence_us_log2 | add > 0) | .tx_packets] | add')
at_least "packets in the histogram" 200 "$(residence node)"
at_least "packets sent by the lcores that measure" "$(residence node)" "$sent"
equal "packets that stayed for more than 131 ms" 0 \
	"$(ctl node --json histogram | jq '[.lcores[].residence_us_log2[18:][]] | add')"
ctl node histogram | grep -q '100.000 %' || fail "the histogram's text lacks its end"
at_least "free packet buffers" 1000 "$(ctl node --json status | jq .packet_buffers_free)"
equal "drops shown for another load balancer" "" "$(ctl node drops --lb lb_other)"
echo "PASS"
