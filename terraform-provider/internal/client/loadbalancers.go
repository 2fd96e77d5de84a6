// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/google/uuid"

	"weir.dev/terraform-provider-weir/internal/client/generated"
)

// CreateLoadBalancer creates a load balancer with its whole tree and attaches the VIPs named in the request.
func (c *Client) CreateLoadBalancer(
	ctx context.Context, request generated.LoadBalancerCreate,
) (*generated.LoadBalancer, error) {
	params := &generated.CreateLoadBalancerParams{IdempotencyKey: newIdempotencyKey()}
	answer, err := c.API.CreateLoadBalancerWithResponse(ctx, c.ProjectID, params, request)
	if err != nil {
		return nil, fmt.Errorf("creating the load balancer: %w", err)
	}

	return result(answer.HTTPResponse, answer.Body, answer.JSON201)
}

// GetLoadBalancer reads a load balancer with its tree and attached VIPs.
func (c *Client) GetLoadBalancer(ctx context.Context, id string) (*generated.LoadBalancer, error) {
	answer, err := c.API.GetLoadBalancerWithResponse(ctx, c.ProjectID, id)
	if err != nil {
		return nil, fmt.Errorf("reading the load balancer: %w", err)
	}

	return result(answer.HTTPResponse, answer.Body, answer.JSON200)
}

// ReplaceLoadBalancer replaces the whole tree, provided that the load balancer is still at the given
// generation; otherwise IsPreconditionFailed holds for the error.
func (c *Client) ReplaceLoadBalancer(
	ctx context.Context, id string, generation int64, spec generated.LoadBalancerSpec,
) (*generated.LoadBalancer, error) {
	params := &generated.ReplaceLoadBalancerTreeParams{IfMatch: etag(generation)}
	answer, err := c.API.ReplaceLoadBalancerTreeWithResponse(ctx, c.ProjectID, id, params, spec)
	if err != nil {
		return nil, fmt.Errorf("changing the load balancer: %w", err)
	}

	return result(answer.HTTPResponse, answer.Body, answer.JSON200)
}

// DeleteLoadBalancer deletes a load balancer, at whatever generation it is. One that is gone already is
// no error.
func (c *Client) DeleteLoadBalancer(ctx context.Context, id string) error {
	answer, err := c.API.DeleteLoadBalancerWithResponse(ctx, c.ProjectID, id, &generated.DeleteLoadBalancerParams{})
	if err != nil {
		return fmt.Errorf("deleting the load balancer: %w", err)
	}

	return unlessGone(check(answer.HTTPResponse, answer.Body))
}

// GetRollout reads how far the newest generation has come, by node.
func (c *Client) GetRollout(ctx context.Context, id string) (*generated.Rollout, error) {
	answer, err := c.API.GetRolloutWithResponse(ctx, c.ProjectID, id)
	if err != nil {
		return nil, fmt.Errorf("reading the rollout: %w", err)
	}

	return result(answer.HTTPResponse, answer.Body, answer.JSON200)
}

// result checks an answer that must carry a value.
func result[T any](response *http.Response, body []byte, value *T) (*T, error) {
	if err := check(response, body); err != nil {
		return nil, err
	}
	if value == nil {
		return nil, fmt.Errorf("%s %s answered %s without the value that the contract promises",
			response.Request.Method, response.Request.URL.Path, response.Status)
	}

	return value, nil
}

func unlessGone(err error) error {
	if IsNotFound(err) {
		return nil
	}

	return err
}

// etag is the entity tag of a version, as the API writes it.
func etag(version int64) *string {
	tag := strconv.Quote(strconv.FormatInt(version, 10))

	return &tag
}

// newIdempotencyKey names one intended create. The request keeps it through all its repetitions.
func newIdempotencyKey() *string {
	key := uuid.NewString()

	return &key
}
