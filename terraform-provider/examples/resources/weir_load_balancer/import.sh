# SPDX-License-Identifier: Apache-2.0
terraform import weir_load_balancer.shop lb_019ab1c2d3e47f0081920a1b2c3d4e5f
