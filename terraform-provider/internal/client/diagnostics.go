// SPDX-License-Identifier: Apache-2.0

package client

import (
	"errors"
	"net/http"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
)

// Diagnostics turns an error into what Terraform shows. locate maps the API's JSON Pointer to the place in
// the user's configuration and returns false where there is none; it may be nil.
func Diagnostics(summary string, err error, locate func(pointer string) (path.Path, bool)) diag.Diagnostics {
	var diagnostics diag.Diagnostics
	var problem *Problem
	if !errors.As(err, &problem) {
		diagnostics.AddError(summary, err.Error()+advice(err))

		return diagnostics
	}

	if len(problem.Errors) == 0 {
		diagnostics.AddError(summary, problem.Summary()+advice(err))
	}
	for _, fault := range problem.Errors {
		if locate != nil {
			if place, ok := locate(fault.Pointer); ok {
				diagnostics.AddAttributeError(place, summary, fault.Text())

				continue
			}
		}
		diagnostics.AddError(summary, fault.Pointer+": "+fault.Text())
	}

	return diagnostics
}

// advice says what to do next, where that is not plain from the message.
func advice(err error) string {
	var token *TokenError
	var problem *Problem
	switch {
	case errors.As(err, &token):
		return "\n\nCheck token_url, client_id and client_secret, or WEIR_TOKEN_URL, WEIR_CLIENT_ID and WEIR_CLIENT_SECRET."
	case !errors.As(err, &problem):
		return ""
	}

	switch problem.Status {
	case http.StatusUnauthorized:
		return "\n\nThe API does not accept the token. Check that token_url belongs to this API and that the service account " +
			"was not revoked."
	case http.StatusForbidden:
		return "\n\nThe service account needs the role editor in this project."
	case http.StatusPreconditionFailed:
		return "\n\nIt was changed elsewhere since the plan. Plan again and review what the plan would undo."
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return "\n\nThe API did not recover while the provider kept trying. Apply again later."
	default:
		return ""
	}
}
