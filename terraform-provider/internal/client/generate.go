// SPDX-License-Identifier: Apache-2.0

package client

//go:generate go run weir.dev/terraform-provider-weir/internal/contract/generate -contract ../../../openapi/rest/openapi.yaml -out generated/openapi.yaml
//go:generate go tool -modfile=../../tools/go.mod oapi-codegen -config oapi-codegen.yaml generated/openapi.yaml
