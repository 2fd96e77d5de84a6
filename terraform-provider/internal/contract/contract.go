// SPDX-License-Identifier: Apache-2.0

// Package contract gives tests the REST contract that the provider is built against.
package contract

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"

	"github.com/getkin/kin-openapi/openapi3"

	"weir.dev/terraform-provider-weir/internal/contract/bundle"
)

// Load reads the contract from the source tree.
func Load() (*openapi3.T, error) {
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		return nil, errors.New("the source tree is not known")
	}
	raw, err := bundle.File(filepath.Join(filepath.Dir(here), "../../../openapi/rest/openapi.yaml"))
	if err != nil {
		return nil, err
	}
	document, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		return nil, fmt.Errorf("reading the bundled contract: %w", err)
	}
	if err := document.Validate(context.Background()); err != nil {
		return nil, fmt.Errorf("checking the bundled contract: %w", err)
	}

	return document, nil
}
