// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"context"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/defaults"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"weir.dev/terraform-provider-weir/internal/contract"
)

// notInContract are attributes that exist for Terraform only; notInSchema are properties that the
// configuration says in another way. Both are paths of the configuration.
var (
	notInContract = map[string]bool{
		"wait_for": true, "timeouts": true, "generation": true, "id": true,
	}
	notInSchema = map[string]string{
		"name in listeners":     "the key of the map",
		"name in pools":         "the key of the map",
		"name in members":       "the key of the map",
		"pool_id in listeners":  "pool_name says it",
		"rollout in ":           "not part of the tree; how changes are staged is decided outside of it",
		"delete_protection in ": "not part of the tree; lifecycle.prevent_destroy protects against this tool",
	}
)

// documentedDefault reads a default that the contract states in words, because the property is a
// reference to an enum.
var documentedDefault = regexp.MustCompile("Default: `([a-z_]+)`")

func TestSchemaAgreesWithContract(t *testing.T) {
	document, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	var response resource.SchemaResponse
	NewResource().Schema(context.Background(), resource.SchemaRequest{}, &response)
	if diagnostics := response.Schema.ValidateImplementation(context.Background()); diagnostics.HasError() {
		t.Fatal(diagnostics)
	}

	compared := compareObject(t, "", response.Schema.Attributes, document.Components.Schemas["LoadBalancerCreate"].Value)

	if compared < 40 {
		t.Errorf("compared only %d attributes: the walk went astray", compared)
	}
}

// compareObject compares the attributes of one object with the properties of one model, and returns how many
// it compared, with all below.
func compareObject(t *testing.T, place string, attributes map[string]schema.Attribute, model *openapi3.Schema) int {
	t.Helper()
	parent := place[strings.LastIndex(place, ".")+1:]
	for name := range model.Properties {
		if _, ok := attributes[name]; !ok && notInSchema[name+" in "+parent] == "" {
			t.Errorf("%s: the contract's property %s is missing", place, name)
		}
	}

	compared := 0
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		here := strings.TrimPrefix(place+"."+name, ".")
		property := model.Properties[name]
		if property == nil {
			if !notInContract[here] {
				t.Errorf("%s: the contract has no such property", here)
			}

			continue
		}
		compared++
		compareOne(t, here, attributes[name], property, slices.Contains(model.Required, name))

		switch attribute := attributes[name].(type) {
		case schema.SingleNestedAttribute:
			compared += compareObject(t, here, attribute.Attributes, property.Value)
		case schema.MapNestedAttribute:
			compared += compareObject(t, here, attribute.NestedObject.Attributes, property.Value.Items.Value)
		case schema.SetNestedAttribute:
			compared += compareObject(t, here, attribute.NestedObject.Attributes, property.Value.Items.Value)
		}
	}

	return compared
}

func compareOne(t *testing.T, place string, attribute schema.Attribute, property *openapi3.SchemaRef, required bool) {
	t.Helper()
	model := property.Value

	// Lists that the API wants to have, even empty, may be left out of a configuration; a listener names its
	// pool in one of two ways, of which the configuration has one.
	_, isMap := attribute.(schema.MapNestedAttribute)
	if attribute.IsRequired() != required && !isMap && !strings.HasSuffix(place, ".pool_name") {
		t.Errorf("%s: required is %t, in the contract %t", place, attribute.IsRequired(), required)
	}

	switch attribute := attribute.(type) {
	case schema.Int64Attribute:
		least, most := limits(model)
		check(t, place, "limits", fmt.Sprintf("between %.0f and %.0f", least, most), describe(attribute.Validators))
		if model.Default != nil {
			check(t, place, "default", fmt.Sprint(model.Default), intDefault(t, attribute.Default))
		}
	case schema.BoolAttribute:
		check(t, place, "default", fmt.Sprint(model.Default), boolDefault(t, attribute.Default))
	case schema.StringAttribute:
		if len(model.Enum) > 0 {
			for _, value := range model.Enum {
				check(t, place, "values", fmt.Sprintf("%q", value), describe(attribute.Validators))
			}
			if stated := documentedDefault.FindStringSubmatch(property.Value.Description + description(property)); stated != nil {
				check(t, place, "default", stated[1], stringDefault(t, attribute.Default))
			}
		}
		if model.Pattern != "" {
			check(t, place, "pattern", model.Pattern, namePattern.String())
		}
	case schema.SetAttribute:
		check(t, place, "size", fmt.Sprintf("at most %d", *model.MaxItems), describe(attribute.Validators))
	case schema.MapNestedAttribute:
		check(t, place, "size", fmt.Sprintf("at most %d", *model.MaxItems), describe(attribute.Validators))
	case schema.MapAttribute:
		check(t, place, "size", fmt.Sprintf("at most %d", *model.MaxProps), describe(attribute.Validators))
	}
}

// description is what stands beside a reference, which the contract's reader keeps apart from the model.
func description(property *openapi3.SchemaRef) string {
	text, _ := property.Extensions["description"].(string)

	return text
}

func limits(model *openapi3.Schema) (least, most float64) {
	least, most = math.Inf(-1), math.Inf(1)
	if model.Min != nil {
		least = *model.Min
	}
	if model.Max != nil {
		most = *model.Max
	}

	return least, most
}

func check(t *testing.T, place, what, expected, actual string) {
	t.Helper()
	if !strings.Contains(actual, expected) {
		t.Errorf("%s: %s are %q, in the contract %q", place, what, actual, expected)
	}
}

func describe[V validator.Describer](validators []V) string {
	texts := make([]string, 0, len(validators))
	for _, one := range validators {
		texts = append(texts, one.Description(context.Background()))
	}

	return strings.Join(texts, "; ")
}

func intDefault(t *testing.T, standard defaults.Int64) string {
	t.Helper()
	if standard == nil {
		return "none"
	}
	var response defaults.Int64Response
	standard.DefaultInt64(context.Background(), defaults.Int64Request{}, &response)

	return fmt.Sprint(response.PlanValue.ValueInt64())
}

func boolDefault(t *testing.T, standard defaults.Bool) string {
	t.Helper()
	if standard == nil {
		return "none"
	}
	var response defaults.BoolResponse
	standard.DefaultBool(context.Background(), defaults.BoolRequest{}, &response)

	return fmt.Sprint(response.PlanValue.ValueBool())
}

func stringDefault(t *testing.T, standard defaults.String) string {
	t.Helper()
	if standard == nil {
		return "none"
	}
	var response defaults.StringResponse
	standard.DefaultString(context.Background(), defaults.StringRequest{}, &response)

	return response.PlanValue.ValueString()
}

func TestLocatorFollowsPointersToNames(t *testing.T) {
	m := model{
		Listeners: map[string]listenerModel{"http": {}, "echo": {}},
		Pools: map[string]poolModel{
			"b": {Members: map[string]memberModel{"two": {}, "one": {}}},
			"a": {},
		},
	}
	spec := m.spec()
	locate := locator(&spec, []string{"vip_1"})
	tests := map[string]string{
		"/name":                              "name",
		"/labels/team":                       "labels",
		"/placement/pop_ids/0":               "placement.pop_ids",
		"/vip_ids/0":                         "vip_ids",
		"/listeners/0/pool_name":             `listeners["echo"].pool_name`,
		"/listeners/1/port_ranges/0/first":   `listeners["http"].port_ranges`,
		"/listeners/7":                       "listeners",
		"/pools/0/algorithm":                 `pools["a"].algorithm`,
		"/pools/1/members":                   `pools["b"].members`,
		"/pools/1/members/0/address":         `pools["b"].members["one"].address`,
		"/pools/1/members/1/port/value":      `pools["b"].members["two"].port.value`,
		"/pools/1/members/1/name":            `pools["b"].members["two"]`,
		"/pools/0/health_monitor/timeout_ms": `pools["a"].health_monitor.timeout_ms`,
	}
	for pointer, expected := range tests {
		place, ok := locate(pointer)
		if !ok || place.String() != expected {
			t.Errorf("%s is at %s (%t), expected %s", pointer, place, ok, expected)
		}
	}
	for _, pointer := range []string{"", "query/limit", "/unheard_of"} {
		if place, ok := locate(pointer); ok {
			t.Errorf("%q is at %s, expected to be nowhere", pointer, place)
		}
	}
}

func TestSpecKeepsZeroAndLeavesOutWhatIsUnknown(t *testing.T) {
	member := memberModel{
		ID: types.StringUnknown(), Address: types.StringValue("10.1.20.11"), Weight: types.Int64Value(0),
	}

	spec := member.spec("a")

	if spec.Weight == nil || *spec.Weight != 0 {
		t.Errorf("weight is %v, expected 0", spec.Weight)
	}
	if spec.Id != nil {
		t.Errorf("id is %q, expected none", *spec.Id)
	}
}
