# SPDX-License-Identifier: Apache-2.0

resource "weir_vip" "shop" {
  name = "shop"

  lifecycle {
    prevent_destroy = true # customers know this address
  }
}
