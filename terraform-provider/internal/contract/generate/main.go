// SPDX-License-Identifier: Apache-2.0

// Command generate writes the bundled contract, for the client generator to read.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"weir.dev/terraform-provider-weir/internal/contract/bundle"
)

func main() {
	contract := flag.String("contract", "", "the contract's root file")
	out := flag.String("out", "", "file to write")
	flag.Parse()

	if err := run(*contract, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bundling the contract:", err)
		os.Exit(1)
	}
}

func run(contract, out string) error {
	document, err := bundle.File(contract)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o750); err != nil {
		return fmt.Errorf("making the folder of %s: %w", out, err)
	}
	if err := os.WriteFile(out, document, 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", out, err)
	}

	return nil
}
