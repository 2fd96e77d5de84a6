// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"fmt"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/setdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// The contract's limits. TestSchemaAgreesWithContract holds them, and all defaults, equal to the contract's.
const (
	maxDescription      = 500
	maxLabelKey         = 63
	maxLabelValue       = 255
	maxLabels           = 64
	maxListeners        = 64
	maxPools            = 64
	maxMembers          = 1000
	maxPortRanges       = 16
	maxCIDRs            = 64
	maxPopIDs           = 256
	maxVipIDs           = 16
	maxPrefixLists      = 8
	maxLimit            = 1_000_000_000
	maxPort             = 65535
	maxWeight           = 256
	maxPriority         = 15
	maxTimeoutS         = 86400
	maxSlowStartS       = 3600
	maxMinimumHealthy   = 1000
	maxProbeCount       = 100
	minProbeIntervalMS  = 100
	maxProbeIntervalMS  = 300_000
	minProbeTimeoutMS   = 50
	maxProbeTimeoutMS   = 60_000
	minIPv4PrefixLength = 8
	minIPv6PrefixLength = 16
)

var namePattern = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

func nameValidators() []validator.String {
	return []validator.String{stringvalidator.RegexMatches(namePattern,
		"must be lower-case letters, digits and hyphens, begin with a letter, not end with a hyphen, and have at most 63 characters")}
}

func labelValidators() []validator.Map {
	return []validator.Map{
		mapvalidator.SizeAtMost(maxLabels),
		mapvalidator.KeysAre(stringvalidator.LengthAtMost(maxLabelKey)),
		mapvalidator.ValueStringsAre(stringvalidator.LengthAtMost(maxLabelValue)),
	}
}

func placementAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional: true,
		Computed: true,
		Default: objectdefault.StaticValue(types.ObjectValueMust(placementTypes, map[string]attr.Value{
			"kind":    types.StringValue("all"),
			"pop_ids": noStrings,
			"labels":  noLabels,
		})),
		MarkdownDescription: "The PoPs in which the load balancer runs. Default: all.",
		Attributes: map[string]schema.Attribute{
			"kind": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "`all`: every PoP; `named`: those of `pop_ids`; `labels`: those that have all of `labels`.",
				Validators:          []validator.String{stringvalidator.OneOf("all", "named", "labels")},
			},
			"pop_ids": schema.SetAttribute{
				Optional:            true,
				Computed:            true,
				ElementType:         types.StringType,
				Default:             setdefault.StaticValue(noStrings),
				MarkdownDescription: "Ids of the PoPs, with `named`. Default: none.",
				Validators:          []validator.Set{setvalidator.SizeAtMost(maxPopIDs)},
			},
			"labels": schema.MapAttribute{
				Optional:            true,
				Computed:            true,
				ElementType:         types.StringType,
				Default:             mapdefault.StaticValue(noLabels),
				MarkdownDescription: "Labels that a PoP must have, with `labels`. Default: none.",
				Validators:          []validator.Map{mapvalidator.SizeAtMost(maxLabels)},
			},
		},
	}
}

func listenerAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"id": idAttribute("Id of the listener, such as `lst_…`."),
		"protocol": schema.StringAttribute{
			Required:            true,
			MarkdownDescription: "`tcp` or `udp`.",
			Validators:          []validator.String{stringvalidator.OneOf("tcp", "udp")},
		},
		"port_ranges": schema.SetNestedAttribute{
			Required:            true,
			MarkdownDescription: "Ports that it serves on each VIP; no two listeners of a protocol overlap.",
			Validators:          []validator.Set{setvalidator.SizeBetween(1, maxPortRanges)},
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"first": requiredInt(1, maxPort, "First port."),
				"last":  requiredInt(1, maxPort, "Last port, included; the same as `first` for a single port."),
			}},
		},
		"pool_name": schema.StringAttribute{
			Required:            true,
			MarkdownDescription: "Name of the pool that serves it: a key of `pools`.",
		},
		"flow_tracking": optionalEnum("stateful",
			"`stateful`: each flow keeps its member; `stateless` (UDP only, never with `snat`): each packet goes where the pool's "+
				"Maglev table says.",
			"stateful", "stateless"),
		"idle_timeout_s": schema.Int64Attribute{
			Optional:            true,
			Computed:            true,
			MarkdownDescription: "Seconds without a packet after which a flow ends, 1 to 86400. Default: `3600` for `tcp`, `60` for `udp`.",
			PlanModifiers:       []planmodifier.Int64{idleTimeoutDefault{}},
			Validators:          []validator.Int64{int64validator.Between(1, maxTimeoutS)},
		},
		"enabled": optionalBool(true, "Whether it takes new flows; when not, existing ones drain."),
		"source_persistence": schema.SingleNestedAttribute{
			Optional:            true,
			MarkdownDescription: "New flows of one source prefix go to one member. Default: off.",
			Attributes: map[string]schema.Attribute{
				"timeout_s": requiredInt(1, maxTimeoutS, "Seconds after its last flow for which a source keeps its member."),
				"ipv4_prefix_length": optionalInt(32, minIPv4PrefixLength, 32,
					"Bits of an IPv4 source that count."),
				"ipv6_prefix_length": optionalInt(64, minIPv6PrefixLength, 128,
					"Bits of an IPv6 source that count."),
			},
		},
		"allowed_cidrs": cidrsAttribute("Sources that may open flows. Default: all."),
		"denied_cidrs":  cidrsAttribute("Sources that may not open flows; wins over `allowed_cidrs`. Default: none."),
		"allowed_prefix_list_ids": prefixListsAttribute(
			"Prefix lists whose sources may open flows, beside `allowed_cidrs`. Default: none."),
		"denied_prefix_list_ids": prefixListsAttribute(
			"Prefix lists whose sources may not open flows; wins over what is allowed. Default: none."),
		"limits": schema.SingleNestedAttribute{
			Optional: true,
			MarkdownDescription: "Limits on flows, per PoP. What is over a limit is dropped and counted; established flows are never " +
				"touched. Default: none.",
			Attributes: map[string]schema.Attribute{
				"new_flows_per_s":            optionalInt(0, 0, maxLimit, "New flows per second; 0: no limit."),
				"active_flows":               optionalInt(0, 0, maxLimit, "Flows at a time; 0: no limit."),
				"new_flows_per_source_per_s": optionalInt(0, 0, maxLimit, "New flows per second from one source; 0: no limit."),
				"active_flows_per_source":    optionalInt(0, 0, maxLimit, "Flows at a time from one source; 0: no limit."),
			},
		},
		"reset_on_idle_timeout": optionalBool(false,
			"Whether both ends get a TCP reset when an idle flow is forgotten; with `dnat` and `snat` only."),
	}
}

func poolAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"id": idAttribute("Id of the pool, such as `pool_…`."),
		"algorithm": optionalEnum("maglev",
			"How a new flow finds its member. `maglev` and `source_ip_hash` agree on all nodes; with the others an established "+
				"flow survives the loss of a node only with `flow_sync`.",
			"round_robin", "weighted_round_robin", "least_connections", "weighted_least_connections", "maglev", "source_ip_hash"),
		"forwarding_mode": optionalEnum("snat",
			"How packets reach members. `dnat` rewrites the destination and members see the client's address; `snat` rewrites "+
				"both; `dsr` and `tunnel` leave the packet as it is and members answer directly.",
			"dnat", "snat", "dsr", "tunnel"),
		"drain_timeout_s": optionalInt(300, 0, maxTimeoutS,
			"Seconds that existing flows of a draining member may last."),
		"slow_start_s": optionalInt(0, 0, maxSlowStartS,
			"Seconds over which a member that became healthy gets its full share; 0: at once."),
		"when_all_unhealthy": optionalEnum("open",
			"`open`: use all members; `closed`: drop new flows; `withdraw_vip`: stop announcing the VIP in that PoP.",
			"open", "closed", "withdraw_vip"),
		"on_unhealthy": optionalEnum("keep",
			"What happens to a member's established flows when it becomes unhealthy.", "keep", "reset"),
		"minimum_healthy": optionalInt(1, 1, maxMinimumHealthy,
			"Healthy members below which the next priority tier joins."),
		"proxy_protocol_v2": optionalBool(false, "Whether members get a PROXY protocol v2 header; with `snat` only."),
		"flow_sync":         optionalBool(false, "Whether flows are kept across the loss of a node."),
		"tunnel_encapsulation": schema.StringAttribute{
			Optional:            true,
			Computed:            true,
			MarkdownDescription: "With `tunnel` only: `ipip` or `gue`. Default there: `ipip`.",
			PlanModifiers:       []planmodifier.String{stringplanmodifier.UseNonNullStateForUnknown()},
			Validators:          []validator.String{stringvalidator.OneOf("ipip", "gue")},
		},
		"tunnel_port": schema.Int64Attribute{
			Optional:            true,
			Computed:            true,
			MarkdownDescription: "UDP port on which members take GUE; with `gue` only, 1 to 65535. Default there: `6080`.",
			PlanModifiers:       []planmodifier.Int64{int64planmodifier.UseNonNullStateForUnknown()},
			Validators:          []validator.Int64{int64validator.Between(1, maxPort)},
		},
		"health_monitor": schema.SingleNestedAttribute{
			Optional: true,
			MarkdownDescription: "How members are probed, from every node that serves them. Default: they are not, and count " +
				"as healthy.",
			Attributes: healthMonitorAttributes(),
		},
		"members": schema.MapNestedAttribute{
			Optional:            true,
			Computed:            true,
			Default:             mapdefault.StaticValue(types.MapValueMust(memberType, nil)),
			MarkdownDescription: "Members, by name. Default: none.",
			Validators:          []validator.Map{mapvalidator.SizeAtMost(maxMembers), mapvalidator.KeysAre(nameValidators()...)},
			NestedObject:        schema.NestedAttributeObject{Attributes: memberAttributes()},
		},
	}
}

func healthMonitorAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"type": schema.StringAttribute{
			Required:            true,
			MarkdownDescription: "`tcp_connect`: a TCP handshake; `udp`: a datagram `udp_send` that is answered.",
			Validators:          []validator.String{stringvalidator.OneOf("tcp_connect", "udp")},
		},
		"interval_ms": optionalInt(2000, minProbeIntervalMS, maxProbeIntervalMS, "Milliseconds between two probes."),
		"timeout_ms": optionalInt(1000, minProbeTimeoutMS, maxProbeTimeoutMS,
			"Milliseconds to wait for an answer; not more than `interval_ms`."),
		"rise": optionalInt(2, 1, maxProbeCount, "Good probes in a row after which a member is healthy."),
		"fall": optionalInt(3, 1, maxProbeCount, "Failed probes in a row after which a member is unhealthy."),
		"port": schema.Int64Attribute{
			Optional:            true,
			MarkdownDescription: "Port to probe, 1 to 65535. Default: the member's own.",
			Validators:          []validator.Int64{int64validator.Between(1, maxPort)},
		},
		"udp_send": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "What a `udp` probe sends, in Base64; needed with `udp`, such as `base64encode(\"ping\")`.",
		},
		"udp_expect": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "What the answer to a `udp` probe must begin with, in Base64. Default: any answer will do.",
		},
	}
}

func memberAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"id": idAttribute("Id of the member, such as `mbr_…`."),
		"address": schema.StringAttribute{
			Required:            true,
			MarkdownDescription: "IPv4 or IPv6 address, within the networks that the project's members may use.",
			Validators:          []validator.String{canonicalAddress{}},
		},
		"port": schema.SingleNestedAttribute{
			Optional: true,
			Computed: true,
			Default: objectdefault.StaticValue(types.ObjectValueMust(memberPortTypes, map[string]attr.Value{
				"kind":  types.StringValue("keep"),
				"value": types.Int64Value(0),
			})),
			MarkdownDescription: "The port to which flows go. Default: the listener's.",
			Attributes: map[string]schema.Attribute{
				"kind": schema.StringAttribute{
					Required: true,
					MarkdownDescription: "`keep`: the listener's port; `fixed`: the port `value`; `offset`: the listener's port plus " +
						"`value`.",
					Validators: []validator.String{stringvalidator.OneOf("keep", "fixed", "offset")},
				},
				"value": optionalInt(0, -maxPort, maxPort, "The port with `fixed`, the number to add with `offset`, 0 with `keep`."),
			},
		},
		"weight": optionalInt(100, 0, maxWeight,
			"Share of new flows; 0: no new flows, existing ones drain."),
		"enabled":  optionalBool(true, "Whether it takes new flows; when not, existing ones drain."),
		"priority": optionalInt(0, 0, maxPriority, "Tier; the lowest serves first."),
		"pop_ids": schema.SetAttribute{
			Optional:            true,
			Computed:            true,
			ElementType:         types.StringType,
			Default:             setdefault.StaticValue(noStrings),
			MarkdownDescription: "Ids of the PoPs in which it serves. Default: all.",
			Validators:          []validator.Set{setvalidator.SizeAtMost(maxPopIDs)},
		},
	}
}

// idAttribute is the id of a part. A part that is new in the plan has none in the state, hence "non-null".
func idAttribute(description string) schema.Attribute {
	return schema.StringAttribute{
		Computed:            true,
		MarkdownDescription: description,
		PlanModifiers:       []planmodifier.String{stringplanmodifier.UseNonNullStateForUnknown()},
	}
}

func optionalBool(standard bool, description string) schema.Attribute {
	return schema.BoolAttribute{
		Optional:            true,
		Computed:            true,
		Default:             booldefault.StaticBool(standard),
		MarkdownDescription: fmt.Sprintf("%s Default: `%t`.", description, standard),
	}
}

func optionalInt(standard, least, most int64, description string) schema.Attribute {
	return schema.Int64Attribute{
		Optional:            true,
		Computed:            true,
		Default:             int64default.StaticInt64(standard),
		MarkdownDescription: fmt.Sprintf("%s From %d to %d. Default: `%d`.", description, least, most, standard),
		Validators:          []validator.Int64{int64validator.Between(least, most)},
	}
}

func requiredInt(least, most int64, description string) schema.Attribute {
	return schema.Int64Attribute{
		Required:            true,
		MarkdownDescription: fmt.Sprintf("%s From %d to %d.", description, least, most),
		Validators:          []validator.Int64{int64validator.Between(least, most)},
	}
}

func optionalEnum(standard, description string, values ...string) schema.Attribute {
	return schema.StringAttribute{
		Optional:            true,
		Computed:            true,
		Default:             stringdefault.StaticString(standard),
		MarkdownDescription: fmt.Sprintf("%s One of %s. Default: `%s`.", description, quoted(values), standard),
		Validators:          []validator.String{stringvalidator.OneOf(values...)},
	}
}

func prefixListsAttribute(description string) schema.Attribute {
	return schema.SetAttribute{
		Optional:            true,
		Computed:            true,
		ElementType:         types.StringType,
		Default:             setdefault.StaticValue(noStrings),
		MarkdownDescription: description,
		Validators:          []validator.Set{setvalidator.SizeAtMost(maxPrefixLists)},
	}
}

func cidrsAttribute(description string) schema.Attribute {
	return schema.SetAttribute{
		Optional:            true,
		Computed:            true,
		ElementType:         types.StringType,
		Default:             setdefault.StaticValue(noStrings),
		MarkdownDescription: description,
		Validators: []validator.Set{
			setvalidator.SizeAtMost(maxCIDRs),
			setvalidator.ValueStringsAre(canonicalNetwork{}),
		},
	}
}

func quoted(values []string) string {
	text := ""
	for i, value := range values {
		if i > 0 {
			text += ", "
		}
		text += "`" + value + "`"
	}

	return text
}
