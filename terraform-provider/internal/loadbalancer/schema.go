// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/setplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"weir.dev/terraform-provider-weir/internal/client"
)

// Schema describes the resource. Listeners, pools and members are maps with their names as keys: a change of
// one plans as a change of that one, whatever order they are written in.
func (r *loadBalancerResource) Schema(
	ctx context.Context, _ resource.SchemaRequest, response *resource.SchemaResponse,
) {
	response.Schema = schema.Schema{
		MarkdownDescription: "A load balancer: the listeners, pools, members and health monitors that belong to it, and the VIPs " +
			"it serves. All of it is changed in one step, and every change is carried to the edge as a whole.\n\n" +
			"Applying ends when the edge runs the new configuration (see `wait_for`). Established connections are not moved " +
			"by a change: members that are removed, disabled or set to weight 0 keep theirs until the pool's drain timeout.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				Computed:            true,
				MarkdownDescription: "Id of the load balancer, such as `lb_…`.",
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"name": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Name, unique in the project.",
				Validators:          nameValidators(),
			},
			"description": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Free text.",
				Validators:          []validator.String{stringvalidator.LengthBetween(1, maxDescription)},
			},
			"labels": schema.MapAttribute{
				Optional:            true,
				Computed:            true,
				ElementType:         types.StringType,
				Default:             mapdefault.StaticValue(noLabels),
				MarkdownDescription: "Key/value pairs of your own. Default: none.",
				Validators:          labelValidators(),
			},
			"enabled": schema.BoolAttribute{
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(true),
				MarkdownDescription: "Whether the load balancer serves. When set to `false`, it drains. Default: `true`.",
			},
			"vip_ids": schema.SetAttribute{
				Optional:    true,
				Computed:    true,
				ElementType: types.StringType,
				MarkdownDescription: "Ids of the VIPs attached to this load balancer. When left out, attachments made elsewhere are " +
					"left alone; an empty set detaches all.",
				PlanModifiers: []planmodifier.Set{setplanmodifier.UseStateForUnknown()},
				Validators:    []validator.Set{setvalidator.SizeAtMost(maxVipIDs)},
			},
			"placement": placementAttribute(),
			"listeners": schema.MapNestedAttribute{
				Optional:            true,
				Computed:            true,
				Default:             mapdefault.StaticValue(types.MapValueMust(listenerType, nil)),
				MarkdownDescription: "Listeners, by name. Default: none.",
				Validators:          []validator.Map{mapvalidator.SizeAtMost(maxListeners), mapvalidator.KeysAre(nameValidators()...)},
				NestedObject:        schema.NestedAttributeObject{Attributes: listenerAttributes()},
			},
			"pools": schema.MapNestedAttribute{
				Optional:            true,
				Computed:            true,
				Default:             mapdefault.StaticValue(types.MapValueMust(poolType, nil)),
				MarkdownDescription: "Pools, by name. A pool may serve several listeners. Default: none.",
				Validators:          []validator.Map{mapvalidator.SizeAtMost(maxPools), mapvalidator.KeysAre(nameValidators()...)},
				NestedObject:        schema.NestedAttributeObject{Attributes: poolAttributes()},
			},
			"generation": schema.Int64Attribute{
				Computed: true,
				MarkdownDescription: "Number of the configuration that was asked for last; every change raises it. Applying fails when " +
					"it was raised elsewhere since the plan.",
			},
			"wait_for": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "What ends an apply: `all_nodes` — every reachable node of the load balancer's PoPs runs the new " +
					"configuration; `any_node` — at least one does; `none` — the API has accepted it. Default: `all_nodes`.",
				Validators: []validator.String{stringvalidator.OneOf(
					string(client.ScopeAllNodes), string(client.ScopeAnyNode), string(client.ScopeNone),
				)},
			},
			"timeouts": timeouts.Attributes(ctx, timeouts.Opts{
				Create:            true,
				Update:            true,
				Delete:            true,
				CreateDescription: "How long to wait for the edge after a create, such as `90s` or `5m`. Default: `5m`.",
				UpdateDescription: "How long to wait for the edge after a change. Default: `5m`.",
				DeleteDescription: "How long to keep trying to delete. Default: `5m`.",
			}),
		},
	}
}
