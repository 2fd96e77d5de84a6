// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

var (
	_ validator.String = canonicalAddress{}
	_ validator.String = canonicalNetwork{}
)

// canonicalAddress accepts an IP address only in the spelling that the API answers with: another spelling
// would come back changed and show as a difference in every plan.
type canonicalAddress struct{}

func (canonicalAddress) Description(context.Context) string { return "an IP address" }

func (v canonicalAddress) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (canonicalAddress) ValidateString(
	_ context.Context, request validator.StringRequest, response *validator.StringResponse,
) {
	if request.ConfigValue.IsNull() || request.ConfigValue.IsUnknown() {
		return
	}

	given := request.ConfigValue.ValueString()
	address, err := netip.ParseAddr(given)
	switch {
	case err != nil || address.Zone() != "":
		response.Diagnostics.AddAttributeError(request.Path, "Not an IP address",
			fmt.Sprintf("%q is not an IP address, such as 10.1.20.11.", given))
	case address.String() != given:
		response.Diagnostics.AddAttributeError(request.Path, "IP address in another spelling",
			fmt.Sprintf("Write %q as %q.", given, address))
	}
}

// canonicalNetwork is the same for networks; no bits may be set behind the prefix.
type canonicalNetwork struct{}

func (canonicalNetwork) Description(context.Context) string { return "a network in CIDR notation" }

func (v canonicalNetwork) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (canonicalNetwork) ValidateString(
	_ context.Context, request validator.StringRequest, response *validator.StringResponse,
) {
	if request.ConfigValue.IsNull() || request.ConfigValue.IsUnknown() {
		return
	}

	given := request.ConfigValue.ValueString()
	network, err := netip.ParsePrefix(given)
	switch {
	case err != nil:
		response.Diagnostics.AddAttributeError(request.Path, "Not a network",
			fmt.Sprintf("%q is not a network in CIDR notation, such as 192.0.2.0/24.", given))
	case network.Masked().String() != given:
		response.Diagnostics.AddAttributeError(request.Path, "Network in another spelling",
			fmt.Sprintf("Write %q as %q.", given, network.Masked()))
	}
}
