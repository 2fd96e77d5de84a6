// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"context"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"weir.dev/terraform-provider-weir/internal/client/generated"
)

// model is the resource as Terraform holds it. The maps are keyed by name. It is read from plans that are
// about to be applied and from states, where only computed values may be unknown.
type model struct {
	ID          types.String             `tfsdk:"id"`
	Name        types.String             `tfsdk:"name"`
	Description types.String             `tfsdk:"description"`
	Labels      map[string]string        `tfsdk:"labels"`
	Enabled     types.Bool               `tfsdk:"enabled"`
	VipIDs      types.Set                `tfsdk:"vip_ids"`
	Placement   placementModel           `tfsdk:"placement"`
	Listeners   map[string]listenerModel `tfsdk:"listeners"`
	Pools       map[string]poolModel     `tfsdk:"pools"`
	Generation  types.Int64              `tfsdk:"generation"`
	WaitFor     types.String             `tfsdk:"wait_for"`
	Timeouts    timeouts.Value           `tfsdk:"timeouts"`
}

type placementModel struct {
	Kind   types.String      `tfsdk:"kind"`
	PopIDs []string          `tfsdk:"pop_ids"`
	Labels map[string]string `tfsdk:"labels"`
}

type listenerModel struct {
	ID                types.String            `tfsdk:"id"`
	Protocol          types.String            `tfsdk:"protocol"`
	PortRanges        []portRangeModel        `tfsdk:"port_ranges"`
	PoolName          types.String            `tfsdk:"pool_name"`
	FlowTracking      types.String            `tfsdk:"flow_tracking"`
	IdleTimeoutS      types.Int64             `tfsdk:"idle_timeout_s"`
	Enabled           types.Bool              `tfsdk:"enabled"`
	SourcePersistence *sourcePersistenceModel `tfsdk:"source_persistence"`
	AllowedCIDRs      []string                `tfsdk:"allowed_cidrs"`
	DeniedCIDRs       []string                `tfsdk:"denied_cidrs"`
	AllowedLists      []string                `tfsdk:"allowed_prefix_list_ids"`
	DeniedLists       []string                `tfsdk:"denied_prefix_list_ids"`
	Limits            *limitsModel            `tfsdk:"limits"`
	ResetOnIdle       types.Bool              `tfsdk:"reset_on_idle_timeout"`
}

type portRangeModel struct {
	First types.Int64 `tfsdk:"first"`
	Last  types.Int64 `tfsdk:"last"`
}

type sourcePersistenceModel struct {
	TimeoutS         types.Int64 `tfsdk:"timeout_s"`
	IPv4PrefixLength types.Int64 `tfsdk:"ipv4_prefix_length"`
	IPv6PrefixLength types.Int64 `tfsdk:"ipv6_prefix_length"`
}

type limitsModel struct {
	NewFlowsPerS          types.Int64 `tfsdk:"new_flows_per_s"`
	ActiveFlows           types.Int64 `tfsdk:"active_flows"`
	NewFlowsPerSourcePerS types.Int64 `tfsdk:"new_flows_per_source_per_s"`
	ActiveFlowsPerSource  types.Int64 `tfsdk:"active_flows_per_source"`
}

type poolModel struct {
	ID               types.String           `tfsdk:"id"`
	Algorithm        types.String           `tfsdk:"algorithm"`
	ForwardingMode   types.String           `tfsdk:"forwarding_mode"`
	DrainTimeoutS    types.Int64            `tfsdk:"drain_timeout_s"`
	SlowStartS       types.Int64            `tfsdk:"slow_start_s"`
	WhenAllUnhealthy types.String           `tfsdk:"when_all_unhealthy"`
	OnUnhealthy      types.String           `tfsdk:"on_unhealthy"`
	MinimumHealthy   types.Int64            `tfsdk:"minimum_healthy"`
	ProxyProtocolV2  types.Bool             `tfsdk:"proxy_protocol_v2"`
	FlowSync         types.Bool             `tfsdk:"flow_sync"`
	Encapsulation    types.String           `tfsdk:"tunnel_encapsulation"`
	TunnelPort       types.Int64            `tfsdk:"tunnel_port"`
	HealthMonitor    *healthMonitorModel    `tfsdk:"health_monitor"`
	Members          map[string]memberModel `tfsdk:"members"`
}

type healthMonitorModel struct {
	Type       types.String `tfsdk:"type"`
	IntervalMS types.Int64  `tfsdk:"interval_ms"`
	TimeoutMS  types.Int64  `tfsdk:"timeout_ms"`
	Rise       types.Int64  `tfsdk:"rise"`
	Fall       types.Int64  `tfsdk:"fall"`
	Port       types.Int64  `tfsdk:"port"`
	UDPSend    types.String `tfsdk:"udp_send"`
	UDPExpect  types.String `tfsdk:"udp_expect"`
}

type memberModel struct {
	ID       types.String    `tfsdk:"id"`
	Address  types.String    `tfsdk:"address"`
	Port     memberPortModel `tfsdk:"port"`
	Weight   types.Int64     `tfsdk:"weight"`
	Enabled  types.Bool      `tfsdk:"enabled"`
	Priority types.Int64     `tfsdk:"priority"`
	PopIDs   []string        `tfsdk:"pop_ids"`
}

type memberPortModel struct {
	Kind  types.String `tfsdk:"kind"`
	Value types.Int64  `tfsdk:"value"`
}

var (
	noStrings = types.SetValueMust(types.StringType, nil)
	noLabels  = types.MapValueMust(types.StringType, nil)

	placementTypes = map[string]attr.Type{
		"kind":    types.StringType,
		"pop_ids": types.SetType{ElemType: types.StringType},
		"labels":  types.MapType{ElemType: types.StringType},
	}
	memberPortTypes = map[string]attr.Type{"kind": types.StringType, "value": types.Int64Type}

	memberType   = objectType(memberAttributes())
	poolType     = objectType(poolAttributes())
	listenerType = objectType(listenerAttributes())
)

func objectType(attributes map[string]schema.Attribute) attr.Type {
	return schema.NestedAttributeObject{Attributes: attributes}.Type()
}

// spec is the whole tree as the API takes it. Parts are sorted by name: the API's faults point into these lists.
func (m *model) spec() generated.LoadBalancerSpec {
	spec := generated.LoadBalancerSpec{
		Name:        m.Name.ValueString(),
		Description: m.Description.ValueStringPointer(),
		Labels:      pointer(generated.Labels(orEmpty(m.Labels))),
		Enabled:     m.Enabled.ValueBoolPointer(),
		Placement: &generated.Placement{
			Kind:   generated.PlacementKind(m.Placement.Kind.ValueString()),
			PopIds: pointer(sorted(m.Placement.PopIDs)),
			Labels: pointer(orEmpty(m.Placement.Labels)),
		},
		Listeners: make([]generated.ListenerSpec, 0, len(m.Listeners)),
		Pools:     make([]generated.PoolSpec, 0, len(m.Pools)),
	}
	for _, name := range names(m.Listeners) {
		spec.Listeners = append(spec.Listeners, m.Listeners[name].spec(name))
	}
	for _, name := range names(m.Pools) {
		spec.Pools = append(spec.Pools, m.Pools[name].spec(name))
	}

	return spec
}

func (m listenerModel) spec(name string) generated.ListenerSpec {
	spec := generated.ListenerSpec{
		Id:           known(m.ID),
		Name:         name,
		Protocol:     generated.Protocol(m.Protocol.ValueString()),
		PortRanges:   make([]generated.PortRange, 0, len(m.PortRanges)),
		PoolName:     m.PoolName.ValueStringPointer(),
		FlowTracking: enum[generated.FlowTracking](m.FlowTracking),
		IdleTimeoutS: int32Pointer(m.IdleTimeoutS),
		Enabled:      m.Enabled.ValueBoolPointer(),
		AllowedCidrs: pointer(sorted(m.AllowedCIDRs)),
		DeniedCidrs:  pointer(sorted(m.DeniedCIDRs)),

		AllowedPrefixListIds: pointer(sorted(m.AllowedLists)),
		DeniedPrefixListIds:  pointer(sorted(m.DeniedLists)),
		ResetOnIdleTimeout:   m.ResetOnIdle.ValueBoolPointer(),
	}
	if limits := m.Limits; limits != nil {
		spec.Limits = &generated.ListenerLimits{
			NewFlowsPerS:          limits.NewFlowsPerS.ValueInt64Pointer(),
			ActiveFlows:           limits.ActiveFlows.ValueInt64Pointer(),
			NewFlowsPerSourcePerS: limits.NewFlowsPerSourcePerS.ValueInt64Pointer(),
			ActiveFlowsPerSource:  limits.ActiveFlowsPerSource.ValueInt64Pointer(),
		}
	}
	for _, ports := range m.PortRanges {
		spec.PortRanges = append(spec.PortRanges, generated.PortRange{
			First: toInt32(ports.First.ValueInt64()),
			Last:  toInt32(ports.Last.ValueInt64()),
		})
	}
	slices.SortFunc(spec.PortRanges, func(a, b generated.PortRange) int { return int(a.First) - int(b.First) })
	if persistence := m.SourcePersistence; persistence != nil {
		spec.SourcePersistence = &generated.SourcePersistence{
			TimeoutS:         toInt32(persistence.TimeoutS.ValueInt64()),
			Ipv4PrefixLength: int32Pointer(persistence.IPv4PrefixLength),
			Ipv6PrefixLength: int32Pointer(persistence.IPv6PrefixLength),
		}
	}

	return spec
}

func (m poolModel) spec(name string) generated.PoolSpec {
	spec := generated.PoolSpec{
		Id:               known(m.ID),
		Name:             name,
		Algorithm:        enum[generated.Algorithm](m.Algorithm),
		ForwardingMode:   enum[generated.ForwardingMode](m.ForwardingMode),
		DrainTimeoutS:    int32Pointer(m.DrainTimeoutS),
		SlowStartS:       int32Pointer(m.SlowStartS),
		WhenAllUnhealthy: enum[generated.WhenAllUnhealthy](m.WhenAllUnhealthy),
		OnUnhealthy:      enum[generated.OnUnhealthy](m.OnUnhealthy),
		MinimumHealthy:   int32Pointer(m.MinimumHealthy),
		ProxyProtocolV2:  m.ProxyProtocolV2.ValueBoolPointer(),
		FlowSync:         m.FlowSync.ValueBoolPointer(),

		TunnelEncapsulation: enum[generated.TunnelEncapsulation](m.Encapsulation),
		TunnelPort:          int32Pointer(m.TunnelPort),

		Members: make([]generated.MemberSpec, 0, len(m.Members)),
	}
	if monitor := m.HealthMonitor; monitor != nil {
		spec.HealthMonitor = &generated.HealthMonitorSpec{
			Type:       generated.ProbeType(monitor.Type.ValueString()),
			IntervalMs: int32Pointer(monitor.IntervalMS),
			TimeoutMs:  int32Pointer(monitor.TimeoutMS),
			Rise:       int32Pointer(monitor.Rise),
			Fall:       int32Pointer(monitor.Fall),
			Port:       int32Pointer(monitor.Port),
			UdpSend:    monitor.UDPSend.ValueStringPointer(),
			UdpExpect:  monitor.UDPExpect.ValueStringPointer(),
		}
	}
	for _, member := range names(m.Members) {
		spec.Members = append(spec.Members, m.Members[member].spec(member))
	}

	return spec
}

func (m memberModel) spec(name string) generated.MemberSpec {
	return generated.MemberSpec{
		Id:      known(m.ID),
		Name:    &name,
		Address: m.Address.ValueString(),
		Port: &generated.MemberPort{
			Kind:  generated.MemberPortKind(m.Port.Kind.ValueString()),
			Value: int32Pointer(m.Port.Value),
		},
		Weight:   int32Pointer(m.Weight),
		Enabled:  m.Enabled.ValueBoolPointer(),
		Priority: int32Pointer(m.Priority),
		PopIds:   pointer(sorted(m.PopIDs)),
	}
}

// read takes over what the API answered. What the API does not know (wait_for, timeouts) stays.
func (m *model) read(ctx context.Context, lb *generated.LoadBalancer) diag.Diagnostics {
	vipIDs := make([]string, 0, len(lb.Vips))
	for _, vip := range lb.Vips {
		vipIDs = append(vipIDs, vip.Id)
	}
	attached, diagnostics := types.SetValueFrom(ctx, types.StringType, vipIDs)

	m.ID = types.StringValue(lb.Id)
	m.Name = types.StringValue(lb.Name)
	m.Description = types.StringPointerValue(lb.Description)
	m.Labels = orEmpty(lb.Labels)
	m.Enabled = types.BoolValue(lb.Enabled)
	m.VipIDs = attached
	m.Placement = placementModel{
		Kind:   types.StringValue(string(lb.Placement.Kind)),
		PopIDs: list(lb.Placement.PopIds),
		Labels: orEmpty(value(lb.Placement.Labels)),
	}
	m.Generation = types.Int64Value(lb.Generation)
	m.Listeners = make(map[string]listenerModel, len(lb.Listeners))
	for i := range lb.Listeners {
		m.Listeners[lb.Listeners[i].Name] = readListener(&lb.Listeners[i])
	}
	m.Pools = make(map[string]poolModel, len(lb.Pools))
	for i := range lb.Pools {
		m.Pools[lb.Pools[i].Name] = readPool(&lb.Pools[i])
	}

	return diagnostics
}

func readListener(listener *generated.Listener) listenerModel {
	read := listenerModel{
		ID:           types.StringValue(listener.Id),
		Protocol:     types.StringValue(string(listener.Protocol)),
		PortRanges:   make([]portRangeModel, 0, len(listener.PortRanges)),
		PoolName:     types.StringValue(listener.PoolName),
		FlowTracking: types.StringValue(string(listener.FlowTracking)),
		IdleTimeoutS: types.Int64Value(int64(listener.IdleTimeoutS)),
		Enabled:      types.BoolValue(listener.Enabled),
		AllowedCIDRs: list(&listener.AllowedCidrs),
		DeniedCIDRs:  list(&listener.DeniedCidrs),
		AllowedLists: list(&listener.AllowedPrefixListIds),
		DeniedLists:  list(&listener.DeniedPrefixListIds),
		ResetOnIdle:  types.BoolValue(listener.ResetOnIdleTimeout),
	}
	if limits := listener.Limits; limits != nil {
		read.Limits = &limitsModel{
			NewFlowsPerS:          types.Int64Value(value(limits.NewFlowsPerS)),
			ActiveFlows:           types.Int64Value(value(limits.ActiveFlows)),
			NewFlowsPerSourcePerS: types.Int64Value(value(limits.NewFlowsPerSourcePerS)),
			ActiveFlowsPerSource:  types.Int64Value(value(limits.ActiveFlowsPerSource)),
		}
	}
	for _, ports := range listener.PortRanges {
		read.PortRanges = append(read.PortRanges, portRangeModel{
			First: types.Int64Value(int64(ports.First)),
			Last:  types.Int64Value(int64(ports.Last)),
		})
	}
	if persistence := listener.SourcePersistence; persistence != nil {
		read.SourcePersistence = &sourcePersistenceModel{
			TimeoutS:         types.Int64Value(int64(persistence.TimeoutS)),
			IPv4PrefixLength: int64Value(persistence.Ipv4PrefixLength),
			IPv6PrefixLength: int64Value(persistence.Ipv6PrefixLength),
		}
	}

	return read
}

func readPool(pool *generated.Pool) poolModel {
	read := poolModel{
		ID:               types.StringValue(pool.Id),
		Algorithm:        types.StringValue(string(pool.Algorithm)),
		ForwardingMode:   types.StringValue(string(pool.ForwardingMode)),
		DrainTimeoutS:    types.Int64Value(int64(pool.DrainTimeoutS)),
		SlowStartS:       types.Int64Value(int64(pool.SlowStartS)),
		WhenAllUnhealthy: types.StringValue(string(pool.WhenAllUnhealthy)),
		OnUnhealthy:      types.StringValue(string(pool.OnUnhealthy)),
		MinimumHealthy:   types.Int64Value(int64(pool.MinimumHealthy)),
		ProxyProtocolV2:  types.BoolValue(pool.ProxyProtocolV2),
		FlowSync:         types.BoolValue(pool.FlowSync),
		Encapsulation:    types.StringPointerValue((*string)(pool.TunnelEncapsulation)),
		TunnelPort:       int64Value(pool.TunnelPort),
		Members:          make(map[string]memberModel, len(pool.Members)),
	}
	if monitor := pool.HealthMonitor; monitor != nil {
		read.HealthMonitor = &healthMonitorModel{
			Type:       types.StringValue(string(monitor.Type)),
			IntervalMS: types.Int64Value(int64(monitor.IntervalMs)),
			TimeoutMS:  types.Int64Value(int64(monitor.TimeoutMs)),
			Rise:       types.Int64Value(int64(monitor.Rise)),
			Fall:       types.Int64Value(int64(monitor.Fall)),
			Port:       int64Value(monitor.Port),
			UDPSend:    types.StringPointerValue(monitor.UdpSend),
			UDPExpect:  types.StringPointerValue(monitor.UdpExpect),
		}
	}
	for i := range pool.Members {
		member := &pool.Members[i]
		read.Members[member.Name] = memberModel{
			ID:      types.StringValue(member.Id),
			Address: types.StringValue(member.Address),
			Port: memberPortModel{
				Kind:  types.StringValue(string(member.Port.Kind)),
				Value: types.Int64Value(int64(value(member.Port.Value))),
			},
			Weight:   types.Int64Value(int64(member.Weight)),
			Enabled:  types.BoolValue(member.Enabled),
			Priority: types.Int64Value(int64(member.Priority)),
			PopIDs:   list(&member.PopIds),
		}
	}

	return read
}

func names[V any](parts map[string]V) []string {
	keys := make([]string, 0, len(parts))
	for key := range parts {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, strings.Compare)

	return keys
}
