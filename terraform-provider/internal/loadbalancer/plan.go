// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const (
	tcpIdleTimeoutS = 3600
	udpIdleTimeoutS = 60
)

// idleTimeoutDefault fills in the API's default, which depends on the listener's protocol. A static default
// cannot see the protocol, and a value kept from the state would outlive a change of it.
type idleTimeoutDefault struct{}

var _ planmodifier.Int64 = idleTimeoutDefault{}

func (idleTimeoutDefault) Description(context.Context) string {
	return "defaults to 3600 for tcp and to 60 for udp"
}

func (m idleTimeoutDefault) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

func (idleTimeoutDefault) PlanModifyInt64(
	ctx context.Context, request planmodifier.Int64Request, response *planmodifier.Int64Response,
) {
	if !request.ConfigValue.IsNull() {
		return
	}

	var protocol types.String
	response.Diagnostics.Append(
		request.Config.GetAttribute(ctx, request.Path.ParentPath().AtName("protocol"), &protocol)...)
	switch {
	case protocol.IsUnknown():
		response.PlanValue = types.Int64Unknown()
	case protocol.ValueString() == "udp":
		response.PlanValue = types.Int64Value(udpIdleTimeoutS)
	default:
		response.PlanValue = types.Int64Value(tcpIdleTimeoutS)
	}
}

// ModifyPlan says that every change raises the generation. The framework does so itself only for changes
// that are there before plan modifiers run.
func (r *loadBalancerResource) ModifyPlan(
	ctx context.Context, request resource.ModifyPlanRequest, response *resource.ModifyPlanResponse,
) {
	if request.State.Raw.IsNull() || request.Plan.Raw.IsNull() || request.Plan.Raw.Equal(request.State.Raw) {
		return
	}
	response.Diagnostics.Append(response.Plan.SetAttribute(ctx, path.Root("generation"), types.Int64Unknown())...)
}

// ValidateConfig checks what spans several attributes, so that it shows in the plan.
func (r *loadBalancerResource) ValidateConfig(
	ctx context.Context, request resource.ValidateConfigRequest, response *resource.ValidateConfigResponse,
) {
	response.Diagnostics.Append(checkPoolNames(ctx, request.Config)...)
}

func checkPoolNames(ctx context.Context, config tfsdk.Config) diag.Diagnostics {
	var diagnostics diag.Diagnostics
	var pools, listeners types.Map
	diagnostics.Append(config.GetAttribute(ctx, path.Root("pools"), &pools)...)
	diagnostics.Append(config.GetAttribute(ctx, path.Root("listeners"), &listeners)...)
	if diagnostics.HasError() || pools.IsUnknown() || listeners.IsUnknown() {
		return diagnostics
	}

	for name, element := range listeners.Elements() {
		listener, ok := element.(types.Object)
		if !ok || listener.IsNull() || listener.IsUnknown() {
			continue
		}
		pool, ok := listener.Attributes()["pool_name"].(types.String)
		if !ok || pool.IsNull() || pool.IsUnknown() {
			continue
		}
		if _, exists := pools.Elements()[pool.ValueString()]; !exists {
			diagnostics.AddAttributeError(path.Root("listeners").AtMapKey(name).AtName("pool_name"), "No such pool",
				fmt.Sprintf("pools has no key %q. A listener can use the pools of its own load balancer only.", pool.ValueString()))
		}
	}

	return diagnostics
}
