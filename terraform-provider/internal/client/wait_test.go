// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"strings"
	"testing"

	"weir.dev/terraform-provider-weir/internal/client/generated"
)

func TestRolloutDecidesWhetherWaitingEnds(t *testing.T) {
	node := func(state generated.NodeRolloutState, desired, applied int64) generated.NodeRollout {
		return generated.NodeRollout{State: state, DesiredGeneration: desired, AppliedGeneration: applied}
	}
	tests := map[string]struct {
		observed int64
		nodes    []generated.NodeRollout
		all      bool
		any      bool
		refused  bool
	}{
		"nobody runs it":                  {6, []generated.NodeRollout{node(generated.Pending, 7, 6)}, false, false, false},
		"all run it":                      {7, []generated.NodeRollout{node(generated.Applied, 7, 7)}, true, true, false},
		"all run a newer one":             {8, []generated.NodeRollout{node(generated.Applied, 8, 8)}, true, true, false},
		"one of two runs it":              {6, []generated.NodeRollout{node(generated.Applied, 7, 7), node(generated.Pending, 7, 6)}, false, true, false},
		"a silent node does not count":    {6, []generated.NodeRollout{node(generated.Unreachable, 7, 7)}, false, false, false},
		"an empty placement has reached":  {7, nil, true, true, false},
		"a node refuses it":               {6, []generated.NodeRollout{node(generated.Rejected, 7, 6)}, false, false, true},
		"a node refused an earlier one":   {6, []generated.NodeRollout{node(generated.Rejected, 6, 5)}, false, false, false},
		"a node refuses a newer one":      {6, []generated.NodeRollout{node(generated.Rejected, 8, 6)}, false, false, true},
		"one refuses it, another runs it": {6, []generated.NodeRollout{node(generated.Rejected, 7, 6), node(generated.Applied, 7, 7)}, false, true, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			rollout := &generated.Rollout{ObservedGeneration: test.observed, Nodes: test.nodes}

			if actual := reached(rollout, 7, ScopeAllNodes); actual != test.all {
				t.Errorf("all_nodes reached: %t, expected %t", actual, test.all)
			}
			if actual := reached(rollout, 7, ScopeAnyNode); actual != test.any {
				t.Errorf("any_node reached: %t, expected %t", actual, test.any)
			}
			if actual := refused(rollout, 7); actual != test.refused {
				t.Errorf("refused: %t, expected %t", actual, test.refused)
			}
		})
	}
}

func TestRolloutErrorSaysWhatIsKnown(t *testing.T) {
	reason, code := "no SNAT range is free", "SNAT_EXHAUSTED"
	rollout := &generated.Rollout{ObservedGeneration: 6, PublishingDelayed: true, Nodes: []generated.NodeRollout{
		{NodeName: "pop1-node1", PopName: "pop1", State: generated.Applied, AppliedGeneration: 7},
		{NodeName: "pop2-node1", PopName: "pop2", State: generated.Rejected, AppliedGeneration: 6, Reason: &reason, Code: &code},
	}}
	tests := map[string]struct {
		err  *RolloutError
		text []string
	}{
		"a refusal": {
			&RolloutError{Generation: 7, Rollout: rollout},
			[]string{"refused generation 7", "pop2-node1 (pop2): rejected, runs generation 6: no SNAT range is free (SNAT_EXHAUSTED)"},
		},
		"the end of the time limit": {
			&RolloutError{Generation: 7, Rollout: rollout, Cause: context.DeadlineExceeded},
			[]string{"did not run generation 7 in time", "publishing it is delayed"},
		},
		"no answer": {
			&RolloutError{Generation: 7, Cause: errors.New("connection refused")},
			[]string{"Waiting until the edge runs generation 7: connection refused."},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, part := range test.text {
				if !strings.Contains(test.err.Error(), part) {
					t.Errorf("%q is not in: %s", part, test.err)
				}
			}
			if strings.Contains(test.err.Error(), "pop1-node1") {
				t.Errorf("a node that runs it is named: %s", test.err)
			}
		})
	}
}

func TestRevertedRolloutEndsWaitingAndSaysWhy(t *testing.T) {
	rollout := &generated.Rollout{ObservedGeneration: 6, Staged: &generated.StagedRollout{
		State: generated.Reverted, CandidateGeneration: 7, Reason: "2 of 4 members are unhealthy.",
	}}

	if !refused(rollout, 7) {
		t.Error("goes on waiting for what was taken back")
	}
	if refused(rollout, 8) {
		t.Error("gives up on a newer generation")
	}
	err := &RolloutError{Generation: 7, Rollout: rollout}
	if !strings.Contains(err.Error(), "taken back from every PoP: 2 of 4 members are unhealthy.") {
		t.Errorf("the reason is not in: %s", err)
	}
}
