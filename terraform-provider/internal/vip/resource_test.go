// SPDX-License-Identifier: Apache-2.0

package vip_test

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/compare"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"weir.dev/terraform-provider-weir/internal/acctest"
)

const web = "weir_vip.web"

func TestAccVip_Lifecycle(t *testing.T) {
	acctest.Service(t)
	name := acctest.Name(t)

	resource.Test(t, lifecycle(name, name+"-renamed"))
}

func TestVip_Lifecycle(t *testing.T) {
	fake, _ := acctest.Fake(t)

	resource.UnitTest(t, lifecycle("web", "web-renamed"))

	if _, vips := fake.Count(); vips != 0 {
		t.Errorf("%d VIPs are left after destroy", vips)
	}
}

func lifecycle(name, renamed string) resource.TestCase {
	sameID := statecheck.CompareValue(compare.ValuesSame())
	sameAddress := statecheck.CompareValue(compare.ValuesSame())
	id, address := tfjsonpath.New("id"), tfjsonpath.New("address")

	return resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{
				Config:            config(fmt.Sprintf("name = %q", name)),
				ConfigPlanChecks:  planned(plancheck.ResourceActionCreate),
				ConfigStateChecks: []statecheck.StateCheck{sameID.AddStateValue(web, id), sameAddress.AddStateValue(web, address)},
			},
			{ResourceName: web, ImportState: true, ImportStateVerify: true},
			{
				Config:           config(fmt.Sprintf("name = %q", renamed)),
				ConfigPlanChecks: planned(plancheck.ResourceActionUpdate),
				ConfigStateChecks: []statecheck.StateCheck{
					sameID.AddStateValue(web, id),
					sameAddress.AddStateValue(web, address),
					statecheck.ExpectKnownValue(web, tfjsonpath.New("name"), knownvalue.StringExact(renamed)),
				},
			},
			{ // what is left out keeps its value
				Config:           config(""),
				ConfigPlanChecks: planned(plancheck.ResourceActionNoop),
			},
		},
	}
}

func TestVip_AnotherWishedAddressReplaces(t *testing.T) {
	_, _ = acctest.Fake(t)

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(),
		Steps: []resource.TestStep{
			{Config: config(`address = "203.0.113.10"`)},
			{
				Config:           config(`address = "203.0.113.11"`),
				ConfigPlanChecks: planned(plancheck.ResourceActionReplace),
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(web, tfjsonpath.New("address"), knownvalue.StringExact("203.0.113.11")),
				},
			},
		},
	})
}

func config(body string) string { return fmt.Sprintf("resource \"weir_vip\" \"web\" {\n%s\n}\n", body) }

func planned(action plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(web, action)}}
}
