// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"

	"weir.dev/terraform-provider-weir/internal/client/generated"
)

// locator maps a JSON Pointer into the request's body to the place in the configuration. The body lists parts
// by number, the configuration by name.
func locator(spec *generated.LoadBalancerSpec, vipIDs []string) func(string) (path.Path, bool) {
	listeners := make([]string, 0, len(spec.Listeners))
	for i := range spec.Listeners {
		listeners = append(listeners, spec.Listeners[i].Name)
	}
	pools := make([]string, 0, len(spec.Pools))
	members := make([][]string, 0, len(spec.Pools))
	for i := range spec.Pools {
		pools = append(pools, spec.Pools[i].Name)
		ofPool := make([]string, 0, len(spec.Pools[i].Members))
		for j := range spec.Pools[i].Members {
			ofPool = append(ofPool, value(spec.Pools[i].Members[j].Name))
		}
		members = append(members, ofPool)
	}

	return func(pointer string) (path.Path, bool) {
		steps := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
		if !strings.HasPrefix(pointer, "/") || steps[0] == "" {
			return path.Empty(), false
		}
		place, rest := path.Root(steps[0]), steps[1:]

		switch steps[0] {
		case "name", "description", "labels", "enabled", "placement":
			return descend(place, rest), true
		case "vip_ids":
			return place, vipIDs != nil
		case "listeners":
			place, _, rest = byName(place, listeners, rest)

			return descend(place, rest), true
		case "pools":
			place, number, rest := byName(place, pools, rest)
			if number < 0 || len(rest) == 0 || rest[0] != "members" {
				return descend(place, rest), true
			}
			place, _, rest = byName(place.AtName("members"), members[number], rest[1:])

			return descend(place, rest), true
		default:
			return path.Empty(), false
		}
	}
}

// byName turns a leading number into the name at that number; -1 says that there was none.
func byName(place path.Path, names, steps []string) (path.Path, int, []string) {
	if len(steps) == 0 {
		return place, -1, nil
	}
	number, err := strconv.Atoi(steps[0])
	if err != nil || number < 0 || number >= len(names) {
		return place, -1, nil
	}

	return place.AtMapKey(names[number]), number, steps[1:]
}

// descend follows attribute names and stops where a set or a map of plain values begins.
func descend(place path.Path, steps []string) path.Path {
	for _, step := range steps {
		if place.Equal(path.Root("labels")) {
			return place
		}
		if _, err := strconv.Atoi(step); err == nil {
			return place
		}
		switch step {
		case "name", "pool_id":
			// The configuration's keys, and an attribute that it does not have.
			return place
		}
		place = place.AtName(step)
		if step == "labels" {
			return place
		}
	}

	return place
}
