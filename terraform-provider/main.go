// SPDX-License-Identifier: Apache-2.0

// Command terraform-provider-weir serves the Weir provider to Terraform and OpenTofu.
package main

import (
	"context"
	"flag"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"weir.dev/terraform-provider-weir/internal/provider"
)

// version is set at build time.
var version = "dev"

func main() {
	debug := flag.Bool("debug", false, "wait for a debugger; prints what to put into the environment of Terraform")
	flag.Parse()

	err := providerserver.Serve(context.Background(), provider.New(version), providerserver.ServeOpts{
		Address: "registry.terraform.io/weir/weir",
		Debug:   *debug,
	})
	if err != nil {
		log.Fatal(err)
	}
}
