// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"fmt"

	"github.com/oapi-codegen/nullable"

	"weir.dev/terraform-provider-weir/internal/client/generated"
)

// CreateVip reserves an address for the project.
func (c *Client) CreateVip(ctx context.Context, request generated.VipCreate) (*generated.Vip, error) {
	params := &generated.CreateVipParams{IdempotencyKey: newIdempotencyKey()}
	answer, err := c.API.CreateVipWithResponse(ctx, c.ProjectID, params, request)
	if err != nil {
		return nil, fmt.Errorf("reserving the VIP: %w", err)
	}

	return result(answer.HTTPResponse, answer.Body, answer.JSON201)
}

// GetVip reads a VIP.
func (c *Client) GetVip(ctx context.Context, id string) (*generated.Vip, error) {
	answer, err := c.API.GetVipWithResponse(ctx, c.ProjectID, id)
	if err != nil {
		return nil, fmt.Errorf("reading the VIP: %w", err)
	}

	return result(answer.HTTPResponse, answer.Body, answer.JSON200)
}

// RenameVip changes a VIP's name and nothing else.
func (c *Client) RenameVip(ctx context.Context, id, name string) (*generated.Vip, error) {
	return c.updateVip(ctx, id, nil, generated.VipUpdate{Name: &name})
}

// AttachVip attaches a VIP to a load balancer; one attached elsewhere moves.
func (c *Client) AttachVip(ctx context.Context, id, loadBalancerID string) error {
	_, err := c.updateVip(ctx, id, nil, generated.VipUpdate{LoadBalancerId: nullable.NewNullableWithValue(loadBalancerID)})

	return err
}

// DetachVip detaches a VIP from a load balancer. It does nothing when the VIP is gone or attached elsewhere
// by now, also when that happens at the same time.
func (c *Client) DetachVip(ctx context.Context, id, loadBalancerID string) error {
	vip, err := c.GetVip(ctx, id)
	if err != nil {
		return unlessGone(err)
	}
	if vip.LoadBalancerId.IsNull() || !vip.LoadBalancerId.IsSpecified() || vip.LoadBalancerId.MustGet() != loadBalancerID {
		return nil
	}

	_, err = c.updateVip(ctx, id, etag(vip.Version), generated.VipUpdate{LoadBalancerId: nullable.NewNullNullable[string]()})

	return unlessGone(err)
}

// DeleteVip releases a VIP. One that is gone already is no error.
func (c *Client) DeleteVip(ctx context.Context, id string) error {
	answer, err := c.API.DeleteVipWithResponse(ctx, c.ProjectID, id, &generated.DeleteVipParams{})
	if err != nil {
		return fmt.Errorf("releasing the VIP: %w", err)
	}

	return unlessGone(check(answer.HTTPResponse, answer.Body))
}

func (c *Client) updateVip(
	ctx context.Context, id string, ifMatch *string, change generated.VipUpdate,
) (*generated.Vip, error) {
	answer, err := c.API.UpdateVipWithResponse(ctx, c.ProjectID, id, &generated.UpdateVipParams{IfMatch: ifMatch}, change)
	if err != nil {
		return nil, fmt.Errorf("changing the VIP: %w", err)
	}

	return result(answer.HTTPResponse, answer.Body, answer.JSON200)
}
