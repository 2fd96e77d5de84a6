// SPDX-License-Identifier: Apache-2.0

package fakeapi

import (
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"strings"

	"weir.dev/terraform-provider-weir/internal/client/generated"
)

func (s *Server) createLoadBalancer(w http.ResponseWriter, r *http.Request) {
	var request generated.LoadBalancerCreate
	body := s.decode(r, &request)
	if known, same := s.replayed(r, body); known {
		s.answerReplay(w, same)

		return
	}

	lb := &generated.LoadBalancer{
		Id: s.newID("lb"), ProjectId: ProjectID, Generation: 1, CreatedAt: now(), UpdatedAt: now(),
		Vips: []generated.AttachedVip{},
	}
	faults := s.apply(lb, &generated.LoadBalancerSpec{
		Name: request.Name, Description: request.Description, Labels: request.Labels, Enabled: request.Enabled,
		Placement: request.Placement, Listeners: request.Listeners, Pools: request.Pools,
	})
	if request.VipIds != nil {
		for i, id := range *request.VipIds {
			if s.vips[id] == nil {
				faults = append(faults, fault(fmt.Sprintf("/vip_ids/%d", i), "VIP_UNKNOWN", "There is no such VIP in the project."))
			}
		}
	}
	if len(faults) > 0 {
		s.answerProblem(w, http.StatusUnprocessableEntity, "INVALID_TREE", "the tree is refused", faults...)

		return
	}
	s.loadBalancers[lb.Id] = lb
	if request.VipIds != nil {
		for _, id := range *request.VipIds {
			s.attach(s.vips[id], lb)
		}
		lb.Generation = 1
	}
	w.Header().Set("Location", r.URL.Path+"/"+lb.Id)
	s.answerLoadBalancer(w, http.StatusCreated, lb)
}

func (s *Server) getLoadBalancer(w http.ResponseWriter, id string) {
	if lb := s.loadBalancers[id]; lb != nil {
		s.answerLoadBalancer(w, http.StatusOK, lb)

		return
	}
	s.answerProblem(w, http.StatusNotFound, "NOT_FOUND", "no such load balancer")
}

func (s *Server) replaceTree(w http.ResponseWriter, r *http.Request, id string) {
	lb := s.loadBalancers[id]
	switch ifMatch := r.Header.Get("If-Match"); {
	case lb == nil:
		s.answerProblem(w, http.StatusNotFound, "NOT_FOUND", "no such load balancer")

		return
	case ifMatch == "":
		s.answerProblem(w, http.StatusPreconditionRequired, "PRECONDITION_REQUIRED", "If-Match is missing")

		return
	case ifMatch != etag(lb.Generation):
		s.answerProblem(w, http.StatusPreconditionFailed, "PRECONDITION_FAILED", "the load balancer is at "+etag(lb.Generation))

		return
	}

	var spec generated.LoadBalancerSpec
	s.decode(r, &spec)
	changed := *lb
	if faults := s.apply(&changed, &spec); len(faults) > 0 {
		s.answerProblem(w, http.StatusUnprocessableEntity, "INVALID_TREE", "the tree is refused", faults...)

		return
	}
	changed.Generation++
	changed.UpdatedAt = now()
	*lb = changed
	s.answerLoadBalancer(w, http.StatusOK, lb)
}

func (s *Server) deleteLoadBalancer(w http.ResponseWriter, id string) {
	if s.loadBalancers[id] == nil {
		s.answerProblem(w, http.StatusNotFound, "NOT_FOUND", "no such load balancer")

		return
	}
	delete(s.loadBalancers, id)
	for _, vip := range s.vips {
		if attached, err := vip.LoadBalancerId.Get(); err == nil && attached == id {
			vip.LoadBalancerId.SetNull()
			vip.Version++
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) getRollout(w http.ResponseWriter, id string) {
	lb := s.loadBalancers[id]
	if lb == nil {
		s.answerProblem(w, http.StatusNotFound, "NOT_FOUND", "no such load balancer")

		return
	}

	node := generated.NodeRollout{
		NodeId: "node_00000000000000000000000000000001", NodeName: "pop1-node1",
		PopId: "pop_00000000000000000000000000000001", PopName: "pop1",
		DesiredGeneration: lb.Generation, AppliedGeneration: lb.Generation, State: generated.Applied,
	}
	rollout := generated.Rollout{
		LoadBalancerId: id, Generation: lb.Generation, ObservedGeneration: lb.Generation,
		Totals: generated.RolloutTotals{Placed: 1},
	}
	switch {
	case s.edge.refusal != "":
		code := "UNSUPPORTED_FEATURE"
		node.State, node.Reason, node.Code = generated.Rejected, &s.edge.refusal, &code
		node.AppliedGeneration, rollout.ObservedGeneration = lb.Generation-1, lb.Generation-1
		rollout.Totals.Rejected = 1
	case s.edge.frozen:
		node.State = generated.Pending
		node.AppliedGeneration, rollout.ObservedGeneration = lb.Generation-1, lb.Generation-1
		rollout.Totals.Pending = 1
	default:
		rollout.Totals.Applied = 1
	}
	rollout.Nodes = []generated.NodeRollout{node}
	s.answer(w, http.StatusOK, rollout)
}

// apply puts a spec into a load balancer, as the API does: parts are recognised by id, else by name; members
// by id, else by address and port.
func (s *Server) apply(lb *generated.LoadBalancer, spec *generated.LoadBalancerSpec) []generated.ProblemError {
	lb.Name = spec.Name
	lb.Description = spec.Description
	lb.Labels = or(spec.Labels, generated.Labels{})
	lb.Enabled = or(spec.Enabled, true)
	placement := or(spec.Placement, generated.Placement{Kind: generated.PlacementKindAll})
	lb.Placement = generated.Placement{
		Kind: placement.Kind, PopIds: ptr(or(placement.PopIds, []string{})), Labels: ptr(or(placement.Labels, map[string]string{})),
	}

	var faults []generated.ProblemError
	pools := make([]generated.Pool, 0, len(spec.Pools))
	for i := range spec.Pools {
		pool, poolFaults := s.applyPool(lb.Pools, &spec.Pools[i], fmt.Sprintf("/pools/%d", i))
		pools, faults = append(pools, pool), append(faults, poolFaults...)
	}
	listeners := make([]generated.Listener, 0, len(spec.Listeners))
	for i := range spec.Listeners {
		listener, found := s.applyListener(lb.Listeners, pools, &spec.Listeners[i])
		if !found {
			faults = append(faults, fault(fmt.Sprintf("/listeners/%d/pool_name", i), "POOL_UNKNOWN", "There is no such pool."))
		}
		listeners = append(listeners, listener)
	}
	sort.Slice(pools, func(i, j int) bool { return pools[i].Name < pools[j].Name })
	sort.Slice(listeners, func(i, j int) bool { return listeners[i].Name < listeners[j].Name })
	lb.Pools, lb.Listeners = pools, listeners

	return faults
}

func (s *Server) applyListener(
	existing []generated.Listener, pools []generated.Pool, spec *generated.ListenerSpec,
) (generated.Listener, bool) {
	idle := int32(3600)
	if spec.Protocol == generated.ProtocolUdp {
		idle = 60
	}
	listener := generated.Listener{
		Id: or(spec.Id, ""), Name: spec.Name, Protocol: spec.Protocol, PortRanges: spec.PortRanges,
		PoolName: or(spec.PoolName, ""), FlowTracking: or(spec.FlowTracking, generated.Stateful),
		IdleTimeoutS: or(spec.IdleTimeoutS, idle), Enabled: or(spec.Enabled, true),
		SourcePersistence: spec.SourcePersistence,
		AllowedCidrs:      or(spec.AllowedCidrs, []string{}), DeniedCidrs: or(spec.DeniedCidrs, []string{}),
		AllowedPrefixListIds: or(spec.AllowedPrefixListIds, []string{}),
		DeniedPrefixListIds:  or(spec.DeniedPrefixListIds, []string{}),
		ResetOnIdleTimeout:   or(spec.ResetOnIdleTimeout, false), Limits: spec.Limits,
	}
	for i := range existing {
		if listener.Id == "" && existing[i].Name == spec.Name {
			listener.Id = existing[i].Id
		}
	}
	if listener.Id == "" {
		listener.Id = s.newID("lst")
	}
	for i := range pools {
		if pools[i].Name == listener.PoolName {
			listener.PoolId = pools[i].Id

			return listener, true
		}
	}

	return listener, false
}

func (s *Server) applyPool(
	existing []generated.Pool, spec *generated.PoolSpec, pointer string,
) (generated.Pool, []generated.ProblemError) {
	pool := generated.Pool{
		Id: or(spec.Id, ""), Name: spec.Name, Algorithm: or(spec.Algorithm, generated.Maglev),
		ForwardingMode: or(spec.ForwardingMode, generated.Snat), DrainTimeoutS: or(spec.DrainTimeoutS, 300),
		SlowStartS: or(spec.SlowStartS, 0), WhenAllUnhealthy: or(spec.WhenAllUnhealthy, generated.Open),
		OnUnhealthy: or(spec.OnUnhealthy, generated.OnUnhealthyKeep), MinimumHealthy: or(spec.MinimumHealthy, 1),
		ProxyProtocolV2: or(spec.ProxyProtocolV2, false), FlowSync: or(spec.FlowSync, false),
		TunnelEncapsulation: spec.TunnelEncapsulation, TunnelPort: spec.TunnelPort,
		Members: make([]generated.Member, 0, len(spec.Members)),
	}
	var before []generated.Member
	for i := range existing {
		if existing[i].Id == pool.Id || (pool.Id == "" && existing[i].Name == spec.Name) {
			pool.Id, before = existing[i].Id, existing[i].Members
		}
	}
	if pool.Id == "" {
		pool.Id = s.newID("pool")
	}
	if monitor := spec.HealthMonitor; monitor != nil {
		pool.HealthMonitor = &generated.HealthMonitor{
			Id: s.newID("hm"), Type: monitor.Type, IntervalMs: or(monitor.IntervalMs, 2000),
			TimeoutMs: or(monitor.TimeoutMs, 1000), Rise: or(monitor.Rise, 2), Fall: or(monitor.Fall, 3), Port: monitor.Port,
		}
	}

	var faults []generated.ProblemError
	for i := range spec.Members {
		member := s.applyMember(before, &spec.Members[i])
		if strings.HasPrefix(member.Address, "127.") {
			faults = append(faults, fault(fmt.Sprintf("%s/members/%d/address", pointer, i),
				"MEMBER_ADDRESS_FORBIDDEN", member.Address+" is a loopback address."))
		}
		pool.Members = append(pool.Members, member)
	}
	sort.Slice(pool.Members, func(i, j int) bool { return pool.Members[i].Name < pool.Members[j].Name })

	return pool, faults
}

func (s *Server) applyMember(before []generated.Member, spec *generated.MemberSpec) generated.Member {
	port := or(spec.Port, generated.MemberPort{Kind: generated.MemberPortKindKeep})
	member := generated.Member{
		Id: or(spec.Id, ""), Name: or(spec.Name, ""), Address: spec.Address,
		Port:   generated.MemberPort{Kind: port.Kind, Value: ptr(or(port.Value, 0))},
		Weight: or(spec.Weight, 100), Enabled: or(spec.Enabled, true), Priority: or(spec.Priority, 0),
		PopIds: or(spec.PopIds, []string{}),
	}
	for i := range before {
		if member.Id == "" && before[i].Address == member.Address && *before[i].Port.Value == *member.Port.Value {
			member.Id = before[i].Id
		}
	}
	if member.Id == "" {
		member.Id = s.newID("mbr")
	}

	return member
}

func (s *Server) answerLoadBalancer(w http.ResponseWriter, status int, lb *generated.LoadBalancer) {
	w.Header().Set("ETag", etag(lb.Generation))
	s.answer(w, status, lb)
}

func (s *Server) answerReplay(w http.ResponseWriter, same bool) {
	if !same {
		s.answerProblem(w, http.StatusUnprocessableEntity, "IDEMPOTENCY_KEY_REUSED", "the key came with another body")

		return
	}
	s.answerProblem(w, http.StatusConflict, "REPLAY_NOT_FAKED", "the fake keeps no answers")
}

func fault(pointer, code, detail string) generated.ProblemError {
	return generated.ProblemError{Pointer: pointer, Code: code, Detail: detail}
}

func etag(version int64) string { return strconv.Quote(strconv.FormatInt(version, 10)) }

func ptr[T any](value T) *T { return &value }

func or[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}

	return *value
}
