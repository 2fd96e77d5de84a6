// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"weir.dev/terraform-provider-weir/internal/client/generated"
)

// Scope says how much of the edge a waiter waits for.
type Scope string

// The scopes, in the words of the configuration.
const (
	ScopeAllNodes Scope = "all_nodes" // every reachable node of the placement
	ScopeAnyNode  Scope = "any_node"  // at least one
	ScopeNone     Scope = "none"      // nobody: the API's word is enough
)

const (
	// Most changes reach the edge in a fraction of a second.
	firstPoll   = 100 * time.Millisecond
	longestPoll = 2 * time.Second
)

// RolloutError says that the edge does not run a generation, and why as far as it is known.
type RolloutError struct {
	Generation int64
	// Rollout is the newest one read; nil when none could be read.
	Rollout *generated.Rollout
	// Cause is nil when nodes refused the generation.
	Cause error
}

func (e *RolloutError) Error() string {
	var text strings.Builder
	if e.Cause == nil {
		fmt.Fprintf(&text, "The edge refused generation %d and keeps running what it had.", e.Generation)
	} else if errors.Is(e.Cause, context.DeadlineExceeded) {
		fmt.Fprintf(&text, "The edge did not run generation %d in time.", e.Generation)
	} else {
		fmt.Fprintf(&text, "Waiting until the edge runs generation %d: %v.", e.Generation, e.Cause)
	}
	if e.Rollout == nil {
		return text.String()
	}

	if e.Rollout.PublishingDelayed {
		text.WriteString(" The change is stored, but publishing it is delayed; it will be published later.")
	}
	if staged := e.Rollout.Staged; staged != nil && staged.State == generated.Reverted {
		fmt.Fprintf(&text, " It was taken back from every PoP: %s", staged.Reason)
	}
	fmt.Fprintf(&text, " All reachable nodes run generation %d.", e.Rollout.ObservedGeneration)
	for _, node := range e.Rollout.Nodes {
		if node.State == generated.Applied {
			continue
		}
		fmt.Fprintf(&text, "\n  %s (%s): %s, runs generation %d", node.NodeName, node.PopName, node.State, node.AppliedGeneration)
		if node.Reason != nil {
			fmt.Fprintf(&text, ": %s", *node.Reason)
		}
		if node.Code != nil {
			fmt.Fprintf(&text, " (%s)", *node.Code)
		}
	}

	return text.String()
}

// Unwrap returns what ended the waiting, if it was not a refusal.
func (e *RolloutError) Unwrap() error { return e.Cause }

// WaitForGeneration returns once the edge runs the given generation, or a newer one, in the given scope. It
// ends with a *RolloutError as soon as a node refuses the configuration, when a staged rollout of it is reverted, and when
// the context ends.
func (c *Client) WaitForGeneration(ctx context.Context, id string, generation int64, scope Scope) error {
	if scope == ScopeNone {
		return nil
	}

	var last *generated.Rollout
	for pause := firstPoll; ; pause = min(pause*2, longestPoll) {
		rollout, err := c.GetRollout(ctx, id)
		if err != nil {
			if ctx.Err() != nil {
				err = ctx.Err()
			}

			return &RolloutError{Generation: generation, Rollout: last, Cause: err}
		}
		last = rollout

		if reached(rollout, generation, scope) {
			return nil
		}
		if refused(rollout, generation) {
			return &RolloutError{Generation: generation, Rollout: rollout}
		}
		if err := sleepContext(ctx, pause); err != nil {
			return &RolloutError{Generation: generation, Rollout: rollout, Cause: err}
		}
	}
}

func reached(rollout *generated.Rollout, generation int64, scope Scope) bool {
	if rollout.ObservedGeneration >= generation {
		return true
	}
	if scope != ScopeAnyNode {
		return false
	}
	for _, node := range rollout.Nodes {
		if node.State != generated.Unreachable && node.AppliedGeneration >= generation {
			return true
		}
	}

	return false
}

// refused says that a node will not run the generation, or that it was taken back from where it ran. A refusal of an
// older one is past.
func refused(rollout *generated.Rollout, generation int64) bool {
	if staged := rollout.Staged; staged != nil && staged.State == generated.Reverted && staged.CandidateGeneration >= generation {
		return true
	}
	for _, node := range rollout.Nodes {
		if node.State == generated.Rejected && node.DesiredGeneration >= generation {
			return true
		}
	}

	return false
}
