// SPDX-License-Identifier: Apache-2.0

// Package fakeapi is a small stand-in for the Weir API, in memory, for tests that need no running service. It
// refuses every request and every answer of its own that does not follow the contract, so that it cannot
// drift from the real one unseen; the acceptance tests run the same steps against both.
package fakeapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"weir.dev/terraform-provider-weir/internal/client/generated"
	"weir.dev/terraform-provider-weir/internal/contract"
)

// What the fake expects of its caller.
const (
	ClientID     = "weir-sa-test"
	ClientSecret = "only-for-tests"
	ProjectID    = "prj_00000000000000000000000000000001"
	token        = "token-of-the-fake"
)

// Server answers like the API, for one project. Its methods may be called while it serves.
type Server struct {
	URL      string
	TokenURL string

	t      *testing.T
	router routers.Router

	mu            sync.Mutex
	sequence      int
	loadBalancers map[string]*generated.LoadBalancer
	vips          map[string]*generated.Vip
	creates       map[string]string // idempotency key → body
	requests      []string          // method and path of each call, in order
	turnAway      int
	edge          edge
}

// edge is what the fake's nodes do with a new generation.
type edge struct {
	refusal string // not empty: they refuse it, for this reason
	frozen  bool   // they neither run nor refuse it
}

// Start serves until the test ends.
func Start(t *testing.T) *Server {
	t.Helper()

	document, err := contract.Load()
	if err != nil {
		t.Fatalf("loading the contract: %v", err)
	}
	document.Servers = nil
	router, err := gorillamux.NewRouter(document)
	if err != nil {
		t.Fatalf("reading the contract's paths: %v", err)
	}

	fake := &Server{
		t:             t,
		router:        router,
		loadBalancers: map[string]*generated.LoadBalancer{},
		vips:          map[string]*generated.Vip{},
		creates:       map[string]string{},
	}
	server := httptest.NewServer(http.HandlerFunc(fake.serve))
	t.Cleanup(server.Close)
	fake.URL = server.URL
	fake.TokenURL = server.URL + "/token"

	return fake
}

// Requests returns the method and path of each call so far.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()

	return append([]string{}, s.requests...)
}

// TurnAway answers the next n calls with 503 and Retry-After.
func (s *Server) TurnAway(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turnAway = n
}

// RefuseAtEdge lets all nodes refuse what comes from now on; an empty reason ends that.
func (s *Server) RefuseAtEdge(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.edge.refusal = reason
}

// FreezeEdge stops the nodes from running anything new.
func (s *Server) FreezeEdge(frozen bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.edge.frozen = frozen
}

// ChangeLoadBalancer changes the only load balancer, as another user would.
func (s *Server) ChangeLoadBalancer(change func(lb *generated.LoadBalancer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, lb := range s.loadBalancers {
		change(lb)
		lb.Generation++
	}
}

// LoadBalancers returns how many load balancers and VIPs there are.
func (s *Server) Count() (loadBalancers, vips int) {
	s.mu.Lock()
	defer s.mu.Unlock()

	return len(s.loadBalancers), len(s.vips)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		s.serveToken(w, r)

		return
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	if s.turnAway > 0 {
		s.turnAway--
		w.Header().Set("Retry-After", "0")
		s.answerProblem(w, http.StatusServiceUnavailable, "DATABASE_UNAVAILABLE", "come back later")

		return
	}
	if r.Header.Get("Authorization") != "Bearer "+token {
		s.answerProblem(w, http.StatusUnauthorized, "UNAUTHENTICATED", "no valid token")

		return
	}

	route, pathParams, err := s.router.FindRoute(r)
	if err != nil {
		s.t.Errorf("the contract has no %s %s: %v", r.Method, r.URL.Path, err)
		s.answerProblem(w, http.StatusNotFound, "NOT_FOUND", err.Error())

		return
	}
	input := &openapi3filter.RequestValidationInput{
		Request:    r,
		PathParams: pathParams,
		Route:      route,
		Options: &openapi3filter.Options{
			AuthenticationFunc: func(context.Context, *openapi3filter.AuthenticationInput) error { return nil },
			MultiError:         true,
		},
	}
	// Also fills in the contract's defaults, as the API does.
	if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
		s.t.Errorf("%s %s does not follow the contract: %v", r.Method, r.URL.Path, err)
		s.answerProblem(w, http.StatusBadRequest, "INVALID_BODY", err.Error())

		return
	}
	if pathParams["project_id"] != ProjectID {
		s.answerProblem(w, http.StatusNotFound, "NOT_FOUND", "no such project")

		return
	}

	recorder := httptest.NewRecorder()
	s.dispatch(recorder, r, route.Operation.OperationID, pathParams)
	result := recorder.Result()
	defer result.Body.Close()
	body, err := io.ReadAll(result.Body)
	if err != nil {
		s.t.Errorf("reading the fake's own answer: %v", err)
	}
	err = openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input,
		Status:                 result.StatusCode,
		Header:                 result.Header,
		Body:                   io.NopCloser(bytes.NewReader(body)),
		Options:                input.Options,
	})
	if err != nil {
		s.t.Errorf("the fake's answer to %s %s does not follow the contract: %v", r.Method, r.URL.Path, err)
	}
	for name, values := range result.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(result.StatusCode)
	_, _ = w.Write(body)
}

func (s *Server) dispatch(w http.ResponseWriter, r *http.Request, operation string, params map[string]string) {
	switch operation {
	case "createLoadBalancer":
		s.createLoadBalancer(w, r)
	case "getLoadBalancer":
		s.getLoadBalancer(w, params["load_balancer_id"])
	case "replaceLoadBalancerTree":
		s.replaceTree(w, r, params["load_balancer_id"])
	case "deleteLoadBalancer":
		s.deleteLoadBalancer(w, params["load_balancer_id"])
	case "getRollout":
		s.getRollout(w, params["load_balancer_id"])
	case "createVip":
		s.createVip(w, r)
	case "getVip":
		s.getVip(w, params["vip_id"])
	case "updateVip":
		s.updateVip(w, r, params["vip_id"])
	case "deleteVip":
		s.deleteVip(w, params["vip_id"])
	default:
		s.t.Errorf("the fake does not know %s", operation)
		s.answerProblem(w, http.StatusNotImplemented, "NOT_IMPLEMENTED", operation)
	}
}

func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
	}
	if id != ClientID || secret != ClientSecret || r.FormValue("grant_type") != "client_credentials" {
		s.answer(w, http.StatusUnauthorized, map[string]string{
			"error": "unauthorized_client", "error_description": "Invalid client or Invalid client credentials",
		})

		return
	}
	s.answer(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 300})
}

// replayed says that a create with this idempotency key was made before.
func (s *Server) replayed(r *http.Request, body string) (known, same bool) {
	key := r.Header.Get("Idempotency-Key")
	if key == "" {
		s.t.Errorf("%s %s came without an idempotency key", r.Method, r.URL.Path)
	}
	earlier, known := s.creates[key]
	s.creates[key] = body

	return known, earlier == body
}

func (s *Server) newID(prefix string) string {
	s.sequence++

	return fmt.Sprintf("%s_%032x", prefix, s.sequence)
}

func (s *Server) decode(r *http.Request, into any) string {
	raw, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		s.t.Errorf("reading the body of %s %s: %v", r.Method, r.URL.Path, err)
	}

	return string(raw)
}

func (s *Server) answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		s.t.Errorf("writing an answer: %v", err)
	}
}

func (s *Server) answerProblem(
	w http.ResponseWriter, status int, code, detail string, faults ...generated.ProblemError,
) {
	problem := generated.Problem{
		Type:   "https://weir.dev/problems/" + strings.ToLower(code),
		Title:  http.StatusText(status),
		Status: int32(status),
		Code:   code,
		Detail: &detail,
	}
	if len(faults) > 0 {
		problem.Errors = &faults
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(problem); err != nil {
		s.t.Errorf("writing a problem: %v", err)
	}
}

func now() time.Time { return time.Now().UTC().Truncate(time.Second) }
