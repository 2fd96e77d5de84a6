// SPDX-License-Identifier: Apache-2.0

// Package vip is the resource weir_vip: an anycast address reserved for a project.
package vip

import (
	"context"
	"fmt"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"weir.dev/terraform-provider-weir/internal/client"
	"weir.dev/terraform-provider-weir/internal/client/generated"
)

var (
	_ resource.Resource                = (*vipResource)(nil)
	_ resource.ResourceWithConfigure   = (*vipResource)(nil)
	_ resource.ResourceWithImportState = (*vipResource)(nil)
)

var namePattern = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

type vipResource struct{ weir *client.Client }

// NewResource makes the resource; the provider configures it.
func NewResource() resource.Resource { return &vipResource{} }

// Metadata names the resource.
func (r *vipResource) Metadata(
	_ context.Context, request resource.MetadataRequest, response *resource.MetadataResponse,
) {
	response.TypeName = request.ProviderTypeName + "_vip"
}

// Schema describes the resource.
func (r *vipResource) Schema(_ context.Context, _ resource.SchemaRequest, response *resource.SchemaResponse) {
	response.Schema = schema.Schema{
		MarkdownDescription: "An anycast address, reserved for the project until it is deleted. It outlives the load balancers that " +
			"serve it; attach it with `vip_ids` of `weir_load_balancer`. A released address is kept from others for an hour.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				Computed:            true,
				MarkdownDescription: "Id of the VIP, such as `vip_…`.",
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"name": schema.StringAttribute{
				Optional:            true,
				Computed:            true,
				MarkdownDescription: "Name, unique in the project. Default: made from the id.",
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
				Validators: []validator.String{stringvalidator.RegexMatches(namePattern, "must be lower-case letters, digits and "+
					"hyphens, begin with a letter, not end with a hyphen, and have at most 63 characters")},
			},
			"address": schema.StringAttribute{
				Optional: true,
				Computed: true,
				MarkdownDescription: "The address. Default: any free one. Changing this replaces the resource, and the old address " +
					"may be lost for good.",
				PlanModifiers: []planmodifier.String{
					stringplanmodifier.UseStateForUnknown(),
					stringplanmodifier.RequiresReplaceIfConfigured(),
				},
			},
			"address_pool_id": schema.StringAttribute{
				Optional: true,
				Computed: true,
				MarkdownDescription: "Id of the address pool to take it from, such as `apool_…`. Default: any pool with a free " +
					"address. Changing this replaces the resource, and the old address may be lost for good.",
				PlanModifiers: []planmodifier.String{
					stringplanmodifier.UseStateForUnknown(),
					stringplanmodifier.RequiresReplaceIfConfigured(),
				},
			},
		},
	}
}

// Configure takes over the provider's client; Terraform validates without one.
func (r *vipResource) Configure(
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

// Create reserves an address.
func (r *vipResource) Create(
	ctx context.Context, request resource.CreateRequest, response *resource.CreateResponse,
) {
	var plan model
	response.Diagnostics.Append(request.Plan.Get(ctx, &plan)...)
	if response.Diagnostics.HasError() {
		return
	}

	vip, err := r.weir.CreateVip(ctx, generated.VipCreate{
		Name:          known(plan.Name),
		Address:       known(plan.Address),
		AddressPoolId: known(plan.AddressPoolID),
	})
	if err != nil {
		response.Diagnostics.Append(client.Diagnostics("VIP not reserved", err, locate)...)

		return
	}
	response.Diagnostics.Append(response.State.Set(ctx, read(vip))...)
}

// Read takes over what the API has; a VIP that is gone leaves the state.
func (r *vipResource) Read(ctx context.Context, request resource.ReadRequest, response *resource.ReadResponse) {
	var state model
	response.Diagnostics.Append(request.State.Get(ctx, &state)...)
	if response.Diagnostics.HasError() {
		return
	}

	vip, err := r.weir.GetVip(ctx, state.ID.ValueString())
	if client.IsNotFound(err) {
		response.State.RemoveResource(ctx)

		return
	}
	if err != nil {
		response.Diagnostics.Append(client.Diagnostics("VIP not read", err, nil)...)

		return
	}
	response.Diagnostics.Append(response.State.Set(ctx, read(vip))...)
}

// Update renames the VIP; nothing else can change in place.
func (r *vipResource) Update(
	ctx context.Context, request resource.UpdateRequest, response *resource.UpdateResponse,
) {
	var plan model
	response.Diagnostics.Append(request.Plan.Get(ctx, &plan)...)
	if response.Diagnostics.HasError() {
		return
	}

	vip, err := r.weir.RenameVip(ctx, plan.ID.ValueString(), plan.Name.ValueString())
	if err != nil {
		response.Diagnostics.Append(client.Diagnostics("VIP not renamed", err, locate)...)

		return
	}
	response.Diagnostics.Append(response.State.Set(ctx, read(vip))...)
}

// Delete releases the address.
func (r *vipResource) Delete(
	ctx context.Context, request resource.DeleteRequest, response *resource.DeleteResponse,
) {
	var state model
	response.Diagnostics.Append(request.State.Get(ctx, &state)...)
	if response.Diagnostics.HasError() {
		return
	}

	if err := r.weir.DeleteVip(ctx, state.ID.ValueString()); err != nil {
		response.Diagnostics.Append(client.Diagnostics("VIP not released", err, nil)...)
	}
}

// ImportState imports by id; reading fills in the rest.
func (r *vipResource) ImportState(
	ctx context.Context, request resource.ImportStateRequest, response *resource.ImportStateResponse,
) {
	resource.ImportStatePassthroughID(ctx, path.Root("id"), request, response)
}

// locate maps the API's JSON Pointer to the attribute of the same name.
func locate(pointer string) (path.Path, bool) {
	switch pointer {
	case "/name", "/address", "/address_pool_id":
		return path.Root(pointer[1:]), true
	default:
		return path.Empty(), false
	}
}
