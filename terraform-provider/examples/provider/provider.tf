# SPDX-License-Identifier: Apache-2.0

terraform {
  required_providers {
    weir = {
      source = "weir/weir"
    }
  }
}

# Everything left out comes from WEIR_API, WEIR_TOKEN_URL, WEIR_CLIENT_ID, WEIR_CLIENT_SECRET and WEIR_PROJECT.
provider "weir" {}
