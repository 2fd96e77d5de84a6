// SPDX-License-Identifier: Apache-2.0

// Package loadbalancer is the resource weir_load_balancer: a load balancer with all that belongs to it.
package loadbalancer

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"weir.dev/terraform-provider-weir/internal/client"
	"weir.dev/terraform-provider-weir/internal/client/generated"
)

var (
	_ resource.Resource                   = (*loadBalancerResource)(nil)
	_ resource.ResourceWithConfigure      = (*loadBalancerResource)(nil)
	_ resource.ResourceWithImportState    = (*loadBalancerResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*loadBalancerResource)(nil)
	_ resource.ResourceWithValidateConfig = (*loadBalancerResource)(nil)
)

const defaultTimeout = 5 * time.Minute

type loadBalancerResource struct{ weir *client.Client }

// NewResource makes the resource; the provider configures it.
func NewResource() resource.Resource { return &loadBalancerResource{} }

// Metadata names the resource.
func (r *loadBalancerResource) Metadata(
	_ context.Context, request resource.MetadataRequest, response *resource.MetadataResponse,
) {
	response.TypeName = request.ProviderTypeName + "_load_balancer"
}

// Configure takes over the provider's client; Terraform validates without one.
func (r *loadBalancerResource) Configure(
	_ context.Context, request resource.ConfigureRequest, response *resource.ConfigureResponse,
) {
	if request.ProviderData == nil {
		return
	}
	weir, ok := request.ProviderData.(*client.Client)
	if !ok {
		response.Diagnostics.AddError("Provider not configured",
			fmt.Sprintf("Expected a client, got %T. This is a fault of the provider; please report it.", request.ProviderData))

		return
	}
	r.weir = weir
}

// Create makes the load balancer with its whole tree and its VIPs in one call.
func (r *loadBalancerResource) Create(
	ctx context.Context, request resource.CreateRequest, response *resource.CreateResponse,
) {
	var plan model
	response.Diagnostics.Append(request.Plan.Get(ctx, &plan)...)
	limit, diagnostics := plan.Timeouts.Create(ctx, defaultTimeout)
	response.Diagnostics.Append(diagnostics...)
	vipIDs, diagnostics := plan.vipIDs(ctx)
	response.Diagnostics.Append(diagnostics...)
	if response.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()

	spec := plan.spec()
	lb, err := r.weir.CreateLoadBalancer(ctx, generated.LoadBalancerCreate{
		Name:        spec.Name,
		Description: spec.Description,
		Labels:      spec.Labels,
		Enabled:     spec.Enabled,
		Placement:   spec.Placement,
		Listeners:   spec.Listeners,
		Pools:       spec.Pools,
		VipIds:      pointer(sorted(vipIDs)),
	})
	if err != nil {
		response.Diagnostics.Append(client.Diagnostics("Load balancer not created", err, locator(&spec, vipIDs))...)

		return
	}

	// Kept before waiting: it exists, whatever the edge says.
	response.Diagnostics.Append(plan.save(ctx, lb, &response.State)...)
	if err := r.weir.WaitForGeneration(ctx, lb.Id, lb.Generation, plan.scope()); err != nil {
		response.Diagnostics.AddError("Load balancer created, but not running as asked", err.Error()+
			"\n\nIt exists and is marked as tainted, so that the next apply replaces it. To keep it, run `terraform untaint` first.")
	}
}

// Read takes over what the API has; a load balancer that is gone leaves the state.
func (r *loadBalancerResource) Read(
	ctx context.Context, request resource.ReadRequest, response *resource.ReadResponse,
) {
	// An imported state holds nothing but the id, which a model of plain values cannot take.
	var id types.String
	response.Diagnostics.Append(request.State.GetAttribute(ctx, path.Root("id"), &id)...)
	current := model{}
	response.Diagnostics.Append(request.State.GetAttribute(ctx, path.Root("wait_for"), &current.WaitFor)...)
	response.Diagnostics.Append(request.State.GetAttribute(ctx, path.Root("timeouts"), &current.Timeouts)...)
	if response.Diagnostics.HasError() {
		return
	}

	lb, err := r.weir.GetLoadBalancer(ctx, id.ValueString())
	if client.IsNotFound(err) {
		response.State.RemoveResource(ctx)

		return
	}
	if err != nil {
		response.Diagnostics.Append(client.Diagnostics("Load balancer not read", err, nil)...)

		return
	}
	response.Diagnostics.Append(current.save(ctx, lb, &response.State)...)
}

// Update replaces the tree if it is still the planned-upon one, then moves VIPs.
func (r *loadBalancerResource) Update(
	ctx context.Context, request resource.UpdateRequest, response *resource.UpdateResponse,
) {
	var plan, state model
	response.Diagnostics.Append(request.Plan.Get(ctx, &plan)...)
	response.Diagnostics.Append(request.State.Get(ctx, &state)...)
	limit, diagnostics := plan.Timeouts.Update(ctx, defaultTimeout)
	response.Diagnostics.Append(diagnostics...)
	wanted, diagnostics := plan.vipIDs(ctx)
	response.Diagnostics.Append(diagnostics...)
	attached, diagnostics := state.vipIDs(ctx)
	response.Diagnostics.Append(diagnostics...)
	if response.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()

	id := state.ID.ValueString()
	spec := plan.spec()
	lb, err := r.weir.ReplaceLoadBalancer(ctx, id, state.Generation.ValueInt64(), spec)
	if err != nil {
		response.Diagnostics.Append(client.Diagnostics("Load balancer not changed", err, locator(&spec, nil))...)

		return
	}
	// Kept before the next step: the tree is what was planned, whatever becomes of the VIPs.
	response.Diagnostics.Append(plan.save(ctx, lb, &response.State)...)

	moved, err := r.moveVips(ctx, id, attached, wanted)
	if moved {
		reread, readErr := r.weir.GetLoadBalancer(ctx, id)
		if readErr != nil {
			response.Diagnostics.Append(client.Diagnostics("Load balancer changed, but not read", readErr, nil)...)
		} else {
			lb = reread
			response.Diagnostics.Append(plan.save(ctx, lb, &response.State)...)
		}
	}
	if err != nil {
		response.Diagnostics.Append(client.Diagnostics("VIPs not moved", err, nil)...)
	}
	if response.Diagnostics.HasError() {
		return
	}

	if err := r.weir.WaitForGeneration(ctx, id, lb.Generation, plan.scope()); err != nil {
		response.Diagnostics.AddError("Load balancer changed, but not running as asked", err.Error())
	}
}

// Delete deletes the load balancer; its VIPs stay reserved.
func (r *loadBalancerResource) Delete(
	ctx context.Context, request resource.DeleteRequest, response *resource.DeleteResponse,
) {
	var state model
	response.Diagnostics.Append(request.State.Get(ctx, &state)...)
	limit, diagnostics := state.Timeouts.Delete(ctx, defaultTimeout)
	response.Diagnostics.Append(diagnostics...)
	if response.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()

	if err := r.weir.DeleteLoadBalancer(ctx, state.ID.ValueString()); err != nil {
		response.Diagnostics.Append(client.Diagnostics("Load balancer not deleted", err, nil)...)
	}
}

// ImportState imports by id; reading fills in the rest.
func (r *loadBalancerResource) ImportState(
	ctx context.Context, request resource.ImportStateRequest, response *resource.ImportStateResponse,
) {
	resource.ImportStatePassthroughID(ctx, path.Root("id"), request, response)
}

// moveVips detaches what is no longer wanted and attaches what is new. It says whether anything was tried,
// also with an error: some may have moved by then.
func (r *loadBalancerResource) moveVips(ctx context.Context, id string, attached, wanted []string) (bool, error) {
	moved := false
	for _, vip := range without(attached, wanted) {
		moved = true
		if err := r.weir.DetachVip(ctx, vip, id); err != nil {
			return moved, fmt.Errorf("detaching %s: %w", vip, err)
		}
	}
	for _, vip := range without(wanted, attached) {
		moved = true
		if err := r.weir.AttachVip(ctx, vip, id); err != nil {
			return moved, fmt.Errorf("attaching %s: %w", vip, err)
		}
	}

	return moved, nil
}

// save takes over the API's answer and writes the state.
func (m *model) save(ctx context.Context, lb *generated.LoadBalancer, state *tfsdk.State) diag.Diagnostics {
	diagnostics := m.read(ctx, lb)
	diagnostics.Append(state.Set(ctx, m)...)

	return diagnostics
}

// vipIDs is empty when the configuration leaves the VIPs alone and none is known yet.
func (m *model) vipIDs(ctx context.Context) ([]string, diag.Diagnostics) {
	ids := []string{}
	if m.VipIDs.IsNull() || m.VipIDs.IsUnknown() {
		return ids, nil
	}
	diagnostics := m.VipIDs.ElementsAs(ctx, &ids, false)

	return ids, diagnostics
}

func (m *model) scope() client.Scope {
	if m.WaitFor.IsNull() || m.WaitFor.IsUnknown() {
		return client.ScopeAllNodes
	}

	return client.Scope(m.WaitFor.ValueString())
}

// without returns the items of `all` that are not in `others`, sorted.
func without(all, others []string) []string {
	excluded := make(map[string]struct{}, len(others))
	for _, item := range others {
		excluded[item] = struct{}{}
	}
	rest := []string{}
	for _, item := range sorted(all) {
		if _, ok := excluded[item]; !ok {
			rest = append(rest, item)
		}
	}

	return rest
}
