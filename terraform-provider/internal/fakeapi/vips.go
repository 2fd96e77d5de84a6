// SPDX-License-Identifier: Apache-2.0

package fakeapi

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/oapi-codegen/nullable"

	"weir.dev/terraform-provider-weir/internal/client/generated"
)

func (s *Server) createVip(w http.ResponseWriter, r *http.Request) {
	var request generated.VipCreate
	body := s.decode(r, &request)
	if known, same := s.replayed(r, body); known {
		s.answerReplay(w, same)

		return
	}

	id := s.newID("vip")
	vip := &generated.Vip{
		Id: id, ProjectId: ProjectID, Version: 1, CreatedAt: now(), LoadBalancerId: nullable.NewNullNullable[string](),
		Name:          or(request.Name, "vip-"+id[len(id)-8:]),
		Address:       or(request.Address, fmt.Sprintf("203.0.113.%d", s.sequence%256)),
		AddressPoolId: or(request.AddressPoolId, "apool_00000000000000000000000000000001"),
	}
	for _, other := range s.vips {
		if other.Address == vip.Address {
			s.answerProblem(w, http.StatusConflict, "ADDRESS_UNAVAILABLE", "the address is not available",
				fault("/address", "ADDRESS_UNAVAILABLE", "The address is not available."))

			return
		}
	}
	s.vips[id] = vip
	w.Header().Set("Location", r.URL.Path+"/"+id)
	s.answerVip(w, http.StatusCreated, vip)
}

func (s *Server) getVip(w http.ResponseWriter, id string) {
	if vip := s.vips[id]; vip != nil {
		s.answerVip(w, http.StatusOK, vip)

		return
	}
	s.answerProblem(w, http.StatusNotFound, "NOT_FOUND", "no such VIP")
}

func (s *Server) updateVip(w http.ResponseWriter, r *http.Request, id string) {
	vip := s.vips[id]
	if vip == nil {
		s.answerProblem(w, http.StatusNotFound, "NOT_FOUND", "no such VIP")

		return
	}
	if ifMatch := r.Header.Get("If-Match"); ifMatch != "" && ifMatch != etag(vip.Version) {
		s.answerProblem(w, http.StatusPreconditionFailed, "PRECONDITION_FAILED", "the VIP is at "+etag(vip.Version))

		return
	}

	var change generated.VipUpdate
	s.decode(r, &change)
	vip.Name = or(change.Name, vip.Name)
	if change.LoadBalancerId.IsSpecified() {
		s.detach(vip)
		if target, err := change.LoadBalancerId.Get(); err == nil {
			lb := s.loadBalancers[target]
			if lb == nil {
				s.answerProblem(w, http.StatusUnprocessableEntity, "LOAD_BALANCER_UNKNOWN", "no such load balancer")

				return
			}
			s.attach(vip, lb)
		}
	}
	vip.Version++
	s.answerVip(w, http.StatusOK, vip)
}

func (s *Server) deleteVip(w http.ResponseWriter, id string) {
	vip := s.vips[id]
	if vip == nil {
		s.answerProblem(w, http.StatusNotFound, "NOT_FOUND", "no such VIP")

		return
	}
	s.detach(vip)
	delete(s.vips, id)
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) attach(vip *generated.Vip, lb *generated.LoadBalancer) {
	s.sequence++
	vip.LoadBalancerId = nullable.NewNullableWithValue(lb.Id)
	lb.Vips = append(lb.Vips, generated.AttachedVip{Id: vip.Id, Address: vip.Address, ClaimSequence: int64(s.sequence)})
	lb.Generation++
}

func (s *Server) detach(vip *generated.Vip) {
	attached, err := vip.LoadBalancerId.Get()
	if err != nil {
		return
	}
	vip.LoadBalancerId.SetNull()
	if lb := s.loadBalancers[attached]; lb != nil {
		lb.Vips = slices.DeleteFunc(slices.Clone(lb.Vips), func(a generated.AttachedVip) bool { return a.Id == vip.Id })
		lb.Generation++
	}
}

func (s *Server) answerVip(w http.ResponseWriter, status int, vip *generated.Vip) {
	w.Header().Set("ETag", etag(vip.Version))
	s.answer(w, status, vip)
}
