// SPDX-License-Identifier: Apache-2.0

package loadbalancer

import (
	"math"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/types"
)

func pointer[T any](value T) *T { return &value }

// value is what the pointer points to, or the zero value.
func value[T any](from *T) T {
	if from == nil {
		var zero T

		return zero
	}

	return *from
}

// known is nil for an id that the API has yet to give.
func known(id types.String) *string {
	if id.IsNull() || id.IsUnknown() {
		return nil
	}

	return id.ValueStringPointer()
}

func enum[E ~string](from types.String) *E {
	if from.IsNull() || from.IsUnknown() {
		return nil
	}

	return pointer(E(from.ValueString()))
}

// int32Pointer keeps the difference between zero and absent: a weight of 0 is sent as 0.
func int32Pointer(from types.Int64) *int32 {
	if from.IsNull() || from.IsUnknown() {
		return nil
	}

	return pointer(toInt32(from.ValueInt64()))
}

// toInt32 saturates; the schema's validators keep all numbers far within the range.
func toInt32(from int64) int32 {
	return int32(min(max(from, math.MinInt32), math.MaxInt32))
}

func int64Value(from *int32) types.Int64 {
	if from == nil {
		return types.Int64Null()
	}

	return types.Int64Value(int64(*from))
}

// sorted never returns nil, which would be sent as null.
func sorted(from []string) []string {
	copied := append([]string{}, from...)
	slices.Sort(copied)

	return copied
}

// list never returns nil: null and empty are different values to Terraform.
func list(from *[]string) []string { return append([]string{}, value(from)...) }

func orEmpty[M ~map[string]string](from M) map[string]string {
	copied := make(map[string]string, len(from))
	for key, text := range from {
		copied[key] = text
	}

	return copied
}
