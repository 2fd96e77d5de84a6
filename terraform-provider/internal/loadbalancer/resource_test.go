// SPDX-License-Identifier: Apache-2.0

package loadbalancer_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/compare"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"weir.dev/terraform-provider-weir/internal/acctest"
	"weir.dev/terraform-provider-weir/internal/client"
	"weir.dev/terraform-provider-weir/internal/client/generated"
)

const web = "weir_load_balancer.web"

func TestAccLoadBalancer_Lifecycle(t *testing.T) {
	weir := acctest.Service(t)

	resource.Test(t, lifecycle(t, weir, acctest.Name(t)))
}

func TestLoadBalancer_Lifecycle(t *testing.T) {
	fake, weir := acctest.Fake(t)

	resource.UnitTest(t, lifecycle(t, weir, "web"))

	if balancers, vips := fake.Count(); balancers != 0 || vips != 0 {
		t.Errorf("%d load balancers and %d VIPs are left after destroy", balancers, vips)
	}
}

// lifecycle is the life of a load balancer from create to destroy. After each step the test runner plans
// again and fails if that plan is not empty.
func lifecycle(t *testing.T, weir *client.Client, name string) resource.TestCase {
	t.Helper()
	sameID := statecheck.CompareValue(compare.ValuesSame())
	sameMember := statecheck.CompareValue(compare.ValuesSame())
	risingGeneration := statecheck.CompareValue(compare.ValuesDiffer())
	id, member := tfjsonpath.New("id"), memberPath("web", "backend1").AtMapKey("id")
	generation := tfjsonpath.New("generation")

	return resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		CheckDestroy:             gone(weir),
		Steps: []resource.TestStep{
			{ // create
				Config: vipConfig(name) + lbConfig(name, `
  vip_ids = [weir_vip.web.id]
  listeners = { http = { protocol = "tcp", port_ranges = [{ first = 80, last = 80 }], pool_name = "web" } }
  pools = {
    web = {
      health_monitor = { type = "tcp_connect", interval_ms = 1000, timeout_ms = 500 }
      members = {
        backend1 = { address = "10.1.20.11", port = { kind = "fixed", value = 8080 } }
        backend2 = { address = "10.1.20.12", port = { kind = "fixed", value = 8080 }, weight = 50 }
      }
    }
  }`),
				ConfigPlanChecks: planned(plancheck.ResourceActionCreate),
				ConfigStateChecks: []statecheck.StateCheck{
					sameID.AddStateValue(web, id),
					sameMember.AddStateValue(web, member),
					risingGeneration.AddStateValue(web, generation),
					statecheck.ExpectKnownValue(web, memberPath("web", "backend1").AtMapKey("weight"), knownvalue.Int64Exact(100)),
					statecheck.ExpectKnownValue(web, tfjsonpath.New("vip_ids"), knownvalue.SetSizeExact(1)),
					serves(weir, 1),
				},
			},
			{ // in place: a weight of zero is a value, and a listener with a pool of its own is added
				Config: vipConfig(name) + lbConfig(name, `
  description = "two services"
  labels      = { team = "shop" }
  vip_ids     = [weir_vip.web.id]
  listeners = {
    http = { protocol = "tcp", port_ranges = [{ first = 80, last = 80 }, { first = 8000, last = 8009 }], pool_name = "web" }
    echo = { protocol = "udp", port_ranges = [{ first = 7000, last = 7000 }], pool_name = "echo" }
  }
  pools = {
    echo = { members = { backend1 = { address = "10.1.20.11" } } }
    web = {
      algorithm      = "round_robin"
      health_monitor = { type = "tcp_connect", interval_ms = 1000, timeout_ms = 500 }
      members = {
        backend2 = { address = "10.1.20.12", port = { kind = "fixed", value = 8080 }, weight = 50 }
        backend1 = { address = "10.1.20.11", port = { kind = "fixed", value = 8080 }, weight = 0 }
      }
    }
  }`),
				ConfigPlanChecks: planned(plancheck.ResourceActionUpdate,
					// What exists keeps its id in the plan; what is new gets one.
					plancheck.ExpectKnownValue(web, member, knownvalue.StringRegexp(regexp.MustCompile("^mbr_"))),
					plancheck.ExpectUnknownValue(web, listenerPath("echo").AtMapKey("id")),
				),
				ConfigStateChecks: []statecheck.StateCheck{
					sameID.AddStateValue(web, id),
					sameMember.AddStateValue(web, member),
					risingGeneration.AddStateValue(web, generation),
					statecheck.ExpectKnownValue(web, memberPath("web", "backend1").AtMapKey("weight"), knownvalue.Int64Exact(0)),
					statecheck.ExpectKnownValue(web, listenerPath("echo").AtMapKey("idle_timeout_s"), knownvalue.Int64Exact(60)),
					statecheck.ExpectKnownValue(web, listenerPath("http").AtMapKey("idle_timeout_s"), knownvalue.Int64Exact(3600)),
					serves(weir, 2),
				},
			},
			{ // import into an empty state gives the same state
				ResourceName:      web,
				ImportState:       true,
				ImportStateVerify: true,
			},
			{ // import by a block plans nothing but the import
				ResourceName:    web,
				ImportState:     true,
				ImportStateKind: resource.ImportBlockWithID,
			},
			{ // what is left out goes back to its default; the VIP is detached and stays
				Config: vipConfig(name) + lbConfig(name, `
  vip_ids = []
  listeners = { http = { protocol = "tcp", port_ranges = [{ first = 80, last = 80 }], pool_name = "web" } }
  pools = { web = { members = { backend1 = { address = "10.1.20.11", port = { kind = "fixed", value = 8080 } } } } }`),
				ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
				ConfigStateChecks: []statecheck.StateCheck{
					sameID.AddStateValue(web, id),
					sameMember.AddStateValue(web, member),
					risingGeneration.AddStateValue(web, generation),
					statecheck.ExpectKnownValue(web, tfjsonpath.New("description"), knownvalue.Null()),
					statecheck.ExpectKnownValue(web, tfjsonpath.New("vip_ids"), knownvalue.SetSizeExact(0)),
					statecheck.ExpectKnownValue(web, poolPath("web").AtMapKey("algorithm"), knownvalue.StringExact("maglev")),
					statecheck.ExpectKnownValue(web, poolPath("web").AtMapKey("health_monitor"), knownvalue.Null()),
					serves(weir, 1),
				},
			},
			{ // attached again; a configuration without vip_ids would leave it alone
				Config: vipConfig(name) + lbConfig(name, `
  vip_ids = [weir_vip.web.id]
  listeners = { http = { protocol = "tcp", port_ranges = [{ first = 80, last = 80 }], pool_name = "web" } }
  pools = { web = { members = { backend1 = { address = "10.1.20.11", port = { kind = "fixed", value = 8080 } } } } }`),
				ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(web, tfjsonpath.New("vip_ids"), knownvalue.SetSizeExact(1)),
				},
			},
		},
	}
}

func TestLoadBalancer_ZeroWeightAtCreate(t *testing.T) {
	_, _ = acctest.Fake(t)

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{{
			Config: lbConfig("web", `pools = { web = { members = { a = { address = "10.1.20.11", weight = 0 } } } }`),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(web, memberPath("web", "a").AtMapKey("weight"), knownvalue.Int64Exact(0)),
			},
		}},
	})
}

func TestLoadBalancer_IdleTimeoutLeftOutGoesBackToTheProtocolsDefault(t *testing.T) {
	_, _ = acctest.Fake(t)
	withEcho := func(idleTimeout string) string {
		return lbConfig("web", `
  listeners = { echo = { protocol = "udp", port_ranges = [{ first = 7, last = 7 }], pool_name = "echo" `+idleTimeout+` } }
  pools     = { echo = {} }`)
	}

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: withEcho(", idle_timeout_s = 5")},
			{
				// Terraform itself sees no change here: it proposes the earlier value.
				Config:           withEcho(""),
				ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(web, listenerPath("echo").AtMapKey("idle_timeout_s"), knownvalue.Int64Exact(60)),
				},
			},
		},
	})
}

func TestLoadBalancer_ChangeElsewhereIsPlannedBack(t *testing.T) {
	fake, _ := acctest.Fake(t)
	config := lbConfig("web", `pools = { web = { members = { a = { address = "10.1.20.11", weight = 20 } } } }`)

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: config},
			{
				PreConfig: func() {
					fake.ChangeLoadBalancer(func(lb *generated.LoadBalancer) { lb.Pools[0].Members[0].Weight = 7 })
				},
				Config:           config,
				ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(web, memberPath("web", "a").AtMapKey("weight"), knownvalue.Int64Exact(20)),
				},
			},
		},
	})
}

func TestAccLoadBalancer_ChangeBetweenPlanAndApplyIsNotOverwritten(t *testing.T) {
	weir := acctest.Service(t)

	resource.Test(t, changedBetween(t, weir, acctest.Name(t)))
}

func TestLoadBalancer_ChangeBetweenPlanAndApplyIsNotOverwritten(t *testing.T) {
	_, weir := acctest.Fake(t)

	resource.UnitTest(t, changedBetween(t, weir, "web"))
}

func changedBetween(t *testing.T, weir *client.Client, name string) resource.TestCase {
	t.Helper()
	var id string
	ctx := context.Background()

	return resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		CheckDestroy:             gone(weir),
		Steps: []resource.TestStep{
			{Config: lbConfig(name, `description = "one"`), Check: func(state *terraform.State) error {
				id = state.RootModule().Resources[web].Primary.ID

				return nil
			}},
			{
				Config: lbConfig(name, `description = "two"`),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{doing(func() {
					lb, err := weir.GetLoadBalancer(ctx, id)
					if err == nil {
						_, err = weir.ReplaceLoadBalancer(ctx, id, lb.Generation, generated.LoadBalancerSpec{
							Name: name, Listeners: []generated.ListenerSpec{}, Pools: []generated.PoolSpec{},
							Labels: &generated.Labels{"by": "another"},
						})
					}
					if err != nil {
						t.Error(err)
					}
				})}},
				ExpectError: matching("changed elsewhere since the plan"),
			},
		},
	}
}

func TestLoadBalancer_DeletedElsewhereIsPlannedAnew(t *testing.T) {
	fake, weir := acctest.Fake(t)
	config := lbConfig("web", "")
	var id string

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: config, Check: func(state *terraform.State) error {
				id = state.RootModule().Resources[web].Primary.ID

				return nil
			}},
			{
				PreConfig: func() {
					if err := weir.DeleteLoadBalancer(context.Background(), id); err != nil {
						t.Error(err)
					}
				},
				Config:           config,
				ConfigPlanChecks: planned(plancheck.ResourceActionCreate),
			},
		},
	})
	if balancers, _ := fake.Count(); balancers != 0 {
		t.Errorf("%d load balancers are left after destroy", balancers)
	}
}

func TestLoadBalancer_RefusalAtTheEdgeFailsTheApplyWithItsReason(t *testing.T) {
	fake, _ := acctest.Fake(t)

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: lbConfig("web", `description = "one"`)},
			{
				PreConfig: func() { fake.RefuseAtEdge("feature not supported: dsr") },
				Config:    lbConfig("web", `description = "two"`),
				ExpectError: matching("The edge refused generation 2 and keeps running what it had. All reachable nodes run generation 1. " +
					"pop1-node1 (pop1): rejected, runs generation 1: feature not supported: dsr (UNSUPPORTED_FEATURE)"),
			},
			{ // what the API accepted is in the state; nobody waits for it again
				Config:           lbConfig("web", `description = "two"`),
				ConfigPlanChecks: planned(plancheck.ResourceActionNoop),
			},
		},
	})
}

func TestLoadBalancer_WaitingIsBoundedByTheTimeout(t *testing.T) {
	fake, _ := acctest.Fake(t)
	fake.FreezeEdge(true)

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{{
			Config:      lbConfig("web", `timeouts = { create = "3s" }`),
			ExpectError: matching("did not run generation 1 in time"),
		}},
	})
	if balancers, _ := fake.Count(); balancers != 0 {
		t.Errorf("%d load balancers are left: the failed create was not kept in the state", balancers)
	}
}

func TestLoadBalancer_WaitForNoneDoesNotWait(t *testing.T) {
	fake, _ := acctest.Fake(t)
	fake.FreezeEdge(true)

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps:                    []resource.TestStep{{Config: lbConfig("web", `wait_for = "none"`)}},
	})
	for _, request := range fake.Requests() {
		if strings.HasSuffix(request, "/rollout") {
			t.Errorf("asked for the rollout: %s", request)
		}
	}
}

func TestLoadBalancer_ShortOutagesAreWaitedOut(t *testing.T) {
	fake, _ := acctest.Fake(t)

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{PreConfig: func() { fake.TurnAway(2) }, Config: lbConfig("web", `description = "one"`)},
			{PreConfig: func() { fake.TurnAway(2) }, Config: lbConfig("web", `description = "two"`)},
		},
	})
	if balancers, _ := fake.Count(); balancers != 0 {
		t.Errorf("%d load balancers are left after destroy", balancers)
	}
}

func TestLoadBalancer_FaultsAreShownWhereTheyAre(t *testing.T) {
	_, _ = acctest.Fake(t)
	tests := map[string]struct{ config, message string }{
		"unknown pool, found in the plan": {
			`listeners = { http = { protocol = "tcp", port_ranges = [{ first = 80, last = 80 }], pool_name = "nobody" } }`,
			`pools has no key "nobody"`,
		},
		"address in another spelling, found in the plan": {
			`pools = { web = { members = { a = { address = "10.1.20.011" } } } }`, "Not an IP address",
		},
		"network with bits behind its prefix, found in the plan": {
			`listeners = { http = {
				protocol = "tcp", port_ranges = [{ first = 80, last = 80 }], pool_name = "web", denied_cidrs = ["192.0.2.1/24"]
			} }
			pools = { web = {} }`,
			`Write "192.0.2.1/24" as "192.0.2.0/24"`,
		},
		"weight above the limit, found in the plan": {
			`pools = { web = { members = { a = { address = "10.1.20.11", weight = 257 } } } }`, "between 0 and 256",
		},
		"address that the API refuses": {
			`pools = { web = { members = { a = { address = "127.0.0.1" } } } }`,
			"127.0.0.1 is a loopback address. (MEMBER_ADDRESS_FORBIDDEN)",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: acctest.Factories(),
				Steps:                    []resource.TestStep{{Config: lbConfig("web", test.config), ExpectError: matching(test.message)}},
			})
		})
	}
}

func TestAccLoadBalancer_FaultsAreShownWhereTheyAre(t *testing.T) {
	acctest.Service(t)
	name := acctest.Name(t)

	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{
				Config:      lbConfig(name, `pools = { web = { members = { a = { address = "127.0.0.1" } } } }`),
				ExpectError: matching("127.0.0.1 is a loopback address. (MEMBER_ADDRESS_FORBIDDEN)"),
			},
			{
				Config: lbConfig(name, `pools = { web = { members = {
					a = { address = "10.1.20.11", port = { kind = "keep", value = 80 } }
				} } }`),
				ExpectError: matching("the kind keep has no value (NOT_ALLOWED)"),
			},
		},
	})
}

func TestLoadBalancer_WrongSecretSaysWhereToLook(t *testing.T) {
	_, _ = acctest.Fake(t)
	t.Setenv("WEIR_CLIENT_SECRET", "wrong")

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{{
			Config:      lbConfig("web", ""),
			ExpectError: matching("Check token_url, client_id and client_secret"),
		}},
	})
}

func vipConfig(name string) string {
	return fmt.Sprintf("resource \"weir_vip\" \"web\" {\n  name = %q\n}\n", name)
}

func lbConfig(name, body string) string {
	return fmt.Sprintf("resource \"weir_load_balancer\" \"web\" {\n  name = %q\n%s\n}\n", name, body)
}

func listenerPath(name string) tfjsonpath.Path { return tfjsonpath.New("listeners").AtMapKey(name) }

func poolPath(name string) tfjsonpath.Path { return tfjsonpath.New("pools").AtMapKey(name) }

func memberPath(pool, member string) tfjsonpath.Path {
	return poolPath(pool).AtMapKey("members").AtMapKey(member)
}

func planned(action plancheck.ResourceActionType, more ...plancheck.PlanCheck) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: append(more, plancheck.ExpectResourceAction(web, action))}
}

// matching finds a text in Terraform's output, which breaks lines at spaces and frames them.
func matching(text string) *regexp.Regexp {
	words := strings.Fields(text)
	for i, word := range words {
		words[i] = regexp.QuoteMeta(word)
	}

	return regexp.MustCompile(strings.Join(words, `[\s│]+`))
}

// doing runs something between plan and apply.
type doing func()

func (d doing) CheckPlan(context.Context, plancheck.CheckPlanRequest, *plancheck.CheckPlanResponse) {
	d()
}

// serves asks the API itself: it must hold as many listeners, and the edge must run its newest generation.
func serves(weir *client.Client, listeners int) statecheck.StateCheck {
	return servesCheck{weir: weir, listeners: listeners}
}

type servesCheck struct {
	weir      *client.Client
	listeners int
}

func (c servesCheck) CheckState(
	ctx context.Context, request statecheck.CheckStateRequest, response *statecheck.CheckStateResponse,
) {
	for _, found := range request.State.Values.RootModule.Resources {
		if found.Address != web {
			continue
		}
		id, _ := found.AttributeValues["id"].(string)
		lb, err := c.weir.GetLoadBalancer(ctx, id)
		if err != nil {
			response.Error = err

			return
		}
		if len(lb.Listeners) != c.listeners {
			response.Error = fmt.Errorf("the API holds %d listeners, expected %d", len(lb.Listeners), c.listeners)
		}
		rollout, err := c.weir.GetRollout(ctx, id)
		if err != nil {
			response.Error = err

			return
		}
		if rollout.ObservedGeneration < lb.Generation {
			response.Error = fmt.Errorf("the apply ended, but the edge runs generation %d of %d",
				rollout.ObservedGeneration, lb.Generation)
		}

		return
	}
	response.Error = errors.New(web + " is not in the state")
}

// gone checks after destroy that the API has neither the load balancer nor the VIP any more.
func gone(weir *client.Client) resource.TestCheckFunc {
	return func(state *terraform.State) error {
		for name, found := range state.RootModule().Resources {
			var err error
			switch found.Type {
			case "weir_load_balancer":
				_, err = weir.GetLoadBalancer(context.Background(), found.Primary.ID)
			case "weir_vip":
				_, err = weir.GetVip(context.Background(), found.Primary.ID)
			}
			if !client.IsNotFound(err) {
				return fmt.Errorf("%s is still there after destroy (%w)", name, errors.Join(err))
			}
		}

		return nil
	}
}
