// SPDX-License-Identifier: Apache-2.0

// Command lint runs the analyzers that the provider's code must pass beside `go vet` and staticcheck, as a
// vet tool: the go command caches its results by package.
package main

import (
	"github.com/gostaticanalysis/nilerr"
	"github.com/nishanths/exhaustive"
	"github.com/polyfloyd/go-errorlint/errorlint"
	"github.com/sonatard/noctx"
	"github.com/timakin/bodyclose/passes/bodyclose"
	"golang.org/x/tools/go/analysis/unitchecker"
)

func main() {
	unitchecker.Main(
		bodyclose.Analyzer,
		errorlint.NewAnalyzer(),
		exhaustive.Analyzer,
		nilerr.Analyzer,
		noctx.Analyzer,
	)
}
