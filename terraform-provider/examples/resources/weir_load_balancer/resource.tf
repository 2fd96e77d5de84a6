# SPDX-License-Identifier: Apache-2.0

resource "weir_vip" "shop" {
  name = "shop"
}

resource "weir_load_balancer" "shop" {
  name    = "shop"
  labels  = { team = "shop" }
  vip_ids = [weir_vip.shop.id]

  listeners = {
    http = {
      protocol    = "tcp"
      port_ranges = [{ first = 80, last = 80 }]
      pool_name   = "web"
    }
    telemetry = {
      protocol       = "udp"
      port_ranges    = [{ first = 7000, last = 7000 }]
      pool_name      = "telemetry"
      idle_timeout_s = 30
    }
  }

  pools = {
    web = {
      algorithm      = "maglev"
      health_monitor = { type = "tcp_connect", interval_ms = 1000, timeout_ms = 500 }
      members = {
        web1 = { address = "10.1.20.11", port = { kind = "fixed", value = 8080 } }
        web2 = { address = "10.1.20.12", port = { kind = "fixed", value = 8080 }, weight = 50 }
        web3 = { address = "10.1.20.13", port = { kind = "fixed", value = 8080 }, weight = 0 } # drains
      }
    }
    telemetry = {
      members = {
        collector1 = { address = "10.1.20.11" }
      }
    }
  }

  timeouts = {
    create = "2m"
    update = "2m"
  }
}

output "address" {
  value = weir_vip.shop.address
}
