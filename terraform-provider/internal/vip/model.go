// SPDX-License-Identifier: Apache-2.0

package vip

import (
	"github.com/hashicorp/terraform-plugin-framework/types"

	"weir.dev/terraform-provider-weir/internal/client/generated"
)

// model is the resource as Terraform holds it.
type model struct {
	ID            types.String `tfsdk:"id"`
	Name          types.String `tfsdk:"name"`
	Address       types.String `tfsdk:"address"`
	AddressPoolID types.String `tfsdk:"address_pool_id"`
}

func read(vip *generated.Vip) *model {
	return &model{
		ID:            types.StringValue(vip.Id),
		Name:          types.StringValue(vip.Name),
		Address:       types.StringValue(vip.Address),
		AddressPoolID: types.StringValue(vip.AddressPoolId),
	}
}

// known is nil for what the API is to choose.
func known(given types.String) *string {
	if given.IsNull() || given.IsUnknown() {
		return nil
	}

	return given.ValueStringPointer()
}
